"""Derivatives against SymPy's own, at random points, for every rule and for compositions."""

import math
import random
import threading

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, Symbol, symbols

from diffkit.calculus import ELEMENTARY
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import (
    SymbolicNumber,
    add,
    apply,
    call,
    intern,
    multiply,
    piecewise,
    post_order,
)
from diffkit.symbolic import (
    FAMILIES,
    BudgetError,
    defrule,
    diff,
    evaluate,
    gradient,
    hessian,
    jacobian,
    jvp,
    lambdify,
    size,
    vjp,
)

x, y, z = symbols("x y z", real=True)
p = Symbol("p", positive=True)
f, g = sympy.Function("f"), sympy.Function("g")
MODES = ["forward", "reverse"]


def numerical(expr, point, digits=30):
    """A derivative without rules: mpmath's difference quotients at high precision."""
    with mpmath.workdps(3 * digits):
        values = {s: mpmath.mpf(v.numerator) / v.denominator for s, v in point.items()}

        def at(t):
            return evaluate(expr, {**values, x: t}, precision=2 * digits)

        return mpmath.diff(at, values[x], h=mpmath.mpf(10) ** (-digits // 2), relative=False)


def assert_same_value(ours, theirs, point, digits=25):
    theirs = sympy.sympify(theirs).subs({s: sympy.Rational(v) for s, v in point.items()})
    with mpmath.workdps(40):
        expected = mpmath.mpf(sympy.N(theirs.doit(), 40)._to_mpmath(200))
        got = evaluate(ours, point, precision=digits + 5)
        assert abs(got - expected) <= mpmath.mpf(10) ** -digits * max(1, abs(expected)), (ours, got, expected)


# -- every function of the table ----------------------------------------------------------------------

AWAY = {"arccosh": "1.3", "acoth": "1.7", "asec": "1.7", "acsc": "1.7"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ELEMENTARY)
def test_every_line_of_the_table_agrees_with_differences(name, mode):
    line = ELEMENTARY[name]
    point = {x: Rational(AWAY.get(name, "0.37")), y: Rational("0.59")}
    arguments = [x, y][: len(line.arguments)]
    for k, argument in enumerate(arguments):
        if name == "polygamma" and k == 0:
            continue
        if name == "polygamma":
            arguments = [S(2), y]
        expr = apply(name, *arguments)
        ours = evaluate(diff(expr, argument, mode=mode), point, precision=30) if expr.has(argument) else 0
        swapped = expr.xreplace({x: y, y: x}) if argument is y else expr
        at = {x: point[argument], y: point[y if argument is x else x]}
        at = {s: sympy.Rational(v) for s, v in at.items()}
        expected = numerical(swapped, {s: mpmath_fraction(v) for s, v in at.items()})
        assert abs(ours - expected) < 1e-13 * max(1, abs(expected)), (name, k, ours, expected)


def mpmath_fraction(value):
    from fractions import Fraction

    return Fraction(int(value.p), int(value.q))


RULES = [
    x + y + z,
    x - 3 * y * x + 2,
    x * y * z * (x + 1),
    x**5,
    x ** Rational("0.7"),
    sympy.sqrt(x),
    1 / x,
    1 / sympy.sqrt(x),
    x**-3,
    2**x,
    x**x,
    (x + y) ** (x * y),
    sympy.exp(-(x**2)) / y,
    x * sympy.exp(-x) / (1 + y**2 * x) ** 2,
    sympy.log(x) * sympy.sin(x * y) - sympy.cos(x) / x,
    sympy.tan(x) + sympy.cot(x) + sympy.sec(x) + sympy.csc(x),
    sympy.asin(x / 2) + sympy.acos(x / 2) + sympy.atan(x) + sympy.acot(x),
    sympy.asec(x + 2) + sympy.acsc(x + 2) + sympy.acoth(x + 2),
    sympy.sinh(x) + sympy.cosh(x) + sympy.tanh(x) + sympy.coth(x) + sympy.sech(x) + sympy.csch(x),
    sympy.asinh(x) + sympy.acosh(x + 1) + sympy.atanh(x / 2),
    sympy.asech(x / 2) + sympy.acsch(x),
    sympy.erf(x) * sympy.erfc(x * y) + sympy.erfi(x / 3),
    sympy.erfinv(x / 3),
    sympy.gamma(x + 1) / sympy.loggamma(x + 3),
    sympy.digamma(x + 1) * sympy.polygamma(2, x + 1),
    sympy.atan2(y, x) + sympy.atan2(x, y * x),
    sympy.Abs(x - 2) * sympy.Abs(y * x),
    sympy.Max(x, y, x * y) + sympy.Min(x, 2 * y, z * x),
    sympy.Piecewise((x**2, x < S(1) / 4), (sympy.sin(x * y), x < 1), (y, True)),
    sympy.Sum(x ** Symbol("i") / sympy.factorial(3), (Symbol("i"), 1, 6)),
    sympy.Product(x + Symbol("i") * y, (Symbol("i"), 1, 5)),
    sympy.Product(x * Symbol("i") + Symbol("j"), (Symbol("i"), 1, 3), (Symbol("j"), 1, 2)),
    sympy.Sum(sympy.Product(x + Symbol("i") * Symbol("j"), (Symbol("i"), 1, 2)), (Symbol("j"), 1, 3)),
    sympy.Mod(x, y) * x,
    sympy.sqrt(x**2 + y**2) * sympy.floor(x + 3) * sympy.sign(x),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("expr", RULES, ids=str)
def test_every_rule_agrees_with_sympy(expr, mode):
    point = {x: Rational("0.61"), y: Rational("0.35"), z: Rational("1.9")}
    theirs = sympy.diff(expr, x)
    if theirs.has(sympy.Derivative):  # SymPy leaves floor, sign and Mod as they are: constants here
        theirs = theirs.replace(sympy.Derivative, lambda *_: S.Zero)
    if expr.has(sympy.Mod):
        theirs = sympy.diff((x - y * 1) * x, x)  # floor(0.61 / 0.35) is 1
    assert_same_value(diff(expr, x, mode=mode), theirs, point)


@pytest.mark.parametrize(
    "expr",
    [
        x**3 * y - 2 * x / y,
        sympy.sin(x) ** 2 * sympy.exp(x * y),
        p**p,
        sympy.log(p) / p,
        sympy.tanh(x * y) ** 3,
        sympy.Piecewise((x**2, x < 0), (sympy.sin(x), True)),
        f(x) * g(x * y),
        f(x, y) ** 2,
        sympy.Sum(sympy.sin(Symbol("i") * x), (Symbol("i"), 1, Symbol("n"))),
    ],
    ids=str,
)
def test_the_structure_is_sympy_s_after_simplification(expr):
    for symbol in (x, y, p):
        for mode in MODES:
            difference = diff(expr, symbol, mode=mode).doit() - sympy.diff(expr, symbol).doit()
            assert sympy.simplify(difference) == 0


def test_the_inverse_of_erfc_agrees_with_differences():
    d = evaluate(diff(sympy.erfcinv(x), x), {x: 0.3}, precision=20)
    assert abs(d - numerical(sympy.erfcinv(x), {x: mpmath_fraction(Rational(0.3))})) < 1e-13


# -- compositions -------------------------------------------------------------------------------------

UNARY = [
    sympy.sin, sympy.cos, sympy.exp, sympy.tanh, sympy.atan, sympy.asinh, sympy.erf,
    lambda e: sympy.log(2 + e**2), lambda e: sympy.sqrt(1 + e**2), lambda e: 1 / (2 + e**2),
]  # fmt: skip
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (2 + b**2),
    lambda a, b: (1 + a**2) ** (b / 3),
    sympy.atan2,
]


@st.composite
def expressions(draw, depth=3):
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from([x, y, S(2), S(1) / 3, S(-1)]))
    if draw(st.booleans()):
        return draw(st.sampled_from(UNARY))(draw(expressions(depth=depth - 1)))
    a, b = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    return draw(st.sampled_from(BINARY))(a, b)


@given(expressions(), st.sampled_from(MODES), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_compositions_agree_with_sympy(expr, mode, a, b):
    if expr.has(S.NaN, S.ComplexInfinity):
        return
    point = {x: S(a) / 23, y: S(b) / 31}
    ours = diff(expr, x, mode=mode)
    theirs = float(sympy.N(sympy.diff(expr, x).subs(point), 30))
    assert float(evaluate(ours, {s: float(v) for s, v in point.items()})) == pytest.approx(
        theirs, rel=1e-8, abs=1e-10
    )


# -- higher, mixed, several ---------------------------------------------------------------------------


def test_higher_and_mixed_derivatives():
    expr = sympy.exp(x * y) * sympy.sin(x + z)
    point = {x: Rational("0.3"), y: Rational("0.8"), z: Rational("1.1")}
    for mode in MODES:
        assert_same_value(diff(expr, x, 3, mode=mode), sympy.diff(expr, x, 3), point)
        assert_same_value(diff(expr, x, y, z, mode=mode), sympy.diff(expr, x, y, z), point)
        assert_same_value(diff(expr, (x, 2), y, mode=mode), sympy.diff(expr, (x, 2), y), point)
    assert diff(x**3, x, 4) == 0
    assert diff(expr, (x, 0)) == expr
    assert diff(sympy.gamma(p), p, 2).has(sympy.polygamma)
    assert_same_value(diff(sympy.gamma(p), p, 2), sympy.diff(sympy.gamma(p), p, 2), {p: Rational("1.7")})


def test_gradient_and_jacobian_and_hessian():
    expr = x**2 * y + sympy.sin(y * z)
    expected = [sympy.diff(expr, s) for s in (x, y, z)]
    for mode in MODES:
        for ours, theirs in zip(gradient(expr, [x, y, z], mode=mode), expected, strict=True):
            assert sympy.expand(ours - theirs) == 0
    outputs = [x * y, sympy.sin(x) / z]
    for mode in (None, *MODES):
        matrix = jacobian(outputs, [x, y, z], mode=mode)
        assert matrix.shape == (2, 3)
        assert (matrix - sympy.Matrix(outputs).jacobian([x, y, z])).applyfunc(sympy.simplify).is_zero_matrix
    for mode in MODES:
        ours = hessian(expr, [x, y, z], mode=mode)
        assert (ours - sympy.hessian(expr, [x, y, z])).applyfunc(sympy.expand).is_zero_matrix
    assert jacobian(sympy.Matrix([x * y]), [x]) == sympy.Matrix([[y]])


def test_products_of_many_factors_take_linear_work():
    n = 500
    xs = symbols(f"x1:{n + 1}")
    partials = gradient(sympy.Mul(*xs), xs)
    assert len(post_order(*partials)) <= 4 * n
    values = {s: 1 + k / (10 * n) for k, s in enumerate(xs)}
    whole = math.prod(values.values())
    for s, d in list(zip(xs, partials, strict=True))[::50]:
        assert evaluate(d, values) == pytest.approx(whole / values[s], rel=1e-12)


def test_matrices_are_differentiated_element_by_element():
    m = sympy.Matrix([[x * y, sympy.sin(x)], [1, x**2]])
    assert diff(m, x) == sympy.Matrix([[y, sympy.cos(x)], [0, 2 * x]])
    assert type(diff(sympy.ImmutableMatrix([[x]]), x)) is sympy.ImmutableDenseMatrix


def test_jvp_and_vjp():
    u, v, g1, g2 = symbols("u v g1 g2")
    outputs = [sympy.sin(x * y), x * y + sympy.log(y)]
    true = sympy.Matrix(outputs).jacobian([x, y])
    forward = sympy.Matrix(jvp(outputs, [x, y], [u, v]))
    reverse = sympy.Matrix(vjp(outputs, [x, y], [g1, g2]))
    assert (forward - true * sympy.Matrix([u, v])).applyfunc(sympy.expand).is_zero_matrix
    assert (reverse - true.T * sympy.Matrix([g1, g2])).applyfunc(sympy.expand).is_zero_matrix


def test_a_seed_stands_for_the_tangent():
    t = Symbol("t")
    for mode in MODES:
        assert sympy.expand(diff(x**2 * y, x, mode=mode, seed=t) - 2 * x * y * t) == 0
    assert diff(x, x, seed=t) == t
    assert diff(SymbolicNumber(x) ** 2, x, seed=0.5) == sympy.Mul(S.Half, 2 * x, evaluate=False)


def test_the_operations_are_the_rows_of_a_trace_and_its_tangents():
    t = Symbol("t")
    for n in (2, 3, 10, 50):  # three rows a level, and five for its tangent
        f_n = FAMILIES["logistic map"].expression(n)
        assert size([f_n, diff(f_n, Symbol("x"), seed=t)]).operations == 8 * (n - 1)
    x1, x2, t1, t2 = symbols("x1 x2 t1 t2")
    shared = multiply(x1, x2)
    outputs = [call("sin", shared), add(shared, call("log", x2))]
    # rows: x1*x2, sin, log, +; tangents: 2 products and a sum, cos and a product, a division, a sum
    assert size([*outputs, *jvp(outputs, [x1, x2], [t1, t2])]).operations == 4 + 3 + 2 + 1 + 1


# -- conventions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "at", "expected"),
    [
        (sympy.Abs(x), 0, 0),
        (sympy.Max(x, 0), 0, S.Half),
        (sympy.Min(x, 0), 0, S.Half),
        (sympy.Max(x, 2 * x, 0), 0, 1),  # of the three slopes 0, 1, 2, shares 1/4, 1/4, 1/2 or so
        (sympy.sign(x), 0, 0),
        (sympy.floor(x), 1, 0),
        (sympy.Heaviside(x), 0, 0),
        (sympy.Piecewise((x**2, x < 1), (3 * x, True)), 1, 3),
        (sympy.Max(x, 0), 2, 1),
        (sympy.Min(x, 0), 2, 0),
    ],
    ids=str,
)
def test_conventions_where_there_is_no_derivative(expr, at, expected):
    for mode in MODES:
        value = evaluate(diff(expr, x, mode=mode), {x: at}, exact=True)
        if len(expr.args) == 3 and expr.func is sympy.Max:
            assert 0 <= value <= 2  # a subgradient
        else:
            assert value == expected


def test_comparisons_from_either_side():
    for a, b in ((1, 2), (2, 1)):
        at = {x: a, y: b}
        assert evaluate(gradient(sympy.Max(x, y), [x, y]), at, exact=True) == [a > b, b > a]
        assert evaluate(gradient(sympy.Min(x, y), [x, y]), at, exact=True) == [a < b, b < a]
    assert evaluate(diff(sympy.Mod(x, y), y), {x: 7, y: 2}, exact=True) == -3


def test_a_sum_over_indexed_symbols():
    a = sympy.IndexedBase("a")
    i, k, n = symbols("i k n", integer=True)
    expr = sympy.Sum(a[i] ** 2, (i, 1, 4))
    assert diff(expr, a[k]).doit().subs(k, 3).doit() == 2 * a[3]
    assert diff(a[1] * a[2], a[1]) == a[2]
    assert diff(expr, i) == 0
    with pytest.raises(NoRuleError, match="limit of the Sum over i depends"):
        diff(sympy.Sum(i, (i, 1, n)), n)


def test_a_bound_index_is_not_the_variable():
    i = Symbol("i")
    inner = sympy.Sum(i * x, (i, 1, 3))
    assert diff(inner + i**2, i) == 2 * i
    assert diff(inner * i, i).doit() == 6 * x


def test_products_are_differentiated_where_a_factor_is_zero():
    i = Symbol("i", integer=True)
    d = diff(sympy.Product(x - i, (i, 1, 3)), x)
    assert evaluate(d, {x: 2}, exact=True) == -1


def test_derivatives_of_undefined_functions_stay_formal():
    second = diff(diff(f(x), x), x)
    assert second == sympy.Derivative(f(x), (x, 2))
    chain = diff(f(x**2), x, 2)
    assert sympy.simplify(chain.doit() - sympy.diff(f(x**2), x, 2).doit()) == 0
    assert diff(f(x) ** 2 * f(x).diff(x), f(x)) == sympy.Mul(2 * f(x), f(x).diff(x), evaluate=False)


# -- the user's own rules -----------------------------------------------------------------------------


class softplus(sympy.Function):
    nargs = 1


class blend(sympy.Function):
    nargs = 2


def test_a_registered_rule_is_used():
    with pytest.raises(NoRuleError, match=r"no rule for the derivative of softplus; define one with"):
        diff(softplus(x), x)
    defrule(softplus, "1 / (1 + exp(-x))")

    got = evaluate(diff(softplus(2 * x), x), {x: 0.0})
    assert got == 1.0
    defrule(blend, lambda ans, a, b: b, None)
    assert diff(blend(x, y), x) == y
    with pytest.raises(NoRuleError, match="argument number 2"):
        diff(blend(x, y), y)
    defrule(sympy.Function("h"), "ans")
    assert diff(sympy.Function("h")(3 * x), x) == 3 * sympy.Function("h")(3 * x)


def test_bad_rules_are_refused():
    with pytest.raises(InputError, match="class to define a rule for"):
        defrule("sin", "cos(x)")
    with pytest.raises(InputError, match="one partial derivative per argument"):
        defrule(softplus)
    with pytest.raises(InputError, match="is not an expression"):
        defrule(softplus, "1 +")


# -- bad input ----------------------------------------------------------------------------------------


def test_a_symbol_that_does_not_occur_gives_zero():
    for mode in MODES:
        assert diff(sympy.sin(x), Symbol("q"), mode=mode) == 0
        assert diff(7, x, mode=mode) == 0


@pytest.mark.parametrize(
    ("call_", "message"),
    [
        (lambda: diff("x**2", x), "text is not evaluated"),
        (lambda: diff(x**2, "x"), r"got the text 'x'; write Symbol\('x'\)"),
        (lambda: diff(x**2, x**2), "put a symbol u in its place"),
        (lambda: diff(x**2, 2), "expected a symbol before the order"),
        (lambda: diff(x**2), "expected the symbol to differentiate by"),
        (lambda: diff(x**2, x, -1), "at least 0, got -1"),
        (lambda: diff(x > 0, x), "got the condition x > 0; differentiate its sides"),
        (lambda: diff(sympy.And(x > 0, y > 0), x), "got the condition"),
        (lambda: diff(x, x, mode="sideways"), "mode='forward' or mode='reverse', got 'sideways'"),
        (lambda: gradient(x * y, x), r"expected a list of symbols, got x; write \[x\]"),
        (lambda: gradient(x * y, [x, x]), "expected different symbols"),
        (lambda: gradient(x * y, {x, y}), r"expected symbols in an order, as in \[x, y\]"),
        (lambda: hessian(x * y, 3), "expected symbols in an order"),
        (lambda: diff([x, x**2], x), r"got 2 of them; use jacobian"),
        (lambda: jacobian(x * y, [x]), "expected a list of expressions"),
        (lambda: jvp([x], [x], [1, 2]), "one tangent for each"),
        (lambda: vjp([x], [x], []), "one cotangent for each"),
        (lambda: jvp(x * y, [x], [1]), r"expected a list of expressions, got x\*y; write \[x\*y\]"),
        (lambda: vjp([x], [x], 2), r"expected a list of tangents or cotangents, got 2; write \[2\]"),
        (lambda: diff(sympy.Abs(Symbol("c", imaginary=True) * x), x), "declared not real"),
    ],
)
def test_bad_input_is_answered_clearly(call_, message):
    with pytest.raises(InputError, match=message):
        call_()


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sympy.riemann_xi(x), "no rule for the derivative of riemann_xi; define one"),
        (sympy.dirichlet_eta(x + 1), r"no rule for the derivative of dirichlet_eta; define one"),
    ],
)
def test_what_has_no_rule_is_named(expr, message):
    with pytest.raises(NoRuleError, match=message):
        diff(expr, Symbol("x", real=True))


