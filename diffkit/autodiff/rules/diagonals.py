"""Diagonals and triangles of matrices: diag, diagonal, trace, tril, triu."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.indexing import placed, scatter
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit
from diffkit.typing import ArrayValue, Value


def _places(rows: int, columns: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the diagonal of a rows x columns matrix stands."""
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    k = np.arange(length)
    return k + max(-offset, 0), k + max(offset, 0)


def _diagonal_vjp(
    g: Value, ans: Value, x: ArrayValue, *, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Any:
    shape = x.shape
    axis1, axis2 = axis1 % len(shape), axis2 % len(shape)
    rows, columns = _places(shape[axis1], shape[axis2], offset)
    index: list[Any] = [slice(None)] * len(shape)
    index[axis1], index[axis2] = rows, columns
    # NumPy puts the axis of two index arrays first where they don't stand side by side.
    first = axis1 if axis2 == axis1 + 1 else axis2 if axis1 == axis2 + 1 else 0
    return placed(np.moveaxis(fit(g, ans), -1, first), tuple(index), x)


def _diag_vjp(g: Value, ans: Value, x: ArrayValue, *, k: int = 0) -> Any:
    return np.diag(g, k) if len(x.shape) == 1 else placed(fit(g, ans), _places(x.shape[0], x.shape[1], k), x)


def _trace_vjp(
    g: Any, ans: Value, x: ArrayValue, *, offset: int = 0, axis1: int = 0, axis2: int = 1, **_: Any
) -> Any:
    ones = np.eye(x.shape[axis1], x.shape[axis2], offset, x.dtype)
    if len(x.shape) == 2:
        return fit(g * (ones if axis1 % 2 == 0 else ones.T), x)
    return fit(np.moveaxis(g[..., None, None] * ones, (-2, -1), (axis1, axis2)), x)


def _triangle(function: Any) -> Any:
    return lambda g, ans, x, *, k=0: fit(function(g, k), x)  # of a vector NumPy makes a matrix, row by row


# fmt: off
define(np.diagonal, [_diagonal_vjp],      [LINEAR])
define(np.diag,     [_diag_vjp],          [LINEAR])
define(np.trace,    [_trace_vjp],         [LINEAR])
define(np.tril,     [_triangle(np.tril)], [LINEAR])
define(np.triu,     [_triangle(np.triu)], [LINEAR])
# fmt: on


@composite(np.diagflat)
def _diagflat(v: Value, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


def make_diagonal(D: Any, offset: int = 0, axis1: int = -1, axis2: int = -2) -> Any:
    """Matrices with the vectors along D's last axis on a diagonal: the inverse of ``np.diagonal``.

    NumPy has no such function for stacks of vectors; autograd has it under this name.

    Args:
        D: vectors, (..., n).
        offset, axis1, axis2: as for ``np.diagonal``, which gives D back.

    >>> make_diagonal(np.array([[1.0, 2.0]]), axis1=1, axis2=2)
    array([[[1., 0.],
            [0., 2.]]])
    """
    n = np.shape(D)[-1] + abs(offset)
    rows, columns = _places(n, n, offset)
    made = scatter(D, (..., rows, columns), np.zeros((*np.shape(D)[:-1], n, n), np.result_type(D)))
    return np.moveaxis(made, (-2, -1), (axis1, axis2))
