"""Functions that pass over NaN: the place of each is filled with what changes nothing."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.rules.call_forms import decided
from diffkit.autodiff.rules.decisions import any_nan, count_numbers
from diffkit.autodiff.rules.register import composite, define, fit
from diffkit.autodiff.rules.removable_singularities import root_of_squares
from diffkit.typing import ArrayValue, Value

Axis = int | tuple[int, ...] | None


def _filled(a: Value, value: float) -> Any:
    """a with ``value`` in place of NaN."""
    return np.where(np.isnan(a), value, a) if decided(any_nan, a) else a


def _known(a: Value, axis: Axis, keepdims: bool = False) -> Any:
    """How many elements are not NaN."""
    return decided(count_numbers, a, axis=axis, keepdims=keepdims)


@composite(np.nansum)
def _nansum(a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    return np.sum(_filled(a, 0.0), axis=axis, dtype=dtype, keepdims=keepdims)


@composite(np.nanprod)
def _nanprod(a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    return np.prod(_filled(a, 1.0), axis=axis, dtype=dtype, keepdims=keepdims)


@composite(np.nancumsum)
def _nancumsum(a: Value, axis: int | None = None, dtype: Any = None) -> Any:
    return np.cumsum(_filled(a, 0.0), axis=axis, dtype=dtype)


@composite(np.nancumprod)
def _nancumprod(a: Value, axis: int | None = None, dtype: Any = None) -> Any:
    return np.cumprod(_filled(a, 1.0), axis=axis, dtype=dtype)


def _extreme(reduce: Any, fill: float, a: Value, axis: Axis, keepdims: bool) -> Any:
    best = reduce(_filled(a, fill), axis=axis, keepdims=keepdims)
    known = _known(a, axis, keepdims)
    if np.all(known):
        return best
    warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=4)
    return np.where(known == 0, np.nan, best)


@composite(np.nanmax)
def _nanmax(a: Value, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    return _extreme(np.max, -np.inf, a, axis, keepdims)


@composite(np.nanmin)
def _nanmin(a: Value, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    return _extreme(np.min, np.inf, a, axis, keepdims)


@composite(np.nanmean)
def _nanmean(a: Value, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    total = np.sum(_filled(a, 0.0), axis=axis, dtype=dtype, keepdims=keepdims)
    return total / _like(_known(a, axis, keepdims), total)


def _like(counts: Any, x: ArrayValue) -> Any:
    """Counts in x's precision, so that a float32 divided by them stays one."""
    return np.asarray(counts, np.zeros((), x.dtype).real.dtype)[()]


@composite(np.nanvar)
def _nanvar(
    a: ArrayValue,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: Any = np._NoValue,
) -> Any:
    ddof = ddof if correction is np._NoValue else correction
    mean = np.nanmean(a, axis=axis, dtype=dtype, keepdims=True)
    deviations = np.where(np.isnan(a), 0.0, a - mean)
    square = np.abs(deviations) ** 2 if a.dtype.kind == "c" else deviations * deviations
    free = _known(a, axis, keepdims) - ddof
    if np.any(free <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=2)
        free = np.where(free <= 0, np.nan, free)
    total = np.sum(square, axis=axis, keepdims=keepdims)
    return total / _like(free, total)


@composite(np.nanstd)
def _nanstd(a: Any, axis: Axis = None, dtype: Any = None, out: None = None, *args: Any, **kwargs: Any) -> Any:
    return root_of_squares(np.nanvar(a, axis, dtype, out, *args, **kwargs))


def _nan_to_num_vjp(g: Value, ans: Value, x: Value, **_: Any) -> Any:
    return fit(np.where(np.isfinite(x), g, np.zeros_like(g)), x)


def _nan_to_num_jvp(t: Value, ans: Value, x: Value, **_: Any) -> Any:
    return np.where(np.isfinite(x), t, np.zeros_like(t))


nan_to_num = define(np.nan_to_num, [_nan_to_num_vjp], [_nan_to_num_jvp])