def test_simplification_is_a_separate_step_with_a_budget():
    expr = sympy.sin(x) ** 2 + sympy.cos(x) ** 2
    assert diff(expr, x) != 0
    assert diff(expr, x, simplify=True) == 0
    assert diff((x + 1) ** 3, x, simplify=sympy.expand) == 3 * x**2 + 6 * x + 3
    threads = threading.active_count()
    with pytest.raises(BudgetError, match="simplifying the derivative by"):
        diff(FAMILIES["logistic map"].expression(14), x.func("x"), simplify=True, seconds=0.3)
    with pytest.raises(BudgetError, match="simplifying the derivative by"):
        diff(expr, x, simplify=lambda e: sum(1 for _ in iter(int, 1)), seconds=0.1)
    assert threading.active_count() == threads  # what did not finish was stopped


# -- matrices -----------------------------------------------------------------------------------------

A = sympy.MatrixSymbol("A", 2, 2)


@pytest.mark.parametrize("mode", MODES)
def test_elements_of_a_matrix_are_variables(mode):
    determinant = A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
    assert gradient(determinant, list(A), mode=mode) == [A[1, 1], -A[1, 0], -A[0, 1], A[0, 0]]
    wave = diff(sympy.sin(A[0, 1] * x) + A[0, 0], A[0, 1], mode=mode)
    assert sympy.simplify(wave - x * sympy.cos(A[0, 1] * x)) == 0
    assert sympy.simplify(diff((A * A)[0, 1], A[0, 1], mode=mode) - A[0, 0] - A[1, 1]) == 0
    assert diff(A[1, 0], A[0, 1], mode=mode) == 0
    signs = hessian(determinant, list(A))
    assert signs == sympy.Matrix([[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sympy.Trace(A), "Trace is a matrix expression"),
        (x * sympy.Determinant(A) + A[0, 1], "Determinant is a matrix expression"),
    ],
)
def test_a_function_of_a_whole_matrix_is_not_taken_for_a_constant(expr, message):
    with pytest.raises(NoRuleError, match=message):
        diff(expr, A[0, 0])


