"""Functions that move elements about without changing them: reshape, transpose, flip, roll, ...

All are linear, so the JVP is the function itself, of the tangent; the VJP undoes the move.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diffkit.autodiff.recording.primitive import ASTYPE
from diffkit.autodiff.recording.refusals import refuse
from diffkit.autodiff.recording.tracer import Primitive
from diffkit.autodiff.rules.call_forms import plain
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit, structural
from diffkit.typing import ArrayLike, ArrayValue, Axis, Value


def _reshape_vjp(g: Value, ans: Value, x: Value, *, order: Any = "C", **_: Any) -> Any:
    return fit(np.reshape(g, getattr(x, "shape", ()), order=order), x)


def _settled(fun: Primitive) -> None:
    """Writes the order of elements down as C or F, where the call has it from how the array lies in memory.

    A cotangent or a tangent, and the array of a replay, may lie there in another way.
    """
    arrange = fun.arrange
    assert arrange is not None

    def settled(args: Any, kwargs: Any, frame: FrameType) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = arrange(args, kwargs, frame)
        if kwargs.get("order") in ("A", "K"):
            kwargs = {**kwargs, "order": _order_in_memory(np.asarray(plain(args[0])), kwargs["order"], frame)}
        return args, kwargs

    fun.arrange = settled


def _order_in_memory(x: Any, order: str, frame: FrameType) -> str:
    """What "A" (F if x is contiguous that way, else C) and "K" (as x lies in memory) mean for x."""
    if order == "A":
        return "F" if x.flags.fnc else "C"
    steps = [abs(step) for step, n in zip(x.strides, x.shape, strict=True) if n > 1]
    if steps == sorted(steps, reverse=True):
        return "C"
    if steps != sorted(steps):
        refuse(
            "a traced array that lies in memory in neither C's nor Fortran's order was read with order=\"K\"",
            'write order="C" or order="F", or transpose it first',
            frame,
        )
    return "F"


def _transpose_vjp(g: Value, ans: Value, x: Value, *, axes: Axis = None) -> Any:
    return np.transpose(g, None if axes is None else tuple(int(k) for k in np.argsort(_positive(axes))))


def _positive(axes: Any) -> list[int]:
    return [a % len(axes) for a in axes]


def _moved_back(g: Any, ans: Value, x: Value, *, source: Any, destination: Any) -> Any:
    return np.moveaxis(g, destination, source)


def _rolled_back(g: Value, ans: Value, x: Value, *, shift: Any, axis: Axis = None) -> Any:
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift, axis)


def _flipped(g: Value, ans: Value, x: Value, *, axis: Axis = None) -> Any:
    return np.flip(g, axis)


def _swapped(g: Value, ans: Value, x: Value, *, axis1: int, axis2: int) -> Any:
    return np.swapaxes(g, axis1, axis2)


def _rotated_back(g: Any, ans: Value, x: Value, *, k: int = 1, axes: Any = (0, 1)) -> Any:
    return np.rot90(g, -k, axes)


def _same(g: Value, ans: Value, x: Value, **_: Any) -> Any:
    return fit(g, x)


# fmt: off
_settled(define(np.reshape, [_reshape_vjp],                           [LINEAR]))
_settled(define(np.ravel,   [_reshape_vjp],                           [LINEAR]))
define(np.squeeze,          [_reshape_vjp],                           [LINEAR])
define(np.expand_dims,      [_reshape_vjp],                           [LINEAR])
define(np.transpose,        [_transpose_vjp],                         [LINEAR])
define(np.matrix_transpose, [lambda g, ans, x: np.swapaxes(g, -1, -2)], [LINEAR])
define(np.swapaxes,         [_swapped],                               [LINEAR])
define(np.moveaxis,         [_moved_back],                            [LINEAR])
define(np.flip,             [_flipped],                               [LINEAR])
define(np.fliplr,           [lambda g, ans, x: np.fliplr(g)],         [LINEAR])
define(np.flipud,           [lambda g, ans, x: np.flipud(g)],         [LINEAR])
define(np.roll,             [_rolled_back],                           [LINEAR])
define(np.rot90,            [_rotated_back],                          [LINEAR])
define(np.broadcast_to,     [_same],                                  [LINEAR])
define(np.copy,             [_same],                                  [LINEAR])
# fmt: on


@composite(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - (start > axis))


@composite(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(a if np.shape(a) == shape else np.broadcast_to(a, shape) for a in args)


def _at_least(arrays: tuple[Any, ...], shapes: Any) -> Any:
    reshaped = tuple(np.reshape(a, shapes(np.shape(a))) for a in arrays)
    return reshaped[0] if len(reshaped) == 1 else reshaped


@composite(np.atleast_1d)
def _atleast_1d(*arys: Any) -> Any:
    return _at_least(arys, lambda shape: shape or (1,))


@composite(np.atleast_2d)
def _atleast_2d(*arys: Any) -> Any:
    return _at_least(arys, lambda shape: (1,) * (2 - len(shape)) + shape)


@composite(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    return _at_least(arys, lambda s: {0: (1, 1, 1), 1: (1, *s, 1), 2: (*s, 1)}.get(len(s), s))


@composite(np.resize)
def _resize(a: ArrayValue, new_shape: Any) -> Any:
    size = int(np.prod(new_shape, dtype=int))
    if not a.size:
        return np.zeros(new_shape, a.dtype)
    return np.reshape(np.ravel(a)[np.arange(size) % a.size], new_shape)


# -- types ------------------------------------------------------------------------------------------------

astype = ASTYPE
astype.jvps = (lambda t, ans, x, dtype: astype(t, dtype),)
astype.vjps = (lambda g, ans, x, dtype: fit(g, x) if np.dtype(dtype).kind in "fc" else np.zeros_like(x),)


def cast(x: Any, dtype: DTypeLike | None) -> Any:
    """x in a dtype; x itself if it has that already. A Python number is a double."""
    dtype = np.dtype(dtype)
    return x if np.result_type(x) == dtype else astype(x, dtype)


@composite(getattr(np, "astype", None))
def _astype(x: ArrayLike, dtype: DTypeLike | None, /, *, copy: bool = True, device: Any = None) -> Any:
    return astype(x, np.dtype(dtype))


# -- shapes, dtypes, and what has nothing of the values in it ---------------------------------------------

structural(
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type,
    np.iscomplexobj, np.isrealobj,
    np.array_repr, np.array_str, np.array2string, np.shares_memory, np.may_share_memory,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path,
)  # fmt: skip
