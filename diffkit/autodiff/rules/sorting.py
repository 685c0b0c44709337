"""Sorting, and what is read off sorted arrays: median, percentile, quantile, unique."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Primitive
from diffkit.autodiff.rules.call_forms import as_array, decided, plain
from diffkit.autodiff.rules.decisions import count_numbers, place_below, place_of_quantile, unique_part
from diffkit.autodiff.rules.register import composite, constant, define, fit, is_node, reentrant
from diffkit.autodiff.rules.shaping import cast
from diffkit.typing import ArrayLike, ArrayValue, Axis, Value

# -- sort and partition: a permutation, which the VJP undoes ----------------------------------------------


def _permute_back(g: ArrayValue, x: Value, order: Any, axis: int | None) -> Any:
    if axis is None:
        return fit(np.reshape(g[np.argsort(order)], getattr(x, "shape", ())), x)
    return fit(np.take_along_axis(g, np.argsort(order, axis=axis), axis=axis), x)


def _permute(t: Value, order: Any, axis: int | None) -> Any:
    return np.ravel(t)[order] if axis is None else np.take_along_axis(t, order, axis=axis)


def _order(x: Value, axis: int | None, kind: Any = None, stable: Any = None, **_: Any) -> Any:
    return decided(np.argsort, x, axis=axis, kind=kind, stable=stable)


def _sort_vjp(g: ArrayValue, ans: Value, x: ArrayValue, *, axis: int | None = -1, **kwargs: Any) -> Any:
    return _permute_back(g, x, _order(x, axis, **kwargs), axis)


def _sort_jvp(t: Value, ans: Value, x: Value, *, axis: int | None = -1, **kwargs: Any) -> Any:
    return _permute(t, _order(x, axis, **kwargs), axis)


def _partition_vjp(
    g: ArrayValue, ans: Value, x: ArrayValue, *, kth: Any, axis: int | None = -1, **_: Any
) -> Any:
    return _permute_back(g, x, decided(np.argpartition, x, kth, axis=axis), axis)


def _partition_jvp(t: Value, ans: Value, x: Value, *, kth: Any, axis: int | None = -1, **_: Any) -> Any:
    return _permute(t, decided(np.argpartition, x, kth, axis=axis), axis)


# fmt: off
define(np.sort,      [_sort_vjp],      [_sort_jvp])
define(np.partition, [_partition_vjp], [_partition_jvp])
# fmt: on
constant(np.argsort, np.argpartition)
_LEXSORT = Primitive("lexsort", np.lexsort, constant=True)


@composite(np.lexsort)
def _lexsort(keys: Any, axis: int = -1) -> Any:
    return _LEXSORT(as_array(keys), axis=axis)


@composite(np.unique)
def _unique(
    ar: Value,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    options: Any = {"return_inverse": return_inverse, "return_counts": return_counts, "equal_nan": equal_nan}
    found = [
        decided(unique_part, ar, part=k, axis=axis, **options)
        for k in range(1, 2 + return_inverse + return_counts)
    ]
    index, rest = found[0], found[1:]
    values = np.ravel(ar)[index] if axis is None else np.take(ar, index, axis=axis)
    extra = [index] * return_index + rest
    return (values, *extra) if extra else values


@composite(getattr(np, "unique_values", None))
def _unique_values(x: Value, /) -> Any:
    return np.unique(x)


@composite(np.union1d)
def _union1d(ar1: ArrayLike, ar2: ArrayLike) -> Any:
    return np.unique(np.concatenate([np.ravel(as_array(ar1)), np.ravel(as_array(ar2))]))


# -- quantiles --------------------------------------------------------------------------------------------


def _place(q: Value, n: int, method: Any) -> Any:
    """Where the quantile q of n sorted numbers stands, counted from 0; halfway between two for x.5."""
    method = "linear" if method == MIDDLE else method
    if is_node(q):
        return place(q, n=n, method=method)
    return place_of_quantile(q, n, method)


def _slope_of_place(q: Value, n: int, method: Any) -> Any:
    """The place's derivative by q: it is a straight line between the ends, and steps for some methods."""
    per_q = {
        "interpolated_inverted_cdf": n,
        "hazen": n,
        "weibull": n + 1.0,
        "linear": n - 1.0,
        "median_unbiased": n + 1 / 3,
        "normal_unbiased": n + 1 / 4,
    }.get(method, 0.0)
    at = decided(place_of_quantile, q, n=n, method=method)
    return per_q * ((at > 0) & (at < n - 1))


Function = Callable[..., Any]

MIDDLE = "middle"
"""The median's method: the mean of the two in the middle, from which a linear quantile differs in bits."""


place = reentrant(Primitive("place", place_of_quantile))
"""Where a quantile stands among sorted numbers: the quantile of 0, 1, 2, ... itself."""
place.vjps = (lambda g, ans, q, *, n, method: fit(g * _slope_of_place(q, n, method), q),)
place.jvps = (lambda t, ans, q, *, n, method: t * _slope_of_place(q, n, method),)


