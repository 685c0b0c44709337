"""The short way for the commonest calls: a float or a vector of floats, a step given, one number back.

What makes :class:`~diffkit.finite.evaluation.Function` general costs more than many an f. Here nothing
stands between the evaluations but the formula, with the same points in the same order and the same
arithmetic. Whatever is out of the ordinary (a value that is not finite, a result that is not one float, a
step lost beside x) is left to the general way, which knows what to say; the results there are so far go
along, so that f is still run once at each point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.evaluation import CHANGES
from diffkit.finite.stencils import FORMS, Stencil, stencil

__all__ = ["quick_derivative", "quick_gradient"]

Function = Callable[[Any], Any]


def quick_derivative(f: Function, x: Any, form: Any, h: Any, order: Any, n: Any) -> tuple[Any, Function]:
    """The n-th derivative of a function of one float: see :func:`~diffkit.finite.derivative`.

    Returns:
        The derivative and f; or None and what to go on with in the place of f.
    """
    if (type(x) is not float and type(x) is not np.float64) or not _is_plain(f, form, h):
        return None, f
    formula = stencil(form, n, order)
    x = float(x)
    step = _moved_by(x, h, formula)
    if formula.n > 2 or not step > 0:
        return None, f
    points = [x + k * step for k in formula.points if k]
    if 0.0 in formula.points:
        points.insert(0, x)
    outs, rest = _collect(f, points)
    if rest is not None:
        return None, rest
    slopes = _combined(formula, outs, [step])
    return (None, _Replayed(f, outs)) if slopes is None else (slopes[0], f)


def quick_gradient(f: Function, x: Any, form: Any, h: Any, order: Any) -> tuple[Any, Function]:
    """The gradient by a vector of floats: see :func:`~diffkit.finite.gradient`.

    Returns:
        The gradient and f; or None and what to go on with in the place of f.
    """
    if type(x) is not np.ndarray or x.ndim != 1 or x.dtype != np.float64 or not _is_plain(f, form, h):
        return None, f
    formula = stencil(form, 1, order)
    coordinates = x.tolist()
    steps = [_moved_by(at, h, formula) for at in coordinates]
    if not steps or not all(step > 0 for step in steps):
        return None, f
    outs, rest = _collect(f, _moved(x, coordinates, steps, formula))
    if rest is not None:
        return None, rest
    slopes = _combined(formula, outs, steps)
    return (None, _Replayed(f, outs)) if slopes is None else (np.array(slopes), f)


class _Replayed:
    """f with its first results, or the error it ended with, at hand."""

    def __init__(self, f: Function, outs: list[Any], error: Exception | None = None) -> None:
        self.f, self.outs, self.error = f, outs[::-1], error
        self.__name__ = getattr(f, "__name__", "f")

    def __call__(self, x: Any) -> Any:
        if self.outs:
            return self.outs.pop()
        if self.error is not None:
            raise self.error
        return self.f(x)


def _is_plain(f: Any, form: Any, h: Any) -> bool:
    kind = type(h)
    return callable(f) and type(form) is str and form in FORMS and (kind is float or kind is int) and h > 0


def _moved_by(x: float, h: float, formula: Stencil) -> float:
    """What is left of the step after it has been added to x and rounded; nan if x is not finite."""
    return x - (x - h) if formula.form == "backward" else (x + h) - x


def _moved(x: Any, coordinates: list[float], steps: list[float], formula: Stencil) -> Iterator[Any]:
    """The points of all the formulas, each in an array of its own, which f may do with what it likes.

    But if it changes the first one, its value may be another than it seems, and that is refused.
    """
    copy = x.copy
    unseen = True
    if 0.0 in formula.points:
        point = copy()
        yield point
        _refuse_change(point, x)
        unseen = False
    beside = [k for k in formula.points if k]
    for i, (at, step) in enumerate(zip(coordinates, steps, strict=True)):
        for k in beside:
            point = copy()
            point[i] = at + k * step
            if unseen:
                kept = point.copy()
                yield point
                _refuse_change(point, kept)
                unseen = False
            else:
                yield point


def _refuse_change(point: Any, kept: Any) -> None:
    if point.shape != kept.shape or point.tobytes() != kept.tobytes():
        raise InputError(CHANGES)


def _collect(f: Function, points: Iterable[Any]) -> tuple[list[Any], Function | None]:
    """f's values, and what to go on with where they are not all floats, or f fails."""
    outs: list[Any] = []
    for point in points:
        try:
            out = f(point)
        except Exception as error:
            return outs, _Replayed(f, outs, error)
        outs.append(out)
        kind = type(out)
        if kind is not float and kind is not np.float64:
            return outs, _Replayed(f, outs)
    return outs, None


def _combined(formula: Stencil, outs: list[Any], steps: list[float]) -> list[float] | None:
    """The formula for each step; None if a result is not finite."""
    numerators, denominator = formula.integers
    terms = list(zip(formula.points, numerators, strict=True))
    values = map(float, outs)
    at_x = next(values) if 0.0 in formula.points else 0.0
    slopes = []
    for step in steps:
        total = 0.0
        for k, w in terms:
            total += w * (next(values) if k else at_x)
        slope = total / (denominator * (step if formula.n == 1 else step * step))
        if not isfinite(slope):
            return None
        slopes.append(slope)
    return slopes
