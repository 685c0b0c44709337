"""The part of a graph that matters: what some rows reach, what reaches others, the paths between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from diffkit.autodiff.views import Trace
from diffkit.errors import InputError
from diffkit.graphs.model import Graph


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
