"""Undoing a broadcast: a cotangent brought to the shape and dtype of the argument that it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.node import plain_number


def fit(c: Any, x: Any) -> Any:
    """A contribution brought to the shape and dtype of the argument that it belongs to.

    Broadcasting repeats an argument along axes, so its adjoint is a sum along them; a real argument
    of a complex function gets the real part; float32 stays float32.

    >>> fit(np.ones((2, 3)), np.zeros(3, np.float32))
    array([2., 2., 2.], dtype=float32)
    """
    if type(c) is type(x) is np.ndarray and c.shape == x.shape and c.dtype == x.dtype:
        return c  # as it mostly is
    if type(plain_number(c)) is type(plain_number(x)) is float:
        return c
    shape = getattr(x, "shape", ())
    given = getattr(c, "shape", ())
    if given != shape:
        c = sum_to_shape(c, shape) if len(given) >= len(shape) else np.broadcast_to(c, shape)
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        if isinstance(c, np.ndarray | np.generic):
            c = c.item() if isinstance(x, complex) or not np.iscomplexobj(c) else c.real.item()
        return c.real if isinstance(c, complex) and not isinstance(x, complex) else c
    if type(c) is complex and dtype.kind == "f":  # a Python complex number times a NumPy float is one
        return dtype.type(c.real)
    if getattr(c, "dtype", dtype) != dtype and dtype.kind in "fc":
        if dtype.kind == "f" and c.dtype.kind == "c":
            c = np.real(c)
        if c.dtype != dtype:
            c = c.astype(dtype)
    return c


def sum_to_shape(c: Any, shape: tuple[int, ...]) -> Any:
    """Undoes a broadcast: sums over the axes that it added or stretched."""
    extra = len(c.shape) - len(shape)
    if extra:
        c = c.sum(axis=tuple(range(extra)))
    given = c.shape
    if given == shape:
        return c
    stretched = tuple([k for k, n in enumerate(shape) if n == 1 and given[k] != 1])
    return c.sum(axis=stretched, keepdims=True)
