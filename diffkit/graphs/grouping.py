"""Large programs made readable: grouped by function call or loop iteration, collapsed, filtered.

A row keeps the code object and the instruction that made it. From these alone it can be told which
rows one call of a function made (a run of rows of its code, going forward), and which iteration of a
loop (a new one begins where the instructions jump back within the loop).
"""

from __future__ import annotations

import dis
import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import CodeType

from diffkit.autodiff.notation import Math
from diffkit.autodiff.sites import belongs_to_diffkit
from diffkit.autodiff.trace import Trace
from diffkit.autodiff.tracer import INPUT
from diffkit.autodiff.tracer import Node as Row
from diffkit.errors import InputError
from diffkit.graphs.model import Edge, Graph, Label, Node

__all__ = ["GROUPINGS", "collapse", "fit_for_drawing", "group_rows", "row_groups", "select"]

GROUPINGS = ("call", "iteration")

LARGEST = 1000
"""Nodes beyond which a drawing is refused unless forced: nobody can read it."""

LABELLED = 150
"""Nodes beyond which arrows have no labels: each would add a layer, and laying them out takes minutes.
What an arrow carries is told to a pointer that rests on it."""


@functools.lru_cache(maxsize=256)
def _loops(code: CodeType) -> tuple[tuple[int, int], ...]:
    """The instruction ranges of a code object's loops, the widest first."""
    ends: dict[int, int] = {}
    for instruction in dis.get_instructions(code):
        if "JUMP_BACKWARD" in instruction.opname:
            start = instruction.argval
            ends[start] = max(ends.get(start, 0), instruction.offset)
    return tuple(sorted(ends.items(), key=lambda range_: range_[0] - range_[1]))


@functools.lru_cache(maxsize=256)
def _calls(code: CodeType) -> tuple[int, ...]:
    """The offsets of a code object's calls."""
    return tuple(i.offset for i in dis.get_instructions(code) if i.opname.startswith("CALL"))


def _outermost_loop(row: Row) -> tuple[int, int] | None:
    return next(((a, b) for a, b in _loops(row.code) if a <= row.at <= b), None)


def row_groups(t: Trace, by: str) -> list[str]:
    """A group's name for every row, "" for rows in none.

    Args:
        t: the trace.
        by: "call" or "iteration".

    >>> from diffkit.autodiff.trace import trace
    >>> def f(x):
    ...     for _ in range(2):
    ...         x = 4.0 * x * (1.0 - x)
    ...     return x
    >>> row_groups(trace(f)(0.2), "iteration")
    ['', 'iteration 1', 'iteration 1', 'iteration 1', 'iteration 2', 'iteration 2', 'iteration 2']
    """
    if by == "call":
        return _by_call(t)
    if by == "iteration":
        return _by_iteration(t)
    raise InputError(f'rows are grouped by "call" or "iteration", not {by!r}')


def _by_call(t: Trace) -> list[str]:
    names = [""] * len(t.nodes)
    counts: Counter[str] = Counter()
    current, previous = "", None
    for row in t.nodes:
        if row.fun is INPUT or belongs_to_diffkit(row.code) or row.code.co_name == t.name:
            previous = None if row.fun is not INPUT else previous
            continue
        if previous is None or previous.code is not row.code or not _same_call(previous, row):
            counts[row.code.co_name] += 1
            current = f"{row.code.co_name} {counts[row.code.co_name]}"
        names[row.index] = current
        previous = row
    return [n.removesuffix(" 1") if counts[n.rpartition(" ")[0]] == 1 else n for n in names]


def _same_call(a: Row, b: Row) -> bool:
    """Whether two rows of the same code, one after the other, can come from the same call."""
    return b.at > a.at or any(start <= b.at and a.at <= end for start, end in _loops(a.code))


