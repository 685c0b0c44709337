"""Expressions as trees and as shared graphs."""

import pytest
import sympy

from diffkit import programs
from diffkit.errors import InputError
from diffkit.expressions import add, intern, multiply
from diffkit.graphs.drawing import draw
from diffkit.graphs.reading.from_expression import from_expression

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
    graph = from_expression(sympy.sympify(f"{a} {sign} {b}"), shared=False)
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
