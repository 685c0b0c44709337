"""Putting arrays together, and taking them apart: concatenate, stack, block, split, ..."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.recording.tracer import Primitive, apply, call_handler, nodes_in, plain
from diffkit.autodiff.rules.call_forms import as_array, user_site
from diffkit.autodiff.rules.indexing import along
from diffkit.autodiff.rules.register import composite, define, fit
from diffkit.autodiff.rules.shaping import cast
from diffkit.errors import TraceError
from diffkit.typing import ArrayLike, ArrayValue, Value

# -- concatenate and stack: a row has the arrays of the list as its arguments -----------------------------


class _Parts(Sequence[Any]):
    """The cotangents of all the arrays of a list, each cut out of the whole when it is asked for."""

    def __init__(self, arrays: Sequence[Any], cut: Callable[[int], Any]) -> None:
        self.arrays, self.cut = arrays, cut

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, k: Any) -> Any:
        return fit(self.cut(k), self.arrays[k])


def _concatenate_vjp(g: ArrayValue, ans: Value, *arrays: Any, axis: int | None = 0, **_: Any) -> _Parts:
    sizes = [np.size(a) if axis is None else a.shape[axis] for a in arrays]
    bounds = [0, *itertools.accumulate(sizes)]

    def cut(k: int) -> Any:
        part = slice(bounds[k], bounds[k + 1])
        if axis is None:
            return np.reshape(g[part], np.shape(arrays[k]))
        return g[along(len(g.shape), axis, part)]

    return _Parts(arrays, cut)


def _stack_vjp(g: ArrayValue, ans: Value, *arrays: Any, axis: int = 0, **_: Any) -> _Parts:
    return _Parts(arrays, lambda k: g[along(len(g.shape), axis, k)])


def _tangents(ts: tuple[Any, ...], arrays: tuple[Any, ...]) -> list[Any]:
    """The arrays' tangents, zeros where there is none."""
    return [np.zeros_like(a) if t is None else t for t, a in zip(ts, arrays, strict=True)]


def _concatenate_jvp(ts: tuple[Any, ...], ans: Value, *arrays: Any, axis: int | None = 0, **_: Any) -> Any:
    return np.concatenate(_tangents(ts, arrays), axis=axis)


def _stack_jvp(ts: tuple[Any, ...], ans: Value, *arrays: Any, axis: int = 0, **_: Any) -> Any:
    return np.stack(_tangents(ts, arrays), axis=axis)


def _of_a_list(fun: Primitive) -> Any:
    def entry(
        arrays: Any,
        axis: int | None = 0,
        out: None = None,
        *,
        dtype: DTypeLike | None = None,
        casting: Any = None,
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
def _vstack(tup: Any, *, dtype: DTypeLike | None = None, casting: Any = None) -> Any:
    return np.concatenate([np.atleast_2d(a) for a in _listed(tup)], axis=0, dtype=dtype)


@composite(np.hstack)
def _hstack(tup: Any, *, dtype: DTypeLike | None = None, casting: Any = None) -> Any:
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
    def depth(part: Value) -> int:
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
def _append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Any:
    if axis is None:
        return np.concatenate([np.ravel(as_array(arr)), np.ravel(as_array(values))])
    return np.concatenate([arr, values], axis=axis)


# -- taking apart -----------------------------------------------------------------------------------------


def _pieces(x: ArrayValue, stops: Any, axis: int) -> list[Any]:
    n = x.shape[axis]
    bounds = [0, *stops, n]
    return [x[along(x.ndim, axis, slice(a, b))] for a, b in itertools.pairwise(bounds)]


@composite(np.array_split)
def _array_split(ary: ArrayValue, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if not isinstance(indices_or_sections, int | np.integer):
        return _pieces(ary, [int(k) for k in indices_or_sections], axis)
    each, rest = divmod(ary.shape[axis], int(indices_or_sections))
    sizes = [each + 1] * rest + [each] * (int(indices_or_sections) - rest)
    return _pieces(ary, [int(k) for k in np.cumsum(sizes)[:-1]], axis)


@composite(np.split)
def _split(ary: ArrayValue, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int | np.integer) and ary.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return _array_split(ary, indices_or_sections, axis)  # type: ignore[no-any-return]


@composite(np.hsplit)
def _hsplit(ary: ArrayValue, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@composite(np.vsplit)
def _vsplit(ary: Value, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 0)


@composite(np.dsplit)
def _dsplit(ary: Value, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, 2)


@composite(getattr(np, "unstack", None))
def _unstack(x: ArrayValue, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(x[along(x.ndim, axis, k)] for k in range(x.shape[axis]))


# -- np.r_ and np.c_ --------------------------------------------------------------------------------------


class Joined:
    """``np.r_`` or ``np.c_``, of traced values too.

    NumPy arranges the places of the elements, as it would the elements themselves.

    >>> Joined(np.c_)[np.array([1.0, 2.0]), 3:5]
    array([[1., 3.],
           [2., 4.]])
    """

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if next(nodes_in(parts), None) is None:
            return self.plain[key]
        return call_handler(self._join, (parts,), {}, sys._getframe(1))

    def _join(self, parts: tuple[Any, ...]) -> Any:
        arrays: list[Any] = []
        places: list[Any] = []
        start = 0
        for part in parts:
            if isinstance(part, str):
                places.append(part)
                continue
            arrays.append(np.r_[part] if isinstance(part, slice) else as_array(part))
            size = np.size(arrays[-1])
            places.append(np.arange(start, start + size).reshape(np.shape(arrays[-1]))[()])
            start += size
        order = self.plain[tuple(places)]
        if isinstance(order, np.matrix):
            raise TraceError(
                f"{parts[0]!r} asks for a np.matrix, which traced values have none of ({user_site()}): use "
                "np.concatenate or np.stack"
            )
        dtype = np.result_type(*map(plain, arrays))  # a Python number takes the others' precision
        return cast(np.concatenate([np.ravel(a) for a in arrays])[order], dtype)
