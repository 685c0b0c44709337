"""What a program computes when it applies a formula: the side of an error sweep that is rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import InputError
from diffkit.finite.choosing.noise import Noise, estimate_noise
from diffkit.finite.choosing.warnings import warn_if_random
from diffkit.finite.stencils import Stencil


def noise_near(f: Callable[[Any], Any], x: Any) -> tuple[Noise, float]:
    """The measurement of f's noise, and the size of errors to count on in its values.

    Warns:
        NoiseWarning: if f is not deterministic.
    """
    estimate, here = estimate_noise(f, x), float(f(x))
    level = estimate.level if estimate.status == "found" else 0.0
    warn_if_random(f, np.array([level]), np.abs(estimate.values[:1].astype(float) - here))
    return estimate, max(level, float(np.finfo(type(x)).eps) * abs(here))


def one_float(x: Any) -> Any:
    if isinstance(x, np.ndarray) and x.shape == () and x.dtype.kind == "f":
        x = x[()]
    if isinstance(x, int) and not isinstance(x, bool):
        x = float(x)
    if isinstance(x, np.float64):
        x = float(x)
    if not isinstance(x, (float, np.floating)) or not np.isfinite(x):
        raise InputError(f"x must be one finite float, got {x if isinstance(x, float) else describe(x)}")
    return x


def steps_of(x: Any, hs: Iterable[float] | None) -> tuple[list[Any], bool]:
    """The steps in the dtype of x, and whether they were chosen here (ascending) or given (in that order)."""
    kind = type(x)
    if hs is None:
        lowest = math.floor(math.log10(float(np.finfo(kind).eps))) - 1
        grid = np.logspace(lowest, -1, 20 * (-1 - lowest) + 1)
        if abs(x) >= 2:
            grid = grid * 2.0 ** math.floor(math.log2(abs(x)))
        return [kind(h) for h in grid], True
    given = [kind(h) for h in np.atleast_1d(np.asarray(hs if isinstance(hs, np.ndarray) else list(hs)))]
    if not given or not all(np.isfinite(h) and h > 0 for h in given):
        raise InputError(f"hs must be positive steps, got {min(given) if given else 'none'}")
    return given, False


def is_finite(y: Any) -> bool:
    return y is not None and bool(np.isfinite(y))


def run_on_floats(
    f: Callable[[Any], Any], x: Any, formula: Stencil, steps: list[Any]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """f's values at each step's points, and the points, in the arithmetic of x."""
    kind = type(x)
    offsets = [kind(k.numerator) / kind(k.denominator) for k in formula.offsets]
    points = [[x + k * h if k else x for k in offsets] for h in steps]
    values = []
    with np.errstate(all="ignore"):
        for row in points:
            ys = []
            for at in row:
                try:
                    y = f(at)
                except (ArithmeticError, ValueError):
                    y = None
                if y is not None and (
                    np.ndim(y) != 0 or not isinstance(y, (int, float, np.floating, np.integer))
                ):
                    raise InputError(f"error_sweep needs one real number as result; f returns {describe(y)}")
                ys.append(y if y is None else kind(y))
            values.append(ys)
    return values, points
