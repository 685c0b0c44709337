"""The adjoint program as a graph: adjoints, their contributions, and what the reverse sweep keeps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from diffkit.autodiff.notation.row_texts import Math, Notation, dimensions, type_text, value_text
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import AdjointTrace
from diffkit.graphs.model import Edge, Label, Node
from diffkit.graphs.reading.row_looks import at_kink
from diffkit.graphs.reading.wording import kept_line, number, plain_text, with_number, with_value


def adjoint_part(adjoint: AdjointTrace, n: Notation, direction: str) -> tuple[list[Node], list[Edge]]:
    """The adjoints and their contributions, in the order of the program.

    A row's adjoint is the node ``a<row>``. Where several contributions meet there is a sum before it,
    ``s<row>``; where a seed meets contributions, it is the node ``d<row>``.
    """
    rows = adjoint.primal.nodes
    seeds = {adjoint.roles[c.index].primal: c for c in adjoint.cotangents}
    notes = _seed_notes(adjoint)
    uses = Counter(c.target for c in adjoint.contributions)
    nodes: list[Node] = []
    edges: list[Edge] = []
    sums: set[int] = set()
    for row in rows:
        total, seed = adjoint.adjoint_rows[row.index], seeds.get(row.index)
        if total is None and row.fun is not INPUT:
            continue
        alone = seed is not None and not uses[row.index]
        nodes.append(_adjoint_node(row, total, n, notes[row.index] if alone else ""))
        # Parts of a sequence are put together, not added.
        if uses[row.index] + (seed is not None) > 1 and not isinstance(row.value, tuple | list):
            sums.add(row.index)
            plus = (Label(Math("+", "+"), "formula"),)
            nodes.append(Node(f"s{row.index}", "sum", plus, part="adjoint", row=row.index))
            edges.append(Edge(f"s{row.index}", f"a{row.index}", "adjoint", back=True))
            if seed is not None:
                value = value_text(seed.value) or type_text(seed.value)
                labels = (Label(number(value), "adjoint"), _note(f"{notes[row.index]} of {n.name(row).text}"))
                nodes.append(Node(f"d{row.index}", "seed", labels, part="adjoint", row=row.index))
                edges.append(Edge(f"d{row.index}", f"s{row.index}", "adjoint", back=True))
    for c in adjoint.contributions:
        source, target = rows[c.source], rows[c.target]
        edges.append(
            Edge(
                f"a{c.source}",
                f"s{c.target}" if c.target in sums else f"a{c.target}",
                "adjoint",
                tuple(_contribution(n, source, c.k, c.value, direction)),
                dotted=at_kink(source),
                key=f"{c.source}.{c.k}",
                tip=f"contribution of {n.name(source).text} to {n.bar(target).text}",
                back=True,
            )
        )
    return nodes, edges


def _seed_notes(adjoint: AdjointTrace) -> dict[int, str]:
    """What a seed's node says of it: of a value that is returned twice, that there are two seeds in it."""
    outputs = [o.index for o in adjoint.primal.outputs if adjoint.primal.owns(o)]
    times = Counter(outputs)
    return {index: "seed" if times[index] == 1 else f"{times[index]} seeds, added" for index in outputs}


def _adjoint_node(row: Row, total: Any, n: Notation, seed: str) -> Node:
    line = with_value(n.bar(row), total, row.value)
    labels = [Label(line, "adjoint")]
    type_ = type_text(row.value)
    if type_ and total is not None:
        labels.append(Label(plain_text(type_), "type"))
    if seed:
        labels.append(_note(seed))
    elif total is None:
        labels.append(_note("no path to an output"))
    return Node(
        f"a{row.index}",
        "seed" if seed else "adjoint",
        tuple(labels),
        part="adjoint",
        dotted=total is None,
        row=row.index,
        tip=f"{line.text}\nhow much the output changes per unit of {n.name(row).text}",
    )


def _note(text: str) -> Label:
    return Label(plain_text(text), "note")


def _contribution(n: Notation, row: Row, k: int, value: Any, direction: str) -> list[Label]:
    """What an adjoint edge carries: ``ā·x₂`` and ``= 3``."""
    text = n.contribution(row, k)
    value_ = value_text(value) if dimensions(value) == 0 else ""
    if value_ and at_kink(row):  # what the formula says at a tie is not what is used there
        return [Label(number(value_), "number")]
    return with_number(text, value_, direction) if value_ else [Label(text, "partial")]


# -- what the reverse sweep keeps ---------------------------------------------------------------------


def kept_by(adjoint: AdjointTrace) -> dict[int, list[int]]:
    """Per row of the primal trace, the primal rows whose values its pullback reads."""
    kept: dict[int, list[int]] = {}
    complete = {
        a.index for a in (*adjoint.adjoint_rows, *adjoint.cotangents) if adjoint.owns(a)
    }  # where the walk up from a contribution ends
    for c in adjoint.contributions:
        found = kept.setdefault(c.source, [])
        source = adjoint.adjoint_rows[c.source]
        stop = {source.index} if adjoint.owns(source) else set()
        if not adjoint.owns(c.value) or c.value.index in stop:
            continue
        stack, seen = [c.value], set()
        while stack:
            row = stack.pop()
            if row.index in seen:
                continue
            seen.add(row.index)
            role = adjoint.roles[row.index]
            if role.kind == "primal":
                if role.primal not in found:
                    found.append(role.primal)
            elif row is c.value or row.index not in complete:
                stack.extend(row.parents)
    return {source: sorted(rows) for source, rows in kept.items()}


def kept_lines(adjoint: AdjointTrace) -> list[Edge]:
    """Lines from primal values to the adjoints whose pullbacks read them."""
    return [
        Edge(f"n{i}", f"a{reader}", "kept", tip="kept for the reverse sweep")
        for reader, rows in kept_by(adjoint).items()
        for i in rows
    ]


def kept_chips(adjoint: AdjointTrace, n: Notation) -> tuple[list[Node], list[Edge]]:
    """What each pullback reads, in a chip ``k<row>`` beside its adjoint, for a drawing without the program.

    One chip for each reader: lines across the whole drawing would be unreadable.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    for reader, rows in kept_by(adjoint).items():
        if rows:
            lines = [kept_line(n.name(row), row.value) for row in (adjoint.primal.nodes[i] for i in rows)]
            tip = "kept for the reverse sweep: " + ", ".join(line.text for line in lines)
            labels = tuple(Label(line, "value") for line in lines)
            nodes.append(Node(f"k{reader}", "kept", labels, row=reader, tip=tip))
            edges.append(Edge(f"k{reader}", f"a{reader}", "kept", tip=tip))
    return nodes, edges
