"""The slope of a function from its values alone, and how far it is to be trusted.

It is a least-squares fit of an odd polynomial on a symmetric interval. What the fit leaves over is a
measurement: of the round-off in the values if the interval is short, of the neglected terms of the series if
it is long. The interval is shortened until the slope's error that follows from it is smallest. (After the
idea of Moré and Wild, "Estimating derivatives of noisy simulations", ACM TOMS 38, 2012: let the measured
noise choose the step.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

_TERMS = 4
_POINTS = 10
NEGLIGIBLE = 1e-6
"""What the error of a slope may be, next to the function's values, where the slope itself is zero."""


@cache
def _design() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The fit of s, s^3, s^5, s^7 to the odd part of phi at ten points, and of 1, s^2, s^4, s^6 to the even.

    Returns:
        The points in (0, 1]; for the odd and for the even part the matrix that turns its values into
        the fit's residual; the row that turns the odd part into the slope; and by how much the slope is
        off for each unit of residual (root mean square): the larger of what noise does and of what
        the first neglected term, s^9, does.
    """
    points = np.sin(np.pi / 2 * np.arange(1, _POINTS + 1) / _POINTS)
    residuals = []
    for first in (0, 1):
        powers = points[:, None] ** np.arange(first, 2 * _TERMS + first, 2)
        inverse = np.linalg.pinv(powers)
        residuals.append(np.eye(_POINTS) - powers @ inverse)
    neglected = points ** (2 * _TERMS + 1)
    bias = abs(inverse[0] @ neglected) / _rms(residuals[1] @ neglected)
    noise = np.linalg.norm(inverse[0])
    return points, np.stack(residuals), inverse[0], float(max(noise, bias))


def _rms(residual: np.ndarray) -> float:
    return float(np.sqrt(np.sum(residual**2) / (_POINTS - _TERMS)))


def slope_at_zero(line: Callable[[float], float], enough: float) -> tuple[float, float]:
    """The slope of a function at 0 and its error, from the interval on which it is known best.

    Args:
        line: the function; NaN says that it has no value there. An attribute ``size`` may tell how large its
            values have been so far, to which their round-off is relative.
        enough: the relative error at which no better interval is looked for.

    >>> import math
    >>> slope, error = slope_at_zero(math.exp, 1e-6)
    >>> bool(abs(slope - 1) < error < 1e-6)
    True
    """
    points, (even_residual, odd_residual), row, factor = _design()
    eps = float(np.finfo(float).eps)
    best = (1.0, float("inf"), float("nan"))  # relative error, error, slope
    for h in 2.0 ** -np.arange(2, 33, 3):
        right = np.array([line(s) for s in h * points])
        left = np.array([line(-s) for s in h * points])
        odd, even = (right - left) / 2, (right + left) / 2
        if not (np.isfinite(odd).all() and np.isfinite(even).all()):
            continue
        slope = float(row @ odd) / h
        # A kink leaves its mark on the even part only. Values that agree to the last bit (those of a
        # linear function) still carry their own rounding.
        residual = max(_rms(odd_residual @ odd), _rms(even_residual @ even), eps * float(np.abs(odd).max()))
        error = 3 * factor * residual / h
        # By relative error: an interval too long to see a narrow feature has a small error and a small slope.
        # A slope of zero is relative to the values: else any interval with a kink in it would seem better.
        against = abs(slope) + error + NEGLIGIBLE * getattr(line, "size", 0.0)
        best = min(best, (error / against if error else 0.0, error, slope))
        if best[0] < enough:
            break
    return best[2], best[1]
