"""Arithmetic on expressions that are interned already: what the rules of differentiation run on.

Folded only at 0 and 1, and between rational numbers. The same operations for everybody, on numbers
and SymPy's own expressions as well, are in :mod:`diffkit.expressions.building`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import sympy
from sympy import S

from diffkit.expressions.intern_table import Expression, leaf_of, node_of, nodes

ZERO, ONE, MINUS_ONE, HALF = (leaf_of(v) for v in (S.Zero, S.One, S.NegativeOne, S.Half))


def _binary(cls: Any, a: Expression, b: Expression) -> Expression:
    node = nodes.get((cls, id(a), id(b)))
    return node if node is not None else node_of(cls, (a, b))


def add(a: Expression, b: Expression) -> Expression:
    if a is ZERO:
        return b
    if b is ZERO:
        return a
    if a.is_Number and b.is_Number and (exact := _exact_sum(a, b)) is not None:
        return leaf_of(exact)
    return _binary(sympy.Add, a, b)


def _exact_sum(a: Expression, b: Expression) -> Expression | None:
    """The sum of two numbers, if it is not rounded: 2.0 - 1, but not 0.1 - 1."""
    if a.is_Rational and b.is_Rational:
        return a + b
    if not (a.is_finite and b.is_finite):
        return None
    found = a + b
    parts = (sympy.Rational(v) for v in (a, b, found))
    return found if next(parts) + next(parts) == next(parts) else None


def negative(a: Expression) -> Expression:
    if a.is_Number:
        return leaf_of(-a)
    return _binary(sympy.Mul, MINUS_ONE, a)


def subtract(a: Expression, b: Expression) -> Expression:
    return add(a, negative(b))


def multiply(a: Expression, b: Expression) -> Expression:
    if a is ONE:
        return b
    if b is ONE:
        return a
    if a is ZERO or b is ZERO:
        return ZERO
    if b.is_Number:
        if a.is_Rational and b.is_Rational:
            return leaf_of(a * b)
        if not a.is_Number:
            a, b = b, a  # a coefficient stands in front, where SymPy looks for it
    return _binary(sympy.Mul, a, b)


def power(a: Expression, b: Expression) -> Expression:
    if b is ONE or (b.is_Float and float(b) == 1):
        return a
    if b is ZERO:
        return ONE
    if b.is_Integer and a.is_Rational and a is not ZERO and abs(b.p) <= 16:
        return leaf_of(a**b)
    return _binary(sympy.Pow, a, b)


def divide(a: Expression, b: Expression) -> Expression:
    return multiply(a, _reciprocal(b))


def _reciprocal(b: Expression) -> Expression:
    if b.is_Rational and b is not ZERO:
        return leaf_of(1 / b)
    return _binary(sympy.Pow, b, MINUS_ONE)


def total(terms: Sequence[Expression]) -> Expression:
    terms = [t for t in terms if t is not ZERO]
    if len(terms) <= 2:
        return reduce(add, terms, ZERO)
    return node_of(sympy.Add, tuple(terms))


def product(factors: Sequence[Expression]) -> Expression:
    factors = [f for f in factors if f is not ONE]
    if ZERO in factors:
        return ZERO
    if len(factors) <= 2:
        return reduce(multiply, factors, ONE)
    if not factors[0].is_Number:
        factors.sort(key=lambda f: not f.is_Number)
    return node_of(sympy.Mul, tuple(factors))
