"""The differential operators: functions that turn a function into its derivative.

Each takes the function first and ``argnum``, the argument or arguments to differentiate by: an int,
or a tuple or list of ints (the answer is then a tuple). An argument may be a float, an array, or any nesting
of lists, tuples, dicts and named tuples of them; a gradient comes nested likewise, in the same
shapes and dtypes. All can be applied to one another, to any depth.

An answer that is an integer or a bool computed from the argument is refused, for the reasons in
:mod:`diffkit.autodiff.arguments`. Matrices of derivatives, and products with them, are in
:mod:`diffkit.autodiff.jacobians`.

>>> import numpy as np
>>> grad(np.sin)(0.0)
1.0
>>> grad(lambda w, b: np.sum(np.tanh(w @ np.ones(2) + b)), argnum=(0, 1))(np.zeros((2, 2)), np.zeros(2))
(array([[1., 1.],
       [1., 1.]]), array([1., 1.]))
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
    scalar_output,
)
from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import plain, row_of
from diffkit.containers import describe, flatten
from diffkit.errors import AnswerError, InputError


def _gradient(t: WengertList, argnum: Argnum, value: Any, check: str | None = None) -> Any:
    output = t.outputs[0]
    seeds = {output.index: one(value)} if t.owns(output) else {}
    adjoints = t.input_adjoints(seeds)
    if check is not None:
        from diffkit.autodiff.nonfinite import refuse_non_finite

        refuse_non_finite(t, adjoints, seeds)
    return answer_by(argnum, t.arguments_from(adjoints))


def _known_check(check: str | None) -> None:
    if check not in (None, "nan"):
        raise InputError(f'check is "nan" or None, not {check!r}')


def grad(f: Function, argnum: Argnum = 0, *, check: str | None = None) -> Function:
    """The gradient of a function whose answer is one real number, by one reverse sweep.

    The number may come in an array of any shape, (1,) or (1, 1).

    Args:
        f: the function.
        argnum: the argument to differentiate by, or a tuple or list of them.
        check: "nan" refuses a gradient that is not finite, and names the line where that began.

    Returns:
        A function of f's arguments: the gradient, of the argument's shape and dtype and nested as it is; by
        several arguments a tuple.

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
        t = record_by(f, argnum, args, kwargs)
        return _gradient(t, argnum, scalar_output(t, "grad"), check)

    return gradient


def value_and_grad(f: Function, argnum: Argnum = 0, *, check: str | None = None) -> Function:
    """``f``'s value and its gradient, from one trace.

    Args:
        f: the function; its answer is one real number.
        argnum: the argument to differentiate by, or a tuple or list of them.
        check: "nan" refuses a gradient that is not finite, and names the line where that began.

    Returns:
        A function of f's arguments: ``(value, gradient)``, the gradient as :func:`grad` gives it.

    Raises:
        InputError, DomainError: as :func:`grad`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _known_check(check)

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        t = record_by(f, argnum, args, kwargs)
        return t.value, _gradient(t, argnum, scalar_output(t, "value_and_grad"), check)

    return both


def grad_and_aux(f: Function, argnum: Argnum = 0) -> Function:
    """The gradient of the first of f's two answers, and the second as it is.

    Args:
        f: a function that returns a real number and something else.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments: ``(gradient, second answer)``.

    Raises:
        InputError: (at the call) if f does not return two answers, or as for :func:`grad`.

    >>> grad_and_aux(lambda x: (x * x, "seen"))(3.0)
    (6.0, 'seen')
    """

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        aux: list[Any] = []

        @functools.wraps(f)
        def first(*inner: Any, **inner_kwargs: Any) -> Any:
            answers = f(*inner, **inner_kwargs)
            if not isinstance(answers, tuple | list) or len(answers) != 2:
                raise AnswerError(
                    f"grad_and_aux needs a function that returns a number and something else, but "
                    f"{getattr(f, '__name__', 'the function')} returned {describe(plain(answers))}"
                )
            answer, rest = answers
            leaves, structure = flatten(rest)
            aux.append(structure.unflatten([row_of(leaf) for leaf in leaves]))  # it may be written to later
            return answer

        t = record_by(first, argnum, args, kwargs)
        value = scalar_output(t, "grad_and_aux")
        leaves, structure = flatten(aux[0])
        rest = structure.unflatten([t.value_of(leaf) for leaf in leaves])
        return _gradient(t, argnum, value), rest

    return both


def elementwise_grad(f: Function, argnum: Argnum = 0) -> Function:
    """The sum of each column of the Jacobian: the derivative, for a function that acts elementwise.

    Args:
        f: a function whose answer has one element for each of the argument.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments: an array of the argument's shape and dtype.

    Raises:
        InputError: (at the call) if the answer is an integer or bool computed from the argument, or
            the argument holds something other than floats.

    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        t = record_by(f, argnum, args, kwargs)
        refuse_discrete(t, "elementwise_grad")
        leaves, structure = flatten(t.value)
        values = [plain(leaf) for leaf in leaves]
        ones = structure.unflatten([one(v) if is_differentiable(v) else 0.0 for v in values])
        return answer_by(argnum, t.pull_back(ones))

    return gradient


