"""The truth about a function that no trace can enter: extrapolated differences, with their error.

Every column of the Jacobian is a table of central differences with halved steps, extrapolated to
h = 0 (Ridders, 1982); where two neighbouring entries of the table agree best is the estimate, and how
well they agree is its error. Kinks show in one-sided differences that disagree. The estimate
of an error is no bound: where it is not small, the answer is "inconclusive", which fails nobody.

>>> x, g = np.array([0.5, 2.0]), (np.array([1.0, 1.0]),)
>>> truth = MeasuredTruth(lambda v: np.array([np.sin(v[0]) * v[1], v[1] ** 2]), (x,), {}, (0,), x, g)
>>> np.round(truth(g)[0], 9)
array([1.75516512, 4.47942554])
>>> bool(truth.tolerance(g)[0].max() < 1e-7)
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.grading.judging.truth import EPS, ROUNDING, Linearize, Pull, Seeds, Truth

Array = np.ndarray[Any, Any]

LEVELS = 22
"""Halvings of the step: from a fourth of the input's size down to the size of round-off."""

FIRST_STEP = 0.25

SAFETY = 10.0
"""Errors are taken to be so many times their estimate."""

AROUND = 2.0**-13
"""How far from a kink, relative to the input, the smooth pieces beside it are measured."""


def extrapolated(f: Callable[[float], Array], h: float) -> tuple[Array, Array]:
    """The derivative of f at 0 and its estimated error, for each entry of f.

    Two tables with different steps are made. What noise in f does to them differs, so that their
    disagreement shows it where either alone may agree with itself by chance (a rounded f has
    differences that repeat).

    Args:
        f: takes a shift to an array; entries that are not finite leave their steps out.
        h: the first step.

    >>> derivative, error = extrapolated(lambda t: np.array([np.exp(t)]), 0.25)
    >>> bool(abs(derivative[0] - 1) <= 10 * error[0] < 1e-9)
    True
    """
    with np.errstate(all="ignore"):
        rough = _noise(f, h / 64)
        best, error = _table(f, h, rough)
        for factor in (0.73, 0.59):
            other, off = _table(f, factor * h, rough)
            best, error = (
                np.where(off < error, other, best),
                np.fmax(np.fmin(error, off), np.abs(other - best)),
            )
    return best, error


def _table(f: Callable[[float], Array], h: float, rough: Array) -> tuple[Array, Array]:
    """One table of central differences, whose errors fall as h^2, h^4, ..."""

    def quotient(step: float) -> tuple[Array, Array]:
        up, down = f(step), f(-step)
        return (up - down) / (2 * step), (4 * EPS * (np.abs(up) + np.abs(down)) + rough) / step

    return _extrapolate(quotient, h, ratio=4.0, columns=8, shape=np.shape(rough))


def _extrapolate(
    quotient: Callable[[float], tuple[Array, Array]],
    h: float,
    ratio: float,
    columns: int,
    shape: tuple[int, ...],
) -> tuple[Array, Array]:
    """The table of a quotient with halved steps; of it the entry that agrees best with its neighbours.

    Args:
        quotient: takes a step to the quotient and the size of the noise in it.
        h: the first step.
        ratio: what halving the step divides the error's first term by; every further term by as much more.
        columns: how many terms are taken away.
        shape: the shape of a quotient.
    """
    best, error = np.full(shape, np.nan), np.full(shape, np.inf)
    previous: list[Array] = []
    with np.errstate(all="ignore"):
        for level in range(LEVELS):
            first, noise = quotient(h / 2.0**level)
            row = [first]
            for k, left in enumerate(previous[:columns]):
                row.append(row[k] + (row[k] - left) / (ratio ** (k + 1) - 1))
                off = np.fmax(np.abs(row[k + 1] - row[k]), np.abs(row[k + 1] - left)) + noise
                better = np.isfinite(row[k + 1]) & (off < error)
                best, error = np.where(better, row[k + 1], best), np.where(better, off, error)
            previous = row
    return best, error


