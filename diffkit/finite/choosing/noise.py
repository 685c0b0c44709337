"""How noisy a function is: the round-off in its values, measured.

A smooth function's differences shrink from one order to the next on a fine grid; what does not
shrink is noise. J. J. Moré and S. M. Wild, "Estimating computational noise", SIAM Journal on
Scientific Computing 33 (2011), 1292-1314, make that a measurement of six or seven evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move
from diffkit.tables import Table

POINTS = 8
"""Values in a differences table; Moré and Wild find six to eight enough."""


AGREEING = 4
"""Estimates of three orders agree if they are within this factor of each other (Moré and Wild)."""


def difference_levels(
    values: np.ndarray[Any, Any], places: tuple[float, ...] | None = None
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The noise that each order of differences shows, and whether it changes sign there.

    Each order gives its own estimate of the noise: the root mean square of its differences, if the weights
    of each are scaled so that their squares add up to 1. (Where the grid is even, the k-th differences of
    noise of standard deviation s have variance s**2 (2k)! / (k!)**2.)

    Args:
        values: (points, ...) on a grid.
        places: of the points; by default 0, 1, 2, ...

    Returns:
        Estimates (points - 1, ...), for orders 1 up, and bools of the same shape.

    >>> import numpy as np
    >>> levels, changes = difference_levels(np.array([0.0, 1.0, 0.0, 1.0]))
    >>> levels.round(3).tolist(), changes.tolist()
    ([0.707, 0.816, 0.894], [True, True, False])
    """
    matrix, starts, counts = _differencing(tuple(range(len(values))) if places is None else places)
    # From the first value, which is exact, so that the products are; in units whose square a float can hold.
    moved = values.astype(np.result_type(values.dtype, np.float64)) - values[0]
    size = np.abs(moved).max(axis=0)
    size = np.where(size > 0, size, 1)
    table = matrix @ (moved / size)
    squares = np.add.reduceat((table * table.conj()).real, starts)
    levels = size * np.sqrt((squares.T / counts).T)
    low, high = np.minimum.reduceat(table.real, starts), np.maximum.reduceat(table.real, starts)
    return levels, (low < 0) & (high > 0)


