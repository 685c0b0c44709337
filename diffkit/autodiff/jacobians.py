"""Jacobians and Hessians, and products with them that never make the matrix.

>>> import numpy as np
>>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
array([[6., 2.],
       [2., 0.]])
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from diffkit.autodiff.arguments import (
    Argnum,
    Function,
    answer_by,
    directions_by,
    one,
    record_by,
    refuse_discrete,
)
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.operators import grad, make_jvp, make_vjp
from diffkit.autodiff.recording.tracer import Array, is_traced, plain
from diffkit.autodiff.sparsity import colours, pattern_of
from diffkit.errors import InputError


def jacobian(f: Function, argnum: Argnum = 0, mode: str | None = None, *, sparse: bool = False) -> Function:
    """The Jacobian in numerator layout: output axes first, then input axes.

    For f: R^n -> R^m it is an (m, n) array. Containers of outputs or inputs give containers of blocks,
    the outputs' outside.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple or list of them.
        mode: "forward" sweeps once per input element, "reverse" once per output element; by default
            whichever is fewer, forward if they are as many.
        sparse: read from the trace first where the Jacobian can be other than zero, and then sweep once for
            each set of columns (or rows) that share no row (or column): three sweeps for a tridiagonal one.

    Returns:
        A function of f's arguments: the Jacobian, of the dtype of f's answer; by several arguments a tuple.

    Raises:
        InputError: for another mode, or for an answer of integers or bools computed from the argument.

    >>> jacobian(lambda x: np.array([2.0, 3.0]) * x)(np.array([1.0, 1.0]))
    array([[2., 0.],
           [0., 3.]])
    """
    if mode not in (None, "forward", "reverse"):
        raise InputError(f'mode is "forward", "reverse" or None, not {mode!r}')

    @functools.wraps(f)
    def jac(*args: Any, **kwargs: Any) -> Any:
        t = record_by(f, argnum, args, kwargs)
        refuse_discrete(t, "jacobian")
        inputs = sum(np.size(plain(n)) for n in t.inputs)
        outputs = sum(np.size(plain(o)) for o in t.outputs)
        forward = mode == "forward" or (mode is None and inputs <= outputs)
        blocks = _blocks_sparse(t, mode) if sparse else _blocks_forward(t) if forward else _blocks_reverse(t)
        by_output = [t.arguments_from(row) for row in blocks]
        return t.out_structure.unflatten([answer_by(argnum, row) for row in by_output])

    return jac


def _blocks_reverse(t: WengertList) -> list[list[Any]]:
    """For each output leaf, for each input leaf, the block: a sweep per output element."""
    blocks = []
    for output in t.outputs:
        value = plain(output)
        rows = [t.input_adjoints({output.index: seed} if t.owns(output) else {}) for seed in _basis(value)]
        blocks.append(
            [_assemble([row[k] for row in rows], value, plain(n), 0) for k, n in enumerate(t.inputs)]
        )
    return blocks


def _blocks_forward(t: WengertList) -> list[list[Any]]:
    """The same, by a sweep per input element."""
    columns = []
    for n in t.inputs:
        columns.append([t.pushed_forward({n.index: seed}) for seed in _basis(plain(n))])
    return [
        [
            _assemble([tangents[k] for tangents in column], plain(n), plain(output), -1)
            for n, column in zip(t.inputs, columns, strict=True)
        ]
        for k, output in enumerate(t.outputs)
    ]


def _blocks_sparse(t: WengertList, mode: str | None) -> list[list[Any]]:
    """The same, by a sweep for each colour of the pattern's columns, or of its rows."""
    pattern = pattern_of(t)
    forward, colour = _cheaper(pattern, mode)
    swept = [_sweep_of(t, colour == c, forward) for c in range(colour.max(initial=-1) + 1)]
    down = np.cumsum([0, *(np.size(plain(o)) for o in t.outputs)])
    across = np.cumsum([0, *(np.size(plain(n)) for n in t.inputs)])
    blocks: list[list[Any]] = []
    for k, output in enumerate(t.outputs):
        blocks.append([])
        for j, n in enumerate(t.inputs):
            there = pattern[down[k] : down[k + 1], across[j] : across[j + 1]]
            i, at = np.divmod(np.flatnonzero(there), max(1, there.shape[1]))  # a tenth of nonzero's time
            leaf = k if forward else j
            parts = np.stack(
                [np.reshape(each[leaf], -1) for each in swept] or [np.reshape(plain(output), -1)]
            )
            entries = parts[colour[across[j] + at], i] if forward else parts[colour[down[k] + i], at]
            size = np.size(plain(output)), np.size(plain(n))
            zeros = np.zeros(size, np.asarray(plain(parts)).dtype)
            block: Any = Array(zeros) if is_traced(parts) else zeros
            block[i, at] = entries
            block = np.reshape(block, np.shape(plain(output)) + np.shape(plain(n)))
            blocks[-1].append(block if np.ndim(plain(block)) else block[()])
    return blocks


