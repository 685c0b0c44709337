"""The work on deep, wide and shared expressions is linear in the graph: counted in calls, not in seconds."""

from contextlib import suppress

import pytest
import sympy
from sympy import S, Symbol

from diffkit.errors import DomainError, InputError, NoRuleError
from diffkit.expressions import add, call, intern, multiply, piecewise, post_order, power, product, total
from diffkit.symbolic import diff, evaluate, gradient, lambdify, size, steps, straight_line
from diffkit.time_limit import within

x, y = (intern(Symbol(name, real=True)) for name in "xy")


def chain(step, start=x):
    """An expression as deep as it is long."""

    def build(n):
        expr = start
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


t, k = (intern(Symbol(name, integer=True)) for name in "tk")
used_twice = chain(lambda e, _: add(power(e, 2), e))
f = sympy.Function("f")
SHARED = {
    "conjugate": chain(lambda e, _: add(call("conjugate", e), e)),
    "floor": chain(lambda e, _: add(call("floor", e), e)),
    "power of itself": chain(lambda e, _: power(e, e)),
    "Piecewise at a point": chain(
        lambda e, _: piecewise((S.One, call(sympy.Eq, e, S.Zero)), (multiply(e, call("sin", e)), True))
    ),
    "undefined": chain(lambda e, _: multiply(call(f, e), e)),
    "undefined of two": chain(lambda e, _: call(f, e, e)),
    "undefined of an index": lambda n: call(
        sympy.Sum, call(f, multiply(t, used_twice(n))), sympy.Tuple(t, S.One, S(3))
    ),
    "order": lambda n: call(sympy.besselj, used_twice(n), y),
    "end of an Integral": lambda n: call(
        sympy.Integral, call("sin", y), sympy.Tuple(y, S.Zero, used_twice(n))
    ),
    "integrand": lambda n: call(sympy.Integral, multiply(used_twice(n), y), sympy.Tuple(y, S.Zero, x)),
    "end of a Sum": lambda n: call(
        sympy.Sum, power(x, t), sympy.Tuple(t, S.Zero, chain(lambda e, _: add(power(e, 2), e), k)(n))
    ),
    "Limit": lambda n: call(sympy.Limit, used_twice(n), y, S.Zero),
}  # fmt: skip
DONE_WITH = {
    "diff": lambda e: diff(e, x),
    "second": lambda e: diff(e, x, 2),
    "gradient": lambda e: gradient(e, [x, y]),
    "steps": lambda e: (steps(e, x).text(), steps(e, x).latex()),
    "evaluate": lambda e: evaluate(diff(e, x), {x: 0, y: 0.4, k: 0}),
    "digits": lambda e: evaluate(diff(e, x), {x: 0, y: 0.4, k: 0}, precision=20),
    "lambdify": lambda e: lambdify([x, y, k], diff(e, x)),
    "straight line": lambda e: straight_line(diff(e, x)),
}


@pytest.mark.parametrize("name", SHARED)
def test_what_is_shared_is_never_walked_as_its_tree(name):
    """Depth 45 is a tree of 2**45 nodes: whoever asks SymPy a question that walks it, is not back in time."""
    expr = SHARED[name](45)
    for what in DONE_WITH.values():
        with suppress(InputError, NoRuleError, DomainError):  # some have no value; none may take for ever
            within(20.0, lambda what=what: what(expr), "a shared expression")
