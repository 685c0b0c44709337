"""The intern table: of every operation on the same operands, one object.

Hash-consing (Filliâtre and Conchon, Type-safe modular hash-consing, ML Workshop 2006). What equals
another is the same object, so that sharing is seen by identity. Operands are interned before what is
built on them, so a node's key is its class and the identities of its operands.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, TypeAlias

import sympy
from sympy import Expr, S
from sympy.core.function import Application, AppliedUndef
from sympy.core.operations import LatticeOp

from diffkit.errors import InputError

Expression: TypeAlias = Any
"""A SymPy object. SymPy publishes no types that mypy could check."""

nodes: dict[tuple[Any, ...], Expression] = {}  # (class, id of each operand) -> the node
leaves: dict[tuple[Any, ...], Expression] = {}  # (class, leaf) -> the leaf
_sweep_at = _SMALLEST_SWEEP = 500_000

_new = object.__new__


def sweep() -> None:
    """Forgets the nodes that only the table still holds.

    SymPy's classes can't be referred to weakly, so the table holds its nodes, and this stands in
    for weak references. Operands are always older than what is built on them, so one pass from
    the youngest to the oldest finds every node that is free.
    """
    global _sweep_at
    keys = list(nodes)
    nodes[()] = object()  # measures how many references a node has that only the table holds
    for key in reversed([*keys, ()]):
        node = nodes[key]
        references = sys.getrefcount(node)
        if key == ():
            free = references
        if references <= free:
            del nodes[key]
    _sweep_at = max(_SMALLEST_SWEEP, 2 * len(nodes))


def sweep_when_full() -> None:
    """Sweeps if the table has doubled since it was last swept."""
    if len(nodes) >= _sweep_at:
        sweep()


def leaf_of(leaf: Expression) -> Expression:
    """The one object that stands for a symbol, number or constant.

    Raises:
        InputError: for a symbol that does not commute.
    """
    # 1 == 1.0 for some versions of SymPy, and two Floats of different precision may be equal.
    key = (type(leaf), leaf, leaf._prec) if leaf.is_Float else (type(leaf), leaf)
    known = leaves.get(key)
    if known is not None:
        return known
    refuse_noncommuting(leaf)
    return leaves.setdefault(key, leaf)


def refuse_noncommuting(node: Expression) -> None:
    """Operators, and symbols and functions that are declared not to commute; matrices are none of them.

    Raises:
        InputError: if the node is one.
    """
    cls = type(node)
    if node.is_Symbol:
        commutes = node.is_commutative
    elif issubclass(cls, Expr) and not node.is_Matrix:
        commutes = cls.default_assumptions.get("commutative")
    else:
        return
    if commutes is False:
        kind = "Symbol" if node.is_Symbol else "Function" if isinstance(node, AppliedUndef) else ""
        advice = f". Declare it as {kind}({node.name!r})" if kind else ""
        raise InputError(
            f"{node} does not commute; diffkit differentiates real scalars, for which a*b = b*a{advice}"
        )


def node_of(cls: Any, args: tuple[Expression, ...], like: Expression | None = None) -> Expression:
    """The one node of class ``cls`` on interned operands."""
    key = (cls, *map(id, args))
    node = nodes.get(key)
    if node is not None:
        return node
    if like is not None:
        node = _clone(like, args)
    else:
        node = _new(cls)
        node._assumptions = cls.default_assumptions
        node._mhash = None
        node._args = args
        if cls in COMMUTATIVE:
            node.is_commutative = True
        elif issubclass(cls, Application):
            _finish(node, cls, args)
    hash(node)  # now, while every operand has its own: so that it never has to recurse
    sweep_when_full()
    return nodes.setdefault(key, node)


COMMUTATIVE = frozenset({sympy.Add, sympy.Mul, sympy.Pow})


def _finish(node: Expression, cls: Any, args: tuple[Expression, ...]) -> None:
    """What SymPy's function classes set beside the arguments."""
    if issubclass(cls, LatticeOp):  # Max, Min, And, Or
        node._argset = frozenset(args)
        if issubclass(cls, sympy.Expr):
            node.is_commutative = True
    elif cls is not sympy.Piecewise:
        node.nargs = _arities(cls)


@cache
def _arities(cls: Any) -> Any:
    """The ``nargs`` that SymPy gives each application of a function class."""
    arities = getattr(cls, "_nargs", None)
    return sympy.FiniteSet(*arities) if arities else S.Naturals0


def _clone(like: Expression, args: tuple[Expression, ...]) -> Expression:
    """A copy of a node of whatever class, on other operands, past its constructor."""
    node = _new(type(like))
    for cls in type(like).__mro__:
        for slot in cls.__dict__.get("__slots__", ()):
            if hasattr(like, slot):
                setattr(node, slot, getattr(like, slot))
    if hasattr(like, "__dict__"):
        node.__dict__.update(like.__dict__)
    node._args = args
    node._mhash = None
    if hasattr(like, "_argset"):
        node._argset = frozenset(args)
    return node


def is_interned(expr: Expression) -> bool:
    if expr._args:
        return nodes.get((type(expr), *map(id, expr._args))) is expr
    return leaves.get((type(expr), expr, expr._prec) if expr.is_Float else (type(expr), expr)) is expr
