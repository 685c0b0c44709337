"""Making arrays longer and shorter: tile, repeat, meshgrid, insert, delete, trim_zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.scatter import Scatter
from diffkit.autodiff.recording.tracer import own, plain_index
from diffkit.autodiff.rules.call_forms import as_array, decided, plain
from diffkit.autodiff.rules.indexing import along, placed
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit
from diffkit.typing import ArrayValue, Axis, Value

# -- repeating --------------------------------------------------------------------------------------------


def _tile_vjp(g: Value, ans: Value, x: Value, *, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    shape = getattr(x, "shape", ())
    ndim = max(len(reps), len(shape))
    reps, full = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - len(shape)) + shape
    blocks = np.reshape(g, tuple(n for pair in zip(reps, full, strict=True) for n in pair))
    return fit(np.reshape(np.sum(blocks, axis=tuple(range(0, 2 * ndim, 2))), shape), x)


def _repeat_vjp(g: Value, ans: Value, x: Value, *, repeats: Any, axis: int | None = None) -> Any:
    shape = getattr(x, "shape", ())
    if axis is None and len(shape) != 1:
        c = _repeat_vjp(g, ans, np.ravel(plain(x)), repeats=repeats, axis=0)
        return fit(np.reshape(c.dense() if type(c) is Scatter else c, shape), x)
    axis = 0 if axis is None else axis
    axis = axis % len(shape)
    if np.size(repeats) == 1:
        times = int(np.ravel(repeats)[0])
        return fit(np.sum(np.reshape(g, (*shape[: axis + 1], times, *shape[axis + 1 :])), axis=axis + 1), x)
    return placed(fit(g, ans), along(len(shape), axis, np.repeat(np.arange(shape[axis]), repeats)), x)


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
    made = tuple(grids) if sparse else np.broadcast_arrays(*grids)
    return tuple(map(own, made)) if copy else made


# -- inserting, deleting ---------------------------------------------------------------------------------


@composite(np.insert)
def _insert(arr: ArrayValue, obj: Any, values: Any, axis: int | None = None) -> Any:
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
def _delete(arr: ArrayValue, obj: Any, axis: int | None = None) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), plain_index(obj)), axis=axis)


@composite(np.trim_zeros)
def _trim_zeros(filt: ArrayValue, trim: Any = "fb", axis: Axis = None) -> Any:
    kept = decided(np.argwhere, filt)
    if not len(kept):
        return np.trim_zeros(plain(filt), trim) if axis is None else np.trim_zeros(plain(filt), trim, axis)
    axes = range(filt.ndim) if axis is None else np.ravel(axis) % filt.ndim
    index: list[Any] = [slice(None)] * filt.ndim
    for k in axes:
        first, last = kept[:, k].min(), kept[:, k].max() + 1
        index[k] = slice(first if "f" in trim.lower() else None, last if "b" in trim.lower() else None)
    return filt[tuple(index)]
