"""The work on deep, wide and shared expressions is linear in the graph: counted in calls, not in seconds."""

import pytest
import sympy
from sympy import S, Symbol

from diffkit.expressions import add, call, intern, multiply, piecewise, post_order, power, product, total
from diffkit.symbolic import diff, evaluate, gradient, size, steps, straight_line

x, y = (intern(Symbol(name, real=True)) for name in "xy")


def chain(step):
    """An expression as deep as it is long."""

    def build(n):
        expr = x
        for k in range(n):
            expr = step(expr, k)
        return expr

    return build


SHAPES = {
    "deep sum": chain(lambda e, k: add(call("sin", e), k)),
    "deep product": chain(lambda e, k: multiply(call("sin", e), y)),
    "deep quotient": chain(lambda e, k: multiply(y, power(add(e, 2), -1))),
    "deep power": chain(lambda e, k: power(add(e, y), S.Half)),
    "deep variable power": chain(lambda e, k: power(e, call("sin", e))),
    "deep maximum": chain(lambda e, k: call(sympy.Max, call("sin", e), x)),
    "deep piecewise": chain(
        lambda e, k: piecewise((call("sin", e), call(sympy.StrictLessThan, e, y)), (e, True))
    ),
    "used twice in a sum": chain(lambda e, k: add(power(e, 2), e)),
    "used twice in a product": chain(lambda e, k: multiply(call("sin", e), e)),
    "wide sum": lambda n: total([call("sin", multiply(k + 2, x)) for k in range(n)]),
    "wide product": lambda n: product([add(x, k) for k in range(1, n + 1)]),
    "wide product of powers": lambda n: product([power(add(x, k), -1 - k % 2) for k in range(1, n + 1)]),
    "wide maximum": lambda n: call(sympy.Max, *[multiply(k + 2, x) for k in range(n)]),
    "wide piecewise": lambda n: piecewise(
        *[(multiply(k + 2, x), call(sympy.StrictLessThan, x, k)) for k in range(n)], (y, True)
    ),
    "one function of all": lambda n: call(sympy.Function("f"), x, *[Symbol(f"c{k}") for k in range(n)]),
    "sums of what is shared": lambda n: total(
        [multiply(chain(lambda e, k: call("sin", e))(n), Symbol(f"c{k}")) for k in range(n)]
    ),
}  # fmt: skip


@pytest.fixture(params=SHAPES)
def shapes(request):
    build = SHAPES[request.param]
    return {n: build(n) for n in (10, 200, 400)}


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives(shapes, mode, is_linear):
    assert is_linear(lambda n: diff(shapes[n], x, mode=mode), 200)
    once, twice = (len(post_order(diff(shapes[n], x, mode=mode))) for n in (200, 400))
    assert twice < 2.1 * once


def test_second_derivatives(shapes, is_linear):
    first = {n: diff(expr, x) for n, expr in shapes.items()}
    assert is_linear(lambda n: diff(first[n], x), 200)


def test_what_is_done_with_them(shapes, is_linear):
    derivatives = {n: diff(expr, x) for n, expr in shapes.items()}
    assert is_linear(lambda n: repr(size(derivatives[n])), 200)
    assert is_linear(lambda n: steps(shapes[n], x).text(limit=0, simplified=False), 200)
    if any(isinstance(node, sympy.Derivative) for node in post_order(derivatives[10])):
        return  # what has no value has no program
    symbols = [s for s in post_order(derivatives[400]) if s.is_Symbol]
    values = dict.fromkeys([x, y, *symbols], 0.3)
    assert is_linear(lambda n: straight_line(derivatives[n]), 200)
    assert is_linear(lambda n: evaluate(derivatives[n], values), 200)


def test_all_partials_of_a_wide_product(is_linear):
    xs = [Symbol(f"x{k}") for k in range(400)]
    wide = {n: product(xs[:n]) for n in (10, 200, 400)}
    assert is_linear(lambda n: gradient(wide[n], xs[:n]), 200)
