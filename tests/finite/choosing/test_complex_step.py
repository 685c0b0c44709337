"""The complex step is exact where it works, and refused, with the reason, where it doesn't."""

import math

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.finite import derivative, gradient, hessian, jacobian


def squire_trapp(x):
    """The example of Squire and Trapp's paper."""
    return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)


def squire_trapp_slope(x):
    s, c = np.sin(x), np.cos(x)
    return squire_trapp(x) * (1 - 1.5 * (s**2 * c - c**2 * s) / (s**3 + c**3))


SMOOTH = [
    (np.sin, np.cos, 1.0),
    (np.exp, np.exp, 2.0),
    (np.log, lambda x: 1 / x, 1e-8),
    (squire_trapp, squire_trapp_slope, 1.5),
    (lambda x: np.tanh(x) ** 3, lambda x: 3 * np.tanh(x) ** 2 / np.cosh(x) ** 2, 0.4),
    (lambda x: x**3, lambda x: 3 * x**2, 0.0),
    (np.sin, np.cos, 1e10),
]


@pytest.mark.parametrize(("f", "df", "x"), SMOOTH)
def test_smooth_functions_to_the_last_bits(f, df, x):
    estimate = derivative(f, x, "complex", full=True)
    expected = df(x)
    assert type(estimate.value) is float
    assert estimate.value == pytest.approx(float(expected), rel=4e-15, abs=1e-30)
    assert abs(estimate.value - expected) <= estimate.error + 1e-30
    assert estimate.h < 1e-9 * max(1, abs(x))


def test_gradients_jacobians_and_containers():
    x = np.linspace(0.1, 1, 6).reshape(2, 3)
    np.testing.assert_allclose(gradient(lambda v: np.sum(np.sin(v)), x, "complex"), np.cos(x), rtol=1e-15)
    A = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(
        jacobian(lambda v: A @ np.exp(v), x[0], "complex"), A * np.exp(x[0]), rtol=1e-15
    )
    got = gradient(lambda p: p["a"] ** 2 * p["b"][1], {"a": 3.0, "b": [1.0, 2.0]}, "complex")
    assert got == {"a": 12.0, "b": [0.0, 9.0]}
    calls = []
    gradient(lambda V: calls.append(1) or np.sum(V**2, axis=1), np.ones(50), "complex", vectorized=True)
    assert len(calls) <= 5


def test_elementwise_at_an_array():
    x = np.linspace(0.1, 2, 6).reshape(2, 3)
    estimate = derivative(np.log, x, "complex", full=True)
    np.testing.assert_allclose(estimate.value, 1 / x, rtol=1e-15)
    assert np.all(estimate.error < 1e-13)
    with pytest.raises(InputError, match=r"np\.abs drops"):
        derivative(np.abs, x, "complex")


def test_float32_keeps_its_dtype():
    got = derivative(np.exp, np.float32(1), "complex")
    assert got.dtype == np.float32
    assert float(got) == pytest.approx(math.e, rel=1e-6)


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (np.abs, "np.abs drops the imaginary part"),
        (abs, "np.abs drops the imaginary part"),
        (lambda x: x * np.abs(x), "np.abs drops the imaginary part"),
        (lambda x: np.maximum(x, 0.0), "np.maximum compares its arguments"),
        (lambda x: np.sum(np.clip(np.stack([x, x]), 0, 1)), "compares its arguments"),
        (lambda x: max(x, 0.0), "branches on a comparison"),
        (lambda x: x * x if x > 0 else -x, r"branches on a comparison \(>\)"),
        (lambda x: np.where(x > 0, x, 0.0), "branches on a comparison"),
        (lambda x: np.real(x) * 2, "np.real drops the imaginary part"),
        (lambda x: np.linalg.norm(np.stack([x, x])), "np.linalg.norm drops"),
        (lambda x: x * np.conj(x), "np.conjugate turns"),
        (math.sin, "takes no complex numbers"),
        (lambda x: float(np.real(x)) * 2, "drops the imaginary part"),
        (lambda x: x.real * 2.0 + 0 * x, "central differences settle on another derivative"),
    ],
)
def test_refusals(f, reason):
    with pytest.raises(InputError, match=f"the complex step does not work for this f.*{reason}"):
        derivative(f, 0.7, "complex")


def test_refusals_inside_an_array_program():
    with pytest.raises(InputError, match=r"np\.maximum"):
        gradient(lambda v: np.sum(np.maximum(v @ v, v) ** 2), np.ones(3), "complex")
    with pytest.raises(InputError, match=r"np\.sort compares"):
        gradient(lambda v: np.sort(v)[0], np.array([2.0, 1.0]), "complex")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: derivative(np.sin, 1.0, "complex", n=2), "first derivative only"),
        (lambda: hessian(np.sum, np.ones(2), "complex"), "first derivative only"),
        (lambda: derivative(np.sin, 1.0, "complex", order=4), "order 2"),
        (lambda: derivative(np.sin, 1.0, "complex", bounds=(0, 2)), "takes no bounds"),
        (lambda: derivative(np.sin, 1j, "complex"), "needs a real x"),
        (lambda: derivative(np.sin, 1.0, "complex", h=0.0), "must be positive"),
        (lambda: derivative(np.sum, np.ones(2), "complex"), "elementwise functions"),
        (lambda: derivative(np.cumsum, np.ones(2), "complex"), "is not elementwise"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda t: (np.exp(t) - 2) ** 2, math.log(2), 0.0),
        (lambda t: np.cos(t), math.pi, 0.0),
        (lambda t: (t - 0.1) ** 4 * np.exp(t), 0.1, 0.0),
        (np.log, 1e-300, 1e300),
        (lambda t: 1 / t, 1e-150, -1e300),
        (np.exp, -700.0, math.exp(-700.0)),
        (np.exp, 700.0, math.exp(700.0)),
    ],
)
def test_at_a_minimum_and_at_the_ends_of_the_floats(f, x, slope):
    estimate = derivative(f, x, "complex", full=True)
    assert abs(estimate.value - slope) <= estimate.error + 1e-15


def test_what_no_difference_can_show_is_not_said():
    """sin(1e12 t) varies faster than a central difference can follow: no fault of the complex step."""
    assert derivative(lambda t: np.sin(1e12 * t), 1.0, "complex") == pytest.approx(1e12 * math.cos(1e12))


def test_at_the_minimum_of_a_least_squares_fit():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(30, 5)), rng.normal(size=30)
    x = np.linalg.lstsq(a, b)[0]
    got = gradient(lambda v: np.sum((a @ v - b) ** 2), x, "complex")
    np.testing.assert_allclose(got, 0, atol=1e-12)


DROPPING = [lambda t: t.real**2 + 0j, lambda t: complex(math.sin(t.real)), lambda t: t * t.conjugate()]


@pytest.mark.parametrize("f", DROPPING)
@pytest.mark.parametrize("x", [1.3, -2e5, 1e-5])
def test_a_dropped_imaginary_part_is_shown(f, x):
    with pytest.raises(InputError, match="the complex step does not work for this f"):
        derivative(f, x, "complex")
