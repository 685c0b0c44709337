"""Sums and products over a range of integers."""

from __future__ import annotations

import sympy

from diffkit.errors import DiffkitError, InputError, NoRuleError
from diffkit.expressions import Expression, add, count_nodes, intern, rebuild, substitute, subtract
from diffkit.expressions.operations import ZERO, multiply
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule


def _limits(node: Expression, context: Context) -> tuple[Expression, ...]:
    """The variables that a Sum or Product depends on, which must not be in its limits."""
    outer: list[Expression] = []  # the last limit is the outermost, and its index is known in the others
    for limit in reversed(node._args[1:]):
        index, *ends = limit._args
        if len(ends) != 2:
            raise InputError(f"{type(node).__name__} over {index} has no range; give it as ({index}, a, b)")
        if any(v not in outer for end in ends for v in context.within(end)):
            raise NoRuleError(
                f"a limit of the {type(node).__name__} over {index} depends on the variable; "
                "the number of terms is an integer and has no derivative"
            )
        outer.append(index)
    return context.within(node)


# Templates of the two classes, whose nodes carry more than their arguments.
_i = sympy.Dummy("i", integer=True)
_SUM, _PRODUCT = intern(sympy.Sum(_i, (_i, 1, 2))), intern(sympy.Product(_i, (_i, 1, 2)))


def read_sum(node: Expression, context: Context) -> Rule:
    """d sum f(i) = sum f'(i)."""
    return _read("sum over a range", node, context)


def read_product(node: Expression, context: Context) -> Rule:
    """d prod f(i) = sum over j of f'(j) * (product below j) * (product above j): good at f = 0 too."""
    return _read("product over a range", node, context)


def _read(name: str, node: Expression, context: Context) -> Rule:
    variables = _limits(node, context)
    return partials_rule(name, node, variables, lambda k: _partials(node, context)[k], (node._args[0],))


def _partials(node: Expression, context: Context) -> list[Expression]:
    """The partial derivatives by the variables that the node depends on.

    What is nested is differentiated from the inside out, so that depth costs neither stack nor time.
    """
    known = context.inside(context.within(node)).partials
    while id(node) not in known and context.ranges:
        _differentiate(context.ranges.popleft(), context)
    if id(node) not in known:
        _differentiate(node, context)
    found = known[id(node)]
    if isinstance(found, DiffkitError):
        raise found
    return found


def _differentiate(node: Expression, context: Context) -> None:
    """Notes the partial derivatives, or why there are none.

    That is no error until they are asked for: within a Sum whose index hides the variable nobody does.
    """
    inside = context.inside(context.within(node))
    if id(node) in inside.partials:
        return
    differentiated = _differentiated_sum if isinstance(node, sympy.Sum) else _differentiated_product
    try:
        _limits(node, context)
        inside.partials[id(node)] = differentiated(node, inside)
    except DiffkitError as error:
        inside.partials[id(node)] = error


def _differentiated_sum(node: Expression, inside: Context) -> list[Expression]:
    body, *limits = node._args
    return [
        rebuild(node, [slope, *limits]) if slope is not ZERO else ZERO
        for slope in inside.slopes(body, inside)
    ]


def _differentiated_product(node: Expression, inside: Context) -> list[Expression]:
    body, *limits = node._args
    slopes = inside.slopes(body, inside)
    for limit in limits:
        whole = rebuild(node, [body, limit])
        slopes = [_over_factors(whole, slope) if slope is not ZERO else ZERO for slope in slopes]
        body = whole
    return slopes


_LONG = 200  # nodes of a factor's derivative: in a shorter one, the index is replaced


def _over_factors(node: Expression, slope: Expression) -> Expression:
    """The sum over the factors of a Product with one limit, each differentiated in its turn.

    Its index is j (written i'), and the derivative of the factor at i = j is written with j for i. Where
    that derivative is long, replacing would cost as many steps at each level of a nest; there i is
    bound instead, by a sum of the one term from j to j.
    """
    body, (index, low, high) = node._args[0], node._args[1]._args
    # The product's own index, the same whenever it is differentiated: derivatives can be compared.
    j = intern(sympy.Dummy(f"{index.name}'", dummy_index=hash(node), integer=True))

    def limits(first: Expression, last: Expression, running: Expression = index) -> Expression:
        return rebuild(node._args[1], [running, first, last])

    below = rebuild(_PRODUCT, [body, limits(low, subtract(j, 1))])
    above = rebuild(_PRODUCT, [body, limits(add(j, 1), high)])
    if count_nodes(slope, _LONG) < _LONG:
        at_j = substitute(slope, {index: j})
    else:
        at_j = rebuild(_SUM, [slope, limits(j, j)])
    return rebuild(_SUM, [multiply(multiply(below, above), at_j), limits(low, high, j)])
