"""The parameters of a compiled function: symbols, and lists of symbols that are given as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from diffkit.errors import InputError
from diffkit.expressions import Expression, intern, short
from diffkit.expressions.intern_table import leaf_of


class Vector(tuple[Expression, ...]):
    """Symbols that are given together, as one argument; ``symbol`` stands for their vector."""

    symbol: Expression

    def __new__(cls, symbols: Sequence[Expression]) -> Vector:
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


def arguments_of(args: Any) -> list[Expression | Vector]:
    """The parameters that :func:`~diffkit.symbolic.lambdify` was asked for.

    Raises:
        InputError: for what is no symbol, no list of them, or has a symbol twice.

    >>> x, y, t = sympy.symbols("x y t")
    >>> arguments_of([[x, y], t])
    [(x, y), t]
    """
    if not isinstance(args, sympy.Expr | Sequence | np.ndarray | sympy.Tuple | sympy.MatrixBase):
        raise InputError(
            f"expected symbols, in the order of the function's parameters, as a list; got {short(args)}"
        )
    given = [args] if isinstance(args, sympy.Expr) else list(args)
    arguments = [
        Vector([_symbol(s) for s in a]) if isinstance(a, _SEVERAL) and len(a) else _symbol(a) for a in given
    ]
    symbols = flat(arguments)
    if len(set(symbols)) < len(symbols):
        raise InputError(f"expected different symbols as the function's arguments, got {symbols}")
    return arguments


_SEVERAL = (list, tuple, np.ndarray, sympy.Tuple, sympy.MatrixBase)


def flat(arguments: Sequence[Expression | Vector]) -> list[Expression]:
    """The symbols themselves, in order."""
    return [s for a in arguments for s in (a if isinstance(a, Vector) else [a])]


def _symbol(symbol: Any) -> Expression:
    if not isinstance(symbol, sympy.Expr) or not (symbol.is_Symbol or getattr(symbol, "_diff_wrt", False)):
        raise InputError(f"expected symbols as the function's arguments, got {short(symbol)}")
    return intern(symbol)
