"""What has to be known before a node can be computed, for the evaluator and the writer of programs.

A Sum or Product is a loop: what below it depends on its index is computed anew for each term, all the
rest once, before the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import cast

import sympy
from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError
from diffkit.expressions import Expression, post_order, rebuild, short
from diffkit.symbolic.scopes import FreeVariables

RANGES = (sympy.Sum, sympy.Product)
ELEMENTS = (sympy.Indexed, MatrixElement)  # they stand for one number each, whatever is within
ROOTS = (S.Half, -S.Half)
_UNEVALUATED = (sympy.Integral, sympy.Derivative, sympy.Limit, sympy.Subs)


def quotient(factors: tuple[Expression, ...]) -> tuple[list[Expression], list[Expression]]:
    """The factors of a product as numerator and denominator: those written b**(-1) below the line."""
    above, below = [], []
    for f in factors:
        if f.is_Pow and f._args[1] is S.NegativeOne:
            below.append(f._args[0])
        else:
            above.append(f)
    return above, below


def parts(node: Expression) -> Sequence[Expression]:
    """The expressions whose values a node is computed from; for a Sum or Product, ask :class:`Loops`."""
    if isinstance(node, sympy.Piecewise):
        return [part for piece in node._args for part in piece._args]
    if isinstance(node, ELEMENTS):  # which element it is, its indices tell
        return list(node._args[1:])
    if isinstance(node, _UNEVALUATED):
        raise InputError(
            f"{short(node)} has no value as it stands; evaluate it first, with .doit(), or give its value, "
            "as you give that of a symbol"
        )
    if node.is_Pow and (node._args[1].is_Integer or node._args[1] in ROOTS):
        return [node._args[0]]
    return list(node._args)


def operands_first(
    roots: Sequence[Expression],
    known: Container[int],
    parts: Callable[[Expression], Sequence[Expression]] = parts,
) -> list[Expression]:
    """The nodes below ``roots`` that are not ``known`` (by identity), parts before what uses them."""
    order: list[Expression] = []
    done: set[int] = set()
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        if id(node) in done or id(node) in known:
            stack.pop()
            continue
        pending = [a for a in parts(node) if id(a) not in done and id(a) not in known]
        if pending:
            stack.extend(reversed(pending))
        else:
            stack.pop()
            done.add(id(node))
            order.append(node)
    return order


class Loop:
    """A Sum or Product over one index.

    Attributes:
        index: it.
        ends: the first and the last integer that it takes.
        body: the term or factor.
        inside: what has to be computed for each term, operands first: what depends on the index.
        outside: what that needs and does not depend on the index: it is computed once, before.
    """

    __slots__ = ("body", "ends", "index", "inside", "keys", "outside")

    def __init__(self, node: Expression, free: FreeVariables, parts: Callable[..., Sequence[Expression]]):
        self.body, (self.index, *self.ends) = node._args[0], node._args[1]._args
        if len(self.ends) != 2:
            raise InputError(
                f"{type(node).__name__} over {self.index} has no range; give it as ({self.index}, a, b)"
            )
        constant = _Constant(free, self.index)
        self.inside = operands_first([self.body], constant, parts)
        used = [self.body, *(a for n in self.inside for a in parts(n))]
        self.outside = list({id(a): a for a in used if id(a) in constant}.values())
        self.inside = [n for n in self.inside if n is not self.index]
        self.keys = [id(self.index), *map(id, self.inside)]


class Loops:
    """The Sums and Products below some expressions: what is computed at each term, and what once.

    A Sum over several indices is a Sum of Sums. One walk finds what depends on which index, and each
    loop looks at what depends on its own, so that the work is linear in the loops' bodies.

    >>> from diffkit.expressions import intern
    >>> i, x = sympy.symbols("i x")
    >>> root = intern(sympy.Sum(sympy.sin(x) * i, (i, 1, 9)))
    >>> loops = Loops([root])
    >>> loops.of(root).inside, loops.parts(root)
    ([i*sin(x)], [1, 9, sin(x)])
    """

    def __init__(self, roots: Sequence[Expression]) -> None:
        self._loops: dict[int, Loop] = {}
        ranges = [node for node in post_order(*roots) if isinstance(node, RANGES)]
        if ranges:
            indices = {limit._args[0]: None for node in ranges for limit in node._args[1:]}
            free = FreeVariables(list(indices))
            self._kept = [self._read(node, free) for node in ranges]  # their identities stay valid

    def _read(self, node: Expression, free: FreeVariables) -> Expression:
        nested, *limits = node._args
        for limit in limits:
            nested = rebuild(node, [nested, limit])
            if id(nested) not in self._loops:
                free.of(nested)
                self._loops[id(nested)] = Loop(nested, free, self.parts)
        self._loops[id(node)] = self._loops[id(nested)]
        return nested

    def of(self, node: Expression) -> Loop:
        return self._loops[id(node)]

    def parts(self, node: Expression) -> Sequence[Expression]:
        """The expressions whose values a node is computed from."""
        if not isinstance(node, RANGES):
            return parts(node)
        loop = self._loops[id(node)]
        return [*loop.ends, *loop.outside]


class _Constant(Container[int]):
    """The identities of what does not depend on an index."""

    def __init__(self, free: FreeVariables, index: Expression) -> None:
        self._free, self._index = free.memo, id(index)

    def __contains__(self, key: object) -> bool:
        return self._index not in self._free[cast("int", key)]
