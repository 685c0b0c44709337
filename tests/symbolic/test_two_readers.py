"""Both readers of a line of the table say the same, at its singular points too.

Symbolic differentiation reads the line as an expression, and tracing reads it as a NumPy function; the values
of the one, by ``evaluate`` and by ``lambdify``, are held against those of the other.
"""

import itertools

import numpy as np
import pytest
import sympy
from sympy import Eq, Piecewise, S, Sum, symbols

import diffkit as dk
from diffkit.calculus import ELEMENTARY, SPECIAL
from diffkit.expressions import apply, has_expression
from diffkit.symbolic import diff, evaluate, gradient, hessian, lambdify

LINES = [line for line in (*ELEMENTARY.values(), *SPECIAL.values()) if line.numpy and has_expression(line)]
POINTS = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
x, y = symbols("x y", real=True)
MODES = ["forward", "reverse"]


# SymPy writes these by other functions, whose lines are what is read: where those have derivatives.
WRITTEN_OTHERWISE = {
    "cbrt": lambda x: x > 0,
    "copysign": lambda x, y: y != 0,
    "logit": lambda x: 0 < x < 1,
    "entr": lambda x: x > 0,
    "rel_entr": lambda x, y: x > 0 and y > 0,
    "kl_div": lambda x, y: x > 0 and y > 0,
    "xlogy": lambda x, y: y > 0,
    "xlog1py": lambda x, y: y > -1,
    "zeta": lambda s, x: x > 0,
    "ellipk": lambda m: m < 1 and m != 0,  # a removable pole of the line itself, for both readers
    "ellipe": lambda m: m < 1 and m != 0,
    "beta": lambda a, b: a > 0 and b > 0,
}


def function_of(name):
    if hasattr(np, name):
        return getattr(np, name)
    pytest.importorskip("scipy.special")
    import diffkit.scipy.special as special

    return getattr(special, name)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_readers_of_a_line_agree_at_its_singular_points(line):
    function = function_of(line.name)
    letters = symbols(f"x1:{len(line.arguments) + 1}", real=True)
    live = [k for k, text in enumerate(line.partials) if text]
    expr = apply(line.name, *letters)
    slopes = gradient(expr, [letters[k] for k in live])
    program = lambdify(list(letters), slopes)
    traced = dk.grad(lambda *args: function(*args), argnum=tuple(live))
    for point in itertools.product(POINTS, repeat=len(letters)):
        if 0 not in live and (point[0] != int(point[0]) or point[0] < 1):  # an order or a degree
            continue
        if not WRITTEN_OTHERWISE.get(line.name, lambda *_: True)(*point):
            continue
        values = dict(zip(letters, point, strict=True))
        with np.errstate(all="ignore"):
            theirs = [float(v) for v in traced(*map(np.float64, point))]
        ours = evaluate(slopes, values)
        for got in (ours, program(*point)):
            for mine, other in zip(got, theirs, strict=True):
                same = mine == pytest.approx(other, rel=1e-9, abs=1e-12, nan_ok=True)
                assert same, (line.name, point, got, theirs)


# -- conventions ------------------------------------------------------------------------------------------

SINC = Piecewise((1, Eq(x, 0)), (sympy.sin(x) / x, True))


@pytest.mark.parametrize("mode", MODES)
def test_powers_at_zero(mode):
    slopes = gradient(x**y, [x, y], mode=mode)
    assert list(map(str, slopes)) == ["x**(y - 1)*y", "x**y*log(x)"]  # written as in a book
    for point in ((0.0, 2.0), (0.0, 0.0), (0.0, 1.0), (-2.0, 3.0), (2.0, 0.0)):
        traced = dk.grad(lambda u, v: u**v, argnum=(0, 1))(*point)
        for got in (
            evaluate(slopes, dict(zip((x, y), point, strict=True))),
            lambdify([x, y], slopes)(*point),
        ):
            assert got == pytest.approx(list(traced), nan_ok=True)
    arrays = lambdify([x, y], slopes)(np.array([0.0, 0.0, 2.0]), np.array([2.0, 0.0, 3.0]))
    assert arrays[0] == pytest.approx([0, 0, 12])
    assert arrays[1] == pytest.approx([0, 0, 8 * np.log(2)])
    assert evaluate(gradient(x**y, [x]), {x: 0, y: 0}, exact=True) == [0]


