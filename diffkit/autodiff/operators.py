"""The differential operators: functions that turn a function into its derivative.

Each takes the function first and ``argnum``, the argument or arguments to differentiate by: an int,
or a tuple of ints (the answer is then a tuple). An argument may be a float, an array, or any nesting
of lists, tuples, dicts and named tuples of them; a gradient comes nested likewise, in the same
shapes and dtypes. All can be applied to one another, to any depth.

**Answers that are no floats.** An integer or a bool that is computed from an argument (``x > 0``,
``np.argmax(x)``, ``x.astype(int)``) moves in jumps or not at all. Its derivative would be 0 wherever
there is one, and whoever asks for it has as a rule forgotten something. So the operators refuse it
(``make_vjp``, ``make_jvp`` and a trace itself, whose cotangents and tangents are the caller's, take it
for a constant). Floats that move in jumps have the derivative 0 that is right almost everywhere:
``np.floor(x)``, ``np.sign(x)``, ``np.mean(x > 0)``. So has a constant, be it 0 or 0.0: a branch may
well return it.

>>> import numpy as np
>>> grad(np.sin)(0.0)
1.0
>>> grad(lambda w, b: np.sum(np.tanh(w @ np.ones(2) + b)), argnum=(0, 1))(np.zeros((2, 2)), np.zeros(2))
(array([[1., 1.],
       [1., 1.]]), array([1., 1.]))
>>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
array([[6., 2.],
       [2., 0.]])
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.sweeps import forward_sweep
from diffkit.autodiff.trace import Trace, plain, record
from diffkit.containers import describe, flatten, paths
from diffkit.errors import InputError

__all__ = [
    "deriv",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]

Argnum = int | tuple[int, ...]
Function = Callable[..., Any]


def _record(f: Function, argnum: Argnum, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Trace:
    argnums = argnum if isinstance(argnum, tuple) else (argnum,)
    for k in argnums:
        if not isinstance(k, int) or isinstance(k, bool):
            raise InputError(f"argnum is an int or a tuple of ints, not {argnum!r}")
        if not -len(args) <= k < len(args):
            name = getattr(f, "__name__", "the function")
            hint = ": give by position what you differentiate by" if kwargs else ""
            raise InputError(
                f"argnum is {k}, but {name} was called with {len(args)} positional arguments{hint}"
            )
    return record(f, args, kwargs, [k % len(args) for k in argnums])


def _answer(argnum: Argnum, pulled: Any) -> Any:
    """A derivative by one argument stands alone; by a tuple of one, it is a tuple of one."""
    return (pulled,) if isinstance(argnum, tuple) and len(argnum) == 1 else pulled


def _refuse_discrete(t: Trace, operator: str) -> None:
    """Refuses answers that are integers or bools and were computed from what is differentiated by."""
    for k, output in enumerate(t.outputs):
        value: Any = plain(output)
        if type(value) is float or not t.owns(output):
            continue
        kind = np.asarray(value).dtype.kind
        if kind in "iub":
            where = paths(t.out_structure, "the answer")[k]
            shown = (
                f"the {'bool' if kind == 'b' else 'integer'} {value}"
                if not np.ndim(value)
                else describe(value)
            )
            raise InputError(
                f"{operator} needs answers that are floats, but {where} of {t.name} is {shown} "
                f"({output.site}). It moves in jumps or not at all, so its derivative says nothing. Return "
                "the float that it was made from (np.floor and np.round keep floats, with derivative 0), or "
                "leave it out of the answer (grad_and_aux takes what is not differentiated beside it)."
            )


def _scalar_output(t: Trace, operator: str) -> Any:
    value: Any = plain(t.outputs[0]) if t.outputs else None
    if t.out_structure.is_leaf and (type(value) is float or isinstance(value, np.floating)):
        return value
    if not t.out_structure.is_leaf or np.ndim(value) != 0:
        raise InputError(
            f"{operator} needs a function with one number as its answer, but {t.name} returned "
            f"{describe(plain_tree(t.value))}. Sum it up, or use jacobian or elementwise_grad."
        )
    if not isinstance(value, int | complex | np.generic | np.ndarray):
        raise InputError(f"{operator} needs a number as the answer, but {t.name} returned {value!r}")
    if np.iscomplexobj(value):
        raise InputError(
            f"{operator} needs a real answer, but {t.name} returned the complex number {value}. "
            "Take its real part, or use holomorphic_grad."
        )
    _refuse_discrete(t, operator)
    return value


def _gradient(t: Trace, argnum: Argnum, value: Any, check: str | None = None) -> Any:
    output = t.outputs[0]
    seeds = {output.index: _one(value)} if t.owns(output) else {}
    adjoints = t.input_adjoints(seeds)
    if check is not None:
        from diffkit.autodiff.nonfinite import refuse_non_finite

        refuse_non_finite(t, adjoints, seeds)
    return _answer(argnum, t.arguments_from(adjoints))


def _known_check(check: str | None) -> None:
    if check not in (None, "nan"):
        raise InputError(f'check is "nan" or None, not {check!r}')


def plain_tree(value: Any) -> Any:
    """A container of values with every node replaced by the number or array in it."""
    leaves, structure = flatten(value)
    return structure.unflatten([plain(leaf) for leaf in leaves])


def _one(value: Any) -> Any:
    return value.dtype.type(1) if hasattr(value, "dtype") else type(value)(1)


def grad(f: Function, argnum: Argnum = 0, *, check: str | None = None) -> Function:
    """The gradient of a function whose answer is one real number, by one reverse sweep.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple of them.
        check: "nan" refuses a gradient that is not finite, and names the line where that began.

    Raises:
        InputError: if the answer is not a real number, or an integer or bool computed from the
            argument, or the argument holds something other than floats.
        DomainError: with check="nan", if the gradient is not finite.

    >>> grad(lambda x: x * x)(3.0)
    6.0
    """
    _known_check(check)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        t = _record(f, argnum, args, kwargs)
        return _gradient(t, argnum, _scalar_output(t, "grad"), check)

    return gradient


def value_and_grad(f: Function, argnum: Argnum = 0, *, check: str | None = None) -> Function:
    """``f``'s value and its gradient, from one trace; the arguments and errors are those of ``grad``.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _known_check(check)

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        t = _record(f, argnum, args, kwargs)
        return t.value, _gradient(t, argnum, _scalar_output(t, "value_and_grad"), check)

    return both


