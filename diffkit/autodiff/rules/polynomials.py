"""Polynomials by their coefficients, highest power first, as in np.polyval."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.decisions import all_real, zeros_in_front
from diffkit.autodiff.rules.linalg import solution
from diffkit.autodiff.rules.register import composite
from diffkit.autodiff.rules.shaping import cast
from diffkit.typing import ArrayLike, ArrayValue, Value


@composite(np.polyval)
def _polyval(p: Any, x: Value) -> Any:
    p, x = as_array(p), as_array(x)
    shape = np.broadcast_shapes(np.shape(p)[1:], np.shape(x))
    y: Any = np.zeros(shape, np.result_type(p, x))[()] if not len(p) else p[0]
    for k in range(1, len(p)):  # Horner's scheme
        y = y * x + p[k]
    return y if np.shape(y) == shape else np.broadcast_to(y, shape)


def _aligned(a1: ArrayValue, a2: ArrayValue) -> tuple[Any, Any]:
    """Both with as many coefficients, zeros for the missing high powers."""
    a1, a2 = np.atleast_1d(as_array(a1)), np.atleast_1d(as_array(a2))
    n = max(len(a1), len(a2))
    return tuple(a if len(a) == n else np.pad(a, (n - len(a), 0)) for a in (a1, a2))  # type: ignore[return-value]


@composite(np.polyadd)
def _polyadd(a1: ArrayValue, a2: ArrayValue) -> Any:
    a1, a2 = _aligned(a1, a2)
    return a1 + a2


@composite(np.polysub)
def _polysub(a1: ArrayValue, a2: ArrayValue) -> Any:
    a1, a2 = _aligned(a1, a2)
    return a1 - a2


@composite(np.polymul)
def _polymul(a1: ArrayLike, a2: ArrayLike) -> Any:
    return np.convolve(as_array(a1), as_array(a2))


@composite(np.polydiv)
def _polydiv(u: ArrayValue, v: ArrayValue) -> Any:
    u, v = np.atleast_1d(as_array(u)) + 0.0, np.atleast_1d(as_array(v)) + 0.0
    steps = len(u) - len(v) + 1
    if steps < 1:
        return np.zeros(1, np.result_type(u, v)), u
    quotient = []
    scale = 1.0 / v[0]
    for k in range(steps):
        quotient.append(scale * u[k])
        u = u - np.pad(quotient[k] * v, (k, steps - 1 - k))
    return np.stack(quotient), u[decided(zeros_in_front, u) :]


@composite(np.polyder)
def _polyder(p: ArrayValue, m: int = 1) -> Any:
    p = as_array(p)
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composite(np.polyint)
def _polyint(p: ArrayValue, m: int = 1, k: ArrayLike | None = None) -> Any:
    p = as_array(p)
    constants = np.broadcast_to(0.0 if k is None else as_array(k), (m,))
    for j in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[j : j + 1]])
    return p


@composite(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    if np.ndim(seq_of_zeros) > 1:  # a matrix: its characteristic polynomial
        characteristic = _poly(np.linalg.eigvals(seq_of_zeros))
        return characteristic if np.iscomplexobj(seq_of_zeros) else np.real(characteristic)
    one = np.ones(1, np.result_type(seq_of_zeros))
    p: Any = one
    for k in range(len(seq_of_zeros)):
        p = np.convolve(p, np.concatenate([one, -seq_of_zeros[k : k + 1]]))
    return p


@composite(np.roots)
def _roots(p: ArrayValue) -> Any:
    first, last = decided(np.flatnonzero, p)[[0, -1]]
    monic = p[first + 1 : last + 1] / p[first]
    n = int(last - first)
    if n == 0:
        return np.zeros(len(p) - 1 - last)
    companion = np.concatenate([-monic[None], np.eye(n, dtype=p.dtype)[: n - 1]], axis=0)
    zeros = np.zeros(len(p) - 1 - last, p.dtype)
    roots = np.linalg.eigvals(companion)
    if np.iscomplexobj(roots) and not np.iscomplexobj(p) and decided(all_real, roots):
        roots = np.real(roots)  # eigvals of a real matrix: complex since NumPy 2.5, where need be before
    return np.concatenate([roots, zeros])


@composite(np.vander)
def _vander(x: ArrayValue, N: int | None = None, increasing: bool = False) -> Any:
    n = len(x) if N is None else N
    if n == 0:
        return np.zeros((len(x), 0))
    x = cast(x, np.result_type(x, int))
    columns = [np.ones_like(x)]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    return np.stack(columns if increasing else columns[::-1], axis=1)


@composite(np.polyfit)
def _polyfit(x: ArrayValue, y: Value, deg: int, *, w: Any = None) -> Any:
    x, y = as_array(x) + 0.0, as_array(y) + 0.0
    columns = np.vander(x, deg + 1)
    if w is not None:
        w = as_array(w)
        columns, y = columns * w[:, None], y * (w if np.ndim(y) == 1 else w[:, None])
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    solved = solution(columns / scale, y, rcond=float(len(x) * np.finfo(x.dtype).eps))
    return (solved.T / scale).T
