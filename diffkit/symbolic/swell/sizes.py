"""How large an expression is: as a shared graph, as the tree that it stands for, and as printed.

The tree may have more nodes than there are atoms in the universe; it is never built. Every measure
is a sum over the graph: what a node adds, plus the measures of its operands, in exact integers and
in time linear in the graph.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> size(sympy.sin(x**2) + x**2)
Size(tree=8, dag=5, operations=3, tree_operations=4, depth=4, characters=16)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
import sympy
from sympy import S
from sympy.core.operations import LatticeOp
from sympy.logic.boolalg import Boolean

from diffkit.errors import InputError
from diffkit.expressions import Expression, intern, post_order, product
from diffkit.symbolic.swell.characters import Lengths, is_minus
from diffkit.symbolic.values.prerequisites import quotient
from diffkit.tables import format_cell


class Size:
    """The measures of an expression, or of several that share their parts; each is taken when asked for.

    Attributes:
        tree: nodes of the tree, as ``sympy.preorder_traversal`` counts them.
        dag: distinct nodes, which is what is stored.
        operations: distinct operations, which is what a straight-line program has lines: each sum or
            product of k operands is k - 1, and x - y, x/y, -x, 1/x, x**n and every function are one
            each; numbers are not operations, and neither are comparisons.
        tree_operations: the operations of the tree as ``sympy.count_ops`` counts them, where a
            rational 1/2 counts as a division and -2 as a negation. (SymPy multiplies 2*(x + y)/z out,
            and makes x/exp(4 + pi) of x*exp(-4 - pi), before it counts; here what is written is counted.)
        depth: nodes on the longest path from the root to a leaf, both included.
        characters: the length of the tree as text with the terms in the order in which they stand:
            ``len(sympy.sstr(expr, order="none"))``.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> s = size((x + y) * sympy.sin(x + y))
    >>> s.tree, s.dag, s.operations, s.depth, s.characters
    (8, 5, 3, 4, 18)
    """

    def __init__(self, roots: Sequence[Expression]) -> None:
        self._roots = roots

    @cached_property
    def _order(self) -> list[Expression]:
        return post_order(*self._roots)

    @cached_property
    def tree(self) -> int:
        return sum(self._over_the_tree(lambda node, below: 1 + sum([below[id(a)] for a in node._args])))

    @cached_property
    def dag(self) -> int:
        return len(self._order)

    @cached_property
    def operations(self) -> int:
        return _operations(self._roots)

    @cached_property
    def tree_operations(self) -> int:
        return sum(self._over_the_tree(_count))

    @cached_property
    def depth(self) -> int:
        depths = self._over_the_tree(
            lambda node, below: 1 + max([below[id(a)] for a in node._args], default=0)
        )
        return max(depths, default=0)

    @cached_property
    def characters(self) -> int:
        texts = Lengths()

        def length(node: Expression, below: dict[int, int]) -> int:
            texts.lengths = below
            texts.measure(node)
            return below[id(node)]

        return sum(self._over_the_tree(length, _looked_at))

    def _over_the_tree(
        self,
        measure: Callable[[Expression, dict[int, int]], int],
        looked_at: Callable[[Expression], Sequence[Expression]] = attrgetter("_args"),
    ) -> list[int]:
        """A measure of the roots, which a node's operands give: each is computed once, operands first.

        A number may have thousands of digits; it is let go when the last node that looks at it is done.
        """
        waiting = Counter(id(a) for node in self._order for a in looked_at(node))
        waiting.update(id(r) for r in self._roots)
        known: dict[int, int] = {}
        for node in self._order:
            known[id(node)] = measure(node, known)
            for a in looked_at(node):
                waiting[id(a)] -= 1
                if not waiting[id(a)]:
                    del known[id(a)]
        return [known[id(r)] for r in self._roots]

    def _measures(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _MEASURES}

    def __repr__(self) -> str:
        return f"Size({', '.join(f'{name}={_short(value)}' for name, value in self._measures().items())})"

    def __eq__(self, other: object) -> bool:
        return self._measures() == other._measures() if isinstance(other, Size) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._measures().values()))


def _short(count: int) -> str:
    """A count in digits, or rounded: Python writes no integer of more than 4300 digits."""
    return str(count) if count < 10**15 else format_cell(count)


_MEASURES = ("tree", "dag", "operations", "tree_operations", "depth", "characters")


def size(expr: Any) -> Size:
    """The sizes of an expression; of a list, an array or a matrix, those of its elements together.

    For several expressions the graph's measures count what they share once; the tree's are sums
    (and ``depth`` is the greatest). A condition such as x < 1 has no derivative, but it has nodes and
    a text, as it has within a Piecewise.

    Args:
        expr: a SymPy expression of any depth, or a list, array or matrix of them.

    Returns:
        A Size: each measure an int, taken when it is asked for.

    Raises:
        InputError: for text and for what is no expression.

    >>> import sympy
    >>> from diffkit.expressions import add
    >>> y = sympy.Symbol("y")
    >>> for _ in range(1000):
    ...     y = add(y, y)
    >>> s = size(y)
    >>> s.dag, s.tree == 2**1001 - 1, s.operations, s.tree_operations == 2**1000 - 1
    (1001, True, 1000, True)
    """
    if isinstance(expr, np.ndarray | sympy.NDimArray):
        elements = list(np.asarray(expr, dtype=object).flat)
    elif isinstance(expr, sympy.MatrixBase | list | tuple | sympy.Tuple):
        elements = list(expr)
    else:
        elements = [expr]
    roots = [intern(e) for e in elements]
    for root in roots:
        if not isinstance(root, sympy.Expr | Boolean):
            raise InputError(f"expected an expression to measure, got {root} ({type(root).__name__})")
    return Size(roots)


# -- the tree's operations ----------------------------------------------------------------------------


def _count(node: Expression, known: dict[int, int]) -> int:
    """The operations of the tree, by the conventions of ``sympy.count_ops``, which this restates."""
    args = node._args
    if not args:
        if node.is_Rational:
            return int(node.p < 0) + int(node.q != 1)
        return int(node is S.Exp1)
    below = [known[id(a)] for a in args]
    if node.is_Add:
        # A term with a minus is subtracted: its sign is the operation between the terms.
        minus = [is_minus(a) for a in args]
        signs = sum(1 for a, m in zip(args, minus, strict=True) if m and _counts_sign(a))
        return len(args) - 1 + sum(below) - signs + all(minus)
    if node.is_Mul:
        return _count_product(args, known)
    if node.is_Pow:
        base, exponent = args
        if exponent is S.NegativeOne:
            return 1 + below[0]
        return 1 + (0 if base is S.Exp1 else below[0]) + below[1]
    if isinstance(node, LatticeOp):
        return len(args) - 1 + sum(below)
    counted = node.is_Function or isinstance(node, sympy.Derivative | sympy.Integral | sympy.Sum)
    return int(bool(counted)) + sum(below)


def _looked_at(node: Expression) -> list[Expression]:
    """The operands, and for a product what is in those that are printed as part of it."""
    args = node._args
    looked = list(args)
    if node.is_Mul:
        for a in args:
            if a.is_Pow:
                looked += [*a._args, *a._args[1]._args]
        if len(args) == 2 and args[0].is_Number and args[1].is_Mul:
            for a in args[1]._args:
                looked += [a, *a._args, *a._args[1]._args] if a.is_Pow else [a]
    return looked


def _counts_sign(term: Expression) -> bool:
    return not (term.is_Number and not term.is_Rational)  # a negative Float is a number like another


def _count_product(factors: tuple[Expression, ...], known: dict[int, int]) -> int:
    """A product as a fraction, the factors with a negative exponent below the line."""
    negation = int(bool(factors[0].is_Number and factors[0].is_extended_negative))
    if factors[0] is S.NegativeOne:
        factors = factors[1:]
    above = below = inside = 0
    plain = True  # nothing but an integer above the line, as in 3/x: that is no product
    for f in factors:
        if f.is_Rational:
            above += abs(f.p) != 1
            below += f.q != 1
        elif (exponent := _exponent(f)) is not None and is_minus(exponent):
            below += 1
            inside += known[id(f)] - _counts_sign(exponent)  # below the line it loses that sign
        else:
            above += 1
            inside += known[id(f)]
            plain = False
    if below == 0:
        return negation + inside + max(above - 1, 0)
    return negation + inside + below + (0 if plain else max(above - 1, 0))


def _exponent(node: Expression) -> Expression | None:
    if node.is_Pow:
        return node._args[1]
    if isinstance(node, sympy.exp) and (node._args[0].is_Mul or node._args[0].is_Number):
        return node._args[0]
    return None


# -- the graph's operations ---------------------------------------------------------------------------


def _operations(roots: Sequence[Expression]) -> int:
    """The distinct operations: those of each node, met once, in the terms of a program's lines."""
    count, seen = 0, set()
    stack = list(roots)
    kept: list[Expression] = []
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        kept.append(node)  # so that no identity is used twice
        if node._args:
            here, operands = _lines(node)
            count += here
            stack.extend(operands)
    return count


def _lines(node: Expression) -> tuple[int, list[Expression]]:
    """The operations of one node, and what they operate on."""
    args = node._args
    if node.is_Add:
        positive = [_without_minus(a) for a in args]
        all_minus = all(p is not None for p in positive)
        operands = [a if p is None else p for a, p in zip(args, positive, strict=True)]
        return len(args) - 1 + all_minus, operands
    if node.is_Mul:
        rest = _without_minus(node)
        if rest is not None:
            return 1, [rest]
        above, below = quotient(args)
        return max(len(above) - 1, 0) + len(below), [*above, *below]
    if isinstance(node, LatticeOp):
        return len(args) - 1, list(args)
    counted = isinstance(node, sympy.Expr) and not isinstance(node, sympy.Indexed | sympy.Subs)
    return int(counted), list(args)


def _without_minus(node: Expression) -> Expression | None:
    """y for -1 * y, else None."""
    if node.is_Mul and node._args[0] is S.NegativeOne:
        return product(node._args[1:])
    return None