def grad_and_aux(f: Function, argnum: Argnum = 0) -> Function:
    """The gradient of the first of f's two answers, and the second as it is.

    >>> grad_and_aux(lambda x: (x * x, "seen"))(3.0)
    (6.0, 'seen')
    """

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        aux: list[Any] = []

        @functools.wraps(f)
        def first(*inner: Any, **inner_kwargs: Any) -> Any:
            answer, rest = f(*inner, **inner_kwargs)
            aux.append(rest)
            return answer

        t = _record(first, argnum, args, kwargs)
        value = _scalar_output(t, "grad_and_aux")
        leaves, structure = flatten(aux[0])
        rest = structure.unflatten([t._plain(leaf) for leaf in leaves])
        return _gradient(t, argnum, value), rest

    return both


def elementwise_grad(f: Function, argnum: Argnum = 0) -> Function:
    """The sum of each column of the Jacobian: the derivative, for a function that acts elementwise.

    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        t = _record(f, argnum, args, kwargs)
        _refuse_discrete(t, "elementwise_grad")
        leaves, structure = flatten(t.value)
        ones = structure.unflatten([_ones(plain(leaf)) for leaf in leaves])
        return _answer(argnum, t.pull_back(ones))

    return gradient


def _ones(value: Any) -> Any:
    return np.ones_like(value) if np.ndim(value) else _one(value)


def deriv(f: Function, argnum: Argnum = 0) -> Function:
    """The derivative of f by a scalar, by one forward sweep; the answer may have any shape.

    >>> deriv(lambda x: np.array([1.0, 2.0]) * x)(3.0)
    array([1., 2.])
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        t = _record(f, argnum, args, kwargs)
        _refuse_discrete(t, "deriv")
        tangents = [_ones(plain(a)) for a in t.inputs]
        return t.push_forward(*t.in_structure.unflatten(tangents))

    return derivative