def quantile(a: Any, q: Value, axis: Axis, method: Any, keepdims: bool, skip_nan: bool) -> Any:
    """The quantile as a program: sort, and read off between two neighbours."""
    ndim, q_shape, given = np.ndim(a), np.shape(q), q
    axes = tuple(range(ndim)) if axis is None else (axis,) if isinstance(axis, int | np.integer) else axis
    axes = tuple(k % ndim for k in axes)
    rest = tuple(n for k, n in enumerate(np.shape(a)) if k not in axes)
    moved = np.moveaxis(a, axes, tuple(range(-len(axes), 0))) if axes != tuple(range(ndim)) else a
    rows = np.sort(np.reshape(moved, (*rest, -1)), axis=-1)  # NaNs come last
    counts = decided(count_numbers, rows, axis=-1)
    n = rows.shape[-1]
    q = np.reshape(q, q_shape + (1,) * len(rest))
    if np.all(counts == n):
        answer = _read_off(rows, _place(q, n, method), n, method)
    else:
        known = counts if skip_nan else np.where(counts == n, n, 0)
        answer = _read_off_some(rows, q, known, method)
    # NumPy's own answer tells the dtype: that depends on whether q is a Python number.
    if method != MIDDLE:
        like = np.quantile(np.ones(1, np.result_type(a)), plain(given), method=method)
        answer = cast(answer, np.result_type(like))
    if keepdims:
        answer = np.reshape(answer, q_shape + tuple(1 if k in axes else m for k, m in enumerate(np.shape(a))))
    return answer


def _read_off(rows: Any, at: Any, n: int, method: Any) -> Any:
    """The rows' values at a place, between two neighbours where it is no whole number.

    ``at`` has q's axes and then the rows', of length 1.
    """
    low = decided(place_below, at, last=max(n - 2, 0))
    one = low.size == 1  # quantile: slices will do, and a choice at once
    if one:
        k = int(low.ravel()[0])
        left, right = _at(rows, k), _at(rows, min(k + 1, n - 1))
        shape = low.shape[: low.ndim - (np.ndim(rows) - 1)]
        left, right = (np.reshape(v, shape + rows.shape[:-1]) if shape else v for v in (left, right))
    else:
        flat = low.ravel()
        order = (-1, *range(np.ndim(rows) - 1))
        shape = low.shape[: low.ndim - (np.ndim(rows) - 1)] + rows.shape[:-1]
        left = np.reshape(np.transpose(rows[..., flat], order), shape)
        right = np.reshape(np.transpose(rows[..., np.minimum(flat + 1, n - 1)], order), shape)
    share = at - low
    if not is_node(share) and not np.any(share):
        return left
    if method == MIDDLE:
        return (left + right) / 2
    # From the nearer neighbour, so that a share of 1 gives the right one exactly.
    step = right - left
    nearer = decided(np.less, share, 0.5)
    if one:
        return left + step * share if np.all(nearer) else right - step * (1 - share)
    return np.where(nearer, left + step * share, right - step * (1 - share))


def _at(rows: Any, k: int) -> Any:
    return rows[k] if np.ndim(rows) == 1 else rows[..., k]


def _read_off_some(rows: Any, q: Value, known: np.ndarray, method: str) -> Any:
    """The same where rows have NaNs: the first ``known`` numbers of each row count; NaN where that is 0."""
    answer = None
    shape = np.broadcast_shapes(np.shape(q), known.shape)
    for n in np.unique(known):
        if not n:
            values = np.full(shape, np.nan, rows.dtype)[()]
        else:
            values = _read_off(rows[..., :n], _place(q, int(n), method), int(n), method)
            values = values if np.shape(values) == shape else np.broadcast_to(values, shape)
        answer = values if answer is None else np.where(known == n, values, answer)
    return answer


def _hundredth(a: Any, q: Value) -> Any:
    """Percent as a share, in a's precision if q is a Python number."""
    dtype = np.result_type(a)
    return as_array(q) / (dtype.type(100) if dtype.kind == "f" else 100)


def _family(skip_nan: bool, quantiles: Function, percentiles: Function, medians: Function) -> None:
    """The three functions that read off sorted numbers, with or without NaNs among them."""

    @composite(quantiles)
    def _quantile(
        a: Value,
        q: Value,
        axis: Axis = None,
        out: None = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: object = None,
    ) -> Any:
        if weights is not None:
            raise TypeError("weights= is not supported for traced values: weight the sorted values by hand")
        return quantile(a, q, axis, method, keepdims, skip_nan)

    @composite(percentiles)
    def _percentile(a: Value, q: Value, *args: Any, **kwargs: Any) -> Any:
        return _quantile(a, _hundredth(a, q), *args, **kwargs)

    @composite(medians)
    def _median(
        a: Value, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Any:
        return quantile(a, 0.5, axis, MIDDLE, keepdims, skip_nan)


_family(False, np.quantile, np.percentile, np.median)
_family(True, np.nanquantile, np.nanpercentile, np.nanmedian)
