"""The variables of a differentiation, and what depends on them."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import S
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.expressions import Expression, intern, post_order

__all__ = ["Context", "agreements"]


class Context:
    """The variables of a differentiation, and what in an expression depends on them.

    Args:
        variables: interned symbols, or what SymPy lets one differentiate by (``_diff_wrt``).
    """

    def __init__(self, variables: Sequence[Expression]) -> None:
        self.variables = tuple(intern(v) for v in variables)
        self.active: set[int] = {id(v) for v in self.variables}
        self.known: set[int] = set(self.active)
        self._complex: set[int] = set()
        self._keep: list[Expression] = []
        self._indexed = {v.base: v for v in self.variables if isinstance(v, sympy.Indexed)}
        self._matrices = {id(v.parent) for v in self.variables if isinstance(v, MatrixElement)}

    def explore(self, *roots: Expression) -> None:
        """Marks what depends on the variables below ``roots``."""
        active, known, tainted = self.active, self.known, self._complex
        self._keep.extend(roots)  # identities stay valid while their owner lives
        for node in post_order(*roots):
            key = id(node)
            if key in known:
                continue
            known.add(key)
            args = node._args
            if not args:
                if node is S.ImaginaryUnit or getattr(node, "is_real", None) is False:
                    tainted.add(key)
                continue
            if tainted and any(id(a) in tainted for a in args):
                tainted.add(key)
            if type(node) not in _PLAIN and self._indexed and isinstance(node, sympy.Indexed):
                live = agreements(node, self)[0] != ()
            elif type(node) not in _PLAIN and isinstance(node, _SCOPED):
                live = bool(self.within(node))
            else:
                live = not active.isdisjoint(map(id, args))
                if self._matrices and not live:
                    live = self._holds_an_element(node)
            if live:
                active.add(key)

    def _holds_an_element(self, node: Expression) -> bool:
        """Whether a function of a whole matrix, or an element A[i, j], may hold a variable A[0, 1]."""
        if self._matrices.isdisjoint(map(id, node._args)):
            return False
        return not (isinstance(node, MatrixElement) and all(i.is_Integer for i in node.indices))

    def note(self, node: Expression) -> Expression:
        """Marks an expression made while reading as one that depends on the variables."""
        self._keep.append(node)
        self.known.add(id(node))
        self.active.add(id(node))
        return node

    def of(self, nodes: Sequence[Expression]) -> list[Expression]:
        """Those of ``nodes`` that depend on the variables."""
        active = self.active
        return [n for n in nodes if id(n) in active]

    def is_complex(self, node: Expression) -> bool:
        """Whether the imaginary unit, or a symbol that is declared not real, occurs in it."""
        return id(node) in self._complex

    def within(self, node: Expression) -> tuple[Expression, ...]:
        """The variables that occur free in a Sum, Product, Derivative or Subs."""
        found: set[int] = set()
        seen: set[tuple[int, frozenset[int]]] = set()
        variables = {id(v) for v in self.variables}
        stack: list[tuple[Expression, frozenset[int]]] = [(node, frozenset())]
        while stack:
            item, bound = stack.pop()
            if (id(item), bound) in seen:
                continue
            seen.add((id(item), bound))
            if id(item) in variables and bound.isdisjoint(id(a) for a in post_order(item)):
                found.add(id(item))
                continue
            if self._indexed and isinstance(item, sympy.Indexed):
                found.update(id(v) for v in agreements(item, self)[0])
            if isinstance(item, sympy.Subs):
                body, indices, point = item._args
                stack.append((point, bound))
                stack.append((body, bound | {id(i) for i in indices._args}))
                continue
            if isinstance(item, ExprWithLimits):
                bound = bound | {id(limit._args[0]) for limit in item._args[1:]}
            stack.extend((a, bound) for a in item._args)
        return tuple(v for v in self.variables if id(v) in found)


_PLAIN = frozenset({sympy.Add, sympy.Mul, sympy.Pow})
_SCOPED: tuple[type, ...] = (ExprWithLimits, sympy.Derivative, sympy.Subs)


def agreements(node: Expression, context: Context) -> tuple[tuple[Expression, ...], list[Expression]]:
    """The variables that an indexed symbol may be, and 1 or 0 as the indices agree."""
    operands, partials = [], []
    for v in context.variables:
        if isinstance(v, sympy.Indexed) and v.base == node.base and len(v.indices) == len(node.indices):
            agree = sympy.Mul(
                *[sympy.KroneckerDelta(a, b) for a, b in zip(node.indices, v.indices, strict=True)]
            )
            if agree != 0:
                operands.append(v)
                partials.append(intern(agree))
    return tuple(operands), partials