def _cheaper(pattern: Any, mode: str | None) -> tuple[bool, Any]:
    """Whether to sweep forward, and the colours of the columns then, else of the rows."""
    if mode != "reverse":
        by_column = colours(pattern)
        # As many sweeps up are needed as a column has entries, at least, and so as columns have on average.
        entries = np.count_nonzero(pattern) / max(1, pattern.shape[1])
        if mode == "forward" or by_column.max(initial=0) < entries:
            return True, by_column
    by_row = colours(pattern.T)
    if mode != "reverse" and by_column.max(initial=0) <= by_row.max(initial=0):
        return True, by_column
    return False, by_row


def _sweep_of(t: WengertList, chosen: Any, forward: bool) -> list[Any]:
    """One sweep along all the inputs' elements that are chosen; or up from the outputs' elements."""
    seeds: dict[int, Any] = {}
    start = 0
    for end in t.inputs if forward else t.outputs:
        value = plain(end)
        stop = start + np.size(value)
        if t.owns(end):
            seed = np.reshape(chosen[start:stop], np.shape(value)) * one(
                np.zeros((), np.asarray(value).dtype)
            )
            seeds[end.index] = seed if end.index not in seeds else seeds[end.index] + seed
        start = stop
    return t.pushed_forward(seeds) if forward else t.input_adjoints(seeds)


def _basis(value: Any) -> list[Any]:
    """The unit vectors of a value's shape and dtype."""
    if not np.ndim(value):
        return [one(value)]
    vectors = []
    for k in range(np.size(value)):
        vector = np.zeros_like(value)
        vector.flat[k] = 1
        vectors.append(vector)
    return vectors


def _assemble(parts: list[Any], by: Any, of: Any, axis: int) -> Any:
    """A block from its slices, one for each element of ``by``, each of the shape of ``of``.

    They are stacked along a new axis, the first (0) or the last (-1), which then gets ``by``'s shape.
    """
    shape, inner = np.shape(by), np.shape(of)
    if not shape:
        return parts[0]
    whole = shape + inner if axis == 0 else inner + shape
    if not parts:
        return np.zeros(whole, np.asarray(of).dtype)  # as its slices would be
    return np.reshape(np.stack(parts, axis=axis), whole)


def hessian(f: Function, argnum: int = 0, *, sparse: bool = False) -> Function:
    """The Hessian, forward over reverse; for f: R^n -> R an (n, n) array.

    Args:
        f: the function.
        argnum: the argument to differentiate by.
        sparse: sweep once for each set of columns that share no row: see :func:`jacobian`.

    Returns:
        A function of f's arguments: an array of the answer's axes, then twice the argument's; containers give
        containers of blocks.

    Raises:
        InputError: (at the call) if the argument holds other things than floats, or the answer is an
            integer or bool computed from it.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    of_f = jacobian(jacobian(f, argnum, mode="reverse"), argnum, mode="forward", sparse=sparse)
    vars(of_f).update(__wrapped__=f, operator="hessian")  # what a drawing is titled by
    return of_f


def hessian_vector_product(f: Function, argnum: int = 0) -> Function:
    """``hessian_vector_product(f)(*args, v)``: the Hessian times v, without the Hessian.

    One forward sweep over the trace of a reverse sweep, so it costs a small multiple of f whatever
    the number of variables.

    Args:
        f: the function; its answer is one real number.
        argnum: the argument to differentiate by.

    Returns:
        A function of f's arguments and v, of the argument's shape and nesting: the product, likewise.

    Raises:
        InputError: (at the call) if v does not fit the argument, or as ``grad`` does.

    >>> hessian_vector_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """

    @functools.wraps(f)
    def product(*args_and_vector: Any, **kwargs: Any) -> Any:
        *args, vector = args_and_vector
        return make_jvp(grad(f, argnum), argnum)(*args, **kwargs)(vector)[1]

    return product


def make_hvp(f: Function, argnum: Argnum = 0) -> Function:
    """``make_hvp(f)(*args)`` gives ``(hvp, gradient)``; ``hvp(v)`` is the Hessian times v.

    By several arguments, v is a tuple of one vector for each, or they are given one by one.

    Args:
        f: the function; its answer is one real number.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments that returns ``(hvp, gradient)``, both shaped and nested as the
        argument.

    Raises:
        InputError: (at a call) if v does not fit the argument, or as ``grad`` does.

    >>> hvp, gradient = make_hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> gradient, hvp(np.array([1.0, 1.0]))
    (array([ 3., 12.]), array([ 6., 12.]))
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        t = record_by(grad(f, argnum), argnum, args, kwargs)
        return (lambda *vectors: t.push_forward(*directions_by(argnum, vectors))), t.value

    return make


