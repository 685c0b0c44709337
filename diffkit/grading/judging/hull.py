"""How far a point is from a convex hull: what is valid at a kink is the hull of the derivatives around."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def distance_to_hull(point: Array, corners: Array, steps: int = 400) -> float:
    """How far a point is from the convex hull of others (one each row), in the largest entry.

    The nearest point by Wolfe's method in its simplest form: Frank-Wolfe with away steps (Lacoste-Julien
    and Jaggi, 2015), which converges linearly on a polytope.

    >>> corners = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> distance_to_hull(np.array([0.25, 0.75]), corners) < 1e-9
    True
    >>> round(distance_to_hull(np.array([1.0, 1.0]), corners), 6)
    0.5
    """
    start = int(np.argmin(np.sum((corners - point) ** 2, axis=1)))
    weights = np.zeros(len(corners))
    weights[start] = 1.0
    nearest = corners[start].astype(float)
    for _ in range(steps):
        gradient = nearest - point
        slopes = corners @ gradient
        toward = int(np.argmin(slopes))
        held = np.flatnonzero(weights > 0)
        away = int(held[np.argmax(slopes[held])])
        here = float(nearest @ gradient)
        if here - slopes[toward] <= 1e-18 * max(1.0, float(point @ point)):
            break
        if here - slopes[toward] >= slopes[away] - here:
            direction, longest = corners[toward] - nearest, 1.0
        else:
            direction = nearest - corners[away]
            longest = weights[away] / max(1 - weights[away], 1e-300)
            toward = -1
        length = float(direction @ direction)
        if length == 0:
            break
        step = min(longest, -float(gradient @ direction) / length)
        if toward >= 0:
            weights *= 1 - step
            weights[toward] += step
        else:
            weights *= 1 + step
            weights[away] -= step
            if step == longest:
                weights[away] = 0.0
        nearest = nearest + step * direction
    return float(np.abs(nearest - point).max(initial=0.0))
