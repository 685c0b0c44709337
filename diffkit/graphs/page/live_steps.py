"""The steps of the live page: what happens in each, in words and symbols. The page puts the numbers in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.notation.row_texts import Notation
from diffkit.autodiff.recording.tracer import INPUT, plain
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import AdjointTrace, Trace


def value_steps(t: Trace, n: Notation) -> list[dict[str, Any]]:
    """The values, one by one: each with the row that it lights, and the arrows that lead to it."""
    steps: list[dict[str, Any]] = []
    for row in t.nodes:
        name = n.name(row).text
        if row.fun is INPUT:
            steps.append(_step("input", row, name, "An input is given."))
            continue
        names = list(dict.fromkeys(n.name(a).text for a in row.parents))
        listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        words = f"{name} is computed from {listed}.{_axes(row)}" if listed else ""
        steps.append(_step("primal", row, n.equation(row).text, words, edges=_edges(t, row)))
    return steps


def backward_steps(t: Trace, n: Notation, adjoint: AdjointTrace, seeds: list[int]) -> list[dict[str, Any]]:
    """The seeds, each contribution and which of those to an adjoint it is, and what gets none.

    Args:
        t: the trace.
        n: its notation.
        adjoint: its adjoint program.
        seeds: the rows of the seeds.
    """
    contributions = adjoint.contributions
    expected = [seeds.count(r.index) + sum(c.target == r.index for c in contributions) for r in t.nodes]
    come = [0] * len(t.nodes)
    steps: list[dict[str, Any]] = []
    for index in seeds:
        row = t.nodes[index]
        come[index] += 1
        words = f"The reverse sweep starts: the seed is the adjoint of the output {n.name(row).text}."
        steps.append(_step("seed", row, n.bar(row).text, words, nth=come[index], of=expected[index]))
    for k, c in enumerate(contributions):
        source, target = t.nodes[c.source], t.nodes[c.target]
        come[c.target] += 1
        nth, of = come[c.target], expected[c.target]
        name = n.name(target).text
        words = f"{n.name(source).text} hands its adjoint back to {name}, times the local derivative."
        words += _summed(source, target, name)
        if of > 1:
            words += f" {name} gets {of} contributions, which add up: this is number {nth}."
        text = n.contribution(source, c.k).text
        formula = (
            f"{n.bar(target).text} = {text}" if of == 1 else f"{n.bar(target).text}, {nth} of {of}: {text}"
        )
        edges = [f"{c.source}.{c.k}"]
        steps.append(_step("adjoint", target, formula, words, edges=edges, part=k, nth=nth, of=of))
    for row in t.inputs:
        if not expected[row.index]:
            words = f"No path leads from {n.name(row).text} to an output, so its adjoint is zero."
            steps.append(_step("adjoint", row, n.bar(row).text, words))
    return steps


def forward_steps(t: Trace, n: Notation, tangents: Sequence[Any]) -> list[dict[str, Any]]:
    """The tangents, one by one, in the order of the trace."""
    moving = t.tangents(*tangents)
    steps = []
    for row in t.nodes:
        dot, name = n.dot(row).text, n.name(row).text
        if row.fun is INPUT:
            formula, words = dot, f"The direction is given: how fast {name} moves."
        elif moving[row.index] is None:
            formula, words = dot, f"{name} depends on nothing that moves."
        else:
            formula = f"{dot} = {n.tangent(row, lambda a: moving[a.index] is not None).text}"
            words = f"Each argument's tangent, times the local derivative, adds to that of {name}."
        steps.append(_step("tangent", row, formula, words, edges=_edges(t, row)))
    return steps


def _step(kind: str, row: Row, formula: str, words: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "row": row.index, "formula": formula, "words": words, **more}


def _edges(t: Trace, row: Row) -> list[str]:
    return [] if row.fun is INPUT else [f"{row.index}.{k}" for k, a in enumerate(row.args) if t.owns(a)]


def _axes(row: Row) -> str:
    """Over which axes a row sums, or takes the largest of, and how many numbers there are in each."""
    if row.fun.name not in ("sum", "mean", "max", "min", "prod", "logsumexp") or type(row.args[0]) is not Row:
        return ""
    x = plain(row.args[0].value)
    axis = row.kwargs.get("axis", row.args[1] if len(row.args) > 1 else None)
    return _over(axis, np.shape(x), "It runs over")


def _over(axis: Any, shape: tuple[int, ...], start: str) -> str:
    if not shape:
        return ""
    if not isinstance(axis, int | tuple | None) or len(shape) == 1:
        return f" {start} {int(np.prod(shape))} elements."
    axes = range(len(shape)) if axis is None else [a % len(shape) for a in np.atleast_1d(axis)]
    listed = " and ".join(f"axis {a}, of {shape[a]}" for a in axes)
    return f" {start} {listed}."


def _summed(source: Row, target: Row, name: str) -> str:
    """That an adjoint is summed where its value had been broadcast, and over which axes."""
    wide, narrow = np.shape(plain(source.value)), np.shape(plain(target.value))
    if source.fun.name not in ("add", "subtract", "multiply", "divide", "maximum", "where", "power"):
        return ""
    padded = (1,) * (len(wide) - len(narrow)) + narrow
    axes = tuple(k for k, (a, b) in enumerate(zip(wide, padded, strict=True)) if a != b)
    return _over(axes, wide, f"{name} was broadcast, so it is summed over") if axes else ""
