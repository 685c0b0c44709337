"""Linear systems and factorizations: solve, inv, det, slogdet, cholesky, qr, pinv.

All work on stacks of matrices wherever NumPy does. The formulas are those of Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008), of Murray,
"Differentiation of the Cholesky decomposition" (arXiv:1602.07527), and for pinv of Golub and Pereyra (SIAM
J. Numer. Anal. 10, 1973), here for complex matrices too. Conventions:

- **cholesky** symmetrizes: the matrix is taken to be Hermitian, and so is its adjoint.
- **qr** with the diagonal of R real, as LAPACK makes it.
- **det** of a singular matrix has a derivative, the adjugate; the determinant's logarithm has none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.autodiff.recording.primitive import Primitive
from diffkit.autodiff.rules.call_forms import decided
from diffkit.autodiff.rules.decisions import rank
from diffkit.autodiff.rules.matrices import (
    adjoint,
    barred,
    conj,
    diagonal,
    identity,
    is_complex,
    on_diagonal,
    per_matrix,
    plain,
    real,
    strictly_lower,
)
from diffkit.autodiff.rules.register import composite, constant, define, fit, reentrant
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayLike, ArrayValue, Value

# -- solving ----------------------------------------------------------------------------------------------


def _solve_t(a: ArrayValue, g: ArrayValue, b: ArrayValue) -> Any:
    """The transposed system, for a vector or for the columns of a matrix."""
    return np.linalg.solve(a.mT, g[..., None])[..., 0] if b.ndim == 1 else np.linalg.solve(a.mT, g)


def _columns(x: ArrayValue, b: ArrayValue) -> Any:
    return x[..., None] if b.ndim == 1 else x


def _solve_jvp_a(t: Any, ans: ArrayValue, a: ArrayValue, b: Any) -> Any:
    x = -np.linalg.solve(a, t @ _columns(ans, b))
    return x[..., 0] if b.ndim == 1 else x


define(
    np.linalg.solve,
    [
        lambda g, ans, a, b: fit(-_columns(_solve_t(a, g, b), b) @ _columns(ans, b).mT, a),
        lambda g, ans, a, b: fit(_solve_t(a, g, b), b),
    ],
    [
        _solve_jvp_a,
        lambda t, ans, a, b: np.linalg.solve(a, t),
    ],
)
define(
    np.linalg.inv,
    [lambda g, ans, a: -(ans.mT @ g @ ans.mT)],
    [lambda t, ans, a: -(ans @ t @ ans)],
)


def _pinv_vjp(p_: ArrayValue, p: ArrayValue, a: ArrayValue, *_: Any, **__: Any) -> Any:
    left, right = adjoint(p) @ (p @ adjoint(p_)), (adjoint(p_) @ p) @ adjoint(p)
    return (left - (left @ p) @ a) + (right - a @ (p @ right)) - adjoint(p) @ p_ @ adjoint(p)


def _pinv_jvp(t: ArrayValue, p: ArrayValue, a: ArrayValue, *_: Any, **__: Any) -> Any:
    left, right = p @ adjoint(p) @ adjoint(t), adjoint(t) @ adjoint(p) @ p
    return (left - (left @ a) @ p) + (right - p @ (a @ right)) - p @ t @ p


define(np.linalg.pinv, [barred(_pinv_vjp)], [_pinv_jvp])


# -- determinants -----------------------------------------------------------------------------------------


def _cofactors(det: Any, a: ArrayValue) -> Any:
    """The derivative of the determinant by each entry: det(a) inv(a)^T, and what that tends to where
    a is singular, by the recursion of Faddeev and Le Verrier (Gantmacher, Theory of Matrices I, IV.5)."""
    if decided(np.all, det):
        return per_matrix(det) * np.linalg.inv(a).mT
    eye = identity(a)
    m = np.broadcast_to(eye, a.shape)
    for k in range(1, a.shape[-1]):
        product = a @ m
        m = product - per_matrix(np.sum(diagonal(product), axis=-1)) * (eye / k)
    return (m * (-1.0) ** (a.shape[-1] - 1)).mT


def _slogdet_vjp(g: tuple[Value, Value], ans: tuple[Value, Value], a: Any) -> Any:
    sign, _ = ans
    c = g[1] + 1j * np.imag(g[0] * sign) if is_complex(a) else g[1]  # the sign of a real one is constant
    return fit(per_matrix(c) * np.linalg.inv(a).mT, a)


def _slogdet_jvp(t: Value, ans: tuple[Value, Value], a: Value) -> Any:
    sign, _ = ans
    c = np.sum(t * np.linalg.inv(a).mT, axis=(-2, -1))
    return (1j * np.imag(c) * sign if is_complex(a) else np.zeros_like(plain(sign)), real(c))


define(
    np.linalg.det,
    [lambda g, ans, a: fit(per_matrix(g) * _cofactors(ans, a), a)],
    [lambda t, ans, a: np.sum(t * _cofactors(ans, a), axis=(-2, -1))],
)
define(np.linalg.slogdet, [_slogdet_vjp], [_slogdet_jvp])


# -- factorizations ---------------------------------------------------------------------------------------


def _half_lower(x: ArrayValue) -> Any:
    """The matrix below the diagonal, and half of the diagonal."""
    return strictly_lower(x) + x * (identity(x) / 2)


def _cholesky_vjp(l_: Any, low: ArrayValue, a: Value, upper: bool = False) -> Any:
    low, l_ = (adjoint(low), adjoint(l_)) if upper else (low, l_)
    back = adjoint(low)
    s = np.linalg.solve(back, adjoint(np.linalg.solve(back, adjoint(_half_lower(back @ l_)))))
    return (s + adjoint(s)) / 2


def _cholesky_jvp(t: ArrayValue, low: Any, a: Value, upper: bool = False) -> Any:
    low = adjoint(low) if upper else low
    inner = np.linalg.solve(low, adjoint(np.linalg.solve(low, (t + adjoint(t)) / 2)))
    tangent = low @ _half_lower(inner)
    return adjoint(tangent) if upper else tangent


define(np.linalg.cholesky, [barred(_cholesky_vjp)], [_cholesky_jvp])


def _turn(m: ArrayValue) -> Any:
    """The skew-Hermitian X with m - X upper triangular, its diagonal real: how Q turns."""
    low = strictly_lower(m)
    turn = low - adjoint(low)
    return turn + on_diagonal(1j * np.imag(diagonal(m))) if is_complex(m) else turn


def _unturn(x: ArrayValue) -> Any:
    """The transpose of the linear map :func:`_turn`."""
    m = strictly_lower(x - adjoint(x))
    return m + on_diagonal(1j * np.imag(diagonal(x))) if is_complex(x) else m


def _outside(q: ArrayValue, n: ArrayValue) -> Any:
    """The part of n's columns that is orthogonal to those of q."""
    return n - q @ (adjoint(q) @ n)


