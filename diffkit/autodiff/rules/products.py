"""Products of arrays: dot, matmul, inner, outer, einsum, kron, cross, convolve, ...

All are linear in each factor, so the JVP is the product with the tangent in the factor's place, and the VJP
is again a product, of the cotangent with the other factor. Nothing is conjugated, but where the product
itself conjugates (vdot, vecdot, vecmat).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.rules.calls import as_array, plain_tree
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit, linear_jvp, sum_to_shape
from diffkit.autodiff.tracer import UFUNCS, Primitive

__all__: list[str] = []


def _conj(x: Any) -> Any:
    """The conjugate; a real array is its own, without a row in the trace."""
    return np.conj(x) if getattr(x, "dtype", np.dtype(float)).kind == "c" else x


# -- matmul -----------------------------------------------------------------------------------------------


def _matmul_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if y_ndim == 1:
        return fit(g * y if x_ndim == 1 else g[..., None] * y, x)
    if x_ndim == 1:
        return fit(y @ g if y_ndim == 2 else (y @ g[..., None])[..., 0], x)
    if y.shape[-1] == 1:  # the product of a column and a row needs no sums
        return fit(g * y.mT, x)
    return fit(g @ y.mT, x)


def _matmul_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if x_ndim == 1:
        return fit(g * x if y_ndim == 1 else x[:, None] * g[..., None, :], y)
    if y_ndim == 1:
        return fit(g @ x if x_ndim == 2 else (x.mT @ g[..., None])[..., 0], y)
    return fit(x.mT @ g, y)


UFUNCS[np.matmul].vjps = (_matmul_vjp_x, _matmul_vjp_y)
UFUNCS[np.matmul].jvps = (lambda t, ans, x, y: t @ y, lambda t, ans, x, y: x @ t)


# -- stacks of vectors and matrices -----------------------------------------------------------------------


def _vecdot_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(_conj(g[..., None] * y), x)


def _vecdot_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(g[..., None] * _conj(x), y)


def _matvec_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(g[..., :, None] * y[..., None, :], x)


def _matvec_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit((x.mT @ g[..., None])[..., 0], y)


def _vecmat_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(_conj((y @ g[..., None])[..., 0]), x)


def _vecmat_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
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
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.vecdot(np.moveaxis(as_array(x1), axis, -1), np.moveaxis(as_array(x2), axis, -1))


# -- sums over chosen axes --------------------------------------------------------------------------------


def _axes(axes: Any, x: Any, y: Any) -> tuple[list[int], list[int]]:
    """The axes that tensordot sums over, as two lists of numbers from 0."""
    if isinstance(axes, int | np.integer):
        given: Any = (range(-int(axes), 0), range(int(axes)))
    else:
        given = axes
    return (
        [int(k) % len(x.shape) for k in np.ravel(list(given[0]) if np.ndim(given[0]) else given[0])],
        [int(k) % len(y.shape) for k in np.ravel(list(given[1]) if np.ndim(given[1]) else given[1])],
    )


def _rest(summed: Sequence[int], x: Any) -> list[int]:
    return [k for k in range(len(x.shape)) if k not in summed]


def _inverse(order: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.argsort(order))


def _tensordot_vjp_x(g: Any, ans: Any, x: Any, y: Any, *, axes: Any = 2) -> Any:
    of_x, of_y = _axes(axes, x, y)
    free = _rest(of_y, y)
    kept = len(x.shape) - len(of_x)
    c = np.tensordot(g, y, (range(kept, kept + len(free)), free))
    # Its axes: x's own ones in order, then the summed ones in the order in which y has them.
    by_y = sorted(range(len(of_y)), key=lambda k: of_y[k])
    return fit(np.transpose(c, _inverse(_rest(of_x, x) + [of_x[k] for k in by_y])), x)


def _tensordot_vjp_y(g: Any, ans: Any, x: Any, y: Any, *, axes: Any = 2) -> Any:
    of_x, of_y = _axes(axes, x, y)
    free = _rest(of_x, x)
    c = np.tensordot(x, g, (free, range(len(free))))
    by_x = sorted(range(len(of_x)), key=lambda k: of_x[k])
    return fit(np.transpose(c, _inverse([of_y[k] for k in by_x] + _rest(of_y, y))), y)


def _dot_axes(x: Any, y: Any) -> tuple[int, int]:
    return -1, -1 if len(y.shape) == 1 else -2


def _times(g: Any, other: Any, own: Any) -> Any:
    return fit(g * other, own)


def _dot_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, y, x)
    if len(x.shape) <= 2 and len(y.shape) <= 2:  # where dot is matmul
        return _matmul_vjp_x(g, ans, x, y)
    return _tensordot_vjp_x(g, ans, x, y, axes=_dot_axes(x, y))


def _dot_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, x, y)
    if len(x.shape) <= 2 and len(y.shape) <= 2:
        return _matmul_vjp_y(g, ans, x, y)
    return _tensordot_vjp_y(g, ans, x, y, axes=_dot_axes(x, y))


def _inner_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, y, x)
    return _tensordot_vjp_x(g, ans, x, y, axes=(-1, -1))


def _inner_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return _times(g, x, y)
    return _tensordot_vjp_y(g, ans, x, y, axes=(-1, -1))


def _vdot_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(np.reshape(_conj(g * np.ravel(y)), np.shape(x)), x)


def _vdot_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(np.reshape(g * _conj(np.ravel(x)), np.shape(y)), y)


def _outer_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(np.reshape(g @ np.ravel(y), np.shape(x)), x)


def _outer_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return fit(np.reshape(np.ravel(x) @ g, np.shape(y)), y)


# fmt: off
define(np.dot,       [_dot_vjp_x,       _dot_vjp_y],       [LINEAR, LINEAR])
define(np.inner,     [_inner_vjp_x,     _inner_vjp_y],     [LINEAR, LINEAR])
define(np.vdot,      [_vdot_vjp_x,      _vdot_vjp_y],      [LINEAR, LINEAR])
define(np.outer,     [_outer_vjp_x,     _outer_vjp_y],     [LINEAR, LINEAR])
define(np.tensordot, [_tensordot_vjp_x, _tensordot_vjp_y], [LINEAR, LINEAR])
# fmt: on


@composite(np.multiply.outer)
def _multiply_outer(x: Any, y: Any) -> Any:
    return np.tensordot(as_array(x), as_array(y), 0)


@composite(np.kron)
def _kron(a: Any, b: Any) -> Any:
    a, b = as_array(a), as_array(b)
    ndim = max(np.ndim(a), np.ndim(b))
    shapes = [(1,) * (ndim - np.ndim(v)) + np.shape(v) for v in (a, b)]
    left = np.reshape(a, tuple(n for m in shapes[0] for n in (m, 1)))
    right = np.reshape(b, tuple(n for m in shapes[1] for n in (1, m)))
    return np.reshape(left * right, tuple(m * n for m, n in zip(*shapes, strict=True)))


@composite(np.cross)
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
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


# -- einsum: a row has the operands as its arguments ------------------------------------------------------


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _labels(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the answer, with ellipsis and arrow written out.

    >>> _labels("...ij,jk", (3, 2))
    (['Zij', 'jk'], 'Zik')
    """
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    hidden = [
        ndim - len(labels.replace("...", "")) if "..." in labels else 0
        for labels, ndim in zip(inputs, ndims, strict=True)
    ]
    free = [c for c in reversed(_LETTERS) if c not in subscripts]
    dots = "".join(free[: max(hidden)])
    out = [labels.replace("...", dots[len(dots) - n :]) for labels, n in zip(inputs, hidden, strict=True)]
    if arrow:
        return out, right.replace("...", dots)
    every = "".join(inputs).replace(".", "")
    return out, dots + "".join(sorted(c for c in set(every) if every.count(c) == 1))


