"""The nodes: SymPy's own classes, the same object for the same arguments, and what each head does.

The tables say, by head, what the constructors of products do with a node; the file that builds a head fills
in its lines.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixBase,
    MatrixExpr,
    OneMatrix,
    S,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

TRANSPOSED: dict[type, Callable[[Any], Any]] = {}
"""The transpose of a node of this head."""
INVERTED: dict[type, Callable[[Any], Any]] = {}
"""Its inverse, or None: as it stands."""
TRACED: dict[type, Callable[[Any], Any]] = {}
"""Its trace, or None: as it stands."""
MERGED: dict[type, Callable[[Any, Any], Any]] = {}
"""The product of two of them as one node, or None."""
CHAINS: list[Callable[[list[Any]], list[Any]]] = []
"""What is done with all the factors of a product in the end."""


class Atom(ABC):  # noqa: B024 (classes of SymPy's register, none derives from it)
    """Numbers that a matrix is inside of: a user's own register here."""


for _head in (Trace, sympy.Determinant, MatrixElement):
    Atom.register(_head)
ATOMS = (Atom,)


@lru_cache(maxsize=100_000)
def node(head: Any, *args: Any) -> Any:
    """``head(*args)``, the same object for the same arguments."""
    made: Any = sympy.Basic.__new__(head, *map(sympy.sympify, args)) if head in _CHECKED else head(*args)
    return made


_CHECKED = (MatMul, MatAdd, HadamardProduct, HadamardPower, ElementwiseApplyFunction, Transpose, Trace)
"""What needs none of its constructor's checks, which walk down to the symbols for every shape."""


def atoms_in(e: Any) -> list[Any]:
    """The traces, determinants and elements of matrices in a scalar expression; what is in those is not."""
    found: dict[Any, None] = {}
    stack, seen = [e], set()
    while stack:
        part = stack.pop()
        if isinstance(part, ATOMS):
            found[part] = None
        elif id(part) not in seen:
            seen.add(id(part))
            stack.extend(reversed(part.args))
    return list(found)


def is_scalar(e: Any) -> bool:
    """Whether a number stands here, and no matrix; 1 x 1 matrices are read as numbers."""
    return not isinstance(e, MatrixExpr | MatrixBase)


def shape(e: Any) -> tuple[Any, Any]:
    """Rows and columns; (1, 1) of a scalar."""
    return (S.One, S.One) if is_scalar(e) else _shape(e)


@lru_cache(maxsize=100_000)
def _shape(e: Any) -> tuple[Any, Any]:
    """SymPy's own walks down to the symbols each time."""
    if isinstance(e, MatMul):
        matrices = [a for a in e.args if not is_scalar(a)]
        return _shape(matrices[0])[0], _shape(matrices[-1])[1]
    if isinstance(e, MatAdd | HadamardProduct):
        return _shape(e.args[0])
    if isinstance(e, HadamardPower | ElementwiseApplyFunction) and not is_scalar(_inside(e)):
        return _shape(_inside(e))
    if isinstance(e, Transpose):
        rows, columns = _shape(e.arg)
        return columns, rows
    rows, columns = e.shape
    return rows, columns


def _inside(e: Any) -> Any:
    return e.args[0] if isinstance(e, HadamardPower) else e.args[1]


def square(e: Any) -> bool:
    return bool(shape(e)[0] == shape(e)[1])


def zeros(rows: Any, columns: Any) -> Any:
    return S.Zero if rows == columns == 1 else node(ZeroMatrix, rows, columns)


def ones(rows: Any, columns: Any) -> Any:
    return S.One if rows == columns == 1 else node(OneMatrix, rows, columns)


def identity(size: Any) -> Any:
    return S.One if size == 1 else node(Identity, size)


def is_zero(e: Any) -> bool:
    return isinstance(e, ZeroMatrix) or e == 0


def coefficient_and_factors(e: Any) -> tuple[Any, list[Any]]:
    """``2*t*A*B`` as ``2*t, [A, B]``; a scalar has no factors."""
    if is_scalar(e):
        return e, []
    if isinstance(e, MatMul):
        scalars = [a for a in e.args if is_scalar(a)]
        return sympy.Mul(*scalars), [a for a in e.args if not is_scalar(a)]
    return S.One, [e]


def scaled(coefficient: Any, factors: Sequence[Any]) -> Any:
    """The plain node: nothing is looked at any more."""
    if not factors:
        return coefficient
    if coefficient is S.One:
        return factors[0] if len(factors) == 1 else node(MatMul, *factors)
    return node(MatMul, coefficient, *factors)
