"""Functions that reduce axes: sums, means, products, extrema."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.recording.refusals import refuse_keyword
from diffkit.autodiff.recording.tracer import TRACED, is_traced
from diffkit.autodiff.rules.call_forms import decided, plain
from diffkit.autodiff.rules.register import LINEAR, composite, constant, define, fit
from diffkit.typing import ArrayValue, Value

Axis = int | tuple[int, ...] | None


def aligned(v: Value, x: Value, axis: Axis = None, keepdims: bool = False) -> Any:
    """What a reduction of x gave, or its cotangent, with the reduced axes kept, to broadcast to x."""
    if axis is None or keepdims:
        return v
    shape = getattr(x, "shape", ())
    if not shape:
        return v
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int | np.integer) else axis)}
    return np.reshape(v, tuple(1 if k in axes else n for k, n in enumerate(shape)))


_WRITTEN_OUT = 10_000
"""Elements up to which one number is written out in an array: of more, a view of the one is the quicker."""


def spread(v: ArrayValue, x: Value, axis: Axis = None, keepdims: bool = False) -> Any:
    """The same, repeated along the axes that were reduced: in x's shape."""
    v = aligned(v, x, axis, keepdims)
    shape = getattr(x, "shape", ())
    if getattr(v, "shape", ()) == shape:
        return v
    if is_traced(v):
        return np.broadcast_to(v, shape)
    v = np.asarray(v)
    if v.size == 1 and math.prod(shape) > _WRITTEN_OUT:
        return np.broadcast_to(v, shape)
    whole = np.empty(shape, v.dtype)
    whole[...] = v
    return whole


def count(x: Value, axis: Axis = None) -> int:
    """How many elements of x go into each element of a reduction over ``axis``."""
    shape = np.shape(x)
    if axis is None:
        return int(np.prod(shape, dtype=int))
    axes = (axis,) if isinstance(axis, int | np.integer) else axis
    return int(np.prod([shape[a] for a in axes], dtype=int)) if shape else 1


# -- sums and means ---------------------------------------------------------------------------------------


def _sum_vjp(
    g: ArrayValue, ans: Value, x: ArrayValue, axis: Axis = None, keepdims: bool = False, **_: Any
) -> Any:
    return fit(spread(g, x, axis, keepdims), x)


def _mean_vjp(
    g: ArrayValue, ans: Value, x: ArrayValue, axis: Axis = None, keepdims: bool = False, **_: Any
) -> Any:
    return fit(spread(g, x, axis, keepdims) / max(count(x, axis), 1), x)


# -- extrema ----------------------------------------------------------------------------------------------


# An extremum that is attained at k places shares its cotangent among them, and has their tangents' mean.


def _attained(ans: Value, x: Value, axis: Axis, keepdims: bool) -> Any:
    """1 at each place where the extremum is attained, else 0."""
    return np.equal(x, aligned(ans, x, axis, keepdims)).astype(getattr(x, "dtype", float))


def _extreme_vjp(g: Value, ans: Value, x: Value, axis: Axis = None, keepdims: bool = False, **_: Any) -> Any:
    hit = _attained(ans, x, axis, keepdims)
    return fit(aligned(g, x, axis, keepdims) / hit.sum(axis=axis, keepdims=True) * hit, x)


def _extreme_jvp(t: Value, ans: Value, x: Value, axis: Axis = None, keepdims: bool = False, **_: Any) -> Any:
    hit = _attained(ans, x, axis, keepdims)
    return np.sum(t * hit, axis=axis, keepdims=keepdims) / hit.sum(axis=axis, keepdims=keepdims)


# -- products ---------------------------------------------------------------------------------------------


def _of_the_others(ans: Value, x: Any, axis: Axis, keepdims: bool) -> Any:
    """For each element the product of all the others: ans / x, but right where some are zero."""
    if decided(np.all, x):
        return aligned(ans, x, axis, keepdims) / x
    ndim = x.ndim
    axes = tuple(range(ndim)) if axis is None else (axis,) if isinstance(axis, int | np.integer) else axis
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    rows = np.reshape(moved, (*moved.shape[: ndim - len(axes)], -1))
    one = np.ones_like(plain(rows[..., :1]))
    before = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    after = np.flip(np.cumprod(np.concatenate([one, np.flip(rows, -1)[..., :-1]], axis=-1), axis=-1), -1)
    return np.moveaxis(np.reshape(before * after, moved.shape), last, axes)


def _prod_vjp(g: Value, ans: Value, x: Value, axis: Axis = None, keepdims: bool = False, **_: Any) -> Any:
    return fit(aligned(g, x, axis, keepdims) * _of_the_others(ans, x, axis, keepdims), x)


def _prod_jvp(t: Value, ans: Value, x: Value, axis: Axis = None, keepdims: bool = False, **_: Any) -> Any:
    return np.sum(t * _of_the_others(ans, x, axis, keepdims), axis=axis, keepdims=keepdims)


# -- the table --------------------------------------------------------------------------------------------


def _at_once(function: Callable[..., Any], ufunc: np.ufunc) -> Callable[..., Any]:
    """A reduction as the ufunc's, which it is. NumPy's function takes twice as long for a small array."""
    reduce = ufunc.reduce

    @functools.wraps(function)
    def compute(x: Any, **kwargs: Any) -> Any:
        if type(x) in TRACED:
            return function(x, **kwargs)
        return reduce(x, kwargs.pop("axis", None), **kwargs)

    return compute


# fmt: off
define(np.sum,  [_sum_vjp],     [LINEAR],       compute=_at_once(np.sum, np.add))
define(np.mean, [_mean_vjp],    [LINEAR])
define(np.prod, [_prod_vjp],    [_prod_jvp],    compute=_at_once(np.prod, np.multiply))
define(np.max,  [_extreme_vjp], [_extreme_jvp], compute=_at_once(np.max, np.maximum))
define(np.min,  [_extreme_vjp], [_extreme_jvp], compute=_at_once(np.min, np.minimum))
define(np.amax, [_extreme_vjp], [_extreme_jvp], compute=_at_once(np.amax, np.maximum))
define(np.amin, [_extreme_vjp], [_extreme_jvp], compute=_at_once(np.amin, np.minimum))
# fmt: on
constant(np.all, np.any, np.argmax, np.argmin, np.count_nonzero, np.nanargmax, np.nanargmin)


@composite(np.ptp)
def _ptp(a: Value, axis: Axis = None, *, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# -- the same, as methods of ufuncs -----------------------------------------------------------------------

for _ufunc, _reduction in [
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
    (np.logical_and, np.all),
    (np.logical_or, np.any),
]:

    @composite(_ufunc.reduce)
    def _reduce(
        array: ArrayValue,
        axis: Axis = 0,
        dtype: DTypeLike | None = None,
        *,
        keepdims: bool = False,
        initial: Any = None,
        where: bool = True,
        _reduction: Any = _reduction,
    ) -> Any:
        array = array if dtype is None else array.astype(dtype)
        if initial is not None:
            refuse_keyword(f"np.{_reduction.__name__}", "initial", sys._getframe(1))
        return _reduction(array, axis=axis, keepdims=keepdims)