def _noise(f: Callable[[float], Array], spacing: float, first: int = -4) -> Array:
    """The size of what is not smooth in f: its sixth differences, scaled (More and Wild, 2011).

    The least that is found at several spacings: noise is there at all of them, but what is smooth and
    changes within one (an oscillation) is not at those far below. A spacing at which f mostly stands still
    says nothing: a staircase is flat between its steps.
    """
    least: Array | None = None
    for power in range(4):
        rough, moving = [], []
        for factor in (1.0, 0.617, 0.381):  # the steps of a staircase may fit one spacing, not all
            apart = factor * spacing / 16.0**power
            values = np.array([f((first + k) * apart) for k in range(9)])
            sixth = np.abs(np.diff(values, 6, axis=0)).max(axis=0) / math.sqrt(924)
            rough.append(np.where(np.isfinite(sixth), sixth, 0.0))
            moving.append((np.diff(values, axis=0) != 0).sum(axis=0) >= 6)
        most = np.maximum.reduce(rough)
        telling = np.logical_and.reduce(moving)
        least = most if least is None else np.where(telling, np.minimum(least, most), least)
    assert least is not None
    return least


def _one_sided(f: Callable[[float], Array], h: float, sign: float) -> tuple[Array, Array]:
    """The one-sided derivative and its error: as above, with errors that fall as h, h^2, ..."""
    with np.errstate(all="ignore"):
        middle = f(0.0)
        rough = _noise(f, sign * h / 64, first=0)

    def quotient(step: float) -> tuple[Array, Array]:
        beside = f(step)
        return (beside - middle) / step, (4 * EPS * (np.abs(beside) + np.abs(middle)) + rough) / abs(step)

    return _extrapolate(quotient, sign * h, ratio=2.0, columns=6, shape=middle.shape)


def _improved(f: Callable[[float], Array], column: Array, error: Array, h: float) -> tuple[Array, Array]:
    """Larger steps, which round-off disturbs less, where they do not contradict the smaller ones.

    They would where they reach across a kink.
    """
    other, off = extrapolated(f, h)
    with np.errstate(all="ignore"):
        better = (off < error) & (np.abs(other - column) <= SAFETY * error)
    return np.where(better, other, column), np.where(better, off, error)