def test_an_element_in_a_row_without_a_number_is_the_variable_where_the_row_is():
    i = sympy.Symbol("i", integer=True)
    found = diff(A[i, 0] ** 2, A[0, 0])
    assert sympy.simplify(found - 2 * A[i, 0] * sympy.KroneckerDelta(i, 0)) == 0


def test_matrix_expressions_by_a_scalar_are_those_that_are_written_out():
    assert diff(x * A, x) == A
    written = diff((x**2 * A).as_explicit(), x)
    assert sympy.simplify(written - 2 * x * A.as_explicit()) == sympy.zeros(2, 2)
    assert diff(x**2, A) == sympy.ZeroMatrix(2, 2)


# -- depth --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["logistic map", "soft ReLU", "f sin f"])
def test_ten_thousand_levels(name, mode, is_linear):
    family = FAMILIES[name]
    expr = family.expression(10_000)
    (symbol,) = family.variables(10_000)
    derivative = diff(expr, symbol, mode=mode)
    assert len(post_order(derivative)) < 11 * 10_000
    assert hash(derivative) == derivative._mhash
    assert is_linear(lambda n: diff(family.expression(n), symbol, mode=mode), 500)


def test_deep_and_wide_conditions():
    deep = intern(x)
    for _ in range(2000):
        deep = piecewise((call("sin", deep), call(sympy.StrictGreaterThan, deep, 0)), (deep, True))
    assert len(post_order(diff(deep, x))) < 40 * 2000
    pieces = [(x * k, x < k) for k in range(1, 400)]
    wide = piecewise(*pieces, (x, True))
    for mode in MODES:
        d = diff(wide, x, mode=mode)
        assert len(post_order(d)) < 8000
        assert evaluate(d, {x: 250.5}) == 251


