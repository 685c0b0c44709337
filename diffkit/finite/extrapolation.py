"""Richardson's extrapolation in Ridders' manner: a derivative that brings its own error estimate.

Halving h divides the leading truncation error by 2**p, so that two results with different steps
give away the error and can be combined into one without it; the next error has the next order, and
so on down a tableau. L. F. Richardson, "The approximate arithmetical solution by finite differences
of physical problems", Philosophical Transactions of the Royal Society A 210 (1911), 307-357;
C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software
4 (1982), 75-76, adds where to stop: when round-off makes the tableau worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import DomainError, InputError
from diffkit.finite.choosing.measuring import Measured, measure_function
from diffkit.finite.choosing.plan import Estimate, by_output
from diffkit.finite.choosing.step_sizes import exact_steps, given_steps
from diffkit.finite.choosing.warnings import warn_if_random, warn_if_unsettled
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move
from diffkit.finite.formula import difference
from diffkit.finite.stencils import Stencil, stencil, weights
from diffkit.tables import Table

LEVELS = 20
"""Rows of the tableau at most; for a smooth f it seldom gets beyond eight before round-off tells."""

FIRST = 1 / 8
"""The first step, in units of max(|x|, 1); less where f's derivatives show that it varies faster."""

NARROWER, RETRIES = 64, 4
"""By how much the first step is made smaller where it proves to be too large for f, and how often."""

ROWS, RISES = 4, 2
"""Round-off is not looked for before so many rows; and it must make the diagonal worse so many times."""


@dataclass(frozen=True)
class Extrapolation(Estimate):
    """An :class:`~diffkit.finite.Estimate` by extrapolation.

    Attributes:
        tableau: the rows of the tableau, for the first output: h, then what one, two, ... steps of
            extrapolation make of it.

    >>> import numpy as np
    >>> estimate = extrapolate(np.exp, 1.0)
    >>> estimate.tableau.columns[:4], estimate.tableau["h"][:3]
    (['h', 'order 2', 'order 4', 'order 6'], [0.125, 0.0625, 0.03125])
    """

    tableau: Table = field(repr=False)


def extrapolate(
    f: Callable[[Any], Any],
    x: Any,
    form: str = "central",
    h: Any = None,
    order: int | None = None,
    *,
    n: int = 1,
) -> Extrapolation:
    """The n-th derivative of a function of one variable, by extrapolation to h = 0.

    Args:
        f: a function of one number that returns a number, an array, or containers of them; smooth
            over the first, large step.
        x: a float.
        form: "forward", "backward" or "central" (whose error has even powers of h only, so that
            each step of extrapolation gains two orders).
        h: the largest step; by default max(|x|, 1) / 8, or as much of it as f's domain and the measured
            derivatives of f allow.
        order: the order of accuracy of the formula that is extrapolated.
        n: which derivative.

    Returns:
        An Extrapolation: ``.value``, and ``.error``, the estimate that belongs to it.

    Raises:
        InputError: if x is not one float, or as in :func:`~diffkit.finite.derivative`.
        DomainError: if f has no values beside x, jumps there or is infinitely steep.

    Warns:
        DifferenceWarning, NoiseWarning: as :func:`~diffkit.finite.derivative`.

    >>> import numpy as np
    >>> estimate = extrapolate(np.exp, 1.0)
    >>> abs(estimate.value - np.e) <= estimate.error < 1e-12
    True
    """
    formula = stencil(form, n, order)
    argument = Argument(x)
    if not argument.is_scalar:
        raise InputError(f"extrapolate is for functions of one variable; x is {describe(x)}")
    function = Function(f, argument)
    measured = measure_function(function, formula)
    spent = function.evaluations
    warn_if_random(f, measured.noise, measured.repeat)
    steps, first = _first(function, formula, h, measured)
    found = _tableau(function, formula, steps[0], first, measured)
    for _ in range(0 if h is not None or found.credible else RETRIES):
        # The steps jump over an oscillation: all of them agree on a slope that f has nowhere.
        steps = steps / steps.dtype.type(NARROWER)
        if steps[0] < 64 * argument.spacing[0]:
            break
        first = _apply(function, formula, steps[0], strict=True)
        found = _tableau(function, formula, steps[0], first, measured)
        if found.credible:
            break
    errors = np.where(np.isfinite(measured.leading), found.error, np.inf)
    errors = warn_if_unsettled(
        argument, formula, measured, found.best[None], errors[None], first[1], measured.scale[:, None]
    )[0]
    tableau = Table(
        ["h", *(f"order {formula.order + _gain(formula) * j}" for j in range(len(found.rows)))],
        [
            [float(steps[0]) / 2**i, *(v[0].item() for v in row), *[None] * (len(found.rows) - len(row))]
            for i, row in enumerate(found.rows)
        ],
        caption=f"Extrapolation of {formula} at x = {x}",
    )
    return Extrapolation(
        value=by_output(function, found.best),
        error=by_output(function, errors),
        h=by_output(function, found.used),
        form=form,
        order=formula.order,
        n=n,
        evaluations=function.evaluations,
        measuring=spent,
        noise=float(measured.noise.max()),
        switched={},
        tableau=tableau,
    )


