r"""A graph as DOT, Graphviz's language: deterministic, every label escaped.

The same graph gives the same bytes. Ids are sequential; a label shows as it is, whatever is in it:

>>> from diffkit.graphs.model import Graph, Label, Node
>>> from diffkit.autodiff.notation.row_texts import Math
>>> name = Label(Math('<a:b> "\\n" &amp;', ""), "formula")
>>> dot = to_dot(Graph((Node("n0", "input", (name,)),), (), "title", "primal"))
>>> print(dot.splitlines()[-2].strip().split(" class=")[0])
n0 [label="<a:b> \"\\n\" &amp;amp;"
"""

from __future__ import annotations

import math

import graphviz

from diffkit.graphs.layout.ordering import Ports, add_combs
from diffkit.graphs.metrics import text_width
from diffkit.graphs.model import Edge, Graph, Label, Node

NODE_SIZES = {"formula": 15.0, "value": 15.0, "type": 11.0, "note": 11.0, "tangent": 15.0, "adjoint": 15.0}
"""Font sizes of the lines in a node, by kind."""

EDGE_SIZE = 12.0
BADGE = 26.0
"""The width that an operator's badge takes at the left of a box."""


def line_height(size: float) -> float:
    """The height of a line of text."""
    return size * 1.32


def label_size(label: Label, on_edge: bool) -> float:
    """The font size of a line."""
    return EDGE_SIZE if on_edge else NODE_SIZES.get(label.kind, 15.0)


def label_box(labels: tuple[Label, ...], on_edge: bool = False) -> tuple[float, float]:
    """The width and height of lines of text."""
    if not labels:
        return 0.0, 0.0
    sizes = [label_size(label, on_edge) for label in labels]
    return (
        max(text_width(label.text, size) for label, size in zip(labels, sizes, strict=True)),
        sum(map(line_height, sizes)),
    )


def node_box(node: Node, close: bool = False) -> tuple[float, float]:
    """The width and height of a node's box; with less room around the text where it is set closely."""
    if node.kind == "sum":
        return 26.0, 26.0
    width, height = label_box(node.labels)
    padding = 30.0 if node.kind == "input" else 22.0
    if node.kind == "kept":
        padding = 14.0
    around = 3.0 if close else 12.0
    padding -= 8.0 if close else 0.0
    return max(44.0, width + padding + (BADGE if node.symbol else 0.0)), max(26.0, height + around)


def _escape(text: str) -> str:
    """A line of a label, so that DOT shows it as it is: no escape sequence, no entity."""
    return text.replace("\\", "\\\\").replace("&", "&amp;")


def _tooltip(text: str) -> str:
    # Graphviz expands a tooltip's escapes twice, so that no backslash survives whole: another character
    # that looks like one does.
    plain = text.replace("\\", "\N{REVERSE SOLIDUS OPERATOR}").replace("&", "&amp;")
    tip: str = graphviz.nohtml(plain.replace("\n", "\\n"))
    return tip


def _label(labels: tuple[Label, ...]) -> str:
    # nohtml: a label "<lambda>" would be taken for HTML.
    text: str = graphviz.nohtml("\\n".join(_escape(label.text) for label in labels))
    return text


def _inches(points: float) -> str:
    return f"{points / 72:.3f}"


_SHAPES = {
    "input": {"shape": "box", "style": "rounded"},
    "output": {"shape": "box", "peripheries": "2"},
    "sum": {"shape": "circle"},
    "kept": {"shape": "plaintext"},
    "seed": {"shape": "box", "style": "rounded,bold"},
    "group": {"shape": "folder"},
    "leaf": {"shape": "box", "style": "rounded"},
}

_COLOURS = {"failed": "#B3261E", "adjoint": "#D55E00", "seed": "#D55E00", "sum": "#D55E00", "kept": "#777777"}


def _node_attributes(node: Node) -> dict[str, str]:
    width, height = node_box(node)
    attributes = {
        "label": _label(node.labels),
        "id": node.id,
        "class": f"{node.kind} {node.part}",
        "width": _inches(width),
        "height": _inches(height),
        **_SHAPES.get(node.kind, {}),
    }
    if node.returned:
        attributes["peripheries"] = "2"
    if node.dotted:
        attributes["style"] = ",".join(filter(None, [attributes.get("style", ""), "dotted"]))
    if node.repeated:
        attributes |= {"style": ",".join(filter(None, [attributes.get("style", ""), "filled"]))}
        attributes["fillcolor"] = "#FDEBC8"
    if node.kind in _COLOURS:
        attributes["color"] = _COLOURS[node.kind]
    if node.kind == "sum":
        attributes["fixedsize"] = "true"
    if node.tip:
        attributes["tooltip"] = _tooltip(node.tip)
    return attributes


def _edge_attributes(edge: Edge) -> dict[str, str]:
    attributes = {"class": edge.kind}
    if edge.labels:
        attributes["label"] = _label(edge.labels)
    if edge.key:
        attributes["id"] = f"e{edge.key.replace('.', '_')}{'b' if edge.kind == 'adjoint' else ''}"
    if edge.kind == "adjoint":
        attributes |= {"style": "dashed", "color": "#D55E00", "fontcolor": "#A84300"}
    elif edge.kind == "kept":
        attributes |= {"style": "solid", "color": "#BBBBBB", "arrowhead": "none", "constraint": "false"}
    elif edge.kind == "align":
        attributes |= {"style": "invis"}
    if edge.dotted:
        attributes["style"] = "dotted"
    if edge.tip:
        attributes["tooltip"] = _tooltip(edge.tip)
    if edge.back:
        attributes["dir"] = "back"
    return attributes