def test_the_answer_does_not_depend_on_what_was_built_before():
    random.seed(5)
    first = diff(sympy.sin(x) * sympy.exp(x * y), x)
    for _ in range(50):
        multiply(random.random(), call("sin", random.random()))
    assert diff(sympy.sin(x) * sympy.exp(x * y), x) is first


# -- functions with a rule of their own ---------------------------------------------------------------

RULED = [
    sympy.sinc(x**2),
    sympy.factorial(x),
    sympy.LambertW(2 * x),
    sympy.besselj(2, x**2),
    sympy.bessely(1, x),
    sympy.besseli(3, x),
    sympy.besselk(sympy.Rational(1, 3), x),
]


@pytest.mark.parametrize("expr", RULED, ids=str)
@pytest.mark.parametrize("value", ["3/10", "17/10"])
def test_special_functions_have_the_derivatives_that_mpmath_finds(expr, value):
    at = sympy.Rational(value)
    function = sympy.lambdify(x, expr, "mpmath")
    first, second = diff(expr, x), diff(expr, x, 2)
    with mpmath.workdps(40):
        expected = mpmath.diff(function, mpmath.mpf(at.p) / at.q)
    assert abs(evaluate(first, {x: at}, precision=20) - expected) < 1e-18 * abs(expected)
    assert evaluate(first, {x: float(at)}) == pytest.approx(float(expected), rel=1e-11)
    assert lambdify([x], first)(float(at)) == pytest.approx(float(expected), rel=1e-11)
    theirs = float(sympy.N(sympy.diff(expr, x, 2).subs(x, at), 30))
    assert evaluate(second, {x: at}, precision=20) == pytest.approx(theirs, rel=1e-14)


