"""Spread and correlation: var, std, average, cov, corrcoef."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.autodiff.rules.call_forms import as_array
from diffkit.autodiff.rules.reductions import aligned, count, spread
from diffkit.autodiff.rules.register import composite, define, fit
from diffkit.autodiff.rules.removable_singularities import over_length
from diffkit.autodiff.rules.shaping import cast
from diffkit.typing import ArrayValue, Value

Axis = int | tuple[int, ...] | None


# -- variance and standard deviation ----------------------------------------------------------------------


def _deviations(x: Value, axis: Axis) -> Any:
    """x minus its mean, conjugated: the derivative of the sum of squares is twice this."""
    d = x - np.mean(x, axis=axis, keepdims=True)
    return np.conj(d) if getattr(x, "dtype", np.dtype(float)).kind == "c" else d


def _weight(x: Value, axis: Axis, ddof: float = 0, correction: float | None = None, **_: Any) -> float:
    """Twice what each deviation counts; infinite if no degree of freedom is left, and the variance is nan."""
    free = count(x, axis) - (ddof if correction is None else correction)
    return 2.0 / free if free > 0 else math.inf


def _var_vjp(
    g: ArrayValue, ans: Value, x: ArrayValue, *, axis: Axis = None, keepdims: bool = False, **degrees: Any
) -> Any:
    weight = _weight(x, axis, **degrees)
    return fit(spread(g, x, axis, keepdims) * weight * _deviations(x, axis), x)


def _var_jvp(
    t: Value, ans: Value, x: Value, *, axis: Axis = None, keepdims: bool = False, **degrees: Any
) -> Any:
    weight = _weight(x, axis, **degrees)
    return weight * np.real(np.sum(t * _deviations(x, axis), axis=axis, keepdims=keepdims))


def _std_gradient(ans: Value, x: Value, axis: Axis, keepdims: bool, **degrees: Any) -> Any:
    """The derivative of the standard deviation by each element: 0 where all are the same."""
    if count(x, axis) == 1 and np.isfinite(_weight(x, axis, **degrees)):
        return np.zeros_like(x)  # one element has none wherever it is, so higher derivatives are 0 as well
    slope = over_length(_deviations(x, axis), aligned(ans, x, axis, keepdims))
    return slope * (_weight(x, axis, **degrees) / 2)


def _std_vjp(
    g: ArrayValue, ans: Value, x: ArrayValue, *, axis: Axis = None, keepdims: bool = False, **degrees: Any
) -> Any:
    gradient = _std_gradient(ans, x, axis, keepdims, **degrees)
    return fit(spread(g, x, axis, keepdims) * gradient, x)


def _std_jvp(
    t: Value, ans: Value, x: Value, *, axis: Axis = None, keepdims: bool = False, **degrees: Any
) -> Any:
    gradient = _std_gradient(ans, x, axis, keepdims, **degrees)
    return np.real(np.sum(t * gradient, axis=axis, keepdims=keepdims))


# fmt: off
define(np.var, [_var_vjp], [_var_jvp])
define(np.std, [_std_vjp], [_std_jvp])
# fmt: on


# -- weighted means, covariances --------------------------------------------------------------------------


@composite(np.average)
def _average(
    a: Value,
    axis: Axis = None,
    weights: Value | None = None,
    returned: bool = False,
    *,
    keepdims: Any = False,
) -> Any:
    a, keepdims = as_array(a), False if keepdims is np._NoValue else keepdims
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total: Any = float(count(a, axis))
    else:
        w = _weights_like(a, as_array(weights), axis)
        total = np.sum(w, axis=axis, keepdims=keepdims)
        mean = np.sum(a * w, axis=axis, keepdims=keepdims) / total
    return (mean, np.broadcast_to(total, np.shape(mean))) if returned else mean


def _weights_like(a: Value, w: Value, axis: Axis) -> Any:
    """The weights in a's shape, or in one that broadcasts to it and sums alike."""
    if np.shape(w) == np.shape(a):
        return w
    if axis is None:
        raise TypeError("the axis must be given when weights and values differ in shape")
    ndim = np.ndim(a)
    axes = [k % ndim for k in ((axis,) if isinstance(axis, int | np.integer) else axis)]
    if np.shape(w) != tuple(np.shape(a)[k] for k in axes):
        raise ValueError(
            "weights must have the shape of the values, or of those of their axes that are averaged"
        )
    ordered = np.transpose(w, tuple(int(k) for k in np.argsort(axes)))
    shape = tuple(n if k in axes else 1 for k, n in enumerate(np.shape(a)))
    return np.broadcast_to(np.reshape(ordered, shape), np.shape(a))


@composite(np.cov)
def _cov(
    m: ArrayValue,
    y: ArrayValue | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    if dtype is None:
        dtype = np.result_type(*(v for v in (as_array(m), as_array(y)) if v is not None), np.float64)
    rows = cast(_variables(m, rowvar), dtype)
    if y is not None:
        rows = np.concatenate([rows, cast(_variables(y, rowvar), dtype)], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = as_array(fweights)
    if aweights is not None:
        w = as_array(aweights) if w is None else w * as_array(aweights)
    if w is None:
        centred = rows - np.mean(rows, axis=1, keepdims=True)
        weighted, divisor = centred, max(rows.shape[1] - ddof, 0)
    else:
        total = np.sum(w)
        centred = rows - np.sum(rows * w, axis=1, keepdims=True) / total
        weighted = centred * w
        if ddof == 0:
            divisor = total
        elif aweights is None:
            divisor = total - ddof
        else:
            divisor = total - ddof * np.sum(w * as_array(aweights)) / total
    return np.squeeze(np.dot(centred, _conj(weighted).T) * np.true_divide(1, divisor))


def _variables(m: ArrayValue, rowvar: bool) -> Any:
    """One row per variable, one column per observation."""
    m = as_array(m)
    if np.ndim(m) < 2:
        return np.reshape(m, (1, -1))
    return m if rowvar or m.shape[0] == 1 else m.T


def _conj(x: ArrayValue) -> Any:
    return np.conj(x) if x.dtype.kind == "c" else x


@composite(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diag(c)))
    r = c / deviation[:, None] / deviation[None, :]
    if np.iscomplexobj(r):
        return np.clip(np.real(r), -1, 1) + 1j * np.clip(np.imag(r), -1, 1)
    return np.clip(r, -1, 1)  # rounding may lead out of there
