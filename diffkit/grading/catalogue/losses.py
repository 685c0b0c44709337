"""Losses: means over a batch, as lectures define them. Targets are not differentiated by."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import enter
from diffkit.grading.catalogue.reductions import log_softmax
from diffkit.grading.draws import at, constant, fixed, labels, mask, normal, scaled
from diffkit.grading.exercises.exercise import Case, Misconception

Array = Any


def squared_error(prediction: Array, target: Array) -> Array:
    """The mean of (prediction - target)^2."""
    return np.mean((prediction - target) ** 2)


def absolute_error(prediction: Array, target: Array) -> Array:
    """The mean of |prediction - target|."""
    return np.mean(np.abs(prediction - target))


def huber(prediction: Array, target: Array, delta: float = 1.0) -> Array:
    """The mean Huber loss: r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2)."""
    r = np.abs(prediction - target)
    return np.mean(np.where(r <= delta, 0.5 * r * r, delta * (r - 0.5 * delta)))


def hinge(score: Array, target: Array) -> Array:
    """The mean of max(0, 1 - target * score), for targets -1 and 1."""
    return np.mean(np.maximum(1.0 - target * score, 0.0))


def cross_entropy(logits: Array, label: Array) -> Array:
    """The mean of -log softmax(logits)[label], for a batch of rows."""
    picked = log_softmax(logits)[np.arange(len(label)), label]
    return -np.mean(picked)


def binary_cross_entropy(logit: Array, target: Array) -> Array:
    """The mean of -log sigmoid(logit) where target is 1, of -log(1 - sigmoid(logit)) where it is 0."""
    return np.mean(np.logaddexp(logit, 0.0) - target * logit)


def _pairs(*more: Case) -> list[Case]:
    return [
        Case("ordinary", normal("n"), fixed(normal("n"))),
        Case("rectangular", normal("nm"), fixed(normal("nm"))),
        Case("one entry", normal("1"), fixed(normal("1"))),
        Case("large", scaled(normal("n"), 1e6), fixed(scaled(normal("n"), 1e6))),
        Case("tiny", scaled(normal("n"), 1e-6), fixed(scaled(normal("n"), 1e-6))),
        *more,
    ]


_HUBER_MISTAKES = (
    Misconception(
        "keyword ignored",
        lambda g, ans, p, t, delta=1.0: (
            g * np.where(np.abs(p - t) <= delta, p - t, np.sign(p - t)) / np.size(p)
        ),
        "delta where the loss is linear",
    ),
)
_HINGE_MISTAKES = (
    Misconception(
        "wrong branch",
        lambda g, ans, s, t: np.where(t * s < 0, -t, 0.0) * g / np.size(s),
        "Look at where the hinge bends: is it at 0 or at the margin?",
    ),
)
_SIGNS = mask(1.0, -1.0, 1.0, -1.0)

enter(squared_error, _pairs())
enter(absolute_error, _pairs(Case("kink", at(0.5, -1.0, 2.0), mask(0.5, 0.5, 0.5))))
enter(
    huber,
    _pairs(
        Case("other delta", scaled(normal("nm"), 2.0), fixed(normal("nm")), delta=2.5),
        Case("where the pieces meet", at(1.0, -1.0, 0.5, 3.0), mask(0.0, 0.0, 0.0, 0.0)),
    ),
    misconceptions=_HUBER_MISTAKES,
)
enter(
    hinge,
    [
        Case("ordinary", normal("4"), _SIGNS),
        Case("rectangular", normal("24"), constant([[1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, -1.0]])),
        Case("one entry", normal("1"), mask(-1.0)),
        Case("kink", at(1.0, -2.0, 0.5, 2.5), mask(1.0, 1.0, 1.0, 1.0)),
        Case("large", scaled(normal("4"), 1e6), _SIGNS),
        Case("tiny", scaled(normal("4"), 1e-6), _SIGNS),
    ],
    misconceptions=_HINGE_MISTAKES,
)
enter(
    cross_entropy,
    [
        Case("a batch", normal("nm"), labels("n", "m")),
        Case("square", normal("nn"), labels("n", "n")),
        Case("one row", normal("1m"), labels("1", "m")),
        Case("the same label twice", normal("nm"), labels("n", "m", repeated=True)),
        Case("saturated", at([-30.0, 2.0, 25.0], [0.5, -1.0, 1.0]), labels("2", "3")),
        Case("overflowing", at([1000.0, 0.0, -1000.0], [0.5, -1.0, 900.0]), labels("2", "3")),
        Case("tiny", scaled(normal("nm"), 1e-6), labels("n", "m")),
    ],
)
enter(
    binary_cross_entropy,
    [
        Case("ordinary", normal("4"), mask(1.0, 0.0, 0.0, 1.0)),
        Case("one entry", normal("1"), mask(1.0)),
        Case("soft targets", normal("3"), mask(0.25, 0.5, 0.9)),
        Case("saturated", at(-30.0, 2.0, -0.5, 25.0), mask(1.0, 0.0, 0.0, 1.0)),
        Case("overflowing", at(-1000.0, 2.0, -0.5, 900.0), mask(1.0, 0.0, 0.0, 1.0)),
        Case("tiny", scaled(normal("4"), 1e-6), mask(1.0, 0.0, 0.0, 1.0)),
    ],
)