def _by_iteration(t: Trace) -> list[str]:
    numbers: list[int | None] = [None] * len(t.nodes)
    inside: Row | None = None  # the last row that stood in a loop, if it has not been left
    loop: tuple[int, int] = (0, 0)
    number = 0
    called: list[Row] = []  # rows since then that other functions made, on the loop's behalf or not
    for row in t.nodes:
        if row.fun is INPUT:
            continue
        here = _outermost_loop(row)
        if here is None and (inside is None or row.code is not inside.code):
            called.append(row)
            continue
        if inside is not None and row.code is not inside.code:
            called.append(row)
            continue
        if inside is not None and here != loop:  # the loop was left
            _give(numbers, called, number, inside.code, inside.at, loop[1])
            inside = None
        if here is None:
            called = []
            continue
        if inside is None:
            number += 1
            others = [r for r in called if r.code is not row.code]
            _give(numbers, others[len(others) - _trailing(called, row) :], number, row.code, here[0], row.at)
        elif row.at > inside.at:
            _give(numbers, called, number, row.code, inside.at, row.at)
        else:  # a jump back: what was called since belongs before it, or after
            if not _give(numbers, called, number, row.code, inside.at, here[1]):
                _give(numbers, called, number + 1, row.code, here[0], row.at)
            number += 1
        numbers[row.index] = number
        inside, loop, called = row, here, []
    if inside is not None:
        _give(numbers, called, number, inside.code, inside.at, loop[1])
    return ["" if n is None else f"iteration {n}" for n in numbers]


def _trailing(called: list[Row], row: Row) -> int:
    """How many rows at the end of a list another code made than that of ``row``."""
    return len(list(itertools.takewhile(lambda r: r.code is not row.code, reversed(called))))


def _give(
    numbers: list[int | None], rows: list[Row], number: int, code: CodeType, start: int, stop: int
) -> bool:
    """Gives rows to an iteration, if the code calls something between two instructions."""
    if any(start <= c <= stop for c in _calls(code)):
        for row in rows:
            numbers[row.index] = number
        return True
    return not rows


def group_rows(graph: Graph, t: Trace, by: str) -> Graph:
    """The graph with its nodes assigned to groups; those of the adjoint program go with their rows."""
    names = row_groups(t, by)
    return _with_groups(graph, names)


def _with_groups(graph: Graph, names: Sequence[str]) -> Graph:
    nodes = tuple(replace(n, group=names[n.row] if n.row >= 0 else "") for n in graph.nodes)
    return replace(graph, nodes=nodes, groups={name: name for name in names if name})


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
    return collapse(_with_groups(graph, names))


# -- parts of a graph ----------------------------------------------------------------------------------------


def select(
    graph: Graph,
    t: Trace,
    *,
    start: str | Sequence[str] | None = None,
    end: str | Sequence[str] | None = None,
    depth: int | None = None,
) -> Graph:
    """The part of a graph that matters.

    Args:
        graph: the graph of the trace.
        t: the trace.
        start: names of rows: only what they reach.
        end: names of rows: only what reaches them; with ``start``, only the paths between.
        depth: only rows at most so many operations after the start (or the inputs).

    Raises:
        InputError: for a name that no row has.
    """
    if start is None and end is None and depth is None:
        return graph
    kept = set(range(len(t.nodes)))
    first = _rows_named(t, start) if start is not None else {r.index for r in t.inputs}
    if start is not None or depth is not None:
        distance = dict.fromkeys(first, 0)
        for row in t.nodes:
            steps = [distance[p.index] + 1 for p in row.parents if p.index in distance]
            if steps and row.index not in distance and (depth is None or min(steps) <= depth):
                distance[row.index] = min(steps)
        kept &= distance.keys()
    if end is not None:
        reached = _rows_named(t, end)
        for row in reversed(t.nodes):
            if row.index in reached:
                reached |= {p.index for p in row.parents}
        kept &= reached
    return graph.keep(n.id for n in graph.nodes if n.row < 0 or n.row in kept)


def _rows_named(t: Trace, names: str | Sequence[str]) -> set[int]:
    wanted = [names] if isinstance(names, str) else list(names)
    known = {name: k for k, name in enumerate(t.names)}
    for name in wanted:
        if name not in known:
            some = ", ".join(itertools.islice(known, 12)) + (", ..." if len(known) > 12 else "")
            raise InputError(f"no value of {t.name} is called {name!r}; there are {some}")
    return {known[name] for name in wanted}
