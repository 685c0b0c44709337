"""Values as Python literals, exact to the last bit; or None where there is none.

>>> literal(0.1), literal(-0.0), literal(np.float32(0.1)), literal(float("inf"))
('0.1', '-0.0', 'np.float32(0.10000000149011612)', 'math.inf')
>>> literal(np.array([[1.0, 2.0], [3.0, 4.0]]))
'np.array([[1.0, 2.0], [3.0, 4.0]])'
>>> literal(np.zeros((2, 3), np.float32)), literal(object())
('np.zeros((2, 3), np.float32)', None)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LARGEST_ARRAY = 1_000
"""Elements in the largest array that is written out; a longer one is bound by name."""

_LONG = 10**4000
"""An integer that Python may refuse to write as a decimal."""

_ITSELF = (bool, bytes, str, type(None), type(Ellipsis))


def literal(value: Any) -> str | None:
    """The text that evaluates to the value, given the modules ``math`` and ``np``; None if there is none."""
    kind = type(value)
    if kind is float:
        return _float(value)
    if kind is int:
        return str(value) if abs(value) < _LONG else hex(value)
    if kind in _ITSELF:
        return "..." if value is Ellipsis else _quoted(value) if kind is str else repr(value)
    if kind is complex:
        return f"complex({_float(value.real)}, {_float(value.imag)})"
    if kind is tuple or kind is list:
        parts = [literal(part) for part in value]
        if any(part is None for part in parts):
            return None
        inner = ", ".join(p for p in parts if p is not None)
        return f"[{inner}]" if kind is list else f"({inner},)" if len(parts) == 1 else f"({inner})"
    if kind is range:
        return repr(value)
    if kind is dict:
        keys, values = literal(list(value)), literal(list(value.values()))
        if keys is None or values is None:
            return None
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if kind is slice:
        parts = [literal(p) for p in (value.start, value.stop, value.step)]
        return None if None in parts else f"slice({', '.join(str(p) for p in parts)})"
    if isinstance(value, np.generic):
        return _scalar(value)
    if kind is np.ndarray:
        return array_literal(value)
    if isinstance(value, np.dtype):
        return _dtype(value)
    if isinstance(value, type):
        if value in (float, int, complex, bool):
            return value.__name__
        name = value.__name__
        return f"np.{name}" if getattr(np, name, None) is value else None
    return None


def _quoted(text: str) -> str:
    found = repr(text)
    return f'"{found[1:-1]}"' if found[0] == "'" and '"' not in found else found


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "math.nan" if value != value else "math.inf" if value > 0 else "-math.inf"


def _scalar(value: Any) -> str | None:
    name = type(value).__name__
    if getattr(np, name, None) is not type(value):
        return None
    if value.dtype.kind == "b":
        return f"np.{value!s}_"
    if value.dtype.kind in "iu":
        return f"np.{name}({int(value)})"
    if value.dtype.kind == "f" and value.dtype.itemsize <= 8:
        return f"np.{name}({_float(float(value))})"
    if value.dtype.kind == "c" and value.dtype.itemsize <= 16:
        return f"np.{name}({literal(complex(value))})"
    return None


def _dtype(dtype: np.dtype[Any]) -> str | None:
    name = dtype.type.__name__
    exact = getattr(np, name, None) is dtype.type and np.dtype(dtype.type) == dtype
    if not exact:
        return None
    return {"bool": "bool", "float64": "float", "complex128": "complex", "int64": "int"}.get(
        name, f"np.{name}"
    )


def array_literal(array: np.ndarray, largest: int | None = None) -> str | None:
    """An array as a call of ``np.array``, ``np.zeros``, ``np.ones`` or ``np.full``; None if too long."""
    dtype = _dtype(array.dtype)
    if dtype is None or array.dtype.kind not in "fciub" or array.dtype.itemsize > 16:
        return None
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return None
    # The layout of floats is kept, for sums over another one may round otherwise.
    if array.dtype.kind in "fc" and not array.flags.c_contiguous:
        if array.size > 1 and not any(array.strides):
            return f"np.broadcast_to({literal(array.flat[0])}, {literal(array.shape)})"
        order = sorted(range(array.ndim), key=lambda k: -abs(array.strides[k]))
        dense = array.transpose(order)
        turned = array_literal(dense, largest) if dense.flags.c_contiguous else None
        back = (
            ".T"
            if order == list(range(array.ndim))[::-1]
            else f".transpose{tuple(np.argsort(order).tolist())}"
        )
        return turned and turned + back
    with_dtype = "" if dtype == "float" else f", {dtype}"
    flat = array.ravel()
    shape = literal(array.shape[0] if array.ndim == 1 else array.shape)
    if array.size == 0:
        return f"np.zeros({shape}{with_dtype})"
    if array.size > 1 and flat.tobytes() == flat[:1].tobytes() * array.size:
        first = literal(flat[0].item())
        if first in ("0.0", "0", "False", "complex(0.0, 0.0)"):
            return f"np.zeros({shape}{with_dtype})"
        if first in ("1.0", "1", "True"):
            return f"np.ones({shape}{with_dtype})"
        return f"np.full({shape}, {first}{with_dtype})"
    if array.size > (LARGEST_ARRAY if largest is None else largest):
        return None
    inner = literal(array.tolist())
    natural = {"f": "float", "i": "int", "b": "bool", "c": "complex"}.get(array.dtype.kind)
    return f"np.array({inner})" if dtype == natural else f"np.array({inner}, {dtype})"


def subscript(index: object) -> str | None:
    """An index as it stands between brackets.

    >>> subscript((slice(None), slice(1, 3), None, 2)), subscript(slice(None, None, -1))
    (':, 1:3, None, 2', '::-1')
    """
    if type(index) is slice:
        parts = ["" if p is None else literal(p) for p in (index.start, index.stop, index.step)]
        if None in parts:
            return None
        start, stop, step = parts
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if type(index) is tuple and index:
        parts = [subscript(part) for part in index]
        if None in parts:
            return None
        return ", ".join(str(p) for p in parts) + ("," if len(parts) == 1 else "")
    return str(int(index)) if isinstance(index, np.integer) else literal(index)
