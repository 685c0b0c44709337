r"""A laid-out graph as a TikZ picture, with its labels in mathematics, for slides.

The picture needs only ``\usepackage{tikz}`` and amsmath. Sizes are those of the SVG, in points, scaled
down to a slide; change ``scale`` (which scales the text with it) to taste.
"""

from __future__ import annotations

from diffkit.graphs.layout.positions import Box, Curve, Layout
from diffkit.graphs.model import Edge, Graph, Label, Node
from diffkit.tables import latex_escape

_STYLES = r"""  dk/.style={draw=black!75, rounded corners=2pt, line width=0.6pt, align=center, inner sep=1pt,
    font=\Large},
  dk input/.style={dk, rounded corners=9pt, draw=dkblue, fill=dkblue!9},
  dk operation/.style={dk, fill=white},
  dk output/.style={dk, draw=dkblue, double, fill=white},
  dk adjoint/.style={dk, draw=dkvermilion, fill=dkvermilion!9},
  dk seed/.style={dk adjoint, rounded corners=9pt, line width=1.1pt},
  dk sum/.style={dk adjoint, circle},
  dk kept/.style={dk, draw=none, fill=black!6},
  dk group/.style={dk, fill=black!6},
  dk failed/.style={dk, draw=red!70!black, fill=red!9, line width=1.2pt},
  dk leaf/.style={dk input},
  dk dotted/.style={dotted},
  dk flow/.style={draw=black!75, line width=0.6pt, -latex},
  dk back/.style={draw=dkvermilion, line width=0.6pt, dashed, latex-},
  dk link/.style={draw=black!30, line width=0.5pt},
  dk label/.style={font=\normalsize, align=center, inner sep=1pt},"""


_SLIDE = (390.0, 205.0)
"""Width and height of the text on a slide of beamer, 16 to 9, in points."""


def _fixed(value: float) -> str:
    return f"{value:.1f}"


def _line(label: Label) -> str:
    # Text and mathematics alike are written as mathematics.
    size = {"type": r"\footnotesize ", "note": r"\footnotesize\itshape "}.get(label.kind, "")
    if label.kind in ("type", "note") and label.math.latex.startswith(r"\text{"):
        return size + latex_escape(label.text)
    return f"{size}${label.math.latex}$"


def _lines(labels: tuple[Label, ...]) -> str:
    return r"\\ ".join(map(_line, labels))


def to_tikz(graph: Graph, layout: Layout, *, scale: float | None = None) -> str:
    """The picture as TikZ code.

    Args:
        graph: what to draw.
        layout: where.
        scale: of the whole picture, text included; 1 is the size of the SVG. By default what fits a
            slide of beamer.
    """
    scale = min(0.8, _SLIDE[0] / layout.width, _SLIDE[1] / layout.height) if scale is None else scale
    out = [
        f"% {visible_comment(graph.title)}",
        r"% needs \usepackage{tikz} and \usepackage{amsmath}",
        r"\definecolor{dkblue}{HTML}{0072B2}\definecolor{dkvermilion}{HTML}{D55E00}",
        rf"\begin{{tikzpicture}}[x=1pt, y=-1pt, scale={scale:.3g}, every node/.style={{transform shape}},",
        _STYLES + "]",
    ]
    for name, box in layout.clusters.items():
        out.append(_cluster(graph, name, box))
    order = sorted(range(len(graph.edges)), key=lambda k: graph.edges[k].kind != "kept")
    for k in order:
        if graph.edges[k].kind != "align":
            out += _edge(graph.edges[k], layout.curves[k], graph.direction)
    for node in graph.nodes:
        out.append(_node(node, layout.boxes[node.id]))
    for k, note in enumerate(graph.notes, start=1):
        at = _fixed(layout.height + 16 * k)
        out.append(rf"\node[anchor=west, font=\normalsize\itshape] at (0,{at}) {{{latex_escape(note)}}};")
    out.append(r"\end{tikzpicture}")
    return "\n".join(out) + "\n"


def visible_comment(text: str) -> str:
    """Text that stays inside one comment line."""
    return "".join(c if c.isprintable() else " " for c in text)


def _cluster(graph: Graph, name: str, box: Box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    title, below = graph.frame_title(name, box.width)
    anchor, at = ("south west", y + box.height) if below else ("north west", y)
    return (
        rf"\draw[black!25, rounded corners=4pt] ({_fixed(x)},{_fixed(y)}) "
        rf"rectangle ({_fixed(x + box.width)},{_fixed(y + box.height)});"
        "\n"
        rf"\node[anchor={anchor}, font=\normalsize, black!60] at ({_fixed(x)},{_fixed(at)}) "
        rf"{{{latex_escape(title)}}};"
    )


def _node(node: Node, box: Box) -> str:
    style = f"dk {node.kind}" + (", double" if node.returned and node.kind != "output" else "")
    style += ", dk dotted" if node.dotted else ""
    style += ", fill=orange!25" if node.repeated else ""
    return (
        rf"\node[{style}, minimum width={_fixed(box.width)}pt, minimum height={_fixed(box.height)}pt] "
        rf"({node.id}) at ({_fixed(box.x)},{_fixed(box.y)}) {{{_lines(node.labels)}}};"
    )


def _edge(edge: Edge, curve: Curve, direction: str) -> list[str]:
    style = {"flow": "dk flow", "adjoint": "dk back", "kept": "dk link"}[edge.kind]
    if edge.dotted:
        style += ", dk dotted"
    points = [f"({_fixed(x)},{_fixed(y)})" for x, y in curve.points]
    if curve.tip is not None:
        tip = f"({_fixed(curve.tip[0])},{_fixed(curve.tip[1])})"
        points = [tip, tip, points[0], *points] if curve.back else [*points, points[-1], tip, tip]
    path = points[0] + "".join(
        f" .. controls {points[k]} and {points[k + 1]} .. {points[k + 2]}"
        for k in range(1, len(points) - 1, 3)
    )
    out = [rf"\draw[{style}] {path};"]
    if edge.labels and curve.label is not None:
        look = ", text=dkvermilion!80!black" if edge.kind == "adjoint" else ""
        look += ", anchor=west" if direction == "down" else ""
        x, y = curve.label
        out.append(rf"\node[dk label{look}] at ({_fixed(x)},{_fixed(y)}) {{{_lines(edge.labels)}}};")
    return out
