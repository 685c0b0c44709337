"""Elementwise functions, products and powers."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import sympy
from sympy import HadamardPower, HadamardProduct, MatAdd, OneMatrix, S, Transpose, ZeroMatrix
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from diffkit.symbolic.matrices.algebra.nodes import (
    TRANSPOSED,
    atoms_in,
    coefficient_and_factors,
    is_scalar,
    node,
    ones,
    scaled,
    shape,
    zeros,
)
from diffkit.symbolic.matrices.algebra.products import first_met, product, transpose, turned

U = sympy.Dummy("u")
"""The variable of every elementwise function here, so that equal functions are equal."""


def at(body: Any, value: Any) -> Any:
    """A function of ``U`` at a value; the traces in it have functions of ``U`` of their own."""
    kept = {a: sympy.Dummy() for a in atoms_in(body)}
    placed = body.xreplace(kept).xreplace({U: value})
    return placed.xreplace({d: a for a, d in kept.items()})


def apply(body: Any, e: Any) -> Any:
    """The function whose value at ``U`` is ``body``, of each element."""
    if is_scalar(e):
        return at(body, e)
    if not body.has(U):
        return product(body, ones(*shape(e)))
    if isinstance(e, ZeroMatrix | OneMatrix):
        value = at(body, S(int(isinstance(e, OneMatrix))))
        if value.is_finite is not False:
            return product(value, ones(*shape(e)))
    coefficient, rest = body.as_independent(U, as_Add=False)
    if rest == U:
        return product(coefficient, e)
    back = turned(lambda x: apply(body, x), e)
    if back is not None:
        return back
    base, exponent = rest.as_base_exp()
    if base == U and not exponent.has(U):
        return product(coefficient, hadamard_power(e, exponent))
    if isinstance(e, HadamardPower) and not is_scalar(e.args[0]):
        return apply(at(body, U ** e.args[1]), e.args[0])
    if isinstance(e, MatAdd):
        inner = _function_in(e)
        if inner is not None:
            return apply(at(body, inner[0]), inner[1])
    if coefficient is not S.One and coefficient.is_number:
        return product(coefficient, _applied(rest, e))
    return _applied(body, e)


def _applied(body: Any, e: Any) -> Any:
    return node(ElementwiseApplyFunction, sympy.Lambda(U, body), e)


def _function_in(e: Any) -> tuple[Any, Any] | None:
    """1 - f(x) as a function of x, and x."""
    found: set[Any] = set()
    whole: Any = S.Zero
    for term in e.args:
        coefficient, factors = coefficient_and_factors(term)
        if len(factors) == 1 and isinstance(factors[0], ElementwiseApplyFunction):
            body, x = body_and_argument(factors[0])
            found.add(x)
            whole += coefficient * body
        elif len(factors) == 1 and isinstance(factors[0], OneMatrix):
            whole += coefficient
        else:
            return None
    return (whole, found.pop()) if len(found) == 1 else None


def body_and_argument(e: Any) -> tuple[Any, Any]:
    """An elementwise function of a matrix: a scalar expression of ``U``, and the matrix."""
    if isinstance(e, HadamardPower):
        return U ** e.args[1], e.args[0]
    return e.args[0].expr.xreplace({e.args[0].variables[0]: U}), e.args[1]


@lru_cache(maxsize=10_000)
def shortest(body: Any) -> Any:
    """A function of ``U``, simplified where that is shorter."""
    if body.count_ops() > 40:
        return body
    return stable(min(body, sympy.simplify(body), key=lambda e: e.count_ops()))


def stable(body: Any) -> Any:
    """exp(u)/(exp(u) + 1), and over its square, written so that nothing overflows."""
    e = sympy.exp(U)
    coefficient, rest = body.as_independent(U, as_Add=False)
    for power in (1, 2):
        if rest == e / (e + 1) ** power:
            return coefficient / ((1 + sympy.exp(-U)) * (1 + e) ** (power - 1))
    return body


def hadamard_power(e: Any, exponent: Any) -> Any:
    """Each element to a power."""
    if is_scalar(e):
        return e**exponent
    if exponent == 0:
        return ones(*shape(e))
    if exponent == 1 or isinstance(e, OneMatrix):
        return e
    back = turned(lambda x: hadamard_power(x, exponent), e)
    if back is not None:
        return back
    if isinstance(e, HadamardPower) and not is_scalar(e.args[0]) and exponent.is_Integer:
        return hadamard_power(e.args[0], e.args[1] * exponent)
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One and exponent.is_Integer:
        return product(coefficient**exponent, hadamard_power(scaled(S.One, factors), exponent))
    return node(HadamardPower, e, exponent)


def hadamard(*operands: Any) -> Any:
    """The elementwise product of matrices of the same shape; scalars multiply."""
    back = turned(hadamard, *operands)
    if back is not None:
        return back
    coefficient: Any = S.One
    powers: dict[Any, Any] = {}
    bodies: dict[Any, Any] = {}
    size = next((shape(o) for o in operands if not is_scalar(o)), None)
    stack = list(reversed(operands))
    while stack:
        c, factors = coefficient_and_factors(stack.pop())
        coefficient = coefficient * c
        if len(factors) > 1:
            e = scaled(S.One, factors)
        elif factors:
            e = factors[0]
        else:
            continue
        if isinstance(e, HadamardProduct):
            stack.extend(reversed(e.args))
        elif isinstance(e, ZeroMatrix):
            return e
        elif isinstance(e, HadamardPower) and not is_scalar(e.args[0]):
            powers[e.args[0]] = powers.get(e.args[0], 0) + e.args[1]
        elif isinstance(e, ElementwiseApplyFunction):
            powers.setdefault(("of", e.args[1]), 1)
            bodies[e.args[1]] = bodies.get(e.args[1], S.One) * body_and_argument(e)[0]
        elif not isinstance(e, OneMatrix):
            powers[e] = powers.get(e, 0) + 1
    if size is None or coefficient == 0:
        return coefficient if size is None else zeros(*size)
    made = []
    for key, exponent in powers.items():
        part = apply(bodies[key[1]], key[1]) if isinstance(key, tuple) else hadamard_power(key, exponent)
        c, factors = coefficient_and_factors(part)
        coefficient = coefficient * c
        if not (len(factors) == 1 and isinstance(factors[0], OneMatrix)):
            made.append(scaled(S.One, factors))
    if not made:
        return product(coefficient, ones(*size))
    made.sort(key=first_met)  # it commutes: in one order, so that equal ones are equal
    whole = made[0] if len(made) == 1 else node(HadamardProduct, *made)
    return product(coefficient, whole)


def _transposed(e: Any) -> Any:
    inside = e.args if isinstance(e, HadamardProduct) else (body_and_argument(e)[1],)
    return e if Counter(map(transpose, inside)) == Counter(inside) else node(Transpose, e)


for head in (HadamardProduct, HadamardPower, ElementwiseApplyFunction):
    TRANSPOSED[head] = _transposed
