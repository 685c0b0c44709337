"""Straight-line programs: each shared part once, the right brackets, no recursion."""

import ast
import keyword

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import S, symbols

from diffkit.errors import InputError
from diffkit.expressions import add, call, divide, intern, multiply, negative, power, subtract
from diffkit.symbolic import FAMILIES, diff, evaluate, gradient, lambdify, straight_line

x, y = symbols("x y")
POWERS = [2, -1, -2, S(1) / 2, -S(1) / 2]


@st.composite
def unevaluated(draw, depth=4):
    """Expressions in every odd shape that SymPy's constructors would have tidied away."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return intern(draw(st.sampled_from([x, y, S(2), S(-3), S(1) / 3, S(-1) / 2, S(0.1)])))
    a, b = draw(unevaluated(depth=depth - 1)), draw(unevaluated(depth=depth - 1))
    make = draw(
        st.sampled_from(
            [
                add,
                subtract,
                multiply,
                lambda a, b: divide(a, add(power(b, 2), 1)),
                lambda a, b: negative(a),
                lambda a, b: power(
                    add(power(a, 2), 1), draw(st.sampled_from([2, -1, -2, S(1) / 2, -S(1) / 2, b]))
                ),
                lambda a, b: call("sin", a),
                lambda a, b: multiply(-1, multiply(a, multiply(b, -1))),
            ]
        )
    )
    return make(a, b)


@given(unevaluated(), st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=200, deadline=None)
def test_the_program_computes_the_expression(expr, a, b):
    expected = evaluate(expr, {x: a, y: b})
    f = lambdify([x, y], expr)
    assert f(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    array = f(np.array([a, a]), b)
    assert np.broadcast_to(array, (2,))[1] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_overflow_is_infinity_for_floats_and_arrays_alike():
    f = lambdify(x, power(5, add(x, 5**25)))
    assert f(0.0) == np.inf
    assert f(np.zeros(2)).tolist() == [np.inf, np.inf]


def test_every_shared_node_is_computed_once():
    shared = call("exp", multiply(x, y))
    source = lambdify([x, y], [add(shared, 1), multiply(shared, shared), call("sin", shared)]).source
    assert source.count("exp(") == 1
    assert straight_line(multiply(shared, shared)) == "v1 = exp(x*y)\nreturn v1*v1"


def test_long_sums_and_deep_nests_compile():
    wide = intern(sympy.Add(*[sympy.sin(k * x) for k in range(1, 3000)]))
    assert lambdify(x, wide)(0.1) == pytest.approx(evaluate(wide, {x: 0.1}), rel=1e-10)
    deep = intern(x)
    for _ in range(5000):
        deep = call("sin", deep)
    assert lambdify(x, deep)(1.0) == pytest.approx(evaluate(deep, {x: 1.0}))


def test_the_text_of_a_program_is_linear_in_the_depth():
    lengths = []
    for n in (1000, 2000):
        d = diff(FAMILIES["logistic map"].expression(n), sympy.Symbol("x"))
        lengths.append(len(straight_line(d)))
    assert lengths[1] < 2.3 * lengths[0]


def test_names_that_python_has_taken():
    odd = [sympy.Symbol(name) for name in ("lambda", "x'", "v1", "sin", "2y", r"\alpha", "x'")]
    expr = sum(sympy.cos(s) for s in odd) + sympy.sin(odd[0]) * sympy.sin(odd[0]) * sympy.cos(
        sympy.sin(odd[0])
    )
    symbols_ = sorted(expr.free_symbols, key=str)
    f = lambdify(symbols_, expr)
    values = [0.1 * (k + 1) for k in range(len(symbols_))]
    assert f(*values) == pytest.approx(evaluate(expr, dict(zip(symbols_, values, strict=True))))
    tree = ast.parse(f.source)
    assert not any(
        keyword.iskeyword(a.arg)
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for a in node.args
    )


def test_shapes_of_the_result():
    assert lambdify([x], [x, 2 * x])(1.0) == [1.0, 2.0]
    matrix = lambdify([x, y], sympy.Matrix([[x, y], [x * y, 1]]))
    assert matrix(2.0, 3.0).tolist() == [[2.0, 3.0], [6.0, 1.0]]
    assert matrix(np.array([1.0, 2.0]), 3.0).shape == (2, 2, 2)
    assert lambdify(x, x**2)(np.array([1, 2])).dtype == float


def test_bad_arguments():
    with pytest.raises(InputError, match="y is not among the arguments"):
        lambdify([x], x + y)
    with pytest.raises(InputError, match="different symbols"):
        lambdify([x, x], x)
    with pytest.raises(InputError, match="expected symbols"):
        lambdify(["x"], x)


def test_the_helmholtz_gradient():
    family = FAMILIES["Helmholtz energy"]
    n = 10  # long enough for a product with the matrix of constants
    xs, f = family.variables(n), family.expression(n)
    constants = [sympy.Symbol("R"), sympy.Symbol("T")]
    point = [0.1 + 0.02 * k for k in range(n)]
    compiled = lambdify([*xs, *constants], gradient(f, xs))
    got = compiled(*point, 2.0, 3.0)
    values = dict(zip([*xs, *constants], [*point, 2.0, 3.0], strict=True))
    assert "times(m1, " in compiled.source
    shapes = [matrix.shape for matrix in compiled.constants.values()]
    assert shapes == [(n + 1, n), (n, n + 1)]  # b*x below A*x; its transpose, with b's part of each row
    assert compiled.source.count(" = times(") == 2  # b*x with its first row, 1*x1 + ..., and b transposed
    assert not any(line.split(" = ")[-1].isidentifier() for line in compiled.source.splitlines())
    by_arrays = compiled(*[np.array([p, p]) for p in point], 2.0, 3.0)
    assert [a[1] for a in by_arrays] == pytest.approx(got, rel=1e-12)
    by_forward = [evaluate(diff(f, s), values) for s in xs]
    assert got == pytest.approx(by_forward, rel=1e-12)
    step = 1e-6
    for k, s in enumerate(xs):
        up, down = (evaluate(f, {**values, s: point[k] + e}) for e in (step, -step))
        assert got[k] == pytest.approx((up - down) / (2 * step), rel=1e-7)
