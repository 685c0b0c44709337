"""The variables of a differentiation, and what depends on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

import sympy
from sympy import S
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import DiffkitError
from diffkit.expressions import Expression, count_nodes, intern, post_order
from diffkit.symbolic.scopes import FreeVariables

Slopes: TypeAlias = "Callable[[Expression, Context], list[Expression]]"


class Context:
    """The variables of a differentiation, and what in an expression depends on them.

    A node is a constant only if that is proven: if none of its operands depends on a variable, and
    neither does what it holds beside its operands (SymPy's ``RootSum`` shows none of them).

    Args:
        variables: interned symbols, or what SymPy lets one differentiate by (``_diff_wrt``).
        slopes: the derivatives of an expression by the variables of a context: a sweep, which rules use
            for what stands within a Sum and the like.
        around: inside a Sum or a Product, the context that this is in.

    Attributes:
        active: what depends on the variables, by ``id``.
        hidden: those of them that do not show where they do.
        ranges: the Sums and Products among them, inner ones before what they are in.
        partials: for those that depend on all of the variables and have been differentiated, their
            partial derivatives, by ``id``; or the reason why there are none.
        tangents: for a single variable, the derivatives of what has been met within Sums and Products.
        free: which of the variables occur free in Sums and the like.
    """

    def __init__(
        self, variables: Sequence[Expression], slopes: Slopes, around: Context | None = None
    ) -> None:
        self.variables = tuple(intern(v) for v in variables)
        self.slopes = slopes
        self.active: set[int] = {id(v) for v in self.variables}
        self.known: set[int] = set(self.active)
        self.hidden: set[int] = set()
        self.ranges: deque[Expression] = deque()
        self.partials: dict[int, list[Expression] | DiffkitError] = {}
        self.tangents: dict[int, Expression] = {}
        self._complex: set[int] = {id(v) for v in self.variables if _is_complex(v)}
        self._keep: list[Expression] = around._keep if around else []
        self.free: FreeVariables = around.free if around else FreeVariables(self.variables)
        self._contexts: dict[tuple[Expression, ...], Context] = around._contexts if around else {}
        self._contexts[self.variables] = self
        self._matrices = {id(v.parent) for v in self.variables if isinstance(v, MatrixElement)}

    def explore(self, *roots: Expression) -> None:
        """Marks what depends on the variables below ``roots``."""
        active, known, tainted = self.active, self.known, self._complex
        roots = tuple(r for r in roots if id(r) not in known)
        self._keep.extend(roots)  # identities stay valid while their owner lives
        self.free.look_for_indices(roots)
        for node in post_order(*roots, known=known):
            key = id(node)
            known.add(key)
            args = node._args
            cls = type(node)
            if cls in _PLAIN:
                if tainted and not tainted.isdisjoint(map(id, args)):
                    tainted.add(key)
                if not active.isdisjoint(map(id, args)):
                    active.add(key)
                continue
            if cls in _LEAVES:
                if _is_complex(node):
                    tainted.add(key)
                continue
            if _is_complex(node) or (cls not in _REAL and any(id(a) in tainted for a in args)):
                tainted.add(key)
            if self._depends(node):
                active.add(key)

    def _depends(self, node: Expression) -> bool:
        """Whether a node that is no sum, product or power depends on a variable."""
        if self.free.families and self.free.agreements(node)[0]:
            return True
        if isinstance(node, _SCOPED):
            if isinstance(node, sympy.Sum | sympy.Product):
                for index, *ends in (limit._args for limit in node._args[1:]):
                    self.free.starts.setdefault(index, set()).update(ends[:1])
            live = bool(self.within(node))
            if live and isinstance(node, sympy.Sum | sympy.Product):
                self.ranges.append(node)
            return live
        shown = not self.active.isdisjoint(map(id, node._args))
        if not shown and self._matrices:
            shown = self._holds_an_element(node)
        cls: Any = type(node)
        if not _shows_all(cls):
            live = self._occurs_in(node)
            if live and not shown:
                self.hidden.add(id(node))
            return live
        return shown

    def _occurs_in(self, node: Expression) -> bool:
        """Whether SymPy finds a variable free in a node; in one that is too large to ask, any may be."""
        if count_nodes(node, _SMALL) == _SMALL:
            return True
        free = node.free_symbols
        return any(v in free if v.is_Symbol else node.has(v) for v in self.variables)

    def _holds_an_element(self, node: Expression) -> bool:
        """Whether a function of a whole matrix may hold a variable A[0, 1]."""
        if self._matrices.isdisjoint(map(id, node._args)):
            return False
        return not isinstance(node, MatrixElement)

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
        """Whether a node may have values that are not real, for all that is declared of its symbols."""
        return id(node) in self._complex

    def within(self, node: Expression) -> tuple[Expression, ...]:
        """The variables that occur free in a Sum, Product, Derivative or Subs."""
        found = self.free.of(node)
        return tuple(v for v in self.variables if id(v) in found)

    def inside(self, variables: tuple[Expression, ...]) -> Context:
        """The context of the body of a Sum or Product that depends on these of the variables."""
        return self._contexts.get(variables) or Context(variables, self.slopes, self)


_SMALL = 2000  # nodes of a tree that SymPy may walk
_PLAIN = frozenset({sympy.Add, sympy.Mul, sympy.Pow})
_LEAVES = frozenset({sympy.Symbol, sympy.Dummy, sympy.Integer, sympy.Rational, sympy.Float})
_REAL = frozenset({sympy.re, sympy.im, sympy.Abs, sympy.arg})  # whatever they are of
_SCOPED: tuple[type, ...] = (ExprWithLimits, sympy.Derivative, sympy.Subs)


def _is_complex(node: Expression) -> bool:
    """Whether a symbol, or a function of one's own, is declared not real, or complex and not real."""
    if node is S.ImaginaryUnit:
        return True
    if node._args and not isinstance(node, AppliedUndef):
        return False
    declared = node._assumptions
    if declared.get("real") is None:
        return declared.get("complex") is True or declared.get("extended_real") is False
    return declared["real"] is False and declared.get("infinite") is not True


@cache
def _shows_all(cls: Any) -> bool:
    """Whether what the nodes of a class depend on is what their operands do: no more, and no less."""
    own = {name for base in cls.__mro__ if base not in _PLAINLY_SHOWN for name in vars(base)}
    return own.isdisjoint({"args", "free_symbols"})


_PLAINLY_SHOWN = frozenset(
    {sympy.Basic, sympy.Symbol, sympy.Indexed, sympy.Idx, MatrixElement, sympy.MatrixSymbol}
)
