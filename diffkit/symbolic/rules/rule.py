"""A node's part in the chain rule, and the rules that the table gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from diffkit.calculus import ELEMENTARY, SPECIAL, Elementary
from diffkit.errors import NoRuleError
from diffkit.expressions import Expression, class_of, derivative
from diffkit.expressions.operations import ZERO, multiply, total
from diffkit.symbolic.rules.context import Context


class Rule:
    """A node's part in the chain rule.

    Attributes:
        name: the rule's name: a line of the table, or ``sum``, ``product``, ``piecewise``, ...
        node: the expression that it differentiates.
        operands: the expressions that the node depends on, of those that depend on the variables.
        term: ``term(k, factor)`` is ``factor`` times the partial derivative by ``operands[k]``.
        line: the line of the table, if it is one.
        arguments: that line's arguments in the node, active or not.
        bodies: what is differentiated on the way, within a Sum or Product.
    """

    __slots__ = ("arguments", "bodies", "line", "name", "node", "operands", "term")

    def __init__(
        self,
        name: str,
        node: Expression,
        operands: tuple[Expression, ...],
        term: Callable[[int, Expression], Expression],
        line: Elementary | None = None,
        arguments: tuple[Expression, ...] = (),
        bodies: tuple[Expression, ...] = (),
    ) -> None:
        self.name = name
        self.node = node
        self.operands = operands
        self.term = term
        self.line = line
        self.arguments = arguments
        self.bodies = bodies

    def pushforward(self, tangents: Sequence[Expression]) -> Expression:
        """The node's tangent from those of its operands."""
        if len(tangents) == 1:
            return self.term(0, tangents[0]) if tangents[0] is not ZERO else ZERO
        return total([self.term(k, t) for k, t in enumerate(tangents) if t is not ZERO])

    def pullback(self, adjoint: Expression) -> list[Expression]:
        """What the node hands to each operand's adjoint."""
        return [self.term(k, adjoint) for k in range(len(self.operands))]


@cache
def lines() -> dict[Any, Elementary]:
    """The lines of the table by the SymPy class of their form."""
    lines: dict[Any, Elementary] = {}
    for line in (*ELEMENTARY.values(), *SPECIAL.values()):
        cls = class_of(line)
        if cls is not None:
            lines.setdefault(cls, line)
    return lines


@cache
def _term_of(line: Elementary, k: int) -> Callable[..., Expression]:
    """The k-th term of the chain rule of a line, as a function of (g, ans, *arguments)."""
    return derivative(line.chained(k, "g"), ("g", "ans", *line.arguments))


def table_rule(line: Elementary, node: Expression, args: tuple[Expression, ...], context: Context) -> Rule:
    active = context.active
    if len(args) == 1:
        read_text = _term_of(line, 0)
        return Rule(line.name, node, args, lambda _, g: read_text(g, node, *args), line, args)
    places = [k for k, a in enumerate(args) if id(a) in active]
    for k in places:
        if not line.partials[k]:
            raise NoRuleError(
                f"{type(node).__name__} has no rule for the derivative by its argument number {k + 1}"
            )
    texts = [_term_of(line, k) for k in places]
    operands = tuple([args[k] for k in places])
    return Rule(line.name, node, operands, lambda k, g: texts[k](g, node, *args), line, args)


def partials_rule(
    name: str,
    node: Expression,
    operands: tuple[Expression, ...],
    partial: Callable[[int], Expression],
    bodies: tuple[Expression, ...] = (),
) -> Rule:
    return Rule(name, node, operands, lambda k, g: multiply(g, partial(k)), bodies=bodies)
