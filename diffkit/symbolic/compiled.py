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
from typing import Any

import numpy as np
import sympy

from diffkit.errors import DomainError, InputError
from diffkit.expressions import Expression, intern, post_order
from diffkit.expressions.table import leaf_of
from diffkit.symbolic.arithmetics import FLOATS, SCALARS, Arithmetic, implementation
from diffkit.symbolic.budget import Terms
from diffkit.symbolic.lanes import in_lanes
from diffkit.symbolic.matrix_products import times_arrays, times_scalars
from diffkit.symbolic.source import roots_of
from diffkit.symbolic.writer import Names, Text, Writer

__all__ = ["lambdify"]


def lambdify(args: Any, exprs: Any, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The expressions as a Python function, straight-line, with every shared node computed once.

    Called with floats it computes with :mod:`math`, with arrays by NumPy, which broadcasts them.
    Where ``math`` would raise (log of 0, overflow), the answer is NumPy's: nan or infinity, without
    a warning, for floats and arrays alike. For floats, what is computed alike for many symbols is
    computed together, by NumPy (:mod:`diffkit.symbolic.lanes`).

    Args:
        args: the symbols, in the order of the function's parameters; one, or a list. A list or matrix
            of symbols in that list is one parameter: a vector of n values, or an array of shape
            (n, ...) of n arrays.
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

    >>> x, y = sympy.symbols("x y")
    >>> f = lambdify([x, y], sympy.log(x) / y)
    >>> f(1.0, 2.0), f(np.array([1.0, np.e]), 2.0), f(0.0, 1.0)
    (0.0, array([0. , 0.5]), -inf)
    >>> f = lambdify([[x, y]], sympy.Array([y, x * y]))
    >>> f([2.0, 3.0])
    array([3., 6.])
    """
    arguments = _arguments(args)
    roots, shape = roots_of(exprs)
    return _compiled(arguments, roots, shape, functions or {})


# -- the arguments ------------------------------------------------------------------------------------


class _Vector(tuple[Expression, ...]):
    """Symbols that are given together, as one argument; ``symbol`` stands for their vector."""

    symbol: Expression

    def __new__(cls, symbols: Sequence[Expression]) -> _Vector:
        vector = super().__new__(cls, symbols)
        stem = str(symbols[0]).rstrip("0123456789_")
        vector.symbol = leaf_of(sympy.Dummy(stem or "values"))
        return vector

    def values(self, given: Any) -> Any:
        """What is given for the vector, as an array; the first axis is that of its elements."""
        try:
            array = np.asarray(given)
        except ValueError:  # of arrays that differ in shape
            array = np.empty(0)
        if array.shape[:1] != (len(self),):
            got = f"an array of shape {array.shape}" if array.size else "what makes no array"
            raise InputError(
                f"expected {len(self)} values for ({self[0]}, ..., {self[-1]}), "
                f"as a list or an array of shape ({len(self)},) or ({len(self)}, ...), got {got}"
            )
        return array.astype(float) if array.dtype.kind in "bui" else array


def _arguments(args: Any) -> list[Expression | _Vector]:
    if not isinstance(args, sympy.Expr | Sequence | np.ndarray | sympy.Tuple | sympy.MatrixBase):
        raise InputError(
            f"expected symbols, in the order of the function's parameters, as a list; got {args!r}"
        )
    given = [args] if isinstance(args, sympy.Expr) else list(args)
    arguments = [
        _Vector([_symbol(s) for s in a]) if isinstance(a, _SEVERAL) and len(a) else _symbol(a) for a in given
    ]
    symbols = _flat(arguments)
    if len(set(symbols)) < len(symbols):
        raise InputError(f"expected different symbols as the function's arguments, got {symbols}")
    return arguments


_SEVERAL = (list, tuple, np.ndarray, sympy.Tuple, sympy.MatrixBase)


def _flat(arguments: Sequence[Expression | _Vector]) -> list[Expression]:
    return [s for a in arguments for s in (a if isinstance(a, _Vector) else [a])]


def _symbol(symbol: Any) -> Expression:
    if not isinstance(symbol, sympy.Expr) or not (symbol.is_Symbol or getattr(symbol, "_diff_wrt", False)):
        raise InputError(f"expected symbols as the function's arguments, got {symbol!r}")
    return intern(symbol)


# -- the program --------------------------------------------------------------------------------------


class _Program:
    """The text of a function, and what has to be known to run it.

    Args:
        arguments: the function's parameters.
        roots: what it computes.
        ending: the end of its last line, ``return [{}]`` for a list of them.
        constants: arrays, by the symbols for them; None to find matrices in long sums.

    Attributes:
        source: the text.
        constants: the arrays in it, by name.
    """

    def __init__(
        self,
        arguments: Sequence[Expression | _Vector],
        roots: Sequence[Expression],
        ending: str,
        constants: Mapping[Expression, Any] | None = None,
    ) -> None:
        names = Names(type(node).__name__ for node in post_order(*roots))
        texts = {id(symbol): Text(names.like(symbol)) for symbol in _flat(arguments)}
        self.constants: dict[str, Any] = {}
        for symbol, value in (constants or {}).items():
            texts[id(symbol)] = Text(names.fresh("c"))
            self.constants[texts[id(symbol)].text] = value
        self.heads: dict[str, Any] = {}
        matrices = self.constants if constants is None else None
        writer = Writer(names, texts, self.heads, matrices)
        parameters = []
        for argument in arguments:
            if isinstance(argument, _Vector):
                parameters.append(names.like(argument.symbol))
                writer.lines.append(f"[{', '.join(texts[id(s)].text for s in argument)}] = {parameters[-1]}")
            else:
                parameters.append(texts[id(argument)].text)
        results = ", ".join(r.text for r in writer.write(roots))
        self.has_loops = any("integers(" in line for line in [*writer.lines, results])
        body = "\n    ".join([*writer.lines, ending.format(results)])
        self.source = f"def program({', '.join(parameters)}):\n    {body}\n"
        self.code = compile(self.source, "<diffkit.symbolic.lambdify>", "exec")

    def function(
        self,
        arithmetic: Arithmetic,
        functions: Mapping[str, Callable[..., Any]],
        basics: Mapping[str, Any],
    ) -> Callable[..., Any]:
        """The function in an arithmetic, ``functions`` being those that the user gives."""
        space = {**arithmetic.functions, **_CONSTANTS, **basics, **self.constants}
        space |= {name: implementation(head, arithmetic, functions) for name, head in self.heads.items()}
        terms = Terms(arithmetic.terms)
        number = np.float64 if arithmetic.takes_arrays else float
        space["integers"] = lambda low, high: map(number, terms.integers(low, high))
        exec(self.code, space)
        program: Callable[..., Any] = space["program"]
        return _counted(program, terms) if self.has_loops else program


def _counted(program: Callable[..., Any], terms: Terms) -> Callable[..., Any]:
    """The program with a count of the terms of its Sums and Products, which begins at each call."""

    def counted(*values: Any) -> Any:
        terms.start()
        return program(*values)

    return counted


_CONSTANTS = {
    "pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "prod": math.prod,
}  # fmt: skip
_SCALARS = {"sqrt": math.sqrt, "pow": math.pow, "times": times_scalars}
_ARRAYS = {"sqrt": np.sqrt, "pow": np.power, "times": times_arrays}


# -- the function -------------------------------------------------------------------------------------


def _compiled(
    arguments: Sequence[Expression | _Vector],
    roots: Sequence[Expression],
    shape: Any,
    functions: Mapping[str, Callable[..., Any]],
) -> Any:
    lines = _Program(arguments, roots, "return {}" if shape is None else "return [{}]")
    vectors = {k: a for k, a in enumerate(arguments) if isinstance(a, _Vector)}
    lanes = in_lanes(roots, _flat(arguments), {v.symbol: v for v in vectors.values()})
    if lanes is not None:
        ending = "return {}" if shape is None else "return [{}]"
        if lanes.together:
            ending = "return ({}).tolist()" if shape is list else f"return ({{}}).reshape({shape})"
        parameters = [a.symbol if isinstance(a, _Vector) else a for a in arguments]
        packed = _Program(parameters, lanes.roots, ending, lanes.constants)
        by_floats = _quiet(packed.function(SCALARS, functions, _SCALARS), functions)
    else:
        by_floats = lines.function(SCALARS, functions, _SCALARS)
    if isinstance(shape, tuple) and not (lanes and lanes.together):
        by_floats = _reshaped(by_floats, shape)
    by_numpy = lines.function(FLOATS, functions, _ARRAYS)

    def of_floats(*values: Any) -> Any:
        try:
            return by_floats(*values)
        except (ValueError, ZeroDivisionError, OverflowError, DomainError):
            with np.errstate(all="ignore"):
                outcome = by_numpy(*map(np.float64, values))
            if shape is None:
                return float(outcome)
            return [float(v) for v in outcome] if shape is list else np.array(outcome).reshape(shape)

    def of_arrays(*values: Any) -> Any:
        with np.errstate(all="ignore"):
            outcome = by_numpy(*map(FLOATS.convert, values))
        if not isinstance(shape, tuple):
            return outcome
        elements = np.broadcast_arrays(*outcome)
        return np.stack(elements).reshape(*shape, *elements[0].shape)

    all_floats, all_numbers = {float}.issuperset, {float, int}.issuperset

    def compiled(*values: Any) -> Any:
        if all_floats(map(type, values)):
            return of_floats(*values)
        if all_numbers(map(type, values)):  # in integers, 3**(10**9) would be computed to its last digit
            return of_floats(*map(FLOATS.convert, values))
        return of_arrays(*values)

    shapes = [(k, (len(vector),)) for k, vector in vectors.items()]
    others = [k for k in range(len(arguments)) if k not in vectors]

    def are_floats(values: Sequence[Any]) -> bool:
        for k in others:
            if type(values[k]) is not float:
                return False
        for k, length in shapes:
            if (
                type(values[k]) is not np.ndarray
                or values[k].dtype is not _DOUBLE
                or values[k].shape != length
            ):
                return False
        return True

    def compiled_of_vectors(*values: Any) -> Any:
        if len(values) != len(arguments):
            return by_numpy(*values)  # and Python says how many there should be
        if not are_floats(values):
            values = tuple(
                vectors[k].values(v) if k in vectors else FLOATS.convert(v) for k, v in enumerate(values)
            )
            if not are_floats(values):
                return of_arrays(*values)
        if lanes is None:
            values = tuple(v.tolist() if k in vectors else v for k, v in enumerate(values))
        return of_floats(*values)

    function: Any = compiled_of_vectors if vectors else compiled
    function.__name__ = function.__qualname__ = "program"
    function.source = lines.source
    function.lanes = packed.source if lanes else None
    function.constants = lines.constants | (packed.constants if lanes else {})
    return function


def _reshaped(function: Callable[..., Any], shape: tuple[int, ...]) -> Callable[..., Any]:
    return lambda *values: np.array(function(*values)).reshape(shape)


_DOUBLE = np.dtype(float)

_QUIET = contextvars.Context()
_QUIET.run(np.seterr, all="ignore")


def _quiet(program: Callable[..., Any], functions: Mapping[str, Any]) -> Callable[..., Any]:
    """The program without NumPy's warnings.

    NumPy keeps what it does at an error in a context variable, and to run in a copy of a context
    where that is settled takes a sixth of the time of ``np.errstate``. A user's functions might look
    at other context variables, so they run in the context that they are called in.
    """
    if functions:
        return np.errstate(all="ignore")(program)
    return lambda *values: _QUIET.copy().run(program, *values)
