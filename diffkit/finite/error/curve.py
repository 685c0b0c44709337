"""The curve of an error against h, as it is drawn for a slide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.error.regimes import Fit
from diffkit.finite.stencils import Stencil
from diffkit.plots import SERIES, Plot, Series, canvas


class Curve(Protocol):
    """What is drawn of an :class:`~diffkit.finite.ErrorSweep`; its attributes are explained there."""

    @property
    def h(self) -> np.ndarray[Any, Any]: ...
    @property
    def error(self) -> np.ndarray[Any, Any]: ...
    @property
    def arithmetic(self) -> np.ndarray[Any, Any]: ...
    @property
    def x(self) -> Any: ...
    @property
    def stencil(self) -> Stencil: ...
    @property
    def form(self) -> str: ...
    @property
    def bound(self) -> np.ndarray[Any, Any]: ...
    @property
    def median_error(self) -> np.ndarray[Any, Any]: ...
    @property
    def best_h(self) -> float: ...
    @property
    def best_error(self) -> float: ...
    @property
    def predicted_h(self) -> float: ...
    @property
    def predicted_error(self) -> float: ...
    @property
    def order_fit(self) -> Fit | None: ...
    @property
    def roundoff_fit(self) -> Fit | None: ...


def error_curve(*sweeps: Curve, path: str | os.PathLike[str] | None = None, title: str = "") -> Plot:
    """The error of difference formulas against h, on logarithmic axes.

    For one sweep, the total error with its parts, the textbook bound, the slopes found, and the
    best step as predicted and as found. For several, a V for each, with its slopes and its
    predicted optimum.

    Args:
        *sweeps: results of :func:`diffkit.finite.error_sweep`.
        path: where to save the figure (.svg, .png or .pdf); not at all by default.
        title: above the figure; what was differentiated, say.

    Returns:
        A Plot, which a notebook shows and which can be saved; ``.figure`` is Matplotlib's.

    Raises:
        InputError: without a sweep, with more than there are series, for a path of another ending, or
            without Matplotlib.

    >>> from diffkit.finite import error_sweep
    >>> plot = error_curve(error_sweep(lambda x: x**3, 1.0), title="x**3 at 1")
    >>> plot.svg().startswith("<?xml")
    True
    """
    if not 1 <= len(sweeps) <= len(SERIES):
        raise InputError(f"error_curve takes 1 to {len(SERIES)} sweeps, got {len(sweeps)}")
    with canvas(height=6.2) as (plot, axes):
        if len(sweeps) == 1:
            _one_curve(axes, sweeps[0])
        else:
            _many_curves(axes, sweeps)
        axes.set(xscale="log", yscale="log", xlabel="step h", ylabel="|error|")
        low = min(_least(s.arithmetic if len(sweeps) == 1 else s.error) for s in sweeps)
        axes.set_ylim(low / 20, 20 * max(float(np.abs(s.error).max()) for s in sweeps))
        kind = "The complex step" if all(s.form == "complex" for s in sweeps) else "Finite differences"
        axes.set_title(title or f"{kind} at x = {sweeps[0].x:g}", loc="left")
        columns = 3 if len(sweeps) == 1 else 2
        legend = plot.figure.legend(
            loc="outside lower center", ncols=columns, columnspacing=1.4, handlelength=2.8
        )
        for handle in legend.legend_handles:  # one marker each: not as small as among many, nor as large
            handle.set_markersize(min(max(handle.get_markersize(), 6), 12))
    if path is not None:
        plot.save(path)
    return plot


PART_NAMES = {
    "truncation": "truncation",
    "step": "rounding of the step",
    "rounding": "rounding in f",
    "arithmetic": "subtract and divide",
}


def _one_curve(axes: Any, sweep: Curve) -> None:
    total = np.abs(sweep.error)
    axes.plot(*_line(sweep, total), label="total error", **SERIES[6].dots(marker="o", alpha=0.35))
    for series, (part, name) in zip(SERIES, PART_NAMES.items(), strict=False):
        style = series.line() if part == "truncation" else series.dots(markersize=3.2)
        sizes = np.abs(getattr(sweep, part))
        if sweep.form == "complex":  # nothing is subtracted, nor added to x
            name = "division" if part == "arithmetic" else name
        if np.any(sizes):
            axes.plot(*_line(sweep, sizes), label=name, **style)
    axes.plot(*_line(sweep, sweep.bound), label="textbook bound", zorder=1, **SERIES[5].line(linewidth=1.4))
    _slopes(axes, sweep)
    star = {"marker": "*", "markersize": 17, "linestyle": "none", "zorder": 5}
    found = f"best h found, {_power_of_ten(sweep.best_h)}"
    axes.plot([sweep.best_h], [sweep.best_error], color="#000000", label=found, **star)
    if np.isfinite(sweep.predicted_h):
        predicted = f"best h predicted, {_power_of_ten(sweep.predicted_h)}"
        axes.axvline(sweep.predicted_h, label=predicted, **SERIES[6].line(linewidth=1.3))


def _many_curves(axes: Any, sweeps: Sequence[Curve]) -> None:
    ring = {"markerfacecolor": "none", "markeredgewidth": 2.2, "zorder": 5}
    for k, (series, sweep) in enumerate(zip(SERIES, sweeps, strict=False)):
        slopes = ", ".join(_slope(fit) for fit in (sweep.roundoff_fit, sweep.order_fit) if fit)
        label = f"{sweep.form}, order {sweep.stencil.order}" + (f" (slopes {slopes})" if slopes else "")
        # Dots only where errors scatter; and of lines that coincide the lower ones are wider.
        sizes = np.abs(sweep.error)
        scattered = np.where(np.abs(sizes - sweep.median_error) > 0.1 * sweep.median_error, sizes, 0.0)
        axes.plot(*_line(sweep, scattered), **series.dots(alpha=0.35, markersize=3))
        width = max(2.6, 5.2 - 1.3 * k)
        axes.plot(*_line(sweep, sweep.median_error), label=label, **series.line(linewidth=width))
        if np.isfinite(sweep.predicted_h):  # rings of different sizes, since two forms may agree
            size = 18 - 4 * (k % 3)
            axes.plot([sweep.predicted_h], [sweep.predicted_error], **series.dots(markersize=size), **ring)
    axes.plot([], [], label="optimum predicted", **Series("#000000", "none", "o").dots(markersize=12), **ring)


def _power_of_ten(value: float) -> str:
    """1.3e-09 as mathematics."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def _slope(fit: Fit) -> str:
    return f"{fit.slope:.2f}".replace("-", "\N{MINUS SIGN}")


def _slopes(axes: Any, sweep: Curve) -> None:
    """The slope of each regime, written where it was found: above the one, below the other."""
    for fit, side in ((sweep.order_fit, "right"), (sweep.roundoff_fit, "left")):
        if fit is None:
            continue
        middle = np.sqrt(fit.low * fit.high)
        i = int(np.argmin(np.abs(np.log(sweep.h / middle))))
        axes.annotate(
            f"slope {_slope(fit)}",
            (sweep.h[i], sweep.median_error[i]),
            textcoords="offset points",
            xytext=(14, -16) if side == "right" else (14, 26),
            fontsize=13,
        )


def _least(errors: np.ndarray[Any, Any]) -> float:
    """The size of small errors, other than zero: their lowest tenth."""
    sizes = np.abs(errors[errors != 0])
    return float(np.quantile(sizes, 0.1)) if sizes.size else 1e-16


def _line(sweep: Curve, values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Points from left to right. Zeros have no place on a logarithmic axis; a gap shows them."""
    order = np.argsort(sweep.h)
    return sweep.h[order], np.where(values > 0, values, np.nan)[order]
