"""Large graphs made small enough to be read: groups as one node each, or runs of rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from diffkit.autodiff.notation.row_texts import Math
from diffkit.autodiff.views import Trace
from diffkit.errors import InputError
from diffkit.graphs.model import Edge, Graph, Label, Node
from diffkit.graphs.reading.grouping import GROUPINGS, group_rows, row_groups, with_groups

LARGEST = 1000
"""Nodes beyond which a drawing is refused unless forced: nobody can read it."""

MOST_INPUTS = 40
"""Inputs of which each stays when a graph is collapsed."""

LABELLED = 150
"""Nodes beyond which arrows have no labels: each would add a layer, and laying them out takes minutes.
What an arrow carries is told to a pointer that rests on it."""


def collapse(graph: Graph) -> Graph:
    """Each group as one node, with the number of those that it stands for."""
    order = {name: k for k, name in enumerate(graph.groups)}
    # No group swallows these, but of hundreds of inputs nobody could read each.
    ends = {n.row for n in graph.nodes if n.kind in ("output", "seed")}
    ends |= {n.row for n in [n for n in graph.nodes if n.kind == "input"][:MOST_INPUTS]}
    graph = replace(graph, nodes=tuple(replace(n, group="") if n.row in ends else n for n in graph.nodes))
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
    graph: Graph, t: Trace, *, group: str | None, collapse_beyond: int | None, force: bool
) -> Graph:
    """A graph small enough to be read: collapsed beyond a number of nodes, refused beyond another.

    Loops are rolled: the first two iterations and the last stay. Where that is not enough each group becomes
    one node, and where there are none, or too many, runs of rows do.

    Raises:
        InputError: beyond 1,000 nodes that nothing has collapsed, unless forced; for a grouping that was
            asked for and leaves too many nodes.
    """
    size = len(graph.nodes)
    if collapse_beyond is not None and size > collapse_beyond:
        rolled = _rolled(graph, t) if group != "call" else None
        if rolled is not None and len(rolled.nodes) <= collapse_beyond:
            graph = rolled
        else:
            if group is None:
                whole = min(
                    (group_rows(graph, t, by) for by in GROUPINGS), key=lambda g: len(collapse(g).nodes)
                )
            else:
                whole = graph
            graph = collapse(whole)
            if len(graph.nodes) > collapse_beyond and group is not None:
                raise InputError(
                    f"grouped by {group} {t.name} still has {len(graph.nodes):,} nodes, more than "
                    f"{collapse_beyond}: draw a part (start=, end=, depth=), let it be grouped otherwise "
                    "(group=None), or draw it all (collapse_beyond=None)"
                )
            if len(graph.nodes) > collapse_beyond:
                graph = _runs(whole, t)
        note = f"{size:,} nodes, collapsed into {len(graph.nodes):,}"
        graph = replace(graph, notes=(*graph.notes, note))
    elif size > LARGEST and not force:
        raise InputError(
            f"the graph has {size:,} nodes, more than anybody can read. Draw a part (start=, end=, depth=), "
            "let it be collapsed (collapse_beyond=300), or insist with force=True"
        )
    if len(graph.nodes) > LABELLED:
        note = f"beyond {LABELLED} nodes arrows have no labels"
        edges = tuple(replace(e, labels=()) for e in graph.edges)
        return replace(graph, edges=edges, notes=(*graph.notes, note))
    return graph


def _rolled(graph: Graph, t: Trace) -> Graph | None:
    """The first two iterations of a loop and the last, in frames, and one node for all between.

    None without a loop of five iterations or more.
    """
    names = row_groups(t, "iteration")
    iterations = [name for name in dict.fromkeys(names) if name]
    if len(iterations) < 5:
        return None
    middle = set(iterations[2:-1])
    between = f"⋮ × {len(middle):,}"
    rolled = collapse(with_groups(graph, [between if name in middle else "" for name in names]))
    return with_groups(rolled, ["" if name in middle else name for name in names])


def _runs(graph: Graph, t: Trace) -> Graph:
    """Runs of rows as groups, for programs without calls or loops to go by."""
    length = max(2, len(t.nodes) // 40)
    names = []
    for start in range(0, len(t.nodes), length):
        last = min(start + length, len(t.nodes)) - 1
        names += [f"rows {start}–{last}" if last > start else ""] * (last + 1 - start)
    for row in t.inputs[:MOST_INPUTS]:
        names[row.index] = ""
    return collapse(with_groups(graph, names))
