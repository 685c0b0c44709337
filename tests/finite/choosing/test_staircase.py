"""Rounded functions: their derivative of zero is right, and told to be not what was wanted."""

import warnings

import numpy as np
import pytest

from diffkit.finite import DifferenceWarning, derivative, gradient


def warned(call) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert np.all(np.asarray(call()) == 0)
    return "; ".join(str(each.message) for each in caught if each.category is DifferenceWarning)


@pytest.mark.parametrize("digits", [1, 2, 3])
@pytest.mark.parametrize("form", ["forward", "backward", "central"])
def test_a_rounded_function_is_told_with_a_step_that_helps(digits, form):
    f = lambda x: np.round(np.sin(x), digits)  # noqa: E731
    said = warned(lambda: derivative(f, 0.1, form))
    assert "is constant around x = 0.1, and further on jumps" in said
    assert f"by about {10.0**-digits:.1g}" in said
    h = float(said.rpartition("h=")[2])
    assert derivative(f, 0.1, "central", h) == pytest.approx(np.cos(0.1), abs=0.35)


def test_of_several_variables_and_of_integers():
    assert "jumps" in warned(lambda: gradient(lambda x: np.round(x[0] * x[1], 2), np.array([0.31, 0.57])))
    assert "jumps" in warned(lambda: derivative(lambda x: int(1000 * x), 0.2005))


SMOOTH_OR_FLAT = {
    "constant": (lambda x: 3.0, 1.0),
    "flat, then a slope": (lambda x: max(x, 0.0), -0.01),
    "flat, then a parabola": (lambda x: max(x, 0.0) ** 2, -0.01),
    "clipped": (lambda x: np.clip(x, -1, 1), 1.2),
    "one jump": (np.sign, 0.3),
    "a minimum": (lambda x: x**2, 0.0),
    "a high power": (lambda x: x**8, 0.0),
    "lost in an offset": (lambda x: 1e20 + np.sin(x), 1.0),
    "an offset, by floats": (lambda x: 1e8 + 1e-7 * (x - 1) ** 2, 1.0),
    "underflow": (lambda x: np.exp(-1e4 * x * x), 1.0),
}


@pytest.mark.parametrize("name", SMOOTH_OR_FLAT)
def test_nothing_is_said_where_f_is_not_constant_in_pieces(name):
    f, x = SMOOTH_OR_FLAT[name]
    assert "jumps" not in warned(lambda: derivative(f, x))


def test_bounds_are_kept():
    seen = []

    def f(x):
        seen.append(x)
        return round(x, 2)

    warned(lambda: derivative(f, 0.5003, bounds=(0.4, 0.6)))
    assert 0.4 <= min(seen) <= max(seen) <= 0.6


def test_it_costs_nothing_where_the_derivative_is_not_zero():
    assert derivative(np.sin, 1.0, full=True).evaluations < 40
