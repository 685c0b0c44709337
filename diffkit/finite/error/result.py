"""What an error sweep gives: its parts, slopes, least point and bound against h."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.finite.choosing.noise import Noise
from diffkit.finite.choosing.step_sizes import best_step, least_error
from diffkit.finite.error.curve import error_curve
from diffkit.finite.error.parts import PARTS, Parts, derivative_in_digits
from diffkit.finite.error.regimes import Fit, fit_line, running_median, steady_run
from diffkit.finite.stencils import Stencil
from diffkit.precise import Precise
from diffkit.tables import Table


@dataclass(frozen=True, repr=False)
class ErrorSweep:
    """The error of a difference formula for each step of a range.

    All errors are signed: the computed value minus the exact one.

    Attributes:
        h: the steps, in the order in which they were given.
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

    >>> from diffkit.finite import error_sweep
    >>> sweep = error_sweep(lambda x: x**3, 1.0, hs=[1e-2, 1e-5, 1e-8])
    >>> sweep.best_h, [f"{e:.0e}" for e in sweep.truncation]
    (1e-05, ['1e-04', '1e-10', '1e-16'])
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
        return float(self.h[self.median_error == self.median_error.min()].min())

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
        """The error curve with its parts: see :func:`~diffkit.finite.error_curve`."""
        return error_curve(self, path=path)


def _fit_cells(fit: Fit | None) -> list[Any]:
    return [fit.slope, f"for h from {fit.low:.1e} to {fit.high:.1e}"] if fit else [None, "no such regime"]


def largest_by(
    sweep: ErrorSweep, derivative: Callable[[float], Precise], reach: float
) -> np.ndarray[Any, Any]:
    """The bound for each h of a sweep: remainder * h**order * max |derivative(t)| for t up to reach * h."""
    furthest = reach * float(sweep.h.max())
    ends = [reach * float(h) for h in sweep.h]
    between = [furthest * i / 65 for i in range(66)]
    at = sorted({*ends, *between}, key=abs)
    highest = dict(zip(at, np.maximum.accumulate([float(abs(derivative(t))) for t in at]), strict=True))
    maxima = np.array([highest[t] for t in ends])
    return np.asarray(float(sweep.stencil.remainder) * sweep.h**sweep.stencil.order * maxima)
