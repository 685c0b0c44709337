"""A long loop rolled up: one iteration is drawn, and shows the rows of whichever is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import Trace
from diffkit.graphs.model import Edge, Graph
from diffkit.graphs.reading.grouping import row_groups, with_groups

_FEWEST = 5
"""Iterations from which on a loop is rolled."""


@dataclass(frozen=True, slots=True)
class Roll:
    """Which row each drawn row stands for, in each iteration.

    Attributes:
        real: of a drawn row, the rows that it shows, by iteration: of the loop's body, and of what an
            iteration takes over from the one before.
        body: the drawn rows of the body.
        rows: the rows of each iteration.
    """

    real: dict[int, list[int]]
    body: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]

    def fold(self, graph: Graph, t: Trace) -> Graph:
        """The graph of the whole trace with the one iteration that is drawn; what is handed on leads back.

        Args:
            graph: of all rows, one node each.
            t: the trace.
        """
        within = {row for rows in self.rows for row in rows}
        kept = {n.id for n in graph.nodes if n.row not in within or n.row in self.real}
        node_of = {n.row: n.id for n in graph.nodes}
        last = dict(zip(self.rows[-1], self.body, strict=True))
        row_of = {n.id: n.row for n in graph.nodes}
        edges = []
        for e in graph.edges:
            head, tail = row_of[e.head], row_of[e.tail]
            if head in self.real and head not in self.body:
                continue  # a value taken over has no arguments of its own
            if head in self.real or head not in within:
                tail = last.get(tail, tail) if head not in within else tail
                edges.append(replace(e, tail=node_of[tail]))
        for row, shown in self.real.items():
            if row not in self.body:
                handed = self.body[self.rows[0].index(shown[1])]
                edges.append(Edge(node_of[handed], node_of[row], "kept", back=True, tip="the next iteration"))
                edges.append(Edge(node_of[shown[0]], node_of[row], "kept", tip="the first iteration"))
        nodes = tuple(replace(n, returned=n.returned or n.row in self._returned(t)) for n in graph.nodes)
        folded = replace(graph, nodes=nodes, edges=tuple(edges), same_layer=()).keep(kept)
        title = f"one of {len(self.rows)} iterations"
        return with_groups(folded, [title if n.index in self.real else "" for n in t.nodes])

    def _returned(self, t: Trace) -> set[int]:
        """The drawn rows whose last iteration is an output."""
        outputs = {o.index for o in t.outputs if t.owns(o)}
        return {row for row in self.body if self.real[row][-1] in outputs}


def roll(t: Trace) -> Roll | None:
    """The trace's longest loop whose iterations do the same, if it has five iterations or more.

    >>> from diffkit.autodiff.views import trace
    >>> def f(x):
    ...     for _ in range(20):
    ...         x = 4.0 * x * (1.0 - x)
    ...     return x
    >>> rolled = roll(trace(f)(0.2))
    >>> len(rolled.rows), rolled.body, rolled.real[3][:3]
    (20, (4, 5, 6), [0, 3, 6])
    >>> roll(trace(lambda x: x * x)(3.0)) is None
    True
    """
    groups: dict[str, list[int]] = {}
    for row, name in zip(t.nodes, row_groups(t, "iteration"), strict=True):
        if name and row.fun is not INPUT:
            groups.setdefault(name, []).append(row.index)
    iterations = list(groups.values())
    alike = [_form(t, iterations[k - 1] if k else [], rows) for k, rows in enumerate(iterations)]
    best, start = (0, 0), 1
    for k in range(1, len(iterations) + 1):
        if k == len(iterations) or alike[k] != alike[start]:
            best = max(best, (k - start, -start))
            start = k
    length, first = best[0], -best[1]
    # The iteration before those may differ from them in one thing alone: that it takes over what stood before
    # the loop. Then it is one of them; and else it is drawn by itself.
    opens = first >= 1 and [f[0] for f in alike[first - 1]] == [f[0] for f in alike[first]]
    for start in (first - 1, first) if opens else (first,):
        rows = tuple(tuple(r) for r in iterations[start : first + length])
        if len(rows) >= _FEWEST and (found := _rolled(t, rows)) is not None:
            return found
    return None


def _rolled(t: Trace, rows: tuple[tuple[int, ...], ...]) -> Roll | None:
    """These iterations rolled; None if one begins with a constant, or is read later on."""
    body = rows[1]
    real = {row: [r[place] for r in rows] for place, row in enumerate(body)}
    before = {row: place for place, row in enumerate(rows[0])}
    for place, drawn in enumerate(body):
        for k, a in enumerate(t.nodes[drawn].args):
            if t.owns(a) and a.index in before:
                opening = t.nodes[rows[0][place]].args[k]
                if not t.owns(opening):
                    return None
                handed = [opening.index, *(r[before[a.index]] for r in rows[:-1])]
                if real.setdefault(a.index, handed) != handed:
                    return None
    return Roll(real, body, rows) if _only_the_last_goes_on(t, rows) else None


def _only_the_last_goes_on(t: Trace, rows: tuple[tuple[int, ...], ...]) -> bool:
    """Whether nothing outside the loop reads an iteration before the last."""
    early = {row for each in rows[:-1] for row in each}
    within = early | set(rows[-1])
    later = [a for r in t.nodes if r.index not in within for a in r.args] + list(t.outputs)
    return not any(t.owns(a) and a.index in early for a in later)


def _form(t: Trace, before: list[int], rows: list[int]) -> list[tuple[str, tuple[Any, ...]]]:
    """What an iteration does: its functions, and where each takes its arguments from."""
    own = {row: ("own", place) for place, row in enumerate(rows)}
    own |= {row: ("before", place) for place, row in enumerate(before)}

    def source(a: Any) -> Any:
        return own.get(a.index, ("outside", a.index)) if type(a) is Row and t.owns(a) else "constant"

    return [(t.nodes[r].fun.name, tuple(source(a) for a in t.nodes[r].args)) for r in rows]
