"""The picture without the picture: words from which the graph can be rebuilt; text in other renderers."""

import re
import shutil
import subprocess
from html import unescape

import pytest

from diffkit import programs
from diffkit.graphs.drawing import draw
from diffkit.graphs.reading.from_trace import VIEWS


def rebuilt(svg):
    """Nodes and edges, with their lines, from the alternative text alone."""
    text = unescape(re.search("<desc>(.*?)</desc>", svg, re.DOTALL)[1])
    nodes, edges = {}, []
    for line in text.splitlines():
        edge = re.fullmatch(r"(\w+) → (\w+) \((\w+)\)(?:: (.*))?", line)
        if edge:
            edges.append((*edge.group(1, 2, 3), edge[4] or ""))
        else:
            name, _, lines = line.partition(": ")
            nodes[name] = lines
    return nodes, edges


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("program", list(programs.all_programs()), ids=lambda p: p.name)
def test_the_graph_can_be_rebuilt_from_the_alternative_text(program, view):
    drawing = draw(program, *program.args, view=view)
    nodes, edges = rebuilt(drawing.svg())
    assert nodes == {n.id: "; ".join(a.text for a in n.labels) for n in drawing.graph.nodes}
    assert edges == [
        (e.tail, e.head, e.kind, "; ".join(a.text for a in e.labels))
        for e in drawing.graph.edges
        if e.kind != "align"
    ]


def test_labels_are_not_painted_over_where_paint_order_is_unknown():
    cairosvg = pytest.importorskip("cairosvg")
    svg = draw(programs.two_outputs, 2.0, 3.0).svg(theme="light")
    assert "paint-order" not in svg
    bare = re.sub(r'<text class="(partial|number)" .*?</text>', "", svg)
    assert bare != svg
    with_labels, without = (len(cairosvg.svg2png(bytestring=s.encode())) for s in (svg, bare))
    assert with_labels > without + 500


def test_librsvg_draws_every_label_of_a_shipped_svg(tmp_path):
    """As the programs of GNOME draw it, and pandoc: by the loader that comes with the library."""
    thumbnailer = shutil.which("gdk-pixbuf-thumbnailer")
    if thumbnailer is None:
        pytest.skip("there is no librsvg with its loader on this machine")
    svg = draw(programs.two_outputs, 2.0, 3.0, view="both").svg(theme="light")
    sizes = []
    for name, text in (
        ("whole", svg),
        ("bare", re.sub(r'<text class="(partial|number)" .*?</text>', "", svg)),
    ):
        source, target = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run([thumbnailer, "-s", "1200", source, target], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"librsvg's loader does not run here: {done.stderr.strip()[:80]}")
        sizes.append(target.stat().st_size)
    assert sizes[0] > sizes[1] + 500
