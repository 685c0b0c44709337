"""Which of some variables occur free in an expression, and not as the index of a Sum or Product."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

from diffkit.expressions import Expression, intern, post_order

__all__ = ["FreeVariables", "agreements"]

_NONE: frozenset[int] = frozenset()


class FreeVariables:
    """Which of some variables occur free in an expression: one walk, however deep Sums are nested.

    The sets are of identities, and shared between nodes that hold the same variables. Expressions that
    are asked for must be kept alive, for they are known by their identities.

    Attributes:
        memo: the sets of what has been asked for, and of all that is below it, by identity.

    >>> i, x = intern(sympy.Symbol("i")), intern(sympy.Symbol("x"))
    >>> free = FreeVariables([i, x])
    >>> free.of(intern(sympy.Sum(i * x, (i, 1, 3)))) == {id(x)}
    True
    """

    def __init__(self, variables: Sequence[Expression]) -> None:
        self._variables = {id(v): v for v in variables}
        self._parts = {key: {id(p) for p in post_order(v)} for key, v in self._variables.items()}
        self._indexed = [v for v in variables if isinstance(v, sympy.Indexed)]
        self.memo: dict[int, frozenset[int]] = {}
        self._always: dict[
            int, frozenset[int]
        ] = {}  # indexed symbols that a variable may be: none binds them

    def of(self, node: Expression) -> frozenset[int]:
        """The identities of the variables that occur free in ``node``."""
        memo = self.memo
        stack = [node]
        while stack:
            item = stack[-1]
            missing = [] if id(item) in memo else [a for a in item._args if id(a) not in memo]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(item) not in memo:
                memo[id(item)] = self._read(item)
        return memo[id(node)] | self._always.get(id(node), _NONE)

    def _read(self, item: Expression) -> frozenset[int]:
        if isinstance(item, sympy.Subs):
            body, indices, point = item._args
            free = self._unbound(self.memo[id(body)], indices._args) | self.memo[id(point)]
        elif isinstance(item, ExprWithLimits):
            free = self.memo[id(item._args[0])]
            for limit in item._args[1:]:  # the first is the innermost; its ends are outside of it
                index, *ends = limit._args
                if ends:
                    free = _union([self._unbound(free, [index]), *(self.memo[id(end)] for end in ends)])
                else:  # an indefinite integral is a function of its variable
                    free = _union([free, self.memo[id(index)]])
        else:
            free = _union([self.memo[id(a)] for a in item._args])
        if id(item) in self._variables:
            free |= {id(item)}
        if self._indexed:
            always = _union([self._always[id(a)] for a in item._args])
            if isinstance(item, sympy.Indexed):
                always |= {id(v) for v in agreements(item, self._indexed)[0]}
            self._always[id(item)] = always
        return free

    def _unbound(self, free: frozenset[int], indices: Sequence[Expression]) -> frozenset[int]:
        """Those of the variables that have none of the indices in them."""
        bound = {id(i) for i in indices}
        if all(bound.isdisjoint(self._parts[key]) for key in free):
            return free
        return frozenset(key for key in free if bound.isdisjoint(self._parts[key]))


def _union(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    """The union; the largest part itself, which is what it mostly is, and no copy."""
    found = _NONE
    for part in sets:
        if not part <= found:
            found = part if found <= part else found | part
    return found


def agreements(
    node: Expression, variables: Sequence[Expression]
) -> tuple[tuple[Expression, ...], list[Expression]]:
    """The variables that an indexed symbol may be, and 1 or 0 as the indices agree."""
    operands, partials = [], []
    for v in variables:
        if isinstance(v, sympy.Indexed) and v.base == node.base and len(v.indices) == len(node.indices):
            agree = sympy.Mul(
                *[sympy.KroneckerDelta(a, b) for a, b in zip(node.indices, v.indices, strict=True)]
            )
            if agree != 0:
                operands.append(v)
                partials.append(intern(agree))
    return tuple(operands), partials
