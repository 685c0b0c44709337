"""A drawing for a slide of 16 to 9: a long program is wrapped like text, so that its letters stay large.

The rows of the program are cut into runs, each run is laid out by itself, and the runs stand in columns that
are read one after the other. A value that a later run uses stands there once more, as a chip with its name,
in place of an arrow across the slide. Of the ways to cut the one with the largest type is taken; and where
that is still small, wide vectors are told by their shape, and then derivatives by their number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from diffkit.autodiff.notation.row_texts import Math
from diffkit.graphs.layout.layout_engines import lay_out
from diffkit.graphs.layout.positions import Box, Curve, Layout, Point
from diffkit.graphs.metrics import text_width
from diffkit.graphs.model import Edge, Graph, Label, Node

ASPECT = 16 / 9
"""Width of a slide by its height."""

_MOST_RUNS = 6
_GAP = 22.0
"""Points between runs."""

_ENOUGH = 350.0
"""The height of a slide, in points, at which type of 15 points can be read from any seat: 4.3 % of it."""
_READABLE = 480.0
"""The height beyond which it would be less than 3 %."""
_WIDE = 110.0
"""Points beyond which a vector's elements are wide."""


def pared(graph: Graph) -> Graph:
    """The graph without what a slide can do without: signs of operators, types beside values."""

    def less(node: Node) -> Node:
        labels = node.labels
        if any(
            label.kind == "value" or (label.kind == "adjoint" and " = " in label.text) for label in labels
        ):
            labels = tuple(label for label in labels if label.kind != "type")
        return replace(node, symbol="" if node.kind != "failed" else node.symbol, labels=labels)

    return replace(graph, nodes=tuple(map(less, graph.nodes)), size="slide")


def lay_out_slide(ways: Sequence[Graph], engine: str = "auto") -> tuple[Graph, Layout]:
    """The graph as it is drawn on a slide, with chips for the values that a run has from an earlier one.

    Args:
        ways: the same graph, as it is to be drawn to the right, and downwards; or one of these.
        engine: what lays it out.

    Raises:
        LayoutError: if the engine fails.
    """
    found = [each for graph in ways for each in _wrapped(graph, engine)]
    for less in (_without_wide_values, _numbers_only):
        if min(height for height, *_ in found) > _READABLE:
            ways = [less(graph) for graph in ways]
            found += [each for graph in ways for each in _wrapped(graph, engine)]
    return min(found, key=lambda each: each[0])[1:]


def _wrapped(graph: Graph, engine: str) -> Iterator[tuple[float, Graph, Layout]]:
    """Ways to wrap a graph, each with the height of the slide that it needs."""
    lowest = float("inf")
    for count in range(1, _MOST_RUNS + 1):
        runs = list(_runs(graph, count))
        if len(runs) < count:
            return
        whole = _arranged([lay_out(run, engine) for run in runs])
        height = _height(whole.width, whole.height)
        yield height, _joined(graph, runs), whole
        if height < _ENOUGH or height > 1.3 * lowest:
            return
        lowest = min(lowest, height)


def _without_wide_values(graph: Graph) -> Graph:
    """The graph with the shapes of vectors in place of their elements, where these are wide."""

    def narrower(label: Label) -> Label:
        name, equals, value = label.math.text.rpartition(" = ")
        if label.kind not in ("value", "adjoint", "tangent") or not value.startswith("["):
            return label
        if text_width(value, 15.0) < _WIDE:
            return label
        shape = f"({value.count(',') + 1},)" if "[" not in value[1:] and "…" not in value else "array"
        latex = label.math.latex.rpartition(" = ")[0]
        return replace(label, math=Math(f"{name}{equals}{shape}", f"{latex}{equals}{shape}"))

    nodes = tuple(replace(n, labels=tuple(map(narrower, n.labels))) for n in graph.nodes)
    return replace(graph, nodes=nodes)


def _numbers_only(graph: Graph) -> Graph:
    """The graph with a number on an arrow in place of a formula and its number."""

    def shorter(edge: Edge) -> Edge:
        texts = [label.text for label in edge.labels]
        numbered = any(label.kind == "number" for label in edge.labels)
        if edge.kind == "kept" or not (numbered or any(" = " in text for text in texts)):
            return edge
        labels = []
        for label in edge.labels:
            (_, _, text), (_, _, latex) = label.math.text.rpartition("= "), label.math.latex.rpartition("= ")
            if label.kind != "partial" or not numbered:
                labels.append(replace(label, math=Math(text, latex)))
        return replace(edge, labels=tuple(labels))

    return replace(graph, edges=tuple(map(shorter, graph.edges)))


def _runs(graph: Graph, count: int) -> Iterator[Graph]:
    """The graph cut into so many runs of rows, or into fewer where there are not so many rows."""
    inputs = {n.row for n in graph.nodes if n.kind == "input"} | _read_only(graph)
    rows = sorted({n.row for n in graph.nodes if n.row >= 0} - inputs)
    last = max(rows, default=0)
    of = {n.id: n.row if n.row >= 0 else last for n in graph.nodes}
    links = {tuple(sorted((of[e.tail], of[e.head]))) for e in graph.edges if e.kind in ("flow", "adjoint")}
    place = {row: k for k, run in enumerate(_cut(rows, links, count)) for row in run}
    for row in inputs:  # where it is used first
        place[row] = min((place.get(b, 0) for a, b in links if a == row), default=0)
    where = {id: place.get(row, 0) for id, row in of.items()}
    for k in range(max(where.values(), default=0) + 1):
        nodes = {n.id: n for n in graph.nodes if where[n.id] == k}
        edges: list[Edge] = []
        for e in graph.edges:
            if where[e.head] != k:
                continue
            chip = f"{e.tail}r{k}"
            if where[e.tail] == k:
                edges.append(e)
            elif e.kind != "kept" or chip in nodes:
                nodes.setdefault(chip, _chip(graph.node(e.tail), chip))
                edges.append(replace(e, tail=chip))
        same = tuple(s for s in graph.same_layer if nodes.keys() >= set(s))
        # A chip of a value stands before what uses it.
        ordered = sorted(nodes.values(), key=lambda n: n.kind != "kept" or n.part == "adjoint")
        yield replace(graph, nodes=tuple(ordered), edges=tuple(edges), same_layer=same)