class MeasuredTruth(Truth):
    """A :class:`Truth` from values of the function alone. Arguments as there, with ``function`` first."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        differentiated: tuple[int, ...],
        ans: Any,
        seeds: Seeds,
        rounding: float = ROUNDING,
    ) -> None:
        self.measured_function = function
        super().__init__(self._linearize(), args, kwargs, differentiated, ans, seeds, 0.0, rounding)

    def _linearize(self) -> Linearize:
        def linearize(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pull:
            blocks = self._blocks(args, kwargs, FIRST_STEP)
            return lambda seeds: tuple(
                np.tensordot(seeds[0], block, axes=np.ndim(seeds[0])) for block, _ in blocks
            )

        return linearize

    def _along(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], place: int, index: Any
    ) -> Callable[[float], Array]:
        def f(shift: float) -> Array:
            moved = np.array(args[place], dtype=float)
            moved[index] += shift
            given = moved if isinstance(args[place], np.ndarray) else float(moved)
            shifted = [given if k == place else a for k, a in enumerate(args)]
            return self._measure(shifted, kwargs)

        return f

    def _measure(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Array:
        """The function's value; nan, which leaves the step out, where it raises."""
        try:
            return np.asarray(self.measured_function(*args, **kwargs), dtype=float)
        except (ArithmeticError, ValueError):
            return np.full(np.shape(self.ans), np.nan)

    def _size(self, value: Any, index: Any) -> float:
        entries = np.abs(np.asarray(value, dtype=float))
        return float(entries[index] or entries.max(initial=0.0) or 1.0)

    def _blocks(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], step: float
    ) -> list[tuple[Array, Array]]:
        """For each differentiated argument the Jacobian, answer's axes first, and its errors."""
        blocks = []
        for place in self.differentiated:
            x = np.asarray(args[place], dtype=float)
            columns, errors = [], []
            for index in np.ndindex(x.shape):
                f = self._along(args, kwargs, place, index)
                column, error = extrapolated(f, step * self._size(x, index))
                column, error = _improved(f, column, error, step * (np.abs(x).max() or 1.0))
                columns.append(column)
                errors.append(error)
            shape = (*np.shape(self.ans), *x.shape)
            blocks.append(
                (
                    np.stack(columns, axis=-1).reshape(shape) if columns else np.zeros(shape),
                    np.stack(errors, axis=-1).reshape(shape) if errors else np.zeros(shape),
                )
            )
        return blocks

    @cached_property
    def _measured(self) -> list[tuple[Array, Array]]:
        return self._blocks(self.args, self.kwargs, FIRST_STEP)

    def __call__(self, seeds: Seeds) -> tuple[Array, ...]:
        """The right answer as far as it is known; nan where nothing is."""
        axes = np.ndim(seeds[0])
        return tuple(np.tensordot(seeds[0], block, axes=axes) for block, _ in self._measured)

    def tolerance(self, seeds: Seeds) -> tuple[Array, ...]:
        """The estimated error of the differences, ten times over, and the rounding of the rule."""
        axes = np.ndim(seeds[0])
        found = []
        for block, error in self._measured:
            off = np.tensordot(np.abs(seeds[0]), SAFETY * error, axes=axes)
            size = np.tensordot(np.abs(seeds[0]), np.abs(block), axes=axes)
            found.append(off + self.rounding * (size + np.abs(size).max(initial=0.0)))
        return tuple(found)

    @cached_property
    def kinked(self) -> bool:
        """Whether one-sided derivatives disagree along some coordinate, or in between."""
        for place in self.differentiated:
            x = np.asarray(self.args[place], dtype=float)
            for index in np.ndindex(x.shape):
                f = self._along(self.args, self.kwargs, place, index)
                size = FIRST_STEP * self._size(x, index)
                (right, off_right), (left, off_left) = _one_sided(f, size, 1.0), _one_sided(f, size, -1.0)
                gap = np.abs(right - left)
                allowed = SAFETY * (off_right + off_left) + 1e-6 * (np.abs(right) + np.abs(left))
                if np.any(gap > allowed):
                    return True
        return any(self._bends(signs) for signs in self._directions(4))

    def _bends(self, signs: Sequence[Array]) -> bool:
        """Whether f leaves the plane of its coordinates' derivatives: min(|x|, |y|) at 0 does."""
        points = [
            np.asarray(a, dtype=float) if k in self.differentiated else a for k, a in enumerate(self.args)
        ]
        steps = [
            np.where(p == 0, np.abs(p).max(initial=0.0) or 1.0, np.abs(p)) * sign
            if k in self.differentiated
            else np.zeros(())
            for k, (p, sign) in enumerate(zip(points, signs, strict=True))
        ]

        def f(shift: float) -> Array:
            moved = [
                _like(a, points[k] + shift * steps[k]) if k in self.differentiated else a
                for k, a in enumerate(self.args)
            ]
            return self._measure(moved, self.kwargs)

        plane, off = np.zeros(np.shape(self.ans)), np.zeros(np.shape(self.ans))
        for place, (block, error) in zip(self.differentiated, self._measured, strict=True):
            axes = np.ndim(points[place])
            plane = plane + np.tensordot(block, steps[place], axes=axes)
            off = off + np.tensordot(error, np.abs(steps[place]), axes=axes)
        for sign in (1.0, -1.0):
            slope, error = _one_sided(f, FIRST_STEP, sign)
            allowed = SAFETY * (error + off) + 1e-6 * (np.abs(slope) + np.abs(plane))
            if np.any(np.abs(slope - plane) > allowed):
                return True
        return False

    @cached_property
    def _neighbours(self) -> list[Pull]:
        """The derivatives at points around, where their errors are small; none if f is noisy.

        A noisy f seems to have kinks, and at distances as small as these its pieces are those of the noise.
        """
        found: list[Pull] = []
        for place in self.differentiated:
            x = np.asarray(self.args[place], dtype=float)
            for index in np.ndindex(x.shape):
                f = self._along(self.args, self.kwargs, place, index)
                spacing = FIRST_STEP / 64 * self._size(x, index)
                for sign in (1.0, -1.0):
                    rough = _noise(f, sign * spacing, first=0)
                    if np.any(rough > 1e-9 * (np.abs(f(0.0)) + np.abs(f(sign * spacing)))):
                        return []
        for signs in self._directions(24):
            moved = [
                a + AROUND * np.vectorize(lambda e, a=a: abs(e) or np.abs(a).max() or 1.0)(a) * signs[k]
                if k in self.differentiated
                else a
                for k, a in enumerate(map(_as_float, self.args))
            ]
            blocks = self._blocks(moved, self.kwargs, AROUND / 32)
            if all(np.all(error <= 1e-4 * (1 + np.abs(block))) for block, error in blocks):
                found.append(_pull(blocks))
        return found

    at_kink = 1e-3
    """The pieces are measured beside the kink, and their derivatives change on the way to it."""


def _like(given: Any, moved: Array) -> Any:
    return moved if isinstance(given, np.ndarray) else float(moved)


def _as_float(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(float) if array.dtype.kind == "f" else value


def _pull(blocks: list[tuple[Array, Array]]) -> Pull:
    return lambda seeds: tuple(np.tensordot(seeds[0], block, axes=np.ndim(seeds[0])) for block, _ in blocks)
