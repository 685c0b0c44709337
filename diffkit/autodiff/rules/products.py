"""Products of arrays: dot, matmul, inner, outer, tensordot, kron, cross.

All are linear in each factor, so the JVP is the product with the tangent in the factor's place, and the VJP
is again a product, of the cotangent with the other factor. Nothing is conjugated, but where the product
itself conjugates (vdot, vecdot, vecmat).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import UFUNCS, Primitive
from diffkit.autodiff.rules.call_forms import as_array
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit, linear_jvp
from diffkit.typing import ArrayLike, ArrayValue, Value


def _conj(x: Value) -> Any:
    """The conjugate; a real array is its own, without a row in the trace."""
    return np.conj(x) if getattr(x, "dtype", np.dtype(float)).kind == "c" else x


# -- matmul -----------------------------------------------------------------------------------------------


def _matmul_vjp_x(g: ArrayValue, ans: Value, x: ArrayValue, y: Any) -> Any:
    if type(y) is list or type(y) is tuple:  # x @ [1.0, 2.0]
        y = np.asarray(y)
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if y_ndim == 1:
        return fit(g * y if x_ndim == 1 else g[..., None] * y, x)
    if x_ndim == 1:
        return fit(y @ g if y_ndim == 2 else (y @ g[..., None])[..., 0], x)
    if y.shape[-1] == 1:  # the product of a column and a row needs no sums
        return fit(g * y.mT, x)
    return fit(g @ y.mT, x)


def _matmul_vjp_y(g: ArrayValue, ans: Value, x: Any, y: ArrayValue) -> Any:
    if type(x) is list or type(x) is tuple:
        x = np.asarray(x)
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if x_ndim == 1:
        return fit(g * x if y_ndim == 1 else x[:, None] * g[..., None, :], y)
    if y_ndim == 1:
        return fit(g @ x if x_ndim == 2 else (x.mT @ g[..., None])[..., 0], y)
    return fit(x.mT @ g, y)


UFUNCS[np.matmul].vjps = (_matmul_vjp_x, _matmul_vjp_y)
UFUNCS[np.matmul].jvps = (lambda t, ans, x, y: t @ y, lambda t, ans, x, y: x @ t)


# -- stacks of vectors and matrices -----------------------------------------------------------------------


def _vecdot_vjp_x(g: ArrayValue, ans: Value, x: Value, y: Value) -> Any:
    return fit(_conj(g[..., None] * y), x)


def _vecdot_vjp_y(g: ArrayValue, ans: Value, x: Value, y: Value) -> Any:
    return fit(g[..., None] * _conj(x), y)


def _matvec_vjp_x(g: ArrayValue, ans: Value, x: Value, y: ArrayValue) -> Any:
    return fit(g[..., :, None] * y[..., None, :], x)


def _matvec_vjp_y(g: ArrayValue, ans: Value, x: ArrayValue, y: Value) -> Any:
    return fit((x.mT @ g[..., None])[..., 0], y)


def _vecmat_vjp_x(g: ArrayValue, ans: Value, x: Value, y: ArrayValue) -> Any:
    return fit(_conj((y @ g[..., None])[..., 0]), x)


def _vecmat_vjp_y(g: ArrayValue, ans: Value, x: Value, y: Value) -> Any:
    return fit(_conj(x)[..., :, None] * g[..., None, :], y)


for _name, _vjps in {
    "vecdot": (_vecdot_vjp_x, _vecdot_vjp_y),
    "matvec": (_matvec_vjp_x, _matvec_vjp_y),
    "vecmat": (_vecmat_vjp_x, _vecmat_vjp_y),
}.items():
    _ufunc = getattr(np, _name, None)
    if _ufunc is not None:
        UFUNCS[_ufunc] = _fun = Primitive(_name, _ufunc)
        _fun.vjps = _vjps
        _fun.jvps = (linear_jvp(_ufunc, 0), linear_jvp(_ufunc, 1))


@composite(np.vecdot)
def _vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Any:
    return np.vecdot(np.moveaxis(as_array(x1), axis, -1), np.moveaxis(as_array(x2), axis, -1))


# -- sums over chosen axes --------------------------------------------------------------------------------


def _axes(axes: Any, x: Value, y: Value) -> tuple[list[int], list[int]]:
    """The axes that tensordot sums over, as two lists of numbers from 0."""
    if isinstance(axes, int | np.integer):
        given: Any = (range(-int(axes), 0), range(int(axes)))
    else:
        given = axes
    return (
        [int(k) % np.ndim(x) for k in np.ravel(list(given[0]) if np.ndim(given[0]) else given[0])],
        [int(k) % np.ndim(y) for k in np.ravel(list(given[1]) if np.ndim(given[1]) else given[1])],
    )


def _rest(summed: Sequence[int], x: Value) -> list[int]:
    return [k for k in range(np.ndim(x)) if k not in summed]


def _in_order(c: Value, axes: Sequence[int]) -> Any:
    """An array whose axes are these, with its axes in order."""
    ordered = list(axes) == sorted(axes)
    return c if ordered else np.transpose(c, tuple(int(k) for k in np.argsort(axes)))


def _tensordot_vjp_x(g: Value, ans: Value, x: Value, y: Value, *, axes: Any = 2) -> Any:
    of_x, of_y = _axes(axes, x, y)
    free = _rest(of_y, y)
    kept = np.ndim(x) - len(of_x)
    c = np.tensordot(g, y, (range(kept, kept + len(free)), free))
    # Its axes: x's own ones in order, then the summed ones in the order in which y has them.
    by_y = sorted(range(len(of_y)), key=lambda k: of_y[k])
    return fit(_in_order(c, _rest(of_x, x) + [of_x[k] for k in by_y]), x)


def _tensordot_vjp_y(g: Value, ans: Value, x: Value, y: Value, *, axes: Any = 2) -> Any:
    of_x, of_y = _axes(axes, x, y)
    free = _rest(of_x, x)
    c = np.tensordot(x, g, (free, range(len(free))))
    by_x = sorted(range(len(of_x)), key=lambda k: of_x[k])
    return fit(_in_order(c, [of_y[k] for k in by_x] + _rest(of_y, y)), y)


def _dot_axes(x: Value, y: ArrayValue) -> tuple[int, int]:
    return -1, -1 if len(y.shape) == 1 else -2


def _times(g: Value, other: Value, own: Any) -> Any:
    return fit(g * other, own)


def _dot_vjp_x(g: ArrayValue, ans: ArrayValue, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, y, x)
    if len(x.shape) <= 2 and len(y.shape) <= 2:  # where dot is matmul
        return _matmul_vjp_x(g, ans, x, y)
    return _tensordot_vjp_x(g, ans, x, y, axes=_dot_axes(x, y))


def _dot_vjp_y(g: ArrayValue, ans: ArrayValue, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, x, y)
    if len(x.shape) <= 2 and len(y.shape) <= 2:
        return _matmul_vjp_y(g, ans, x, y)
    return _tensordot_vjp_y(g, ans, x, y, axes=_dot_axes(x, y))


def _inner_vjp_x(g: Value, ans: Value, x: Value, y: Value) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, y, x)
    return _tensordot_vjp_x(g, ans, x, y, axes=(-1, -1))


def _inner_vjp_y(g: Value, ans: Value, x: Value, y: Value) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, x, y)
    return _tensordot_vjp_y(g, ans, x, y, axes=(-1, -1))


def _vdot_vjp_x(g: Value, ans: Value, x: Value, y: Value) -> Any:
    return fit(np.reshape(_conj(g * np.ravel(y)), np.shape(x)), x)


def _vdot_vjp_y(g: Value, ans: Value, x: Value, y: Value) -> Any:
    return fit(np.reshape(g * _conj(np.ravel(x)), np.shape(y)), y)


def _outer_vjp_x(g: ArrayValue, ans: Value, x: Value, y: Value) -> Any:
    return fit(np.reshape(g @ np.ravel(y), np.shape(x)), x)


def _outer_vjp_y(g: ArrayValue, ans: Value, x: Value, y: Value) -> Any:
    return fit(np.reshape(np.ravel(x) @ g, np.shape(y)), y)


# fmt: off
define(np.dot,       [_dot_vjp_x,       _dot_vjp_y],       [LINEAR, LINEAR])
define(np.inner,     [_inner_vjp_x,     _inner_vjp_y],     [LINEAR, LINEAR])
define(np.vdot,      [_vdot_vjp_x,      _vdot_vjp_y],      [LINEAR, LINEAR])
define(np.outer,     [_outer_vjp_x,     _outer_vjp_y],     [LINEAR, LINEAR])
define(np.tensordot, [_tensordot_vjp_x, _tensordot_vjp_y], [LINEAR, LINEAR])
# fmt: on


@composite(np.kron)
def _kron(a: Value, b: Value) -> Any:
    a, b = as_array(a), as_array(b)
    ndim = max(np.ndim(a), np.ndim(b))
    shapes = [(1,) * (ndim - np.ndim(v)) + np.shape(v) for v in (a, b)]
    left = np.reshape(a, tuple(n for m in shapes[0] for n in (m, 1)))
    right = np.reshape(b, tuple(n for m in shapes[1] for n in (1, m)))
    return np.reshape(left * right, tuple(m * n for m, n in zip(*shapes, strict=True)))


@composite(np.cross)
def _cross(
    a: ArrayValue, b: ArrayValue, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(as_array(a), axisa, 0), np.moveaxis(as_array(b), axisb, 0)
    if not {a.shape[0], b.shape[0]} <= {2, 3}:
        raise ValueError("the vectors of a cross product have 2 or 3 components")
    a1, a2, b1, b2 = a[0], a[1], b[0], b[1]
    third = a1 * b2 - a2 * b1
    if a.shape[0] == b.shape[0] == 2:
        return third
    if b.shape[0] == 2:
        a3 = a[2]
        parts = [-a3 * b2, a3 * b1, third]
    elif a.shape[0] == 2:
        b3 = b[2]
        parts = [a2 * b3, -a1 * b3, third]
    else:
        a3, b3 = a[2], b[2]
        parts = [a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, third]
    return np.stack(parts, axis=axisc)
