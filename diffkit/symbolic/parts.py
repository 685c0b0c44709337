"""What has to be known before a node can be computed, for the evaluator and the writer of programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from typing import Any

import sympy
from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import DomainError
from diffkit.expressions import Expression, post_order

__all__ = ["ELEMENTS", "RANGES", "ROOTS", "depending", "integers", "operands_first", "parts", "quotient"]

RANGES = (sympy.Sum, sympy.Product)
ELEMENTS = (sympy.Indexed, MatrixElement)  # they stand for one number each, whatever is within
ROOTS = (S.Half, -S.Half)


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
    """The expressions whose values a node is computed from.

    Of a Sum or Product, those that don't depend on its indices: they are computed once, outside it.
    """
    if isinstance(node, sympy.Piecewise):
        return [part for piece in node._args for part in piece._args]
    if isinstance(node, ELEMENTS):
        return []
    if isinstance(node, RANGES):
        inside = depending(node)
        free: dict[int, Expression] = {}
        for inner in post_order(node):
            if id(inner) in inside:
                free.update((id(a), a) for a in inner._args if id(a) not in inside)
        return [a for a in free.values() if not isinstance(a, sympy.Tuple)]
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


def depending(node: Expression) -> set[int]:
    """What below a Sum or Product depends on its indices, or on those of one within it."""
    inner = post_order(node)
    bound = {id(limit._args[0]) for n in inner if isinstance(n, RANGES) for limit in n._args[1:]}
    for n in inner:
        if any(id(a) in bound for a in n._args):
            bound.add(id(n))
    return bound


def integers(low: Any, high: Any) -> range:
    """The integers from low to high, which a Sum or Product runs over."""
    if not all(abs(end) < math.inf and end == math.floor(end) for end in (low, high)):
        raise DomainError(f"a Sum or Product runs over integers, but its limits are {low} and {high}")
    return range(int(low), int(high) + 1)
