"""Functions that move elements about without changing them: reshape, transpose, concatenate, ..."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from diffkit.autodiff.rules.register import LINEAR, constant, define, fit
from diffkit.autodiff.tracer import Primitive, apply

__all__ = ["astype"]


def _reshape_vjp(g: Any, ans: Any, x: Any, *_: Any, order: str = "C", **__: Any) -> Any:
    return np.reshape(g, getattr(x, "shape", ()), order=order)


def _transpose_vjp(g: Any, ans: Any, x: Any, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else np.argsort(axes))


def _concatenate_vjp(k: int, g: Any, ans: Any, *arrays: Any, axis: Any = 0) -> Any:
    if axis is None:
        start = sum(np.size(a) for a in arrays[:k])
        return np.reshape(g[start : start + arrays[k].size], arrays[k].shape)
    start = sum(a.shape[axis] for a in arrays[:k])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[k].shape[axis])
    return fit(g[tuple(index)], arrays[k])


def _concatenate_jvp(k: int, t: Any, ans: Any, *arrays: Any, axis: Any = 0) -> Any:
    parts = [t if j == k else np.zeros_like(a) for j, a in enumerate(arrays)]
    return np.concatenate(parts, axis=axis)


def _stack_vjp(k: int, g: Any, ans: Any, *arrays: Any, axis: int = 0) -> Any:
    index = [slice(None)] * g.ndim
    index[axis] = k  # type: ignore[call-overload]
    return fit(g[tuple(index)], arrays[k])


def _stack_jvp(k: int, t: Any, ans: Any, *arrays: Any, axis: int = 0) -> Any:
    return np.stack([t if j == k else np.zeros_like(a) for j, a in enumerate(arrays)], axis=axis)


def _of_a_list(fun: Primitive) -> Any:
    """Users give the arrays in one list; a row has them as its arguments."""

    def entry(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            kwargs["axis"] = args[0]
        return apply(fun, tuple(arrays), kwargs, sys._getframe(1))

    return entry


define(np.reshape, [_reshape_vjp], [LINEAR])
define(np.ravel, [_reshape_vjp], [LINEAR])
define(np.transpose, [_transpose_vjp], [LINEAR])
define(
    np.concatenate,
    [_concatenate_vjp],
    [_concatenate_jvp],
    compute=lambda *arrays, axis=0: np.concatenate(arrays, axis=axis),
    variadic=True,
    entry=_of_a_list,
)
define(
    np.stack,
    [_stack_vjp],
    [_stack_jvp],
    compute=lambda *arrays, axis=0: np.stack(arrays, axis=axis),
    variadic=True,
    entry=_of_a_list,
)
define(np.broadcast_to, [lambda g, ans, x, shape, **_: fit(g, x)], [LINEAR])
astype = Primitive("astype", lambda x, dtype: x.astype(dtype) if hasattr(x, "astype") else dtype.type(x))
astype.vjps = (lambda g, ans, x, dtype: fit(g, x) if dtype.kind in "fc" else None,)
astype.jvps = (lambda t, ans, x, dtype: t.astype(dtype),)
constant(np.zeros_like, np.ones_like, np.shape, np.size, np.ndim)
