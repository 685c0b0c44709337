"""Values in floats, in many digits and in fractions, against SymPy and mpmath."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from sympy import S, symbols

from diffkit.errors import DomainError, InputError, NoRuleError
from diffkit.expressions import add, intern, multiply, rebuild, total
from diffkit.symbolic import FAMILIES, BudgetError, diff, evaluate, lambdify, straight_line

x, y = symbols("x y")
i, n = symbols("i n", integer=True)

EXPRESSIONS = [
    x + 2 * y - S(1) / 3,
    -x / y + x**-2,
    sympy.sqrt(x) / sympy.sqrt(y) + x**y,
    sympy.sin(x) + sympy.cos(y) * sympy.tan(x) + sympy.cot(x) + sympy.sec(x) + sympy.csc(x),
    sympy.asin(x / 3)
    + sympy.acos(y / 3)
    + sympy.atan(x)
    + sympy.acot(x)
    + sympy.asec(x + 2)
    + sympy.acsc(x + 2),
    sympy.sinh(x) + sympy.cosh(x) + sympy.tanh(x) + sympy.coth(x) + sympy.sech(x) + sympy.csch(x),
    sympy.asinh(x) + sympy.acosh(x + 1) + sympy.atanh(x / 3) + sympy.acoth(x + 2) + sympy.asech(x / 3),
    sympy.acsch(x) + sympy.atan2(y, x) + sympy.exp(x) + sympy.log(y),
    sympy.erf(x) + sympy.erfc(y) + sympy.erfi(x) + sympy.erfinv(x / 2),
    sympy.gamma(x) + sympy.loggamma(y) + sympy.digamma(x) + sympy.polygamma(2, y),
    sympy.Abs(x - y) + sympy.sign(x - y) + sympy.floor(5 * x) + sympy.ceiling(5 * y) + sympy.Mod(7 * x, y),
    sympy.Max(x, y, 1) * sympy.Min(x, y) + sympy.Heaviside(x - y) + sympy.Heaviside(x - x * 1),
    sympy.Piecewise((x, x > y), (y**2, sympy.And(x < 1, sympy.Ne(y, 3))), (0, True)),
    sympy.Piecewise((x, sympy.Or(x > y, sympy.Eq(x, 2))), (y**2, sympy.Not(x < 1)), (7, True)),
    sympy.Sum(x**i / i, (i, 1, 4)) + sympy.Product(y + i, (i, 1, 3)),
    sympy.Sum(sympy.Sum(x * i + n, (i, 1, n)), (n, 1, 3)),
    sympy.Sum(x * i + n, (i, 1, n), (n, 1, 3)),
    sympy.LambertW(x) + sympy.pi * sympy.E + sympy.EulerGamma + sympy.KroneckerDelta(2, 2) * x,
    x * S(0.1) + S(10) ** 20 / y,
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_every_way_to_evaluate_agrees_with_sympy(expr):
    point = {x: 0.75, y: 1.25}
    expected = float(sympy.N(expr.subs({s: sympy.Rational(v) for s, v in point.items()}).doit(), 30))
    value = evaluate(expr, point)
    assert type(value) in (float, int)
    assert value == pytest.approx(expected, rel=1e-13)
    assert float(evaluate(expr, point, precision=40)) == pytest.approx(expected, rel=1e-14)
    f = lambdify([x, y], expr)
    assert f(0.75, 1.25) == pytest.approx(expected, rel=1e-13)
    xs, ys = np.array([0.75, 0.75, 0.5]), np.array([[1.25], [1.5]])
    for array in (evaluate(expr, {x: xs, y: ys}), f(xs, ys)):
        assert np.broadcast_to(array, (2, 3))[0, 1] == pytest.approx(expected, rel=1e-13)
        assert np.broadcast_to(array, (2, 3))[1, 2] == pytest.approx(f(0.5, 1.5), rel=1e-13)


def test_fifty_digits():
    value = evaluate(sympy.exp(sympy.sin(x)), {x: 0.5}, precision=50)
    with mpmath.workdps(60):
        assert abs(value - mpmath.exp(mpmath.sin(mpmath.mpf(0.5)))) < mpmath.mpf(10) ** -50


def test_digits_lost_to_cancellation_are_computed_anew():
    expr = (1 - sympy.cos(x)) / x**2
    value = evaluate(expr, {x: Fraction(1, 10**20)}, precision=30)
    with mpmath.workdps(40):
        assert abs(value - mpmath.mpf(1) / 2) < mpmath.mpf(10) ** -30
    with pytest.raises(BudgetError, match="or is zero"):
        evaluate(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1, {x: 1}, precision=10)


def test_exact_values():
    expr = diff(FAMILIES["logistic map"].expression(5), sympy.Symbol("x"))
    value = evaluate(expr, {sympy.Symbol("x"): Fraction(1, 3)}, exact=True)
    closed = sympy.diff(sympy.expand(FAMILIES["logistic map"].expression(5).doit()), sympy.Symbol("x"))
    assert value == Fraction(int(closed.subs("x", S(1) / 3).p), int(closed.subs("x", S(1) / 3).q))
    assert evaluate(x, {x: 0.1}, exact=True) == Fraction(0.1)
    assert evaluate(S(0.1) * x, {x: 10}, exact=True) == 10 * Fraction(0.1)
    assert (
        evaluate(sympy.Abs(x) + sympy.floor(x) + sympy.Max(x, 2), {x: Fraction(-3, 2)}, exact=True)
        == S(3) / 2
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: evaluate(x + y, {x: 1.0}), InputError, "no value is given for y"),
        (lambda: evaluate(sympy.IndexedBase("a")[1], {}), InputError, r"no value is given for a\[1\]"),
        (lambda: evaluate(sympy.IndexedBase("a")[i], {}), InputError, "no value is given for i"),
        (lambda: evaluate(sympy.IndexedBase("a")[i], {i: 0.5}), InputError, "needs integers as indices"),
        (
            lambda: lambdify(x, sympy.Sum(sympy.IndexedBase("a")[i], (i, 1, 2))),
            InputError,
            r"looks up no elements, so a\[i\] has no value in it; write the Sum out first",
        ),
        (lambda: evaluate(x, [1.0]), InputError, "values by symbol"),
        (lambda: lambdify([x], x)("1.0"), InputError, "expected a number"),
        (lambda: evaluate(x, {"x": 1.0}), InputError, "values by symbol"),
        (lambda: evaluate(x, {x: "1.0"}), InputError, "expected a number"),
        (lambda: evaluate(sympy.sin(x), {x: 1}, exact=True), InputError, "sin has no exact rational value"),
        (lambda: evaluate(sympy.pi * x, {x: 1}, exact=True), InputError, "pi is not rational"),
        (lambda: evaluate(sympy.sqrt(x), {x: 2}, exact=True), InputError, "no exact rational value"),
        (lambda: evaluate(1 / x, {x: 0}, exact=True), DomainError, "division by zero at x = 0"),
        (lambda: evaluate(1 / x, {x: 0}, precision=20), DomainError, "division by zero at x = 0"),
        (lambda: evaluate(x, {x: 1}, exact=True, precision=20), InputError, "give one of them"),
        (lambda: evaluate(x, {x: 1}, precision=0), InputError, "digits of at least 1"),
        (lambda: evaluate(x, {x: math.nan}, exact=True), InputError, "finite number"),
        (lambda: evaluate(sympy.Function("f")(x), {x: 1}), NoRuleError, "f has no value here"),
        (lambda: evaluate(sympy.Sum(i, (i, 1, n)), {n: 2.5}), DomainError, "runs over integers"),
        (lambda: evaluate(sympy.Sum(i, (i, 1, n)), {n: np.array([1, 2])}), InputError, "limits is an array"),
        (lambda: evaluate(x**10**9, {x: 3}, exact=True), BudgetError, "more than 10,000,000 digits; use"),
        (lambda: evaluate(x * sympy.zoo, {x: 3}), InputError, "zoo, SymPy's infinity"),
        (lambda: evaluate(x * sympy.zoo, {x: 3}, precision=20), InputError, "zoo, SymPy's infinity"),
    ],
)
def test_what_has_no_value(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_infinities_and_nan_follow_ieee():
    assert evaluate(1 / x, {x: 0.0}) == math.inf
    assert evaluate(sympy.log(x), {x: 0.0}) == -math.inf
    assert math.isnan(evaluate(sympy.log(x), {x: -1.0}))
    assert evaluate(sympy.exp(x), {x: 1000.0}) == math.inf


def test_a_fractional_power_of_a_negative_number_is_none_as_its_root_is():
    for expr in (sympy.sqrt(x), x ** sympy.Rational(3, 2), x**0.3, x**x):
        assert math.isnan(evaluate(expr, {x: -2.5}))
        assert np.isnan(evaluate(expr, {x: np.array([-2.5])})).all()
        assert math.isnan(lambdify(x, expr)(-2.5))
    assert evaluate(x**0.5, {x: -4 + 0j}) == pytest.approx(2j)


def test_floats_keep_their_precision_and_lists_their_shape():
    assert evaluate(x * y, {x: np.float32(2), y: 3.0}).dtype == np.float32
    assert evaluate(sympy.sin(x) / 3, {x: np.ones(2, np.float32)}).dtype == np.float32
    assert evaluate(x**-1, {x: np.array([1, 2])}).tolist() == [1.0, 0.5]
    assert evaluate([x, 2 * x], {x: 1.5}) == [1.5, 3.0]
    assert evaluate(sympy.Matrix([[x, 1], [2, x]]), {x: 3.0}).tolist() == [[3.0, 1.0], [2.0, 3.0]]


def test_the_user_s_own_functions():
    f = sympy.Function("f")
    assert evaluate(f(x) * 2, {x: 3.0}, functions={"f": lambda v: v + 1}) == 8.0
    assert lambdify(x, f(x) * 2, functions={"f": lambda v: v + 1})(3.0) == 8.0


def test_depth():
    family = FAMILIES["soft ReLU"]
    d = diff(family.expression(10_000), *family.variables(1))
    values = {sympy.Symbol("x"): 0.3, sympy.Symbol("w"): 0.5, sympy.Symbol("b"): 0.1}
    value = evaluate(d, values)
    expected, tangent = 0.3, 0.0  # forward mode by hand
    for _ in range(9_999):
        z = 0.5 * expected + 0.1
        expected, tangent = math.log(1 + math.exp(z)), (expected + 0.5 * tangent) / (1 + math.exp(-z))
    assert value == pytest.approx(tangent, rel=1e-12)
    assert lambdify(list(values), d)(*values.values()) == pytest.approx(tangent, rel=1e-12)


def test_a_division_is_one_division():
    expr = multiply(x, 1 / y)
    assert evaluate(expr, {x: 1.0, y: 49.0}) == 1.0 / 49.0
    assert evaluate(expr, {x: 5.0, y: 49.0}) == 5.0 / 49.0


def nest_of_all(cls, levels, high):
    """Sums or Products whose innermost body needs the index of every one of them."""
    indices = [sympy.Symbol(f"i{k}", integer=True) for k in range(levels)]
    expr = total([sympy.Symbol("x"), *indices])
    for index in indices:
        template = intern(cls(index, (index, 1, high)))
        expr = rebuild(template, [expr, template.args[1]])
    return expr


def test_sums_nested_too_deep_to_evaluate_say_so():
    expr = nest_of_all(sympy.Sum, 1000, 2)
    with pytest.raises(BudgetError, match="nest deeper"):
        evaluate(expr, {x: 0.5})
    with pytest.raises(InputError, match="more than 90 deep"):
        straight_line(expr)
    with pytest.raises(InputError, match="more than 90 deep"):
        straight_line(nest_of_all(sympy.Sum, 1000, 1))


def test_sums_that_need_no_index_of_one_another_are_computed_one_after_the_other():
    expr = intern(x)
    for _ in range(1000):
        template = intern(sympy.Sum(i, (i, 0, 1)))
        expr = rebuild(template, [multiply(expr, S.Half), template.args[1]])
    assert evaluate(expr, {x: 0.75}) == 0.75
    assert lambdify(x, expr)(0.75) == 0.75


def test_what_does_not_depend_on_the_index_is_computed_before_the_loop():
    assert straight_line(sympy.Sum(sympy.sin(x) * i, (i, 1, 3))) == (
        "v1 = sin(x)\ndef term1(i):\n    return i*v1\nreturn sum(term1(i) for i in integers(1, 3))"
    )
    calls = []
    f = sympy.Function("f")
    expr = sympy.Sum(f(x) * sympy.Sum(f(y) * i * n, (i, 1, n)), (n, 1, 3))
    count = {"f": lambda v: calls.append(v) or v}
    assert lambdify([x, y], expr, functions=count)(2.0, 3.0) == evaluate(
        expr, {x: 2.0, y: 3.0}, functions={"f": float}
    )
    assert sorted(calls) == [2.0, 3.0]


@pytest.mark.parametrize("cls", [sympy.Sum, sympy.Product])
def test_a_range_of_one_term_is_no_loop(cls):
    expr = nest_of_all(cls, 90, 1)
    assert evaluate(expr, {x: Fraction(1, 2)}, exact=True) == Fraction(181, 2)
    assert lambdify(x, expr)(0.5) == 90.5
    assert "for" not in straight_line(expr)
    assert straight_line(cls(sympy.sin(x * i) / i, (i, 2 * y, 2 * y))) == "v1 = 2*y\nreturn sin(x*v1)/v1"


def test_an_index_has_a_meaning_in_each_loop():
    j = sympy.Symbol("j", integer=True)
    shared = sympy.sin(x * i) + i
    cases = [
        sympy.Sum(shared, (i, 1, 3)) * shared + sympy.Sum(shared * 2, (i, 2, 4)),  # outside, and within two
        sympy.Sum(shared * sympy.Product(shared, (i, 1, 2)) + shared, (i, 1, 3)),  # in one of the same name
        sympy.Sum(shared, (i, 1, i + 1)) + sympy.Sum(sympy.Sum(shared * j, (i, 1, i)), (j, 1, 2)),
        sympy.Sum(sympy.Sum(shared * j, (i, 1, j)) + sympy.Sum(shared * j, (i, j, j)), (j, 1, 3)) * shared,
        sympy.Sum(shared, (i, i, i))
        + sympy.Sum(shared, (i, i + 1, i + 1))
        + sympy.Sum(shared, (i, i + 1, 4)),
    ]
    s = [math.sin(0.3 * k) + k for k in range(5)]
    by_hand = [
        (s[1] + s[2] + s[3]) * s[2] + 2 * (s[2] + s[3] + s[4]),
        sum(s[k] * s[1] * s[2] + s[k] for k in (1, 2, 3)),
        sum(s[1:4]) + 3 * sum(s[1:3]),
        sum(sum(s[1 : k + 1]) * k + s[k] * k for k in (1, 2, 3)) * s[2],
        s[2] + s[3] + s[3] + s[4],
    ]
    for expr, expected in zip(cases, by_hand, strict=True):
        assert evaluate(expr, {x: 0.3, i: 2}) == pytest.approx(expected, rel=1e-14)
        assert lambdify([x, i], expr)(0.3, 2) == pytest.approx(expected, rel=1e-14)
        twice = evaluate([shared, expr, shared], {x: 0.3, i: 2})
        assert twice == pytest.approx([s[2], expected, s[2]], rel=1e-14)


@pytest.mark.parametrize("cls", [sympy.Sum, sympy.Product])
def test_the_work_for_nested_loops_is_linear(cls, is_linear):
    """To find out what depends on which index, and to write or evaluate it."""
    flat = {}
    for levels in (10, 30, 60):
        expr = intern(x)
        for k in range(levels):
            index = sympy.Symbol(f"i{k}", integer=True)
            template = intern(cls(index, (index, 1, 2)))
            expr = rebuild(template, [multiply(expr, index), template.args[1]])
        flat[levels] = diff(expr, x)
    assert is_linear(lambda levels: evaluate(flat[levels], {x: 0.5}), 30)
    assert is_linear(lambda levels: straight_line(flat[levels]), 30)
    nested = {}
    for levels in (10, 40, 80):
        indices = sympy.symbols(f"i:{levels + 1}", integer=True)
        expr = add(x, indices[0])
        for index, after in itertools.pairwise(indices):  # from the next one's index to that
            template = intern(cls(index, (index, after, after)))
            expr = rebuild(template, [multiply(expr, index), template.args[1]])
        nested[levels] = rebuild(template, [expr, intern(sympy.Tuple(indices[-1], 1, 2))])
    assert is_linear(lambda levels: evaluate(nested[levels], {x: 0.5}), 40)
    assert is_linear(lambda levels: straight_line(nested[levels]), 40)


def test_a_range_whose_last_integer_is_below_the_first_is_empty():
    assert evaluate(sympy.Sum(i, (i, 3, 1)) + sympy.Product(i, (i, 3, 1)), {}) == 1


def test_exact_powers_of_one_and_of_units_are_no_trouble():
    assert evaluate(x**10**30, {x: -1}, exact=True) == 1
    assert evaluate(x ** -(10**6), {x: 2}, exact=True) == Fraction(1, 2**10**6)


def test_imaginary_numbers_in_floats_and_digits():
    assert evaluate(sympy.I * x**2, {x: 2.0}) == 4j
    value = evaluate(sympy.exp(sympy.I * x), {x: 2}, precision=30)
    with mpmath.workdps(35):
        assert abs(value - mpmath.expj(2)) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("a", [0.5, 1.5])
def test_conditions_of_conditions(a):
    choice = sympy.ITE(x < 1, y < 1, y > 1)
    expr = sympy.Piecewise((x, choice), (x**2, sympy.Xor(x < 1, y < 1, evaluate=False)), (7, True))
    for b in (0.5, 1.5):
        expected = a if (b < 1 if a < 1 else b > 1) else a**2 if (a < 1) != (b < 1) else 7
        assert evaluate(expr, {x: a, y: b}) == lambdify([x, y], expr)(a, b) == expected
        assert lambdify([x, y], expr)(np.array([a]), b).tolist() == [expected]


def test_elements_by_their_indices():
    a, k = sympy.IndexedBase("a"), sympy.Symbol("k", integer=True)
    norm = sympy.Sum(a[i] ** 2 * a[n - i], (i, 1, n - 1))
    values = {a[1]: 0.5, a[2]: 3.0, a[3]: 2.0}
    assert evaluate(norm, {**values, n: 4}) == 0.25 * 2 + 9 * 3 + 4 * 0.5
    partials = [evaluate(diff(norm, a[k]), {**values, n: 4, k: j}) for j in (1, 2, 3)]
    assert partials == [2 * 0.5 * 2 + 4, 3 * 9, 2 * 2 * 0.5 + 0.25]
    matrix = sympy.MatrixSymbol("A", 2, 2)
    trace = sympy.Sum(matrix[i, i] * matrix[0, i], (i, 0, 1))
    entries = {matrix[r, c]: Fraction(r + 1, c + 2) for r in (0, 1) for c in (0, 1)}
    assert evaluate(trace, entries, exact=True) == Fraction(1, 4) + Fraction(2, 9)
    assert float(evaluate(norm, {**values, n: 4}, precision=20)) == 29.5
    with pytest.raises(InputError, match=r"no value is given for a\[4\]"):
        evaluate(norm, {**values, n: 5})


@pytest.mark.parametrize("size", [0.5, 3.0, 0.1, 1e300, 2.0**60, 1e-300, 5e-324])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_float_is_the_fraction_that_it_is(size, sign):
    constant = sympy.Float(sign * size)
    third = Fraction(1, 3)
    exact = Fraction(*float(constant).as_integer_ratio())
    assert evaluate(constant * x, {x: sympy.Rational(1, 3)}, exact=True) == exact * third
    assert evaluate(multiply(x, constant), {x: -third}, exact=True) == -exact * third
    assert evaluate(add(x, constant), {x: third}, exact=True) == third + exact
    assert float(evaluate(constant * x, {x: 1}, precision=30)) == float(constant)


AT_THEIR_EDGES = [
    (sympy.sinc(x), 0), (sympy.sign(x), 0), (sympy.sign(x), -2), (sympy.Heaviside(x), 0), (sympy.Abs(x), 0),
    (sympy.Heaviside(x, 1), 0), (sympy.Max(x, 0), 0), (sympy.Min(x, -1), -1), (sympy.floor(x), -1),
    (sympy.floor(x - S.Half), 0), (sympy.ceiling(x + S.Half), -1), (sympy.Mod(x, 3), -1),
    (sympy.Mod(x, -3), 1),
    (sympy.Mod(x, 3), 3), (sympy.factorial(x), 0), (sympy.gamma(x), 1), (sympy.atan2(x, -1), 0),
    (sympy.KroneckerDelta(x, 1), 1), (sympy.Piecewise((1, x > 0), (2, True)), 0), (x**0, 0),
    (sympy.Piecewise((1, x >= 0), (2, True)), 0), (sympy.Piecewise((1, sympy.Eq(x, 0)), (2, True)), 0),
    (sympy.Piecewise((1, x < 0), (2, True)), 0), (sympy.Piecewise((1, x <= 0), (2, True)), 0),
    (sympy.Piecewise((1, sympy.Ne(x, 0)), (2, True)), 0), (sympy.loggamma(x), 1), (sympy.erf(x), 0),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "at"), AT_THEIR_EDGES, ids=str)
def test_every_arithmetic_has_the_value_at_the_edge(expr, at):
    expected = complex(sympy.N(sympy.sympify(expr).subs(x, at)))
    expected = expected.real
    f = lambdify([x], expr)
    values = [
        evaluate(expr, {x: float(at)}),
        evaluate(expr, {x: np.array([float(at)])}),
        evaluate(expr, {x: at}, precision=25),
        f(float(at)),
        f(np.array([float(at)])),
    ]
    for value in values:
        assert float(np.asarray(value, dtype=float).flat[0]) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    "expr",
    [sympy.hyper((1, 2), (3,), x), sympy.uppergamma(y, x), sympy.lowergamma(y, x), sympy.expint(y, x)],
)
def test_parameters_in_tuples(expr):
    """Those of hypergeometric functions and of Meijer's, which stand in the derivatives of others."""
    for by in sorted(expr.free_symbols, key=str):
        slope = diff(expr, by)
        exact = sympy.N(sympy.diff(expr, by).subs({x: sympy.Rational(3, 10), y: sympy.Rational(3, 2)}), 25)
        at = {x: 0.3, y: 1.5}
        assert abs(evaluate(slope, at) - exact) < 1e-13 * abs(exact)
        digits = {x: sympy.Rational(3, 10), y: sympy.Rational(3, 2)}
        assert abs(evaluate(slope, digits, precision=20) - exact) < 1e-19 * abs(exact)
        f = lambdify([x, y], slope)
        assert abs(f(0.3, 1.5) - exact) < 1e-13 * abs(exact)
        assert f(np.array([0.3, 0.4]), 1.5).shape == (2,)
