"""Putting arrays together, and taking them apart: concatenate, stack, split, tile, pad, insert, ..."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.rules.calls import as_array, decided, plain
from diffkit.autodiff.rules.indexing import placed
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit
from diffkit.autodiff.scatter import Scatter
from diffkit.autodiff.tracer import Primitive, apply, plain_index
from diffkit.errors import NoRuleError

__all__: list[str] = []


# -- concatenate and stack: a row has the arrays of the list as its arguments -----------------------------


def _along(ndim: int, axis: int, index: Any) -> tuple[Any, ...]:
    """``index`` on one axis, all of the others."""
    whole: list[Any] = [slice(None)] * ndim
    whole[axis] = index
    return tuple(whole)


class _Parts(Sequence[Any]):
    """The cotangents of all the arrays of a list, each cut out of the whole when it is asked for."""

    def __init__(self, arrays: Sequence[Any], cut: Callable[[int], Any]) -> None:
        self.arrays, self.cut = arrays, cut

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, k: Any) -> Any:
        return fit(self.cut(k), self.arrays[k])


def _concatenate_vjp(g: Any, ans: Any, *arrays: Any, axis: int | None = 0, **_: Any) -> _Parts:
    sizes = [np.size(a) if axis is None else a.shape[axis] for a in arrays]
    bounds = [0, *itertools.accumulate(sizes)]

    def cut(k: int) -> Any:
        part = slice(bounds[k], bounds[k + 1])
        if axis is None:
            return np.reshape(g[part], np.shape(arrays[k]))
        return g[_along(len(g.shape), axis, part)]

    return _Parts(arrays, cut)


def _stack_vjp(g: Any, ans: Any, *arrays: Any, axis: int = 0, **_: Any) -> _Parts:
    return _Parts(arrays, lambda k: g[_along(len(g.shape), axis, k)])


def _tangents(ts: tuple[Any, ...], arrays: tuple[Any, ...]) -> list[Any]:
    """The arrays' tangents, zeros where there is none."""
    return [np.zeros_like(a) if t is None else t for t, a in zip(ts, arrays, strict=True)]


def _concatenate_jvp(ts: tuple[Any, ...], ans: Any, *arrays: Any, axis: int | None = 0, **_: Any) -> Any:
    return np.concatenate(_tangents(ts, arrays), axis=axis)


def _stack_jvp(ts: tuple[Any, ...], ans: Any, *arrays: Any, axis: int = 0, **_: Any) -> Any:
    return np.stack(_tangents(ts, arrays), axis=axis)


def _of_a_list(fun: Primitive) -> Any:
    def entry(
        arrays: Any, axis: int | None = 0, out: None = None, *, dtype: Any = None, casting: Any = None
    ) -> Any:
        arrays = (
            tuple(arrays)
            if isinstance(arrays, list | tuple)
            else tuple(arrays[k] for k in range(len(arrays)))
        )
        kwargs = {"axis": axis} if dtype is None else {"axis": axis, "dtype": dtype}
        return apply(fun, tuple(map(as_array, arrays)), kwargs, sys._getframe(1))

    entry.__name__ = fun.name
    return entry


# fmt: off
define(np.concatenate, [_concatenate_vjp], [_concatenate_jvp], variadic=True, joint=True, entry=_of_a_list,
       compute=lambda *arrays, axis=0, dtype=None: np.concatenate(arrays, axis, dtype=dtype))
define(np.stack,       [_stack_vjp],       [_stack_jvp],       variadic=True, joint=True, entry=_of_a_list,
       compute=lambda *arrays, axis=0, dtype=None: np.stack(arrays, axis, dtype=dtype))
# fmt: on


def _listed(tup: Any) -> list[Any]:
    return [as_array(tup[k]) for k in range(len(tup))]


@composite(np.vstack)
def _vstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    return np.concatenate([np.atleast_2d(a) for a in _listed(tup)], axis=0, dtype=dtype)


@composite(np.hstack)
def _hstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    arrays = [np.atleast_1d(a) for a in _listed(tup)]
    return np.concatenate(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype)


@composite(np.dstack)
def _dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(a) for a in _listed(tup)], axis=2)


@composite(np.column_stack)
def _column_stack(tup: Any) -> Any:
    arrays = _listed(tup)
    return np.concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in arrays], axis=1)


@composite(np.block)
def _block(arrays: Any) -> Any:
    def depth(part: Any) -> int:
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    def leaves(part: Any) -> Any:
        return [leaf for p in part for leaf in leaves(p)] if isinstance(part, list) else [part]

    levels = depth(arrays)
    ndim = max(levels, *(np.ndim(leaf) for leaf in leaves(arrays)))

    def join(part: Any, level: int) -> Any:
        if level == levels:
            shape = np.shape(part)
            return np.reshape(part, (1,) * (ndim - len(shape)) + shape)
        return np.concatenate([join(p, level + 1) for p in part], axis=level - levels)

    return join(arrays, 0)


@composite(np.append)
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    if axis is None:
        return np.concatenate([np.ravel(as_array(arr)), np.ravel(as_array(values))])
    return np.concatenate([arr, values], axis=axis)


# -- taking apart -----------------------------------------------------------------------------------------


def _pieces(x: Any, stops: Any, axis: int) -> list[Any]:
    n = x.shape[axis]
    bounds = [0, *stops, n]
    return [x[_along(x.ndim, axis, slice(a, b))] for a, b in itertools.pairwise(bounds)]


