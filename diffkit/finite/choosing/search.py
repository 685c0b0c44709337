"""The derivative that leads the truncation error, by coarse differences that are refined until they agree.

In the manner of P. E. Gill, W. Murray, M. A. Saunders and M. H. Wright (1983): see
:mod:`~diffkit.finite.choosing.measuring`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from diffkit.errors import DomainError
from diffkit.finite.choosing.fine_grid import Near
from diffkit.finite.choosing.noise import along
from diffkit.finite.evaluating.function import Function
from diffkit.finite.stencils import Stencil, weights

WIDEST = 0.5
"""How far from x the widest differences reach, in units of its scale."""

NEARER = 8
"""By how much they are made finer where that far away f^(m) shows, but may be another than at x."""

LOUDEST = 1e-2
"""Relative noise beyond which the first differences are not made any wider."""

NARROWEST = 16
"""Where refining ends, in machine epsilons, if the differences have not settled until then."""

FINER, OUTSIDE = 3.7, 64
"""By how much. Not a whole number, so that an oscillation missed by both grids is a rare accident. By more
where f has no values."""

AGREEING = 1.25
"""Two estimates agree within this factor, FINER**(1/6): f^(m) grows no faster towards x than h**(-1/6)."""

AUDIBLE = 3
"""How far a difference must be above what noise makes of it at most, to be more than noise."""

EXPLAINED = 4
"""A slope may change by so many times the truncation error that the derivative found makes of it."""

LAST = 6
"""Rungs on which a power law is seen."""

FALLING = 0.75
"""From one rung to the next, of estimates that fall for as long as the step does."""

UNGUARDED = 1e-34
"""Beside 0, what programs keep logarithms and quotients from, 1e-8 to 1e-30 mostly, is larger than this."""

LEVEL, SLOPED, STEEPER = 0.05, 0.9, 0.1
"""Of the powers of h by which values and difference quotients go: a jump's is 0 but for so much; that of a
slope is 1, and less than so much if it is infinite; a quotient that grows by more has no limit."""


@dataclass
class Search:
    """One line through x, along which f^(m) is looked for, m being ``coarse.n``; arrays by output.

    Coarse differences, refined until two agree, or until the finer one drowns in the noise; then the
    coarser one counts, or what could hide in the noise of the widest. Two may agree by chance where f
    oscillates between the points; so the n-th derivative from the same values must not change by more than
    they explain either. And along the ``first`` line, where the slope is known from a grid hardly wider
    than the spacing of floats, it must be the same slope: sin at 1e10 shows any slope at all to steps of
    some thousands.

    Attributes:
        unsettled: the outputs for which nothing was found.
        elsewhere: the slope of the widest difference that shows another one than the grid beside x; else nan.
    """

    function: Function
    coarse: Stencil
    n: int
    direction: np.ndarray[Any, Any]
    near: Near
    first: bool
    unit: np.ndarray[Any, Any] = field(init=False)
    loudness: np.ndarray[Any, Any] = field(init=False)
    unsettled: np.ndarray[Any, Any] = field(init=False)
    elsewhere: np.ndarray[Any, Any] = field(init=False)
    widths: list[float] = field(default_factory=list)
    estimates: list[np.ndarray[Any, Any]] = field(default_factory=list)
    slopes: list[np.ndarray[Any, Any]] = field(default_factory=list)
    ranges: list[np.ndarray[Any, Any]] = field(default_factory=list)

    def run(self) -> np.ndarray[Any, Any]:
        """|d^m f / dt^m| / max(|f|, 1) of f(x + t direction); inf where nothing settles."""
        near, n, m = self.near, self.n, self.coarse.n
        eps = float(self.function.argument.epsilon.max())
        self.unit = unit = np.fmax(np.abs(near.value), 1.0)
        self.loudness = loudness = np.abs(_sums(self.coarse, n)).sum(axis=1)
        t = self._start(eps)
        blank = self.elsewhere = np.full(unit.shape, np.nan)
        found, last, slope_last, t_last = blank, blank, blank, t
        blind = was_far = np.zeros(unit.shape, dtype=bool)
        while t > NARROWEST * eps:
            estimate, slope, rise, noise, finite = self._rung(t)
            if not finite.any():  # outside of f's domain
                t /= OUTSIDE
                continue
            hidden = AUDIBLE * self.coarse.error_factors[1] * noise / t**m
            drowned = finite & (estimate <= hidden)
            agree = finite & ~drowned & (estimate < AGREEING * last) & (last < AGREEING * estimate)
            if agree.any():
                explained = EXPLAINED * estimate * t_last ** (m - n) + AUDIBLE * loudness[1] * noise / t**n
                agree &= np.abs(slope - slope_last) <= explained
            if self.first:
                allowed = near.doubt / unit + EXPLAINED * estimate * t ** (m - 1)
                far = np.abs(rise - near.slope / unit) > allowed + AUDIBLE * loudness[2] * noise / t
                if far.any():
                    unseen = np.isnan(self.elsewhere) & far & finite
                    self.elsewhere = np.where(unseen, rise * unit, self.elsewhere)
                # What drowns after it has shown the wrong slope has shown nothing.
                agree, drowned, was_far = agree & ~far, drowned & ~far & ~was_far, far
            new = np.isnan(found)
            found = np.where(new & agree, estimate, found)
            alone = new & drowned & np.isnan(last)
            blind = blind | alone
            found = np.where(new & drowned, np.where(alone, hidden, last), found)
            if not np.isnan(found).any():
                break
            if len(self.estimates) >= LAST:  # a derivative that is zero at x alone
                tail = np.array(self.estimates[-LAST:])
                falling = (tail[1:] < FALLING * tail[:-1]).all(axis=0)
                found = np.where(np.isnan(found) & falling, estimate, found)
                if not np.isnan(found).any():
                    break
            last = np.where(finite & ~drowned, estimate, last)
            slope_last, t_last = slope, t
            t /= FINER
        self.unsettled = np.isnan(found)
        if blind.any():
            found = self._far(found, blind)
        return np.where(self.unsettled, np.inf, found)

    def typical(self) -> np.ndarray[Any, Any]:
        """The largest n-th derivative that f's values on the rungs suggest, as far as not by noise."""
        sizes = [
            np.where(moved > AUDIBLE * self.near.noise / self.unit, moved / t**self.n, 0)
            for moved, t in zip(self.ranges, self.widths, strict=True)
        ]
        return np.asarray(self.unit * np.fmax.reduce([0 * self.unit, *sizes]))

    def moved(self) -> np.ndarray[Any, Any]:
        """Whether f has moved at all."""
        return np.asarray(np.fmax.reduce([0 * self.unit, *self.ranges]) > 0)

    def _start(self, eps: float) -> float:
        """A step at which the m-th difference stands out from typical noise."""
        relative = self.near.noise / np.abs(self.near.value)
        known = relative[np.isfinite(relative)]
        typical = float(np.median(known)) if known.size > 1 else float(known[0]) if known.size else eps
        return float(2.0 ** round(math.log2(min(max(typical, eps), LOUDEST)) / (self.coarse.n + 2)))

    def _rung(self, t: float) -> tuple[Any, Any, Any, Any, Any]:
        """From the values at steps of t: f^(m), f^(n), the slope, the noise, and whether they are finite."""
        argument, coarse = self.function.argument, self.coarse
        # An even number of spacings each, so that x + h and x - h are the same distance from x.
        move = _whole(t * self.direction, 2 * argument.spacing.astype(float))
        values = self.function.attempt(along(argument, move, coarse.points)) / self.unit
        difference, slope, rise = _sums(coarse, self.n) @ values
        finite = np.isfinite(difference)
        estimate, slope, rise = np.abs(difference) / t**coarse.n, slope / t**self.n, rise / t
        if finite.any():
            self.widths.append(t)
            self.estimates.append(estimate)
            self.slopes.append(slope)
            self.ranges.append(np.abs(values - self.near.value / self.unit).max(axis=0))
        # Where f is nearly zero at x, its values beside it are rounded more coarsely.
        noise = np.fmax(self.near.noise / self.unit, self.near.epsilon * np.abs(values).max(axis=0))
        return estimate, slope, rise, noise, finite

    def _far(self, found: np.ndarray[Any, Any], blind: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Outputs whose differences drown at once are looked at as far away as may be, and nearer."""
        t0, slope0, noise0 = self.widths[0], self.slopes[0], self.near.noise / self.unit
        widest = WIDEST / max(map(abs, self.coarse.points))
        loudness = AUDIBLE * self.loudness[1]
        for t in (widest, widest / NEARER):
            estimate, slope, _, noise, finite = self._rung(t)
            hidden = AUDIBLE * self.coarse.error_factors[1] * noise / t**self.coarse.n
            drowned = blind & finite & (estimate <= hidden)
            explained = loudness * (noise / t**self.n + noise0 / t0**self.n)
            drowned &= np.abs(slope - slope0) <= explained + EXPLAINED * hidden * t ** (
                self.coarse.n - self.n
            )
            found = np.where(drowned, np.fmin(found, hidden), found)
            blind = blind & finite & (estimate > hidden)
            if not blind.any():
                return found
        return np.where(blind, estimate, found)

    def refuse(self) -> None:
        """Raises where the differences go on growing as the step shrinks, down to the spacing of floats.

        Where f has a slope, it moves by an amount in proportion to the step; at a jump by the same
        amount however small the step, and where it is infinitely steep by a power of it less than 1.

        Raises:
            DomainError: if that is so on each of the last rungs.
        """
        function, argument, n = self.function, self.function.argument, self.n
        if len(self.widths) < LAST or not self.unsettled.any():
            return
        if not argument.flat.any():  # beside 0 there are floats far smaller than the last rung
            self._rung(min(UNGUARDED, float(np.finfo(argument.flat.dtype).tiny) ** 0.5))
        shrink = -np.diff(np.log(self.widths[-LAST:]))[:, None]
        powers = -np.diff(np.log(self.ranges[-LAST:]), axis=0) / shrink
        growth = np.diff(np.log(np.abs(self.slopes[-LAST:])), axis=0) / shrink
        clear = self.unsettled & (self.ranges[-2] > 100 * self.near.noise / self.unit)
        jumps = clear & (np.abs(powers) < LEVEL).all(axis=0)
        steep = clear & (powers < SLOPED).all(axis=0) & (powers > 0).all(axis=0)
        bent = clear & (growth > STEEPER).all(axis=0) if n > 1 else np.zeros_like(clear)
        bad = jumps | steep | bent
        if not bad.any():
            return
        at = int(np.flatnonzero(bad)[0])
        same = function.shapes == argument.shapes and not argument.is_scalar
        place = (
            f"{argument.coordinate_name(at)} = {argument.flat[at]:g}" if same else function.point_name(None)
        )
        what = (
            "jumps"
            if jumps[at]
            else "has an infinite slope"
            if steep[at]
            else "has a kink or a jump in a slope"
        )
        power = float(n if jumps[at] else (n - powers[:, at] if steep[at] else growth[:, at]).mean())
        growing = "1 / h" if f"{power:.2g}" == "1" else f"1 / h**{power:.2g}"
        raise DomainError(
            f"f {what} at {place}, so it has no derivative of order {n} there: the difference quotients do "
            f"not settle as h shrinks, but grow like {growing}. Take a point beside it, or a form "
            "that stays on the side where f is smooth"
        )


@cache
def _sums(coarse: Stencil, n: int) -> np.ndarray[Any, Any]:
    """The weights of f^(m), of f^(n) and of the slope, from the same points."""
    rows = coarse.weights, weights(coarse.offsets, n), weights(coarse.offsets, 1)
    return np.array([[float(w) for w in row] for row in rows])


def _whole(move: np.ndarray[Any, Any], unit: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearest multiple of the unit; the move itself where it is too long for that to matter."""
    count = move / unit
    return np.asarray(np.where(np.abs(count) < 2.0**50, np.rint(count) * unit, move))
