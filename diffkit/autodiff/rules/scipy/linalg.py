"""scipy.linalg: triangular, banded, Cholesky and Sylvester solves, and functions of matrices.

What numpy.linalg has too goes there. Conventions: a triangular solve reads one triangle of its matrix, and
so the gradient lies in that triangle; a banded one, in the band. sqrtm is the principal square root, and
its derivative solves the Sylvester equation S dS + dS S = dA (Higham, Functions of Matrices, 2008, section
3.2). That of the exponential is a block of the exponential of a matrix twice the size (ibid., 10.6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from diffkit.autodiff.rules.matrices import adjoint, conj
from diffkit.autodiff.rules.register import fit
from diffkit.autodiff.rules.scipy.mirror import mirrored, program
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayValue, Axis, Value


def _columns(x: ArrayValue, b: ArrayValue) -> Any:
    return x[..., None] if b.ndim == 1 else x


# -- triangular systems -----------------------------------------------------------------------------------


def _triangle(a: ArrayValue, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """1 where solve_triangular reads its matrix, else 0."""
    mask = np.tri(a.shape[-1], k=-1 if unit_diagonal else 0, dtype=a.dtype)
    return mask if lower else mask.T


_TURNED = {0: 1, 1: 0, "N": "T", "T": "N"}
"""The system to solve for the VJP: without a conjugate in the pairing, the transposed one."""


def _solve_with(a: Value, b: Value, trans: Any, **how: Any) -> Any:
    return solve_triangular(a, b, trans=trans, **how)


def _turned(a: Value, g: Value, trans: Any, **how: Any) -> Any:
    if trans in (2, "C"):  # inv(a^H)^T g is the conjugate of inv(a) conj(g)
        return conj(_solve_with(a, conj(g), 0, **how))
    return _solve_with(a, g, _TURNED[trans], **how)


def _adjoint_of_a(a: ArrayValue, rows: Any, columns: Any, b: ArrayValue, trans: Any, **how: bool) -> Any:
    """The outer product of rows and columns, turned as the system is, where its matrix is read."""
    product = _columns(rows, b) @ _columns(columns, b).T
    if trans in (1, "T"):
        product = product.T
    elif trans in (2, "C"):
        product = conj(product.T)
    return product * _triangle(a, **how)


def _triangular_vjp_a(
    g: ArrayValue, ans: ArrayValue, a: ArrayValue, b: ArrayValue, trans: Any = 0, **kwargs: Any
) -> Any:
    how = _options(kwargs)
    return fit(-_adjoint_of_a(a, _turned(a, g, trans, **how), ans, b, trans, **how), a)


def _triangular_jvp_a(t: Any, ans: ArrayValue, a: ArrayValue, b: Value, trans: Any = 0, **kwargs: Any) -> Any:
    how = _options(kwargs)
    t = t * _triangle(a, **how)
    t = t.T if trans in (1, "T") else adjoint(t) if trans in (2, "C") else t
    return -_solve_with(a, t @ ans, trans, **how)


def _options(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: kwargs[name] for name in ("lower", "unit_diagonal") if name in kwargs}


solve_triangular = mirrored(
    scipy.linalg.solve_triangular,
    [
        _triangular_vjp_a,
        lambda g, ans, a, b, trans=0, **how: fit(_turned(a, g, trans, **_options(how)), b),
    ],
    [
        _triangular_jvp_a,
        lambda t, ans, a, b, trans=0, **how: _solve_with(a, t, trans, **_options(how)),
    ],
)


@program(scipy.linalg.cho_solve)
def cho_solve(c_and_lower: Any, b: Value, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """Two triangular solves, with the factor and with its conjugate transpose."""
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, first, trans=2 if lower else 0, lower=lower)


@program(scipy.linalg.cho_factor)
def cho_factor(a: Value, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.cholesky(a, upper=not lower), lower


@program(scipy.linalg.cholesky)
def cholesky(a: Value, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.cholesky(a, upper=not lower)


# -- banded systems ---------------------------------------------------------------------------------------


def _banded_indices(l_and_u: Any, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where an entry of the band stands in its diagonal ordered form, and where in the matrix."""
    low, up = l_and_u
    k, j = np.indices((low + up + 1, n))
    i = j + k - up
    inside = (i >= 0) & (i < n)
    return k[inside], j[inside], i[inside], j[inside]


def _band(l_and_u: tuple[int, int], ab: ArrayValue) -> Any:
    """The matrix of a diagonal ordered form."""
    n = ab.shape[-1]
    k, j, rows, columns = _banded_indices(l_and_u, n)
    places = np.full((n, n), ab.size)
    places[rows, columns] = k * n + j
    padded = np.concatenate([np.ravel(ab), np.zeros(1, dtype=ab.dtype)])
    return padded[places]


