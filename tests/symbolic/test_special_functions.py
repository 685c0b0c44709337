"""The special functions of the handbooks, at random points, against differences of sixty digits."""

import math
import random

import numpy as np
import pytest
import sympy
from sympy import S, symbols
from sympy.functions.special.mathieu_functions import mathieuc, mathieucprime, mathieus, mathieusprime

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import call, intern
from diffkit.symbolic import diff, evaluate, lambdify

x = symbols("x", real=True)
n = symbols("n", integer=True)  # a degree, 4 where a number is needed
a, b, c = S(13) / 10, S(7) / 4, S(2) / 3
UNIT, POSITIVE, ANY = (0.1, 0.9), (0.3, 4.0), (-2.0, 2.0)

FUNCTIONS = [
    # exponential, logarithmic and trigonometric integrals, and the error functions
    *[(head(x), POSITIVE) for head in (sympy.Ei, sympy.Si, sympy.Ci, sympy.Shi, sympy.Chi)],
    *[(head(x), (1.5, 4.0)) for head in (sympy.li, sympy.Li)],
    *[(sympy.expint(nu, x), POSITIVE) for nu in (1, 2, a)],
    *[(head(x), ANY) for head in (sympy.fresnels, sympy.fresnelc, sympy.erfi, sympy.erf, sympy.erfc)],
    (sympy.erfinv(x), UNIT),
    # gamma and beta
    *[(sympy.lowergamma(a, x), POSITIVE), (sympy.uppergamma(a, x), POSITIVE)],
    *[(sympy.lowergamma(x, b), POSITIVE), (sympy.uppergamma(x, b), POSITIVE)],
    *[(sympy.beta(x, b), POSITIVE), (sympy.beta(a, x), POSITIVE), (sympy.beta(x, x), POSITIVE)],
    *[(sympy.betainc(a, b, 0, x), UNIT), (sympy.betainc(a, b, x, S(19) / 20), UNIT)],
    *[(sympy.betainc_regularized(a, b, 0, x), UNIT), (sympy.binomial(x + 3, a), POSITIVE)],
    *[(sympy.gamma(x), POSITIVE), (sympy.loggamma(x), POSITIVE), (sympy.polygamma(1, x), POSITIVE)],
    *[(sympy.rf(x, a), POSITIVE), (sympy.rf(b, x), POSITIVE), (sympy.ff(x + 3, a), POSITIVE)],
    *[(sympy.ff(S(7), x), POSITIVE), (sympy.binomial(7, x), POSITIVE), (sympy.catalan(x), POSITIVE)],
    *[(sympy.harmonic(x), POSITIVE), (sympy.factorial(x), POSITIVE), (sympy.LambertW(x), POSITIVE)],
    (sympy.LambertW(x, -1), (-0.3, -0.1)),
    # zeta
    *[(sympy.zeta(b, x), POSITIVE), (sympy.polylog(b, x), UNIT)],
    *[(sympy.lerchphi(x, b, a), UNIT), (sympy.lerchphi(S(1) / 3, b, x), POSITIVE)],
    # Airy and Bessel
    *[(head(x), ANY) for head in (sympy.airyai, sympy.airybi, sympy.airyaiprime, sympy.airybiprime)],
    *[
        (head(nu, x), POSITIVE)
        for head in (sympy.besselj, sympy.bessely, sympy.besseli, sympy.besselk, sympy.hankel1, sympy.hankel2)
        for nu in (0, a)
    ],
    *[(head(2, x), POSITIVE) for head in (sympy.jn, sympy.yn, sympy.hn1, sympy.hn2)],
    # elliptic integrals
    *[(sympy.elliptic_k(x), UNIT), (sympy.elliptic_e(x), UNIT), (sympy.elliptic_e(x, c), UNIT)],
    *[(sympy.elliptic_e(a, x), UNIT), (sympy.elliptic_f(x, c), UNIT), (sympy.elliptic_f(a, x), UNIT)],
    *[(sympy.elliptic_pi(S(1) / 5, x), UNIT), (sympy.elliptic_pi(x, S(1) / 5), UNIT)],
    *[(sympy.elliptic_pi(S(1) / 5, x, c), UNIT), (sympy.elliptic_pi(x, S(1), c), UNIT)],
    # orthogonal polynomials, of a degree that is no integer too
    *[(head(a, x), UNIT) for head in (sympy.legendre, sympy.chebyshevt, sympy.chebyshevu, sympy.hermite)],
    *[
        (head(n, x), UNIT)
        for head in (
            *(sympy.legendre, sympy.chebyshevt, sympy.chebyshevu, sympy.hermite, sympy.laguerre),
            sympy.hermite_prob,
        )
    ],
    (sympy.assoc_laguerre(n, a, x), UNIT),
    (sympy.assoc_legendre(n, 2, x), UNIT),
    (sympy.gegenbauer(n, a, x), UNIT),
    (sympy.jacobi(n, a, c, x), UNIT),
    # hypergeometric and Mathieu
    *[(sympy.hyper([a, b], [c], x), (0.1, 0.6)), (sympy.hyper([], [c], x), ANY)],
    (sympy.meijerg([[], []], [[0], [a]], x), POSITIVE),
    # kinks and steps
    *[(sympy.frac(x), POSITIVE), (sympy.arg(x), POSITIVE)],
]