@cache
def _differencing(
    places: tuple[float, ...],
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A matrix that makes all the divided differences of values at these places, order by order, scaled;
    the row at which each order starts, and how many it has."""
    t = np.array(places, dtype=float)
    rows: list[np.ndarray[Any, Any]] = []
    starts: list[int] = []
    for k in range(1, len(t)):
        starts.append(len(rows))
        for i in range(len(t) - k):
            gaps = t[i : i + k + 1, None] - t[i : i + k + 1]
            np.fill_diagonal(gaps, 1.0)
            row = np.zeros(len(t))
            row[i : i + k + 1] = 1 / gaps.prod(axis=1)
            rows.append(row / np.linalg.norm(row))
    return np.array(rows), np.array(starts), np.diff([*starts, len(rows)])


def noise_level(
    values: np.ndarray[Any, Any], levels: np.ndarray[Any, Any], changes: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Moré and Wild's choice among the orders: the first of three that agree.

    Args:
        values: (points, ...) on an equally spaced grid.
        levels, changes: their difference table.

    Returns:
        The standard deviation of the noise, one for each output, and a status: 1 where it was
        found, 0 where every value is the same, -1 where the grid is too wide to tell.
    """
    most = np.maximum(np.maximum(levels[:-2], levels[1:-1]), levels[2:])
    least = np.minimum(np.minimum(levels[:-2], levels[1:-1]), levels[2:])
    agree = (most <= AGREEING * least) & changes[:-2]
    first = np.take_along_axis(levels, agree.argmax(axis=0)[None], axis=0)[0]
    level = np.where(agree.any(axis=0), first, np.nan)
    still = (values == values[0]).all(axis=0)
    return np.where(still, 0.0, level), np.where(still, 0, np.where(np.isnan(level), -1, 1))


def is_stuck(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whether f moves in jumps that are long for its size, and seldom or never on this grid.

    So does log(cosh(x)) beside 0, or a function that is computed in float32.
    """
    changes = np.abs(values[1:] - values[:-1])
    idle = 2 * (changes == 0).sum(axis=0) >= len(changes)
    if not idle.any():
        return np.asarray(idle)
    least = np.where(changes > 0, changes, np.inf).min(axis=0)
    return np.asarray(idle & (least > 8 * np.spacing(np.abs(values).max(axis=0))))


def _signs(count: int) -> np.ndarray[Any, Any]:
    """Signs without a pattern, the same each time, so that no symmetry of f hides its noise."""
    return np.where(np.random.default_rng(1).random(count) < 0.5, -1.0, 1.0)


def along(argument: Argument, direction: np.ndarray[Any, Any], ts: Sequence[float]) -> list[Move]:
    """The points x + t * direction."""
    points = argument.flat + np.multiply.outer(np.asarray(ts, dtype=direction.dtype), direction)
    points = points.astype(argument.flat.dtype, copy=False)
    return [(slice(None), argument.rounded(point)) for point in points]


@dataclass(frozen=True)
class Noise:
    """The noise in a function near a point.

    Attributes:
        level: its standard deviation.
        relative: the same over |f(x)|.
        status: "found"; "none" if f is constant there; "h too large" if no three orders agree.
        h: the spacing of the grid.
        values: f on the grid.
        evaluations: how many.
        table: one row per order of differences.

    >>> import numpy as np
    >>> noise = estimate_noise(np.sin, 1.0)
    >>> noise.status, noise.evaluations, noise.level < 1e-15
    ('found', 8, True)
    """

    level: float
    relative: float
    status: str
    h: float
    values: np.ndarray[Any, Any]
    evaluations: int
    table: Table


def estimate_noise(f: Callable[[Any], Any], x: Any, *, h: float | None = None, points: int = POINTS) -> Noise:
    """The noise of f near x by a table of differences (Moré and Wild 2011).

    Args:
        f: a function of one number or array, with a number as result. An array is moved along the
            line through x in a direction with a sign of its own for each coordinate.
        x: the point: a float, or an array of floats of any shape.
        h: the spacing of the grid, in units of max(|x|, 1). It must be so small that f varies
            smoothly over ``points * h`` and so large that f moves; by default 2**-39 for float64,
            and wider or finer by factors of 16 if that shows nothing.
        points: how many values, 4 or more.

    Returns:
        A Noise: the standard deviation, and the table that it was read off.

    Raises:
        InputError: if f returns more than one number, x is not of floats, or h or points is out of range.
        DomainError: if f is not finite on the grid.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> noisy = estimate_noise(lambda x: x * x + 1e-6 * rng.standard_normal(), 1.0)
    >>> 3e-7 < noisy.level < 3e-6, noisy.status
    (True, 'found')
    """
    argument = Argument(x)
    function = Function(f, argument)
    scale = np.fmax(np.abs(argument.flat), 1.0)
    if points < 4:
        raise InputError(f"a differences table needs 4 points or more, got {points}")
    if h is None:
        start = 2.0 ** round(0.75 * math.log2(float(argument.epsilon.max())))
        spacings = [start * 16.0**k for k in (0, 1, -1, 2, 3, 4, 5)]
    elif math.isfinite(h) and h > 0:
        spacings = [h]
    else:
        raise InputError(f"h must be a positive number, got {h!r}")
    for spacing in spacings:
        grid = along(argument, scale * _signs(len(scale)), [spacing * i for i in range(1, points)])
        values = function([None, *grid])
        if not function.is_scalar:
            raise InputError("estimate_noise needs a function with one number as result; got several")
        column = values[:, 0]
        levels, changes = difference_levels(column)
        level, status = noise_level(column, levels, changes)
        if status > 0 and not is_stuck(column):
            break
    size = float(np.abs(column[0]))
    return Noise(
        level=float(level),
        relative=float(level) / size if size else math.inf if level else 0.0,
        status={1: "found", 0: "none", -1: "h too large"}[int(status)],
        h=spacing,
        values=column,
        evaluations=function.evaluations,
        table=Table(
            ["order of differences", "noise estimate", "signs change"],
            [[k + 1, float(a), bool(b)] for k, (a, b) in enumerate(zip(levels, changes, strict=True))],
            caption="Differences table",
        ),
    )
