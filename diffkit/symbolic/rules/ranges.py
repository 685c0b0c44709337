"""Sums and products over a range of integers."""

from __future__ import annotations

import sympy

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, add, intern, rebuild, substitute, subtract
from diffkit.expressions.operations import ONE, ZERO, multiply
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule

__all__ = ["read_product", "read_sum"]


def _limits(node: Expression, context: Context) -> tuple[Expression, ...]:
    """The variables that a Sum or Product depends on, which must not be in its limits."""
    for limit in node.limits:
        if len(limit) != 3:
            raise InputError(
                f"{type(node).__name__} over {limit[0]} has no range; give it as ({limit[0]}, a, b)"
            )
        bounds = [intern(bound) for bound in limit[1:]]
        context.explore(*bounds)
        if context.of(bounds):
            raise NoRuleError(
                f"a limit of the {type(node).__name__} over {limit[0]} depends on the variable; "
                "the number of terms is an integer and has no derivative"
            )
    return context.within(node)


# Templates of the two classes, whose nodes carry more than their arguments.
_i = sympy.Dummy("i", integer=True)
_SUM, _PRODUCT = intern(sympy.Sum(_i, (_i, 1, 2))), intern(sympy.Product(_i, (_i, 1, 2)))


def read_sum(node: Expression, context: Context) -> Rule:
    """d sum f(i) = sum f'(i)."""
    variables = _limits(node, context)
    return partials_rule("sum over a range", node, variables, lambda k: _partials(node, context)[k])


def read_product(node: Expression, context: Context) -> Rule:
    """d prod f(i) = sum over j of f'(j) * (product below j) * (product above j): good at f = 0 too."""
    variables = _limits(node, context)
    return partials_rule("product over a range", node, variables, lambda k: _partials(node, context)[k])


def _partials(node: Expression, context: Context) -> list[Expression]:
    """The partial derivatives by the variables that the node depends on.

    What is nested is differentiated from the inside out, so that depth costs neither stack nor time.
    """
    known = context.partials
    while id(node) not in known and context.ranges:
        inner = context.ranges.popleft()
        if id(inner) not in known:
            known[id(inner)] = _differentiated(inner, context)
    if id(node) not in known:
        known[id(node)] = _differentiated(node, context)
    return known[id(node)]


def _differentiated(node: Expression, context: Context) -> list[Expression]:
    from diffkit.symbolic.differentiation import reverse_sweep

    variables = _limits(node, context)
    inside = context.inside(variables)
    if isinstance(node, sympy.Sum):
        body, *limits = node._args
        inside.explore(body)
        slopes = reverse_sweep([body], inside, [ONE])
        return [rebuild(node, [slope, *limits]) if slope is not ZERO else ZERO for slope in slopes]
    body, *inner_limits, (index, low, high) = node._args
    if inner_limits:
        body = rebuild(node, [body, *inner_limits])
    inside.explore(body)
    # The product's own index, the same whenever it is differentiated: derivatives can be compared.
    j = intern(sympy.Dummy(index.name, dummy_index=hash(node), integer=True))

    def over(first: Expression, last: Expression) -> Expression:
        return rebuild(_PRODUCT, [body, intern(sympy.Tuple(index, first, last))])

    around = multiply(over(low, subtract(j, 1)), over(add(j, 1), high))
    limits = intern(sympy.Tuple(j, low, high))
    return [
        rebuild(_SUM, [multiply(around, substitute(slope, {index: j})), limits])
        if slope is not ZERO
        else ZERO
        for slope in reverse_sweep([body], inside, [ONE])
    ]
