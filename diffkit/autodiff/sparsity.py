"""Which inputs each output depends on, read from a trace; and so few sweeps that tell a sparse Jacobian.

The pattern goes down the trace as a tangent does, but as bits: for each element of a row, one bit for each
element of the inputs. Columns of the Jacobian that share no row can be told from one sweep along their sum,
so they are given one colour (Curtis, Powell and Reid, "On the Estimation of Sparse Jacobian Matrices", IMA
Journal of Applied Mathematics 13, 1974; Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008,
chapters 7 and 8).

>>> pattern = sparsity(lambda x: x[1:] - x[:-1] ** 2)(np.ones(4))
>>> pattern.astype(int)
array([[1, 1, 0, 0],
       [0, 1, 1, 0],
       [0, 0, 1, 1]])
>>> colours(pattern)
array([0, 1, 0, 1])
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffkit.autodiff.arguments import Argnum, Function, record_by
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.primitive import UFUNCS
from diffkit.autodiff.recording.tracer import INPUT, PART, Node, plain

Bits = NDArray[np.uint8]
"""Of a row's shape, and for each element eight inputs a byte."""


def sparsity(f: Function, argnum: Argnum = 0) -> Function:
    """Where the Jacobian of f can be other than zero, whatever the numbers are on the path that f takes.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments: a bool array, of one row for each element of f's answers and one column
        for each element of the arguments. It is never False where the derivative is not zero; it may be True
        where it is: of an operation that it does not know every answer depends on all that it is given.

    Raises:
        InputError: if an argument is no number, array or container of them.
        TraceError: if f does what can't be traced.

    >>> sparsity(lambda x: np.stack([x[0] * x[2], x[1]]))(np.ones(3)).astype(int)
    array([[1, 0, 1],
           [0, 1, 0]])
    """

    @functools.wraps(f)
    def pattern(*args: Any, **kwargs: Any) -> NDArray[np.bool_]:
        return pattern_of(record_by(f, argnum, args, kwargs))

    return pattern


def colours(pattern: NDArray[np.bool_]) -> NDArray[np.intp]:
    """A colour for each column, so that no two columns of one colour share a row: the first that fits."""
    packed = np.packbits(np.ascontiguousarray(pattern.T), axis=1)
    data, width = packed.tobytes(), packed.shape[1]
    taken: list[int] = []  # per colour, its rows as the bits of a number
    found: list[int] = []
    for start in range(0, len(packed) * width, width or 1):
        rows = int.from_bytes(data[start : start + width])
        colour = 0
        for others in taken:
            if not others & rows:
                break
            colour += 1
        else:
            taken.append(0)
        taken[colour] |= rows
        found.append(colour)
    return np.array(found or [0] * len(packed), int)


def pattern_of(t: WengertList) -> NDArray[np.bool_]:
    """The pattern of a trace: see :func:`sparsity`."""
    sizes = [math.prod(_shape(n)) for n in t.inputs]
    total = sum(sizes)
    width = -(-total // 8)
    eye = np.packbits(np.eye(total, dtype=bool), axis=1)
    starts = dict(zip((n.index for n in t.inputs), np.cumsum([0, *sizes]), strict=False))
    found: list[Bits] = []
    for row in t.nodes:
        if row.fun is INPUT:
            start, shape = starts[row.index], _shape(row)
            bits = eye[start : start + math.prod(shape)].reshape(*shape, width)
        elif row.fun.constant:
            bits = np.zeros((*_shape(row), width), np.uint8)
        else:
            bits = _passed_on(t, row, [found[a.index] if t.owns(a) else None for a in row.args], width)
        found.append(bits)
    outputs = [
        found[o.index].reshape(-1, width) if t.owns(o) else np.zeros((np.size(plain(o)), width), np.uint8)
        for o in t.outputs
    ]
    whole = np.concatenate([np.zeros((0, width), np.uint8), *outputs])
    return np.unpackbits(whole, axis=1, count=total).view(bool)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(plain(value), "shape", ()))


