"""Leibniz' rule and the fundamental theorem, against quadrature, SymPy and closed forms."""

import mpmath
import pytest
import sympy
from sympy import Integral, Sum, oo, symbols

from diffkit.errors import NoRuleError
from diffkit.symbolic import diff, gradient, steps

x, y, t = symbols("x y t", real=True)
f = sympy.Function("f")
MODES = ["forward", "reverse"]

INTEGRALS = [
    Integral(sympy.sin(x * t), (t, 0, x**2)),
    Integral(sympy.exp(-(t**2)), (t, 0, x)),
    Integral(sympy.log(t + x), (t, sympy.cos(x) + 2, 3 + x)) * x,
    Integral(t**2 * y, (t, 1, x)) ** 2 * x,
    Integral(x * t * y, (t, 0, y), (y, 0, x)),
    Integral(t * x, (x, 0, x)),
    Integral(sympy.exp(-t * x), (t, 0, oo)),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("expr", INTEGRALS, ids=str)
def test_the_derivative_is_that_of_the_value(expr, mode):
    point = {y: sympy.Rational(13, 10), t: sympy.Rational(7, 10)}
    value = sympy.lambdify(x, expr.doit().subs(point), "mpmath")
    ours = diff(expr, x, mode=mode).doit().subs(point)
    at = sympy.Rational(9, 10)
    assert abs(sympy.N(ours.subs(x, at), 30) - mpmath.diff(value, mpmath.mpf("0.9"))) < 1e-9


@pytest.mark.parametrize("mode", MODES)
def test_the_end_of_an_integral_is_not_put_into_what_is_bound(mode):
    """SymPy's own rule, and its value, put the end x into the Sum over x."""
    assert diff(Integral(Sum(x * t, (x, 1, 3)), (t, 0, x)), x, mode=mode).doit() == 6 * x


@pytest.mark.parametrize("mode", MODES)
def test_the_fundamental_theorem(mode):
    assert diff(Integral(f(x), x), x, mode=mode) == f(x)
    assert diff(Integral(f(y), (y, x)), x, mode=mode) == f(x)
    assert diff(Integral(f(t), (t, x, 2 * x)), x, mode=mode) == 2 * f(2 * x) - f(x)
    assert diff(Integral(f(x, y), x), y, mode=mode) == Integral(f(x, y).diff(y), x)
    assert diff(Integral(x * y, x, y), x, mode=mode) == Integral(x * y, y)
    assert diff(Integral(t * x, (t, 0, 1)), t, mode=mode) == 0
    assert gradient(Integral(t, (t, x, y)), [x, y], mode=mode) == [-x, y]


@pytest.mark.parametrize("mode", MODES)
def test_where_the_integrand_is_infinite_at_a_moving_end_there_is_no_rule(mode):
    with pytest.raises(NoRuleError, match=r"has no value at the end t = x, where Leibniz' rule takes it"):
        diff(Integral(1 / sympy.sqrt(x - t), (t, 0, x)), x, mode=mode)


def test_the_steps_name_the_rule_and_can_be_checked():
    derivation = steps(Integral(sympy.sin(x * t), (t, 0, x**2)), x)
    assert derivation.check()
    assert [step.before for step in derivation][1:3] == [sympy.sin(t * x), t * x]
