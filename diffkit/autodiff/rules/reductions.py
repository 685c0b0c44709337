"""Functions that reduce an axis: sums, means, extrema, products."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.register import LINEAR, define

__all__ = ["spread"]


def spread(g: Any, like: Any, axis: Any, keepdims: bool = False) -> Any:
    """The cotangent of a reduction, spread back along the axes that were reduced."""
    shape = getattr(like, "shape", ())
    if axis is not None and not keepdims:
        axes = (axis,) if isinstance(axis, int | np.integer) else axis
        kept = [1 if k in {a % len(shape) for a in axes} else n for k, n in enumerate(shape)]
        g = np.reshape(g, kept)
    return np.broadcast_to(g, shape)


def _sum_vjp(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return spread(g, x, axis, keepdims)


def _count(x: Any, ans: Any) -> float:
    return float(getattr(x, "size", 1) / max(getattr(ans, "size", 1), 1))


def _mean_vjp(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return spread(g, x, axis, keepdims) / _count(x, ans)


def _is_extreme(ans: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """1/k at each of the k places where the extremum is attained, else 0."""
    hit = np.equal(x, spread(ans, x, axis, keepdims)).astype(x.dtype)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def _extreme_vjp(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return spread(g, x, axis, keepdims) * _is_extreme(ans, x, axis, keepdims)


def _extreme_jvp(t: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return np.sum(t * _is_extreme(ans, x, axis, keepdims), axis=axis, keepdims=keepdims)


define(np.sum, [_sum_vjp], [LINEAR])
define(np.mean, [_mean_vjp], [LINEAR])
define(np.max, [_extreme_vjp], [_extreme_jvp])
define(np.min, [_extreme_vjp], [_extreme_jvp])
