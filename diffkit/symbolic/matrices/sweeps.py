"""The chain rule over the graph of a matrix expression: adjoints from the root down, differentials up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from diffkit.errors import NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.pieces import Piece, pieces
from diffkit.symbolic.matrices.reading import short


def graph(root: Any, variables: Sequence[Any]) -> list[tuple[Any, list[Piece]]]:
    """The nodes that depend on the variables, operands first, each with its pieces by what depends on them.

    Raises:
        NoRuleError: for a head without a rule, or a leaf that a variable is hidden in.
    """
    made: dict[Any, list[Piece]] = {}
    order: list[Any] = []
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        e, ready = stack.pop()
        if ready:
            order.append(e)
        elif e not in made:
            made[e] = [] if e in variables else pieces(e)
            stack.append((e, True))
            stack.extend((piece.operand, False) for piece in reversed(made[e]))
    active: set[Any] = set()
    found = []
    for e in order:
        live = [piece for piece in made[e] if piece.operand in active]
        if live or e in variables:
            active.add(e)
            found.append((e, live))
        elif not made[e]:
            _check_constant(e, variables)
    return found


def _check_constant(e: Any, variables: Sequence[Any]) -> None:
    """A leaf with a variable inside is no constant: a zero would be wrong."""
    inside = set(e.free_symbols)
    if not algebra.is_scalar(e):
        for size in e.shape:
            inside |= sympy.sympify(size).free_symbols
    hidden = [x for x in variables if x in inside]
    if hidden:
        raise NoRuleError(f"{short(e)} depends on {hidden[0]} in a way that has no rule among matrices")


def reverse_sweep(root: Any, variables: Sequence[Any], seed: Any) -> list[Any]:
    """The variables' adjoints: the gradients of the inner product of ``seed`` and the root."""
    adjoints: dict[Any, list[Any]] = {root: [seed]}
    for e, parts in reversed(graph(root, variables)):
        if e in variables:
            continue
        if e not in adjoints:
            continue
        g = algebra.add(*adjoints[e])
        for piece in parts:
            adjoints.setdefault(piece.operand, []).append(piece.pull(g))
    return [
        algebra.add(*adjoints[x]) if x in adjoints else algebra.zeros(*algebra.shape(x)) for x in variables
    ]


def forward_sweep(root: Any, tangents: Mapping[Any, Any]) -> Any:
    """The root's differential, from those of the variables."""
    changes: dict[Any, Any] = dict(tangents)
    for e, parts in graph(root, list(tangents)):
        if e not in changes:
            changes[e] = algebra.add(*[piece.push(changes[piece.operand]) for piece in parts])
    return changes.get(root, algebra.zeros(*algebra.shape(root)))