def test_sinc_is_smooth_at_zero():
    derivative = diff(sympy.sinc(x), x)
    assert evaluate(derivative, {x: 0.0}) == lambdify([x], derivative)(0.0) == 0
    assert lambdify([x], derivative)(np.array([0.0, np.pi])) == pytest.approx([0, -1 / np.pi])


def test_real_and_imaginary_part_are_those_of_real_numbers():
    plain = Symbol("u")
    parts = [sympy.re(plain), sympy.im(plain), sympy.conjugate(plain)]
    for mode in ("forward", "reverse"):
        assert [diff(p, plain, mode=mode) for p in parts] == [1, 0, 1]
    assert evaluate(parts, {plain: 2.0}) == lambdify([plain], parts)(2.0) == [2, 0, 2]
    imaginary = Symbol("v", imaginary=True)
    with pytest.raises(InputError, match="conjugate is that for real numbers"):
        diff(sympy.conjugate(imaginary + plain, evaluate=False), plain)


def test_what_a_special_function_is_not_differentiated_by():
    with pytest.raises(NoRuleError, match="besselj has no rule for the derivative by its argument number 1"):
        diff(sympy.besselj(x, y), x)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [sympy.Matrix, sympy.ImmutableMatrix, sympy.Array], ids=lambda k: k.__name__)
@pytest.mark.parametrize(
    "entries",
    [[x**3, 5], [5, x**3], [x, x**2, x**3, x**4], [sympy.sin(x), y, x * y], [5, y], [x**2 * y, sympy.exp(y)]],
    ids=str,
)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_higher_derivatives_of_several_of_which_some_vanish(mode, kind, entries, order):
    ours = diff(kind(entries), x, order, mode=mode)
    assert ours.shape == kind(entries).shape
    for one, entry in zip(sympy.flatten(ours), entries, strict=True):
        assert sympy.expand(sympy.sympify(one) - sympy.diff(entry, x, order)) == 0
    turns = [x] * (order - 1) + [y]
    for one, entry in zip(sympy.flatten(diff(kind(entries), *turns, mode=mode)), entries, strict=True):
        assert sympy.expand(sympy.sympify(one) - sympy.diff(entry, *turns)) == 0
