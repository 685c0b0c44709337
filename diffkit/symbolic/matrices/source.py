"""Matrix formulas as NumPy programs: source, and functions.

>>> from sympy import MatrixSymbol
>>> W, y, b = MatrixSymbol("W", 3, 2), MatrixSymbol("y", 2, 1), MatrixSymbol("b", 3, 1)
>>> print(source([W * y + b], [W, y, b]), end="")
def formula(W, y, b):
    return W @ y + b
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import MatrixSymbol

from diffkit.errors import InputError
from diffkit.symbolic.matrices.facts import session
from diffkit.symbolic.matrices.numpy_writer import Writer
from diffkit.symbolic.matrices.reading import read_all, shape_text


def inputs_of(expr: Any) -> list[Any]:
    """The symbols of a formula that are no sizes of its matrices: matrices first, by name."""
    free = expr.free_symbols
    sizes = {s for m in free if isinstance(m, MatrixSymbol) for n in m.shape for s in n.free_symbols}
    return sorted(
        (s for s in free if s not in sizes), key=lambda s: (not isinstance(s, MatrixSymbol), s.name)
    )


def source(exprs: Sequence[Any], args: Sequence[Any], name: str = "formula", functions: Any = ()) -> str:
    """A Python function of the arguments; of several formulas it returns a tuple.

    Args:
        exprs: formulas in the matrices.
        args: MatrixSymbols (arrays of two axes, columns are n x 1) and scalar symbols, in order.
        name: the function's.
        functions: the names of undefined functions that may be called.

    Raises:
        InputError: if a symbol of the formulas is no argument, and no size of one.
        NoRuleError: for what NumPy has no function for.
    """
    return _written(exprs, args, name, functions)[0]


def _written(
    exprs: Sequence[Any], args: Sequence[Any], name: str, functions: Any
) -> tuple[str, dict[str, Callable[..., Any]]]:
    """The source, and a user's own functions that it calls."""
    with session():
        writer = Writer(read_all(exprs), args, functions)
        answers = [writer.text(e) for e in writer.roots]
    lines = [f"def {name}({', '.join(writer.names[a] for a in args)}):"]
    lines += [f"    {line}" for line in (*writer.sizes(), *writer.lines)]
    lines.append(f"    return {', '.join(answers)}")
    return "\n".join(lines) + "\n", writer.own


def function(
    exprs: Sequence[Any], args: Sequence[Any], functions: Mapping[str, Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """That source, run: a function of arrays of two axes and numbers, with its text as ``.source``."""
    text, own = _written(exprs, args, "formula", functions or {})
    names: dict[str, Any] = {"np": np, **(functions or {}), **own}
    exec(compile(text, "<matrix formula>", "exec"), names)
    made = names["formula"]
    made.source = text
    return made  # type: ignore[no-any-return]


def lambdify(args: Any, exprs: Any, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """See :func:`diffkit.symbolic.lambdify`: of formulas in matrices."""
    parameters = list(args) if isinstance(args, list | tuple) else [args]
    several = isinstance(exprs, list | tuple)
    compute = function(exprs if several else [exprs], parameters, functions)
    matrices = [(k, a) for k, a in enumerate(parameters) if isinstance(a, MatrixSymbol)]

    def program(*values: Any) -> Any:
        for k, symbol in matrices:
            if k < len(values) and getattr(values[k], "ndim", None) != 2:
                values = (*values[:k], _two_axes(values[k], symbol), *values[k + 1 :])
        found = compute(*values)
        return list(found) if several and len(exprs) > 1 else [found] if several else found

    program.source = compute.source  # type: ignore[attr-defined]
    return program


def _two_axes(value: Any, symbol: Any) -> Any:
    """An array of two axes for a matrix symbol; one of one axis is a column."""
    array = value if hasattr(value, "ndim") else np.asarray(value)
    if array.ndim == 1 and symbol.shape[1] == 1:
        return array[:, None]
    if array.ndim != 2:
        raise InputError(
            f"expected an array of two axes for {shape_text(symbol)}, got one of shape {array.shape}"
        )
    return array
