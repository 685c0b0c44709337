"""NumPy's functions that change an array in place, as assignments: ``copyto``, ``put``, ...

Each is what it does to the places that it writes to, so that ``array[index] = value`` is the only change that
needs a rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.refusals import refuse_plain_output, refuse_writing
from diffkit.autodiff.recording.tracer import FUNCTIONS, Array, plain_index, wrapped
from diffkit.autodiff.rules.call_forms import as_array, plain, plain_arguments
from diffkit.autodiff.rules.construction import array
from diffkit.autodiff.rules.nans import nan_to_num
from diffkit.autodiff.rules.register import KINDS
from diffkit.typing import ArrayValue, Value

Array.from_list = staticmethod(array)


def _changes(function: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers what stands for a function that changes its first argument in place."""

    def register(program: Callable[..., None]) -> Callable[..., None]:
        name = f"np.{function.__name__}"

        def run(*args: Any, **kwargs: Any) -> None:
            target = args[0] if args else next(iter(kwargs.values()))
            if type(target) is not Array:
                refuse_writing(name, sys._getframe(1))
            program(*args, **kwargs)

        run.__name__ = function.__name__
        FUNCTIONS[function] = run
        KINDS[function] = "composite"
        return program

    return register


@_changes(np.copyto)
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    src = as_array(src)
    given, dtype = np.result_type(plain(src)), dst.dtype
    if not np.can_cast(given, dtype, casting):  # type: ignore[arg-type]
        raise TypeError(
            f"Cannot cast array data from {given!r} to {dtype!r} according to the rule {casting!r}"
        )
    if where is True:
        dst[...] = src
    else:
        mask = np.broadcast_to(plain_index(where), dst.shape)
        dst[mask] = np.broadcast_to(src, dst.shape)[mask] if np.ndim(src) else src


def _flat(a: ArrayValue, places: Any) -> Any:
    """The index of elements that are counted through, in C's order."""
    return np.unravel_index(places, a.shape) if a.ndim != 1 else places


def _repeated(values: ArrayValue, count: int) -> Any:
    """Values from the first on, again and again, until there are enough."""
    values = np.ravel(as_array(values)) if np.ndim(plain(values)) or isinstance(values, list) else values
    if not np.ndim(values):
        return values
    return values if np.size(values) == count else values[np.arange(count) % np.size(values)]


@_changes(np.put)
def _put(a: Any, ind: Any, v: ArrayValue, mode: str = "raise") -> None:
    places = np.ravel(np.asarray(plain_index(ind), int))
    if mode == "raise" and np.any((places < -a.size) | (places >= a.size)):
        wrong = places[(places < -a.size) | (places >= a.size)][0]
        raise IndexError(f"index {wrong} is out of bounds for axis 0 with size {a.size}")
    places = np.clip(places, 0, a.size - 1) if mode == "clip" else places % a.size
    if places.size:
        a[_flat(a, places)] = _repeated(v, places.size)


@_changes(np.place)
def _place(arr: Any, mask: Value, vals: Any) -> None:
    chosen: Any = plain_index(mask)
    places = np.flatnonzero(chosen)
    if places.size and not arr.write_as(lambda here, there: np.place(here, chosen, there), vals):
        arr[_flat(arr, places)] = _repeated(vals, places.size)


@_changes(np.putmask)
def _putmask(a: Any, mask: Value, values: Any) -> None:
    places = np.flatnonzero(plain_index(mask))
    values = as_array(values)
    if np.ndim(values):
        values = np.ravel(values)[places % np.size(values)]
    a[_flat(a, places)] = values


@_changes(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: ArrayValue, axis: int | None) -> None:
    indices = np.asarray(plain_index(indices))
    if axis is None:
        arr[_flat(arr, indices)] = values
        return
    axis, ndim = axis % arr.ndim, arr.ndim
    index = [
        indices if k == axis else np.reshape(np.arange(n), [-1 if j == k else 1 for j in range(ndim)])
        for k, n in enumerate(arr.shape)
    ]
    arr[tuple(index)] = values


@_changes(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if a.write_as(lambda here, there: np.fill_diagonal(here, there, wrap), val):
        return
    places = np.zeros(a.shape, bool)
    np.fill_diagonal(places, True, wrap)
    k = np.flatnonzero(places)
    a[_flat(a, k)] = _repeated(val, k.size)


def _at(ufunc: np.ufunc, a: Any, indices: Any, *operand: Any) -> None:
    """``np.add.at(a, indices, b)``: an index that occurs twice is operated on twice."""
    if type(a) is not Array:
        refuse_plain_output(f"np.{ufunc.__name__}.at", sys._getframe(1))
    index = plain_index(indices)
    places = np.arange(a.size).reshape(a.shape)[index]
    flat = np.ravel(places)
    values = [np.ravel(np.broadcast_to(as_array(b), np.shape(places))) for b in operand]
    order = np.argsort(flat, kind="stable")
    turn = np.empty(flat.size, int)  # the how-manieth time it is that an element is operated on
    turn[order] = np.arange(flat.size) - np.searchsorted(flat[order], flat[order])
    by_turn = np.argsort(turn, kind="stable")
    for now in np.split(by_turn, np.flatnonzero(np.diff(turn[by_turn])) + 1):
        if now.size:
            where = _flat(a, flat[now])
            a[where] = ufunc(a[where], *(b[now] for b in values))


FUNCTIONS[np.ufunc.at] = _at


# -- arrays to be written to ------------------------------------------------------------------------------


def _new_like(function: Callable[..., Any]) -> Callable[..., Any]:
    """``np.zeros_like(x)`` and its like: an array that traced values may be written to."""

    def run(*args: Any, **kwargs: Any) -> Any:
        return wrapped(function(*plain_arguments(args), **{k: plain(v) for k, v in kwargs.items()}))

    run.__name__ = function.__name__
    return run


for _function in (np.zeros_like, np.ones_like, np.empty_like):
    FUNCTIONS[_function] = _new_like(_function)
    KINDS[_function] = "structural"


# -- functions that may work in place ---------------------------------------------------------------------


def _nan_to_num_entry(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    answer = nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    if copy or type(x) is not Array:
        return answer
    x[...] = answer
    return x


_nan_to_num_entry.__name__ = "nan_to_num"
FUNCTIONS[np.nan_to_num] = _nan_to_num_entry