def hessian_tensor_product(f: Function, argnum: int = 0) -> Function:
    """``hessian_tensor_product(f)(*args, T)``: the Hessian contracted with a tensor of x's shape.

    Args:
        f: the function; its answer is one real number.
        argnum: the argument to differentiate by.

    Returns:
        A function of f's arguments and T, of the argument's shape: an array of that shape.

    Raises:
        InputError: (at the call) if T does not fit the argument, or as ``grad`` does.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> hessian_tensor_product(lambda x: np.sum(x**3))(x, np.ones((2, 2)))
    array([[ 6., 12.],
           [18., 24.]])
    """
    return hessian_vector_product(f, argnum)


def tensor_jacobian_product(f: Function, argnum: Argnum = 0) -> Function:
    """``tensor_jacobian_product(f)(*args, T)``: T contracted with the Jacobian's leading axes.

    T has as many of the axes of f's answer as one likes, the first ones; the product keeps the others. If T
    has more axes than the answer, its last ones are contracted, and the product keeps those in front.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments and T: an array of the axes that are kept, then the argument's.

    Raises:
        InputError: (at the call) if T's axes fit no axes of the answer.

    >>> f = lambda x: np.array([[1.0, 2.0], [3.0, 4.0]]) @ x
    >>> tensor_jacobian_product(f)(np.zeros(2), np.array([1.0, 1.0]))
    array([4., 6.])
    """

    @functools.wraps(f)
    def product(*args_and_tensor: Any, **kwargs: Any) -> Any:
        *args, tensor = args_and_tensor
        vjp, value = make_vjp(f, argnum)(*args, **kwargs)
        ndim = np.ndim(plain(tensor))
        extra = ndim - np.ndim(plain(value))
        if extra == 0:
            return vjp(tensor)
        if extra < 0:
            return jacobian(lambda *a, **k: np.tensordot(tensor, f(*a, **k), ndim), argnum)(*args, **kwargs)
        shape = np.shape(plain(tensor))[:extra]
        flat = np.reshape(tensor, (-1, *np.shape(plain(value))))
        rows = np.stack([vjp(flat[k]) for k in range(flat.shape[0])])
        return np.reshape(rows, shape + tuple(rows.shape[1:]))

    return product


def vector_jacobian_product(f: Function, argnum: Argnum = 0) -> Function:
    """``vector_jacobian_product(f)(*args, v)``: v contracted with the Jacobian.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments and v, of the shape of f's answer: an array of the argument's shape.

    Raises:
        InputError: (at the call) if v does not fit the answer.

    >>> vector_jacobian_product(np.sin)(np.zeros(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    return tensor_jacobian_product(f, argnum)


def _half_square(y: Any) -> Any:
    return np.sum(y**2) / 2


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """``make_ggnvp(f, g)(*args)`` gives ``ggnvp(v)``: v times the generalised Gauss-Newton matrix.

    The matrix is J^T H J, with J the Jacobian of f and H the Hessian of g at f's value (Schraudolph,
    2002); for the default g, half the sum of squares, it is J^T J.

    Args:
        f: the model.
        g: a function of f's answer to one real number: the loss.
        f_argnum: the argument of f to differentiate by.

    Returns:
        A function of f's arguments that returns ``ggnvp``: from v, of the argument's shape, to a
        product of that shape.

    Raises:
        InputError: (at a call) if v does not fit the argument, or g's answer is not a real number.

    >>> make_ggnvp(lambda x: 3.0 * x)(np.zeros(2))(np.array([1.0, 2.0]))
    array([ 9., 18.])
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> Function:
        t = record_by(f, f_argnum, args, kwargs)
        hvp, _ = make_hvp(g)(t.value)
        return lambda vector: t.pull_back(hvp(t.push_forward(vector)))

    return make
