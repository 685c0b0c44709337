"""The truth at an instance: conditioning, kinks, and functions that no trace can enter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diffkit.grading.judging.black_box import MeasuredTruth, extrapolated
from diffkit.grading.judging.hull import distance_to_hull
from diffkit.grading.judging.truth import Truth, traced


def truth_of(f, *args, g=None):
    args = tuple(np.asarray(a, dtype=float) for a in args)
    ans = np.asarray(f(*args))
    places = tuple(range(len(args)))
    g = np.ones(ans.shape) if g is None else np.asarray(g)
    return Truth(traced(f, places), args, {}, places, ans, (g,), function=f), (g,)


def test_tolerance_follows_the_conditioning():
    well, g = truth_of(np.sin, [1.0, 2.0])
    ill, _ = truth_of(lambda x: np.sin(1e6 * x), [1.0, 2.0])
    assert well.tolerance(g)[0].max() < 1e-12
    right = ill(g)[0]
    assert 1e-9 < np.max(ill.tolerance(g)[0] / np.abs(right).max()) < 1e-4


def test_a_right_formula_that_subtracts_large_numbers_is_allowed_for():
    x = np.array([1.0, 1.0 + 1e-6])
    truth, g = truth_of(lambda v: np.log(v[1] - v[0]) * np.ones(1), x)
    exact = 1 / (x[1] - x[0])
    given = np.array([-exact, exact]) * (1 + 1e-11)
    assert np.all(np.abs(given - truth(g)[0]) <= truth.tolerance(g)[0])


@pytest.mark.parametrize(
    ("f", "x", "kinked"),
    [
        (np.abs, [1.0, 0.0], True),
        (np.abs, [1.0, 1e-3], False),
        (lambda x: np.maximum(x, 0.0), [0.0, 1.0], True),
        (np.max, [2.0, 2.0, 1.0], True),
        (np.max, [2.0, 2.1, 1.0], False),
        (lambda x: x * np.abs(x), [0.0, 1.0], False),
        (np.sqrt, [1e-12, 1.0], False),
        (lambda x: np.clip(x, -1.0, 1.0), [1.0, 0.0], True),
        (lambda x: 1 / x, [1e-9, 1.0], False),
    ],
)
def test_kinks_are_found_by_looking(f, x, kinked):
    assert truth_of(f, x)[0].kinked is kinked


def test_the_pieces_at_a_tie_are_the_choices():
    truth, g = truth_of(np.maximum, [1.0], [1.0])
    pieces = {tuple(float(np.round(c[0], 6)) for c in piece) for piece in truth.pieces(g)}
    assert pieces == {(1.0, 0.0), (0.0, 1.0)}


@pytest.mark.parametrize("seed", range(20))
def test_distance_to_hull_against_random_points(seed):
    rng = np.random.default_rng(seed)
    corners = rng.standard_normal((6, 3))
    weights = rng.dirichlet(np.ones(6))
    assert distance_to_hull(weights @ corners, corners) < 1e-7
    normal = rng.standard_normal(3)
    normal /= np.linalg.norm(normal)
    top = corners[np.argmax(corners @ normal)]
    assert abs(np.linalg.norm(top + 2 * normal - top) - 2) < 1e-12
    assert distance_to_hull(top + 2 * normal, corners) > 2 / np.sqrt(3) - 1e-9


# -- black boxes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "derivative", "x"),
    [
        (math.exp, math.exp, 0.7),
        (math.sin, math.cos, 3.0),
        (math.log, lambda x: 1 / x, 1e-3),
        (lambda x: x**7, lambda x: 7 * x**6, 2.0),
        (math.atan, lambda x: 1 / (1 + x * x), 50.0),
        (math.gamma, None, 4.5),
    ],
)
def test_extrapolated_differences_know_their_error(f, derivative, x):
    found, error = extrapolated(lambda t: np.array([f(x + t) if x + t > 0 else np.nan]), x / 4)
    exact = derivative(x) if derivative else math.gamma(4.5) * 1.3888709263595289  # digamma(4.5)
    assert abs(found[0] - exact) <= 10 * error[0]
    assert error[0] <= 1e-9 * abs(exact)


def measured(f, *args, g=None):
    ans = np.asarray(f(*args), dtype=float)
    g = np.ones(ans.shape) if g is None else g
    return MeasuredTruth(f, args, {}, tuple(range(len(args))), ans, (g,)), (g,)


def test_a_black_box_of_two_arguments():
    x, y = np.array([0.5, 1.5]), np.array([2.0, -1.0])
    truth, g = measured(lambda x, y: np.array([math.sin(a) * b for a, b in zip(x, y, strict=True)]), x, y)
    assert np.allclose(truth(g)[0], np.cos(x) * y, rtol=1e-9)
    assert np.allclose(truth(g)[1], np.sin(x), rtol=1e-9)
    assert not truth.kinked


def relu(v):
    return np.array([max(float(e), 0.0) for e in v])


def test_a_black_box_at_a_kink():
    truth, g = measured(relu, np.array([0.0, 1.0]))
    assert truth.kinked
    pieces = {tuple(np.round(piece[0], 3).tolist()) for piece in truth.pieces(g)}
    assert pieces == {(0.0, 1.0), (1.0, 1.0)}


@pytest.mark.parametrize("x", [1e-9, -1e-9])
def test_a_black_box_right_beside_a_kink(x):
    """Differences with a step larger than 1e-9 would say 1/2, and be quite sure of it."""
    truth, g = measured(relu, np.array([x, 1.0]))
    assert truth(g)[0][0] == pytest.approx(float(x > 0), abs=1e-6)


def test_small_inputs_do_not_make_the_truth_unknown():
    truth, g = measured(lambda v: np.array([math.sin(v[0] + 1.0) + v[1]]), np.array([1e-9, 1.0]))
    assert truth(g)[0][0] == pytest.approx(math.cos(1.0 + 1e-9), rel=1e-11)
    assert truth.tolerance(g)[0][0] < 1e-8
