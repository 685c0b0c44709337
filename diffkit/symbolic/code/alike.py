"""Which expressions are alike: built by the same operations, in the same order, from alike operands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from diffkit.expressions import Expression
from diffkit.expressions.intern_table import COMMUTATIVE
from diffkit.symbolic.code.matrix_products import rows_of_matrices
from diffkit.symbolic.values.arithmetics import NUMPY
from diffkit.symbolic.values.evaluation import evaluate
from diffkit.symbolic.values.prerequisites import operands_first

FEWEST = 20  # members of a family; with fewer, Python is as quick as NumPy


def ufunc_of(node: Expression) -> np.ufunc | None:
    """What computes a SymPy function elementwise, if NumPy has it."""
    compute = NUMPY.get(type(node).__name__)
    return compute if isinstance(compute, np.ufunc) else None


class Graph:
    """The expressions below the roots, and which of them are alike.

    Attributes:
        order: the nodes, operands first.
        rows: the sums that are rows of a matrix times a vector, by identity.
        colours: a number for each node, by identity; nodes of the same number are alike.
    """

    def __init__(self, roots: Sequence[Expression], symbols: Sequence[Expression]) -> None:
        self.rows = rows_of_matrices(roots)
        self.order = operands_first([*symbols, *roots], (), self.operands)
        self.colours = self._coloured({id(s): 0 for s in symbols})
        if self.has_families():
            company = self._company()
            kinds: dict[frozenset[int], int] = {}
            self.colours = self._coloured(
                {id(s): kinds.setdefault(frozenset(company[id(s)]), len(kinds)) for s in symbols}
            )

    def has_families(self) -> bool:
        members = Counter(self.colours[id(node)] for node in self.order if not node.is_Number)
        return max(members.values(), default=0) >= FEWEST

    def _company(self) -> dict[int, set[int]]:
        """The colours of what each node is used in: a temperature is not used as mole fractions are."""
        company: dict[int, set[int]] = defaultdict(set)
        for node in self.order:
            for a in self.operands(node):
                company[id(a)].add(self.colours[id(node)])
        return company

    def operands(self, node: Expression) -> Sequence[Expression]:
        row = self.rows.get(id(node))
        return node._args if row is None else [*row.matrix.operands, *row.rest]

    def _coloured(self, symbols: dict[int, int]) -> dict[int, int]:
        colours: dict[tuple[Any, ...], int] = {}
        found: dict[int, int] = {}
        for node in self.order:
            key: tuple[Any, ...]
            row = self.rows.get(id(node))
            if id(node) in symbols:
                key = ("symbol", symbols[id(node)])
            elif row is not None:
                key = ("row", id(row.matrix), *[found[id(a)] for a in row.rest])
            elif node.is_Number and node.is_finite:
                key = ("number",)
            elif node.is_Pow and node._args[1].is_Number:
                key = ("power", found[id(node._args[0])], id(node._args[1]))
            elif type(node) in COMMUTATIVE or (node._args and ufunc_of(node) is not None):
                key = (type(node), *[found[id(a)] for a in node._args])
            else:
                key = ("alone", id(node))
            found[id(node)] = colours.setdefault(key, len(colours))
        return found

    def levels(self) -> list[list[Expression]]:
        """The nodes by how many levels of operands they stand on: the same for all that are alike."""
        level: dict[int, int] = {}
        levels: list[list[Expression]] = []
        for node in self.order:
            below = [level[id(a)] for a in self.operands(node)]
            level[id(node)] = 1 + max(below, default=-1)
            if level[id(node)] == len(levels):
                levels.append([])
            levels[level[id(node)]].append(node)
        return levels


def constants(graph: Graph) -> dict[int, float]:
    """The values of the finite numbers, and of what is computed from numbers alone, by identity."""
    constant: dict[int, Expression] = {}
    for node in graph.order:
        if not node._args:
            fixed = node.is_number and node.is_extended_real
        else:
            fixed = type(node) in COMMUTATIVE or ufunc_of(node) is not None
        if fixed and all(id(a) in constant for a in graph.operands(node)):
            constant[id(node)] = node
    values = zip(constant, evaluate(list(constant.values()), {}), strict=True)
    return {key: float(value) for key, value in values if isinstance(value, int | float) and isfinite(value)}