def deriv(f: Function, argnum: Argnum = 0) -> Function:
    """The derivative of f by a scalar, by one forward sweep; the answer may have any shape.

    Args:
        f: the function.
        argnum: the argument to differentiate by, a float; or a tuple or list of such.

    Returns:
        A function of f's arguments: the derivative, of the shape of f's answer; by several arguments a tuple.

    Raises:
        InputError: (at the call) if the argument holds something other than floats.

    >>> deriv(lambda x: np.array([1.0, 2.0]) * x)(3.0)
    array([1., 2.])
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        t = record_by(f, argnum, args, kwargs)
        refuse_discrete(t, "deriv")
        tangents = [one(plain(a)) for a in t.inputs]
        return t.push_forward(*t.in_structure.unflatten(tangents))

    return derivative


def make_vjp(f: Function, argnum: Argnum = 0) -> Function:
    """``make_vjp(f)(*args)`` gives ``(vjp, value)``; ``vjp(g)`` is the cotangent of the argument.

    The trace is kept, so that ``vjp`` can be called any number of times, a sweep each. It refers to the
    arrays among the arguments, which must not be changed in place before that.

    Args:
        f: the function; its answer may be an array, or a container of them.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments that returns ``(vjp, value)``. The g of ``vjp`` is shaped and
        nested as f's answer, what it returns as the argument (a tuple, by several arguments).

    Raises:
        InputError: (at the call of ``vjp``) if g does not fit the answer.

    >>> vjp, value = make_vjp(lambda x: np.array([1.0, 2.0]) * x)(3.0)
    >>> value, vjp(np.array([1.0, 1.0]))
    (array([3., 6.]), 3.0)
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        t = record_by(f, argnum, args, kwargs)

        def vjp(g: Any) -> Any:
            return answer_by(argnum, t.pull_back(g))

        return vjp, t.value

    return make


def make_jvp(f: Function, argnum: Argnum = 0) -> Function:
    """``make_jvp(f)(*args)`` gives ``jvp``; ``jvp(t)`` is ``(value, tangent)`` along t.

    Args:
        f: the function; its answer may be an array, or a container of them.
        argnum: the argument to differentiate by, or a tuple or list of them.

    Returns:
        A function of f's arguments that returns ``jvp``. Its t is shaped and nested as the argument
        (a tuple, by several arguments), the tangent as the answer.

    Raises:
        InputError: (at the call of ``jvp``) if t does not fit the argument.

    >>> make_jvp(np.sin)(0.0)(2.0)
    (0.0, 2.0)
    """

    @functools.wraps(f)
    def make(*args: Any, **kwargs: Any) -> Function:
        t = record_by(f, argnum, args, kwargs)

        def jvp(*tangents: Any) -> tuple[Any, Any]:
            return t.value, t.push_forward(*directions_by(argnum, tangents))

        return jvp

    return make


def holomorphic_grad(f: Function, argnum: int = 0) -> Function:
    """The complex derivative of a holomorphic function of one complex number or array.

    Args:
        f: a function that is holomorphic: a real one, or one of the conjugate, has no such derivative.
        argnum: the complex argument to differentiate by.

    Returns:
        A function of f's arguments: the complex derivative, of the argument's shape.

    Raises:
        InputError: (at the call) if the argument is not complex.

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
