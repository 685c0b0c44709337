"""Long sums of constant multiples of the same operands: the rows of a matrix times a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.expressions import Expression, post_order

__all__ = ["Matrix", "Row", "rows_of_matrices", "times_arrays", "times_scalars"]


class Matrix:
    """Sums of constant multiples of the same operands: a matrix times a vector."""

    def __init__(self, operands: Sequence[Expression]) -> None:
        self.operands = operands
        self.coefficients: list[list[float]] = []
        self.names: list[str] = []  # of the product's elements, once it is written


class Row:
    """A sum as one row of such a matrix, and the terms that are left over."""

    def __init__(self, matrix: Matrix, rest: Sequence[Expression]) -> None:
        self.matrix, self.rest = matrix, rest
        self.place = len(matrix.coefficients)


_SHORTEST_ROW = 8  # terms; shorter sums are quicker written out


def rows_of_matrices(roots: Sequence[Expression]) -> dict[int, Row]:
    """The long sums whose terms are constant multiples of the same operands, by identity."""
    found: dict[tuple[int, ...], list[tuple[Expression, list[Expression], list[Expression]]]] = {}
    for node in post_order(*roots):
        if node.is_Add and len(node._args) >= _SHORTEST_ROW:
            terms = [t for t in node._args if t.is_Mul and len(t._args) == 2 and t._args[0].is_Number]
            if len(terms) >= _SHORTEST_ROW:
                taken = {id(t) for t in terms}
                rest = [t for t in node._args if id(t) not in taken]
                found.setdefault(tuple(id(t._args[1]) for t in terms), []).append((node, terms, rest))
    rows: dict[int, Row] = {}
    for group in found.values():
        if len(group) > 1:
            matrix = Matrix([t._args[1] for t in group[0][1]])
            for node, terms, rest in group:
                rows[id(node)] = Row(matrix, rest)
                matrix.coefficients.append([float(t._args[0]) for t in terms])
    return rows


def times_scalars(matrix: Any, vector: tuple[float, ...]) -> Any:
    return (matrix @ np.array(vector)).tolist()


def times_arrays(matrix: Any, vector: tuple[Any, ...]) -> Any:
    stacked = np.stack(np.broadcast_arrays(*vector))
    return np.tensordot(matrix.astype(stacked.dtype), stacked, 1)
