"""The variables of a differentiation, and what depends on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import sympy
from sympy import S
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import DiffkitError
from diffkit.expressions import Expression, intern, post_order
from diffkit.symbolic.scopes import FreeVariables, agreements

__all__ = ["Context"]


class Context:
    """The variables of a differentiation, and what in an expression depends on them.

    Args:
        variables: interned symbols, or what SymPy lets one differentiate by (``_diff_wrt``).
        around: inside a Sum or a Product, the context that this is in.

    Attributes:
        active: what depends on the variables, by ``id``.
        ranges: the Sums and Products among that, inner ones before what they are in.
        partials: for those that depend on all of the variables and have been differentiated, their
            partial derivatives, by ``id``; or the reason why there are none.
        tangents: for a single variable, the derivatives of what has been met within Sums and Products.
    """

    def __init__(self, variables: Sequence[Expression], around: Context | None = None) -> None:
        self.variables = tuple(intern(v) for v in variables)
        self.active: set[int] = {id(v) for v in self.variables}
        self.known: set[int] = set(self.active)
        self.ranges: deque[Expression] = deque()
        self.partials: dict[int, list[Expression] | DiffkitError] = {}
        self.tangents: dict[int, Expression] = {}
        self._complex: set[int] = set()
        self._keep: list[Expression] = around._keep if around else []
        self._free: FreeVariables = around._free if around else FreeVariables(self.variables)
        self._contexts: dict[tuple[Expression, ...], Context] = around._contexts if around else {}
        self._contexts[self.variables] = self
        self._indexed = any(isinstance(v, sympy.Indexed) for v in self.variables)
        self._matrices = {id(v.parent) for v in self.variables if isinstance(v, MatrixElement)}

    def explore(self, *roots: Expression) -> None:
        """Marks what depends on the variables below ``roots``."""
        active, known, tainted = self.active, self.known, self._complex
        roots = tuple(r for r in roots if id(r) not in known)
        self._keep.extend(roots)  # identities stay valid while their owner lives
        for node in post_order(*roots, known=known):
            key = id(node)
            known.add(key)
            args = node._args
            if not args:
                if node is S.ImaginaryUnit or getattr(node, "is_real", None) is False:
                    tainted.add(key)
                continue
            if tainted and any(id(a) in tainted for a in args):
                tainted.add(key)
            if type(node) not in _PLAIN and self._indexed and isinstance(node, sympy.Indexed):
                live = agreements(node, self.variables)[0] != ()
            elif type(node) not in _PLAIN and isinstance(node, _SCOPED):
                live = bool(self.within(node))
                if live and isinstance(node, sympy.Sum | sympy.Product):
                    self.ranges.append(node)
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
        found = self._free.of(node)
        return tuple(v for v in self.variables if id(v) in found)

    def inside(self, variables: tuple[Expression, ...]) -> Context:
        """The context of the body of a Sum or Product that depends on these of the variables."""
        return self._contexts.get(variables) or Context(variables, self)


_PLAIN = frozenset({sympy.Add, sympy.Mul, sympy.Pow})
_SCOPED: tuple[type, ...] = (ExprWithLimits, sympy.Derivative, sympy.Subs)
