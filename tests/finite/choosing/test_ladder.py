"""Variables and outputs of unlike scale each get a step of their own, and doubt is said aloud."""

import math

import numpy as np
import pytest

from diffkit.errors import DomainError
from diffkit.finite import DifferenceWarning, derivative, gradient, hessian, jacobian

UNLIKE = {
    "one large variable": (lambda v: np.sin(v[0]) + np.sin(v[1]), [0.5, 1e10], np.cos),
    "one close to a pole": (lambda v: np.log(v[0]) + v[1] ** 2, [1e-8, 1.0], lambda x: [1 / x[0], 2 * x[1]]),
    "one fast": (
        lambda v: np.sin(1e5 * v[0]) + np.exp(v[1]),
        [0.5, 1.0],
        lambda x: [1e5 * np.cos(1e5 * x[0]), np.exp(x[1])],
    ),
    "one very curved": (
        lambda v: np.cosh(1e3 * (v[0] - 1)) + np.sin(v[1]) * np.cos(v[2]),
        [1.0, 0.5, 0.3],
        lambda x: [0.0, np.cos(x[1]) * np.cos(x[2]), -np.sin(x[1]) * np.sin(x[2])],
    ),
    "a product of both": (
        lambda v: v[0] ** 3 * np.sin(1e4 * v[1]),
        [2.0, 0.1],
        lambda x: [3 * x[0] ** 2 * np.sin(1e4 * x[1]), x[0] ** 3 * 1e4 * np.cos(1e4 * x[1])],
    ),
}


@pytest.mark.parametrize("name", UNLIKE)
@pytest.mark.parametrize(
    ("form", "order", "digits"), [("forward", None, 4), ("central", None, 6), ("central", 4, 7)]
)
def test_each_variable_has_the_digits_of_its_form(name, form, order, digits):
    f, x, slopes = UNLIKE[name]
    x = np.array(x)
    expected = np.array(slopes(x))
    estimate = gradient(f, x, form, order=order, full=True)
    error = np.abs(estimate.value - expected)
    assert np.all(error <= 3 * estimate.error)
    large = x > 1e9  # the argument alone is rounded to 1e-6 there
    goal = np.where(large, 1e-3, 10.0**-digits) * np.fmax(np.abs(expected), 1)
    assert np.all(error <= goal)
    assert np.all(estimate.error <= 100 * goal)


def test_a_term_that_hides_the_other():
    # Exp's values are rounded by 4e-6; the derivative by x0 is 0.88, and with one step for both it is lost.
    estimate = gradient(lambda v: np.sin(v[0]) + 1e10 * np.exp(v[1]), np.array([0.5, 1.0]), full=True)
    assert abs(estimate.value[0] - math.cos(0.5)) <= 3 * estimate.error[0] < 2e-2
    assert estimate.h[0] > 100 * estimate.h[1]


def test_the_cost_is_counted_and_small_where_nothing_is_unlike():
    calls = []
    estimate = gradient(
        lambda v: calls.append(1) or np.sin(v[0]) + np.sin(v[1]), np.array([0.5, 1e10]), full=True
    )
    assert estimate.evaluations == len(calls)
    assert estimate.evaluations - estimate.measuring == 4
    for n in (2, 20, 200):
        calls.clear()
        gradient(lambda v: calls.append(1) or np.sum(np.exp(v)), np.linspace(0, 1, n))
        assert len(calls) <= 2 * n + 45


def test_outputs_with_steps_of_their_own():
    f = lambda v: np.array([np.sin(1e6 * v[0]), v[1] ** 3, v[0]])  # noqa: E731
    estimate = jacobian(f, np.array([0.5, 1.0]), full=True)
    expected = np.array([[1e6 * math.cos(5e5), 0], [0, 3], [1, 0]])
    assert np.all(np.abs(estimate.value - expected) <= 3 * estimate.error)
    assert abs(estimate.value[0, 0] - expected[0, 0]) < 1
    assert estimate.h.shape == estimate.value.shape
    assert estimate.h[0, 0] < 1e-2 * estimate.h[1, 1]
    one = derivative(lambda t: np.array([np.sin(1e6 * t), t**3]), 0.5, full=True)
    assert np.all(np.abs(one.value - [expected[0, 0], 0.75]) <= 3 * one.error)
    assert one.h.shape == (2,)


