"""The checker: right derivatives pass, wrong ones are named, and what it can't judge it says."""

import re

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.check import GradientError
from diffkit.autodiff.slopes import slope_at_zero
from diffkit.errors import InputError


def with_rules(vjp, jvp=None):
    """x -> x^3, with the given rules."""
    f = dk.primitive(lambda x, y: x**3 * y)
    dk.defvjp(f, vjp, lambda g, ans, x, y: g * x**3)
    if jvp is not None:
        dk.defjvp(f, jvp, lambda t, ans, x, y: t * x**3)
    return f


def right_vjp(g, ans, x, y):
    return g * 3.0 * x**2 * y


def right_jvp(t, ans, x, y):
    return t * 3.0 * x**2 * y


POINT = (np.array([0.5, -1.2, 2.0]), np.array([1.0, -0.3, 0.7]))


@pytest.mark.parametrize("seed", range(5))
def test_right_rules_pass(seed):
    dk.check_grads(with_rules(right_vjp, right_jvp), seed=seed, order=3)(*POINT)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "wrong",
    [
        lambda g, ans, x, y: 1.001 * right_vjp(g, ans, x, y),
        lambda g, ans, x, y: -right_vjp(g, ans, x, y),
        lambda g, ans, x, y: right_vjp(g[::-1], ans, x, y),
        lambda g, ans, x, y: right_vjp(g, ans, x, y) + 1e-5,
        lambda g, ans, x, y: g * 3.0 * x**2,
        lambda g, ans, x, y: g * x.astype(np.float32) * 3.0 * x * y,
    ],
    ids=["1.001", "negated", "transposed", "shifted", "factor missing", "rounded to single"],
)
def test_a_wrong_vjp_is_named(wrong, seed):
    f = with_rules(wrong, right_jvp)
    with pytest.raises(GradientError, match="reverse mode derivative of <lambda> by x is wrong at order 1"):
        dk.check_grads(f, seed=seed)(*POINT)


def test_a_wrong_jvp_is_named_with_both_numbers():
    f = with_rules(right_vjp, lambda t, ans, x, y: 1.001 * right_jvp(t, ans, x, y))
    with pytest.raises(AssertionError) as caught:
        dk.check_grads(f)(*POINT)
    found = re.search(
        r"the forward mode derivative of <lambda> by x is wrong at order 1: "
        r"along a random direction it is (\S+), but the values of the function say (\S+) ±",
        str(caught.value),
    )
    assert found
    assert float(found[1]) / float(found[2]) == pytest.approx(1.001, rel=1e-9)
    seed = re.search(r"seed=(\d+)", str(caught.value))
    with pytest.raises(AssertionError) as again:
        dk.check_grads(f, seed=int(seed[1]))(*POINT)
    assert str(again.value) == str(caught.value)


def test_only_the_mode_that_was_asked_for():
    f = with_rules(right_vjp, lambda t, ans, x, y: 0.0 * t)
    dk.check_grads(f, modes="rev", order=1)(*POINT)
    with pytest.raises(GradientError, match="forward"):
        dk.check_grads(f, modes=("fwd",), order=1)(*POINT)


def test_a_rule_that_is_right_at_first_order_only():
    # The rule's value is right, but x enters it as a constant.
    constant = dk.primitive(lambda x: x * 1.0)
    dk.defvjp(constant, None)
    f = with_rules(lambda g, ans, x, y: g * 3.0 * constant(x) ** 2 * y)
    dk.check_grads(f, order=1)(*POINT)
    with pytest.raises(GradientError, match="at order 2"):
        dk.check_grads(f, order=2)(*POINT)


@pytest.mark.parametrize("seed", range(3))
def test_scales_from_tiny_to_huge(seed):
    for scale in (1e-12, 1e-3, 1e5, 1e15):
        x = scale * np.array([0.3, -1.4, 2.2])
        dk.check_grads(lambda x: np.sin(x / scale) * x, seed=seed)(x)  # noqa: B023
        dk.check_grads(lambda x: np.sum(x * x), seed=seed)(x)
    dk.check_grads(lambda x: 1e9 + np.sin(x), seed=seed, order=1)(np.array([0.4]))
    dk.check_grads(lambda x: np.exp(-x) / (1e-30 + x), seed=seed)(1e-8)


def test_close_to_the_edge_of_the_domain():
    dk.check_grads(np.log)(1e-9)
    dk.check_grads(lambda x: np.sqrt(x - 1.0))(1.001)
    dk.check_grads(np.arcsin)(np.array([0.9999, -0.9]))


def test_containers_complex_and_single_precision():
    dk.check_grads(lambda p, c: {"y": p["w"] * p["b"][0], "z": (c * p["w"],)})(
        {"w": np.array([1.0, -2.0]), "b": [0.5, 3]}, 1.5
    )
    z = np.array([0.3 + 1.0j, -1.2 - 0.1j])
    dk.check_grads(lambda z: np.exp(z) * z)(z)
    dk.check_grads(lambda z: np.exp(z) * z)(z.astype(np.complex64))
    dk.check_grads(lambda x: np.tanh(x) / x)(np.array([0.3, -1.2], np.float32))
    dk.check_grads(lambda x, y: np.sum(x * y))(np.array([0.3, -1.2], np.float32), np.array([0.3, -1.2]))


@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_rule_in_single_precision(seed):
    def imprecise(g, ans, x, y):
        return right_vjp(g, ans, x, y) * (1.001 if x.dtype == np.float32 else 1.0)

    point = [p.astype(np.float32) for p in POINT]
    dk.check_grads(with_rules(right_vjp), seed=seed)(*point)
    with pytest.raises(GradientError, match="in single precision"):
        dk.check_grads(with_rules(imprecise), seed=seed, order=1)(*point)
    wrong = with_rules(lambda g, ans, x, y: 1.001 * right_vjp(g, ans, x, y))
    with pytest.raises(GradientError, match="order 1"):
        dk.check_grads(wrong, seed=seed)(*point)


def test_zero_derivatives_and_empty_arrays_pass():
    dk.check_grads(lambda x, y: np.floor(x) + 1e6 * y)(0.3, 0.2)
    dk.check_grads(lambda x: x * 2.0)(np.zeros((0, 3)))
    dk.check_grads(lambda x: x * x)(np.zeros(3))


def test_too_rough_to_judge():
    with pytest.raises(InputError, match="too rough"):
        dk.check_grads(lambda x: np.abs(x - 1.0) + np.abs(x - 1.0 - 1e-13) * 2.0)(1.0 + 3e-14)


def test_what_cannot_be_checked():
    with pytest.raises(InputError, match="no argument of"):
        dk.check_grads(lambda n: n * 2.0)(3)
    with pytest.raises(InputError, match="no float"):
        dk.check_grads(lambda x: "text")(3.0)
    with pytest.raises(InputError, match='modes are "fwd" and "rev"'):
        dk.check_grads(np.sin, modes=("backward",))
    with pytest.raises(InputError, match="order is"):
        dk.check_grads(np.sin, order=0)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.exp, 1.0),
        (lambda s: 1e8 + np.sin(s), 1.0),
        (lambda s: np.sin(50 * s), 50.0),
        (lambda s: 1 / (1e-3 + s), -1e6),
        (lambda s: np.round(np.sin(s), 9), 1.0),
        (lambda s: 7.0, 0.0),
        (lambda s: np.tanh(300 * s), 300.0),
    ],
)
def test_the_error_of_a_slope_is_an_honest_one(f, slope):
    found, error = slope_at_zero(f, 1e-6)
    assert abs(found - slope) <= error
    assert error <= max(1e-3 * abs(slope), 1e-12)
