"""The short way for the commonest calls: a float or a vector of floats, and a step given.

What makes :class:`~diffkit.finite.evaluating.function.Function` general costs more than many an f. Here
nothing stands between the evaluations but the formula, with the same points in the same order and the same
arithmetic. Whatever is out of the ordinary (a value that is not finite, a result of another kind, a step
lost beside x) is left to the general way, which knows what to say; the results there are so far go
along, so that f is still run once at each point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.evaluating.function import CHANGES
from diffkit.finite.formula import difference
from diffkit.finite.stencils import FORMS, Stencil, stencil

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
    slope = next(_slopes(formula, map(float, outs), [step]))
    return (slope, f) if isfinite(slope) else (None, _Replayed(f, outs))


def quick_gradient(f: Function, x: Any, form: Any, h: Any, order: Any) -> tuple[Any, Function]:
    """The gradient by a vector of floats: see :func:`~diffkit.finite.gradient`.

    Returns:
        The gradient and f; or None and what to go on with in the place of f.
    """
    formula, points, steps = _along_coordinates(f, x, form, h, order)
    if points is None:
        return None, f
    outs, rest = _collect(f, points)
    if rest is not None:
        return None, rest
    slopes = list(_slopes(formula, map(float, outs), steps))
    return (np.array(slopes), f) if all(map(isfinite, slopes)) else (None, _Replayed(f, outs))


def quick_jacobian(f: Function, x: Any, form: Any, h: Any, order: Any) -> tuple[Any, Function]:
    """The Jacobian of vectors by a vector of floats: see :func:`~diffkit.finite.jacobian`.

    Returns:
        The Jacobian and f; or None and what to go on with in the place of f.
    """
    formula, points, steps = _along_coordinates(f, x, form, h, order)
    if points is None:
        return None, f
    outs, rest = _collect_vectors(f, points)
    if rest is not None:
        return None, rest
    values = np.array(outs)
    if not np.isfinite(values).all():
        return None, _Replayed(f, outs)
    return np.ascontiguousarray(np.array(list(_slopes(formula, iter(values), steps))).T), f


def _along_coordinates(
    f: Any, x: Any, form: Any, h: Any, order: Any
) -> tuple[Stencil, Iterator[Any] | None, list[float]]:
    """The formula, its points for each coordinate, and the steps; no points if this is not a plain call."""
    if type(x) is not np.ndarray or x.ndim != 1 or x.dtype != np.float64 or not _is_plain(f, form, h):
        return stencil(), None, []
    formula = stencil(form, 1, order)
    coordinates = x.tolist()
    steps = [_moved_by(at, h, formula) for at in coordinates]
    if not steps or not all(step > 0 for step in steps):
        return formula, None, []
    return formula, _moved(x, coordinates, steps, formula), steps


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
    points = iter(points)
    for point in points:
        try:
            out = f(point)
        except Exception as error:
            return outs, _Replayed(f, outs, error)
        outs.append(out)
        kind = type(out)
        if kind is not float and kind is not np.float64:
            next(points, None)  # which looks whether f has changed the point
            return outs, _Replayed(f, outs)
    return outs, None


def _collect_vectors(f: Function, points: Iterable[Any]) -> tuple[list[Any], Function | None]:
    """The same for vectors of floats of one length; copies, since f may hand out one array each time."""
    outs: list[Any] = []
    shape: tuple[int, ...] = ()
    points = iter(points)
    for point in points:
        try:
            out = f(point)
        except Exception as error:
            return outs, _Replayed(f, outs, error)
        if type(out) is not np.ndarray or out.ndim != 1 or out.dtype != np.float64:
            next(points, None)
            return outs, _Replayed(f, [*outs, out])
        outs.append(out.copy())
        shape = shape or out.shape
        if out.shape != shape:
            return outs, _Replayed(f, outs)
    return outs, None


def _slopes(formula: Stencil, values: Iterator[Any], steps: list[float]) -> Iterator[Any]:
    """The formula for each step, from the values at x (if it has that point) and beside it."""
    beside = [k for k in formula.points if k]
    y: dict[float, Any] = {0.0: next(values)} if len(beside) < len(formula.points) else {}
    for step in steps:
        for k in beside:
            y[k] = next(values)
        yield difference(formula, y, step)
