"""The two sweeps over the shared graph: tangents up from the variables, adjoints down from the roots.

Both visit every distinct subexpression once (Griewank and Walther, *Evaluating Derivatives*, 2nd ed.,
sections 3.1 and 3.2).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from diffkit.expressions import Expression
from diffkit.expressions.operations import ONE, ZERO, total
from diffkit.symbolic.rules import Context, Rule, read
from diffkit.symbolic.scopes import set_apart


def context_of(variables: Sequence[Expression]) -> Context:
    """What a differentiation by these variables knows; the sweeps go into Sums and the like with it."""
    return Context(variables, _slopes)


def rules_in_order(
    roots: Sequence[Expression], context: Context, done: Container[int] = (), *, bodies: bool = False
) -> list[Rule]:
    """The rule of every node that the roots depend on and that is not ``done``, operands first.

    With ``bodies``, those of what stands within Sums and Products as well.
    """
    context.explore(*roots)
    active = context.active
    seen: set[int] = {id(v) for v in context.variables}
    order: list[Rule] = []
    stack: list[Any] = [r for r in reversed(roots) if id(r) in active]
    while stack:
        item = stack.pop()
        if isinstance(item, Rule):  # everything that it depends on is done
            order.append(item)
        elif id(item) not in seen and id(item) not in done:
            seen.add(id(item))
            rule = read(item, context)
            stack.append(rule)
            stack += rule.operands[::-1]
            if bodies:
                stack += rule.bodies
    return order


def forward_sweep(
    roots: Sequence[Expression], variables: Sequence[Expression], tangents: Sequence[Expression]
) -> list[Expression]:
    """The roots' tangents from the variables' tangents."""
    roots, variables = set_apart(roots, variables)
    return _forward(roots, context_of(variables), tangents, {})


def reverse_sweep(
    roots: Sequence[Expression], variables: Sequence[Expression], adjoints: Sequence[Expression]
) -> list[Expression]:
    """The variables' adjoints from the roots' adjoints."""
    roots, variables = set_apart(roots, variables)
    return _reverse(roots, context_of(variables), adjoints)


def _forward(
    roots: Sequence[Expression],
    context: Context,
    tangents: Sequence[Expression],
    tangent: dict[int, Expression],
) -> list[Expression]:
    """A forward sweep that starts from the tangents that are there, and adds what it finds to them."""
    tangent |= {id(v): t for v, t in zip(context.variables, tangents, strict=True)}
    for rule in rules_in_order(roots, context, tangent):
        tangent[id(rule.node)] = rule.pushforward([tangent[id(a)] for a in rule.operands])
    return [tangent.get(id(r), ZERO) for r in roots]


def _reverse(
    roots: Sequence[Expression], context: Context, adjoints: Sequence[Expression]
) -> list[Expression]:
    received: dict[int, list[Expression]] = {}
    order = rules_in_order(roots, context)
    for root, adjoint in zip(roots, adjoints, strict=True):
        received.setdefault(id(root), []).append(adjoint)
    for rule in reversed(order):
        shares = received.pop(id(rule.node), ())
        adjoint = shares[0] if len(shares) == 1 else total(shares)
        if adjoint is ZERO:
            continue
        for operand, share in zip(rule.operands, rule.pullback(adjoint), strict=True):
            key = id(operand)
            if key in received:
                received[key].append(share)
            else:
                received[key] = [share]
    return [total(received.get(id(v), ())) for v in context.variables]


def _slopes(body: Expression, inside: Context) -> list[Expression]:
    """The derivatives of what stands in a Sum or the like: by one variable forward, so that what bodies
    share is done once."""
    inside.explore(body)
    if len(inside.variables) == 1:
        return _forward([body], inside, [ONE], inside.tangents)
    return _reverse([body], inside, [ONE])
