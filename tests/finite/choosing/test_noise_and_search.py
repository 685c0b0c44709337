"""Where noise hides, and where a search for the step is easily misled: values by exact arithmetic."""

import math
import warnings

import mpmath
import numpy as np
import pytest

from diffkit.errors import DomainError
from diffkit.finite import DifferenceWarning, derivative

# -- f is constant to the bit beside a tiny x, or rounded alike along an even grid -------------------------

CANCELLING = {
    "log(1 + x)": (lambda x: np.log(1 + x), lambda x: mpmath.log(1 + x)),
    "exp(x) - 1": (lambda x: np.exp(x) - 1, lambda x: mpmath.exp(x) - 1),
    "sqrt(1 + x) - 1": (lambda x: np.sqrt(1 + x) - 1, lambda x: mpmath.sqrt(1 + x) - 1),
    "(1 + x)**10 - 1": (lambda x: (1 + x) ** 10 - 1, lambda x: (1 + x) ** 10 - 1),
    "1 / (1 + x) - 1": (lambda x: 1 / (1 + x) - 1, lambda x: 1 / (1 + x) - 1),
    "tan(1 + x) - tan(1)": (lambda x: np.tan(1 + x) - np.tan(1), lambda x: mpmath.tan(1 + x)),
    "cos(x) - 1": (lambda x: np.cos(x) - 1, mpmath.cos),
    "cosh(x) - 1": (lambda x: np.cosh(x) - 1, mpmath.cosh),
    "log(cosh(x))": (lambda x: np.log(np.cosh(x)), lambda x: mpmath.log(mpmath.cosh(x))),
    "3 + x - 3": (lambda x: 3 + x - 3, lambda x: x),
}


@pytest.mark.parametrize("name", CANCELLING)
@pytest.mark.parametrize(("form", "order", "n"), [("central", 2, 1), ("central", 4, 1), ("forward", 1, 1),
                                                  ("richardson", None, 1), ("central", 2, 2)])  # fmt: skip
@pytest.mark.filterwarnings("ignore::diffkit.finite.DifferenceWarning")
def test_rounding_that_a_tiny_x_hides_is_in_the_error(name, form, order, n):
    f, exact = CANCELLING[name]
    for x in (1e-12, -1e-11, 3e-10, 1e-9, 1e-8, 1e-6, 1e-3):
        estimate = derivative(f, x, form, order=order, n=n, full=True)
        with mpmath.workdps(60):
            off = abs(mpmath.mpf(estimate.value) - mpmath.diff(exact, mpmath.mpf(x), n))
        assert off <= 2 * estimate.error


@pytest.mark.parametrize(
    ("size", "error"), [(1e6, 1e-6), (1e8, 1e-4), (1e10, 1e-3), (1e12, 0.05)], ids="{:g}".format
)
def test_a_step_grows_with_the_noise_of_an_offset(size, error):
    for x in (0.5, 1.0, 5.0):
        estimate = derivative(lambda t: size + np.sin(t), x, full=True)
        assert abs(estimate.value - math.cos(x)) <= estimate.error < error


@pytest.mark.parametrize("x", [0.3, 1.0, 2.0, 4.0])
def test_an_offset_that_swallows_f_is_warned_of(x):
    with pytest.warns(DifferenceWarning, match="has an error of about"):
        estimate = derivative(lambda t: 1e15 + np.sin(t), x, full=True)
    assert abs(estimate.value - math.cos(x)) <= estimate.error


def test_an_oscillation_is_not_taken_for_noise():
    for k in (1e8, 1e10, 1e12, 3e13):
        estimate = derivative(lambda t, k=k: np.sin(k * t), 1.0, full=True)
        with mpmath.workdps(60):
            slope = k * mpmath.cos(mpmath.mpf(k))
        assert abs(estimate.value - slope) <= 2 * estimate.error < 0.2 * k


def test_where_nothing_can_be_promised_the_error_is_infinite():
    for f, x in ((np.sin, 1e16), (lambda t: np.sin(1e20 * t), 0.0), (np.abs, 0.0)):
        for form in ("central", "richardson"):
            with pytest.warns(DifferenceWarning, match="no error can be promised"):
                assert derivative(f, x, form, full=True).error == math.inf


