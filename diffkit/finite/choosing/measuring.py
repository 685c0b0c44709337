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
from typing import Any

import numpy as np

from diffkit.finite.choosing.fine_grid import Near, disguised_noise, measure
from diffkit.finite.choosing.search import Search
from diffkit.finite.choosing.step_sizes import best_step, least_error
from diffkit.finite.evaluating.function import Function
from diffkit.finite.stencils import Stencil, stencil

ROOM = 1.25
"""The scale of a coordinate beside a bound, in units of the room: f is asked up to 2/3 of that from x."""

LONGEST = 0.25
"""The longest step, in units of a coordinate's scale."""

SHARED = 2.0
"""The derivative along a line is that of several variables; one of them may have so many times as much."""


@dataclass(frozen=True)
class Measured(Near):
    """What is known of f near x before the derivative is taken; one entry per output.

    Attributes:
        leading: the derivative that leads the truncation error, along ``scale``, in units of
            max(|f(x)|, 1): where f is near the largest float, it would be larger. Infinite where
            differences never settle, as at a kink.
        scale: the size of each coordinate; the slope is that along it, too.
        searches: along the lines on which it was looked for.
        evaluations: how many it took to find out.
    """

    leading: np.ndarray[Any, Any]
    scale: np.ndarray[Any, Any]
    searches: tuple[Search, ...]
    evaluations: int

    @property
    def typical(self) -> np.ndarray[Any, Any]:
        """The n-th derivative along ``scale`` that f's values further off suggest, in size."""
        return np.asarray(np.max([search.typical() for search in self.searches], axis=0))

    @property
    def moved(self) -> np.ndarray[Any, Any]:
        """Whether f has been seen to move."""
        return np.asarray(np.any([search.moved() for search in self.searches], axis=0))

    def relative_steps(self, formula: Stencil) -> np.ndarray[Any, Any]:
        """The best step for each output, in units of ``scale``; nan where nothing is known."""
        # Where f is nearly zero at x, it is rounded more coarsely at the points beside it.
        rounding = self.epsilon * np.where(np.isfinite(self.slope), np.abs(self.slope), 0)
        steps: Any = LONGEST
        with np.errstate(invalid="ignore"):
            for _ in range(4):  # errors fall by the power 1 / (n + order) each time
                noise = np.fmax(self.noise, rounding * np.fmin(steps, LONGEST))
                steps = best_step(formula, noise / self.unit, self.leading)
                if (noise == self.noise).all():
                    break
        return np.asarray(steps)

    def relative_step(self, formula: Stencil) -> float:
        """One step for all outputs: the median of theirs."""
        steps = self.relative_steps(formula)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        return float(np.median(steps) if steps.size > 1 else steps[0]) if steps.size else math.nan

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
    The scale is max(|x|, 1), or |x| where that shows nothing: beside 1e-16 lies another 1 / x than beside 1.

    Raises:
        DomainError: if the differences never settle because f jumps at x, or is infinitely steep.
    """
    x, before = function.argument.flat, function.evaluations
    size = np.abs(x)
    scale = np.fmax(size, 1.0)
    with np.errstate(all="ignore"):
        measured = _measured(function, formula, scale, bounds, separate, before)
        tiny = (size > 0) & (size < np.sqrt(function.argument.epsilon.astype(float)))
        if tiny.any() and not np.isfinite(measured.leading).all():
            scale = np.where(tiny, size, scale)
            measured = _measured(function, formula, scale, bounds, separate, before)
        for search in measured.searches:
            search.refuse()
    return measured


def _measured(
    function: Function,
    formula: Stencil,
    scale: np.ndarray[Any, Any],
    bounds: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None,
    separate: bool,
    before: int,
) -> Measured:
    """The same with coordinates of these sizes, whatever it finds."""
    x, alone = function.argument.flat, separate or len(scale) == 1
    # A function that is only defined on one side is asked there only.
    side = (min(formula.points) >= 0) - (max(formula.points) <= 0)
    if bounds is not None:
        below, above = x - bounds[0], bounds[1] - x
        inward = np.where(above >= below, 1.0, -1.0)
        scale = np.fmin(scale, ROOM * np.fmax(below, above))
    else:
        inward = np.full(scale.shape, float(side or 1))
    free = bounds is None and not side
    # Along one line the curvatures of several variables may cancel: f = x y is straight along
    # x + y = const. Along three they hardly will.
    lines = [scale * inward] if alone else [scale * inward * spread(len(scale), k, free) for k in range(3)]
    near = measure(function, lines[0])
    coarse = stencil("central" if free else "forward", formula.n + formula.order)
    for _ in range(2):
        searches = tuple(Search(function, coarse, formula.n, v, near, first=v is lines[0]) for v in lines)
        found = [search.run() for search in searches]
        disguised = disguised_noise(function, near, lines[0], searches[0].elsewhere)
        if disguised is near:
            break
        near = disguised
    # The largest of three is still less than one variable's own, where others work against it.
    leading = np.max(found, axis=0) * (1.0 if alone else SHARED)
    return Measured(
        **vars(near),
        leading=leading,
        scale=scale,
        searches=searches,
        evaluations=function.evaluations - before,
    )


def spread(count: int, seed: int, signed: bool) -> np.ndarray[Any, Any]:
    """Factors from 2/3 to 4/3, with either sign if ``signed``; the same ones each time."""
    random = np.random.default_rng(seed)
    sizes = random.uniform(2 / 3, 4 / 3, count)
    return sizes * np.where(random.random(count) < 0.5, -1.0, 1.0) if signed else sizes