@pytest.mark.parametrize(
    ("expr", "between"), FUNCTIONS, ids=lambda v: str(v) if isinstance(v, S.One.__class__) else None
)
def test_the_derivative_is_that_of_differences(expr, between):
    random_ = random.Random(str(expr))
    low, high = between
    step = S(10) ** -20
    for _ in range(2):
        at = sympy.Rational(round(random_.uniform(low, high), 4)).limit_denominator(10_000)
        left, right = (sympy.N(expr.subs({n: 4, x: at + s}), 65) for s in (-step, step))
        expected = (right - left) / (2 * step)
        for mode in ("forward", "reverse"):
            got = sympy.N(diff(expr, x, mode=mode).subs({n: 4, x: at}), 40)
            assert abs(got - expected) <= 1e-25 * max(1, abs(expected)), (at, got, expected)


def test_over_fifty_heads_are_covered():
    assert len({type(expr) for expr, _ in FUNCTIONS}) > 50


def test_the_chain_rule_goes_through_them():
    y = symbols("y")
    expr = sympy.airyai(x * y) * sympy.jn(2, sympy.sin(x) + 2) + sympy.polylog(2, x / 7) ** 2
    for variable in (x, y):
        difference = (diff(expr, variable) - sympy.diff(expr, variable)).subs({x: S(3) / 10, y: S(9) / 10})
        assert abs(sympy.N(difference, 30)) < 1e-25


class Softplus(sympy.Function):
    """A user's function, as SymPy's guide tells one to write it."""

    nargs = 1

    def fdiff(self, argindex=1):
        return 1 / (1 + sympy.exp(-self.args[0]))


class Blend(sympy.Function):
    def fdiff(self, argindex=1):
        _, _, w = self.args
        if argindex == 3:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return {1: w, 2: 1 - w}[argindex]


def _slope_of_iterates(count, at):
    slope = 1.0
    for _ in range(count):
        slope /= 1 + math.exp(-at)
        at = math.log1p(math.exp(at))
    return slope


def test_a_users_function_may_say_itself_what_its_derivative_is():
    y = symbols("y")
    assert evaluate(diff(Softplus(2 * x), x), {x: 0.0}) == 1
    assert sympy.expand(diff(Blend(x**2, x, y), x) - (2 * x * y + 1 - y)) == 0
    deep = intern(x)
    for _ in range(3000):
        deep = call(Softplus, deep)
    softplus = {"Softplus": lambda u: np.log1p(np.exp(u))}
    assert evaluate(diff(deep, x), {x: 1.0}, functions=softplus) == pytest.approx(
        _slope_of_iterates(3000, 1.0)
    )
    with pytest.raises(NoRuleError, match="Blend has no rule for the derivative by its argument number 3"):
        diff(Blend(x, y, x), x)


@pytest.mark.parametrize(
    ("expr", "number"),
    [
        (sympy.besselj(x, 2), 1),
        (sympy.zeta(x), 1),
        (sympy.polylog(x, S(1) / 2), 1),
        (sympy.hyper([x], [b], c), 1),
        (mathieuc(x, 1, 2), 1),
        (mathieus(1, x, 2), 2),
        (sympy.legendre(x, c), 1),
    ],
    ids=str,
)
def test_by_a_parameter_without_a_closed_form_there_is_no_rule(expr, number):
    with pytest.raises(NoRuleError, match=rf"has no rule for the derivative by its argument number {number}"):
        diff(expr, x)


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        (sympy.erf2(x, b), sympy.erf(b) - sympy.erf(x)),
        (sympy.erf2(a, x), sympy.erf(x) - sympy.erf(a)),
        (sympy.erf2inv(x, S(1) / 50), sympy.erfinv(S(1) / 50 + sympy.erf(x))),
        (sympy.erf2inv(S(1) / 5, x), sympy.erfinv(x + sympy.erf(S(1) / 5))),
    ],
    ids=str,
)
def test_what_sympy_does_not_evaluate_is_compared_in_other_words(expr, same):
    at = S(3) / 10
    ours = diff(expr, x).replace(sympy.erf2inv, lambda u, v: sympy.erfinv(v + sympy.erf(u)))
    assert abs(sympy.N((ours - sympy.diff(same, x)).subs(x, at), 40)) < 1e-30


def test_mathieu_functions_satisfy_their_equation():
    m, q = symbols("m q")
    for function, prime in ((mathieuc, mathieucprime), (mathieus, mathieusprime)):
        assert diff(function(m, q, x), x) == prime(m, q, x)
        assert (
            sympy.expand(diff(function(m, q, x), x, 2) + (m - 2 * q * sympy.cos(2 * x)) * function(m, q, x))
            == 0
        )


def test_special_functions_ask_for_real_numbers_where_they_have_to():
    z = symbols("z", complex=True)
    for head in (sympy.frac, sympy.arg):
        with pytest.raises(InputError, match="declared not real"):
            diff(head(z), z)
    assert diff(sympy.airyai(z), z) == sympy.airyaiprime(z)


@pytest.mark.parametrize(
    "expr", [sympy.Ei(x), sympy.jn(1, x), sympy.elliptic_k(x / 5), sympy.legendre(a, x / 5)], ids=str
)
def test_they_have_values_in_programs(expr):
    pytest.importorskip("scipy")
    derivative = diff(expr, x)
    expected = float(sympy.N(sympy.diff(expr, x).subs(x, S(7) / 10), 30))
    assert evaluate(derivative, {x: 0.7}) == pytest.approx(expected, rel=1e-12)
    assert lambdify([x], derivative)(0.7) == pytest.approx(expected, rel=1e-12)
