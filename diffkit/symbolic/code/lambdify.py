"""Expressions as a Python function, straight-line, for floats and for arrays.

>>> import sympy
>>> from diffkit.symbolic import diff
>>> x = sympy.Symbol("x")
>>> u = sympy.exp(-(x**2))
>>> f = lambdify([x], [u, diff(u, x)])
>>> f(1.0)
[0.36787944117144233, -0.7357588823428847]
>>> print(f.source)
def program(x):
    v1 = exp(-x**2)
    return [v1, -(2*x)*v1]
"""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from diffkit.errors import DomainError
from diffkit.expressions import Expression
from diffkit.symbolic.code.function_text import FunctionText
from diffkit.symbolic.code.lanes import in_lanes
from diffkit.symbolic.code.matrix_products import times_arrays, times_scalars
from diffkit.symbolic.code.parameters import Vector, arguments_of, flat
from diffkit.symbolic.code.straight_line import roots_of
from diffkit.symbolic.matrices import source as of_matrices
from diffkit.symbolic.matrices.reading import is_about_matrices, is_matrix_expression
from diffkit.symbolic.values.arithmetics import FLOATS, SCALARS
from diffkit.symbolic.values.powers import stable_at_zero


def lambdify(args: Any, exprs: Any, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The expressions as a Python function, straight-line, with every shared node computed once.

    Called with floats it computes with :mod:`math`, with arrays by NumPy, which broadcasts them.
    Where ``math`` would raise (log of 0, overflow), the answer is NumPy's: nan or infinity, without
    a warning, for floats and arrays alike. For floats, what is computed alike for many symbols is
    computed together, by NumPy (:mod:`diffkit.symbolic.code.lanes`).

    Args:
        args: the symbols, in the order of the function's parameters; one, or a list. A list or matrix
            of symbols in that list is one parameter: a vector of n values, or an array of shape
            (n, ...) of n arrays. A MatrixSymbol is an array of its shape, of two axes; one of one column
            may have one axis.
        exprs: an expression, a list of them (the function returns a list), or a matrix or array (it
            returns an array of its shape, before the broadcast ones).
        functions: what undefined functions compute, by name.

    Returns:
        A function. Its attribute ``source`` is the program; ``lanes`` is that for floats, if that is
        another. Long sums of constant multiples of the same operands are computed together, as
        ``times(matrix, vector)``; those matrices, and other constants, are in its attribute
        ``constants``, by name.

    Raises:
        InputError: for a symbol that is not among the arguments, for names that occur twice, and, by
            the function, for a vector of another length.
        NoRuleError: for a function that nothing computes.
        BudgetError: by the function, when its Sums and Products have more than ten million terms.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> f = lambdify([x, y], sympy.log(x) / y)
    >>> f(1.0, 2.0), f(np.array([1.0, np.e]), 2.0), f(0.0, 1.0)
    (0.0, array([0. , 0.5]), -inf)
    >>> W, z, b = (sympy.MatrixSymbol(*given) for given in (("W", 3, 2), ("z", 2, 1), ("b", 3, 1)))
    >>> f = lambdify([W, z, b], (W * z + b).applyfunc(sympy.tanh))
    >>> print(f.source, end="")
    def formula(W, z, b):
        return np.tanh(W @ z + b)
    >>> f(np.ones((3, 2)), np.zeros(2), np.zeros(3)).shape
    (3, 1)
    >>> f = lambdify([[x, y]], sympy.Array([y, x * y]))
    >>> f([2.0, 3.0])
    array([3., 6.])
    """
    if _in_matrices(args, exprs):
        return of_matrices.lambdify(args, exprs, functions)
    arguments = arguments_of(args)
    roots, shape = roots_of(exprs)
    return _compiled(arguments, stable_at_zero(roots), shape, functions or {})


def _in_matrices(args: Any, exprs: Any) -> bool:
    """Whether matrices stand as symbols in what is computed, or in what of."""
    parts = [p for given in (args, exprs) for p in (given if isinstance(given, list | tuple) else [given])]
    return any(map(is_matrix_expression, parts)) or any(map(is_about_matrices, parts))


_SCALARS = {"sqrt": math.sqrt, "pow": math.pow, "times": times_scalars}
_ARRAYS = {"sqrt": np.sqrt, "pow": np.power, "times": times_arrays}

Function: TypeAlias = Callable[..., Any]


def _compiled(
    arguments: Sequence[Expression | Vector],
    roots: Sequence[Expression],
    shape: Any,
    functions: Mapping[str, Function],
) -> Any:
    """The function that :func:`lambdify` returns: a program for floats, one for arrays, and which to take."""
    ending = "return {}" if shape is None else "return [{}]"
    lines = FunctionText(arguments, roots, ending)
    lanes = in_lanes(roots, flat(arguments), {v.symbol: v for v in arguments if isinstance(v, Vector)})
    if lanes is None:
        packed = None
        by_floats = lines.function(SCALARS, functions, _SCALARS)
    else:
        if lanes.together:
            ending = "return ({}).tolist()" if shape is list else f"return ({{}}).reshape({shape})"
        parameters = [a.symbol if isinstance(a, Vector) else a for a in arguments]
        packed = FunctionText(parameters, lanes.roots, ending, lanes.constants)
        by_floats = _quiet(packed.function(SCALARS, functions, _SCALARS), functions)
    if isinstance(shape, tuple) and not (lanes and lanes.together):
        by_floats = _reshaped(by_floats, shape)
    by_numpy = lines.function(FLOATS, functions, _ARRAYS)
    of_floats, of_arrays = _of_floats(by_floats, by_numpy, shape), _of_arrays(by_numpy, shape)
    function: Any
    if any(isinstance(a, Vector) for a in arguments):
        function = _of_vectors(arguments, of_floats, of_arrays, unpacked=lanes is None)
    else:
        function = _of_numbers(of_floats, of_arrays)
    function.__name__ = function.__qualname__ = "program"
    function.source = lines.source
    function.lanes = packed.source if packed else None
    function.constants = lines.constants | (packed.constants if packed else {})
    return function


def _reshaped(function: Function, shape: tuple[int, ...]) -> Function:
    return lambda *values: np.array(function(*values)).reshape(shape)


def _of_floats(by_floats: Function, by_numpy: Function, shape: Any) -> Function:
    """Floats to floats, by ``math``; where that raises, by NumPy, which knows infinity and nan."""

    def of_floats(*values: Any) -> Any:
        try:
            return by_floats(*values)
        except (ValueError, ZeroDivisionError, OverflowError, DomainError):
            with np.errstate(all="ignore"):
                outcome = by_numpy(*map(np.float64, values))
            if shape is None:
                return float(outcome)
            return [float(v) for v in outcome] if shape is list else np.array(outcome).reshape(shape)

    return of_floats


def _of_arrays(by_numpy: Function, shape: Any) -> Function:
    """Arrays, alone or with numbers, to arrays; those of a matrix are broadcast and stacked."""

    def of_arrays(*values: Any) -> Any:
        with np.errstate(all="ignore"):
            outcome = by_numpy(*map(FLOATS.convert, values))
        if not isinstance(shape, tuple):
            return outcome
        elements = np.broadcast_arrays(*outcome)
        return np.stack(elements).reshape(*shape, *elements[0].shape)

    return of_arrays


def _of_numbers(of_floats: Function, of_arrays: Function) -> Function:
    """The function of arguments that are a symbol each: which of the two fits is told by their types."""
    all_floats, all_numbers = {float}.issuperset, {float, int}.issuperset

    def program(*values: Any) -> Any:
        if all_floats(map(type, values)):
            return of_floats(*values)
        if all_numbers(map(type, values)):  # in integers, 3**(10**9) would be computed to its last digit
            return of_floats(*map(FLOATS.convert, values))
        return of_arrays(*values)

    return program


def _of_vectors(
    arguments: Sequence[Expression | Vector], of_floats: Function, of_arrays: Function, *, unpacked: bool
) -> Function:
    """The function of arguments that are symbols and lists of symbols.

    Args:
        arguments: they.
        of_floats: takes floats, and vectors of floats as arrays or, if ``unpacked``, as lists.
        of_arrays: takes everything else.
        unpacked: see there.
    """
    vectors = {k: a for k, a in enumerate(arguments) if isinstance(a, Vector)}
    shapes = [(k, (len(vector),)) for k, vector in vectors.items()]
    others = [k for k in range(len(arguments)) if k not in vectors]

    def are_floats(values: Sequence[Any]) -> bool:
        for k in others:
            if type(values[k]) is not float:
                return False
        for k, length in shapes:
            v = values[k]
            if type(v) is not np.ndarray or v.dtype is not _DOUBLE or v.shape != length:
                return False
        return True

    def program(*values: Any) -> Any:
        if len(values) != len(arguments):
            return of_arrays(*values)  # and Python says how many there should be
        if not are_floats(values):
            values = tuple(
                vectors[k].values(v) if k in vectors else FLOATS.convert(v) for k, v in enumerate(values)
            )
            if not are_floats(values):
                return of_arrays(*values)
        if unpacked:
            values = tuple(v.tolist() if k in vectors else v for k, v in enumerate(values))
        return of_floats(*values)

    return program


_DOUBLE = np.dtype(float)

_QUIET = contextvars.Context()
_QUIET.run(np.seterr, all="ignore")


def _quiet(program: Function, functions: Mapping[str, Any]) -> Function:
    """The program without NumPy's warnings.

    NumPy keeps what it does at an error in a context variable, and to run in a copy of a context
    where that is settled takes a sixth of the time of ``np.errstate``. A user's functions might look
    at other context variables, so they run in the context that they are called in.
    """
    if functions:
        return np.errstate(all="ignore")(program)
    return lambda *values: _QUIET.copy().run(program, *values)
