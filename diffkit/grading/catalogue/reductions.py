"""Sums, products and averages along axes, and the running ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import enter
from diffkit.grading.draws import Draw, at, normal, positive, scaled
from diffkit.grading.exercises.exercise import Case, Misconception

Array = Any
Axis = int | tuple[int, ...] | None


def sum_(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum, of all or along axes."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean, of all or along axes."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def var(x: Array, axis: Axis = None, ddof: int = 0) -> Array:
    """The variance, of all or along an axis; divided by n - ddof."""
    return np.var(x, axis=axis, ddof=ddof)


def norm(x: Array) -> Array:
    """The Euclidean length of all entries together."""
    return np.sqrt(np.sum(x * x))


def prod(x: Array, axis: int | None = None) -> Array:
    """The product, of all or along an axis."""
    return np.prod(x, axis=axis)


def nansum(x: Array, axis: Axis = None) -> Array:
    """The sum of the entries that are not nan."""
    return np.nansum(x, axis=axis)


def cumsum(x: Array, axis: int = 0) -> Array:
    """The running sum along an axis."""
    return np.cumsum(x, axis=axis)


def max_(x: Array, axis: int | None = None) -> Array:
    """The largest entry, of all or along an axis."""
    return np.max(x, axis=axis)


def logsumexp(x: Array, axis: int = -1) -> Array:
    """log(sum(exp(x))) along an axis."""
    largest = np.max(x, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - largest), axis=axis)) + np.squeeze(largest, axis=axis)


def logcumsumexp(x: Array) -> Array:
    """The running log(sum(exp(x))) of a vector."""
    n = len(x)
    until = np.tril(np.ones((n, n), dtype=bool))
    rows = np.where(until, np.reshape(x, (1, n)), -np.inf)
    largest = np.max(rows, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(rows - largest), axis=1)) + np.reshape(largest, (n,))


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along an axis."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x - log(sum(exp(x))) along an axis."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _along_axes(*more: Case, keepdims: bool = True, several: bool = True) -> list[Case]:
    cases = [
        Case("a vector", normal("n")),
        Case("all of a matrix", normal("nm")),
        Case("along axis 0", normal("nm"), axis=0),
        Case("along axis 1", normal("nm"), axis=1),
        Case("square along axis 0", normal("nn"), axis=0),
        Case("square along axis 1", normal("nn"), axis=1),
        Case("the middle of three axes", normal("nmk"), axis=1),
        Case("negative axis", normal("nm"), axis=-1),
        Case("large", scaled(normal("n"), 1e6)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ]
    if keepdims:
        cases.insert(4, Case("keepdims", normal("nm"), axis=1, keepdims=True))
        cases.insert(5, Case("keepdims of a square", normal("nn"), axis=0, keepdims=True))
    if several:
        cases.append(Case("two axes of three", normal("nmk"), axis=(0, 2)))
    return cases + list(more)


def _rows(*more: Case, along: bool = True) -> list[Case]:
    """For functions along the last axis unless told otherwise, of logits."""
    cases = [
        Case("a vector", normal("n")),
        Case("one entry", normal("1")),
        Case("saturated", at(-40.0, 2.0, 0.5, 6.0)),
        Case("overflowing", at(1000.0, 999.0, -1000.0)),
        Case("ties", at(1.5, 1.5, -0.5)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ]
    if along:
        cases[1:1] = [
            Case("rows", normal("nm")),
            Case("square", normal("nn")),
            Case("along axis 0", normal("nm"), axis=0),
            Case("square along axis 0", normal("nn"), axis=0),
        ]
    return cases + list(more)


def _with_nan(axes: str) -> Draw:
    inner = normal(axes)

    def values(rng: Any, sizes: Any) -> Array:
        x = inner(rng, sizes)
        x.flat[int(rng.integers(x.size))] = np.nan
        return x

    return Draw(values)


_OTHER_AXIS = "the sum runs along another axis than the one given"


def _softmax_rule(g: Array, ans: Array, axis: Axis) -> Array:
    return ans * (g - np.sum(g * ans, axis=axis, keepdims=True))


def _log_softmax_rule(g: Array, ans: Array, axis: Axis) -> Array:
    return g - np.exp(ans) * np.sum(g, axis=axis, keepdims=True)


_SOFTMAX_MISTAKES = (
    Misconception(
        "wrong axis or keepdims", lambda g, ans, x, axis=-1: _softmax_rule(g, ans, -1), _OTHER_AXIS
    ),
    Misconception(
        "wrong axis or keepdims", lambda g, ans, x, axis=-1: _softmax_rule(g, ans, None), _OTHER_AXIS
    ),
    Misconception("ans for x", lambda g, ans, x, axis=-1: _softmax_rule(g, x, axis), ""),
    Misconception(
        "factor dropped",
        lambda g, ans, x, axis=-1: ans * (g - np.sum(g, axis=axis, keepdims=True)),
        "inside the sum",
    ),
)
_LOG_SOFTMAX_MISTAKES = (
    Misconception(
        "wrong axis or keepdims", lambda g, ans, x, axis=-1: _log_softmax_rule(g, ans, -1), _OTHER_AXIS
    ),
    Misconception(
        "wrong axis or keepdims", lambda g, ans, x, axis=-1: _log_softmax_rule(g, ans, None), _OTHER_AXIS
    ),
    Misconception("ans for x", lambda g, ans, x, axis=-1: g - ans * np.sum(g, axis=axis, keepdims=True), ""),
    Misconception("upstream forgotten", lambda g, ans, x, axis=-1: g - np.exp(ans), "in the sum"),
)
_LOGSUMEXP_MISTAKES = (
    Misconception(
        "wrong axis or keepdims",
        lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * softmax(x, -1),
        _OTHER_AXIS,
    ),
)
_VAR_MISTAKES = (
    Misconception(
        "path dropped",
        lambda g, ans, x, axis=None, ddof=0: _spread(g, axis) * 2 * x / (x.size / ans.size - ddof),
        "the one through the mean",
    ),
    Misconception(
        "wrong axis or keepdims",
        lambda g, ans, x, axis=None, ddof=0: (
            _spread(g, axis) * 2 * (x - np.mean(x)) / (x.size / ans.size - ddof)
        ),
        "the mean is that of all entries",
    ),
)
_CUMSUM_MISTAKES = (
    Misconception(
        "wrong local derivative",
        lambda g, ans, x, axis=0: np.ones_like(x) * np.sum(g, axis=axis, keepdims=True),
        "that of the whole sum, not of the running one",
    ),
)


def _spread(g: Array, axis: Axis) -> Array:
    """A reduced cotangent with its axes put back."""
    return g if axis is None else np.expand_dims(g, axis)


enter(sum_, _along_axes(Case("empty", normal("0"))), "sum")
enter(mean, _along_axes())
enter(
    var,
    _along_axes(
        Case("ddof 1", normal("n"), ddof=1),
        Case("ddof 1 along axis 0", normal("nm"), axis=0, ddof=1),
        keepdims=False,
    ),
    misconceptions=_VAR_MISTAKES,
)
enter(
    norm,
    [
        Case("a vector", normal("n")),
        Case("a matrix", normal("nm")),
        Case("one entry", normal("1")),
        Case("large", scaled(normal("n"), 1e6)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ],
)
enter(
    prod,
    [
        Case("a vector", normal("n")),
        Case("all of a matrix", normal("nm")),
        Case("along axis 0", normal("nm"), axis=0),
        Case("square along axis 1", normal("nn"), axis=1),
        Case("one entry", normal("1")),
        Case("a zero among them", at(0.0, 2.0, -1.5, 0.5)),
        Case("large", scaled(normal("n"), 1e6)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ],
)
enter(
    nansum,
    [
        Case("nan among them", _with_nan("n")),
        Case("none nan", normal("n")),
        Case("all of a matrix", _with_nan("nm")),
        Case("along axis 0", _with_nan("nm"), axis=0),
        Case("square along axis 1", _with_nan("nn"), axis=1),
    ],
)
enter(
    cumsum,
    [
        Case("a vector", normal("n")),
        Case("along axis 0", normal("nm"), axis=0),
        Case("along axis 1", normal("nm"), axis=1),
        Case("square along axis 1", normal("nn"), axis=1),
        Case("empty", normal("0")),
        Case("large", scaled(normal("n"), 1e6)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ],
    misconceptions=_CUMSUM_MISTAKES,
)
enter(
    max_,
    [
        Case("a vector", normal("n")),
        Case("all of a matrix", normal("nm")),
        Case("along axis 0", normal("nm"), axis=0),
        Case("square along axis 1", normal("nn"), axis=1),
        Case("ties", at(2.0, 2.0, -1.0, 0.5)),
        Case("large", scaled(positive("n"), 1e6)),
        Case("tiny", scaled(normal("n"), 1e-6)),
    ],
    "max",
)
enter(logsumexp, _rows(), misconceptions=_LOGSUMEXP_MISTAKES)
enter(logcumsumexp, _rows(along=False))
enter(softmax, _rows(), misconceptions=_SOFTMAX_MISTAKES)
enter(log_softmax, _rows(), misconceptions=_LOG_SOFTMAX_MISTAKES)
