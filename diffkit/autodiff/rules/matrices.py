"""What the rules of linear algebra share: parts of matrices, and quotients that may meet 0/0.

The rules pair cotangents with tangents by Re(sum(g * t)), without a conjugate, as autograd does. The
literature's bar is conj(g) then; a rule that is written with bars is marked :func:`barred`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import is_traced
from diffkit.autodiff.rules.call_forms import decided, plain
from diffkit.autodiff.rules.decisions import any_in_columns
from diffkit.autodiff.rules.register import fit
from diffkit.typing import ArrayValue, Value

__all__ = [
    "adjoint",
    "barred",
    "conj",
    "diagonal",
    "identity",
    "is_complex",
    "is_used",
    "is_zero",
    "on_diagonal",
    "over",
    "per_matrix",
    "plain",
    "real",
    "strictly_lower",
]


_REAL = np.dtype(float)


def is_zero(value: Value) -> bool:
    """Whether a cotangent is known to be zero: the part of an answer that nothing has used."""
    return not is_traced(value) and not np.any(value)


def is_complex(x: object) -> bool:
    """Whether an array, traced or not, has a complex dtype."""
    return type(x) is complex or getattr(x, "dtype", _REAL).kind == "c"


def conj(x: Value) -> Any:
    """The conjugate; a real array is its own, without a row in the trace."""
    return np.conj(x) if is_complex(x) else x


def real(x: Value) -> Any:
    """The real part; a real array is its own."""
    return np.real(x) if is_complex(x) else x


def adjoint(x: ArrayValue) -> Any:
    """The conjugate transpose of the last two axes."""
    return conj(x.mT)


def identity(x: ArrayValue) -> Any:
    """The identity matrix as wide as the last axis of x, in its dtype."""
    return np.eye(x.shape[-1], dtype=x.dtype)


def diagonal(x: ArrayValue) -> Any:
    """The diagonals of the matrices in x, as vectors.

    >>> diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    return np.sum(x * identity(x), axis=-1)


def on_diagonal(v: ArrayValue) -> Any:
    """Diagonal matrices of the vectors in v.

    >>> on_diagonal(np.array([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    """
    return v[..., None] * identity(v)


def per_matrix(c: Any) -> Any:
    """Numbers, one per matrix of a stack, ready to multiply the matrices."""
    return c[..., None, None] if getattr(c, "shape", ()) else c


def strictly_lower(x: ArrayValue) -> Any:
    """The matrices in x below the diagonal, zero elsewhere."""
    return x * np.tri(x.shape[-2], x.shape[-1], -1, dtype=x.dtype)


def over(c: Value, d: Value, zero: Any, unused: Any = False) -> Any:
    """c / d; where ``zero`` says that d is zero it is nan, or 0 where ``unused`` says so.

    Between equal eigenvalues the eigenvectors have no derivative: their choice is arbitrary. Some
    functions of them do have one (v / w @ v.T is the inverse), but it can't be told from 0 / 0.
    """
    if not np.any(zero):
        return c / d
    exceptional = np.where(unused, 0.0, np.nan).astype(plain(d).dtype)
    return np.where(zero, exceptional, c / np.where(zero, 1.0, d))


def is_used(v: Value) -> Any:
    """Of each column of a cotangent, whether it has an entry that is not zero."""
    return decided(any_in_columns, v)


def barred(vjp: Callable[..., Any]) -> Callable[..., Any]:
    """A VJP rule for a matrix that is written with bars, in the convention of the literature."""

    @wraps(vjp)
    def rule(g: Any, ans: Value, a: Value, *args: Any, **kwargs: Any) -> Any:
        bars = tuple(map(conj, g)) if isinstance(g, tuple | list) else conj(g)
        return fit(conj(vjp(bars, ans, a, *args, **kwargs)), a)

    return rule