def _qr_vjp(bars: tuple[ArrayValue, ArrayValue], ans: tuple[ArrayValue, ArrayValue], a: ArrayValue) -> Any:
    q, r = ans
    q_, r_ = bars
    k = q.shape[-1]
    square = r[..., :k]
    m_ = _unturn(adjoint(q) @ q_ - r_ @ adjoint(r))
    first = adjoint(np.linalg.solve(square, adjoint(q @ m_ + _outside(q, q_))))
    return q @ r_ + _beside(first, a)


def _beside(first: Any, a: ArrayValue) -> Any:
    """The first columns of a matrix like ``a``, with zeros for the others."""
    rest = np.zeros((*a.shape[:-1], a.shape[-1] - first.shape[-1]), dtype=a.dtype)
    return np.concatenate([first, rest], axis=-1) if rest.shape[-1] else first


def _qr_jvp(t: ArrayValue, ans: tuple[ArrayValue, ArrayValue], a: Value) -> Any:
    q, r = ans
    square = r[..., : q.shape[-1]]
    n = np.linalg.solve(square.mT, t[..., : q.shape[-1]].mT).mT
    turn = _turn(adjoint(q) @ n)
    return (q @ turn + _outside(q, n), adjoint(q) @ t - turn @ r)


_reduced_qr = define(np.linalg.qr, [barred(_qr_vjp)], [_qr_jvp])


@composite(np.linalg.qr)
def _qr(a: ArrayValue, mode: str = "reduced") -> Any:
    if mode == "r":
        return _reduced_qr(a)[1]
    if mode == "reduced" or (mode == "complete" and a.shape[-2] <= a.shape[-1]):
        return _reduced_qr(a)
    raise NoRuleError(
        f"np.linalg.qr has no derivative rule for mode={mode!r}: the columns of Q beyond those of "
        'mode="reduced" '
        'are an arbitrary choice, and "raw" is LAPACK\'s own format. Use "reduced" or "r".'
    )


# -- programs of the others -------------------------------------------------------------------------------


