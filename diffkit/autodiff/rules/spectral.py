"""Spectral decompositions: eig, eigh, svd and their values, on stacks of matrices too.

With P the tangent of the matrix in the basis of its eigenvectors, the eigenvalues move by P's diagonal and
the eigenvectors turn by P_ij / (w_j - w_i) (Giles 2008, section 3.1; for the complex SVD Wan and Zhang,
arXiv:1909.02659). Eigenvectors are only defined up to a choice. Conventions:

- **Equal eigenvalues or singular values**: a function of the values, or of other vectors, has the right
  derivative; one that uses vectors whose choice is arbitrary gets nan, as 0 / 0 is.
- **eigh, eigvalsh** read one triangle, ``UPLO``, and so the gradient lies in that triangle.
- **eigh, svd** of complex matrices: phases stay as they are (a function must not depend on them).
- **eig** keeps NumPy's scale: columns of norm 1 whose largest entry is real.
- **svd, full_matrices=True**: the extra columns are an orthonormal completion that moves with the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.call_forms import decided
from diffkit.autodiff.rules.decisions import close_to_zero, equal_pairs, largest_in_columns
from diffkit.autodiff.rules.matrices import (
    adjoint,
    barred,
    conj,
    diagonal,
    is_complex,
    is_used,
    is_zero,
    on_diagonal,
    over,
    real,
    strictly_lower,
)
from diffkit.autodiff.rules.register import composite, define
from diffkit.typing import ArrayLike, ArrayValue, Value


def _gaps(w: ArrayValue) -> tuple[Any, Any]:
    """w_j - w_i at i, j, and where that is zero but for round-off."""
    d = w[..., None, :] - w[..., :, None]
    return d, decided(equal_pairs, d, w)


def _over_gaps(c: ArrayValue, w: ArrayValue, used: Any = True) -> Any:
    """c_ij / (w_j - w_i), zero on the diagonal; ``used`` tells which of the vectors are."""
    d, equal = _gaps(w)
    off = 1.0 - np.eye(c.shape[-1])
    used = np.atleast_1d(used)
    neither = ~(used[..., None, :] | used[..., :, None])
    return over(c * off.astype(d.dtype), d, equal, neither | (off == 0.0))


# -- Hermitian matrices -----------------------------------------------------------------------------------


def _hermitian(t: ArrayValue, uplo: str) -> Any:
    """The Hermitian matrix that eigh sees in one triangle of t."""
    strict = strictly_lower(t) if uplo in "Ll" else strictly_lower(t.mT).mT
    return strict + adjoint(strict) + on_diagonal(real(diagonal(t)))


def _triangle(a_: ArrayValue, uplo: str) -> Any:
    """The transpose of :func:`_hermitian`."""
    both = a_ + adjoint(a_)
    strict = strictly_lower(both) if uplo in "Ll" else strictly_lower(both.mT).mT
    return strict + on_diagonal(real(diagonal(a_)))


def _eigh_vjp(
    bars: tuple[ArrayValue, ArrayValue], ans: tuple[ArrayValue, ArrayValue], a: Value, UPLO: str = "L"
) -> Any:
    w, v = ans
    w_, v_ = bars
    p_ = on_diagonal(w_)
    if not is_zero(v_):
        q = adjoint(v) @ v_
        p_ = p_ + _over_gaps((q - adjoint(q)) / 2, w, is_used(v_))
    return _triangle(v @ p_ @ adjoint(v), UPLO)


def _eigh_jvp(t: ArrayValue, ans: tuple[ArrayValue, ArrayValue], a: Value, UPLO: str = "L") -> Any:
    w, v = ans
    p = adjoint(v) @ _hermitian(t, UPLO) @ v
    return (real(diagonal(p)), v @ _over_gaps(p, w))


def _eigvalsh_vjp(w_: ArrayValue, w: Value, a: Value, UPLO: Any = "L") -> Any:
    v = np.linalg.eigh(a, UPLO)[1]
    return _triangle((v * w_[..., None, :]) @ adjoint(v), UPLO)


def _eigvalsh_jvp(t: ArrayValue, w: Value, a: Value, UPLO: Any = "L") -> Any:
    v = np.linalg.eigh(a, UPLO)[1]
    return real(np.sum(conj(v) * (_hermitian(t, UPLO) @ v), axis=-2))


define(np.linalg.eigh, [barred(_eigh_vjp)], [_eigh_jvp])
define(np.linalg.eigvalsh, [barred(_eigvalsh_vjp)], [_eigvalsh_jvp])


# -- any square matrix ------------------------------------------------------------------------------------


def _largest(v: ArrayValue) -> Any:
    """1 at the largest entry of each column, whose phase NumPy's eig makes zero."""
    places = np.arange(v.shape[-2])[:, None]
    largest = decided(largest_in_columns, v)
    return (places == largest[..., None, :]).astype(v.dtype)


