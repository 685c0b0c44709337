"""Reading elements by index, and choosing between arrays.

Every function that picks elements (take, compress, delete, split, ...) is a program of ``x[index]``, so one
rule serves them all: the adjoint of reading is adding at the same place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.scatter import Scatter, scatter
from diffkit.autodiff.recording.memory import TakenAgain
from diffkit.autodiff.recording.places import last_to_write
from diffkit.autodiff.recording.tracer import GETITEM, READ, SETITEM, Array, Primitive, own, plain_index
from diffkit.autodiff.rules.call_forms import as_array, plain
from diffkit.autodiff.rules.register import composite, constant, define, fit, structural
from diffkit.typing import ArrayLike, ArrayValue, Axis, Index, Value

__all__ = ["along", "placed", "scatter"]


scatter.vjps = (lambda h, ans, g, index, like: fit(h[index], g), None, None)
scatter.jvps = (lambda t, ans, g, index, like: scatter(t, index, np.zeros_like(like)), None, None)


def along(ndim: int, axis: int, index: Index) -> tuple[Any, ...]:
    """``index`` on one axis, all of the others."""
    whole: list[Any] = [slice(None)] * ndim
    whole[axis] = index
    return tuple(whole)


def placed(g: Any, index: Any, like: Any) -> Scatter:
    """g at ``index`` in zeros like ``like``: put off till it is added up."""
    return Scatter(g, index, plain(like))


GETITEM.vjps = (lambda g, ans, x, index: placed(g, index, x),)
GETITEM.jvps = (lambda t, ans, x, index: t[index],)
READ.vjps, READ.jvps = GETITEM.vjps, GETITEM.jvps


def assigned(base: ArrayValue, value: Value, index: Index) -> Any:
    """A copy of an array with a value assigned at an index."""
    array = np.array(base)  # of a number, an array without axes
    array[index] = value
    return array


SETITEM.compute.__wrapped__ = assigned  # type: ignore[attr-defined]  # what it does to plain values


def _assigned_vjp(g: ArrayValue, ans: Value, base: Value, value: Value, index: Index) -> Any:
    stays = last_to_write(index, g.shape)
    there = g[index]
    return fit(there if stays is True else np.where(stays, there, np.zeros_like(there)), value)


SETITEM.vjps = (lambda g, ans, base, value, index: fit(SETITEM(g, 0.0, index), base), _assigned_vjp)
SETITEM.jvps = (
    lambda t, ans, base, value, index: SETITEM(t, 0.0, index),
    lambda t, ans, base, value, index: SETITEM(
        np.zeros(ans.shape, t.dtype if hasattr(t, "dtype") else float), t, index
    ),
)


# -- taking -----------------------------------------------------------------------------------------------


@composite(np.take)
def _take(a: ArrayValue, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    a, indices = as_array(a), np.asarray(plain_index(indices))
    if not indices.size:
        indices = indices.astype(int)
    if axis is None:
        a, axis = np.ravel(a), 0
    n = np.shape(a)[axis]
    if mode == "wrap":
        indices = indices % n
    elif mode == "clip":
        indices = np.clip(indices, 0, n - 1)
    return own(a[(slice(None),) * (axis % np.ndim(a)) + (indices if indices.ndim else int(indices),)])


@composite(np.take_along_axis)
def _take_along_axis(arr: ArrayValue, indices: Any, axis: int | None = -1) -> Any:
    indices = plain_index(indices)
    if axis is None:
        return np.ravel(arr)[indices]
    axis, ndim = axis % np.ndim(arr), np.ndim(arr)
    index = [
        indices if k == axis else np.reshape(np.arange(n), [-1 if j == k else 1 for j in range(ndim)])
        for k, n in enumerate(np.shape(arr))
    ]
    return arr[tuple(index)]


@composite(np.compress)
def _compress(condition: Value, a: Value, axis: int | None = None) -> Any:
    return np.take(a, np.flatnonzero(plain_index(condition)), axis=axis)


@composite(np.extract)
def _extract(condition: Value, arr: Value) -> Any:
    return np.ravel(arr)[np.flatnonzero(plain_index(condition))]


@composite(np.choose)
def _choose(a: ArrayLike, choices: Any, *, mode: str = "raise") -> Any:
    given = np.asarray(plain_index(a))
    n = len(choices)
    if mode != "raise":
        given = given % n if mode == "wrap" else np.clip(given, 0, n - 1)
    elif given.size and not (given.min() >= 0 and given.max() < n):
        raise ValueError("invalid entry in choice array")
    return np.select([given == k for k in range(n)], [choices[k] for k in range(n)])


@composite(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(x: Any, window_shape: Any, axis: Axis = None, **_: Any) -> Any:
    """It is a view in NumPy, and is taken again here when the array has been written to."""
    places = np.arange(x.size).reshape(x.shape)
    windows = np.ravel(x)[np.lib.stride_tricks.sliding_window_view(places, window_shape, axis)]
    return x.view_by(_SLIDING, (window_shape, axis), {}, windows.row) if type(x) is Array else windows


_SLIDING = TakenAgain("sliding_window_view", np.lib.stride_tricks.sliding_window_view, _sliding_window_view)


# -- choosing ---------------------------------------------------------------------------------------------


def _where_vjp_x(g: Value, ans: Value, c: Value, x: Value, y: Value) -> Any:
    return fit(np.where(c, g, np.zeros_like(g)), x)


def _where_vjp_y(g: Value, ans: Value, c: Value, x: Value, y: Value) -> Any:
    return fit(np.where(c, np.zeros_like(g), g), y)


def _where_entry(fun: Primitive) -> Any:
    def where(condition: ArrayValue, *choices: Any) -> Any:
        return fun(condition, *map(as_array, choices)) if choices else np.nonzero(condition)

    return where


define(
    np.where,
    [None, _where_vjp_x, _where_vjp_y],
    [
        None,
        lambda t, ans, c, x, y: np.where(c, t, np.zeros_like(t)),
        lambda t, ans, c, x, y: np.where(c, np.zeros_like(t), t),
    ],
    entry=_where_entry,
)


@composite(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    answer = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        answer = np.where(condition, choice, answer)
    return answer


@composite(np.piecewise)
def _piecewise(x: ArrayValue, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    conditions = np.asarray(plain_index(condlist))
    if conditions.ndim == 0 or conditions.ndim == np.ndim(x):
        conditions = conditions[None]
    if len(funclist) == len(conditions) + 1:  # the last is for all that no condition holds for
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0)[None]])
    answer = np.zeros(np.shape(x), x.dtype)
    for k, (condition, function) in enumerate(zip(conditions, funclist, strict=True)):
        mask = condition & ~np.any(conditions[k + 1 :], axis=0)  # the last that holds counts
        value = function(x[mask], *args, **kwargs) if callable(function) else function
        answer = answer + scatter(
            np.broadcast_to(value, (int(mask.sum()),)), mask, np.zeros(np.shape(x), x.dtype)
        )
    return answer


constant(
    np.nonzero, np.flatnonzero, np.argwhere, np.searchsorted, np.digitize,
    np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin, np.histogram_bin_edges,
    np.unravel_index, np.ravel_multi_index,
)  # fmt: skip
structural(np.ix_)