class _Pullback(NamedTuple):
    """The einsum that gives the cotangent of one operand.

    Its operands are the answer's cotangent, the other operands, and an identity for each label that
    occurs twice in this one: it reads a diagonal, so the second gets a label of its own, tied to the first.
    """

    formula: str
    own: str  # the operand's labels, each once
    kept: str  # those of them that come out; the others are summed over in this operand alone
    ties: tuple[int, ...]  # the places in ``own`` of the labels that an identity ties to an earlier one


@lru_cache(maxsize=1024)
def _pullback(k: int, subscripts: str, ndims: tuple[int, ...]) -> _Pullback:
    inputs, output = _labels(subscripts, ndims)
    free = (c for c in _LETTERS if c not in "".join(inputs))
    own, ties, tied = "", [], []
    for place, label in enumerate(inputs[k]):
        if label in own:
            fresh = next(free)
            ties.append(place)
            tied.append(label + fresh)
            label = fresh
        own += label
    terms = [output, *inputs[:k], *inputs[k + 1 :], *tied]
    kept = "".join(c for c in own if c in "".join(terms))
    return _Pullback(f"{','.join(terms)}->{kept}", own, kept, tuple(ties))


def _einsum_vjp(k: int, g: Any, ans: Any, *operands: Any, subscripts: str, **kwargs: Any) -> Any:
    x = operands[k]
    shape = np.shape(x)
    pull = _pullback(k, subscripts, tuple(np.ndim(v) for v in operands))
    identities = [np.eye(shape[place], dtype=getattr(x, "dtype", None)) for place in pull.ties]
    c = np.einsum(pull.formula, g, *operands[:k], *operands[k + 1 :], *identities, **kwargs)
    if pull.kept != pull.own:  # the cotangent is the same all along the axes that are summed over in x alone
        c = np.reshape(c, [c.shape[pull.kept.index(a)] if a in pull.kept else 1 for a in pull.own])
    if c.shape == shape:
        return fit(c, x)
    return fit(np.broadcast_to(sum_to_shape(c, _ones_of(shape, c.shape)), shape), x)