def make_vjp(f: Function, argnum: Argnum = 0) -> Function:
    """``make_vjp(f)(*args)`` gives ``(vjp, value)``; ``vjp(g)`` is the cotangent of the argument.

    The trace is kept, so that ``vjp`` can be called any number of times, a sweep each.

    >>> vjp, value = make_vjp(lambda x: np.array([1.0, 2.0]) * x)(3.0)
    >>> value, vjp(np.array([1.0, 1.0]))
    (array([3., 6.]), 3.0)
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        t = _record(f, argnum, args, kwargs)

        def vjp(g: Any) -> Any:
            return _answer(argnum, t.pull_back(g))

        return vjp, t.value

    return make


def make_jvp(f: Function, argnum: Argnum = 0) -> Function:
    """``make_jvp(f)(*args)`` gives ``jvp``; ``jvp(t)`` is ``(value, tangent)`` along t.

    >>> make_jvp(np.sin)(0.0)(2.0)
    (0.0, 2.0)
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> Function:
        t = _record(f, argnum, args, kwargs)

        def jvp(tangent: Any) -> tuple[Any, Any]:
            tangents = tangent if isinstance(argnum, tuple) else (tangent,)
            return t.value, t.push_forward(*tangents)

        return jvp

    return make


# -- Jacobians --------------------------------------------------------------------------------------------


def jacobian(f: Function, argnum: Argnum = 0, mode: str | None = None) -> Function:
    """The Jacobian in numerator layout: output axes first, then input axes.

    For f: R^n -> R^m it is an (m, n) array. Containers of outputs or inputs give containers of blocks,
    the outputs' outside.

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple of them.
        mode: "forward" sweeps once per input element, "reverse" once per output element; by default
            whichever is fewer, forward if they are as many.

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
        t = _record(f, argnum, args, kwargs)
        _refuse_discrete(t, "jacobian")
        inputs = sum(np.size(plain(n)) for n in t.inputs)
        outputs = sum(np.size(plain(o)) for o in t.outputs)
        forward = mode == "forward" or (mode is None and inputs <= outputs)
        blocks = _blocks_forward(t) if forward else _blocks_reverse(t)
        by_output = [t.arguments_from(row) for row in blocks]
        return t.out_structure.unflatten([_answer(argnum, row) for row in by_output])

    return jac


def _blocks_reverse(t: Trace) -> list[list[Any]]:
    """For each output leaf, for each input leaf, the block: a sweep per output element."""
    blocks = []
    for output in t.outputs:
        value = plain(output)
        rows = [t.input_adjoints({output.index: seed} if t.owns(output) else {}) for seed in _basis(value)]
        blocks.append(
            [_assemble([row[k] for row in rows], value, plain(n), 0) for k, n in enumerate(t.inputs)]
        )
    return blocks


def _blocks_forward(t: Trace) -> list[list[Any]]:
    """The same, by a sweep per input element."""
    columns = []
    for n in t.inputs:
        sweeps = [forward_sweep(t.nodes, t.recording, {n.index: seed}) for seed in _basis(plain(n))]
        columns.append([t.output_tangents(swept) for swept in sweeps])
    return [
        [
            _assemble([tangents[k] for tangents in column], plain(n), plain(output), -1)
            for n, column in zip(t.inputs, columns, strict=True)
        ]
        for k, output in enumerate(t.outputs)
    ]


def _basis(value: Any) -> list[Any]:
    """The unit vectors of a value's shape and dtype."""
    if not np.ndim(value):
        return [_one(value)]
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
        return np.zeros(whole, np.result_type(by, of))
    return np.reshape(np.stack(parts, axis=axis), whole)


