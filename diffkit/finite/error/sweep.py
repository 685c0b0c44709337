"""The error of a difference formula over a range of steps: where the optimum lies, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.errors import DomainError
from diffkit.finite.choosing.noise import Noise
from diffkit.finite.choosing.step_sizes import best_step, least_error
from diffkit.finite.error.floats import combined, is_finite, noise_near, one_float, run_on_floats, steps_of
from diffkit.finite.error.parts import (
    PARTS,
    Parts,
    as_arrays,
    derivative_in_digits,
    parts_of,
    true_derivative,
)
from diffkit.finite.error.regimes import Fit, fit_line, running_median, steady_run
from diffkit.finite.stencils import Stencil, stencil
from diffkit.precise import Precise
from diffkit.tables import Table

__all__ = ["ErrorSweep", "error_sweep", "largest_by"]


@dataclass(frozen=True, repr=False)
class ErrorSweep:
    """The error of a difference formula for each step of a range.

    All errors are signed: the computed value minus the exact one.

    Attributes:
        h: the steps (ascending).
        value: what the formula returned, for each h.
        error: its total error; the four parts below add up to it.
        truncation: the formula against the derivative, in exact arithmetic.
        step: from rounding x + k h to a float.
        rounding: from the rounding inside f.
        arithmetic: from the formula's own subtractions and division.
        parts: the same five for each h as :class:`Precise` numbers, unrounded: they add up to the
            last digit.
        stencil: the formula.
        x: the point.
        exact: the exact derivative there.
        leading: f^(n + order)(x), the derivative that leads the truncation error.
        noise: the size of errors in f's values: measured, or the machine epsilon times |f(x)| if
            that is larger.
        noise_estimate: the measurement (Moré and Wild).
        evaluations: how often f was run, on floats.
    """

    f: Callable[[Any], Any]
    h: np.ndarray[Any, Any]
    value: np.ndarray[Any, Any]
    error: np.ndarray[Any, Any]
    truncation: np.ndarray[Any, Any]
    step: np.ndarray[Any, Any]
    rounding: np.ndarray[Any, Any]
    arithmetic: np.ndarray[Any, Any]
    parts: tuple[Parts, ...]
    stencil: Stencil
    x: Any
    exact: Precise
    leading: float
    noise: float
    noise_estimate: Noise
    evaluations: int

    @property
    def form(self) -> str:
        """The form, such as "central"."""
        return self.stencil.form

    @cached_property
    def roundoff(self) -> np.ndarray[Any, Any]:
        """The error that is not truncation: step, rounding and arithmetic together."""
        return np.array([float(p.step + p.rounding + p.arithmetic) for p in self.parts])

    # -- the V -------------------------------------------------------------------------------------

    @cached_property
    def median_error(self) -> np.ndarray[Any, Any]:
        """The running median of |error|, half a decade wide."""
        return running_median(self.h, np.abs(self.error))

    @cached_property
    def best_h(self) -> float:
        """The step with the least error by the running median."""
        return float(self.h[int(np.argmin(self.median_error))])

    @cached_property
    def best_error(self) -> float:
        """The running median of |error| there."""
        return float(np.min(self.median_error))

    @property
    def luckiest(self) -> tuple[float, float]:
        """The step with the least error of all, and that error: mostly luck."""
        at = int(np.argmin(np.abs(self.error)))
        return float(self.h[at]), float(abs(self.error[at]))

    @cached_property
    def order_fit(self) -> Fit | None:
        """The line through the truncation regime, found as the longest stretch of steady slope."""
        right = self.h > self.best_h
        # Where the round-off has died away; on the left it may look steady by chance.
        ruled = right & (np.abs(self.roundoff) <= 0.1 * np.abs(self.truncation))
        return steady_run(self.h[ruled], np.abs(self.error[ruled]))

    @property
    def observed_order(self) -> float:
        """The order of convergence by regression over that regime; nan if there is none."""
        return self.order_fit.slope if self.order_fit else math.nan

    @cached_property
    def roundoff_fit(self) -> Fit | None:
        """The line through the round-off regime: up to the best h, from where f moves at all.

        Where all the values cancel, the formula returns zero, and the error is the derivative.
        """
        spacing = float(np.spacing(abs(self.x)))
        left = (self.h < self.best_h / 2) & (self.h > 4 * spacing) & (self.value != 0)
        return fit_line(self.h[left], np.abs(self.error[left]))

    @property
    def roundoff_slope(self) -> float:
        """Its slope, which is about -n; nan if the regime is empty."""
        return self.roundoff_fit.slope if self.roundoff_fit else math.nan

    @cached_property
    def predicted_h(self) -> float:
        """The best step, predicted from ``leading`` and ``noise``; inf if the truncation vanishes."""
        return float(best_step(self.stencil, self.noise, abs(self.leading)))

    @cached_property
    def predicted_error(self) -> float:
        """The error predicted for that step: truncation and round-off as large as they can get."""
        if not math.isfinite(self.predicted_h) or self.predicted_h == 0:
            return 0.0
        return float(least_error(self.stencil, self.noise, abs(self.leading), self.predicted_h))

    # -- the bound ---------------------------------------------------------------------------------

    @cached_property
    def bound(self) -> np.ndarray[Any, Any]:
        """The textbook bound of |truncation| for each h: h/2 max |f''| for the forward form.

        h**2/6 max |f'''| for the central one, and ``stencil.remainder * h**order`` times the
        maximum of |f^(n + order)| over the stencil's extent in general. The maximum is taken over
        the ends of all the sweep's steps within, and 65 points between; nan outside f's domain.
        """
        x = Fraction(*self.x.as_integer_ratio())
        m = self.stencil.n + self.stencil.order

        def derivative(t: float) -> Precise:
            return derivative_in_digits(self.f, x + Fraction(t), m, 20)

        ends = float(min(self.stencil.offsets)), float(max(self.stencil.offsets))
        return np.asarray(np.fmax(*(largest_by(self, derivative, end) for end in ends)))

    @cached_property
    def bound_ratio(self) -> np.ndarray[Any, Any]:
        """|truncation| over the bound: at most 1, and near |leading / remainder| for small h."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.abs(self.truncation) / self.bound)

    # -- showing -----------------------------------------------------------------------------------

    @property
    def table(self) -> Table:
        """One row for each step; ``bound`` is that of |truncation|."""
        rows = [
            [
                float(h),
                float(e),
                *(float(getattr(self, part)[i]) for part in PARTS),
                float(b),
                self.largest_part(i),
            ]
            for i, (h, e, b) in enumerate(zip(self.h, self.error, self.bound, strict=True))
        ]
        return Table(
            ["h", "error", *PARTS, "bound", "largest"],
            rows,
            caption=f"Error of {self.stencil} at x = {self.x}",
        )

    def largest_part(self, i: int) -> str:
        """The name of the part that is largest at the i-th step."""
        return max(PARTS, key=lambda part: abs(float(getattr(self, part)[i])))

    def at(self, h: float) -> Parts:
        """The parts at the sweep's step nearest to h."""
        return self.parts[int(np.argmin(np.abs(np.log(self.h / h))))]

    @property
    def summary(self) -> Table:
        """The curve in one table: orders, slopes, the best step found and predicted."""
        lucky_h, lucky = self.luckiest
        rows: list[list[Any]] = [
            ["observed order", *_fit_cells(self.order_fit)],
            ["slope of the round-off", *_fit_cells(self.roundoff_fit)],
            ["best h, by running median", self.best_h, f"error {self.best_error:.1e}"],
            ["best h, predicted", self.predicted_h, f"error up to {self.predicted_error:.1e}"],
            ["least error of all", lucky_h, f"error {lucky:.1e}, by luck"],
            ["noise of f", self.noise, f"measured {self.noise_estimate.level:.1e}"],
        ]
        return Table(["", "value", "note"], rows, caption=f"{self.stencil} at x = {self.x}")

    def _repr_html_(self) -> str:
        return self.summary.html()

    def __repr__(self) -> str:
        return str(self.summary)

    def plot(self, path: Any = None) -> Any:
        """The error curve with its parts: see :func:`diffkit.plots.error_curve`."""
        from diffkit.plots import error_curve

        return error_curve(self, path=path)


def _fit_cells(fit: Fit | None) -> list[Any]:
    return [fit.slope, f"for h from {fit.low:.1e} to {fit.high:.1e}"] if fit else [None, "no such regime"]


def error_sweep(
    f: Callable[[Any], Any],
    x: Any,
    form: str | Sequence[Any] = "central",
    exact: Any = None,
    hs: Iterable[float] | None = None,
    *,
    order: int | None = None,
    n: int = 1,
) -> ErrorSweep:
    """The error of a difference formula for each of many steps, taken apart into four parts.

    Args:
        f: a function of one number, with one number as result, that also runs on
            :class:`diffkit.precise.Precise` numbers: Python operators and NumPy functions, any
            branches and loops.
        x: the point: a Python float, or a NumPy float of any width, in whose arithmetic the formula
            is then evaluated.
        form: "forward", "backward", "central", a stencil's offsets, or "complex": the complex step, which
            has no V, since nothing cancels, so that ``hs`` may go down to 1e-200.
        exact: the exact derivative, if known: a float, a Fraction, or a function of x that runs
            on Precise numbers. By default it is found from f, to so many digits that it makes no
            difference.
        hs: the steps, positive. By default twenty to a decade, from a tenth of the machine
            epsilon's decade up to 0.1, as far as f has values there.
        order: the order of accuracy.
        n: which derivative.

    Raises:
        InputError: if f doesn't run on Precise numbers (with the reason), x is not one float, or
            a step is not positive.
        DomainError: if f is not finite at a stencil point of one of ``hs``, naming the point.

    For ``form="complex"``, InputError also if f does not allow the complex step, with the reason.

    >>> f = lambda x: 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2
    >>> sweep = error_sweep(f, 0.2, "forward")
    >>> round(sweep.observed_order, 2), round(sweep.roundoff_slope)
    (1.0, -1)
    >>> print(f"{sweep.best_h:.1e} found, {sweep.predicted_h:.1e} predicted")
    1.3e-09 found, 2.0e-09 predicted
    >>> largest = sweep.at(1e-10)
    >>> print(f"step {float(largest.step):+.1e}, truncation {float(largest.truncation):+.1e}")
    step +7.5e-07, truncation +3.4e-09
    """
    if isinstance(form, str) and form == "complex":
        from diffkit.finite.error.complex_sweep import complex_sweep  # which builds on this module

        return complex_sweep(f, x, exact, hs, order, n)
    formula = stencil(form, n, order)
    point = one_float(x)
    steps, chosen = steps_of(point, hs)
    values, points = run_on_floats(f, point, formula, steps)
    finite = np.array([all(is_finite(y) for y in row) for row in values])
    if not finite.all():
        if not chosen:
            i = int(np.flatnonzero(~finite)[0])
            j = [is_finite(y) for y in values[i]].index(False)
            raise DomainError(
                f"f is {values[i][j]} at x = {points[i][j]}, a point of the stencil for h = {steps[i]:g}: "
                "leave out steps as large as that"
            )
        steps, values, points = (
            [a for a, ok in zip(v, finite, strict=True) if ok] for v in (steps, values, points)
        )
        if len(steps) < 3:
            raise DomainError(f"f has no values beside x = {point}: there is no derivative to approximate")
    truth = true_derivative(f, point, formula, exact, float(min(steps)))
    computed = [combined(formula, row, h) for row, h in zip(values, steps, strict=True)]
    parts = tuple(
        parts_of(f, point, formula, h, at, row, total, truth)
        for h, at, row, total in zip(steps, points, values, computed, strict=True)
    )
    estimate, noise = noise_near(f, point)
    m = formula.n + formula.order
    return ErrorSweep(
        f=f,
        h=np.array([float(h) for h in steps]),
        value=np.array(computed),
        **as_arrays(parts),
        parts=parts,
        stencil=formula,
        x=point,
        exact=truth,
        leading=float(derivative_in_digits(f, Fraction(*point.as_integer_ratio()), m, 30)),
        noise=noise,
        noise_estimate=estimate,
        evaluations=len(formula.offsets) * len(steps) + estimate.evaluations + 1,
    )


def largest_by(
    sweep: ErrorSweep, derivative: Callable[[float], Precise], reach: float
) -> np.ndarray[Any, Any]:
    """The bound for each h of a sweep: remainder * h**order * max |derivative(t)| for t up to reach * h."""
    furthest = reach * float(sweep.h[-1])
    ends = [reach * float(h) for h in sweep.h]
    between = [furthest * i / 65 for i in range(66)]
    at = sorted({*ends, *between}, key=abs)
    highest = dict(zip(at, np.maximum.accumulate([float(abs(derivative(t))) for t in at]), strict=True))
    maxima = np.array([highest[t] for t in ends])
    return np.asarray(float(sweep.stencil.remainder) * sweep.h**sweep.stencil.order * maxima)
