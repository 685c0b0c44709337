"""Families of alike expressions, computed together: one NumPy operation for all of their members.

Fifty mole fractions give fifty logarithms of fifty quotients, and a straight-line program computes
each in a line of its own. Here expressions that are built alike from alike operands become the lanes
of one vector, as a compiler packs isomorphic statements into vector instructions (Larsen and
Amarasinghe, *Exploiting Superword Level Parallelism*, PLDI 2000), but over the shared graph: two
expressions are alike if they are the same operation on operands that are, in order, alike.

The result is an expression again, over a few functions of vectors, so ``[log(a*x1), ..., log(a*x50)]``
becomes ``np_log(a*np_stack(x1, ..., x50))``, and is written as a program like any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import getitem
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
from sympy import S

from diffkit.expressions import Expression, post_order, rebuild
from diffkit.expressions.intern_table import COMMUTATIVE, leaf_of, node_of
from diffkit.expressions.operations import MINUS_ONE, product, total
from diffkit.symbolic.code.alike import FEWEST, Graph, constants, ufunc_of
from diffkit.symbolic.code.matrix_products import Matrix, MatrixRow
from diffkit.symbolic.values.prerequisites import ELEMENTS, RANGES

# -- functions of vectors -----------------------------------------------------------------------------


@cache
def _head(name: str, compute: Callable[..., Any]) -> Any:
    """A SymPy function of vectors that computes its values by ``compute``."""
    return type(f"np_{name}", (sympy.Function,), {"_imp_": staticmethod(compute)})


def _stack(*values: float) -> Any:
    return np.fromiter(values, float, len(values))


_STACK = _head("stack", _stack)
_JOIN = _head("join", lambda *vectors: np.concatenate(vectors))
_DOT = _head("dot", np.ndarray.dot)
_FLOAT = _head("float", float)
_PICK = _head("pick", getitem)
_ITEM = _head("item", np.ndarray.item)
_SQRT = _head("sqrt", np.sqrt)
_POWER = _head("power", np.power)


def _elementwise(node: Expression) -> Any:
    """The vectors' function for a SymPy function that NumPy has."""
    compute = ufunc_of(node)
    assert compute is not None, "only what NumPy computes elementwise has alike nodes"
    return _head(compute.__name__, compute)


# -- one vector for each family -----------------------------------------------------------------------


@dataclass(frozen=True)
class Lanes:
    """Expressions over vectors.

    Attributes:
        roots: what the given ones have become: one each, or, if ``together``, one vector of them all.
        together: whether that is so.
        constants: numbers, arrays of numbers, and the indices of elements, by the symbols for them.
    """

    roots: list[Expression]
    together: bool
    constants: dict[Expression, Any]


def in_lanes(
    roots: Sequence[Expression],
    symbols: Sequence[Expression],
    vectors: Mapping[Expression, Sequence[Expression]] = MappingProxyType({}),
) -> Lanes | None:
    """The expressions with their families as vectors, to be computed for floats; None if that is no quicker.

    Args:
        roots: interned expressions.
        symbols: interned, what they are functions of.
        vectors: those of the symbols that are given together, as the elements of a vector, by the
            symbol for that.

    >>> from diffkit.expressions import intern
    >>> xs = [intern(x) for x in sympy.symbols("x:100")]
    >>> lanes = in_lanes([intern(sympy.log(2 * x)) for x in xs], xs)
    >>> lanes.roots[0].func, lanes.together
    (np_log, True)
    """
    if any(isinstance(n, _SCOPES) or type(n).__name__.startswith("np_") for n in post_order(*roots)):
        return None
    graph = Graph(roots, symbols)
    if not graph.has_families():
        return None
    packing = _Packing(graph, vectors)
    lanes = packing.finished(roots)
    return lanes if packing.cost(lanes.roots) < _cost(graph) else None


_SCOPES = (*RANGES, *ELEMENTS, sympy.Derivative, sympy.Subs)  # what an index is bound in


