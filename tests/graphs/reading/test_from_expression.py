"""Expressions as trees and as shared graphs."""

import re
import xml.etree.ElementTree as ET

import pytest
import sympy

from diffkit import programs
from diffkit.errors import InputError
from diffkit.expressions import add, call, intern, multiply
from diffkit.graphs.drawing import draw
from diffkit.graphs.reading.from_expression import from_expression
from diffkit.graphs.text_picture import draw_text

SVG = "{http://www.w3.org/2000/svg}"

x, y = sympy.symbols("x y")


def iterate(n):
    value = x
    for _ in range(n - 1):
        value = sympy.Mul(4, value, sympy.Add(1, -value, evaluate=False), evaluate=False)
    return value


def tree_size(e):
    return 1 + sum(map(tree_size, e.args))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_tree_repeats_and_a_dag_shares(n):
    e = iterate(n)
    assert len(draw(e, view="tree").graph.nodes) == tree_size(e)
    assert len(draw(e, view="dag").graph.nodes) == len(set(sympy.preorder_traversal(e)))


def test_edges_are_one_per_operand():
    graph = draw(sympy.Add(x, x, evaluate=False)).graph
    assert [(e.tail, e.head) for e in graph.edges] == [("n0", "n1"), ("n0", "n1")]


def test_operators_leaves_and_numbers():
    graph = draw(sympy.sin(x) * y + sympy.Rational(1, 2), view="tree").graph
    assert sorted(n.text for n in graph.nodes) == sorted(["+", "1/2", "×", "y", "sin", "x"])
    assert {n.kind for n in graph.nodes if n.text in "xy"} == {"input"}


def test_conditions_and_greek_letters_read_as_mathematics():
    alpha, beta = sympy.symbols("alpha beta_1")
    graph = from_expression(sympy.Piecewise((alpha, alpha > beta), (0, True)))
    assert {n.text for n in graph.nodes} == {"Piecewise", "if", ">", "α", "β₁", "0", "True"}


@pytest.mark.parametrize("letters", ["ab", "xy", "yx"])
@pytest.mark.parametrize(
    ("sign", "first", "second"),
    [("**", "base", "exponent"), ("<", "left", "right"), (">=", "left", "right")],
)
def test_arrows_say_which_operand_is_which_where_that_matters(letters, sign, first, second):
    a, b = letters
    graph = from_expression(sympy.sympify(f"{a} {sign} {b}"), view="tree")
    texts = {n.id: n.text for n in graph.nodes}
    assert {texts[e.head]: e.labels[0].text for e in graph.edges} == {a: first, b: second}
    assert not set("xy") & set(graph.nodes[0].text)  # a sign has no letter that is the user's


def test_pi_is_a_letter():
    assert {n.text for n in from_expression(sympy.pi * x).nodes} == {"×", "π", "x"}


def test_shared_subexpressions_say_how_often_they_are_used():
    s = sympy.sin(x)
    graph = draw(sympy.Mul(s, sympy.Add(1, s))).graph
    assert "sin\nused 2 times" in [n.text for n in graph.nodes]


def test_several_expressions_share_one_graph():
    drawing = draw(programs.two_outputs.expression)
    assert sum(n.kind == "output" for n in drawing.graph.nodes) == 2
    products = [n for n in drawing.graph.nodes if n.text.startswith("×")]
    assert [n.text for n in products] == ["×\nused 2 times"]
    assert drawing.svg()


def test_a_tree_that_nobody_can_read_is_refused_with_the_way_out():
    deep = intern(x)
    for _ in range(30):
        deep = multiply(deep, add(1, deep))
    with pytest.raises(InputError, match=r"about 10\^\d+ nodes.*view='dag'"):
        draw(deep, view="tree")
    assert len(draw(deep).graph.nodes) < 100


def test_a_deep_expression_needs_no_recursion():
    deep = intern(x)
    for _ in range(450):
        deep = multiply(deep, add(1, deep))
    assert len(draw(deep).graph.nodes) == 902


def test_what_does_not_fit_an_expression():
    with pytest.raises(InputError, match="without inputs"):
        draw(x + 1, 2.0)
    with pytest.raises(InputError, match='"dag"'):
        draw(x + 1, view="adjoint")


def test_the_tree_beside_the_dag_has_what_it_repeats_in_one_colour():
    drawing = draw((1 - x) * y + sympy.exp(1 - x), view="both")
    graph = drawing.graph
    assert list(graph.groups) == ["tree: 14 nodes", "shared DAG: 9 nodes"]
    tree = [n for n in graph.nodes if n.group.startswith("tree")]
    dag = [n for n in graph.nodes if n.group.startswith("shared")]
    # 1 - x is + of 1 and -1 times x: five nodes, twice; y and the operations around are white.
    assert sum(n.repeated for n in tree) == 10
    assert [n.text for n in dag if n.repeated] == ["+\nused 2 times", "×"]
    for text in (drawing.svg(), drawing.dot, drawing.mermaid(), drawing.tikz()):
        assert re.search("repeated|FDEBC8|orange!25", text)
    assert not any(n.repeated for n in draw(x * y + 1, view="both").graph.nodes)


def test_an_expression_as_a_wall_of_text_says_all_of_it_and_marks_what_it_repeats():
    third = sympy.diff(4 * x * (1 - x) * (1 - 4 * x * (1 - x)), x)
    picture = draw_text(third)
    root = ET.fromstring(picture.svg())
    lines = [e for e in root.iter(f"{SVG}text") if e.get("class") == "wall"]
    assert "".join("".join(e.itertext()) for e in lines) == picture.text == str(third)
    marked = {e.text for e in root.iter(f"{SVG}tspan")}
    assert any(picture.text.count(part) > 1 for part in marked)
    deep = x
    for _ in range(40):
        deep = multiply(deep, call(sympy.sin, deep))
    with pytest.raises(InputError, match="written out it has"):
        draw_text(deep)
