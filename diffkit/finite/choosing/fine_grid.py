"""What the nearest values of f tell, on a grid hardly wider than the spacing of floats: noise and slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from diffkit.finite.choosing.noise import POINTS, along, difference_levels, is_stuck, noise_level
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move

FINE = 0.75
"""The power of the machine epsilon that is the first grid's spacing: thousands of floats, so that f moves,
and yet so short that all differences but the first drown in the rounding of f."""

COARSEST = 1 / 16
"""The first grid ends within half of the direction, wherever the floats are."""

GRIDS = 4
"""How many grids are tried, wider or narrower than the first, where that can't tell."""

NARROWER, WIDER = 64, 2.0**12
"""By how much. A grid on which f stands still is left by more at once: f may be computed in float32."""

WIDEST = 2.0**24
"""No grid is wider than so many times the first."""

LOUD = 1e3
"""What seems noise is questioned if it is so many times the rounding of f's values..."""

TREND = 16
"""...and f rises by less than so many times of it along the whole grid. An oscillation that the grid is too
wide for has no trend beside its size; the rounding of a smooth function nearly always has one."""

SMALL = 1e-3
"""The part of f that its rounding is less than, if it is to be told from an oscillation."""

JUMP = 64
"""If the first value alone makes the noise, and is off by so many times f's rounding, f jumps at x."""

CURVED = 0.05
"""How far the slope along the grid may be from that at x, as a part of it."""

DOUBT = 20
"""And by how many times the noise's share in it: the formula adds up to 8/3, at some three deviations."""

UNIFORM = 2
"""The size of f's errors in standard deviations. Those that are spread evenly, as by rounding, are no larger
than sqrt(3) of them; what is read off eight values is not so exact."""

EVEN = tuple(range(POINTS))
UNEVEN, PARTS = (0, 1 + 25 / 128, 2 - 37 / 128, 3, 4 + 41 / 128, 5 - 19 / 128, 6, 7 + 33 / 128), 128
"""The points of a grid: along an even one 1 + x may be rounded alike at each. Those that tell the slope stay,
and all are whole 128ths of the spacing."""

IRREGULAR = math.sqrt(5) - 1
"""A factor without a pattern in its bits, for the spacing: not a power of two."""

COUNTABLE = 2.0**50
"""Spacings of x beyond which a move need not be a whole number of them."""


class Measured(Protocol):
    """What can be taken at points near x: f, or its derivative by the complex step."""

    argument: Argument

    def attempt(self, moves: Sequence[Move]) -> np.ndarray[Any, Any]: ...


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

    Noise without a trend is looked at again on narrower grids, for it may be an oscillation that the grid
    is too wide for. A quieter grid is believed only if f moves on it, and with another slope: where f is
    constant to the bit, or goes up by one bit at each point, its rounding does not show.

    Args:
        function: f at its point.
        direction: where the grid runs, as long as f's argument is large; the grid is much finer.
    """
    argument = function.argument
    at_x, again = function([None, None])
    repeat = np.abs(again - at_x)
    size = np.abs(at_x)
    epsilon = function.epsilon
    floor = epsilon * size
    first, narrowest = _spacings(argument, direction)
    step = first
    level = np.full(size.shape, np.nan)
    slope, doubt = np.full_like(at_x, np.nan), np.full(size.shape, np.inf)
    heard, quietest = np.zeros(size.shape), np.full(size.shape, np.inf)
    slope_heard, span = slope, np.full(size.shape, step)
    narrower = wider = False
    for _ in range(GRIDS):
        values, places, rise = _on_grid(function, at_x, step * direction)
        if np.isfinite(values).all():
            found = _level(values, places, floor)
            rough = found > JUMP * floor
            if rough.any():  # if f jumps at x, that is not noise
                beside = _level(values[1:], places[1:], floor)
                found = np.where(rough & (beside < found / 8), beside, found)
            new, still = np.isnan(level), is_stuck(values)
            loud = (found > LOUD * epsilon * np.abs(values).max(axis=0)) & (repeat == 0)
            if heard.any():
                # Quieter than a wider grid: f is resolved there only if it moves, and with another slope.
                unresolved = still | (np.abs(rise / step - slope_heard) * span <= heard)
                found = np.where((heard > 0) & (found < heard / 8) & unresolved, heard, found)
                loud &= found != heard
                # As loud on a much narrower grid, and small beside f: that is rounding, no oscillation.
                loud &= (heard == 0) | (found < heard / 8) | (found > SMALL * np.abs(values).max(axis=0))
            if loud.any():
                loud &= (TREND * found > np.abs(values[-1] - values[0])) & ~still
                loud &= step > narrowest and not wider
                again = loud & (heard == 0)
                slope_heard, span = np.where(again, rise / step, slope_heard), np.where(again, step, span)
                heard = np.where(again, found, heard)
            quietest = np.fmin(quietest, found)
            still = still & (step < WIDEST * first and not narrower)
            level = np.where(new & ~loud & ~still, found, level)
            slope = np.where(new, rise / step, slope)
            noise = np.fmax(np.fmax(level, repeat / math.sqrt(2)), floor)
            rounding = CURVED + narrowest / (2 * step)
            doubt = np.where(new, rounding * np.abs(slope) + DOUBT * noise / step, doubt)
            if not np.isnan(level).any() or step == narrowest:
                break
            if still.any() and not loud.any():
                step, wider = WIDER * step, True
                continue
        elif wider:
            break
        step, narrower = max(step / NARROWER, narrowest), True
    level = np.where(np.isnan(level), quietest, level)
    level = UNIFORM * np.where(np.isfinite(level), level, 0)
    noise = np.fmax(np.fmax(level, repeat / math.sqrt(2)), floor)
    return Near(at_x, noise, repeat, slope, doubt, epsilon)


def first_noise(function: Measured, direction: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The size of f's errors as the first grid alone shows it, where an oscillation too fast for it is one.

    Args:
        function, direction: as in :func:`measure`.
    """
    step, _ = _spacings(function.argument, direction)
    (at_x,) = function.attempt([None])
    values, places, _ = _on_grid(function, at_x, step * direction)
    level = _level(values, places, np.zeros(at_x.shape))
    return np.asarray(
        UNIFORM * np.where(np.isnan(level), difference_levels(values, places)[0].min(axis=0), level)
    )