# -- beside a tiny x ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["central", "richardson"])
@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda t: 1 / t, 1e-16, -1e32),
        (lambda t: 1 / t, -1e-150, -1e300),
        (math.log, 1e-14, 1e14),
        (math.log, 1e-50, 1e50),
        (np.log, 1e-300, 1e300),
        (np.sqrt, 1e-20, 5e9),
        (lambda t: t**-0.25, 1e-40, -0.25e50),
    ],
)
def test_the_scale_of_a_tiny_x_is_tried_before_anything_is_said_of_f(f, x, slope, form):
    estimate = derivative(f, x, form, full=True)
    assert abs(estimate.value / slope - 1) < 1e-8
    assert abs(estimate.value - slope) <= estimate.error
    if x > 0 and form == "central":
        assert derivative(f, x, bounds=(0, None)) == pytest.approx(slope, rel=1e-8)


def test_a_jump_is_said_only_where_it_is_one_down_to_the_floats():
    with pytest.raises(DomainError, match="f jumps at x"):
        derivative(np.sign, 0.0)
    with pytest.raises(DomainError, match="f jumps at x"):
        derivative(lambda t: float(t >= 1e-12), 1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no step is found, and no theorem is made of that
        assert derivative(lambda t: np.tanh(1e20 * t), 0.0, full=True).error == math.inf


def test_richardson_says_what_the_others_say():
    for f, what in ((np.floor, "jumps"), (lambda t: np.cbrt(t - 1), "infinite slope")):
        with pytest.raises(DomainError, match=what):
            derivative(f, 1.0, "richardson")
    estimate = derivative(lambda t: t**4, 0.0, "richardson", n=2, full=True)
    assert abs(estimate.value) <= estimate.error
    assert estimate.evaluations < 400


# -- beside bounds and bends -----------------------------------------------------------------------------


@pytest.mark.parametrize("room", [1e-3, 1e-6, 5e-9, 1e-11])
@pytest.mark.parametrize("form", ["central", "forward", "backward"])
def test_bounds_that_leave_hardly_any_room(room, form):
    estimate = derivative(np.sin, 10.0, form, bounds=(10 - room / 2, 10 + room / 2), full=True)
    assert abs(estimate.value - math.cos(10)) <= estimate.error < 1e-13 / room + 1e-7


@pytest.mark.parametrize("power", [1.5, 1.75, 1.25])
@pytest.mark.parametrize("x", [0.0, 1e-12, 1e-9, 1e-4])
@pytest.mark.filterwarnings("ignore::diffkit.finite.DifferenceWarning")
def test_a_curvature_that_grows_towards_x(power, x):
    for form in ("forward", "backward", "central"):
        estimate = derivative(lambda t: abs(t) ** power, x, form, full=True)
        assert abs(estimate.value - power * x ** (power - 1)) <= 2 * estimate.error


@pytest.mark.parametrize("f", [lambda x: x**0.5, lambda x: x**x, lambda v: np.emath.sqrt(v)])
def test_where_f_becomes_complex_it_ends(f):
    """Python's (-1.0) ** 0.5 is a complex number: a real function ends there, as by an error or a nan."""
    for form in ("central", "richardson", "backward"):
        with mpmath.workdps(40):
            slope = mpmath.diff(f if f(2.0) != 2**0.5 else mpmath.sqrt, mpmath.mpf("0.001"))
        estimate = derivative(f, 0.001, form, full=True)
        assert type(estimate.value) is float
        assert abs(estimate.value - slope) <= 2 * estimate.error


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("guard", [1e-12, 1e-20, 1e-30])
@pytest.mark.parametrize("f", [np.log, np.sqrt, np.reciprocal, lambda x: np.log(1 / x)])
def test_what_a_program_is_guarded_from_is_no_infinite_slope(f, guard, kind):
    """Flat below the guard, it has the slope 0 at 0, however steep it is a little further away."""

    def guarded(x):
        return f(np.maximum(kind(guard), x))

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert np.isfinite(derivative(guarded, kind(0)))  # and not refused
