"""The choice of the step h.

The error of a difference formula has two sides. Truncation grows with h, like C D h**p with D the
derivative that leads it; round-off shrinks with h, like K e / h**n with e the noise of f's values.
The least sum is at

    h* = (n K e / (p C D)) ** (1 / (n + p)),

which depends on the function through e / D. The rules of thumb sqrt(eps) and cbrt(eps) take that
ratio to be eps; here both are measured: see :mod:`~diffkit.finite.choosing.measuring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.stencils import Stencil


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
    c, k = formula.error_factors
    n, p = formula.n, formula.order
    with np.errstate(divide="ignore", invalid="ignore"):
        return (n * k * np.asarray(noise) / (p * c * np.asarray(leading))) ** (1 / (n + p))


def least_error(formula: Stencil, noise: Any, leading: Any, h: Any) -> Any:
    """The size of truncation and round-off together at a step."""
    c, k = formula.error_factors
    return c * leading * h**formula.order + k * noise / h**formula.n


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
