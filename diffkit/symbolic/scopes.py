"""Which of some variables occur free in an expression, and not as the index of a Sum or Product."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.expressions import Expression, count_nodes, intern, post_order, rebuild, substitute

_NONE: frozenset[int] = frozenset()
_ELEMENTS = (sympy.Indexed, MatrixElement)
_SMALL = 200  # nodes of an exponent that is looked at


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
        self.families = [v for v in variables if isinstance(v, (*_ELEMENTS, AppliedUndef))]
        self.memo: dict[int, frozenset[int]] = {}
        self._always: dict[int, frozenset[int]] = {}  # what a variable a[1] or z(1) may be: none binds it
        self._indexed: set[int] = set()  # the indices of Sums, and what holds one
        self.starts: dict[Expression, set[Expression]] = {}  # where the indices that are met begin

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
        if self.families:
            always = _union([self._always[id(a)] for a in item._args])
            self._always[id(item)] = always | {id(v) for v in self.agreements(item)[0]}
        return free

    def look_for_indices(self, roots: Sequence[Expression]) -> None:
        """Learns over which indices the Sums and Products below the roots run: z(j) may then be z(1)."""
        if not any(isinstance(v, AppliedUndef) for v in self.families):
            return
        order = post_order(*roots)
        for node in order:
            if isinstance(node, sympy.Sum | sympy.Product):
                self._indexed |= {id(limit._args[0]) for limit in node._args[1:]}
        for node in order if self._indexed else ():
            if not self._indexed.isdisjoint(map(id, node._args)):
                self._indexed.add(id(node))

    def may_vanish(self, exponent: Expression) -> bool:
        """Whether an exponent runs with the index of a Sum or Product, and may be 0 on the way."""
        if exponent.is_Number or not self.starts or count_nodes(exponent, _SMALL) == _SMALL:
            return False
        running = [i for i in self.starts if exponent.has(i)]
        runs = {
            i: sympy.Dummy(
                integer=True,
                positive=all(s.is_positive for s in self.starts[i]) or None,
                nonnegative=all(s.is_nonnegative for s in self.starts[i]) or None,
            )
            for i in running
        }
        return bool(running) and exponent.xreplace(runs).is_zero is not False

    def agreements(self, node: Expression) -> tuple[tuple[Expression, ...], list[Expression]]:
        """The variables that a[i], A[i, j], or z(i) under a Sum over i, may be, and 1 or 0 as they agree."""
        if isinstance(node, _ELEMENTS):
            alike = [v for v in self.families if type(v) is type(node) and v._args[0] == node._args[0]]
        elif isinstance(node, AppliedUndef) and id(node) in self._indexed:
            alike = [v for v in self.families if v.func == node.func and v is not node]
        else:
            return (), []
        operands, partials = [], []
        for v in alike:
            theirs, ours = (e._args[1:] if isinstance(e, _ELEMENTS) else e._args for e in (v, node))
            if len(theirs) == len(ours):
                agree = sympy.Mul(*map(sympy.KroneckerDelta, ours, theirs))
                if agree != 0:
                    operands.append(v)
                    partials.append(intern(agree))
        return tuple(operands), partials

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


def set_apart(
    exprs: Sequence[Expression], variables: Sequence[Expression]
) -> tuple[list[Expression], list[Expression]]:
    """Expressions and variables in which equal letters mean the same.

    Where an index of a Sum, or what a Subs or an Integral binds, occurs in a variable, as in the Sum of
    c[i]*q[i] over i by q[i], the bound one gets another name; and mixed partial derivatives of an undefined
    function are written in one order, if one of them is a variable.

    >>> i, q = sympy.Symbol("i"), sympy.IndexedBase("q")
    >>> set_apart([intern(sympy.Sum(q[i], (i, 1, 3)))], [intern(q[i])])[0]
    [Sum(q[_i], (_i, 1, 3))]
    """
    held = [p for v in variables if not v.is_Symbol for p in post_order(v)]
    if not held:
        return list(exprs), list(variables)
    ordered = any(isinstance(p, sympy.Derivative) for p in held)
    new = _renamed([*exprs, *variables], {p for p in held if p.is_Symbol}, ordered)
    return new[: len(exprs)], new[len(exprs) :]


def put_in(expr: Expression, symbol: Expression, value: Expression) -> Expression:
    """An expression with a value for a symbol, where that occurs free.

    >>> i, n = sympy.symbols("i n")
    >>> put_in(intern(sympy.Sum(i * n, (i, 1, n))), intern(n), intern(i))
    Sum(_i*i, (_i, 1, i))
    """
    (apart,) = _renamed([expr], {symbol, *(p for p in post_order(value) if p.is_Symbol)}, False)
    return substitute(apart, {symbol: value})


def _renamed(exprs: Sequence[Expression], taken: set[Expression], ordered: bool) -> list[Expression]:
    """The expressions with other names for what is bound and taken, and, if asked for, partial derivatives
    in SymPy's order."""
    new: dict[int, Expression] = {}
    for node in post_order(*exprs):
        fresh = rebuild(node, [new[id(a)] for a in node._args]) if node._args else node
        if isinstance(fresh, ExprWithLimits | sympy.Subs):
            fresh = _with_other_letters(fresh, taken)
        elif ordered and isinstance(fresh, sympy.Derivative) and isinstance(fresh.expr, AppliedUndef):
            fresh = intern(fresh.canonical)
        new[id(node)] = fresh
    return [new[id(e)] for e in exprs]


def _with_other_letters(node: Expression, taken: set[Expression]) -> Expression:
    if isinstance(node, sympy.Subs):
        body, letters, point = node._args
        others = {v: _like(v) for v in letters._args if v in taken}
        if not others:
            return node
        letters = rebuild(letters, [others.get(v, v) for v in letters._args])
        return rebuild(node, [substitute(body, others), letters, point])
    body, *limits = node._args
    for k, limit in enumerate(limits):
        index, *ends = limit._args
        if index in taken and ends:
            other = {index: _like(index)}
            body = substitute(body, other)
            limits[:k] = [substitute(inner, other) for inner in limits[:k]]  # its own ends are outside of it
            limits[k] = rebuild(limit, [other[index], *ends])
    return rebuild(node, [body, *limits])


def _like(symbol: Expression) -> Expression:
    """A symbol that is no other, of the same name and declared the same."""
    return intern(sympy.Dummy(symbol.name, **symbol._assumptions_orig))
