"""Building expressions from numbers, symbols and SymPy's expressions, without evaluating anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy.functions.elementary.piecewise import ExprCondPair

from diffkit.errors import InputError
from diffkit.expressions import operations
from diffkit.expressions.intern_table import COMMUTATIVE, Expression, node_of
from diffkit.expressions.interning import intern


def add(a: Any, b: Any) -> Expression:
    """a + b.

    >>> add(0, sympy.Symbol("x"))
    x
    """
    return operations.add(intern(a), intern(b))


def negative(a: Any) -> Expression:
    """-a, as SymPy writes it: ``Mul(-1, a)``."""
    return operations.negative(intern(a))


def subtract(a: Any, b: Any) -> Expression:
    """a - b, as SymPy writes it: ``Add(a, Mul(-1, b))``."""
    return operations.subtract(intern(a), intern(b))


def multiply(a: Any, b: Any) -> Expression:
    """a * b, a number first.

    >>> multiply(sympy.Symbol("x"), 3).args
    (3, x)
    """
    return operations.multiply(intern(a), intern(b))


def divide(a: Any, b: Any) -> Expression:
    """a / b, as SymPy writes it: ``Mul(a, Pow(b, -1))``.

    >>> x, y = sympy.symbols("x y")
    >>> divide(x, y), divide(1, y).args
    (x/y, (y, -1))
    """
    return operations.divide(intern(a), intern(b))


def power(a: Any, b: Any) -> Expression:
    """a ** b.

    >>> power(sympy.Symbol("x"), 1)
    x
    """
    return operations.power(intern(a), intern(b))


def total(terms: Iterable[Any]) -> Expression:
    """The sum of any number of terms, as one node."""
    return operations.total([intern(t) for t in terms])


def product(factors: Iterable[Any]) -> Expression:
    """The product of any number of factors, as one node."""
    return operations.product([intern(f) for f in factors])


def call(head: Any, *args: Any) -> Expression:
    """A SymPy function, by class or by name, applied to expressions without evaluating it.

    Raises:
        InputError: for a name that SymPy has no function for.

    >>> call("cos", 0), call(sympy.Function("f"), sympy.Symbol("x"))
    (cos(0), f(x))
    """
    if isinstance(head, str):
        found = getattr(sympy, head, None)
        if not (isinstance(found, type) and issubclass(found, sympy.Basic)):
            raise InputError(f"SymPy has no function named {head!r}")
        head = found
    operands = [intern(a) for a in args]
    if head in (sympy.Max, sympy.Min) or head in COMMUTATIVE - {sympy.Pow}:
        operands.sort(key=lambda a: not a.is_Number)
    return node_of(head, tuple(operands))


def piecewise(*pieces: tuple[Any, Any]) -> Expression:
    """``Piecewise`` of (expression, condition) pairs, as given: no piece is dropped or merged.

    >>> x = sympy.Symbol("x")
    >>> piecewise((x, x > 0), (0, True))
    Piecewise((x, x > 0), (0, True))
    """
    pairs = []
    for value, condition in pieces:
        truth = sympy.true if condition is True else sympy.false if condition is False else condition
        pairs.append(node_of(ExprCondPair, (intern(value), intern(truth))))
    return node_of(sympy.Piecewise, tuple(pairs))
