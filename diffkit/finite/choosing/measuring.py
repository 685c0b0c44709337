"""What is measured of f before its derivative is taken: its noise, and what leads the truncation error.

The best step depends on two numbers: the noise of f's values, read off a table of differences, and the
derivative that leads the truncation error, by coarse differences that are refined until they agree, in
the manner of P. E. Gill, W. Murray, M. A. Saunders and M. H. Wright, "Computing forward-difference
intervals for numerical optimization", SIAM Journal on Scientific and Statistical Computing 4 (1983),
310-321. All variables are moved together; where one number can't stand for all of them,
:mod:`~diffkit.finite.choosing.ladder` looks at each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from diffkit.errors import DomainError
from diffkit.finite.choosing.fine_grid import Near, measure
from diffkit.finite.choosing.noise import along
from diffkit.finite.choosing.step_sizes import best_step, least_error
from diffkit.finite.evaluating.function import Function
from diffkit.finite.stencils import Stencil, stencil, weights

__all__ = ["Measured", "measure_function", "spread"]


@dataclass(frozen=True)
class Measured:
    """What is known of f near x before the derivative is taken; one entry per output.

    Attributes:
        value: f(x).
        noise: the size of the errors in f's values.
        repeat: how much two runs at the same point differ.
        leading: the derivative that leads the truncation error, along ``scale``, in units of
            max(|f(x)|, 1): where f is near the largest float, it would be larger. Infinite where
            differences never settle, as at a kink.
        scale: the size of each coordinate.
        slope: df/dt along ``scale``.
        epsilon: the machine epsilon of the output's dtype.
        evaluations: how many it took to find out.
    """

    value: np.ndarray[Any, Any]
    noise: np.ndarray[Any, Any]
    repeat: np.ndarray[Any, Any]
    leading: np.ndarray[Any, Any]
    scale: np.ndarray[Any, Any]
    slope: np.ndarray[Any, Any]
    epsilon: np.ndarray[Any, Any]
    evaluations: int

    def relative_steps(self, formula: Stencil) -> np.ndarray[Any, Any]:
        """The best step for each output, in units of ``scale``; nan where nothing is known."""
        steps = np.asarray(best_step(formula, self.noise / self.unit, self.leading))
        # Where f is nearly zero at x, it is rounded more coarsely at the points beside it.
        rounding = self.epsilon * np.where(np.isfinite(self.slope), np.abs(self.slope), 0)
        for _ in range(3):
            with np.errstate(invalid="ignore"):
                noise = np.fmax(self.noise, rounding * np.fmin(steps, 0.25)) / self.unit
            steps = np.asarray(best_step(formula, noise, self.leading))
        return steps

    def relative_step(self, formula: Stencil) -> float:
        """One step for all outputs: the median of theirs."""
        steps = self.relative_steps(formula)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        return float(np.median(steps)) if steps.size else math.nan

    def error(
        self,
        formula: Stencil,
        scale: np.ndarray[Any, Any],
        steps: np.ndarray[Any, Any],
        sizes: Any = 0.0,
    ) -> Any:
        """The size of error to expect of each output, for steps in coordinates of these scales.

        Args:
            formula: the stencil.
            scale, steps: of the coordinates, shaped so that they go with the outputs.
            sizes: |f| at the points of the stencil, if it is known.
        """
        steps = steps.astype(float)
        with np.errstate(all="ignore"):  # at a kink a derivative may be inf, and its best step 0
            noise = np.fmax(self.noise, self.epsilon * sizes)
            relative = least_error(formula, noise / self.unit, self.leading, steps / scale)
            return self.unit * (relative / scale**formula.n)

    def reachable(self, formula: Stencil) -> np.ndarray[Any, Any]:
        """The relative error that the formula would reach if f and its derivatives were of one size."""
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = np.fmin(np.nan_to_num(self.noise / np.abs(self.value), nan=0.0, posinf=0.0), 0.1)
        noise = np.fmax(noise, np.finfo(self.noise.dtype).eps)
        return np.asarray(least_error(formula, noise, 1.0, best_step(formula, noise, 1.0)))

    @property
    def unit(self) -> np.ndarray[Any, Any]:
        """max(|f(x)|, 1)."""
        return np.asarray(np.fmax(np.abs(self.value), 1.0))


def measure_function(
    function: Function,
    formula: Stencil,
    *,
    bounds: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None,
    separate: bool = False,
) -> Measured:
    """Measures the noise of f and the derivative that leads the formula's truncation error.

    All coordinates move together, each by its own scale, so that the cost does not grow with their
    number: ten evaluations for the noise, and some ten for the derivative along each of three lines.
    """
    argument, before = function.argument, function.evaluations
    scale = np.fmax(np.abs(argument.flat), 1.0)
    # A function that is only defined on one side is asked there only.
    side = (min(formula.offsets) >= 0) - (max(formula.offsets) <= 0)
    if bounds is not None:
        below, above = argument.flat - bounds[0], bounds[1] - argument.flat
        inward = np.where(above >= below, 1.0, -1.0)
        scale = np.fmin(scale, np.fmax(below, above) / (formula.n + formula.order + 1))
    else:
        inward = np.full(scale.shape, float(side or 1))
    if len(scale) == 1 or separate:
        directions = [scale * inward]
    else:
        # Along one line the curvatures of several variables may cancel: f = x y is straight along
        # x + y = const. Along three they hardly will.
        free = bounds is None and not side
        directions = [scale * inward * spread(len(scale), k, free) for k in range(3)]
    near = measure(function, directions[0])
    coarse = stencil("central" if bounds is None and not side else "forward", formula.n + formula.order)
    found = [_leading(function, coarse, formula.n, d, near, first=d is directions[0]) for d in directions]
    # The largest of three is still less than one variable's own, where others work against it.
    leading = np.max(found, axis=0) * (2.0 if len(found) > 1 else 1.0)
    return Measured(
        value=near.value,
        noise=near.noise,
        repeat=near.repeat,
        leading=leading,
        scale=scale,
        slope=near.slope,
        epsilon=near.epsilon,
        evaluations=function.evaluations - before,
    )


def spread(count: int, seed: int, signed: bool) -> np.ndarray[Any, Any]:
    """Factors from 2/3 to 4/3, with either sign if ``signed``; the same ones each time."""
    random = np.random.default_rng(seed)
    sizes = random.uniform(2 / 3, 4 / 3, count)
    return sizes * np.where(random.random(count) < 0.5, -1.0, 1.0) if signed else sizes


NARROWEST = 16
"""Where refining ends, in machine epsilons, if the differences have not settled until then."""

FINER = 3.7
"""By how much. Not a whole number, so that an oscillation missed by both grids is a rare accident."""


def _leading(
    function: Function,
    coarse: Stencil,
    n: int,
    direction: np.ndarray[Any, Any],
    near: Near,
    first: bool,
) -> np.ndarray[Any, Any]:
    """|d^m f / dt^m| / max(|f|, 1) of f(x + t direction), for each output, m being ``coarse.n``.

    Coarse differences, refined until two agree within a factor of two, or until the finer one
    drowns in the noise; then the coarser one counts, or what could hide in the noise. Two may agree
    by chance where f oscillates between the points; so the n-th derivative from the same values
    must not change by more than they explain either. And along the ``first`` direction, where the
    slope is known from a grid hardly wider than the spacing of floats, it must be the same slope:
    sin at 1e10 shows any slope at all to steps of some thousands.

    Raises:
        DomainError: if the differences never settle because f jumps at x, or is infinitely steep.
    """
    argument, m = function.argument, coarse.n
    value, noise = near.value, near.noise
    w = np.array([float(each) for each in coarse.weights])
    magnification = float(coarse.magnification)
    eps = float(argument.epsilon.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(value != 0, noise / np.abs(value), np.nan)
    known = relative[np.isfinite(relative)]
    typical = float(np.median(known)) if known.size > 1 else float(known[0]) if known.size else eps
    t = 2.0 ** round(math.log2(min(max(typical, eps), 1e-2)) / (m + 2))

    unit = np.fmax(np.abs(value), 1.0)
    noise = noise / unit
    found = np.full(noise.shape, np.nan)
    last = np.full(noise.shape, np.nan)
    slope_last, t_last = np.full(noise.shape, np.nan), t
    slope_weights, first_weights = _weights(coarse, n), _weights(coarse, 1)
    widths: list[float] = []
    quotients: list[np.ndarray[Any, Any]] = []
    ranges: list[np.ndarray[Any, Any]] = []
    estimates: list[np.ndarray[Any, Any]] = []
    least = noise
    was_far = np.zeros(noise.shape, dtype=bool)
    while t > NARROWEST * eps:
        # An even number of spacings each, so that x + h and x - h are the same distance from x.
        move = _whole(t * direction, 2 * argument.spacing.astype(float))
        points = [along(argument, move, float(k)) if k else None for k in coarse.offsets]
        values = function.attempt(points) / unit
        with np.errstate(invalid="ignore", over="ignore"):
            difference = np.abs(w @ values)
        finite = np.isfinite(difference)
        if not finite.any():  # outside of f's domain
            t /= 64
            continue
        estimate = difference / t**m
        # Where f is nearly zero at x, its values beside it are rounded more coarsely.
        noise = np.fmax(least, near.epsilon * np.nan_to_num(np.abs(values).max(axis=0)))
        hidden = 10 * magnification * noise / t**m
        drowned = finite & (estimate <= hidden)
        with np.errstate(invalid="ignore"):
            agree = finite & ~drowned & (estimate < 2 * last) & (last < 2 * estimate)
        slope = slope_weights @ values / t**n
        with np.errstate(invalid="ignore"):
            explained = 4 * estimate * t_last ** (m - n) + 10 * np.abs(slope_weights).sum() * noise / t**n
            agree &= np.abs(slope - slope_last) <= explained
            if first:
                rise = first_weights @ values / t
                allowed = near.doubt / unit + 4 * estimate * t ** (m - 1)
                allowed += 10 * np.abs(first_weights).sum() * noise / t
                with np.errstate(invalid="ignore"):  # a slope of inf, where f nearly overflows
                    far = np.abs(rise - near.slope / unit) > allowed
                # What drowns after it has shown the wrong slope has shown nothing.
                agree, drowned, was_far = agree & ~far, drowned & ~far & ~was_far, far
        widths.append(t)
        estimates.append(estimate)
        quotients.append(np.abs(slope))
        ranges.append(np.abs(values - value / unit).max(axis=0))
        found = np.where(np.isnan(found) & agree, estimate, found)
        found = np.where(np.isnan(found) & drowned, np.where(np.isnan(last), hidden, last), found)
        if not np.isnan(found).any():
            break
        last = np.where(finite & ~drowned, estimate, last)
        slope_last, t_last = slope, t
        t /= FINER
    # A derivative that is zero at x alone: the estimates fall for as long as the step does.
    if len(estimates) > 6:
        with np.errstate(divide="ignore", invalid="ignore"):
            falling = (np.array(estimates[-5:]) < 0.75 * np.array(estimates[-6:-1])).all(axis=0)
        found = np.where(np.isnan(found) & falling, estimates[-1], found)
    unsettled = np.isnan(found)
    if unsettled.any():
        _refuse_jumps(function, n, unsettled, np.array(widths), np.array(ranges), np.array(quotients), noise)
    # Never settled, at a kink for instance: no error can be promised, and any step will do.
    return np.where(unsettled, np.inf, found)


@cache
def _weights(coarse: Stencil, n: int) -> np.ndarray[Any, Any]:
    """The weights of the n-th derivative from the same points."""
    return np.array([float(each) for each in weights(coarse.offsets, n)])


def _whole(move: np.ndarray[Any, Any], unit: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearest multiple of the unit; the move itself where it is too long for that to matter."""
    with np.errstate(over="ignore"):
        count = move / unit
    return np.asarray(np.where(np.abs(count) < 2.0**50, np.rint(count) * unit, move))