def test_hessians_of_unlike_variables():
    x = np.array([0.5, 1e-6])
    H = hessian(lambda v: np.sin(v[0]) * np.log(v[1]), x)
    expected = [[-np.sin(0.5) * np.log(1e-6), np.cos(0.5) * 1e6], [np.cos(0.5) * 1e6, -np.sin(0.5) * 1e12]]
    np.testing.assert_allclose(H, expected, rtol=1e-4)


def test_the_ladder_stays_within_bounds():
    def f(v):
        assert np.all((v >= 0) & (v <= 1)), v
        return np.sin(1e6 * v[0]) + v[1] ** 2

    estimate = gradient(f, np.array([0.3, 1.0]), bounds=(0, 1), full=True)
    assert abs(estimate.value[1] - 2) <= 3 * estimate.error[1] < 1e-5


def test_vectorized_takes_few_calls():
    calls = []
    x = np.linspace(0.1, 1, 50)
    x[7] = 1e9
    got = gradient(lambda V: calls.append(1) or np.sum(np.sin(V), axis=1), x, vectorized=True)
    np.testing.assert_allclose(got, np.cos(x), atol=1e-4)
    np.testing.assert_allclose(np.delete(got, 7), np.cos(np.delete(x, 7)), atol=1e-8)
    assert len(calls) < 90


# -- warnings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [1e15, 1e16, 1e20])
@pytest.mark.parametrize("form", ["forward", "backward", "central"])
def test_an_oscillation_beyond_the_floats_is_warned_of(x, form):
    with pytest.warns(DifferenceWarning, match=r"do not settle at x = 1e\+"):
        derivative(np.sin, x, form)


@pytest.mark.parametrize(
    "f", [np.abs, lambda x: np.maximum(x, 0) + x, lambda x: abs(x) ** 0.9 * np.sign(x) * 0 + abs(x)]
)
def test_a_kink_is_warned_of(f):
    with pytest.warns(DifferenceWarning, match="kink"):
        derivative(f, 0.0)
    with pytest.warns(DifferenceWarning, match=r"x\[0\]"):
        gradient(lambda v: f(v[0]) + v[1] ** 2, np.array([0.0, 1.0]))
    with pytest.warns(DifferenceWarning, match=r"x\[1\]"):
        derivative(f, np.array([1.0, 0.0]))


def test_the_warning_points_at_the_callers_line():
    with pytest.warns(DifferenceWarning) as caught:
        gradient(lambda v: np.abs(v).sum(), np.zeros(2))
    assert caught[0].filename == __file__


def test_the_noise_is_seen_where_powers_of_two_would_hide_it():
    # f(x) is nearly zero there, and the rounding of 100 x the same all along a grid of dyadic steps.
    for k in (50, 100):
        for x in (-math.pi / 2, math.pi):
            estimate = derivative(lambda t, k=k: np.sin(k * t), x, "forward", full=True)
            assert abs(estimate.value - k * math.cos(k * x)) <= 3 * estimate.error < 1e-3


def test_a_jump_in_one_variable_is_still_refused():
    with pytest.raises(DomainError, match="f jumps at x"):
        gradient(lambda v: np.sin(v[0]) + np.floor(v[1]), np.array([0.5, 2.0]))


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble, complex])
def test_unlike_variables_in_every_dtype(dtype):
    x = np.array([0.5, 300.0], dtype)
    got = jacobian(lambda v: np.stack([np.sin(100 * v[0]), v[1] ** 2]), x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, [[100 * np.cos(50.0), 0], [0, 600]], rtol=2e-3)
    mixed = gradient(lambda p: np.sin(p[0]) + p[1] ** 2, (np.float32(0.5), 1e5))
    assert mixed[0].dtype == np.float32
    assert mixed[1] == pytest.approx(2e5, rel=1e-6)


def test_a_kink_in_one_of_several_outputs_is_no_error_of_the_arithmetic():
    """Its curvature is infinite, so its best step is 0; the other outputs are differentiated all the same."""
    x = np.array([1.0, 2.0])
    with pytest.warns(DifferenceWarning):
        found = jacobian(lambda v: np.array([abs(v[0] - 1.0) * v[1], v[0] * v[1]]), x)
    np.testing.assert_allclose(found[1], [2.0, 1.0], rtol=1e-9)