def _keep_scale(x: Value, v: ArrayValue) -> Any:
    """The tangent x of the eigenvectors v, less what would change their norm and phase."""
    x = x - v * real(np.sum(conj(v) * x, axis=-2, keepdims=True))
    if is_complex(v):
        at = _largest(v)
        x = x - v * (1j * np.imag(np.sum(at * x / np.where(at, v, 1.0), axis=-2, keepdims=True)))
    return x


def _keep_scale_transposed(v_: Value, v: ArrayValue) -> Any:
    x_ = v_
    if is_complex(v):
        at = _largest(v)
        c = np.imag(np.sum(conj(v) * v_, axis=-2, keepdims=True))
        x_ = x_ - at * (1j * c / conj(np.where(at, v, 1.0)))
    return x_ - v * real(np.sum(conj(v) * x_, axis=-2, keepdims=True))


def _eig_vjp(bars: tuple[ArrayValue, ArrayValue], ans: tuple[ArrayValue, ArrayValue], a: Value) -> Any:
    w, v = ans
    w_, v_ = bars
    p_ = on_diagonal(w_)
    if not is_zero(v_):
        q = adjoint(v) @ _keep_scale_transposed(v_, v)
        p_ = p_ + _over_gaps(q, conj(w), is_used(v_))
    return np.linalg.solve(adjoint(v), p_ @ adjoint(v))


def _eig_jvp(t: ArrayValue, ans: tuple[ArrayValue, ArrayValue], a: Value) -> Any:
    w, v = ans
    p = np.linalg.solve(v, t @ v)
    return (diagonal(p), _keep_scale(v @ _over_gaps(p, w), v))


define(np.linalg.eig, [barred(_eig_vjp)], [_eig_jvp])


@composite(np.linalg.eigvals)
def _eigvals(a: Value) -> Any:
    return np.linalg.eig(a)[0]  # np.linalg.eigvals may give them in another order than eig's vectors


# -- singular values --------------------------------------------------------------------------------------


def _parts(ans: tuple[ArrayValue, ...]) -> Any:
    """U, s, V and the columns that full_matrices=True adds to U and V."""
    u, s, vh = ans
    v, k = adjoint(vh), s.shape[-1]
    return u[..., :k], s, v[..., :k], u[..., k:], v[..., k:]


def _over_values(c: Value, s: ArrayValue, used: Any = True) -> Any:
    """The columns of c over the singular values."""
    zero = decided(close_to_zero, s)
    return over(c, s[..., None, :], zero[..., None, :], ~np.atleast_1d(used)[..., None, :])


def _over_squared_gaps(c: Value, s: ArrayValue, used: Any = True) -> Any:
    """c_ij / (s_j^2 - s_i^2), without squaring what is small; zero on the diagonal."""
    total = s[..., None, :] + s[..., :, None]
    return _over_gaps(c / np.where(np.equal(total, 0.0), 1.0, total), s, used)