class _Packing:
    """Rewrites a graph, from the leaves up, with a vector for each family."""

    def __init__(self, graph: Graph, vectors: Mapping[Expression, Sequence[Expression]]) -> None:
        self.graph = graph
        self.constants: dict[Expression, Any] = {}
        self._known: dict[Any, Expression] = {}  # those constants, by what they are
        self._lengths: dict[int, int] = {}  # of the expressions that are vectors, by identity
        self._homes: dict[int, tuple[Expression, int]] = {}  # of a member, its vector and place in it
        self._scalars: dict[int, Expression] = {}  # what has no home
        self._keep: list[Expression] = []  # identities stay valid while their owner lives
        self._uses = Counter(id(a) for node in graph.order for a in graph.operands(node))
        self._shared: set[int] = set()  # the vectors with a member that is used more than once
        for vector, elements in vectors.items():
            self._settle(elements, vector)
        alike: dict[int, list[Expression]] = defaultdict(list)
        for node in graph.order:
            if not node.is_Number and id(node) not in self._homes:
                alike[graph.colours[id(node)]].append(node)
        self._families = {colour: nodes for colour, nodes in alike.items() if len(nodes) >= FEWEST}
        self._fixed = constants(graph)
        for level in graph.levels():
            self._pack(level)

    def _pack(self, level: Sequence[Expression]) -> None:
        """The nodes of a level, whose operands have been packed before."""
        for node in level:
            if id(node) in self._homes:
                continue
            family = self._families.get(self.graph.colours[id(node)])
            if id(node) in self._fixed:
                self._scalars[id(node)] = self._number(node)
            elif family is None:
                self._scalars[id(node)] = self._alone(node)
            else:
                family = self._in_order(family)
                self._settle(family, self._together(family))

    def _settle(self, family: Sequence[Expression], vector: Expression) -> None:
        self._vector(vector, len(family))
        self._homes.update((id(member), (vector, k)) for k, member in enumerate(family))
        if any(self._uses[id(member)] > 1 for member in family):
            self._shared.add(id(vector))

    def _vector(self, vector: Expression, length: int) -> Expression:
        self._lengths[id(vector)] = length
        self._keep.append(vector)
        return vector

    def _home(self, nodes: Sequence[Expression]) -> Expression | None:
        """The vector that all of them are in, if there is one."""
        homes = [self._homes.get(id(node), (None, 0))[0] for node in nodes]
        return homes[0] if all(home is homes[0] for home in homes) else None

    def _place(self, node: Expression) -> int:
        return self._homes[id(node)][1]

    # -- families -----------------------------------------------------------------------------------

    def _in_order(self, family: list[Expression]) -> list[Expression]:
        """In the order of their first operands that are lanes, so that those need not be picked out."""
        rows = self.graph.rows
        if id(family[0]) in rows:
            return sorted(family, key=lambda node: rows[id(node)].place)
        for operands in zip(*(node._args for node in family), strict=True):
            if any(a is not operands[0] for a in operands) and self._home(operands) is not None:
                place = {id(node): self._place(a) for node, a in zip(family, operands, strict=True)}
                return sorted(family, key=lambda node: place[id(node)])
        return family

    def _together(self, family: list[Expression]) -> Expression:
        """The operation that all members are, on the vectors of their operands."""
        first = family[0]
        if not first._args:
            return node_of(_STACK, tuple(family))
        rows = [self.graph.rows[id(node)] for node in family if id(node) in self.graph.rows]
        if rows:
            products = self._picked(self._times(rows[0].matrix), [row.place for row in rows])
            return total([products, *self._columns([row.rest for row in rows])])
        operands = self._columns([node._args for node in family])
        if not first.is_Pow:
            head = type(first) if type(first) in COMMUTATIVE else _elementwise(first)
            return node_of(head, tuple(operands))
        base, exponent = operands
        if exponent in (S.Half, -S.Half):
            root = self._vector(node_of(_SQRT, (base,)), len(family))
            return root if exponent is S.Half else node_of(sympy.Pow, (root, MINUS_ONE))
        return node_of(sympy.Pow if exponent.is_Integer else _POWER, (base, exponent))

    def _columns(self, rows: Sequence[Sequence[Expression]]) -> list[Expression]:
        return [self._gathered(column) for column in zip(*rows, strict=True)]

    def _gathered(self, nodes: Sequence[Expression]) -> Expression:
        """The vector of the nodes; if they are all the same, that one."""
        if all(node is nodes[0] for node in nodes):
            return self._scalar(nodes[0])
        if all(id(node) in self._fixed for node in nodes):
            values = [self._fixed[id(node)] for node in nodes]
            return self._constant(("array", *values), np.array(values), len(values))
        home = self._home(nodes)
        if home is not None:
            return self._picked(home, [self._place(node) for node in nodes])
        return self._joined(nodes)

    def _joined(self, nodes: Sequence[Expression]) -> Expression:
        """The vector of nodes that are in several vectors, and in none: those, one after the other, and of
        that the elements in order."""
        parts, order = [], []
        groups = self._by_home(nodes)
        for home, members in groups:
            if home is None:
                several = list({id(node): node for node in members}.values())
                members = several if 2 * len(several) <= len(members) else members
                members = list(nodes) if len(groups) == 1 and members is not several else members
                parts.append(self._vector(node_of(_STACK, tuple(map(self._scalar, members))), len(members)))
            else:
                parts.append(self._picked(home, [self._place(node) for node in members]))
            order += members
        if len(parts) == 1:
            joined = parts[0]
        else:
            joined = self._vector(node_of(_JOIN, tuple(parts)), len(order))
        if len(order) == len(nodes) and all(a is b for a, b in zip(order, nodes, strict=True)):
            return joined
        place = {id(node): k for k, node in enumerate(order)}
        return self._picked(joined, [place[id(node)] for node in nodes])

    def _picked(self, vector: Expression, places: list[int]) -> Expression:
        """Some of a vector's elements: a slice where they follow each other in equal steps."""
        first, count = places[0], len(places)
        step = places[1] - first if count > 1 else 1
        index: Any = np.array(places)
        if step > 0 and places == list(range(first, first + step * count, step)):
            if count == self._lengths[id(vector)]:
                return vector
            index = slice(first, first + step * (count - 1) + 1, step)
        chosen = self._constant(("index", *places), index, 0)
        return self._vector(node_of(_PICK, (vector, chosen)), count)

    def _constant(self, key: Any, value: Any, length: int) -> Expression:
        if key not in self._known:
            self._known[key] = leaf_of(sympy.Dummy("c"))
            if length:
                self._vector(self._known[key], length)
            self.constants[self._known[key]] = value
        return self._known[key]

    def _number(self, node: Expression) -> Expression:
        if node.is_Number:
            return node
        return self._constant(("number", id(node)), self._fixed[id(node)], 0)

    def _times(self, matrix: Matrix) -> Expression:
        """The product of a matrix of constants and its operands, block by block."""
        coefficients = np.array(matrix.coefficients)
        terms = []
        for home, operands in self._by_home(matrix.operands):
            column = {id(operand): k for k, operand in enumerate(matrix.operands)}
            block = coefficients[:, [column[id(operand)] for operand in operands]]
            vector = self._gathered(operands)
            if id(vector) in self._lengths:
                constant = self._constant((id(matrix), id(home)), np.ascontiguousarray(block), 0)
                terms.append(node_of(_DOT, (constant, vector)))
            else:
                constant = self._constant((id(matrix), id(home)), block[:, 0], len(block))
                terms.append(node_of(sympy.Mul, (vector, constant)))
        return self._vector(total(terms), len(coefficients))

    def _by_home(self, nodes: Sequence[Expression]) -> list[tuple[Expression | None, list[Expression]]]:
        """The nodes by the vector that they are in, in its order; those in none, or few in one, at last."""
        homes: dict[int, list[Expression]] = defaultdict(list)
        others: list[Expression] = []
        for node in nodes:
            if id(node) in self._homes:
                homes[id(self._homes[id(node)][0])].append(node)
            else:
                others.append(node)
        found: list[tuple[Expression | None, list[Expression]]] = []
        for members in homes.values():
            if len(members) >= FEWEST:
                found.append((self._home(members), sorted(members, key=self._place)))
            else:
                others += members
        return [*found, (None, others)] if others else found

    # -- the others ---------------------------------------------------------------------------------

    def _scalar(self, node: Expression) -> Expression:
        home = self._homes.get(id(node))
        return self._scalars[id(node)] if home is None else self._item(*home)

    def _item(self, vector: Expression, place: int) -> Expression:
        return node_of(_ITEM, (vector, leaf_of(sympy.Integer(place))))

    def _alone(self, node: Expression) -> Expression:
        row: MatrixRow | None = self.graph.rows.get(id(node))
        if row is not None:
            return self._sum(row.rest, [self._item(self._times(row.matrix), row.place)])
        if node.is_Add and len(node._args) >= FEWEST:
            return self._sum(node._args, [])
        return rebuild(node, [self._scalar(a) for a in node._args])

    def _sum(self, terms: Sequence[Expression], others: list[Expression]) -> Expression:
        """A sum of many terms: those of one family are summed as a vector."""
        for home, members in self._by_home(terms):
            if home is not None:
                others.append(self._reduced(members))
            else:
                others += map(self._scalar, members)
        return total(others)

    def _reduced(self, members: Sequence[Expression]) -> Expression:
        """Their sum: the dot product of their vector's factors, or of that and a vector of ones."""
        vector = self._gathered(members)
        if id(vector) not in self._lengths:  # all the same
            return product([leaf_of(sympy.Integer(len(members))), vector])
        length = self._lengths[id(vector)]
        numbers: list[Expression] = []
        factors: list[Expression] = []
        stack = [vector]
        while stack:
            factor = stack.pop()
            if id(factor) in self._lengths and factor.is_Mul and id(factor) not in self._shared:
                stack += factor._args[::-1]
            else:
                (numbers if factor.is_Number else factors).append(factor)
        vectors = [k for k, factor in enumerate(factors) if id(factor) in self._lengths]
        if len(vectors) > 1:
            last = factors.pop(vectors[-1])
        else:
            last = self._constant(("array", *[1.0] * length), np.ones(length), length)
        dot = node_of(_DOT, (self._vector(product(factors), length), last))
        return product([*numbers, node_of(_FLOAT, (dot,))])  # quicker than NumPy's own

    # -- the result ---------------------------------------------------------------------------------

    def finished(self, roots: Sequence[Expression]) -> Lanes:
        if len(roots) >= FEWEST and any(home is not None for home, _ in self._by_home(roots)):
            together = self._gathered(roots)
            if id(together) in self._lengths:
                return Lanes([together], True, self.constants)
        return Lanes([self._scalar(root) for root in roots], False, self.constants)

    def cost(self, roots: Sequence[Expression]) -> int:
        """What the program takes, in additions of two floats by Python (30 ns): measured, and rough."""
        cost = 0
        for node in post_order(*roots):
            if type(node) is _STACK:
                cost += _ARRAY + len(node._args)
            elif id(node) in self._lengths or type(node) is _DOT:
                cost += _VECTOR * max(1, len(node._args) - 1) if node._args else 0
            elif node._args:
                cost += max(2, len(node._args) - 1)
        return cost


_VECTOR, _ARRAY, _TIMES = 16, 20, 50  # a NumPy operation, making an array, a call of times: in additions


def _cost(graph: Graph) -> int:
    """What the straight-line program takes, in the same unit."""
    cost = 0
    matrices = set()
    for node in graph.order:
        row = graph.rows.get(id(node))
        if row is not None:
            cost += 1 + len(row.rest)
            if id(row.matrix) not in matrices:
                matrices.add(id(row.matrix))
                cost += _TIMES + 2 * len(row.matrix.operands)
        elif node._args:
            cost += max(1, len(node._args) - 1)
    return cost