def disguised_noise(
    function: Function, near: Near, direction: np.ndarray[Any, Any], elsewhere: np.ndarray[Any, Any]
) -> Near:
    """What is known near x; where its slope is that of rounding, with the noise that wider grids show.

    cos(x) is the same float all around x = 1e-6, so (1 - cos(x)) / x**2 is as smooth as 1 / x**2 there, up to
    where the cosine changes in its last bit. At that place it jumps, which an oscillation does not.

    Args:
        function, direction: as in :func:`measure`.
        near: what that found.
        elsewhere: the slope of wide differences, where it is another; else nan.
    """
    if np.isnan(elsewhere).all():
        return near
    step, _ = _spacings(function.argument, direction)
    noise = np.fmax.reduce([first_noise(function, wider * direction) for wider in (NARROWER, WIDER)])
    off = step * np.abs(elsewhere - near.slope)
    small = (JUMP * near.noise < noise) & (off < TREND * noise) & (noise < np.abs(near.value))
    if small.any():
        small &= noise < TREND * _steepest(function, near, direction, WIDER * step, int(small.argmax()))
    if not small.any():
        return near
    return replace(
        near,
        noise=np.where(small, noise, near.noise),
        slope=np.where(small, elsewhere, near.slope),
        doubt=np.where(small, np.inf, near.doubt),
    )


def _steepest(
    function: Function, near: Near, direction: np.ndarray[Any, Any], width: float, k: int
) -> np.ndarray[Any, Any]:
    """How far f moves between two neighbours, where its k-th output departs most from the slope beside x."""
    low, high = 0.0, width
    below, above = function.attempt([None, *along(function.argument, direction, (width,))])
    while high - low > 2.0**-60 * width:
        middle = (low + high) / 2
        moves = along(function.argument, direction, (low, middle, high))
        places = [np.asarray(move[1]) for move in moves if move is not None]
        if np.array_equal(places[1], places[0]) or np.array_equal(places[1], places[2]):
            break
        (between,) = function.attempt(moves[1:2])
        trend = near.slope[k] * (middle - low)
        if np.abs(between[k] - below[k] - trend) > np.abs(above[k] - between[k] - trend):
            high, above = middle, between
        else:
            low, below = middle, between
    return np.asarray(np.abs(above - below))


def _spacings(argument: Argument, direction: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The spacing of the first grid, and of the narrowest that there is, in units of the direction."""
    narrowest = 4 * float((argument.spacing / np.abs(direction)).max())
    fine = IRREGULAR * 2.0 ** round(FINE * math.log2(float(argument.epsilon.max())))
    return min(max(fine, narrowest), COARSEST), narrowest


def _on_grid(
    function: Measured, at_x: np.ndarray[Any, Any], move: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], tuple[float, ...], np.ndarray[Any, Any]]:
    """f on a grid from x on: its values, the places in units of the move, and the rise by one move.

    All points are an odd number of spacings off x, or off the one before, so that they are exactly where
    they should be and yet the last bits of x change from one to the next: by powers of two, the rounding of
    50 * x, say, would stay the same all along.
    """
    argument = function.argument
    spacing = argument.spacing.astype(float)
    count = np.abs(move) / spacing  # beside 0 the spacing is no more than 5e-324
    places, unit = (UNEVEN, PARTS * spacing) if count.min() >= 2 * PARTS else (EVEN, spacing)
    move = np.where(count < COUNTABLE, (2 * np.rint((move / unit - 1) / 2) + 1) * unit, move)
    values = np.concatenate([at_x[None], function.attempt(along(argument, move, places[1:]))])
    # the one-sided formula of order 2, at spacing 3 for less noise
    rise = (4 * (values[3] - values[0]) - (values[6] - values[0])) / 6
    return values, places, rise


def _level(
    values: np.ndarray[Any, Any], places: tuple[float, ...], floor: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """The noise on a grid; ``floor`` where the differences shrink below that, for no more shows there."""
    levels, changes = difference_levels(values, places)
    found, _ = noise_level(values, levels, changes)
    jumps = np.abs(values[1:] - values[:-1])
    moving = np.count_nonzero(jumps, axis=0)
    if moving.min(initial=len(jumps)) < len(jumps):
        # Values that stay, and then move again, are rounded to that: half of it is the most they are off.
        least = np.where(jumps > 0, jumps, np.inf).min(axis=0)
        found = np.where((moving > 1) & (moving < len(jumps)), np.fmax(found, least / (2 * UNIFORM)), found)
    return np.where(np.isnan(found) & (levels.min(axis=0) <= floor), floor, found)
