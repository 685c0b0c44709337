"""What the nearest values of f tell, on a grid hardly wider than the spacing of floats: noise and slope."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.finite.choosing.noise import POINTS, difference_levels, is_stuck, noise_level
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move

__all__ = ["Near", "measure"]

GRIDS = 4
"""How many grids are tried, wider or narrower than the first, where that can't tell."""

LOUD, LOUDER = 1e3, 4
"""Noise of so many times the machine epsilon, and of so many times what the rounding of x makes of the
slope, is looked at again on a narrower grid."""

JITTER = np.array([0, 2, -1, 3, -3, 1, -2, 3])
"""How many spacings of x the points of a grid are off it, so that their last bits have no pattern."""


@dataclass(frozen=True)
class Near:
    """What a grid hardly wider than the spacing of floats tells of f; one entry per output.

    Attributes:
        value: f(x).
        noise: the size of the errors in f's values.
        repeat: how much two runs at the same point differ.
        slope: df/dt along the grid's direction.
        doubt: how far the slope may be off, by the noise and by the rounding of the grid's points.
        epsilon: the machine epsilon of the output's dtype.
    """

    value: np.ndarray[Any, Any]
    noise: np.ndarray[Any, Any]
    repeat: np.ndarray[Any, Any]
    slope: np.ndarray[Any, Any]
    doubt: np.ndarray[Any, Any]
    epsilon: np.ndarray[Any, Any]


def measure(function: Function, direction: np.ndarray[Any, Any]) -> Near:
    """f's values at x, the noise in each output, that between two runs at one point, and the slope.

    The noise is never taken to be less than the machine epsilon of the output: what difference
    tables see of a good implementation is often below that, but nobody promised it would stay so.

    Args:
        function: f at its point.
        direction: where the grid runs, as long as f's argument is large; the grid is much finer.
    """
    argument = function.argument
    again = function([None, None])
    repeat = np.abs(again[1] - again[0])
    step = 2.0 ** round(0.75 * math.log2(float(argument.epsilon.max())))
    level = np.full(again.shape[1:], np.nan)
    epsilon = np.concatenate(
        [
            np.full(math.prod(shape), np.finfo(dtype).eps)
            for shape, dtype in zip(function.shapes, function.dtypes, strict=True)
        ]
    )
    floor = epsilon * np.abs(again[0])
    slope, doubt = np.full_like(again[0], np.nan), np.full(level.shape, np.inf)
    least, heard = np.full(level.shape, np.nan), np.zeros(level.shape, dtype=bool)
    loudest = np.zeros(level.shape)
    narrowest = min(step, 4 * float(np.abs(argument.spacing / direction).max()))
    widest = 2.0**24 * step
    narrower = wider = False
    for _ in range(GRIDS):
        raw, values, one = _on_grid(function, again[0], step * direction, jitter=not narrower)
        if np.isfinite(raw).all():
            new = np.isnan(level)
            with np.errstate(over="ignore"):
                rise = one / step
            rounding = narrowest / (2 * step)
            slope = np.where(new, rise, slope)
            doubt = np.where(new, (0.05 + rounding) * np.abs(rise), doubt)
            # Where f stands still and then jumps, the grid is too narrow.
            stuck = is_stuck(raw) & (step < widest) & (not narrower)
            found, quietest = _level(values, floor)
            if (found > 64 * floor).any():  # if f jumps at x, that is not noise
                beside, _ = _level(values[1:], floor)
                found = np.where(beside < found / 8, beside, found)
            # On a narrower grid than that of a jump of f's values, log(cosh(x)) say, they are all the same.
            found = np.where(heard & (values == values[0]).all(axis=0), loudest, found)
            # What seems noise may be an oscillation that the grid is too wide for: a narrower one tells.
            # But where f is nearly zero, the rounding of x alone is loud beside its values.
            loud = (found > LOUD * epsilon * np.abs(values).max(axis=0)) & (repeat == 0)
            loud &= ~(heard & (found == loudest))
            loud &= ~stuck
            loud &= (found > LOUDER * epsilon * np.abs(rise)) & (step > narrowest) & (not wider)
            loudest = np.where(loud & ~heard, found, loudest)
            heard |= loud
            least = np.fmin(least, quietest)
            level = np.where(np.isnan(level) & ~loud & ~stuck, found, level)
            noise = np.fmax(np.fmax(level, repeat / math.sqrt(2)), floor)
            with np.errstate(over="ignore"):
                doubt = np.where(new, doubt + 20 * noise / step, doubt)
            if not np.isnan(level).any() or step == narrowest:
                break
            if stuck.any() and not loud.any():
                step, wider = 2.0**12 * step, True
                continue
        elif wider:
            break
        step, narrower = max(step / 64, narrowest), True
    level = np.where(np.isnan(level) & heard, least, level)
    noise = np.fmax(np.fmax(level, repeat / math.sqrt(2)), floor)
    return Near(again[0], noise, repeat, slope, doubt, epsilon)


def _on_grid(
    function: Function, at_x: np.ndarray[Any, Any], move: np.ndarray[Any, Any], *, jitter: bool
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """f on a grid from x on: its values, the same without what the jitter adds, and the rise by one move."""
    argument = function.argument
    move = _ragged(argument, move)
    alone = len(move) == 1
    shifts = JITTER * float(argument.spacing[0]) if jitter and alone else np.zeros(POINTS)
    points = [argument.flat + (i * move + shifts[i]) for i in range(1, POINTS)]
    grid: list[Move] = [(slice(None), argument.rounded(each.astype(argument.flat.dtype))) for each in points]
    values = np.concatenate([at_x[None], function.attempt(grid)])
    # the one-sided formula of order 2, at spacing 3 for less noise
    with np.errstate(over="ignore", invalid="ignore"):
        one = (4 * (values[3] - values[0]) - (values[6] - values[0])) / 6
        if not (jitter and alone):
            return values, values, one
        return values, values - np.multiply.outer(shifts / float(move[0]), one).astype(values.dtype), one


def _ragged(argument: Argument, move: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A move of about this size that is an odd number of spacings of x in each coordinate.

    Each point of the grid is then exactly where it should be, and yet the last bits of x change from one
    to the next. Powers of two leave them alone, and the rounding of 50 * x, say, stays the same all along
    the grid: it would not show as noise.
    """
    spacing = argument.spacing.astype(float)
    with np.errstate(over="ignore"):  # beside 0 the spacing is no more than 5e-324
        count = np.abs(move) / spacing
        odd = (2 * np.rint(move / (2 * spacing)) + 1) * spacing
    ragged = np.where(count < 2.0**50, odd, 1.0012345678912345 * move)
    return np.asarray(np.where(count > 64, ragged, move))


def _level(
    values: np.ndarray[Any, Any], floor: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The noise on a grid, and the least of all orders of differences.

    It is ``floor`` where the differences shrink below that, for no more shows there.
    """
    levels, changes = difference_levels(values)
    found, _ = noise_level(values, levels, changes)
    least = levels.min(axis=0)
    return np.where(np.isnan(found) & (least <= floor), floor, found), least
