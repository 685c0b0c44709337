"""An expression as a straight-line program: a line for every shared part, and Python that runs.

The text of an expression as a tree can be exponentially longer than the program that computes it;
here each shared subexpression has a name, is computed once, and is used by that name.

>>> import sympy
>>> from diffkit.symbolic import diff
>>> x = sympy.Symbol("x")
>>> u = sympy.exp(-(x**2))
>>> print(straight_line([u, diff(u, x)]))
v1 = exp(-x**2)
return v1, -(2*x)*v1
>>> f = lambdify([x], [u, diff(u, x)])
>>> f(1.0)
[0.36787944117144233, -0.7357588823428847]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from diffkit.errors import DomainError, InputError
from diffkit.expressions import Expression, intern, post_order
from diffkit.symbolic.arithmetics import FLOATS, SCALARS, Arithmetic, implementation
from diffkit.symbolic.matrix_products import times_arrays, times_scalars
from diffkit.symbolic.parts import RANGES, integers
from diffkit.symbolic.writer import Names, Text, Writer

__all__ = ["lambdify", "straight_line"]

# -- the public functions -----------------------------------------------------------------------------


def _roots(exprs: Any) -> tuple[list[Expression], Any]:
    if isinstance(exprs, sympy.MatrixBase):
        return [intern(e) for e in exprs], exprs.shape
    if isinstance(exprs, list | tuple):
        return [intern(e) for e in exprs], list
    return [intern(exprs)], None


def _free(roots: Sequence[Expression]) -> list[Expression]:
    """The symbols that occur, by name; the indices of a Sum are its own."""
    bound = {
        limit._args[0] for node in post_order(*roots) if isinstance(node, RANGES) for limit in node._args[1:]
    }
    symbols = {node for node in post_order(*roots) if node.is_Symbol and node not in bound}
    return sorted(symbols, key=lambda s: (str(s), s._hashable_content().__repr__()))


def straight_line(exprs: Any) -> str:
    """The expressions as a program: one line for each shared part, then what is returned.

    Args:
        exprs: an expression, a list of them, or a matrix.

    Raises:
        InputError: for what is no expression.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> l = 4 * x * (1 - x)
    >>> print(straight_line(4 * l * (1 - l)))
    v1 = 1 - x
    return 16*x*v1*(1 - 4*x*v1)
    """
    roots, _ = _roots(exprs)
    names = Names(())
    writer = Writer(names, {id(s): Text(names.like(s)) for s in _free(roots)}, {})
    results = ", ".join(r.text for r in writer.write(roots))
    return "\n".join([*writer.lines, f"return {results}"])


def lambdify(args: Any, exprs: Any, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The expressions as a Python function, straight-line, with every shared node computed once.

    Called with floats it computes with :mod:`math`, with arrays by NumPy, which broadcasts them.
    Where ``math`` would raise (log of 0, overflow), the answer is NumPy's: nan or infinity, without
    a warning, for floats and arrays alike.

    Args:
        args: the symbols, in the order of the function's parameters; one, or a list.
        exprs: an expression, a list of them (the function returns a list), or a matrix (it returns
            an array of its shape, before the broadcast ones).
        functions: what undefined functions compute, by name.

    Returns:
        A function; its attribute ``source`` is the program. Long sums of constant multiples of the
        same operands are computed together, as ``times(matrix, vector)``; those matrices are in its
        attribute ``constants``, by name.

    Raises:
        InputError: for a symbol that is not among the arguments, and for names that occur twice.
        NoRuleError: for a function that nothing computes.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> f = lambdify([x, y], sympy.log(x) / y)
    >>> f(1.0, 2.0), f(np.array([1.0, np.e]), 2.0), f(0.0, 1.0)
    (0.0, array([0. , 0.5]), -inf)
    """
    symbols = [args] if isinstance(args, sympy.Basic) else list(args)
    for symbol in symbols:
        if not isinstance(symbol, sympy.Expr) or not (
            symbol.is_Symbol or getattr(symbol, "_diff_wrt", False)
        ):
            raise InputError(f"expected symbols as the function's arguments, got {symbol!r}")
    symbols = [intern(symbol) for symbol in symbols]
    if len(set(symbols)) < len(symbols):
        raise InputError(f"expected different symbols as the function's arguments, got {symbols}")
    roots, shape = _roots(exprs)
    names = Names(())
    texts = {id(symbol): Text(names.like(symbol)) for symbol in symbols}
    parameters = ", ".join(text.text for text in texts.values())
    heads: dict[str, Any] = {}
    matrices: dict[str, Any] = {}
    writer = Writer(names, texts, heads, matrices)
    results = [r.text for r in writer.write(roots)]
    result = results[0] if shape is None else f"[{', '.join(results)}]"
    body = "\n    ".join([*writer.lines, f"return {result}"])
    source = f"def program({parameters}):\n    {body}\n"
    code = compile(source, "<diffkit.symbolic.lambdify>", "exec")

    def namespace(arithmetic: Arithmetic, basics: Mapping[str, Any]) -> Any:
        space = {**arithmetic.functions, **basics, **matrices, "integers": integers, "prod": math.prod}
        for name, head in heads.items():
            space[name] = implementation(head, arithmetic, functions or {})
        exec(code, space)
        return space["program"]

    by_math = namespace(SCALARS, _CONSTANTS | {"sqrt": math.sqrt, "pow": math.pow, "times": times_scalars})
    by_numpy = namespace(FLOATS, _CONSTANTS | {"sqrt": np.sqrt, "pow": np.power, "times": times_arrays})
    is_scalar = {float, int}.issuperset

    def compiled(*values: Any) -> Any:
        if is_scalar(map(type, values)):
            try:
                return by_math(*values)
            except (ValueError, ZeroDivisionError, OverflowError, DomainError):
                with np.errstate(all="ignore"):
                    outcome = by_numpy(*map(np.float64, values))
                return [float(v) for v in outcome] if shape is not None else float(outcome)
        with np.errstate(all="ignore"):
            return by_numpy(*map(FLOATS.convert, values))

    function: Any = compiled if not isinstance(shape, tuple) else _shaped(compiled, shape)
    function.source = source
    function.constants = matrices
    return function


_CONSTANTS: dict[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


def _shaped(function: Callable[..., Any], shape: tuple[int, ...]) -> Callable[..., Any]:
    def matrix(*values: Any) -> Any:
        elements = np.broadcast_arrays(*function(*values))
        return np.stack(elements).reshape(*shape, *elements[0].shape)

    return matrix
