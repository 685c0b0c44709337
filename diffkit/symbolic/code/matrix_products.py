"""Long sums of constant multiples of the same operands: the rows of a matrix times a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.expressions import Expression, post_order


class Matrix:
    """Sums of constant multiples of the same operands: a matrix times a vector."""

    def __init__(self, operands: Sequence[Expression]) -> None:
        self.operands = operands
        self.coefficients: list[list[float]] = []
        self.names: list[str] = []  # of the product's elements, once it is written


class MatrixRow:
    """A sum as one row of such a matrix, and the terms that are left over."""

    def __init__(self, matrix: Matrix, rest: Sequence[Expression]) -> None:
        self.matrix, self.rest = matrix, rest
        self.place = len(matrix.coefficients)


_SHORTEST_ROW = 8  # terms; shorter sums are quicker written out


def rows_of_matrices(roots: Sequence[Expression]) -> dict[int, MatrixRow]:
    """The long sums whose terms are constant multiples of the same operands, by identity.

    A term x without a coefficient is one of them if another of the sums has a multiple of x.
    """
    sums = [n for n in post_order(*roots) if n.is_Add and len(n._args) >= _SHORTEST_ROW]
    multiplied = {id(t._args[1]) for node in sums for t in node._args if _is_multiple(t)}
    found: dict[frozenset[int], list[tuple[Expression, dict[int, float], list[Expression]]]] = {}
    vectors: dict[frozenset[int], list[Expression]] = {}
    for node in sums:
        coefficients: dict[int, float] = {}
        operands, rest = [], []
        for term in node._args:
            operand, coefficient = term._args[::-1] if _is_multiple(term) else (term, 1)
            if id(operand) in multiplied and id(operand) not in coefficients:
                operands.append(operand)
                coefficients[id(operand)] = float(coefficient)
            else:
                rest.append(term)
        if len(operands) >= _SHORTEST_ROW:
            key = frozenset(coefficients)
            vectors.setdefault(key, operands)
            found.setdefault(key, []).append((node, coefficients, rest))
    rows: dict[int, MatrixRow] = {}
    for key, group in found.items():
        if len(group) > 1:
            matrix = Matrix(vectors[key])
            for node, coefficients, rest in group:
                rows[id(node)] = MatrixRow(matrix, rest)
                matrix.coefficients.append([coefficients[id(operand)] for operand in matrix.operands])
    return rows


def _is_multiple(term: Expression) -> bool:
    return term.is_Mul and len(term._args) == 2 and bool(term._args[0].is_Number)


def times_scalars(matrix: Any, vector: tuple[float, ...]) -> Any:
    return (matrix @ np.array(vector)).tolist()


def times_arrays(matrix: Any, vector: tuple[Any, ...]) -> Any:
    stacked = np.stack(np.broadcast_arrays(*vector))
    return np.tensordot(matrix.astype(stacked.dtype), stacked, 1)
