"""The single numbers and arrays that go into a trace and come out of it: arguments, tangents, adjoints.

What a sweep starts from has the shape and dtype of the value that it belongs to (:func:`like`), and what it
hands out is its receiver's own (:func:`own`), to be changed at will.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Array, is_traced, plain
from diffkit.errors import InputError


def same_container(value: Any, parts: Iterable[Any]) -> Any:
    """A tuple, list or named tuple of the same kind as ``value``, of other parts."""
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


def zeros_like(value: Any) -> Any:
    """A zero of the same shape and dtype: 0.0 for a float, an array for an array.

    >>> zeros_like(2.5), zeros_like(np.ones(2, np.float32))
    (0.0, array([0., 0.], dtype=float32))
    """
    value = plain(value)
    if isinstance(value, tuple | list):
        return same_container(value, map(zeros_like, value))
    return np.zeros_like(value) if isinstance(value, np.ndarray) else type(value)(0)


def ones_like(value: Any) -> Any:
    """Ones of the shape and dtype of a value, and floats if that is discrete."""
    return np.ones_like(value, dtype=None if np.asarray(value).dtype.kind in "fc" else float)[()]


def copied(value: Any) -> Any:
    """The value, in arrays of its own."""
    if type(value) is tuple or type(value) is list:
        return same_container(value, map(copied, value))
    if type(value) is Array:
        return value.alias()
    return value.copy() if type(value) is np.ndarray else value


def still(value: Any) -> Any:
    """The tangent of an answer that does not move: a zero of its shape, and a float's if it is discrete."""
    shape = np.shape(plain(value))
    return zeros_like(value) if is_differentiable(value) else np.zeros(shape) if shape else 0.0


def is_differentiable(value: Any) -> bool:
    """Whether a leaf is a real or complex number or array of them (and not an integer or a bool)."""
    if type(value) is float:
        return True
    value = plain(value)
    if type(value) is float or type(value) is complex:
        return True
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "fc"
    return isinstance(value, float | complex)


def own(leaves: list[Any]) -> list[Any]:
    """The same values, with a copy of every array that is a view, or that occurs twice.

    A rule may hand on its cotangent as it is, or a view of it. Whoever asked for derivatives may
    change one in place, and must not change another by that.
    """
    seen = set()
    for k, leaf in enumerate(leaves):
        if type(leaf) is Array:
            leaves[k] = leaf.alias()
        elif type(leaf) is np.ndarray:
            if leaf.base is not None or id(leaf) in seen or not leaf.flags.writeable:
                leaves[k] = leaf.copy()
            seen.add(id(leaf))
    return leaves


def like(given: Any, value: Any, what: Callable[[], str]) -> Any:
    """A tangent or cotangent brought to the type of the value that it belongs to.

    Args:
        given: the tangent or cotangent.
        value: the value; its shape and dtype count.
        what: says what it is, for messages.

    Raises:
        InputError: if its shape is another one, or it is no number.
    """
    value, bare = plain(value), plain(given)
    if type(value) is type(bare) is float:
        return given
    if isinstance(bare, str | dict | list | tuple) or bare is None:
        raise InputError(f"{what()} must be a number or an array, not {bare!r}")
    if np.shape(bare) != np.shape(value):
        raise InputError(f"{what()} has shape {np.shape(bare)}, but needs {np.shape(value)}")
    if is_traced(given):
        return given
    if type(value) is float:
        return complex(given) if isinstance(given, complex) else float(given)
    if type(value) is complex:
        return complex(given)
    dtype = np.asarray(value).dtype
    dtype = dtype if dtype.kind in "fc" else np.dtype(float)
    array = np.asarray(given)
    if array.dtype.kind == "c" and dtype.kind == "f":
        return array
    array = array.astype(dtype)
    return array[()] if isinstance(value, np.generic) else array