@pytest.mark.parametrize("mode", MODES)
def test_a_polynomial_as_a_sum_has_its_derivatives_at_zero(mode):
    k = symbols("k", integer=True)
    n = symbols("n", integer=True, nonnegative=True)
    for low, factor in ((0, k + 1), (1, k), (n, 1)):
        expr = Sum(factor * x**k, (k, low, 3 + low))
        for order in (1, 2, 3):
            expected = sympy.diff(expr.doit(), x, order).subs({n: 0, x: 0}).doit() if low != n else None
            derivative = diff(expr, x, order, mode=mode)
            if expected is None:
                expected = sympy.factorial(order)
                derivative = derivative.subs(n, 0)
            assert derivative.subs(x, 0).doit() == expected
            assert evaluate(derivative, {x: 0.0}) == lambdify([x], derivative)(0.0) == float(expected)
    assert str(diff(Sum(x**k, (k, 1, n)), x, mode=mode)) == "Sum(k*x**(k - 1), (k, 1, n))"  # k is never 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("expr", "at", "order", "expected"),
    [
        (sympy.sinc(x), 0, 2, -S(1) / 3),
        (sympy.sinc(x), 0, 3, 0),
        (sympy.sinc(x), 0, 4, S(1) / 5),
        (sympy.sinc(2 * x + 1), -S(1) / 2, 2, -S(4) / 3),
        (SINC, 0, 1, 0),
        (SINC, 0, 2, -S(1) / 3),
        (SINC**2 * x, 0, 1, 1),
        (Piecewise((4, Eq(x, 2)), (x**2, True)), 2, 1, 4),
        (Piecewise((4, Eq(2, x)), (x**2, x < 3), (9, True)), 2, 1, 4),
        (Piecewise((0, Eq(x, 0)), (x**2 * sympy.sin(1 / x), True)), 0, 1, 0),
        (Piecewise((0, Eq(x, 0)), (sympy.exp(-1 / x**2), True)), 0, 1, 0),
        (Piecewise((5, Eq(x, 2)), (x**2, True)), 2, 1, 0),  # it jumps: the convention for jumps
        (Piecewise((0, Eq(x, 0)), (sympy.Abs(x), True)), 0, 1, S.NaN),  # a kink
        (Piecewise((x, Eq(y, 0)), (sympy.sin(x * y) / y, True)), 3, 1, None),
    ],
    ids=str,
)
def test_an_isolated_point_has_the_slope_of_what_is_around_it(expr, at, order, expected, mode):
    derivative = diff(expr, x, order, mode=mode)
    if expected is None:
        assert evaluate(derivative, {x: at, y: 0.0}) == 1
    else:
        values = [evaluate(derivative, {x: float(at)}), lambdify([x], derivative)(float(at))]
        assert values == pytest.approx([float(expected)] * 2, nan_ok=True)


@pytest.mark.parametrize("mode", MODES)
def test_isolated_lines_of_functions_of_two_variables(mode):
    expr = Piecewise((1, Eq(x, 0)), (sympy.sin(x * y) / (x * y), True))
    at = {x: 0.0, y: 2.0}
    assert [evaluate(slope, at) for slope in gradient(expr, [x, y], mode=mode)] == [0, 0]
    second = hessian(expr, [x, y], mode=mode)
    assert [evaluate(e, at) for e in second] == pytest.approx([-4 / 3, 0, 0, 0])
    apart = {x: 0.3, y: 2.0}
    for mine, theirs in zip(second, sympy.hessian(sympy.sin(x * y) / (x * y), [x, y]), strict=True):
        assert evaluate(mine, apart) == pytest.approx(float(theirs.subs(apart)))