def _phases(q: ArrayValue, s: ArrayValue, used: Any = True) -> Any:
    """What the phases of U's columns contribute; V's stay."""
    return on_diagonal(diagonal(_over_values(on_diagonal(1j * np.imag(diagonal(q))), s, used)))


def _svd_vjp(
    bars: tuple[ArrayValue, ...],
    ans: tuple[ArrayValue, ...],
    a: Value,
    full_matrices: bool = True,
    *_: Any,
    **__: Any,
) -> Any:
    u, s, v, u2, v2 = _parts(ans)
    u_, s_, v_, u2_, v2_ = _parts(bars)
    p_ = on_diagonal(s_).astype(v.dtype)
    if not (is_zero(u_) and is_zero(v_)):
        q, r = adjoint(u) @ u_, adjoint(v) @ v_
        row, column = s[..., None, :], s[..., :, None]
        c = (q - adjoint(q)) * row + column * (r - adjoint(r))
        p_ = p_ + _over_squared_gaps(c, s, is_used(u_) | is_used(v_))
        if is_complex(u):
            p_ = p_ + _phases(q, s, is_used(u_))
    answer = u @ p_ @ adjoint(v)
    if u.shape[-2] > u.shape[-1] and not (is_zero(u_) and is_zero(u2_)):
        outer = u_ - u @ (adjoint(u) @ u_) - u2 @ (adjoint(u2_) @ u)
        answer = answer + _over_values(outer, s, is_used(u_)) @ adjoint(v)
    if v.shape[-2] > v.shape[-1] and not (is_zero(v_) and is_zero(v2_)):
        outer = v_ - v @ (adjoint(v) @ v_) - v2 @ (adjoint(v2_) @ v)
        answer = answer + u @ adjoint(_over_values(outer, s, is_used(v_)))
    return answer


def _svd_jvp(
    t: ArrayValue, ans: tuple[ArrayValue, ...], a: Value, full_matrices: bool = True, *_: Any, **__: Any
) -> Any:
    u, s, v, u2, v2 = _parts(ans)
    row, column = s[..., None, :], s[..., :, None]
    p = adjoint(u) @ t @ v
    in_u = _over_squared_gaps(p * row + column * adjoint(p), s)
    in_v = _over_squared_gaps(column * p + adjoint(p) * row, s)
    if is_complex(u):
        in_u = in_u + _phases(p, s)
    tu, tv = u @ in_u, v @ in_v
    if u.shape[-2] > u.shape[-1]:
        out = t @ v
        tu = tu + _over_values(out - u @ (adjoint(u) @ out), s)
    if v.shape[-2] > v.shape[-1]:
        out = adjoint(t) @ u
        tv = tv + _over_values(out - v @ (adjoint(v) @ out), s)
    if u2.shape[-1]:
        tu = np.concatenate([tu, -u @ (adjoint(tu) @ u2)], axis=-1)
    if v2.shape[-1]:
        tv = np.concatenate([tv, -v @ (adjoint(tv) @ v2)], axis=-1)
    return (tu, real(diagonal(p)), adjoint(tv))


def _singular_values(a: Value) -> Any:
    return np.linalg.svd(a, compute_uv=False)


def _svdvals_vjp(s_: ArrayValue, s: Value, a: Value) -> Any:
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return (u * s_[..., None, :]) @ vh


def _svdvals_jvp(t: ArrayValue, s: Value, a: Value) -> Any:
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return real(np.sum(conj(u) * (t @ adjoint(vh)), axis=-2))


_svd = define(np.linalg.svd, [barred(_svd_vjp)], [_svd_jvp])
_svdvals = define(
    np.linalg.svdvals,
    [barred(_svdvals_vjp)],
    [_svdvals_jvp],
    compute=_singular_values,
)


@composite(np.linalg.svd)
def _svd_of(
    a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    return _svd(a, full_matrices, hermitian=hermitian) if compute_uv else _svdvals(a)


@composite(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    inverse = np.linalg.inv(x)
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1))