@dataclass(frozen=True)
class _Tableau:
    """Its rows, and for each output the best entry, its error and its step."""

    rows: list[list[np.ndarray[Any, Any]]]
    best: np.ndarray[Any, Any]
    error: np.ndarray[Any, Any]
    used: np.ndarray[Any, Any]
    credible: bool


def _gain(formula: Stencil) -> int:
    """Central formulas, when complete, have only even powers of h in their error."""
    return 2 if formula.form == "central" else 1


def _tableau(
    function: Function, formula: Stencil, step: Any, first: tuple[Any, Any, Any], near: Measured
) -> _Tableau:
    """The tableau from a first step down, until round-off makes it worse.

    It is credible if the values that the best entry comes from have the slope that f has at x, which is
    known from a grid hardly wider than the spacing of floats.
    """
    argument, n = function.argument, formula.n
    eps, gain = float(argument.epsilon[0]), _gain(formula)
    direction = float(near.scale[0]) * (-1.0 if formula.form == "backward" else 1.0)
    rows = [[first[0]]]
    best = first[0]
    error = np.full(best.shape, np.inf)
    used = np.full(best.shape, float(step))
    times = np.zeros(best.shape, dtype=int)
    gap = np.full(best.shape, np.inf)
    slope_last, truncation = first[2], np.zeros(best.shape)
    for i in range(1, LEVELS):
        smaller = step / step.dtype.type(2) ** i
        if smaller < 8 * argument.spacing[0]:
            break
        value, size, slope = _apply(function, formula, smaller, strict=True)
        noise = np.fmax(near.noise, eps * size)
        row, louder = [value], formula.error_factors[1]  # what the sums make of noise at most
        for j in range(1, i + 1):
            factor = 2.0 ** (formula.order + gain * (j - 1))
            row.append((factor * row[j - 1] - rows[i - 1][j - 1]) / (factor - 1))
            louder *= (factor + 1) / (factor - 1)
            off = np.fmax(np.abs(row[j] - row[j - 1]), np.abs(row[j] - rows[i - 1][j - 1]))
            floor = louder * noise / float(smaller) ** n + eps * np.abs(row[j])
            off = np.fmax(off, floor)
            better = off < error
            best, error = np.where(better, row[j], best), np.where(better, off, error)
            used = np.where(better, float(smaller), used)
            gap = np.where(better, np.abs((row[j] if n == 1 else slope) * direction - near.slope), gap)
            truncation = np.where(better, 2 * np.abs((slope - slope_last) * direction), truncation)
        rows.append(row)
        slope_last = slope
        # Ridders stops where the diagonal gets worse. While the steps are still too large for f it
        # may do so too; but then the error is not small yet.
        worse = np.abs(row[i] - rows[i - 1][i - 1]) >= 2 * error
        times = np.where(worse & (error <= np.sqrt(eps) * np.abs(best)), times + 1, 0)
        if i >= ROWS and (times >= RISES).all():
            break
    # For n > 1 the plain difference of order 1 is compared, which still has its truncation error.
    slack = near.doubt + (10 * error * abs(direction) if n == 1 else truncation)
    credible = bool((~(gap > slack) | ~np.isfinite(near.slope)).all())
    if not credible and n == 1:
        error = np.fmax(error, np.where(gap > slack, gap / abs(direction), 0))
    return _Tableau(rows, best, error, used, credible)


def _first(
    function: Function, formula: Stencil, h: Any, measured: Measured
) -> tuple[np.ndarray[Any, Any], tuple[Any, Any, Any]]:
    """The largest step and the formula's value there; halved until f is finite, unless it was given."""
    argument = function.argument
    if h is not None:
        steps = given_steps(argument, h, formula.points)
        return steps, _apply(function, formula, steps[0], strict=True)
    # Where the leading derivative is D, in units of f and x, Taylor's series is of use up to some D**(-1/m).
    with np.errstate(divide="ignore"):
        lengths = measured.leading ** (-1 / (formula.n + formula.order))
    length = min([FIRST, *lengths[lengths > 0]])
    steps = exact_steps(argument, length * measured.scale)
    while steps[0] >= 64 * argument.spacing[0]:
        first = _apply(function, formula, steps[0], strict=False)
        if np.isfinite(first[0]).all():
            return steps, first
        steps = steps / steps.dtype.type(4)
    raise DomainError(f"f has no values beside x = {argument.flat[0]}: there is no derivative there")


def _apply(
    function: Function, formula: Stencil, h: Any, strict: bool
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The formula with step h, the size of f's values, and the slope that they show."""
    x = function.argument.flat[0]
    moves: list[Move] = [(0, x + h.dtype.type(k) * h) if k else None for k in formula.offsets]
    values = function(moves) if strict else function.attempt(moves)
    with np.errstate(invalid="ignore"):
        slope = np.tensordot([float(w) for w in weights(formula.offsets, 1)], values, axes=1) / float(h)
        total = difference(formula, dict(zip(formula.points, values, strict=True)), h)
    return np.asarray(total), np.abs(values).max(axis=0), slope
