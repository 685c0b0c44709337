"""An expression as a straight-line program: a line for every shared part.

The text of an expression as a tree can be exponentially longer than the program that computes it;
here each shared subexpression has a name, is computed once, and is used by that name.

>>> import sympy
>>> from diffkit.symbolic import diff
>>> x = sympy.Symbol("x")
>>> u = sympy.exp(-(x**2))
>>> print(straight_line([u, diff(u, x)]))
v1 = exp(-x**2)
return v1, -(2*x)*v1
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from diffkit.expressions import Expression, intern, post_order
from diffkit.symbolic.code.writer import Names, Text, Writer
from diffkit.symbolic.scopes import FreeVariables


def roots_of(exprs: Any) -> tuple[list[Expression], Any]:
    """The expressions of a list, matrix or array, and its shape: ``list``, or None for one alone."""
    if isinstance(exprs, sympy.MatrixBase | sympy.NDimArray):
        return [intern(e) for e in sympy.flatten(exprs)], tuple(map(int, exprs.shape))
    if isinstance(exprs, np.ndarray):
        return [intern(e) for e in exprs.flat], exprs.shape
    if isinstance(exprs, list | tuple):
        return [intern(e) for e in exprs], list
    return [intern(exprs)], None


def _free(roots: Sequence[Expression]) -> list[Expression]:
    """The symbols that occur, by name; the indices of a Sum are its own."""
    symbols = [node for node in post_order(*roots) if node.is_Symbol]
    free = FreeVariables(symbols)
    found = frozenset[int]().union(*(free.of(root) for root in roots))
    return sorted(
        (s for s in symbols if id(s) in found), key=lambda s: (str(s), s._hashable_content().__repr__())
    )


def straight_line(exprs: Any) -> str:
    """The expressions as a program: one line for each shared part, then what is returned.

    Args:
        exprs: an expression, a list of them, or a matrix.

    Returns:
        The lines ``v1 = ...``, and last ``return ...`` with the expressions in their order, as one text.

    Raises:
        InputError: for what is no expression.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> l = 4 * x * (1 - x)
    >>> print(straight_line(4 * l * (1 - l)))
    v1 = 1 - x
    return 16*x*v1*(1 - 4*x*v1)
    """
    roots, _ = roots_of(exprs)
    names = Names(type(node).__name__ for node in post_order(*roots))
    writer = Writer(names, {id(s): Text(names.like(s)) for s in _free(roots)}, {})
    results = ", ".join(r.text for r in writer.write(roots))
    return "\n".join([*writer.lines, f"return {results}"])
