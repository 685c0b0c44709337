"""Functions in pieces: Max, Min and Piecewise."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from diffkit.errors import InputError
from diffkit.expressions import Expression, call, piecewise
from diffkit.expressions.operations import ZERO, total
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, lines, table_rule


def read_extremum(node: Expression, context: Context) -> Rule:
    """Max or Min of any number of arguments, two at a time, so that every tie is shared."""
    if any(context.is_complex(a) for a in node._args):
        raise InputError(
            f"{type(node).__name__} compares real numbers, but a symbol in it is declared not real, or it "
            "holds the imaginary unit"
        )
    cls, args = type(node), node._args
    line = lines()[cls]
    if len(args) == 2:
        return table_rule(line, node, args, context)
    first = call(cls, *args[:2])
    for a in args[2:-1]:
        context.explore(first)
        first = call(cls, first, a)
    context.explore(first)
    return table_rule(line, node, (first, args[-1]), context)


class PiecewiseRule(Rule):
    """The pieces are differentiated, the conditions kept: at a boundary, the piece that holds there."""

    __slots__ = ("pieces",)

    def __init__(self, node: Expression, context: Context) -> None:
        self.pieces = [(p._args[0], p._args[1]) for p in node._args]
        operands = tuple(dict.fromkeys(context.of([value for value, _ in self.pieces])))
        super().__init__("piecewise", node, operands, self._term)

    def _term(self, k: int, factor: Expression) -> Expression:
        return self.pullback(factor)[k]

    def pushforward(self, tangents: Sequence[Expression]) -> Expression:
        by = dict(zip(self.operands, tangents, strict=True))
        new = [(by.get(value, ZERO), condition) for value, condition in self.pieces]
        if all(value is ZERO for value, _ in new):
            return ZERO
        return piecewise(*new)

    def pullback(self, adjoint: Expression) -> list[Expression]:
        # What is left of the adjoint goes down the list of conditions: each takes it or passes it on,
        # so that the work is linear in the number of pieces.
        shares: dict[Expression, list[Expression]] = {o: [] for o in self.operands}
        left = adjoint
        for value, condition in self.pieces:
            always = condition is sympy.true
            if value in shares:
                share = left if always else piecewise((left, condition), (0, True))
                shares[value].append(share)
            if always:
                break
            left = piecewise((0, condition), (left, True))
        return [total(shares[o]) for o in self.operands]
