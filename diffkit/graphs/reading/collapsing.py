"""Large graphs made small enough to be read: groups as one node each, or runs of rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from diffkit.autodiff.notation.row_texts import Math
from diffkit.autodiff.views import Trace
from diffkit.errors import InputError
from diffkit.graphs.model import Edge, Graph, Label, Node
from diffkit.graphs.reading.grouping import GROUPINGS, group_rows, with_groups

__all__ = ["collapse", "fit_for_drawing"]

LARGEST = 1000
"""Nodes beyond which a drawing is refused unless forced: nobody can read it."""

LABELLED = 150
"""Nodes beyond which arrows have no labels: each would add a layer, and laying them out takes minutes.
What an arrow carries is told to a pointer that rests on it."""


def collapse(graph: Graph) -> Graph:
    """Each group as one node, with the number of those that it stands for."""
    order = {name: k for k, name in enumerate(graph.groups)}
    ids = {
        n.id: f"{'a' if n.part == 'adjoint' or n.kind == 'kept' else ''}g{order[n.group]}"
        if n.group
        else n.id
        for n in graph.nodes
    }
    sizes = Counter(ids.values())
    nodes: dict[str, Node] = {}
    for n in graph.nodes:
        if n.kind == "kept" and n.group:
            continue
        if not n.group:
            nodes[n.id] = n
        elif ids[n.id] not in nodes:
            count = sizes[ids[n.id]]
            what = "adjoint of " if n.part == "adjoint" else ""
            name = Math(f"{what}{n.group}", rf"\text{{{what}{n.group}}}")
            lines = (Label(name, "formula"), Label(_nodes(count), "note"))
            nodes[ids[n.id]] = Node(ids[n.id], "group", lines, part=n.part, row=n.row, tip=n.group)
    edges: dict[tuple[str, str, str], list[Edge]] = {}
    for e in graph.edges:
        tail, head = ids[e.tail], ids[e.head]
        if tail != head and tail in nodes and head in nodes:
            edges.setdefault((tail, head, e.kind), []).append(e)
    merged = tuple(
        replace(
            same[0],
            tail=tail,
            head=head,
            labels=same[0].labels if len(same) == 1 and (tail, head) == (same[0].tail, same[0].head) else (),
            tip=same[0].tip if len(same) == 1 else f"{len(same)} values",
        )
        for (tail, head, _), same in edges.items()
    )
    layers = dict.fromkeys(tuple(dict.fromkeys(ids[i] for i in layer)) for layer in graph.same_layer)
    once = Counter(id for layer in layers for id in layer)
    same_layer = tuple(
        s for s in layers if len(s) > 1 and nodes.keys() >= set(s) and all(once[id] == 1 for id in s)
    )
    return replace(graph, nodes=tuple(nodes.values()), edges=merged, groups={}, same_layer=same_layer)


def _nodes(count: int) -> Math:
    text = f"{count} node{'s' * (count != 1)}"
    return Math(text, rf"\text{{{text}}}")


def fit_for_drawing(
    graph: Graph, t: Trace, *, grouped: bool, collapse_beyond: int | None, force: bool
) -> Graph:
    """A graph small enough to be read: collapsed beyond a number of nodes, refused beyond another.

    Raises:
        InputError: beyond 1,000 nodes that nothing has collapsed, unless forced.
    """
    size = len(graph.nodes)
    if collapse_beyond is not None and size > collapse_beyond:
        if not grouped:
            graph = min((group_rows(graph, t, by) for by in GROUPINGS), key=lambda g: len(collapse(g).nodes))
        whole, graph = graph, collapse(graph)
        if len(graph.nodes) > collapse_beyond:
            graph = _runs(whole, t)
        note = f"{size:,} nodes, collapsed into {len(graph.nodes):,}"
        graph = replace(graph, notes=(*graph.notes, note), title=f"{graph.title} ({note})")
    elif size > LARGEST and not force:
        raise InputError(
            f"the graph has {size:,} nodes, more than anybody can read. Draw a part (start=, end=, depth=), "
            "let it be collapsed (collapse_beyond=300), or insist with force=True"
        )
    if len(graph.nodes) > LABELLED:
        return replace(graph, edges=tuple(replace(e, labels=()) for e in graph.edges))
    return graph


def _runs(graph: Graph, t: Trace) -> Graph:
    """Runs of rows as groups, for programs without calls or loops to go by."""
    length = max(2, len(t.nodes) // 40)
    names = []
    for start in range(0, len(t.nodes), length):
        last = min(start + length, len(t.nodes)) - 1
        names += [f"rows {start}–{last}" if last > start else ""] * (last + 1 - start)
    for row in t.inputs[:40]:
        names[row.index] = ""
    return collapse(with_groups(graph, names))
