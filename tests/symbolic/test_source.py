"""Straight-line programs: each shared part once, the right brackets, no recursion."""

import ast
import keyword

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import S, symbols

from diffkit.expressions import add, call, divide, intern, multiply, negative, power, subtract
from diffkit.symbolic import FAMILIES, diff, evaluate, lambdify, straight_line

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
