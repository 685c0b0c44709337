"""Reading a SymPy expression, or a number, into the shared graph, and walking over that."""

from __future__ import annotations

import operator
from collections.abc import Container, Sequence
from copy import copy
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

import numpy as np
import sympy

from diffkit.errors import InputError
from diffkit.expressions.intern_table import (
    Expression,
    is_interned,
    leaf_of,
    node_of,
    nodes,
    refuse_noncommuting,
    sweep_when_full,
)


class HasExpression:
    """What stands for an expression in other code, as ``SymbolicNumber`` does in NumPy's."""

    __slots__ = ("expr",)

    expr: Expression


def intern(expr: Any) -> Expression:
    """The shared graph of an expression: equal subexpressions become the same object.

    Numbers and :class:`SymbolicNumber` are taken as well. Linear in the number of distinct objects.

    Raises:
        InputError: for text (which is never evaluated), for symbols that don't commute, and for
            what is no expression.

    >>> x = sympy.Symbol("x")
    >>> e = intern(sympy.Add(sympy.sin(x), sympy.Mul(2, sympy.sin(x), evaluate=False), evaluate=False))
    >>> e.args[0] is e.args[1].args[1]
    True
    """
    if isinstance(expr, HasExpression):
        return expr.expr
    if not isinstance(expr, sympy.Basic):
        return number(expr)
    if is_interned(expr):
        return expr
    memo: dict[int, Expression] = {}
    for node in post_order(expr):
        if not node._args:
            memo[id(node)] = leaf_of(node)
            continue
        args = tuple([memo[id(a)] for a in node._args])
        key = (type(node), *map(id, args))
        known = nodes.get(key)
        if known is None:
            refuse_noncommuting(node)
            same = all(map(operator.is_, args, node._args))
            known = nodes.setdefault(key, node) if same else node_of(type(node), args, like=node)
            hash(known)
        memo[id(node)] = known
    sweep_when_full()
    return memo[id(expr)]


def post_order(*roots: Expression, known: Container[int] = ()) -> list[Expression]:
    """The distinct objects below ``roots`` and themselves, operands before what uses them.

    Args:
        roots: expressions.
        known: identities of nodes to leave out, with all that is only below them.

    >>> x = sympy.Symbol("x")
    >>> post_order(sympy.sin(x) + 2)
    [2, x, sin(x), sin(x) + 2]
    """
    order: list[Expression] = []
    seen: set[int] = set()
    stack: list[Expression] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # everything below the next one is done
            order.append(stack.pop())
            continue
        if id(node) in seen or id(node) in known:
            continue
        seen.add(id(node))
        args = node._args
        if args:
            stack += (node, None)
            stack += args[::-1]
        else:
            order.append(node)
    return order


def substitute(expr: Expression, values: dict[Expression, Expression]) -> Expression:
    """The expression with some of its leaves or subexpressions replaced; nothing is evaluated.

    >>> x, y = sympy.symbols("x y")
    >>> substitute(sympy.sin(x) + 2, {x: y})
    sin(y) + 2
    """
    root = intern(expr)
    known = {id(intern(old)): intern(new) for old, new in values.items()}
    for node in post_order(root):
        if id(node) not in known:
            known[id(node)] = rebuild(node, [known[id(a)] for a in node._args])
    return known[id(root)]


def number(value: Any) -> Expression:
    """A Python or NumPy number as a SymPy number.

    Integers and fractions stay exact. A float that is a short dyadic fraction (0.5, -3.25, 2.0)
    becomes that fraction; any other becomes a ``Float`` of its 53 bits.

    Raises:
        InputError: for text, complex numbers, arrays, and what is no number.

    >>> number(0.5), number(3), number(Fraction(2, 6)), number(0.1)
    (1/2, 3, 1/3, 0.100000000000000)
    """
    if isinstance(value, sympy.Basic):
        return intern(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool | np.bool_ | Integral):
        return leaf_of(sympy.Integer(int(value)))
    if isinstance(value, Rational):
        return leaf_of(sympy.Rational(int(value.numerator), int(value.denominator)))
    if isinstance(value, float | np.floating):
        return leaf_of(_from_float(float(value)))
    if isinstance(value, str):
        raise InputError(
            f"expected an expression, got the text {value!r}; text is not evaluated here. "
            "Build the expression from symbols, as in x = Symbol('x'); x**2"
        )
    raise InputError(
        f"expected a real number or a SymPy expression, got {short(value)} ({type(value).__name__})"
    )


def short(value: Any) -> str:
    """A value in a message, on one line; a long expression is not written out, for it may never end.

    >>> short(sympy.Symbol("x") ** 2)
    'x**2'
    """
    if isinstance(value, sympy.Basic) and count_nodes(value, _LONG) == _LONG:
        return f"{type(value).__name__}(...)"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_LONG = 300  # nodes of an expression that no message holds


def _from_float(value: float) -> Expression:
    if value - value != 0:
        return sympy.Float(value)  # inf and nan
    exact = Fraction(value)
    if exact.denominator <= 1024 and abs(exact.numerator) < 2**53:
        return sympy.Rational(exact.numerator, exact.denominator)
    return sympy.Float(value)


def rebuild(node: Expression, args: Sequence[Expression]) -> Expression:
    """The node of the same class on other (interned) operands, unevaluated.

    >>> x, y = sympy.symbols("x y")
    >>> rebuild(sympy.sin(x), [intern(y)])
    sin(y)
    """
    args = tuple(args)
    if len(args) == len(node._args) and all(map(operator.is_, args, node._args)):
        return node
    like = node
    if isinstance(node, sympy.Subs):  # holds its body a second time, at its point, for SymPy to compare
        like = copy(node)
        like._expr = sympy.Subs(*args)._expr
    return node_of(type(node), args, like=like)


def tree_sizes(order: Sequence[Expression]) -> dict[int, int]:
    """The nodes of the tree of each expression, by its id, for expressions that come after their operands.

    >>> x = sympy.Symbol("x")
    >>> list(tree_sizes(post_order(intern(x**2 + x))).values())
    [1, 1, 3, 5]
    """
    sizes: dict[int, int] = {}
    for node in order:
        sizes[id(node)] = 1 + sum(sizes[id(a)] for a in node._args)
    return sizes


def count_nodes(root: Expression, limit: int) -> int:
    """The number of nodes of the tree, counted no further than ``limit``.

    >>> count_nodes(sympy.Symbol("x") ** 2, 100)
    3
    """
    count, stack = 0, [root]
    while stack and count < limit:
        count += 1
        stack.extend(stack.pop()._args)
    return count
