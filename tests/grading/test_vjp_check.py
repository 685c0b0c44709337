"""``check_vjp``: one rule at one point, with a trace or without."""

from __future__ import annotations

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from diffkit.grading.vjp_check import check_vjp

X = np.array([[1.0, 2.0], [3.0, -4.0]])
Y = np.array([[0.5, 2.0], [1.0, -4.0]])


def test_the_front_door_has_it():
    assert dk.grading.check_vjp is check_vjp


def test_a_right_rule():
    verdict = check_vjp(lambda g, ans, x, y: (g @ y.T, x.T @ g), np.matmul, X, Y)
    assert verdict.passed
    assert verdict.diagnosis is None
    assert [check.status for check in verdict.checks] == ["passed"] * len(verdict.checks)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (lambda g, ans, x, y: (g @ y, x.T @ g), "missing transpose"),
        (lambda g, ans, x, y: (g * y, g * x), "elementwise product"),
        (lambda g, ans, x, y: (-g @ y.T, -x.T @ g), "sign"),
        (lambda g, ans, x, y: (g @ y.T / 2, x.T @ g), "constant factor"),
        (lambda g, ans, x, y: (np.ones_like(g) @ y.T, x.T @ np.ones_like(g)), "upstream forgotten"),
    ],
)
def test_wrong_rules_and_their_names(rule, name):
    verdict = check_vjp(rule, np.matmul, X, Y, seed=1)
    assert not verdict.passed
    assert verdict.diagnosis.name == name


def test_argnum_chooses_the_arguments():
    assert check_vjp(lambda g, ans, x, y: g * y, np.multiply, X, Y, argnum=0).passed
    assert check_vjp(lambda g, ans, x, y: (g * x, g * y), np.multiply, X, Y, argnum=(1, 0)).passed
    assert not check_vjp(lambda g, ans, x, y: (g * y, g * x), np.multiply, X, Y, argnum=(1, 0)).passed


def test_keywords_are_handed_to_both():
    def rule(g, ans, x, axis):
        return np.expand_dims(g, axis) * np.ones_like(x)

    assert check_vjp(rule, np.sum, X, axis=1).passed
    assert not check_vjp(lambda g, ans, x, axis: g * np.ones_like(x), np.sum, X, axis=1).passed


def test_integers_are_held_fixed():
    assert check_vjp(lambda g, ans, x, n: g * n * x ** (n - 1), np.power, 2.0, 3).passed


def test_single_precision_is_allowed_its_own_rounding():
    x = np.array([1.0, 2.5, -3.0], dtype=np.float32)
    assert check_vjp(lambda g, ans, x: 2 * g * x, np.square, x).passed
    verdict = check_vjp(lambda g, ans, x: (2 * g * x).astype(float), np.square, x)
    assert "dtype float64; it must be float32" in verdict.check("contract").message
    assert not check_vjp(lambda g, ans, x: 2.001 * g * x, np.square, x).passed


@pytest.mark.parametrize("x", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("wrong", [1.0, 1.001, 1 + 1e-9])
def test_extreme_scales(x, wrong):
    verdict = check_vjp(lambda g, ans, v: wrong * g * 0.5 / np.sqrt(v), np.sqrt, np.array([x, 2 * x]))
    assert verdict.passed is (wrong == 1.0)


@pytest.mark.parametrize("at_zero", [0.0, 0.3, 1.0])
def test_kinks_never_fail_a_right_rule(at_zero):
    x = np.array([0.0, 1.0, -2.0])
    black_box = lambda x: np.array([max(float(e), 0.0) for e in x])  # noqa: E731
    for fun in (lambda x: np.maximum(x, 0.0), black_box):
        assert check_vjp(lambda g, ans, x: g * np.heaviside(x, at_zero), fun, x).passed
        assert not check_vjp(lambda g, ans, x: g * np.heaviside(x, 2.0 + at_zero), fun, x).passed


@pytest.mark.parametrize("seed", range(5))
def test_black_boxes(seed):
    def fun(x, y):
        return np.array([math.sin(float(a)) * float(b) for a, b in zip(x, y, strict=True)])

    x, y = np.array([0.5, 1.0]), np.array([2.0, -1.0])
    assert check_vjp(lambda g, ans, x, y: (g * np.cos(x) * y, g * np.sin(x)), fun, x, y, seed=seed).passed
    verdict = check_vjp(lambda g, ans, x, y: (g * np.cos(x) * y, -g * np.sin(x)), fun, x, y, seed=seed)
    assert verdict.diagnosis.name == "sign"
    assert not check_vjp(
        lambda g, ans, x, y: (1.0001 * g * np.cos(x) * y, g * np.sin(x)), fun, x, y, seed=seed
    ).passed


@pytest.mark.parametrize("digits", [3, 6, 9])
@pytest.mark.parametrize("x", np.linspace(0.3, 0.7, 25))
def test_a_rounded_black_box_fails_nobody(digits, x):
    def fun(x):
        return round(math.exp(float(x)), digits)

    assert check_vjp(lambda g, ans, x: g * math.exp(x), fun, float(x)).passed


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ((3,), {}, "nothing to differentiate by"),
        ((1.0,), {"argnum": 2}, "there are 1 arguments"),
        ((1.0, 2), {"argnum": 1}, "holds no real floats"),
    ],
)
def test_errors_say_what_to_write_instead(args, options, words):
    with pytest.raises(InputError, match=words):
        check_vjp(lambda g, ans, *a: g, lambda *a: a[0] * 1.0, *args, **options)


def test_a_rule_that_returns_nothing():
    verdict = check_vjp(lambda g, ans, x: None, np.sin, 1.0)
    assert verdict.check("contract").message == "this is not written yet: it returns None"


def test_interrupts_go_through():
    def rule(g, ans, x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_vjp(rule, np.sin, 1.0)


def test_a_kink_that_no_coordinate_sees_fails_no_subgradient():
    def smaller(x):
        return min(abs(float(x[0])), abs(float(x[1])))

    for row in ([0.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.5, 0.5]):
        assert check_vjp(lambda g, ans, x, row=row: g * np.array(row), smaller, np.zeros(2), seed=1).passed
    assert not check_vjp(lambda g, ans, x: g * np.array([3.0, 0.0]), smaller, np.zeros(2), seed=1).passed


@pytest.mark.parametrize("reach", [0.1, 0.02, 0.0])
def test_a_black_box_that_raises_beside_the_point_fails_nobody(reach):
    """Along the axes it is defined; in other directions it raises, at some distance or at once."""

    def inside(v):
        x, y = (float(e) for e in v)
        if abs(x - 0.5) + abs(y - 0.25) > reach and x != 0.5 and y != 0.25:
            raise ValueError("outside of the table")
        return x * y

    point = np.array([0.5, 0.25])
    verdict = check_vjp(lambda g, ans, v: g * v[::-1], inside, point, seed=1)
    assert verdict.passed, str(verdict)
    assert verdict.check("second use").status == ("passed" if reach else "inconclusive")
    assert not check_vjp(lambda g, ans, v: g * v, inside, point, seed=1).passed