@composite(np.linalg.matrix_power)
def _matrix_power(a: ArrayValue, n: int) -> Any:
    if n == 0:
        return a * 0.0 + identity(a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:  # as NumPy does
        return (a @ a) @ a
    square = power = None
    while n:
        square = a if square is None else square @ square
        n, odd = divmod(n, 2)
        if odd:
            power = square if power is None else power @ square
    return power


@composite(np.linalg.multi_dot)
def _multi_dot(arrays: Any, *, out: None = None) -> Any:
    first, *middle, last = arrays
    chain = [first[None, :] if first.ndim == 1 else first, *middle, last[:, None] if last.ndim == 1 else last]
    sizes = [m.shape[0] for m in chain] + [chain[-1].shape[1]]
    product = _cheapest(chain, sizes, {}, 0, len(chain))[1]()
    return np.reshape(product, (*first.shape[:-1], *last.shape[1:]))


def _cheapest(chain: list[Any], sizes: list[int], known: dict[Any, Any], i: int, k: int) -> Any:
    """The cost of multiplying matrices i to k in the best order, and what does it."""
    if k == i + 1:
        return 0, lambda: chain[i]
    if (i, k) not in known:
        options = []
        for j in range(i + 1, k):
            left, right = (_cheapest(chain, sizes, known, *ends) for ends in ((i, j), (j, k)))
            cost = left[0] + right[0] + sizes[i] * sizes[j] * sizes[k]
            options.append((cost, lambda left=left, right=right: left[1]() @ right[1]()))
        known[i, k] = min(options, key=lambda option: option[0])
    return known[i, k]


@composite(np.linalg.tensorinv)
def _tensorinv(a: ArrayValue, ind: int = 2) -> Any:
    rows, columns = a.shape[:ind], a.shape[ind:]
    return np.reshape(np.linalg.inv(np.reshape(a, (math.prod(rows), -1))), columns + rows)


@composite(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Value, axes: Any = None) -> Any:
    if axes is not None:
        moved = [k % a.ndim for k in axes]
        a = np.transpose(a, [k for k in range(a.ndim) if k not in moved] + moved)
    columns = a.shape[-(a.ndim - np.ndim(b)) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, math.prod(columns))), np.ravel(b)), columns)


def _solution(a: Value, b: Value, rcond: float) -> Any:
    return np.linalg.lstsq(a, b, rcond)[0]


solution = reentrant(Primitive("solution", _solution))
"""The shortest of the least-squares solutions, by LAPACK itself."""
solution.vjps = (
    lambda g, ans, a, b, *, rcond: _solution_vjp_a(g, ans, a, b, np.linalg.pinv(a, rcond)),
    lambda g, ans, a, b, *, rcond: fit(np.linalg.pinv(a, rcond).mT @ g, b),
)
solution.jvps = (
    lambda t, ans, a, b, *, rcond: _pinv_jvp(t, np.linalg.pinv(a, rcond), a) @ b,
    lambda t, ans, a, b, *, rcond: np.linalg.pinv(a, rcond) @ t,
)


def _solution_vjp_a(g: ArrayValue, ans: Value, a: ArrayValue, b: ArrayValue, p: ArrayValue) -> Any:
    return barred(_pinv_vjp)(_columns(g, b) @ _columns(b, b).mT, p, a)


@composite(np.linalg.lstsq)
def _lstsq(a: ArrayValue, b: ArrayLike, rcond: Any = None) -> Any:
    """Through the pseudo-inverse, whose rank is constant: where the rank changes there is no derivative."""
    small = np.finfo(a.dtype).eps * (max(a.shape) if rcond is None else 1)
    x = solution(a, b, rcond=float(small if rcond in (None, -1) else rcond))
    s = np.linalg.svdvals(a)
    share = small if rcond in (None, -1) else rcond
    count = decided(rank, s, share=float(share))
    short = np.reshape(b - a @ x, (a.shape[0], -1))
    of_full_rank = count == a.shape[1] < a.shape[0]
    residuals = np.sum(real(short * conj(short)), axis=0) if of_full_rank else np.zeros(0, dtype=s.dtype)
    return x, residuals, count, s


# The array API's names of functions that NumPy has had elsewhere.


@composite(np.linalg.trace)
def _trace(x: Value, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1, dtype)


@composite(np.linalg.diagonal)
def _diagonal(x: Value, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@composite(np.linalg.matrix_transpose)
def _matrix_transpose(x: ArrayValue, /) -> Any:
    return x.mT


@composite(np.linalg.cross)
def _cross(x1: Value, x2: Value, /, *, axis: int = -1) -> Any:
    return np.cross(x1, x2, axis=axis)


@composite(np.linalg.matmul)
def _matmul(x1: Value, x2: Value, /) -> Any:
    return np.matmul(x1, x2)


@composite(np.linalg.outer)
def _outer(x1: Value, x2: Value, /) -> Any:
    return np.outer(x1, x2)


@composite(np.linalg.tensordot)
def _tensordot(x1: Value, x2: Value, /, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes)


@composite(np.linalg.vecdot)
def _vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Any:
    return np.vecdot(x1, x2, axis=axis)  # type: ignore[call-overload]


constant(np.linalg.matrix_rank)
