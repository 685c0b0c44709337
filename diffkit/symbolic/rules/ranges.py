"""Sums and products over a range of integers."""

from __future__ import annotations

import sympy

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, add, intern, rebuild, substitute, subtract
from diffkit.expressions.operations import ONE, ZERO, multiply
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule

__all__ = ["read_product", "read_sum"]


def _limits(node: Expression, context: Context) -> tuple[tuple[Expression, ...], Context]:
    """The variables that a Sum or Product depends on, and the context of its body."""
    variables = context.within(node)
    inner = Context(variables)
    for limit in node.limits:
        if len(limit) != 3:
            raise InputError(
                f"{type(node).__name__} over {limit[0]} has no range; give it as ({limit[0]}, a, b)"
            )
        inner.explore(*(intern(bound) for bound in limit[1:]))
        if inner.of([intern(bound) for bound in limit[1:]]):
            raise NoRuleError(
                f"a limit of the {type(node).__name__} over {limit[0]} depends on the variable; "
                "the number of terms is an integer and has no derivative"
            )
    return variables, inner


# Templates of the two classes, whose nodes carry more than their arguments.
_i = sympy.Dummy("i", integer=True)
_SUM, _PRODUCT = intern(sympy.Sum(_i, (_i, 1, 2))), intern(sympy.Product(_i, (_i, 1, 2)))


def read_sum(node: Expression, context: Context) -> Rule:
    from diffkit.symbolic.differentiation import reverse_sweep

    variables, inner = _limits(node, context)
    partials: list[Expression] = []

    def partial(k: int) -> Expression:
        if not partials:
            inner.explore(node._args[0])
            bodies = reverse_sweep([node._args[0]], inner, [ONE])
            partials.extend(rebuild(node, [b, *node._args[1:]]) if b is not ZERO else b for b in bodies)
        return partials[k]

    return partials_rule("sum over a range", node, variables, partial)


def read_product(node: Expression, context: Context) -> Rule:
    """d prod f(i) = sum over j of f'(j) * (product below j) * (product above j): good at f = 0 too."""
    from diffkit.symbolic.differentiation import reverse_sweep

    variables, inner = _limits(node, context)
    body, *inner_limits, (index, low, high) = node._args
    if inner_limits:
        body = rebuild(node, [body, *inner_limits])
    partials: list[Expression] = []

    def partial(k: int) -> Expression:
        if not partials:
            inner.explore(body)
            j = intern(sympy.Dummy(index.name, integer=True))

            def over(first: Expression, last: Expression) -> Expression:
                return rebuild(_PRODUCT, [body, intern(sympy.Tuple(index, first, last))])

            around = multiply(over(low, subtract(j, 1)), over(add(j, 1), high))
            for slope in reverse_sweep([body], inner, [ONE]):
                term = multiply(around, substitute(slope, {index: j}))
                limits = intern(sympy.Tuple(j, low, high))
                partials.append(rebuild(_SUM, [term, limits]) if term is not ZERO else ZERO)
        return partials[k]

    return partials_rule("product over a range", node, variables, partial)