def _cut(rows: list[int], links: set[tuple[int, ...]], count: int) -> list[list[int]]:
    """Rows in runs whose longest chains are as short as can be, and of such, with few values handed on."""
    before = {row: [a for a, b in links if b == row and a != row] for row in rows}
    users = {row: [b for a, b in links if a == row and b != row] for row in rows}

    def cost(start: int, stop: int) -> tuple[int, int]:
        depth: dict[int, int] = {}
        for row in rows[start:stop]:
            depth[row] = 1 + max((depth.get(a, 0) for a in before[row]), default=0)
        handed_on = sum(any(b > rows[stop - 1] for b in users[row]) for row in rows[:stop])
        return max(depth.values()), handed_on

    best: dict[tuple[int, int], tuple[int, int, list[int]]] = {(0, 0): (0, 0, [])}
    for parts in range(1, count + 1):
        for stop in range(parts, len(rows) + 1):
            options = []
            for start in range(parts - 1, stop):
                longest, handed, cuts = best.get((parts - 1, start), (-1, 0, []))
                if longest >= 0:
                    depth, more = cost(start, stop)
                    options.append((max(longest, depth), handed + more * (stop < len(rows)), [*cuts, stop]))
            if options:
                best[parts, stop] = min(options)
    ends = [0, *best.get((count, len(rows)), (0, 0, [len(rows)]))[2]]
    return [rows[a:b] for a, b in itertools.pairwise(ends)]


def _read_only(graph: Graph) -> set[int]:
    """The rows of the inputs in a drawing of adjoints alone: those whose adjoints are handed on to nobody."""
    if graph.view != "adjoint":
        return set()
    giving = {e.tail for e in graph.edges if e.kind == "adjoint"}
    return {n.row for n in graph.nodes if n.kind == "adjoint" and n.id not in giving}


def _chip(node: Node, id: str) -> Node:
    """A value's name, for a run that uses it and does not compute it."""
    math = node.labels[0].math
    name = Math(math.text.partition(" = ")[0], math.latex.partition(" = ")[0])
    kind = "adjoint" if node.part == "adjoint" else "value"
    return Node(id, "kept", (Label(name, kind),), part=node.part, row=node.row, tip=node.tip)


def _arranged(layouts: list[Layout]) -> Layout:
    """Layouts in one, in columns that are read one after the other: those that make the slide lowest."""
    sizes = [(part.width, part.height) for part in layouts]
    breaks = itertools.product((False, True), repeat=len(layouts) - 1)
    columns = min((_columns(chosen) for chosen in breaks), key=lambda c: _height(*_extent(c, sizes)))
    width, height = _extent(columns, sizes)
    boxes: dict[str, Box] = {}
    curves: dict[int, tuple[Curve, ...]] = {}
    left = 0.0
    for column in columns:
        top = 0.0
        for k in column:
            part = layouts[k]
            boxes |= {name: replace(b, x=b.x + left, y=b.y + top) for name, b in part.boxes.items()}
            curves[k] = tuple(_shifted(curve, left, top) for curve in part.curves)
            top += part.height + _GAP
        left += max(sizes[k][0] for k in column) + _GAP
    clusters = layouts[0].clusters if len(layouts) == 1 else {}
    return Layout(width, height, boxes, tuple(c for k in sorted(curves) for c in curves[k]), clusters)


def _columns(breaks: Sequence[bool]) -> list[list[int]]:
    columns = [[0]]
    for k, new in enumerate(breaks, start=1):
        columns += [[k]] if new else []
        if not new:
            columns[-1].append(k)
    return columns


def _extent(columns: list[list[int]], sizes: list[tuple[float, float]]) -> tuple[float, float]:
    """The width and height of columns."""
    width = sum(max(sizes[k][0] for k in column) for column in columns) + _GAP * (len(columns) - 1)
    height = max(sum(sizes[k][1] for k in column) + _GAP * (len(column) - 1) for column in columns)
    return width, height


def _height(width: float, height: float) -> float:
    """The height of the slide that something fits on."""
    return max(height, width / ASPECT)


def _shifted(curve: Curve, dx: float, dy: float) -> Curve:
    def moved(p: Point | None) -> Point | None:
        return None if p is None else (p[0] + dx, p[1] + dy)

    points = tuple((x + dx, y + dy) for x, y in curve.points)
    return replace(curve, points=points, tip=moved(curve.tip), label=moved(curve.label))


def _joined(graph: Graph, runs: list[Graph]) -> Graph:
    """The runs as one graph, in the order of their layouts."""
    nodes = tuple(n for run in runs for n in run.nodes)
    return replace(graph, nodes=nodes, edges=tuple(e for run in runs for e in run.edges))