def _passed_on(t: WengertList, row: Node, given: list[Bits | None], width: int) -> Bits:
    """The bits of a row, from those of its operands; None stands for what is no row of the trace."""
    shape, name = (*_shape(row), width), row.fun.name
    rows = [bits for bits in given if bits is not None]
    if row.fun is PART:
        return np.broadcast_to(rows[0], shape)
    if row.fun.builtin and not isinstance(row.value, tuple | list):
        bits = None
        if row.fun.line is not None or row.fun in _elementwise():
            bits = functools.reduce(np.bitwise_or, rows)
        elif name in _MOVING:
            bits = _moved(row, given, width)
        elif name in _REDUCTIONS and len(rows) == 1:
            axis = row.kwargs.get("axis")
            axes = range(rows[0].ndim - 1) if axis is None else np.atleast_1d(axis)
            bits = np.bitwise_or.reduce(rows[0], axis=tuple(a % (rows[0].ndim - 1) for a in axes))
            bits = bits.reshape(shape)
        elif name in _CUMULATIVE and "axis" in row.kwargs:
            bits = np.bitwise_or.accumulate(rows[0], axis=row.kwargs["axis"] % (rows[0].ndim - 1))
        elif name in ("matmul", "dot"):
            bits = _multiplied(t, row, given)
        elif name == "scatter" and given[0] is not None:  # what reading x[index] gives back
            bits = np.zeros(shape, np.uint8)
            np.bitwise_or.at(bits, row.args[1], given[0])
        elif name == "diff" and len(row.args) == 1:
            bits = np.moveaxis(rows[0], row.kwargs["axis"] % (rows[0].ndim - 1), 0)
            for _ in range(row.kwargs["n"]):
                bits = bits[1:] | bits[:-1]
            bits = np.moveaxis(bits, 0, row.kwargs["axis"] % (rows[0].ndim - 1))
        if bits is not None and bits.shape[-1] == width:
            return bits if bits.shape == shape else np.broadcast_to(bits, shape)
    every = [np.bitwise_or.reduce(bits.reshape(-1, width), axis=0) for bits in rows]
    one = functools.reduce(np.bitwise_or, every)
    return one if isinstance(row.value, tuple | list) else np.broadcast_to(one, shape)


@functools.cache
def _elementwise() -> frozenset[Any]:
    return frozenset(fun for ufunc, fun in UFUNCS.items() if ufunc.signature is None)


_REDUCTIONS = frozenset("sum mean prod max min amax amin std var".split())
_CUMULATIVE = frozenset("cumsum cumprod".split())
_MOVING = frozenset(
    "getitem read setitem concatenate stack reshape ravel squeeze expand_dims transpose matrix_transpose "
    "moveaxis swapaxes flip fliplr flipud roll rot90 broadcast_to repeat tile diag diagonal tril triu copy "
    "where fftshift ifftshift take pad".split()
)
"""Functions each element of whose answer is one of the elements that they are given, or a constant."""


_PADDING = ("constant", "edge", "reflect", "symmetric", "wrap", "raise", "clip")
"""Values of ``mode`` with which pad, and take, give elements and no sums of them."""


def _moved(row: Node, given: list[Bits | None], width: int) -> Bits | None:
    """What a function that moves elements does to them, seen by what it does to their numbers."""
    kwargs = {key: value for key, value in row.kwargs.items() if key != "constant_values"}
    if kwargs.get("mode", "constant") not in _PADDING or "reflect_type" in kwargs:
        return None
    table = [np.zeros((1, width), np.uint8)]  # element 0 is any constant
    labels: list[Any] = []
    count = 1
    for argument, bits in zip(row.args, given, strict=True):
        if bits is None:
            value = plain(argument)
            floats = (
                isinstance(value, np.ndarray | np.generic | float) and np.asarray(value).dtype.kind in "fc"
            )
            labels.append(np.zeros(np.shape(value), int) if floats else argument)
        else:
            shape = bits.shape[:-1]
            size = math.prod(shape)
            labels.append(np.arange(count, count + size).reshape(shape))
            table.append(bits.reshape(size, width))
            count += size
    places = np.asarray(row.fun.compute(*labels, **kwargs))
    fits = places.dtype.kind == "i" and places.shape == _shape(row)
    return np.concatenate(table)[places] if fits else None


def _multiplied(t: WengertList, row: Node, given: list[Bits | None]) -> Bits | None:
    """Of a product of matrices: each operand's bits, summed over where the other is not a constant 0."""
    if any(len(_shape(a)) not in (1, 2) for a in row.args):
        return None
    left, right = row.args
    parts = []
    for bits, other, axis in ((given[0], right, -1), (given[1], left, 0)):
        if bits is None:
            continue
        there = np.ones(_shape(other)) if t.owns(other) else np.asarray(plain(other)) != 0
        spread = np.unpackbits(bits, axis=-1).astype(np.float32)
        if axis == -1:  # (m, k, n) and (k, p): the sum over k
            reached = np.tensordot(spread, there.astype(np.float32), ([spread.ndim - 2], [0]))
            reached = reached if there.ndim == 1 else np.moveaxis(reached, -1, -2)
        else:
            reached = np.tensordot(there.astype(np.float32), spread, ([there.ndim - 1], [0]))
        parts.append(np.packbits(reached > 0, axis=-1))
    return functools.reduce(np.bitwise_or, parts)