def to_dot(graph: Graph, *, sizes_only: bool = False) -> str:
    """The DOT text of a graph.

    Args:
        graph: what to draw.
        sizes_only: for a layout engine: boxes of a fixed size without their text, and in place of a
            label a blank of its size, so that no font of the engine's has a say.
    """
    dot = graphviz.Digraph(name="layout" if sizes_only else graphviz.nohtml(_escape(graph.title)))
    dot.attr("graph", rankdir="LR" if graph.direction == "right" else "TB", newrank="true")
    ranksep = "0.35" if graph.direction == "right" else "0.3"
    nodesep, ranksep = ("0.12", "0.15") if graph.size == "slide" else ("0.22", ranksep)
    dot.attr("graph", nodesep=nodesep, ranksep=ranksep)
    if len(graph.nodes) > 150:
        dot.attr("graph", nslimit="1", nslimit1="1", mclimit="0.5")
    if sizes_only:
        dot.attr("node", shape="box", fixedsize="true", label="")
        dot.attr("edge", fontname="Courier", fontsize="10")
    else:
        dot.attr("graph", fontname="Helvetica", bgcolor="transparent")
        dot.attr("node", fontname="Helvetica", fontsize="14", shape="box", margin="0.12,0.06")
        dot.attr("edge", fontname="Helvetica", fontsize="12", arrowsize="0.7")

    joined = graph.view == "both"
    ports = Ports.of(graph)
    clusters: dict[tuple[str, str], list[Node]] = {}
    # In frames that stand one above the other dot puts lowest what it is told first.
    for node in reversed(graph.nodes) if joined and graph.direction == "right" else graph.nodes:
        clusters.setdefault((node.part if joined else "", node.group), []).append(node)
    parts: dict[str, list[tuple[str, list[Node]]]] = {}
    for (part, group), nodes in clusters.items():
        parts.setdefault(part, []).append((group, nodes))
    # Of two clusters dot puts the first below in a drawing to the right, and left in one downwards.
    order = sorted(parts, reverse=graph.direction == "down")
    for part, members in ((part, parts[part]) for part in order):
        if part:
            with dot.subgraph(name=f"cluster_{part}") as inside:
                inside.attr(label=part, style="rounded", color="#BBBBBB", fontsize="12")
                inside.attr(labeljust="l", labelloc="t" if part == "primal" else "b")
                _add_groups(inside, graph, part, members, ports if sizes_only else None)
                if sizes_only:
                    add_combs(inside, graph, part)
        else:
            _add_groups(dot, graph, part, members, ports if sizes_only else None)
            if sizes_only:
                add_combs(dot, graph)
    for ids in graph.same_layer:
        with dot.subgraph() as layer:
            layer.attr(rank="same")
            for id in ids:
                layer.node(id)
    for number, edge in enumerate(graph.edges):
        if sizes_only and edge.kind == "kept":
            continue  # drawn straight to where it leads, past everything: it has no place in the layout
        tail, head = (edge.head, edge.tail) if edge.back else (edge.tail, edge.head)
        if sizes_only:
            if graph.view in ("dag", "tree"):
                tail = ports.name(tail, number)
            else:
                head = ports.name(head, number)
            dot.edge(tail, head, id=str(number), **_blank(edge, graph.direction))
        else:
            dot.edge(tail, head, **_edge_attributes(edge))
    return str(dot.source)


def _add_groups(
    dot: graphviz.Digraph,
    graph: Graph,
    part: str,
    members: list[tuple[str, list[Node]]],
    ports: Ports | None,
) -> None:
    """The nodes of a part, in their groups: for a layout engine if there are ports."""
    order = list(graph.groups)
    for group, nodes in members:
        if group:
            number = order.index(group) + 1
            with dot.subgraph(name=f"cluster_{part}{number}") as inside:
                name = graphviz.nohtml(_escape(graph.groups[group]))
                inside.attr(label=name, style="rounded", color="#BBBBBB", fontsize="12")
                inside.attr(labeljust="l", labelloc="t")
                if graph.view in ("dag", "tree"):
                    inside.attr(margin="18")  # arrows lead around
                _add_nodes(inside, nodes, ports, graph.size == "slide")
        else:
            _add_nodes(dot, nodes, ports, graph.size == "slide")


def _add_nodes(dot: graphviz.Digraph, nodes: list[Node], ports: Ports | None, close: bool) -> None:
    for node in nodes:
        if ports is not None:
            width, height = node_box(node, close)
            size = {"width": _inches(width), "height": _inches(height)}
            dot.node(node.id, **size, **ports.attributes(node.id))
        else:
            dot.node(node.id, **_node_attributes(node))


def blank_width(edge: Edge) -> float:
    """How wide the place is that the layout keeps for an edge's label: whole m's of Courier, 6 pt each."""
    return 6.0 * math.ceil((label_box(edge.labels, on_edge=True)[0] + 12) / 6)


def _blank(edge: Edge, direction: str) -> dict[str, str]:
    """A label's stand-in: as many m's of Courier (0.6 em each) and lines (1.2 em) as it takes."""
    attributes: dict[str, str] = {}
    if edge.labels:
        height = label_box(edge.labels, on_edge=True)[1]
        # Beside an arrow that points down a label may be as high as the gap that the arrow crosses.
        lines = len(edge.labels) if direction == "down" else max(1, round(height / 12 + 0.3))
        attributes["label"] = "\\n".join(["m" * round(blank_width(edge) / 6)] * lines)
    if edge.back:
        attributes["dir"] = "back"
    if edge.kind == "align":
        attributes["weight"] = "0"
    return attributes
