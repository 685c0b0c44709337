"""DOT text: valid, and every label as it is, whatever is in it."""

import xml.etree.ElementTree as ET

import pytest

from diffkit.autodiff.notation.row_texts import Math
from diffkit.graphs.drawing import draw
from diffkit.graphs.layout.dot import node_box, to_dot
from diffkit.graphs.layout.layout_engines import run_engine
from diffkit.graphs.model import Edge, Graph, Label, Node

NASTY = [
    "<lambda>",
    "<b>bold</b>",
    "a:b",
    'say "hi"',
    r"\n",
    r"\N \G \l",
    "back\\slash\\",
    "&amp;",
    "&lt;tag&gt;",
    "{a|b}",
    "<<x>>",
    "digraph",
    "x -> y;",
    "Ünï ∂ x̄₁ 数",
    "'single'",
    "%s {0} $x$",
    "# comment",
    "//",
    "/* */",
    "</script>",
]


def graph_with(text):
    name = Label(Math(text, text), "formula")
    nodes = (Node("n0", "input", (name,), tip=text), Node("n1", "operation", (name,), dotted=True, tip=text))
    edge = Edge("n0", "n1", "flow", (Label(Math(text, text), "partial"),), key="1.0", tip=text)
    return Graph(nodes, (edge,), text, "primal")


@pytest.mark.parametrize("text", NASTY)
def test_any_text_draws_as_it_is(text):
    """Graphviz itself is asked what it draws, and what it shows as a tooltip."""
    root = ET.fromstring(run_engine(to_dot(graph_with(text)), "svg", "wasm"))
    written = ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert written == [text, text, text]
    tips = {a.get("{http://www.w3.org/1999/xlink}title") for a in root.iter() if a.tag.endswith("}a")}
    assert tips == {text.replace("\\", "\N{REVERSE SOLIDUS OPERATOR}")}


@pytest.mark.parametrize("text", NASTY)
def test_a_variable_with_a_strange_name_can_be_drawn(text):
    drawing = draw(lambda p: p[text] * p[text], {text: 3.0}, view="both")
    run_engine(drawing.dot, "plain", "wasm")
    assert draw(lambda p: p[text] + 1.0, {text: 3.0}).svg().count("<svg") == 1


def test_control_characters_are_written_out():
    drawing = draw(lambda p: p["a\nb"] * 2.0, {"a\nb": 3.0})
    assert r"a\\nb" in drawing.dot
    assert "p['a\\nb']" in drawing.svg()


def test_ids_are_sequential_and_plain():
    drawing = draw(lambda x, y: x * y + x, 1.0, 2.0, view="both")
    assert [n.id for n in drawing.graph.nodes if n.part == "primal"] == ["n0", "n1", "n2", "n3"]
    assert all(n.id.isalnum() for n in drawing.graph.nodes)


def test_a_box_is_wide_enough_for_its_text():
    def box(text):
        return node_box(Node("n0", "operation", (Label(Math(text, ""), "formula"),)))

    narrow, wide = box("x"), box("a very long formula indeed")
    assert wide[0] > narrow[0]
    assert wide[1] == narrow[1]


def test_the_layout_is_given_sizes_and_no_text():
    dot = to_dot(draw(lambda x: x * 2.0, 1.0).graph, sizes_only=True)
    assert "x" not in dot.replace("fixedsize", "").replace("box", "").replace("fontsize", "").replace(
        "nodesep", ""
    )
