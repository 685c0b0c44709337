"""Arrays made of traced values: array, full, linspace and its relatives.

``np.array`` and ``np.full`` can't be reached through NumPy's protocols: with plain NumPy a list of traced
values is refused, and ``dk.numpy`` has these functions in their place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.recording.primitive import Rule
from diffkit.autodiff.recording.tracer import nodes_in, own, plain_index, wrapped
from diffkit.autodiff.rules.call_forms import decided, plain, stacked
from diffkit.autodiff.rules.decisions import number_of_steps
from diffkit.autodiff.rules.register import composite, define, fit, is_node
from diffkit.autodiff.rules.shaping import astype, cast
from diffkit.typing import ArrayLike, ArrayValue, Value


def array(value: Value, dtype: DTypeLike | None = None, ndmin: int = 0) -> Any:
    """An array of numbers and traced values, nested in lists as for ``np.array``.

    A list of numbers is one row of the trace, a stack; a nested list of numbers is that and a reshape.

    Raises:
        TypeError: if the elements are to have named fields.
    """
    if dtype is not None and np.dtype(dtype).names:
        raise TypeError("an array with named fields holds no traced values: make an array for each field")
    made = stacked(value) if isinstance(value, list | tuple) else np.copy(value)
    if dtype is not None and np.dtype(dtype) != made.dtype:
        made = astype(made, np.dtype(dtype))
    missing = ndmin - np.ndim(made)
    return np.reshape(made, (1,) * missing + np.shape(made)) if missing > 0 else made


def list_as_array(value: Value) -> Any:
    """A list or tuple of numbers as an array if some of them are traced; all else as it is.

    Integers that are traced (a shape, an index) are decided: they have no derivative.
    """
    if not isinstance(value, list | tuple):
        return value
    traced = list(nodes_in(value))
    if not traced:
        return value
    return array(value) if any(node.dtype.kind in "fc" for node in traced) else plain_index(value)


def full(shape: Any, fill_value: Value, dtype: DTypeLike | None = None) -> Any:
    """``np.full``, of a traced value too."""
    if not is_node(fill_value):
        return np.full(shape, fill_value, dtype)
    wide = np.ndim(fill_value) - (1 if isinstance(shape, int | np.integer) else len(shape))
    if wide > 0:  # NumPy copies it in, and passes over leading axes of length 1
        fill_value = np.reshape(fill_value, np.shape(fill_value)[wide:])
    filled = own(np.broadcast_to(fill_value, shape))
    return filled if dtype is None else astype(filled, np.dtype(dtype))


@composite(np.full_like)
def full_like(a: ArrayLike, fill_value: Value, dtype: Any = None, *, shape: Any = None, **_: Any) -> Any:
    """``np.full_like``, of a traced value too."""
    like = plain(a)
    if not is_node(fill_value):
        return wrapped(np.full_like(like, fill_value, dtype, shape=shape))
    shape = np.shape(like) if shape is None else shape
    return full(shape, fill_value, np.result_type(like) if dtype is None else dtype)


# -- evenly spaced numbers --------------------------------------------------------------------------------


def stepped(start: Value, stop: Value | None = None, step: Value = 1, dtype: DTypeLike | None = None) -> Any:
    """``np.arange``, of traced numbers too."""
    start, stop = (0, start) if stop is None else (start, stop)
    count = decided(number_of_steps, start, stop, step)
    step = (start + step) - start  # as NumPy has it, to the last bit
    points = start + step * np.arange(count)
    return points if dtype is None else cast(points, dtype)


def _shares(ans: ArrayValue, num: int, endpoint: bool, axis: int) -> Any:
    """Which part of the way each point of a linspace has gone, in the answer's shape but for 1s."""
    steps = max(num - 1 if endpoint else num, 1)
    ndim = len(np.shape(ans))
    shape = [num if k == axis % ndim else 1 for k in range(ndim)]
    return np.reshape(np.arange(num, dtype=ans.dtype) / steps, shape)


def _linspace_vjp(end: int) -> Rule:
    """The rule of the start (0) or the stop (1): what each point has of an end, it gives back to it."""

    def vjp(
        g: ArrayValue,
        ans: ArrayValue,
        *ends: Value,
        num: int = 50,
        endpoint: bool = True,
        axis: int = 0,
        **_: Any,
    ) -> Any:
        of_stop = _shares(ans, num, endpoint, axis)
        return fit(np.sum(g * (of_stop if end else 1 - of_stop), axis=axis), ends[end])

    return vjp


def _linspace_jvp_start(t: Value, ans: Value, start: Value, stop: Value, **kwargs: Any) -> Any:
    return np.linspace(t, np.zeros_like(stop), **kwargs)


def _linspace_jvp_stop(t: Value, ans: Value, start: Value, stop: Value, **kwargs: Any) -> Any:
    return np.linspace(np.zeros_like(start), t, **kwargs)


def _linspace_entry(fun: Any) -> Any:
    def linspace(
        start: Value,
        stop: Value,
        num: int = 50,
        endpoint: bool = True,
        retstep: bool = False,
        dtype: DTypeLike | None = None,
        axis: int = 0,
        **_: Any,
    ) -> Any:
        kwargs = (
            {"num": int(num)} | ({} if endpoint else {"endpoint": False}) | ({"axis": axis} if axis else {})
        )
        points = fun(start, stop, **kwargs)
        points = points if dtype is None else astype(points, np.dtype(dtype))
        return (points, (stop - start) / (num - 1 if endpoint else num)) if retstep else points

    return linspace


define(
    np.linspace,
    [_linspace_vjp(0), _linspace_vjp(1)],
    [_linspace_jvp_start, _linspace_jvp_stop],
    entry=_linspace_entry,
)


@composite(np.logspace)
def _logspace(
    start: Value,
    stop: Value,
    num: int = 50,
    endpoint: bool = True,
    base: Value = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    base = base if np.ndim(base) == 0 else np.expand_dims(base, axis)
    points = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return points if dtype is None else points.astype(dtype)


@composite(np.geomspace)
def _geomspace(
    start: Value, stop: Value, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    sign = decided(np.sign, start)
    if np.any(sign != decided(np.sign, stop)) or not np.all(sign):
        raise ValueError("geomspace of traced values needs a start and a stop of the same sign, not zero")
    start, stop = start / sign, stop / sign
    points = np.power(10.0, np.linspace(np.log10(start), np.log10(stop), num, endpoint))
    if num > 0:  # the ends are those that were given, to the last bit
        ends = [np.broadcast_to(end, np.shape(points)[1:])[None] for end in (start, stop)]
        both = num > 1 and endpoint
        points = np.concatenate([ends[0], points[1:-1], ends[1]] if both else [ends[0], points[1:]])
    points = np.moveaxis(points * sign, 0, axis)
    return cast(points, np.result_type(start, stop, float) if dtype is None else dtype)
