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


@pytest.mark.parametrize(
    "name", ["sum", "prod", "integers", "times", "pow", "lambda", "v1", "term1", "y", "two words"]
)
def test_functions_of_any_name(name):
    f, i = sympy.Function(name), sympy.Symbol("i", integer=True)
    shared = f(x * y)
    expr = (
        f(x) + shared * sympy.sin(shared) + sympy.Sum(f(x) * i, (i, 1, 2)) + sympy.Product(x * i, (i, 1, 2))
    )
    run = lambdify([x, y], expr, functions={name: lambda v: v + 1})
    assert run(2.0, 3.0) == pytest.approx(3 + 7 * np.sin(7) + 9 + 8)
    assert straight_line(expr).isascii()


@pytest.mark.parametrize(
    "name", ["sum", "program", "integers", "range", "__builtins__", "def", "e", "pi", "inf"]
)
def test_symbols_of_any_name(name):
    odd, i = sympy.Symbol(name), sympy.Symbol("i", integer=True)
    assert lambdify(odd, sympy.Sum(odd * i, (i, 1, 2)) + sympy.pi)(2.0) == pytest.approx(6 + np.pi)
    index = sympy.Symbol(name, integer=True)
    assert lambdify(x, sympy.Sum(x * index, (index, 1, 2)))(2.0) == 6


def test_a_symbol_may_be_an_index_as_well():
    i = sympy.Symbol("i", integer=True)
    source = straight_line(i + sympy.Sum(i, (i, 1, 3)))
    assert source.splitlines()[-1] in ("return i + sum(term1(i_1) for i_1 in integers(1, 3))",
                                       "return sum(term1(i_1) for i_1 in integers(1, 3)) + i")  # fmt: skip


def test_numbers_too_large_for_floats():
    for big in (sympy.Integer(10) ** 400, -(sympy.Integer(10) ** 5000)):
        expected = np.inf * int(sympy.sign(big))
        assert lambdify(x, x * big)(2.0) == evaluate(x * big, {x: 2.0}) == expected
        assert lambdify(x, x * big)(np.array([2.0]))[0] == expected
    ratio = sympy.Rational(10**400, 3**800 * 10**17)
    assert lambdify(x, x * ratio)(2.0) == evaluate(x * ratio, {x: 2.0}) == pytest.approx(2 * 10**383 / 3**800)


def test_what_is_not_real_has_no_program():
    for value in (sympy.I, sympy.zoo):
        with pytest.raises(InputError, match=f"^{value}[, ]"):
            lambdify(x, x * value)
        with pytest.raises(InputError, match=f"^{value}[, ]"):
            straight_line(x + value)
