"""The choice of the step h.

The error of a difference formula has two sides. Truncation grows with h, like C D h**p with D the
derivative that leads it; round-off shrinks with h, like K e / h**n with e the noise of f's values.
The least sum is at

    h* = (n K e / (p C D)) ** (1 / (n + p)),

which depends on the function through e / D. The rules of thumb sqrt(eps) and cbrt(eps) take that
ratio to be eps; here both are measured, e by a table of differences and D by coarse differences
that are refined until they agree, in the manner of P. E. Gill, W. Murray, M. A. Saunders and
M. H. Wright, "Computing forward-difference intervals for numerical optimization", SIAM Journal on
Scientific and Statistical Computing 4 (1983), 310-321.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import DomainError, InputError
from diffkit.finite.evaluation import Argument, Function
from diffkit.finite.noise import Near, along, measure
from diffkit.finite.stencils import Stencil, stencil, weights

__all__ = ["Measured", "best_step", "exact_steps", "given_steps", "least_error", "measure_function", "spread"]


def best_step(formula: Stencil, noise: Any, leading: Any) -> Any:
    """The step with the least truncation and round-off together.

    Args:
        formula: the stencil.
        noise: the size of the errors in f's values.
        leading: |f^(n + order)|, the derivative that leads the truncation error.

    >>> from diffkit.finite.stencils import stencil
    >>> float(best_step(stencil("forward"), 1e-16, 1.0))  # 2 sqrt(eps / |f''|)
    2e-08
    """
    c, k = abs(float(formula.leading)), float(formula.magnification)
    n, p = formula.n, formula.order
    with np.errstate(divide="ignore", invalid="ignore"):
        return (n * k * np.asarray(noise) / (p * c * np.asarray(leading))) ** (1 / (n + p))


def least_error(formula: Stencil, noise: Any, leading: Any, h: Any) -> Any:
    """The size of truncation and round-off together at a step."""
    c, k = abs(float(formula.leading)), float(formula.magnification)
    return c * leading * h**formula.order + k * noise / h**formula.n


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
        evaluations: how many it took to find out.
    """

    value: np.ndarray[Any, Any]
    noise: np.ndarray[Any, Any]
    repeat: np.ndarray[Any, Any]
    leading: np.ndarray[Any, Any]
    scale: np.ndarray[Any, Any]
    evaluations: int

    def relative_steps(self, formula: Stencil) -> np.ndarray[Any, Any]:
        """The best step for each output, in units of ``scale``; nan where nothing is known."""
        return np.asarray(best_step(formula, self.noise / self._unit, self.leading))

    def relative_step(self, formula: Stencil) -> float:
        """One step for all outputs: the median of theirs."""
        steps = self.relative_steps(formula)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        return float(np.median(steps)) if steps.size else math.nan

    def error(self, formula: Stencil, scale: np.ndarray[Any, Any], steps: np.ndarray[Any, Any]) -> Any:
        """The size of error to expect of each output, for steps in coordinates of these scales."""
        steps = steps.astype(float)
        with np.errstate(over="ignore"):
            relative = least_error(formula, self.noise / self._unit, self.leading, steps / scale)
            return self._unit * (relative / scale**formula.n)

    @property
    def _unit(self) -> np.ndarray[Any, Any]:
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
    leading = np.max(found, axis=0)
    return Measured(near.value, near.noise, near.repeat, leading, scale, function.evaluations - before)


