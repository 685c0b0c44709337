"""The variables of a differentiation, and what depends on them."""

from __future__ import annotations

from collections import deque
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
        around: inside a Sum or a Product, the context that this is in.

    Attributes:
        active: what depends on the variables, by ``id``.
        ranges: the Sums and Products among that, inner ones before what they are in.
        partials: for those that have been differentiated, their partial derivatives, by ``id``.
    """

    def __init__(self, variables: Sequence[Expression], around: Context | None = None) -> None:
        self.variables = tuple(intern(v) for v in variables)
        self.active: set[int] = {id(v) for v in self.variables}
        self.known: set[int] = set(self.active)
        self.ranges: deque[Expression] = deque()
        self.partials: dict[int, list[Expression]] = {}
        self._complex: set[int] = set()
        self._keep: list[Expression] = around._keep if around else []
        self._free: FreeVariables = around._free if around else FreeVariables(self.variables)
        self._indexed = {v.base: v for v in self.variables if isinstance(v, sympy.Indexed)}
        self._matrices = {id(v.parent) for v in self.variables if isinstance(v, MatrixElement)}

    def explore(self, *roots: Expression) -> None:
        """Marks what depends on the variables below ``roots``."""
        active, known, tainted = self.active, self.known, self._complex
        roots = tuple(r for r in roots if id(r) not in known)
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
        return self if variables == self.variables else Context(variables, self)


class FreeVariables:
    """Which of some variables occur free in an expression: one walk, however deep Sums are nested.

    Expressions that are asked for must be kept alive, for they are known by their identities.
    """

    def __init__(self, variables: Sequence[Expression]) -> None:
        self._variables = {id(v): v for v in variables}
        self._parts = {key: {id(p) for p in post_order(v)} for key, v in self._variables.items()}
        self._indexed = [v for v in variables if isinstance(v, sympy.Indexed)]
        self._memo: dict[int, frozenset[int]] = {}
        self._always: dict[
            int, frozenset[int]
        ] = {}  # indexed symbols that a variable may be: none binds them

    def of(self, node: Expression) -> frozenset[int]:
        """The identities of the variables that occur free in ``node``."""
        memo = self._memo
        stack = [node]
        while stack:
            item = stack[-1]
            missing = [] if id(item) in memo else [a for a in item._args if id(a) not in memo]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(item) not in memo:
                memo[id(item)], self._always[id(item)] = self._read(item)
        return memo[id(node)] | self._always[id(node)]

    def _read(self, item: Expression) -> tuple[frozenset[int], frozenset[int]]:
        args = [id(a) for a in item._args]
        free = self._union(self._memo, args)
        always = self._union(self._always, args)
        if isinstance(item, sympy.Subs):
            body, indices, point = item._args
            free = self._unbound(self._memo[id(body)], indices._args) | self._memo[id(point)]
        elif isinstance(item, ExprWithLimits):
            free = self._unbound(free, [limit._args[0] for limit in item._args[1:]])
        elif self._indexed and isinstance(item, sympy.Indexed):
            always |= {id(v) for v in _agreements(item, self._indexed)[0]}
        if id(item) in self._variables:
            free |= {id(item)}
        return free, always

    def _union(self, memo: dict[int, frozenset[int]], args: list[int]) -> frozenset[int]:
        """The union; the largest part itself, which is what it mostly is, and no copy."""
        found: frozenset[int] = frozenset()
        for a in args:
            part = memo[a]
            if not part <= found:
                found = part if found <= part else found | part
        return found

    def _unbound(self, free: frozenset[int], indices: Sequence[Expression]) -> frozenset[int]:
        """Those of the variables that have none of the indices in them."""
        bound = {id(i) for i in indices}
        if all(bound.isdisjoint(self._parts[key]) for key in free):
            return free
        return frozenset(key for key in free if bound.isdisjoint(self._parts[key]))


_PLAIN = frozenset({sympy.Add, sympy.Mul, sympy.Pow})
_SCOPED: tuple[type, ...] = (ExprWithLimits, sympy.Derivative, sympy.Subs)


def agreements(node: Expression, context: Context) -> tuple[tuple[Expression, ...], list[Expression]]:
    """The variables that an indexed symbol may be, and 1 or 0 as the indices agree."""
    return _agreements(node, [v for v in context.variables if isinstance(v, sympy.Indexed)])


def _agreements(
    node: Expression, variables: Sequence[Expression]
) -> tuple[tuple[Expression, ...], list[Expression]]:
    operands, partials = [], []
    for v in variables:
        if v.base == node.base and len(v.indices) == len(node.indices):
            agree = sympy.Mul(
                *[sympy.KroneckerDelta(a, b) for a, b in zip(node.indices, v.indices, strict=True)]
            )
            if agree != 0:
                operands.append(v)
                partials.append(intern(agree))
    return tuple(operands), partials