@program(scipy.linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    return _solve_banded(ab, b, l_and_u=tuple(l_and_u))


def _solve_banded_value(ab: Value, b: Value, l_and_u: tuple[int, int]) -> Any:
    return scipy.linalg.solve_banded(l_and_u, ab, b)


def _transposed_band(l_and_u: tuple[int, int], ab: ArrayValue) -> tuple[tuple[int, int], Any]:
    """The diagonal ordered form of the transposed matrix."""
    low, up = l_and_u
    n = ab.shape[-1]
    k, j, rows, columns = _banded_indices((up, low), n)
    places = np.full(ab.shape, ab.size)
    places[k, j] = (up + columns - rows) * n + rows  # where entry (columns, rows) of the matrix is
    padded = np.concatenate([np.ravel(ab), np.zeros(1, dtype=ab.dtype)])
    return (up, low), padded[places]


def _in_band(l_and_u: tuple[int, int], ab: ArrayValue, x: ArrayValue, y: ArrayValue) -> Any:
    """The band of the outer products x y^T, summed, in diagonal ordered form."""
    k, j, rows, columns = _banded_indices(l_and_u, ab.shape[-1])
    entries = np.sum(x[rows] * y[columns], axis=-1)
    places = np.full(ab.shape, len(k))
    places[k, j] = np.arange(len(k))
    return np.concatenate([entries, np.zeros(1, dtype=ab.dtype)])[places]


def _banded_vjp_ab(g: Value, ans: ArrayValue, ab: ArrayValue, b: ArrayValue, l_and_u: tuple[int, int]) -> Any:
    w = _solve_banded_transposed(ab, g, l_and_u)
    return fit(-_in_band(l_and_u, ab, _columns(w, b), _columns(ans, b)), ab)


def _solve_banded_transposed(ab: ArrayValue, g: Value, l_and_u: tuple[int, int]) -> Any:
    turned, form = _transposed_band(l_and_u, ab)
    return solve_banded(turned, form, g)


_solve_banded = mirrored(
    _solve_banded_value,
    [
        _banded_vjp_ab,
        lambda g, ans, ab, b, l_and_u: fit(_solve_banded_transposed(ab, g, l_and_u), b),
    ],
    [
        lambda t, ans, ab, b, l_and_u: -solve_banded(l_and_u, ab, _band(l_and_u, t) @ ans),
        lambda t, ans, ab, b, l_and_u: solve_banded(l_and_u, ab, t),
    ],
    name="solve_banded",
)


# -- matrix equations and functions of matrices -----------------------------------------------------------

solve_sylvester: Callable[..., Any] = mirrored(
    scipy.linalg.solve_sylvester,
    [
        lambda g, x, a, b, q: fit(-solve_sylvester(a.T, b.T, g) @ x.T, a),
        lambda g, x, a, b, q: fit(-(x.T @ solve_sylvester(a.T, b.T, g)), b),
        lambda g, x, a, b, q: fit(solve_sylvester(a.T, b.T, g), q),
    ],
    [
        lambda t, x, a, b, q: -solve_sylvester(a, b, t @ x),
        lambda t, x, a, b, q: -solve_sylvester(a, b, x @ t),
        lambda t, x, a, b, q: solve_sylvester(a, b, t),
    ],
)
_sqrtm: Callable[..., Any] = mirrored(
    scipy.linalg.sqrtm,
    [lambda g, s, a: fit(solve_sylvester(s.T, s.T, g), a)],
    [lambda t, s, a: solve_sylvester(s, s, t)],
)


@program(scipy.linalg.sqrtm)
def sqrtm(A: Any, disp: Any = True, blocksize: Any = None) -> Any:
    if disp is False:
        raise NoRuleError("scipy.linalg.sqrtm has a derivative rule without disp=False only: leave it out")
    return _sqrtm(A)


def _block(a: ArrayValue, t: Value) -> Any:
    """exp of [[a, t], [0, a]] has the derivative of exp(a) along t in its upper right block."""
    n = a.shape[-1]
    top = np.concatenate([a, t], axis=-1)
    bottom = np.concatenate([np.zeros_like(a), a], axis=-1)
    return expm(np.concatenate([top, bottom], axis=-2))[..., :n, n:]


expm: Callable[..., Any] = mirrored(
    scipy.linalg.expm,
    [lambda g, ans, a: fit(_block(a.mT, g), a)],
    [lambda t, ans, a: _block(a, t)],
)


# -- what numpy.linalg has too; options about speed and checks are dropped --------------------------------


@program(scipy.linalg.inv)
def inv(a: Value, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.inv(a)


@program(scipy.linalg.det)
def det(a: ArrayValue, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.det(a).astype(np.result_type(a.dtype, np.float64))  # as SciPy does


@program(scipy.linalg.norm)
def norm(
    a: Value, ord: Any = None, axis: Axis = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    return np.linalg.norm(a, ord, axis, keepdims)


@program(scipy.linalg.solve)
def solve(a: Value, b: Value, *args: Any, **kwargs: Any) -> Any:
    if args or not kwargs.keys() <= {"overwrite_a", "overwrite_b", "check_finite"}:
        raise NoRuleError(
            "scipy.linalg.solve has a derivative rule for a general matrix only: leave lower, assume_a and "
            "transposed out, or use cho_factor and cho_solve, or solve_triangular"
        )
    return np.linalg.solve(a, b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cho_factor": cho_factor,
    "cho_solve": cho_solve,
    "cholesky": cholesky,
    "expm": expm,
    "solve_banded": solve_banded,
    "solve_sylvester": solve_sylvester,
    "solve_triangular": solve_triangular,
    "sqrtm": sqrtm,
    "det": det,
    "inv": inv,
    "norm": norm,
    "solve": solve,
}
"""What stands for functions of scipy.linalg, by name."""