def spread(count: int, seed: int, signed: bool) -> np.ndarray[Any, Any]:
    """Factors between 1/2 and 1, with either sign if ``signed``; the same ones each time."""
    random = np.random.default_rng(seed)
    sizes = random.uniform(0.5, 1.0, count)
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
    typical = float(np.nanmedian(relative)) if np.isfinite(relative).any() else eps
    t = 2.0 ** round(math.log2(min(max(typical, eps), 1e-2)) / (m + 2))

    unit = np.fmax(np.abs(value), 1.0)
    noise = noise / unit
    found = np.full(noise.shape, np.nan)
    last = np.full(noise.shape, np.nan)
    slope_last, t_last = np.full(noise.shape, np.nan), t
    slope_weights = np.array([float(each) for each in weights(coarse.offsets, n)])
    first_weights = np.array([float(each) for each in weights(coarse.offsets, 1)])
    widths: list[float] = []
    quotients: list[np.ndarray[Any, Any]] = []
    ranges: list[np.ndarray[Any, Any]] = []
    while t > NARROWEST * eps:
        points = [along(argument, direction, float(k) * t) if k else None for k in coarse.offsets]
        values = function.attempt(points) / unit
        with np.errstate(invalid="ignore", over="ignore"):
            difference = np.abs(np.tensordot(w, values, axes=1))
        finite = np.isfinite(difference)
        if not finite.any():  # outside of f's domain
            t /= 64
            continue
        estimate = difference / t**m
        hidden = 10 * magnification * noise / t**m
        drowned = finite & (estimate <= hidden)
        with np.errstate(invalid="ignore"):
            agree = finite & ~drowned & (estimate < 2 * last) & (last < 2 * estimate)
        slope = np.tensordot(slope_weights, values, axes=1) / t**n
        with np.errstate(invalid="ignore"):
            explained = 4 * estimate * t_last ** (m - n) + 10 * np.abs(slope_weights).sum() * noise / t**n
            agree &= np.abs(slope - slope_last) <= explained
            if first:
                rise = np.tensordot(first_weights, values, axes=1) / t
                allowed = near.doubt / unit + 4 * estimate * t ** (m - 1)
                allowed += 10 * np.abs(first_weights).sum() * noise / t
                with np.errstate(invalid="ignore"):  # a slope of inf, where f nearly overflows
                    far = np.abs(rise - near.slope / unit) > allowed
                agree, drowned = agree & ~far, drowned & ~far
        widths.append(t)
        quotients.append(np.abs(slope))
        ranges.append(np.abs(values - value / unit).max(axis=0))
        found = np.where(np.isnan(found) & agree, estimate, found)
        found = np.where(np.isnan(found) & drowned, np.where(np.isnan(last), hidden, last), found)
        if not np.isnan(found).any():
            break
        last = np.where(finite & ~drowned, estimate, last)
        slope_last, t_last = slope, t
        t /= FINER
    unsettled = np.isnan(found)
    if unsettled.any():
        _refuse_jumps(function, n, unsettled, np.array(widths), np.array(ranges), np.array(quotients), noise)
    # Never settled, at a kink for instance: no error can be promised, and any step will do.
    return np.where(unsettled, np.inf, found)


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
    power = 1.0 if jumps[at] else float((n - powers[:, at] if steep[at] else growth[:, at]).mean())
    power = float(n) if jumps[at] else power
    raise DomainError(
        f"f {what} at {place}, so it has no derivative of order {n} there: the difference quotients do "
        f"not settle as h shrinks, but grow like 1 / h**{power:.2g}. Take a point beside it, or a form "
        "that stays on the side where f is smooth"
    )


def exact_steps(argument: Argument, steps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearest steps that are powers of two, so that x + h - x == h in the arithmetic of x.

    A decimal step is rounded when it is added to x, and the formula then divides by a length that
    was not gone: the part of the error that :func:`~diffkit.finite.error_sweep` calls ``step``.
    """
    least = 4 * argument.spacing.astype(float)
    powers = np.exp2(np.round(np.log2(np.fmax(steps, least))))
    return np.asarray(powers, dtype=argument.flat.real.dtype)


def given_steps(argument: Argument, h: Any, reach: Sequence[float]) -> np.ndarray[Any, Any]:
    """The caller's step for each coordinate, made into what x really moves by.

    Raises:
        InputError: if a step is not positive, or so small that x + h == x.
    """
    wanted = argument.like(h, "h")
    if not (np.isfinite(wanted).all() and (wanted > 0).all()):
        bad = wanted[~(np.isfinite(wanted) & (wanted > 0))][0]
        raise InputError(f"the step h must be positive and finite, got {bad:g}")
    side = 1.0 if any(k > 0 for k in reach) else -1.0
    steps = _moved_by(argument, side * wanted)
    nearest = min(abs(k) for k in reach if k)
    still = steps == 0
    if nearest < 1:
        still |= _moved_by(argument, side * nearest * wanted) == 0
    if still.any():
        at = int(np.flatnonzero(still)[0])
        name = argument.coordinate_name(at)
        raise InputError(
            f"the step h = {wanted[at]:g} is below the spacing of floats at {name} = {argument.flat[at]:g}, "
            f"which is {argument.spacing[at]:.3g}, so that {name} + h == {name}"
        )
    return np.asarray(np.abs(steps))


def _moved_by(argument: Argument, steps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What is left of the steps after they have been added to x and rounded: fl(x + h) - x."""
    x = argument.flat
    moved = argument.rounded(x + steps.astype(x.real.dtype))
    return np.asarray((moved - x).real)
