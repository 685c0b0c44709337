"""The steps of a forward and a reverse (or a second forward) pass, one by one, for a page to play.

A step writes texts into slots (``v3``: the value of row 3; ``d3``: its adjoint or tangent), lights a
node and the arrows concerned, and says what happens in words and in a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from diffkit.autodiff.notation.evaluation_tables import contribution_words
from diffkit.autodiff.notation.row_texts import Math, Notation, absent, type_text, value_text
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import AdjointTrace, Trace
from diffkit.sites import belongs_to_diffkit, source_line

UNKNOWN = "–"
"""What stands for a value that has not been computed yet."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a pass.

    Attributes:
        kind: "input", "primal", "seed", "adjoint" or "tangent".
        row: the row whose value, tangent or adjoint changes.
        slots: what is written, by slot.
        edges: the arrows that are lit, as ``"row.k"``.
        words: what happens.
        formula: it in symbols and numbers, without the result.
        result: the result.
    """

    kind: str
    row: int
    slots: dict[str, str]
    words: str
    formula: str
    result: str
    edges: tuple[str, ...] = field(default=())


def shown(value: Any) -> str:
    """A value as a slot shows it: a number, a short vector, or the shape."""
    return value_text(value) or type_text(value)


def _chain(*parts: Math | None) -> str:
    texts: list[str] = []
    for part in parts:
        if part is not None and (not texts or part.text != texts[-1]):
            texts.append(part.text)
    return " = ".join(texts)


_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


def primal_steps(t: Trace, n: Notation) -> list[Frame]:
    """The values, one by one."""
    steps = []
    for row in t.nodes:
        name, value = n.name(row), shown(row.value)
        if row.fun is INPUT:
            steps.append(
                Frame("input", row.index, {f"v{row.index}": value}, "An input is given.", name.text, value)
            )
            continue
        edges = tuple(f"{row.index}.{k}" for k, a in enumerate(row.args) if t.owns(a))
        told = [n.formula(row), n.formula_in_numbers(row)]
        if row.fun.name in _COMPARISONS:
            told = [part and Math(f"({part.text})", f"({part.latex})") for part in told]
        formula = _chain(name, *told)
        names = [n.name(a).text for a in dict.fromkeys(row.parents)]
        words = (
            f"{name.text} is computed from {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}."
        )
        steps.append(Frame("primal", row.index, {f"v{row.index}": value}, words, formula, value, edges))
    return steps


def adjoint_steps(t: Trace, n: Notation, adjoint: AdjointTrace) -> list[Frame]:
    """The seeds, and then every contribution, in the order of the reverse sweep."""
    steps = []
    running: dict[int, Any] = {}
    for seed in adjoint.cotangents:
        index = adjoint.roles[seed.index].primal
        if index < 0:
            continue
        bar, value = n.bar(t.nodes[index]).text, shown(seed.value)
        running[index] = seed.value
        words = (
            f"The reverse sweep starts: the seed is the adjoint of the output {n.name(t.nodes[index]).text}."
        )
        steps.append(Frame("seed", index, {f"d{index}": f"{bar} = {value}"}, words, bar, value))
    for c in adjoint.contributions:
        source, target = t.nodes[c.source], t.nodes[c.target]
        bar = n.bar(target).text
        before = running.get(c.target)
        whole = isinstance(target.value, tuple | list)  # parts are put together, not added
        total = _bare(c.value) if before is None or whole else before + _bare(c.value)
        running[c.target] = total
        formula = contribution_words(
            n, source, c.k, target, None if whole else before, running.get(c.source)
        ).text
        names = n.name(source).text, n.name(target).text
        words = f"{names[0]} hands its adjoint back to {names[1]}, times the local derivative."
        if before is not None and not whole:
            words += f" {n.name(target).text} was used more than once: the contributions add up."
        result = shown(total)
        steps.append(
            Frame(
                "adjoint",
                c.target,
                {f"d{c.target}": f"{bar} = {result}"},
                words,
                formula,
                result,
                (f"{c.source}.{c.k}",),
            )
        )
    for row in t.inputs:
        if row.index not in running:
            bar = n.bar(row).text
            zero = absent(row.value)
            words = f"No path leads from {n.name(row).text} to an output, so its adjoint is zero."
            steps.append(Frame("adjoint", row.index, {f"d{row.index}": f"{bar} = {zero}"}, words, bar, zero))
    return steps


def tangent_steps(t: Trace, n: Notation, tangents: Sequence[Any]) -> list[Frame]:
    """The tangents, one by one, in the order of the trace."""
    swept = t.tangents(*tangents)
    steps = []
    for row in t.nodes:
        tangent = swept[row.index]
        dot = n.dot(row)
        value = absent(row.value) if tangent is None else shown(tangent)
        slots = {f"d{row.index}": f"{dot.text} = {value}"}
        if row.fun is INPUT:
            words = f"The direction is given: how fast {n.name(row).text} moves."
            steps.append(Frame("tangent", row.index, slots, words, dot.text, value))
            continue
        edges = tuple(f"{row.index}.{k}" for k, a in enumerate(row.args) if t.owns(a))
        if tangent is None:
            words, formula = f"{n.name(row).text} depends on nothing that moves.", dot.text
        else:
            words = (
                f"Each argument's tangent, times the local derivative, adds to that of {n.name(row).text}."
            )
            active = n.tangent(row, lambda a: swept[a.index] is not None)
            formula = _chain(dot, active, n.tangent_in_numbers(row, swept))
        steps.append(Frame("tangent", row.index, slots, words, formula, value, edges))
    return steps


def details(t: Trace, n: Notation, adjoint: AdjointTrace | None) -> list[dict[str, Any]]:
    """Per row, what a click on it tells: its formula, its line in the program, all contributions."""
    found: list[dict[str, Any]] = []
    for row in t.nodes:
        inside = row.fun is INPUT or belongs_to_diffkit(row.code)
        found.append(
            {
                "name": n.name(row).text,
                "formula": n.equation(row).text,
                "type": type_text(row.value) or type(_bare(row.value)).__name__,
                "line": "" if inside else source_line(row.code, row.at),
                "parts": [],
            }
        )
    for c in adjoint.contributions if adjoint is not None else []:
        source, target = t.nodes[c.source], t.nodes[c.target]
        found[c.target]["parts"].append(
            {
                "from": f"from {n.name(source).text}",
                "text": f"{n.contribution(source, c.k).text} = {shown(_bare(c.value))}",
                "edge": f"{c.source}.{c.k}",
            }
        )
        found[c.target]["bar"] = n.bar(target).text
    return found


def _bare(value: Any) -> Any:
    while type(value) is Row:
        value = value.value
    return value