def hessian(f: Function, argnum: int = 0) -> Function:
    """The Hessian, forward over reverse; for f: R^n -> R an (n, n) array.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(jacobian(f, argnum, mode="reverse"), argnum, mode="forward")


def hessian_vector_product(f: Function, argnum: int = 0) -> Function:
    """``hessian_vector_product(f)(*args, v)``: the Hessian times v, without the Hessian.

    One forward sweep over the trace of a reverse sweep, so it costs a small multiple of f whatever
    the number of variables.

    >>> hessian_vector_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """

    @functools.wraps(f)
    def product(*args_and_vector: Any, **kwargs: Any) -> Any:
        *args, vector = args_and_vector
        return make_jvp(grad(f, argnum), argnum)(*args, **kwargs)(vector)[1]

    return product


def make_hvp(f: Function, argnum: int = 0) -> Function:
    """``make_hvp(f)(*args)`` gives ``(hvp, gradient)``; ``hvp(v)`` is the Hessian times v.

    >>> hvp, gradient = make_hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> gradient, hvp(np.array([1.0, 1.0]))
    (array([ 3., 12.]), array([ 6., 12.]))
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        t = _record(grad(f, argnum), argnum, args, kwargs)
        return (lambda vector: t.push_forward(vector)), t.value

    return make


def hessian_tensor_product(f: Function, argnum: int = 0) -> Function:
    """``hessian_tensor_product(f)(*args, T)``: the Hessian contracted with a tensor of x's shape."""
    return hessian_vector_product(f, argnum)


def tensor_jacobian_product(f: Function, argnum: int = 0) -> Function:
    """``tensor_jacobian_product(f)(*args, T)``: T contracted with the Jacobian's leading axes.

    T has the shape of f's answer, or more axes in front of it, which the product then keeps.

    >>> f = lambda x: np.array([[1.0, 2.0], [3.0, 4.0]]) @ x
    >>> tensor_jacobian_product(f)(np.zeros(2), np.array([1.0, 1.0]))
    array([4., 6.])
    """

    @functools.wraps(f)
    def product(*args_and_tensor: Any, **kwargs: Any) -> Any:
        *args, tensor = args_and_tensor
        vjp, value = make_vjp(f, argnum)(*args, **kwargs)
        extra = np.ndim(plain(tensor)) - np.ndim(plain(value))
        if extra <= 0:
            return vjp(tensor)
        shape = np.shape(plain(tensor))[:extra]
        flat = np.reshape(tensor, (-1, *np.shape(plain(value))))
        rows = np.stack([vjp(flat[k]) for k in range(flat.shape[0])])
        return np.reshape(rows, shape + tuple(rows.shape[1:]))

    return product


def vector_jacobian_product(f: Function, argnum: int = 0) -> Function:
    """``vector_jacobian_product(f)(*args, v)``: v contracted with the Jacobian.

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

    >>> make_ggnvp(lambda x: 3.0 * x)(np.zeros(2))(np.array([1.0, 2.0]))
    array([ 9., 18.])
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> Function:
        t = _record(f, f_argnum, args, kwargs)
        hvp, _ = make_hvp(g)(t.value)
        return lambda vector: t.pull_back(hvp(t.push_forward(vector)))

    return make


def holomorphic_grad(f: Function, argnum: int = 0) -> Function:
    """The complex derivative of a holomorphic function of one complex number or array.

    Raises:
        InputError: if the argument is not complex.

    >>> holomorphic_grad(lambda z: z**2)(1.0 + 2.0j)
    (2+4j)
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        if not np.iscomplexobj(plain(args[argnum])):
            raise InputError(f"holomorphic_grad needs a complex argument, not {plain(args[argnum])!r}")
        real_part = functools.wraps(f)(lambda *a, **k: np.real(f(*a, **k)))
        return grad(real_part, argnum)(*args, **kwargs)

    return gradient
