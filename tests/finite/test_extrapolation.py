"""Extrapolation gains what it says it gains, and its error estimate holds."""

import math

import numpy as np
import pytest

from diffkit.errors import DomainError, InputError
from diffkit.finite import DifferenceWarning, NoiseWarning, derivative, extrapolate

CASES = {
    "logistic": (
        lambda x: 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2,
        0.2,
        708288 / 78125,
    ),
    "sin": (np.sin, 1.0, math.cos(1.0)),
    "log near its edge": (np.log, 1e-3, 1e3),
    "math.log": (math.log, 0.01, 100.0),
    "exp": (np.exp, 10.0, math.exp(10.0)),
    "cube": (lambda x: x**3, 2.0, 12.0),
    "Runge": (lambda x: 1 / (1 + x * x), 0.5, -0.64),
    "fast": (lambda x: np.sin(50 * x), 1.0, 50 * math.cos(50.0)),
    "tan": (np.tan, 1.5, 1 / math.cos(1.5) ** 2),
    "flat": (np.cos, 0.0, 0.0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("form", ["forward", "backward", "central"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_estimate_holds(name, form):
    f, x, slope = CASES[name]
    estimate = extrapolate(f, x, form)
    assert abs(estimate.value - slope) <= 3 * estimate.error
    assert estimate.error <= (1e-11 if form == "central" else 1e-8) * max(abs(slope), 1)
    assert estimate.evaluations <= 66


@pytest.mark.parametrize("n", [1, 2, 3])
def test_higher_derivatives(n):
    estimate = extrapolate(np.exp, 0.5, n=n)
    assert abs(estimate.value - math.exp(0.5)) <= 3 * estimate.error < 10.0 ** (-13 + 2.5 * n)


def test_each_column_gains_two_orders():
    tableau = extrapolate(np.exp, 0.0).tableau
    assert tableau.columns[:4] == ["h", "order 2", "order 4", "order 6"]
    for k, order in ((1, 2), (2, 4)):
        column = [abs(row[k] - 1) for row in tableau.rows[k - 1 : k + 2]]
        assert column[0] / column[1] == pytest.approx(2**order, rel=0.05)


def test_several_results_each_with_its_own_error():
    estimate = extrapolate(lambda t: [np.sin(t), np.array([t, np.exp(3 * t)])], 1.0)
    assert abs(estimate.value[0] - math.cos(1)) <= 3 * estimate.error[0] < 1e-12
    assert estimate.value[1].shape == estimate.error[1].shape == (2,)
    assert np.all(np.abs(estimate.value[1] - [1, 3 * math.exp(3)]) <= 3 * estimate.error[1])


def test_a_kink_shows_in_the_error():
    estimate = extrapolate(lambda x: abs(x - 1.001), 1.0)
    assert abs(estimate.value + 1) <= 3 * estimate.error


@pytest.mark.parametrize("x", [-7.3, -3.0, math.pi, 5.5, 10.0])
def test_an_oscillation_that_the_first_steps_jump_over(x):
    # sin(100 x) at the multiples of 1/2, 1/4, 1/8, ... beside x lies on quite another smooth curve.
    estimate = extrapolate(lambda t: np.sin(100 * t), x)
    assert abs(estimate.value - 100 * math.cos(100 * x)) <= 3 * estimate.error < 1e-6
    second = extrapolate(lambda t: np.sin(100 * t), x, n=2)
    assert abs(second.value + 1e4 * math.sin(100 * x)) <= 3 * second.error < 1e-2


@pytest.mark.parametrize("x", [1e6, 1e10, 1e12])
def test_at_large_x(x):
    estimate = extrapolate(np.sin, x)
    assert abs(estimate.value - math.cos(x)) <= 3 * estimate.error < 1e-4


def test_a_step_of_ones_own_that_is_too_large_shows_in_the_error():
    with pytest.warns(DifferenceWarning, match="has an error of about"):
        estimate = extrapolate(lambda t: np.sin(100 * t), math.pi, h=0.5)
    assert abs(estimate.value - 100) <= estimate.error


def test_noise_is_warned_of():
    rng = np.random.default_rng(0)
    with pytest.warns(NoiseWarning, match="not deterministic"):
        estimate = extrapolate(lambda x: x * x + 1e-6 * rng.standard_normal(), 1.0)
    assert abs(estimate.value - 2) <= 5 * estimate.error < 1e-2
    with pytest.warns(NoiseWarning):
        derivative(lambda x: x + 1e-6 * rng.standard_normal(), 1.0, "richardson")


def test_as_a_form_of_derivative():
    assert derivative(np.sin, 1.0, "richardson") == extrapolate(np.sin, 1.0).value
    assert derivative(np.sin, 1.0, "richardson", full=True).error == extrapolate(np.sin, 1.0).error
    with pytest.raises(InputError, match="takes no bounds="):
        derivative(np.sin, 1.0, "richardson", bounds=(0, 2))


def test_bad_input():
    with pytest.raises(InputError, match="one variable"):
        extrapolate(np.sum, np.ones(2))
    with pytest.raises(InputError, match="unknown form 'complex'"):
        extrapolate(np.sin, 1.0, "complex")
    with pytest.raises(DomainError, match=r"f is nan at x = 1\.0"):
        extrapolate(lambda x: math.nan, 1.0)
    with pytest.raises(DomainError, match=r"f fails at x = -0\.5"):
        extrapolate(math.log, 0.5, h=1.0)
