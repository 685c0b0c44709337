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
from diffkit.finite.evaluation import Argument, Function, Move
from diffkit.finite.plan import Estimate, by_output
from diffkit.finite.stencils import Stencil, stencil
from diffkit.finite.steps import exact_steps, given_steps
from diffkit.tables import Table

__all__ = ["Extrapolation", "extrapolate"]

LEVELS = 20
"""Rows of the tableau at most; for a smooth f it seldom gets beyond eight before round-off tells."""


@dataclass(frozen=True)
class Extrapolation(Estimate):
    """An :class:`~diffkit.finite.Estimate` by extrapolation.

    Attributes:
        tableau: the rows of the tableau, for the first output: h, then what one, two, ... steps of
            extrapolation make of it.
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
        h: the largest step; by default max(|x|, 1) / 8, or as much of it as f's domain allows.
        order: the order of accuracy of the formula that is extrapolated.
        n: which derivative.

    Returns:
        An Extrapolation: ``.value``, and ``.error``, the estimate that belongs to it.

    Raises:
        InputError: if x is not one float, or as in :func:`~diffkit.finite.derivative`.
        DomainError: if f has no values beside x.

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
    steps, first = _first(function, formula, h)
    step = steps[0]
    # Central formulas, when complete, have only even powers of h in their error.
    gain = 2 if formula.form == "central" else 1
    eps = float(argument.epsilon[0])
    rows = [[first[0]]]
    best = first[0]
    error = np.full(best.shape, np.inf)
    used = np.full(best.shape, float(step))
    times = np.zeros(best.shape, dtype=int)
    for i in range(1, LEVELS):
        smaller = step / step.dtype.type(2) ** i
        if smaller < 8 * argument.spacing[0]:
            break
        value, size = _apply(function, formula, smaller, strict=True)
        row = [value]
        for j in range(1, i + 1):
            factor = 2.0 ** (formula.order + gain * (j - 1))
            row.append((factor * row[j - 1] - rows[i - 1][j - 1]) / (factor - 1))
            off = np.fmax(np.abs(row[j] - row[j - 1]), np.abs(row[j] - rows[i - 1][j - 1]))
            floor = eps * (float(formula.magnification) * size / float(smaller) ** n + np.abs(row[j]))
            off = np.fmax(off, floor)
            better = off < error
            best, error = np.where(better, row[j], best), np.where(better, off, error)
            used = np.where(better, float(smaller), used)
        rows.append(row)
        # Ridders stops where the diagonal gets worse. While the steps are still too large for f it
        # may do so too; but then the error is not small yet.
        worse = np.abs(row[i] - rows[i - 1][i - 1]) >= 2 * error
        times = np.where(worse & (error <= np.sqrt(eps) * np.abs(best)), times + 1, 0)
        if i >= 4 and (times >= 2).all():
            break
    tableau = Table(
        ["h", *(f"order {formula.order + gain * j}" for j in range(len(rows)))],
        [
            [float(step) / 2**i, *(v[0].item() for v in row), *[None] * (len(rows) - len(row))]
            for i, row in enumerate(rows)
        ],
        caption=f"Extrapolation of {formula} at x = {x}",
    )
    return Extrapolation(
        value=by_output(function, best),
        error=by_output(function, error),
        h=by_output(function, used),
        form=form,
        order=formula.order,
        n=n,
        evaluations=function.evaluations,
        measuring=0,
        noise=None,
        switched={},
        tableau=tableau,
    )


def _first(function: Function, formula: Stencil, h: Any) -> tuple[np.ndarray[Any, Any], Any]:
    """The largest step and the formula's value there; halved until f is finite, unless it was given."""
    argument = function.argument
    if h is not None:
        steps = given_steps(argument, h, formula.points)
        return steps, _apply(function, formula, steps[0], strict=True)
    steps = exact_steps(argument, np.fmax(np.abs(argument.flat), 1.0) / 8)
    while steps[0] >= 64 * argument.spacing[0]:
        value, size = _apply(function, formula, steps[0], strict=False)
        if np.isfinite(value).all():
            return steps, (value, size)
        steps = steps / steps.dtype.type(4)
    raise DomainError(f"f has no values beside x = {argument.flat[0]}: there is no derivative there")


def _apply(
    function: Function, formula: Stencil, h: Any, strict: bool
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The formula with step h, and the size of f's values."""
    x = function.argument.flat[0]
    moves: list[Move] = [(0, x + h.dtype.type(k) * h) if k else None for k in formula.offsets]
    values = function(moves) if strict else function.attempt(moves)
    numerators, denominator = formula.integers
    with np.errstate(invalid="ignore"):
        total = sum(w * y for w, y in zip(numerators, values, strict=True))
        return np.asarray(total / (denominator * h**formula.n)), np.abs(values).max(axis=0)
