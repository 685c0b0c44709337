"""A step of its own for each variable and each output, where one step for all of them is not enough.

The step is first chosen once, from differences along lines in which every variable moves. For
f = sin(x1) + sin(x2) at (0.5, 1e10) the second variable makes it tiny, as it must be for x2; then
hardly anything is left of the derivative by x1 but round-off. The error to expect shows that, and such
derivatives, and only they, are computed again with wider steps, as on a ladder: for as long as a wider
step agrees with the narrower one to within the round-off of that, it is the better one; where it no
longer agrees, the difference is the truncation error, measured, and the best step follows from it. That
is the idea of P. E. Gill, W. Murray, M. A. Saunders and M. H. Wright (1983), with the derivative itself
watched in place of the one that leads the truncation error: a slope, once right, can't be mistaken for
that of an oscillation that a wide step jumps over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.finite.choosing.measuring import Measured
from diffkit.finite.choosing.step_sizes import best_step, exact_steps
from diffkit.finite.evaluating.columns import Columns, differences
from diffkit.finite.evaluating.function import Function
from diffkit.finite.stencils import Stencil

WIDER = 32.0
"""One rung. A power of two; large enough that the truncation error stands out on the rung above."""

RUNGS = 12
"""How many at most, for one variable; two are usual."""

DOUBT = 3.0
"""Two values agree if they differ by no more than so many times the round-off of the narrower."""


@dataclass
class Ladder:
    """The derivatives of a function at a point, as they are improved.

    Attributes:
        function: f at its point.
        formulas: each coordinate's; they differ near bounds.
        formula: the one asked for.
        measured: what is known of f.
        widest: how far each coordinate may be moved.
        columns: the derivatives so far.
    """

    function: Function
    formulas: list[Stencil]
    formula: Stencil
    measured: Measured
    widest: np.ndarray[Any, Any]
    columns: Columns

    def climb(self) -> None:
        """Improves ``columns`` where it must: first by outputs, then by variables."""
        variables, outputs = self.columns.values.shape
        if outputs > 1:
            self._by_output()
        if variables > 1:
            self._by_variable()

    def _poor(self) -> np.ndarray[Any, Any]:
        """Which derivatives are worth another look: less than half of the formula's digits are left.

        Where f has several outputs, one that does not move at all is taken not to depend on the variable.
        Where differences never settle, no step is better than another.
        """
        columns, measured = self.columns, self.measured
        size = np.abs(columns.values)
        found = columns.errors > np.sqrt(measured.reachable(self.formula)) * size
        found &= np.isfinite(measured.leading)
        return np.asarray(found & (size > 0) if found.shape[1] > 1 else found)

    def _differences(self, rows: np.ndarray[Any, Any], steps: np.ndarray[Any, Any]) -> Any:
        """New derivatives by some of the variables, beside the old ones by the others; and f's sizes."""
        values, sizes = self.columns.values.copy(), np.zeros(self.columns.values.shape)
        values[rows], sizes[rows] = differences(
            self.function, self.formulas, steps, coordinates=rows.tolist(), at_x=self.measured.value
        )
        return values, sizes

    def _by_output(self) -> None:
        """Outputs of unlike curvature: those whose best step is another one get it."""
        formula, measured, columns = self.formula, self.measured, self.columns
        wanted = measured.relative_steps(formula)
        scale = measured.scale[:, None]
        best = measured.error(formula, scale, np.fmin(wanted, 0.25) * scale)
        again = self._poor() & (columns.errors > 10 * best)
        left = again.any(axis=0) & np.isfinite(wanted) & (wanted > 0)
        while left.any():
            group = left & (wanted <= 8 * wanted[left].min())
            left &= ~group
            step = np.sqrt(wanted[group].min() * wanted[group].max())
            rows = np.flatnonzero(again[:, group].any(axis=1))
            steps = exact_steps(self.function.argument, np.fmin(step * measured.scale, self.widest))
            values, sizes = self._differences(rows, steps)
            errors = np.full(columns.errors.shape, np.inf)
            errors[rows] = measured.error(formula, scale[rows], steps[rows, None], sizes[rows])
            better = group & np.isfinite(values) & (errors < columns.errors)
            columns.improve(better, Columns(values, errors, np.broadcast_to(steps[:, None], values.shape)))

    def _by_variable(self) -> None:
        """Variables of unlike scale or curvature: up the ladder, all that need it at once."""
        formula, measured, columns = self.formula, self.measured, self.columns
        argument = self.function.argument
        n, p = formula.n, formula.order
        c, k = formula.error_factors
        eps = argument.epsilon.astype(float)[:, None]
        noise = measured.noise.astype(float)
        shape = columns.values.shape
        low, high = columns.steps.astype(float), np.full(shape, np.inf)
        truncating = np.zeros(shape)  # the derivative that leads the truncation error, once it shows
        natural = best_step(formula, noise / measured.unit, 1.0) * measured.scale[:, None]
        climbing = self._poor()
        for _ in range(RUNGS):
            with np.errstate(divide="ignore", invalid="ignore"):
                top = np.where(np.isfinite(high), high / 4, self.widest[:, None])
                wish = np.where(truncating > 0, best_step(formula, noise, truncating), np.sqrt(low * high))
                wish = np.where(np.isfinite(high), wish, np.fmax(WIDER * low, natural))
                wish = np.fmin(np.fmax(wish, 4 * low), top)
            climbing &= wish >= 2 * low
            rows = np.flatnonzero(climbing.any(axis=1))
            if not rows.size:
                return
            # One step for all outputs of a variable: what the one that is furthest off asks for.
            with np.errstate(over="ignore"):
                missing = np.where(
                    climbing, columns.errors / (np.abs(columns.values).astype(float) + 1e-300), -1
                )
            worst = np.argmax(missing, axis=1)
            steps = exact_steps(argument, np.take_along_axis(wish, worst[:, None], axis=1)[:, 0])
            values, sizes = self._differences(rows, steps)
            at = steps.astype(float)[:, None]
            with np.errstate(invalid="ignore", over="ignore"):
                off = np.abs(values - columns.values)
                certain = DOUBT * (k * noise / low**n + eps * np.abs(columns.values))
                tried = climbing & (at > low) & (at < high)
                agree = tried & (off <= certain)
                apart = tried & ~agree
                errors = k * np.fmax(noise, measured.epsilon * sizes) / at**n + eps * np.abs(values) + 2 * off
            # Two that agree without being better: f is even about x, and grows.
            useless = agree & ~(errors < columns.errors)
            agree &= ~useless
            climbing &= ~useless
            columns.improve(agree, Columns(values, errors, np.broadcast_to(steps[:, None], shape)))
            low = np.where(agree, at, low)
            high = np.where(apart, at, high)
            truncating = np.where(apart, np.where(np.isfinite(off), off, 0) / (c * at**p), truncating)
            with np.errstate(divide="ignore"):
                settled = apart & (truncating > 0)
                # Twice: terms of higher order may have worked against the leading one on the rung above.
                here = k * noise / low**n + eps * np.abs(columns.values) + 2 * c * truncating * low**p
                columns.errors = np.where(settled, np.fmin(columns.errors, here), columns.errors)
                climbing &= ~(
                    settled & ((high <= 16 * low) | (best_step(formula, noise, truncating) <= 4 * low))
                )
