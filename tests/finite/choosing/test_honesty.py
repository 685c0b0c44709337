"""Whether the error is within its estimate, over many functions and points; and no alarm without a cause."""

import math
import warnings
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from diffkit.finite import DifferenceWarning, derivative, gradient
from diffkit.finite.error.parts import derivative_in_digits

SMOOTH = {
    "sin": np.sin, "cos": np.cos, "exp": np.exp, "tanh": np.tanh, "x": lambda x: x, "x2": lambda x: x * x,
    "x3": lambda x: x**3, "constant": lambda x: 3.0 + 0 * x, "sin 100": lambda x: np.sin(100 * x),
    "large": lambda x: 1e10 * np.cos(x), "small": lambda x: 1e-10 * np.cos(x),
    "offset": lambda x: 1e6 + np.sin(x),
    "log cosh": lambda x: np.log(np.cosh(x)), "softplus": lambda x: np.log1p(np.exp(x)),
    "Gauss": lambda x: np.exp(-x * x), "Runge": lambda x: 1 / (1 + 25 * x * x),
    "chirp": lambda x: np.cos(x**3),
    "wave": lambda x: np.sin(50 * x) * np.exp(-x * x), "x sin": lambda x: x * np.sin(x),
    "power": lambda x: (x - 1) ** 9,
}  # fmt: skip


POINTS = (-7.3, -math.pi / 2, -1e-4, 0.0, 1e-8, 1e-3, 0.5, 1.0, math.pi, 10.0)


@cache
def truth(name, x, n):
    return float(derivative_in_digits(SMOOTH[name], Fraction(x), n, 40))


@pytest.mark.parametrize(
    ("form", "order", "n"),
    [
        ("forward", None, 1),
        ("backward", None, 1),
        ("central", None, 1),
        ("central", 4, 1),
        ("forward", 2, 1),
        ("central", None, 2),
        ("richardson", None, 1),
        ("richardson", None, 2),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # np.cosh overflows on the way to a step
def test_the_error_is_within_its_estimate(form, order, n):
    within, alarms = [], []
    for name, f in SMOOTH.items():
        for x in POINTS:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", DifferenceWarning)
                estimate = derivative(f, x, form, order=order, n=n, full=True)
            within.append(abs(estimate.value - truth(name, x, n)) <= estimate.error)
            alarms += [(name, x) for each in caught if each.category is DifferenceWarning]
    assert np.mean(within) >= 0.95
    assert len(alarms) <= (0 if n == 1 else 1)


ONE = [np.sin, np.exp, np.tanh, np.cos, lambda t: t**2, lambda t: t**3, lambda t: 1 / (1 + t * t),
       lambda t: np.log(2 + np.sin(t)), lambda t: np.sqrt(1 + t * t), lambda t: t]  # fmt: skip


def problem(rng, unlike):
    """A function of two to six variables, of scales and sizes from 1e-3 to 1e3 if they are ``unlike``."""
    n = int(rng.integers(2, 7))
    kinds = rng.integers(0, len(ONE), n)
    scales = 10.0 ** rng.uniform(-3, 3, n) if unlike else np.ones(n)
    sizes = 10.0 ** rng.uniform(-2, 2, n) if unlike else rng.uniform(0.5, 2, n)
    cross = rng.uniform(-1, 1, (n, n)) / n

    def f(v):
        t = np.stack([sizes[i] * ONE[kinds[i]](scales[i] * v[i]) for i in range(n)])
        return np.sum(t) if unlike else np.sum(t) + np.sin(t @ cross @ t)

    return f, rng.uniform(-1.2, 1.2, n) / scales


@pytest.mark.parametrize("unlike", [False, True])
@pytest.mark.parametrize(
    ("form", "order", "digits"), [("forward", None, 5), ("central", None, 7), ("central", 4, 8)]
)
def test_gradients_of_many_functions(unlike, form, order, digits):
    rng = np.random.default_rng(11)
    within, relative = [], []
    for _ in range(40):
        f, x = problem(rng, unlike)
        expected = gradient(f, x, "complex")
        estimate = gradient(f, x, form, order=order, full=True)  # an alarm would be an error here
        error = np.abs(estimate.value - expected)
        within += list(error <= estimate.error)
        relative += list(error / np.abs(expected))
    assert np.mean(within) >= 0.95
    assert np.quantile(relative, 0.9) < 10.0**-digits
