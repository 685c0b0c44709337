"""Running sums and products, and what undoes them: differences, gradient, trapezoid, unwrap.

A running product has the derivative of a linear recurrence, h[k] = a[k] h[k-1] + b[k], which
:func:`recurrence` solves in log2(n) steps on whole arrays, with no division: it is right where factors are
zero, where quotients of running products are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.recording.tracer import FUNCTIONS, Primitive
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit, reentrant
from diffkit.autodiff.rules.removable_singularities import exp_of_difference
from diffkit.typing import ArrayValue, Value


def recurrence(a: ArrayValue, b: ArrayValue) -> Any:
    """h with h[0] = b[0] and h[k] = a[k] h[k-1] + b[k], along the last axis.

    By doubling (Hillis and Steele, "Data parallel algorithms", CACM 29, 1986): after a step each h[k]
    has in it twice as many of the terms before it.

    >>> recurrence(np.array([5.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    array([ 1.,  3., 10.])
    """
    d, n = 1, np.shape(b)[-1]
    while d < n:
        b = np.concatenate([b[..., :d], b[..., d:] + a[..., d:] * b[..., :-d]], axis=-1)
        a = np.concatenate([a[..., :d], a[..., d:] * a[..., :-d]], axis=-1)
        d *= 2
    return b


def _rows(v: Any, axis: int | None) -> Any:
    """v with the axis that is run along in the last place."""
    return np.ravel(v) if axis is None else np.moveaxis(v, axis, -1)


def _back(rows: Any, like: Value, axis: int | None) -> Any:
    """Undoes :func:`_rows`."""
    shape = getattr(like, "shape", ())
    return np.reshape(rows, shape) if axis is None else np.moveaxis(rows, -1, axis)


def _reversed(v: ArrayValue) -> Any:
    return v[..., ::-1]


def _cumsum_vjp(g: Value, ans: Value, x: Value, axis: int | None = None, **_: Any) -> Any:
    rows = _reversed(np.cumsum(_reversed(_rows(g, axis)), axis=-1))
    return fit(_back(rows, x, axis), x)


def _cumprod_vjp(g: Value, ans: Value, x: Value, axis: int | None = None, **_: Any) -> Any:
    # d ans[k] / d x[j] is ans[j-1] times x[j+1] ... x[k]; the sum over k >= j is a recurrence from behind.
    rows = _rows(x, axis)
    if not rows.shape[-1]:
        return np.zeros_like(x)
    factors = np.concatenate([np.ones_like(rows[..., :1]), _reversed(rows)[..., :-1]], axis=-1)
    behind = _reversed(recurrence(factors, _reversed(_rows(g, axis))))
    before = np.concatenate([np.ones_like(rows[..., :1]), _rows(ans, axis)[..., :-1]], axis=-1)
    return fit(_back(behind * before, x, axis), x)


def _cumprod_jvp(t: Value, ans: Value, x: Value, axis: int | None = None, **_: Any) -> Any:
    rows = _rows(x, axis)
    if not rows.shape[-1]:
        return np.zeros_like(ans)
    before = np.concatenate([np.ones_like(rows[..., :1]), _rows(ans, axis)[..., :-1]], axis=-1)
    return _back(recurrence(rows, _rows(t, axis) * before), ans, axis)


# fmt: off
define(np.cumsum,  [_cumsum_vjp],  [LINEAR])
define(np.cumprod, [_cumprod_vjp], [_cumprod_jvp])
# fmt: on


def _running(
    function: Any, first: float, x: Value, axis: int | None, dtype: DTypeLike | None, include_initial: bool
) -> Any:
    """The array standard's form of a running sum or product: one axis, which vectors may leave out."""
    if axis is None and np.ndim(x) > 1:
        raise ValueError("the axis must be given for an array of more than one")
    axis, x = 0 if axis is None else axis, np.atleast_1d(x)
    y = function(x, axis=axis, dtype=dtype)
    if not include_initial:
        return y
    shape = [1 if k == axis % y.ndim else n for k, n in enumerate(y.shape)]
    return np.concatenate([np.full(shape, first, y.dtype), y], axis=axis)


@composite(getattr(np, "cumulative_sum", None))
def _cumulative_sum(
    x: Value, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _running(np.cumsum, 0.0, x, axis, dtype, include_initial)


@composite(getattr(np, "cumulative_prod", None))
def _cumulative_prod(
    x: Value, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _running(np.cumprod, 1.0, x, axis, dtype, include_initial)


@composite(np.add.accumulate)
def _add_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumsum(array, axis=axis, dtype=dtype)


@composite(np.multiply.accumulate)
def _multiply_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumprod(array, axis=axis, dtype=dtype)


# -- running logarithms of sums of exponentials -----------------------------------------------------------


def _accumulate(x: Value, axis: int | None) -> Any:
    if axis is None:
        return np.logaddexp.accumulate(np.ravel(x))
    return np.logaddexp.accumulate(x, axis=axis)


def _decays(rows: Any) -> Any:
    """exp(y[k-1] - y[k]), the factors, at most 1, by which earlier terms shrink; 0 for the first."""
    steps = exp_of_difference(rows[..., :-1], rows[..., 1:])
    return np.concatenate([np.zeros_like(rows[..., :1]), steps], axis=-1)


def _logcumsumexp_vjp(g: Value, ans: Value, x: Value, axis: int | None = None) -> Any:
    # d ans[k] / d x[j] = exp(x[j] - ans[k]) = exp(x[j] - ans[j]) exp(ans[j] - ans[k]): no factor exceeds 1.
    y = _rows(ans, axis)
    if not y.shape[-1]:
        return np.zeros_like(x)
    decays = _decays(y)
    factors = np.concatenate([np.zeros_like(y[..., :1]), _reversed(decays)[..., :-1]], axis=-1)
    behind = _reversed(recurrence(factors, _reversed(_rows(g, axis))))
    return fit(_back(behind * exp_of_difference(_rows(x, axis), y), x, axis), x)


def _logcumsumexp_jvp(t: Value, ans: Value, x: Value, axis: int | None = None) -> Any:
    y = _rows(ans, axis)
    if not y.shape[-1]:
        return np.zeros_like(ans)
    terms = _rows(t, axis) * exp_of_difference(_rows(x, axis), y)
    return _back(recurrence(_decays(y), terms), ans, axis)


def logcumsumexp(x: Value, axis: int | None = None) -> Any:
    """The running ``log(sum(exp(x)))``, in which nothing overflows.

    Args:
        x: a number or an array.
        axis: along which to run; by default over all the elements, one row after the other.

    Returns:
        An array of x's shape, or one-dimensional if no axis is given.

    >>> logcumsumexp(np.array([1000.0, 1000.0, -1000.0]))
    array([1000.        , 1000.69314718, 1000.69314718])
    """
    return LOGCUMSUMEXP(x, axis=axis)


def _logcumsumexp(x: Value, axis: int | None = None) -> Any:
    return _accumulate(np.asarray(x), axis)


LOGCUMSUMEXP = reentrant(Primitive("logcumsumexp", _logcumsumexp))
LOGCUMSUMEXP.vjps = (_logcumsumexp_vjp,)
LOGCUMSUMEXP.jvps = (_logcumsumexp_jvp,)
FUNCTIONS[np.logaddexp.accumulate] = lambda array, axis=0: LOGCUMSUMEXP(array, axis=axis)
