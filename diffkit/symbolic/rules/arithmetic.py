"""Sums, products and powers, read as the arithmetic that a person would write."""

from __future__ import annotations

from sympy import S

from diffkit.calculus import ELEMENTARY
from diffkit.expressions import Expression, derivative
from diffkit.expressions.intern_table import leaf_of
from diffkit.expressions.operations import MINUS_ONE, ONE, multiply, negative, power, product
from diffkit.grammar import chain
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, table_rule


def read_add(node: Expression, context: Context) -> Rule:
    return Rule("sum", node, tuple(context.of(node._args)), lambda _, g: g)


_NEGATIVE, _DIVIDE, _MULTIPLY = ELEMENTARY["negative"], ELEMENTARY["divide"], ELEMENTARY["multiply"]
_POWER, _SQRT, _EXP = ELEMENTARY["power"], ELEMENTARY["sqrt"], ELEMENTARY["exp"]


def read_mul(node: Expression, context: Context) -> Rule:
    args = node._args
    if len(args) == 2:
        a, b = args
        if a is MINUS_ONE:
            return Rule("negative", node, (b,), lambda _, g: negative(g), _NEGATIVE, (b,))
        if a.is_Number and not b.is_Pow:
            return _scaled(node, a, b)
    elif len(live := context.of(args)) < len(args):  # the constant factors step aside
        rest = [a for a in args if id(a) not in context.active]
        return _scaled(node, product(rest), context.note(product(live)))
    above, below = _fraction(args, context)
    if below:
        return table_rule(_DIVIDE, node, (_among(above, context), _among(below, context)), context)
    if len(args) == 2:
        return table_rule(_MULTIPLY, node, args, context)
    return _wide_product(node, args)


def _fraction(factors: tuple[Expression, ...], context: Context) -> tuple[list[Expression], list[Expression]]:
    """Numerator and denominator: SymPy writes u/v as u*v**(-1), and u/sqrt(v) as u*v**(-1/2).

    A constant c**(-2) stays above the line, as a coefficient.
    """
    above, below = [], []
    for f in factors:
        base, exponent = f._args if f.is_Pow else (f, ONE)
        if exponent is MINUS_ONE:
            below.append(base)
        elif id(f) in context.active and exponent.is_Rational and exponent.p < 0:
            below.append(context.note(power(base, leaf_of(-exponent))))
        else:
            above.append(f)
    return above, below


def _among(factors: list[Expression], context: Context) -> Expression:
    """The product of some of a node's factors."""
    whole = product(factors)
    if len(factors) > 1 and context.of(factors):
        context.note(whole)
    return whole


def _scaled(node: Expression, constant: Expression, other: Expression) -> Rule:
    if constant is MINUS_ONE:
        return Rule("negative", node, (other,), lambda _, g: negative(g), _NEGATIVE, (other,))
    return Rule("multiply", node, (other,), lambda _, g: multiply(g, constant), _MULTIPLY, (constant, other))


def _wide_product(node: Expression, factors: tuple[Expression, ...]) -> Rule:
    """A product of n >= 3 factors: each partial is (all before) * (all after), 3n - 6 products in all.

    Speelpenning's example: without the running products, the n partials would take n (n - 2).
    """
    others: list[Expression] = []

    def term(k: int, factor: Expression) -> Expression:
        if not others:
            before, after = [factors[0]], [factors[-1]]
            for f in factors[1:-2]:
                before.append(multiply(before[-1], f))
            for f in reversed(factors[2:-1]):
                after.append(multiply(f, after[-1]))
            after.reverse()
            others.append(multiply(factors[1], after[0]) if len(factors) > 2 else factors[1])
            others.extend(multiply(b, a) for b, a in zip(before, after, strict=True))
            others.append(multiply(before[-1], factors[-2]))
        return multiply(factor, others[k])

    return Rule("product", node, factors, term)


def read_pow(node: Expression, context: Context) -> Rule:
    base, exponent = node._args
    if exponent is MINUS_ONE:
        return table_rule(_DIVIDE, node, (ONE, base), context)
    if exponent is S.Half:
        return table_rule(_SQRT, node, (base,), context)
    if base is S.Exp1:
        return table_rule(_EXP, node, (exponent,), context)
    if id(exponent) not in context.active and context.free.may_vanish(exponent):
        return Rule(
            "power", node, (base,), lambda _, g: _lowered(g, base, exponent), _POWER, (base, exponent)
        )
    return table_rule(_POWER, node, (base, exponent), context)


_lowered = derivative(chain("g", _POWER.stable[0]), ("g", *_POWER.arguments))
