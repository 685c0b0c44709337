"""The error of a difference formula over a range of steps: where the optimum lies, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from diffkit.errors import DomainError
from diffkit.finite.error.complex_sweep import complex_sweep
from diffkit.finite.error.floats import is_finite, noise_near, one_float, run_on_floats, steps_of
from diffkit.finite.error.parts import as_arrays, derivative_in_digits, parts_of, true_derivative
from diffkit.finite.error.result import ErrorSweep
from diffkit.finite.formula import difference
from diffkit.finite.stencils import stencil


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
        hs: the steps, positive; the result keeps their order. By default twenty to a decade, from a
            tenth of the machine epsilon's decade up to 0.1, as far as f has values there.
        order: the order of accuracy.
        n: which derivative.

    Returns:
        An ErrorSweep: for each step the value and its signed error in four parts, as arrays of shape
        (steps,), and what they show: the best step, the slopes, the bound.

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
    tables = [dict(zip(formula.points, row, strict=True)) for row in values]
    computed = [difference(formula, y, h) for y, h in zip(tables, steps, strict=True)]
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
