"""What an error curve says: where it falls, where it rises again, and its least point.

Against h on logarithmic axes an error curve is a V: to the right truncation rises with the slope
p of the formula's order, to the left round-off rises with slope -n for the n-th derivative. The
functions here find the two regimes in the data; none of them is told where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DECADE = 0.5
"""Width of the windows, in powers of ten of h: narrow beside the V, wide beside its jitter."""


@dataclass(frozen=True)
class Fit:
    """A straight line through log10(error) against log10(h).

    Attributes:
        slope: the power of h by which the error goes.
        low: the least h of the points it was fitted to.
        high: the greatest.
        residual: the root mean square of the distances to the line, in powers of ten.
        points: how many points.
    """

    slope: float
    low: float
    high: float
    residual: float
    points: int


def running_median(h: np.ndarray[Any, Any], error: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The median of the errors within a quarter of a decade on either side of each h.

    A single least error is luck: two errors that happened to cancel. The median is what one may
    count on.

    >>> import numpy as np
    >>> running_median(np.array([1.0, 1.1, 1.2]), np.array([1.0, 1e-9, 2.0])).tolist()
    [1.0, 1.0, 1.0]
    """
    position = np.log10(h)
    width = DECADE / 2 + 1e-9
    return np.array([np.median(error[np.abs(position - at) <= width]) for at in position])


def fit_line(h: np.ndarray[Any, Any], error: np.ndarray[Any, Any]) -> Fit | None:
    """The regression line of log10(error) on log10(h); None for fewer than three points.

    >>> import numpy as np
    >>> h = np.logspace(-5, -1, 9)
    >>> round(fit_line(h, 3 * h**2).slope, 12)
    2.0
    """
    some = (error > 0) & np.isfinite(error)
    if some.sum() < 3:
        return None
    a, b = np.log10(h[some]), np.log10(error[some])
    slope, level = np.polyfit(a, b, 1)
    residual = np.sqrt(np.mean((b - slope * a - level) ** 2))
    return Fit(float(slope), float(h[some].min()), float(h[some].max()), float(residual), int(some.sum()))


def steady_run(h: np.ndarray[Any, Any], error: np.ndarray[Any, Any], tolerance: float = 0.1) -> Fit | None:
    """The line through the longest stretch in which the curve's slope stays the same.

    The slope at each point is that of the points within half a decade of it. A stretch is steady
    if these differ by no more than ``tolerance``; that cuts off the round-off below and, above,
    the steps that are too large for the leading term of the truncation error alone.

    Args:
        h: steps, in whatever order.
        error: absolute errors.
    """
    order = np.argsort(h)
    h, error = h[order], error[order]
    some = (error > 0) & np.isfinite(error)
    position, level = np.log10(h[some]), np.log10(error[some])
    slopes = np.full(position.shape, np.nan)
    for i, at in enumerate(position):
        near = np.abs(position - at) <= DECADE / 2 + 1e-9
        if near.sum() >= 3:
            slopes[i] = np.polyfit(position[near], level[near], 1)[0]
    best, start = (0, 0), 0
    for end in range(len(slopes)):
        while start <= end and not np.ptp(slopes[start : end + 1]) <= tolerance:
            start += 1
        if end + 1 - start > best[1] - best[0]:
            best = (start, end + 1)
    chosen = slice(*best)
    return fit_line(h[some][chosen], error[some][chosen])