@composite(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if not isinstance(indices_or_sections, int | np.integer):
        return _pieces(ary, [int(k) for k in indices_or_sections], axis)
    each, rest = divmod(ary.shape[axis], int(indices_or_sections))
    sizes = [each + 1] * rest + [each] * (int(indices_or_sections) - rest)
    return _pieces(ary, [int(k) for k in np.cumsum(sizes)[:-1]], axis)


@composite(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int | np.integer) and ary.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return _array_split(ary, indices_or_sections, axis)  # type: ignore[no-any-return]


@composite(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@composite(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 0)


@composite(np.dsplit)
def _dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 2)


@composite(getattr(np, "unstack", None))
def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(x[_along(x.ndim, axis, k)] for k in range(x.shape[axis]))


# -- repeating --------------------------------------------------------------------------------------------


def _tile_vjp(g: Any, ans: Any, x: Any, *, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    shape = getattr(x, "shape", ())
    ndim = max(len(reps), len(shape))
    reps, full = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - len(shape)) + shape
    blocks = np.reshape(g, tuple(n for pair in zip(reps, full, strict=True) for n in pair))
    return fit(np.reshape(np.sum(blocks, axis=tuple(range(0, 2 * ndim, 2))), shape), x)


def _repeat_vjp(g: Any, ans: Any, x: Any, *, repeats: Any, axis: int | None = None) -> Any:
    shape = getattr(x, "shape", ())
    if axis is None and len(shape) != 1:
        c = _repeat_vjp(g, ans, np.ravel(plain(x)), repeats=repeats, axis=0)
        return fit(np.reshape(c.dense() if type(c) is Scatter else c, shape), x)
    axis = 0 if axis is None else axis
    axis = axis % len(shape)
    if np.size(repeats) == 1:
        times = int(np.ravel(repeats)[0])
        return fit(np.sum(np.reshape(g, (*shape[: axis + 1], times, *shape[axis + 1 :])), axis=axis + 1), x)
    return placed(fit(g, ans), _along(len(shape), axis, np.repeat(np.arange(shape[axis]), repeats)), x)


# fmt: off
define(np.tile,   [_tile_vjp],   [LINEAR])
define(np.repeat, [_repeat_vjp], [LINEAR])
# fmt: on


@composite(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grids = []
    for x, place in zip(xi, places, strict=True):
        grids.append(np.reshape(x, tuple(-1 if k == place else 1 for k in range(n))))
    return tuple(grids) if sparse else np.broadcast_arrays(*grids)


# -- padding, inserting, deleting -------------------------------------------------------------------------


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis, from any form that np.pad takes."""
    if isinstance(pad_width, dict):
        given = {k % ndim: np.broadcast_to(w, 2) for k, w in pad_width.items()}
        return [(int(given[k][0]), int(given[k][1])) if k in given else (0, 0) for k in range(ndim)]
    return [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (ndim, 2))]


def _pad_vjp(g: Any, ans: Any, x: Any, *, pad_width: Any, **_: Any) -> Any:
    inner = zip(_widths(pad_width, len(x.shape)), x.shape, strict=True)
    return fit(g[tuple(slice(before, before + n) for (before, _), n in inner)], x)


def _pad_jvp(t: Any, ans: Any, x: Any, *, pad_width: Any, **_: Any) -> Any:
    return np.pad(t, pad_width)


def _pad_entry(fun: Primitive) -> Any:
    def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
        if mode in ("constant", "empty"):
            values = plain(kwargs.get("constant_values", 0))
            if values is not kwargs.get("constant_values", 0):
                raise NoRuleError("np.pad is not differentiated by constant_values: pad with np.concatenate")
            return fun(array, pad_width=pad_width, **kwargs)
        if mode in ("edge", "reflect", "symmetric", "wrap") and kwargs.get("reflect_type", "even") == "even":
            places = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode, **kwargs)
            return np.ravel(array)[places]
        raise NoRuleError(
            f"np.pad has no derivative rule for mode={mode!r} and reflect_type="
            f"{kwargs.get('reflect_type', 'even')!r}: use constant, edge, reflect, symmetric or wrap, or "
            "join the parts with np.concatenate"
        )

    return pad


define(np.pad, [_pad_vjp], [_pad_jvp], entry=_pad_entry)


@composite(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values, obj = as_array(arr), as_array(values), plain_index(obj)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = axis % arr.ndim
    n = arr.shape[axis]
    values = np.reshape(values, (1,) * (arr.ndim - np.ndim(values)) + np.shape(values))
    if not isinstance(obj, slice) and np.ndim(obj) == 0:
        values = np.moveaxis(values, 0, axis)
    spots = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    new = values.shape[axis] if spots.size == 1 else spots.size
    shape = tuple(new if k == axis else m for k, m in enumerate(arr.shape))
    values = np.broadcast_to(values, shape)
    places = np.insert(np.arange(n), obj if spots.size != 1 else int(spots.ravel()[0]), n + np.arange(new))
    joined = np.concatenate(
        [arr, values if values.dtype == arr.dtype else values.astype(arr.dtype)], axis=axis
    )
    return np.take(joined, places, axis=axis)


@composite(np.delete)
def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), plain_index(obj)), axis=axis)


@composite(np.trim_zeros)
def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    kept = decided(np.argwhere, filt)
    if not len(kept):
        return np.trim_zeros(plain(filt), trim) if axis is None else np.trim_zeros(plain(filt), trim, axis)
    axes = range(filt.ndim) if axis is None else np.ravel(axis) % filt.ndim
    index: list[Any] = [slice(None)] * filt.ndim
    for k in axes:
        first, last = kept[:, k].min(), kept[:, k].max() + 1
        index[k] = slice(first if "f" in trim.lower() else None, last if "b" in trim.lower() else None)
    return filt[tuple(index)]
