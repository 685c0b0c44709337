"""Where Python's floats raise and NumPy's don't: a trace does as the program does, and no rule raises."""

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.bits import same_bits

pytestmark = pytest.mark.filterwarnings("ignore")

EDGES = {
    "sqrt at 0": (np.sqrt, 0.0),
    "arcsin at 1": (np.arcsin, 1.0),
    "arccosh at 1": (np.arccosh, 1.0),
    "arctanh at 1": (np.arctanh, 1.0),
    "cbrt at 0": (np.cbrt, 0.0),
    "log at 0": (np.log, 0.0),
    "hypot at 0": (lambda x: np.hypot(x, 0.0 * x), 0.0),
    "arctan2 at 0": (lambda x: np.arctan2(x, 0.0 * x), 0.0),
    "a root by **": (lambda x: x**0.5, 0.0),
    "a power of 1.5": (lambda x: x**1.5, 0.0),
    "a root inside": (lambda x: np.exp(np.sqrt(x) * np.log1p(x)), 0.0),
    "np.divide by 0": (lambda x: np.divide(1.0, x), 0.0),
    "np.divide of 0 by 0": (lambda x: np.divide(x, 0.0 * x), 0.0),
    "np.power to -1": (lambda x: np.power(x, -1.0), 0.0),
    "np.power of a negative number": (lambda x: np.power(x, 0.5), -2.0),
    "np.remainder by 0": (lambda x: np.remainder(x, 0.0), 1.0),
    "np.floor_divide by 0": (lambda x: np.floor_divide(x, 0.0) + x, 1.0),
    "/ by a number of NumPy's": (lambda x: 1.0 / np.sin(x), 0.0),
    "/ far from NumPy's call": (lambda x: 2.0 / -(np.sin(x) * 3.0 + 0.0), 0.0),
    "% by a number of NumPy's": (lambda x: 1.0 % np.sin(x), 0.0),
    "** of a negative number of NumPy's": (lambda x: np.sin(x) ** 0.5, -1.0),
    "** to one": (lambda x: (-2.0) ** np.cos(x), 1.0),
    "an overflow of NumPy's": (lambda x: np.exp(x) ** 400.0, 3.0),
}
RAISING = {
    "/ by 0": (lambda x: 1.0 / x, 0.0),
    "/ by what operators made": (lambda x: 1.0 / (2.0 * x - 2.0), 1.0),
    "** to -1": (lambda x: x**-1.0, 0.0),
    "% by 0": (lambda x: 1.0 % x, 0.0),
    "an overflow": (lambda x: x**400.0, 1e10),
}


def wheres(f, x):
    """Everything that records a sweep, or does one."""
    yield lambda: dk.grad(f)(x)
    yield lambda: dk.deriv(f)(x)
    yield lambda: dk.hessian(f)(x)
    yield lambda: dk.grad(dk.grad(f))(x)
    yield lambda: dk.deriv(dk.grad(f))(x)
    yield lambda: dk.deriv(dk.deriv(dk.deriv(f)))(x)
    yield lambda: dk.trace(f)(x).adjoint(1.0).value
    yield lambda: dk.trace(f)(x).adjoint(1.0).source().function()(x, 1.0)
    yield lambda: dk.trace(f)(x).adjoint_table(1.0).text()
    yield lambda: dk.draw(f, x, view="both").dot
    yield lambda: dk.stepper(f, x)
    yield lambda: dk.compile(dk.grad(f))(x)
    yield lambda: dk.compile(dk.grad(dk.grad(f)))(x)


@pytest.mark.parametrize("name", EDGES)
def test_nothing_raises_and_the_value_is_the_programs(name):
    f, x = EDGES[name]
    value = dk.value_and_grad(f)(x)[0]
    assert same_bits(float(value), float(f(x))) or value == pytest.approx(f(x), rel=1e-15)
    for call in wheres(f, x):
        call()


@pytest.mark.parametrize("name", EDGES)
def test_the_derivative_is_that_of_arrays(name):
    """NumPy's arrays never raise: what they have for derivatives, numbers have."""
    f, x = EDGES[name]
    for order in (1, 2):
        g, h = f, lambda x: np.sum(f(x))
        for _ in range(order):
            g, h = dk.grad(g), dk.elementwise_grad(h)
        found, expected = g(x), h(np.array([x]))[0]
        assert not np.iscomplexobj(found)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", RAISING)
def test_what_raises_in_the_program_raises_in_its_trace(name):
    f, x = RAISING[name]
    with pytest.raises(ArithmeticError) as plain:
        f(x)
    for run in (dk.grad(f), dk.deriv(f), dk.hessian(f), dk.trace(f), dk.grad(dk.grad(f)), dk.compile(f)):
        with pytest.raises(plain.type):
            run(x)


def test_pythons_complex_powers_stay():
    f = lambda x: abs(x**0.5) ** 4  # noqa: E731
    assert f(-3.0) == pytest.approx(9.0)
    assert dk.grad(f)(-3.0) == pytest.approx(-6.0)
    assert dk.grad(dk.grad(f))(-3.0) == pytest.approx(2.0)


def test_numpys_own_warning_is_given_and_a_rules_is_not():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert dk.grad(lambda x: np.divide(1.0, x))(0.0) == -math.inf


@pytest.mark.filterwarnings("error")
def test_a_rule_warns_of_nothing():
    assert dk.hessian(np.sqrt)(0.0) == -math.inf
    assert dk.trace(np.cbrt)(0.0).adjoint(1.0).value == math.inf