def _ones_of(shape: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
    """``given``, with 1 where ``shape`` has it: einsum broadcasts such axes."""
    return tuple(1 if n == 1 else m for n, m in zip(shape, given, strict=True))


def _einsum_entry(fun: Primitive) -> Any:
    def einsum(*operands: Any, out: None = None, optimize: Any = False, **kwargs: Any) -> Any:
        if not isinstance(operands[0], str):
            operands = _in_letters(operands)
        if optimize is not False:
            kwargs["optimize"] = optimize
        return fun(*map(as_array, operands[1:]), subscripts=operands[0], **kwargs)

    return einsum


def _in_letters(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The form ``einsum(x, [0, 1], y, [1, 2], [0, 2])`` as one with letters."""

    def text(sublist: Any) -> str:
        return "".join("..." if k is Ellipsis else _LETTERS[k] for k in plain_tree(sublist))

    operands, lists = given[: len(given) // 2 * 2 : 2], given[1::2]
    formula = ",".join(map(text, lists))
    return (formula + (f"->{text(given[-1])}" if len(given) % 2 else ""), *operands)


define(
    np.einsum,
    [_einsum_vjp],
    [LINEAR],
    variadic=True,
    entry=_einsum_entry,
    compute=lambda *operands, subscripts, **kwargs: np.einsum(subscripts, *operands, **kwargs),
)


# -- convolution ------------------------------------------------------------------------------------------


def _full(g: Any, x: Any, y: Any, mode: str) -> Any:
    """A cotangent of part of a convolution, with zeros where the rest of it would be."""
    n, m = np.size(x), np.size(y)
    shorter = min(n, m)
    start = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    return np.pad(g, (start, n + m - 1 - start - g.shape[0])) if mode != "full" else g


def _convolve_vjp_x(g: Any, ans: Any, x: Any, y: Any, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(y)[::-1], "valid"), np.shape(x)), x)


def _convolve_vjp_y(g: Any, ans: Any, x: Any, y: Any, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(x)[::-1], "valid"), np.shape(y)), y)


define(np.convolve, [_convolve_vjp_x, _convolve_vjp_y], [LINEAR, LINEAR])


@composite(np.correlate)
def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = as_array(a), as_array(v)
    both = np.convolve(a, _conj(v)[::-1])
    n, m = a.size, v.size
    if mode == "full":
        return both
    if mode == "valid":
        return both[min(n, m) - 1 : max(n, m)]
    start = (m - 1) // 2 if n >= m else n // 2
    return both[start : start + max(n, m)]
