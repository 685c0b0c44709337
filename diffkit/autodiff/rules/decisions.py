"""What rules go by: functions of plain values, for :func:`~diffkit.autodiff.rules.call_forms.decided`.

They have names, and parameters in place of closures, so that a program written as source can import
them and decide as the trace did.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.typing import ArrayValue, Axis, Value

# -- not a number, not real -------------------------------------------------------------------------------


def any_nan(a: Value) -> Any:
    """Whether an element is NaN."""
    return np.any(np.isnan(a))


def count_numbers(a: Value, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements are not NaN."""
    return np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)


def any_minus_inf(x: Value) -> bool:
    """Whether an element is minus infinity."""
    return bool(np.any(np.equal(x, -np.inf)))


def all_real(z: Value) -> bool:
    """Whether no element has an imaginary part."""
    return not np.any(np.imag(z))


def any_negative(x: Value) -> bool:
    """Whether an element is negative."""
    return bool(np.any(np.less(x, 0)))


def any_beyond_one(x: Value) -> bool:
    """Whether an element is outside -1 to 1."""
    return bool(np.any(np.abs(x) > 1))


def stays_complex(z: Value, tol: float) -> bool:
    """Whether ``np.real_if_close`` leaves it as it is."""
    return np.iscomplexobj(np.real_if_close(z, tol))


def exponent(x: Value) -> Any:
    """The power of two in each number."""
    return np.frexp(x)[1]


# -- order ------------------------------------------------------------------------------------------------


def unique_part(ar: Value, part: int, **options: Any) -> Any:
    """One of the things that ``np.unique`` gives beside the values: 1 is where they first occur."""
    return np.unique(ar, return_index=True, **options)[part]


def all_equal(x: ArrayValue) -> bool:
    """Whether all elements are the same."""
    return bool(np.all(x == x[0]))


def place_of_quantile(q: Value, n: int, method: Any) -> Any:
    """Where the quantile q of n sorted numbers stands, counted from 0: the quantile of 0, 1, 2, ..."""
    places = np.quantile(np.arange(float(n)), np.ravel(q), method=method)
    return np.reshape(places, np.shape(q))[()]


def place_below(at: Any, last: int) -> Any:
    """The whole number below a place, ``last`` at most."""
    return np.minimum(np.floor(at), last).astype(int)


def interval(xp: ArrayValue, x: Value) -> Any:
    """Between which two of the sorted xp each x lies; the first or last two for one outside."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)


def known_below(xp: ArrayValue, x: Value) -> Any:
    """The last of the sorted xp that is no more than each x, or the nearest inside."""
    k = np.searchsorted(xp, x, side="right") - 1
    return np.where(np.equal(x, xp[-1]), len(xp) - 1, np.clip(k, 0, len(xp) - 2))[()]


def bin_of(a: Value, edges: Any) -> Any:
    """In which bin each number falls; one more than there are for those outside all."""
    bins = len(edges) - 1
    k = np.searchsorted(edges, a, side="right") - 1
    k = np.where(np.equal(a, edges[-1]), bins - 1, k)  # the last bin has both its edges
    return np.where((k < 0) | (k >= bins), bins, k)


def counts_and_edges(sample: Value, **options: Any) -> Any:
    """``np.histogramdd``."""
    return np.histogramdd(sample, **options)


def number_of_steps(start: Any, stop: Any, step: Any) -> int:
    """How many numbers ``np.arange`` gives."""
    return len(np.arange(start, stop, step))


def zeros_in_front(a: ArrayValue) -> int:
    """How many of the first elements are zero, as ``np.polydiv`` sees it; the last never counts."""
    return int(np.argmax(np.append(~np.isclose(a[:-1], 0.0, rtol=1e-14), True)))


# -- matrices ---------------------------------------------------------------------------------------------


def any_in_columns(v: Value) -> Any:
    """Of each column, whether it has an entry that is not zero."""
    return np.any(v != 0.0, axis=-2)


def largest_in_columns(v: Value) -> Any:
    """The row of the entry of largest absolute value, in each column."""
    return np.argmax(np.abs(v), axis=-2)


def close_to_zero(s: ArrayValue) -> Any:
    """Which values are zero, but for round-off, beside the largest."""
    return np.abs(s) <= _tiny(s)


def equal_pairs(gaps: Any, w: ArrayValue) -> Any:
    """Which gaps between the values w are zero, but for round-off."""
    return np.abs(gaps) <= _tiny(w)[..., None]


def rank(s: Value, share: float) -> int:
    """How many singular values are more than this share of the largest."""
    return int(np.sum(s > share * np.max(s, initial=0.0)))


def _tiny(w: ArrayValue) -> Any:
    """Less than this is zero beside the largest of the values w."""
    size = np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    return size * (np.finfo(w.dtype).eps * max(w.shape[-1], 1))