def _refuse_jumps(
    function: Function,
    n: int,
    unsettled: np.ndarray[Any, Any],
    widths: np.ndarray[Any, Any],
    ranges: np.ndarray[Any, Any],
    quotients: np.ndarray[Any, Any],
    noise: np.ndarray[Any, Any],
) -> None:
    """Raises where the differences go on growing as the step shrinks, down to the spacing of floats.

    Where f has a slope, it moves by an amount in proportion to the step; at a jump by the same
    amount however small the step, and where it is infinitely steep by a power of it less than 1.
    """
    last = 6
    if len(widths) < last:
        return
    shrink = -np.diff(np.log(widths[-last:]))[:, None]
    with np.errstate(all="ignore"):
        powers = -np.diff(np.log(ranges[-last:]), axis=0) / shrink
        growth = np.diff(np.log(quotients[-last:]), axis=0) / shrink
    clear = unsettled & (ranges[-1] > 100 * noise)
    jumps = clear & (np.abs(powers) < 0.05).all(axis=0)
    steep = clear & (powers < 0.9).all(axis=0) & (powers > 0).all(axis=0)
    bent = clear & (growth > 0.1).all(axis=0) if n > 1 else np.zeros_like(clear)
    bad = jumps | steep | bent
    if not bad.any():
        return
    at = int(np.flatnonzero(bad)[0])
    argument = function.argument
    same = function.shapes == argument.shapes and not argument.is_scalar
    place = f"{argument.coordinate_name(at)} = {argument.flat[at]:g}" if same else function.point_name(None)
    what = (
        "jumps" if jumps[at] else "has an infinite slope" if steep[at] else "has a kink or a jump in a slope"
    )
    power = float(n if jumps[at] else (n - powers[:, at] if steep[at] else growth[:, at]).mean())
    growing = "1 / h" if f"{power:.2g}" == "1" else f"1 / h**{power:.2g}"
    raise DomainError(
        f"f {what} at {place}, so it has no derivative of order {n} there: the difference quotients do "
        f"not settle as h shrinks, but grow like {growing}. Take a point beside it, or a form "
        "that stays on the side where f is smooth"
    )
