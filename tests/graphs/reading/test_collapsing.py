"""Large graphs: groups as one node each, runs of rows, and what is refused."""

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.graphs.drawing import draw
from diffkit.graphs.reading.collapsing import collapse


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def chain(x, n):
    for _ in range(n):
        x = np.sin(x)
    return x


@pytest.mark.parametrize("view", ["primal", "tangent", "circuit", "adjoint", "both"])
@pytest.mark.parametrize("direction", [None, "right"])
def test_a_loop_is_rolled_the_first_two_iterations_and_the_last_stay(view, direction):
    def f(x):
        for _ in range(300):
            x = np.sin(x) + 0.1 * x
        return x

    whole = draw(f, 0.7, view=view, collapse_beyond=None, force=True).graph
    drawing = draw(f, 0.7, view=view, direction=direction)
    graph = drawing.graph
    assert list(graph.groups) == ["iteration 1", "iteration 2", "iteration 300"]
    assert len([n for n in graph.nodes if "⋮ × 297" in n.text]) == (2 if view == "both" else 1)
    kept = {n.id: n.text for n in graph.nodes if n.kind != "group"}
    assert kept == {n.id: n.text for n in whole.nodes if n.id in kept}
    rows = {0, *range(1, 7), 898, 899, 900}
    assert {n.row for n in graph.nodes if n.kind != "group"} == rows
    ends = [n for n in graph.nodes if n.kind in ("output", "seed")]
    assert ends
    assert all(n.row == 900 for n in ends)
    assert f"{len(whole.nodes):,} nodes, collapsed into {len(graph.nodes):,}" in drawing.svg()
    assert all(e.tail != e.head for e in graph.edges)


def test_no_group_swallows_an_output_an_input_or_a_seed():
    def f(x):
        for _ in range(400):
            x = np.sin(x)
        return {"half": x * 0.5, "whole": x}

    for options in ({}, {"group": "iteration"}, {"collapse_beyond": 4}):
        for view in ("primal", "both", "adjoint"):
            graph = draw(f, 0.5, view=view, **options).graph
            whole = draw(f, 0.5, view=view, collapse_beyond=None, force=True).graph
            for node in whole.nodes:
                if node.kind in ("input", "output", "seed"):
                    assert graph.node(node.id).text == node.text


def test_a_grouping_is_done_or_refused_in_words():
    with pytest.raises(InputError, match="grouped by call many still has"):
        draw(many, 0.5, group="call")
    assert "there is nothing to group by call" in draw(chain, 0.5, 3, group="call").svg()


def many(x):
    for _ in range(700):
        x = sigmoid(x)
    return x


def test_a_large_graph_without_groups_is_collapsed_by_runs_of_rows():
    graph = draw(lambda xs: sum(xs[1:], start=xs[0]) * 1.0, [1.0] * 400).graph
    assert len(graph.nodes) <= 300
    assert any("nodes" in n.text for n in graph.nodes)


def nine_rows(x, y):
    a = sigmoid(x * y)
    return a * x + a


def test_runs_of_rows_hold_every_row_once_and_a_row_that_is_left_over_stays_as_it_is():
    nodes = draw(nine_rows, 1.0, 2.0, collapse_beyond=3).graph.nodes
    assert [n.tip for n in nodes if n.kind == "group"] == ["rows 2–3", "rows 4–5", "rows 6–7"]
    assert [n.text for n in nodes if n.kind != "group"][:2] == ["x\n1", "y\n2"]
    assert nodes[-1].id == "n8"


def test_an_edge_of_a_collapsed_graph_says_for_how_many_it_stands():
    whole = draw(nine_rows, 1.0, 2.0, group="call").graph
    edges = {(e.tail, e.head): e for e in collapse(whole).edges}
    labels = {(e.tail, e.head): e.labels for e in whole.edges}
    assert edges.keys() == {
        ("n0", "n2"),
        ("n1", "n2"),
        ("n2", "g0"),
        ("g0", "n7"),
        ("n0", "n7"),
        ("g0", "n8"),
        ("n7", "n8"),
    }
    assert edges["n0", "n7"].labels == labels["n0", "n7"] != ()  # between the same nodes as before
    assert edges["n2", "g0"].labels == ()  # an inner value's derivative would be said of the group
    assert edges["n2", "g0"].tip == next(e.tip for e in whole.edges if e.tail == "n2")
    both = collapse(draw(nine_rows, 1.0, 2.0, group="call", view="both").graph)
    tips = {(e.tail, e.head, e.kind): e.tip for e in both.edges}
    assert tips["g0", "ag0", "kept"].endswith(" values")


def test_rows_that_stand_side_by_side_do_so_when_they_are_collapsed():
    both = collapse(draw(nine_rows, 1.0, 2.0, group="call", view="both").graph)
    assert both.same_layer == (
        ("n0", "a0"),
        ("n1", "a1"),
        ("n2", "a2"),
        ("g0", "ag0"),
        ("n7", "a7"),
        ("n8", "a8"),
    )


@pytest.mark.parametrize("view", ["primal", "tangent", "circuit", "adjoint", "both"])
def test_collapsed_drawings_can_be_laid_out_in_every_view(view):
    drawing = draw(chain, 0.5, 400, view=view)
    assert len(drawing.graph.nodes) < 300
    assert drawing.svg()
    ids = {n.id for n in drawing.graph.nodes}
    assert all(e.tail in ids and e.head in ids for e in drawing.graph.edges)


def test_more_than_a_thousand_nodes_are_refused_unless_forced():
    with pytest.raises(InputError, match="1,501 nodes"):
        draw(chain, 0.5, 1500, collapse_beyond=None)
    assert len(draw(chain, 0.5, 1500, collapse_beyond=None, force=True).graph.nodes) == 1501
