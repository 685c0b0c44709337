"""A laid-out graph as SVG: scales to its container, follows light and dark, loads nothing.

Meaning rests on shape, dash and bar first: inputs are round-ended, outputs have a double border,
adjoints have bars over their names and dashed arrows, sums are circles. Colour comes second, from the
palette of Okabe and Ito (2008), which colour-blind readers can tell apart: blue for the
program, vermilion for adjoints, bluish green for tangents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from diffkit.graphs.layout.dot import BADGE, label_size, line_height
from diffkit.graphs.layout.layout_engines import direction
from diffkit.graphs.layout.positions import Box, Curve, Layout, Point
from diffkit.graphs.layout.slides import ASPECT
from diffkit.graphs.metrics import text_width
from diffkit.graphs.model import Edge, Graph, Label, Node
from diffkit.graphs.reading.build_up import Step

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


_LIGHT = """
.dk text{font-family:FONT_FAMILY;fill:#1b1f24;text-anchor:middle}
.dk .paper{fill:#ffffff}
.dk .box{fill:#ffffff;stroke:#4a5058;stroke-width:1.3}
.dk .inner{fill:none;stroke:#0072b2;stroke-width:1.3}
.dk .input .box{fill:#e6f1f9;stroke:#0072b2}
.dk .output .box{fill:#ffffff;stroke:#0072b2;stroke-width:1.6}
.dk .adjoint .box,.dk .seed .box,.dk .sum .box{fill:#fdf0e6;stroke:#c25400}
.dk .seed .box{stroke-width:2.4}
.dk .kept .box{fill:#f1f2f4;stroke:none}
.dk .group .box{fill:#eceef1;stroke:#4a5058;stroke-width:1.3}
.dk .repeated .box{fill:#fdebc8;stroke:#8f6200;stroke-width:1.6}
.dk .failed .box{fill:#fbe9e9;stroke:#b3261e;stroke-width:2.4}
.dk .failed .badge{fill:#b3261e}
.dk .dotted .box{stroke-dasharray:1.5 3.5;stroke-linecap:round}
.dk .badge{fill:#4a5058}
.dk .input .badge,.dk .output .badge{fill:#0072b2}
.dk .badge-text{fill:#ffffff;font-weight:600}
.dk .formula{font-weight:600}
.dk .type,.dk .note{fill:#5b636d}
.dk .note{font-style:italic}
.dk .below{text-anchor:start}
.dk text.adjoint{fill:#a04400;font-weight:600}
.dk text.tangent{fill:#00694d;font-weight:600}
.dk .kept text{fill:#5b636d;font-weight:400}
.dk .line{fill:none;stroke:#4a5058;stroke-width:1.4}
.dk .tip{fill:#4a5058;stroke:none}
.dk text.halo{fill:none!important;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round}
.dk .edge text{fill:#39424c}
.dk.down .edge text{text-anchor:start}
.dk .edge text.number{font-weight:600}
.dk .edge text.adjoint{fill:#a04400}
.dk .edge.adjoint .line{stroke:#c25400;stroke-dasharray:6 4}
.dk .edge.adjoint .tip{fill:#c25400}
.dk .edge.adjoint text{fill:#a04400;font-weight:400}
.dk .edge.adjoint text.number{font-weight:600}
.dk .edge.kept .line{stroke:#8a9199;stroke-width:1.1}
.dk .edge.dotted .line{stroke-dasharray:1.5 3.5;stroke-linecap:round}
.dk .cluster{fill:none;stroke:#8a9199;stroke-width:1}
.dk .cluster-name{fill:#5b636d;text-anchor:start}
""".replace("FONT_FAMILY", FONT)

_DARK = """
.dk text{fill:#e8eaed}
.dk .paper{fill:#14181d}
.dk .box{fill:#23272e;stroke:#aab2bd}
.dk .inner{stroke:#56b4e9}
.dk .input .box{fill:#16303f;stroke:#56b4e9}
.dk .output .box{fill:#23272e;stroke:#56b4e9}
.dk .adjoint .box,.dk .seed .box,.dk .sum .box{fill:#3b2413;stroke:#f0944d}
.dk .kept .box{fill:#2b3038}
.dk .group .box{fill:#2b3038;stroke:#aab2bd}
.dk .repeated .box{fill:#40310f;stroke:#e6b450}
.dk .failed .box{fill:#3a1a1a;stroke:#ff8a80}
.dk .failed .badge{fill:#ff8a80}
.dk .badge{fill:#aab2bd}
.dk .input .badge,.dk .output .badge{fill:#56b4e9}
.dk .badge-text{fill:#14181d}
.dk .type,.dk .note,.dk .kept text,.dk .cluster-name{fill:#a7b0bb}
.dk text.adjoint,.dk .edge.adjoint text{fill:#ffb27d}
.dk text.tangent{fill:#5fd3ae}
.dk .line{stroke:#aab2bd}
.dk .tip{fill:#aab2bd}
.dk text.halo{stroke:#14181d}
.dk .edge text{fill:#ccd2d9}
.dk .edge text.adjoint{fill:#ffb27d}
.dk .edge.adjoint .line{stroke:#f0944d}
.dk .edge.adjoint .tip{fill:#f0944d}
.dk .edge.kept .line{stroke:#626b77}
.dk .cluster{stroke:#626b77}
"""

_SHRINKS = "@supports (max-width:100%){.dk{max-width:100%;height:auto}}"
"""To its container's width, where "auto" is known: CairoSVG would make it a picture without height."""

# A page may hold drawings in several themes, and a style reaches all of them: so each theme's dark colours
# are for pictures of that theme only.
_STYLES = {
    "light": _LIGHT,
    "dark": _LIGHT + _DARK.replace(".dk", ".dk.dark"),
    "auto": f"{_LIGHT}@media (prefers-color-scheme: dark){{{_DARK.replace('.dk', '.dk.auto')}}}",
}

_MARGIN = 8.0
_NOTE = 13.0
"""The font size of what stands below the drawing."""


def to_svg(
    graph: Graph,
    layout: Layout,
    *,
    theme: str = "auto",
    background: str | None = None,
    scales: bool = True,
    reversible: bool = False,
    step: Step | None = None,
) -> str:
    """The picture.

    Args:
        graph: what to draw.
        layout: where.
        theme: "auto" follows the reader's, "light" and "dark" are fixed.
        background: a colour to fill the picture with, "paper" for white or near black as the theme has
            it; transparent by default.
        scales: whether it shrinks to its container; a fixed size otherwise, for converters.
        reversible: give each arrow a second head, at its beginning, for a page that shows it in turn.
        step: of the build-up, what is to be seen; by default all.
    """
    if step is not None:
        graph, layout = _at_step(graph, layout, step)
    margin = 5.0 if graph.size == "slide" else _MARGIN
    below = layout.height + 2 * margin
    width = max([layout.width, *(text_width(note, _NOTE) for note in graph.notes)]) + 2 * margin
    height = below + line_height(_NOTE) * len(graph.notes)
    parts = []
    parts.append(f'<g transform="translate({fixed(margin)} {fixed(margin)})">')
    for box in layout.clusters.values():
        parts.append(
            _rect("cluster", box.x - box.width / 2, box.y - box.height / 2, box.width, box.height, 8)
        )
    # Light links first, so that everything else lies on top of them.
    order = sorted(range(len(graph.edges)), key=lambda k: graph.edges[k].kind != "kept")
    for k in order:
        if graph.edges[k].kind != "align":
            parts.append(_edge(graph.edges[k], layout.curves[k], reversible))
    for node in graph.nodes:
        parts.append(_node(node, layout.boxes[node.id]))
    for name, box in layout.clusters.items():
        parts.append(_cluster_name(graph, name, box))
    parts.append("</g>")
    for k, note in enumerate(graph.notes, start=1):
        baseline = below + line_height(_NOTE) * k - margin
        parts.append(
            f'<text class="note below" font-size="{fixed(_NOTE)}" x="{fixed(margin)}" y="{fixed(baseline)}">'
            f"{xml_text(note)}</text>"
        )
    return svg_page(
        parts,
        (width, height),
        title=graph.title,
        description=described(graph),
        theme=theme,
        background=background,
        scales=scales,
        kind=graph.direction,
        slide=graph.size == "slide",
    )


def svg_page(
    parts: Sequence[str],
    size: tuple[float, float],
    *,
    title: str,
    description: str,
    theme: str,
    background: str | None,
    scales: bool = True,
    kind: str = "right",
    slide: bool = False,
    more_style: str = "",
) -> str:
    """A whole SVG around what is drawn, in the style of all pictures.

    Args:
        parts: what is drawn.
        size: its width and height.
        title: one line, for those who can't see it; "description" says all that is in it.
        description: see ``title``.
        theme, background, scales: see :func:`to_svg`.
        kind: a class of the root.
        slide: whether it stands in the middle of a slide, of 16 to 9.
        more_style: rules of this picture alone.
    """
    style = _STYLES[theme] + more_style
    if not scales:
        # CairoSVG takes one font for all of a text, so that has to be one with subscripts and overlines.
        style = style.replace(FONT, "'DejaVu Sans'")
    width, height = size
    left = top = 0.0
    if slide:
        left, top = max(0.0, height * ASPECT - width) / 2, max(0.0, width / ASPECT - height) / 2
        width, height = width + 2 * left, height + 2 * top
    shown = ("1280", "720") if slide else (f"{width:.0f}", f"{height:.0f}")
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dk {kind} {theme}" '
        f'width="{shown[0]}" height="{shown[1]}" '
        f'viewBox="{fixed(0.0 - left)} {fixed(0.0 - top)} {fixed(width)} {fixed(height)}" role="img" '
        f'aria-label="{_attribute(title)}">',
        f"<desc>{xml_text(description)}</desc>",
        f"<style>{_SHRINKS * scales}{style}</style>",
    ]
    corner = f' x="{fixed(-left)}" y="{fixed(-top)}"' if left or top else ""
    whole = f'{corner} width="100%" height="100%"'
    if background == "paper":
        head.append(f'<rect class="paper"{whole}/>')
    elif background:
        head.append(f'<rect{whole} fill="{_attribute(background)}"/>')
    svg = "\n".join([*head, *parts, "</svg>"]) + "\n"
    return svg if scales else _for_converters(svg)


def _at_step(graph: Graph, layout: Layout, step: Step) -> tuple[Graph, Layout]:
    """What is to be seen at a step of the build-up, where it is in the whole picture."""

    def told(labels: tuple[Label, ...], id: str) -> tuple[Label, ...]:
        return labels if id in step.told else tuple(label for label in labels if label.kind != "adjoint")

    nodes = tuple(
        n if n.part == "adjoint" else replace(n, labels=told(n.labels, n.id))
        for n in graph.nodes
        if n.id in step.nodes
    )
    kept = [k for k, e in enumerate(graph.edges) if step.nodes >= {e.tail, e.head}]
    edges = tuple(
        e if e.kind == "adjoint" else replace(e, labels=told(e.labels, e.head))
        for e in (graph.edges[k] for k in kept)
    )
    curves = tuple(layout.curves[k] for k in kept)
    return replace(graph, nodes=nodes, edges=edges), replace(layout, curves=curves)


def described(graph: Graph) -> str:
    """The graph in words, edges and numbers included: a line for each node, then one for each arrow."""
    lines = [f"{node.id}: {'; '.join(label.text for label in node.labels)}" for node in graph.nodes]
    for edge in graph.edges:
        if edge.kind != "align":
            carries = "; ".join(label.text for label in edge.labels)
            lines.append(f"{edge.tail} → {edge.head} ({edge.kind})" + (f": {carries}" if carries else ""))
    return "\n".join(lines)


_OVERLINE_SPAN = re.compile('<tspan text-decoration="overline">(.*?)</tspan>')
_FONT_SIZE = re.compile('class="([a-z-]+)( halo" aria-hidden="true)?" font-size="([0-9.]+)"')
_BOLD = ("formula", "adjoint", "tangent", "wall")


def _for_converters(svg: str) -> str:
    """With combining overlines, for CairoSVG misplaces a part of a line; smaller, for DejaVu is wide."""

    def smaller(found: re.Match[str]) -> str:
        kind, size = found[1], float(found[3])
        return f'class="{kind}{found[2] or ""}" font-size="{size * (0.83 if kind in _BOLD else 0.9):.2f}"'

    return _FONT_SIZE.sub(smaller, _OVERLINE_SPAN.sub(lambda m: "".join(c + "\u0305" for c in m[1]), svg))


def fixed(value: float) -> str:
    """A coordinate."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


def xml_text(text: str) -> str:
    """Text that is legal in XML, whatever it was."""
    return escape(text.encode("utf-8", "replace").decode().translate(_ILLEGAL), quote=False)


_OVERLINED = re.compile("(?:[^\u0305]\u0305)+")


def _marked_up(text: str) -> str:
    """Text with one line over a name of several letters: combining overlines seldom join."""
    return _OVERLINED.sub(
        lambda m: f'<tspan text-decoration="overline">{m[0].replace(chr(0x305), "")}</tspan>', xml_text(text)
    )


def _attribute(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode().translate(_ILLEGAL)).replace("\n", "&#10;")


def _cluster_name(graph: Graph, name: str, box: Box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    title, below = graph.frame_title(name, box.width)
    baseline = y + box.height - 6 if below else y + 15
    place = f'font-size="12" x="{fixed(x + 9)}" y="{fixed(baseline)}">{xml_text(title)}</text>'
    return f'<text class="cluster-name halo" aria-hidden="true" {place}<text class="cluster-name" {place}'


def _lines(labels: tuple[Label, ...], x: float, y: float, on_edge: bool) -> list[str]:
    """Lines of text, one below the other about a point."""
    sizes = [label_size(label, on_edge) for label in labels]
    top = y - sum(map(line_height, sizes)) / 2
    parts = []
    for label, size in zip(labels, sizes, strict=True):
        baseline = top + line_height(size) / 2 + 0.36 * size
        slot = f' data-slot="{label.slot}"' if label.slot else ""
        at = f'font-size="{fixed(size)}" x="{fixed(x)}" y="{fixed(baseline)}"'
        place = f"{at}{slot}>{_marked_up(label.text)}</text>"
        if on_edge:  # a text of its own, for paint-order is unknown to many programs
            parts.append(f'<text class="{label.kind} halo" aria-hidden="true" {place}')
        parts.append(f'<text class="{label.kind}" {place}')
        top += line_height(size)
    return parts


def _node(node: Node, box: Box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    marks = {"dotted": node.dotted, "repeated": node.repeated}
    classes = ["node", node.kind, *(mark for mark, is_so in marks.items() if is_so)]
    parts = [f'<g class="{" ".join(classes)}" data-node="{node.id}">']
    if node.tip:
        parts.append(f"<title>{xml_text(node.tip)}</title>")
    if node.kind == "sum":
        r = box.width / 2
        parts.append(f'<circle class="box" cx="{fixed(box.x)}" cy="{fixed(box.y)}" r="{fixed(r)}"/>')
        d = r * 0.5
        parts.append(
            f'<path class="line" d="M{fixed(box.x - d)} {fixed(box.y)}h{fixed(2 * d)}'
            f'M{fixed(box.x)} {fixed(box.y - d)}v{fixed(2 * d)}"/></g>'
        )
        return "".join(parts)
    radius = box.height / 2 if node.kind in ("input", "seed", "leaf") else 6
    radius = min(radius, 20)
    parts.append(_rect("box", x, y, box.width, box.height, radius))
    if node.returned or node.kind == "output":
        inner = max(4.0, radius - 3)
        parts.append(_rect("inner", x + 3, y + 3, box.width - 6, box.height - 6, inner if radius > 6 else 4))
    centre = box.x
    if node.symbol:
        centre += BADGE / 2
        cx = x + 17
        size = {1: 14, 2: 12, 3: 9.5}.get(len(node.symbol), 8)
        parts.append(f'<circle class="badge" cx="{fixed(cx)}" cy="{fixed(box.y)}" r="11"/>')
        parts.append(
            f'<text class="badge-text" font-size="{fixed(size)}" x="{fixed(cx)}" '
            f'y="{fixed(box.y + 0.35 * size)}">{xml_text(node.symbol)}</text>'
        )
    parts += _lines(node.labels, centre, box.y, on_edge=False)
    parts.append("</g>")
    return "".join(parts)


def _rect(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    return (
        f'<rect class="{kind}" x="{fixed(x)}" y="{fixed(y)}" width="{fixed(width)}" height="{fixed(height)}" '
        f'rx="{fixed(radius)}"/>'
    )


def _edge(edge: Edge, curve: Curve, reversible: bool = False) -> str:
    classes = ["edge", edge.kind, *(["dotted"] if edge.dotted else [])]
    key = f' data-edge="{edge.key}"' if edge.key else ""
    parts = [f'<g class="{" ".join(classes)}"{key}>']
    if edge.tip:
        parts.append(f"<title>{xml_text(edge.tip)}</title>")
    points = curve.points
    start, rest = points[0], points[1:]
    path = f"M{fixed(start[0])} {fixed(start[1])}C" + " ".join(f"{fixed(x)} {fixed(y)}" for x, y in rest)
    parts.append(f'<path class="line" d="{path}"/>')
    if curve.tip is not None:
        parts.append(_arrowhead(points[0] if curve.back else points[-1], curve.tip))
    if reversible:
        dx, dy = direction(points[1], points[0])
        inner = (points[0][0] - 10 * dx, points[0][1] - 10 * dy)
        parts.append(_arrowhead(inner, points[0], "tip start"))
    if edge.labels and curve.label is not None:
        parts += _lines(edge.labels, *curve.label, on_edge=True)
    parts.append("</g>")
    return "".join(parts)


def _arrowhead(end: Point, tip: Point, kind: str = "tip") -> str:
    dx, dy = direction(end, tip)
    width = 3.6
    corners = [
        tip,
        (end[0] - dy * width, end[1] + dx * width),
        (end[0] + dy * width, end[1] - dx * width),
    ]
    return f'<polygon class="{kind}" points="{" ".join(f"{fixed(x)},{fixed(y)}" for x, y in corners)}"/>'
