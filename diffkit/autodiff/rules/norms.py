"""Norms of vectors and matrices, by every order that NumPy has.

The Euclidean, Frobenius and p-norms are one row of a trace, the others are programs of absolute values,
sums, extrema and singular values. Where a norm has a kink the rules choose:

- **x = 0**: the Euclidean, Frobenius and p-norms get 0, and a second derivative of nan
  (``removable_singularities.py``).
- **Ties** (orders inf, -inf, matrix orders 1, -1, 2, -2): shared evenly by those that are largest, a
  valid subgradient.
- **Zero entries** (order 1, and p > 1): 0, the middle of the subgradients. Order 0 counts; its
  derivative is 0.
- **Nuclear norm** of a matrix of low rank: U V^H of the SVD that NumPy gives, a valid subgradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.matrices import is_complex
from diffkit.autodiff.rules.register import composite, define, fit, is_node
from diffkit.autodiff.rules.removable_singularities import over_length
from diffkit.typing import ArrayLike, ArrayValue, Axis, Value


def _gradient(ans: ArrayValue, x: ArrayValue, ord: Any, axis: Any, keepdims: bool) -> Any:
    """The derivative of the norm by each element; for complex x, the one whose real part g * t takes."""
    ans = _spread(ans, x, axis, keepdims)
    x_ = np.conj(x) if is_complex(x) else x
    if ord in (None, 2, "fro"):
        return over_length(x_, ans)
    size = np.abs(x)
    direction = x_ / np.where(np.equal(size, 0.0), 1.0, size) if is_complex(x) else np.sign(x)
    return direction * over_length(size, ans) ** (ord - 1)


def _spread(c: Value, x: ArrayValue, axis: Axis, keepdims: bool) -> Any:
    """Numbers, one per norm, in a shape that broadcasts against x."""
    if keepdims or axis is None or not getattr(x, "shape", ()):
        return c
    axes = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return np.reshape(c, tuple(1 if k in axes else n for k, n in enumerate(x.shape)))


def _norm_vjp(g: ArrayValue, ans: ArrayValue, x: ArrayValue, ord: Any, axis: Any, keepdims: bool) -> Any:
    return fit(_spread(g, x, axis, keepdims) * _gradient(ans, x, ord, axis, keepdims), x)


def _norm_jvp(t: ArrayValue, ans: ArrayValue, x: ArrayValue, ord: Any, axis: Any, keepdims: bool) -> Any:
    product = t * _gradient(ans, x, ord, axis, keepdims)
    return np.sum(np.real(product) if is_complex(product) else product, axis=axis, keepdims=keepdims)


_smooth = define(
    np.linalg.norm,
    [_norm_vjp, None, None, None],
    [_norm_jvp, None, None, None],
)


@composite(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if not is_node(x):
        x = np.asarray(x)
    if isinstance(axis, list):
        axis = tuple(axis)
    if axis is None and x.ndim == 2 and ord is not None:
        axis = (0, 1)
    if isinstance(axis, tuple) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, tuple) and ord not in (None, "fro"):
        return _matrix_norm(x, ord, axis, keepdims)
    if ord in (None, "fro") or ord not in (0, 1, np.inf, -np.inf):
        return _smooth(x, ord, axis, keepdims)
    size = np.abs(x)
    if ord == 0:
        return np.sum(np.not_equal(x, 0.0).astype(size.dtype), axis=axis, keepdims=keepdims)
    reduce = np.sum if ord == 1 else np.max if ord == np.inf else np.min
    return reduce(size, axis=axis, keepdims=keepdims)


def _matrix_norm(x: ArrayValue, ord: Any, axis: tuple[int, int], keepdims: bool) -> Any:
    rows, columns = (a % x.ndim for a in axis)
    if ord in ("nuc", 2, -2):
        others = [k for k in range(x.ndim) if k not in (rows, columns)]
        s = np.linalg.svdvals(np.transpose(x, [*others, rows, columns]))
        norm = np.sum(s, axis=-1) if ord == "nuc" else np.max(s, axis=-1) if ord == 2 else np.min(s, axis=-1)
    elif ord in (1, -1, np.inf, -np.inf):
        summed, left = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = np.sum(np.abs(x), axis=summed)
        norm = (np.max if ord > 0 else np.min)(sums, axis=left - (left > summed))
    else:
        return np.linalg.norm(np.zeros((1, 1)), ord)  # not an order: NumPy says so
    if not keepdims:
        return norm
    return np.reshape(norm, tuple(1 if k in (rows, columns) else n for k, n in enumerate(x.shape)))


@composite(np.linalg.vector_norm)
def _vector_norm(x: ArrayValue, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    shape = x.shape
    if axis is None:
        norm = _norm(np.ravel(x), ord)
        return np.reshape(norm, (1,) * len(shape)) if keepdims else norm
    if not isinstance(axis, tuple):
        return _norm(x, ord, axis, keepdims)
    axes = [a % len(shape) for a in axis]
    others = [k for k in range(len(shape)) if k not in axes]
    flat = np.reshape(np.transpose(x, [*others, *axes]), (*[shape[k] for k in others], -1))
    norm = _norm(flat, ord, -1)
    return np.reshape(norm, [1 if k in axes else n for k, n in enumerate(shape)]) if keepdims else norm


@composite(np.linalg.matrix_norm)
def _matrix_norms(x: ArrayLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)
