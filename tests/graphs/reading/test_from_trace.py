"""The graph of a trace: what is drawn is what is computed."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from diffkit import programs
from diffkit.autodiff.views import trace
from diffkit.errors import InputError
from diffkit.graphs.reading.from_adjoint import kept_by
from diffkit.graphs.reading.from_trace import VIEWS, from_trace

PROGRAMS = list(programs.all_programs())
SCALAR = [p for p in PROGRAMS if all(isinstance(a, float) for a in p.args)]


def graph_of(f, *args, view="primal", **options):
    return from_trace(trace(f)(*args), view, **options)


def texts(graph):
    return {n.id: n.text for n in graph.nodes}


def edges(graph, kind):
    return [
        (e.tail, e.head, " ".join(label.text for label in e.labels)) for e in graph.edges if e.kind == kind
    ]


def test_the_circuit_of_the_lectures():
    """(x + y) z at (-2, 5, -4) reads f = -12 with gradients (-4, -4, 3)."""
    graph = graph_of(programs.sum_times, -2.0, 5.0, -4.0, view="circuit")
    assert texts(graph) == {
        "n0": "x\n−2\nx̄ = −4",
        "n1": "y\n5\nȳ = −4",
        "n2": "z\n−4\nz̄ = 3",
        "n3": "q = x + y\n3\nq̄ = −4",
        "n4": "f = q·z\n−12\nf̄ = 1",
    }


def test_edges_carry_the_local_derivative_in_symbols_and_numbers():
    graph = graph_of(programs.two_outputs, 2.0, 3.0)
    assert edges(graph, "flow") == [
        ("n0", "n2", "∂a/∂x₁ = x₂ = 3"),
        ("n1", "n2", "∂a/∂x₂ = x₁ = 2"),
        ("n2", "n3", "∂y₁/∂a = cos(a) = 0.9602"),
        ("n1", "n4", "∂v₃/∂x₂ = 1/x₂ = 0.3333"),
        ("n2", "n5", "∂y₂/∂a = 1"),
        ("n4", "n5", "∂y₂/∂v₃ = 1"),
    ]


def test_adjoints_flow_back_to_a_sum_at_each_fan_out():
    graph = graph_of(programs.two_outputs, 2.0, 3.0, view="adjoint", cotangents=[(1.0, 1.0)])
    assert [n.id for n in graph.nodes if n.kind == "sum"] == ["s1", "s2"]
    assert edges(graph, "adjoint") == [
        ("s1", "a1", ""),
        ("s2", "a2", ""),
        ("a5", "s2", "ȳ₂ = 1"),
        ("a5", "a4", "ȳ₂ = 1"),
        ("a4", "s1", "v̄₃/x₂ = 0.3333"),
        ("a3", "s2", "ȳ₁·cos(a) = 0.9602"),
        ("a2", "a0", "ā·x₂ = 5.881"),
        ("a2", "s1", "ā·x₁ = 3.92"),
    ]


def test_a_repeated_operand_keeps_both_edges():
    for view, kind in (("primal", "flow"), ("adjoint", "adjoint")):
        graph = graph_of(lambda a: a + a, 1.0, view=view)
        pairs = Counter((e.tail, e.head) for e in graph.edges if e.kind == kind)
        assert 2 in pairs.values()
    assert texts(graph)["a0"] == "ā = 2"


def test_an_output_that_is_used_again_has_its_seed_added():
    def f(x):
        y = x * x
        return y, 3.0 * y

    graph = graph_of(f, 2.0, view="adjoint")
    kinds = {n.id: n.kind for n in graph.nodes}
    assert kinds["s1"] == "sum"
    assert kinds["d1"] == "seed"
    assert texts(graph)["a1"] == "ȳ = 4"
    assert texts(graph)["a0"] == "x̄ = 16"


def test_an_input_without_a_path_to_an_output_says_so():
    graph = graph_of(lambda x, y: 2.0 * x, 1.0, 2.0, view="adjoint")
    node = graph.node("a1")
    assert node.dotted
    assert node.text == "ȳ = 0\nno path to an output"


@pytest.mark.parametrize("program", SCALAR, ids=lambda p: p.name)
def test_the_sum_over_paths_of_the_products_of_the_edges_is_the_gradient(program):
    """The rule that lecturers state, applied to the numbers on the edges."""
    t = trace(program)(*program.args)
    graph = from_trace(t, "primal")
    paths = defaultdict(float, {f"n{o.index}": 1.0 for o in t.outputs})
    for row in reversed(t.nodes):
        for e in graph.edges:
            if e.head == f"n{row.index}" and not e.dotted:
                number = e.labels[-1].text.rpartition("= ")[2].replace("−", "-")
                number = {"1/2": "0.5"}.get(number, number)
                paths[e.tail] += float(number) * paths[e.head]
    swept = t.adjoints(t.out_structure.unflatten([1.0] * len(t.outputs)))
    for row in t.inputs:
        assert paths[f"n{row.index}"] == pytest.approx(swept[row.index] or 0.0, rel=5e-3, abs=1e-3)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
@pytest.mark.parametrize("view", VIEWS)
def test_every_edge_leads_from_a_node_to_a_node(program, view):
    graph = from_trace(trace(program)(*program.args), view)
    ids = [n.id for n in graph.nodes]
    assert len(set(ids)) == len(ids)
    assert all(e.tail in ids and e.head in ids for e in graph.edges)
    assert all(label.text for n in graph.nodes for label in n.labels)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_contributions_are_as_many_as_uses(program):
    """One adjoint edge per use of a value on the way to an output, one sum per value used twice."""
    t = trace(program)(*program.args)
    graph = from_trace(t, "adjoint")
    adjoint = t.adjoint(t.out_structure.unflatten([np.ones_like(np.asarray(o.value))[()] for o in t.outputs]))
    drawn = Counter(e.key for e in graph.edges if e.kind == "adjoint" and e.key)
    assert drawn == Counter(f"{c.source}.{c.k}" for c in adjoint.contributions)
    arriving = Counter(e.head for e in graph.edges if e.kind == "adjoint")
    assert all(count == 1 for id, count in arriving.items() if not id.startswith("s"))
    assert all(arriving[n.id] >= 2 for n in graph.nodes if n.kind == "sum")


def test_the_reverse_sweep_keeps_what_its_pullbacks_read():
    def f(x, y):
        a = x * y  # reads both
        b = a + x  # reads nothing
        c = np.exp(b)  # reads its own value
        return np.sin(c)  # reads its argument

    t = trace(f)(1.0, 2.0)
    kept = {source: rows for source, rows in kept_by(t.adjoint()).items() if rows}
    assert kept == {2: [0, 1], 4: [4], 5: [4]}


def test_what_is_kept_matters_and_what_is_not_kept_does_not():
    """Changing a row's value changes the adjoints exactly if a pullback was said to read it."""
    t = trace(programs.log_sin_max)(*programs.log_sin_max.args)
    read = {row for rows in kept_by(t.adjoint()).values() for row in rows}
    before = t.pull_back(1.0)
    for row in t.nodes:
        value = row.value
        row.value = value * 1.25 + 0.01
        changed = t.pull_back(1.0) != before
        row.value = value
        # max reads both its arguments, but only to compare them.
        if row.index in read and row.index not in (1, 2):
            assert changed, row
        elif row.index not in read:
            assert not changed, row


def test_joined_primal_and_adjoint_stand_side_by_side():
    graph = graph_of(programs.reuse, 1.5, view="both")
    assert ("n1", "a1") in graph.same_layer
    links = {(e.tail, e.head) for e in graph.edges if e.kind == "kept"}
    assert ("n2", "a4") in links  # g = b c: its pullback reads b
    assert ("n3", "a4") in links
    assert not any(head == "a5" for _, head in links)  # L = -g reads nothing


def test_tangents_are_those_of_the_chosen_direction():
    graph = graph_of(programs.two_outputs, 2.0, 3.0, view="tangent", tangents=(0.0, 1.0))
    assert texts(graph)["n2"].endswith("ȧ = 2")
    assert texts(graph)["n5"].endswith(f"ẏ₂ = {2 + 1 / 3:.4g}")
    assert texts(graph_of(programs.two_outputs, 2.0, 3.0, view="tangent"))["n2"].endswith("ȧ = 3")


def test_a_truth_value_has_no_adjoint():
    assert graph_of(lambda x: x > 2.0, 1.0).nodes
    with pytest.raises(InputError, match="output 1 of <lambda> is bool, which has no derivative"):
        graph_of(lambda x: x > 2.0, 1.0, view="adjoint")


def several(A):
    _u, s, _vt = np.linalg.svd(A)
    return s[0] * 2.0


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: 3.0, (1.0,)),
        (lambda x: x, (1.0,)),
        (lambda x: (x * 2.0, None, "text"), (1.0,)),
        (lambda x: (x, x), (1.0,)),
        (lambda x: np.sum(x), (np.zeros(0),)),
        (lambda x: np.sin(x), (np.array(0.5),)),
        (lambda x: np.sin(x) * x, (np.float32(0.5),)),
        (lambda x: x * x, (1 + 2j,)),
        (lambda x, n: x * n, (2.0, 3)),
        (lambda p: p["w"] @ p["b"], ({"w": np.ones((2, 2)), "b": np.ones(2)},)),
        (lambda x, y: np.concatenate([x, y, x]), (np.ones(2), np.zeros(3))),
        (lambda x: np.split(x, 2)[0] + 1.0, (np.ones(4),)),
        (several, (np.array([[1.0, 2.0], [3.0, 4.0]]),)),
    ],
)
@pytest.mark.parametrize("view", VIEWS)
def test_unusual_programs_can_be_drawn(f, args, view):
    graph = graph_of(f, *args, view=view)
    assert {n.row for n in graph.nodes if n.part == "primal" or view == "adjoint"}


def test_cotangents_must_fit():
    with pytest.raises(InputError, match="cotangent"):
        graph_of(programs.sum_times, 1.0, 2.0, 3.0, view="adjoint", cotangents=[np.ones(3)])


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (np.abs, (0.0,)),
        (np.maximum, (2.0, 2.0)),
        (lambda x: np.maximum(x, 0.0), (np.array([1.0, 0.0]),)),
        (np.floor, (3.0,)),
    ],
)
def test_a_point_without_derivative_is_dotted(f, args):
    graph = graph_of(lambda *xs: f(*xs) * 1.0, *args)
    node = next(n for n in graph.nodes if n.symbol in ("|x|", "max", "ƒ", "floor"))
    assert node.dotted
    assert "no derivative here" in node.text


def test_at_a_tie_the_arrow_has_the_number_that_is_used_and_no_formula_that_says_another():
    graph = graph_of(lambda x, y: np.maximum(x, y), 2.0, 2.0, view="both")
    assert [text for _, _, text in edges(graph, "flow")] == ["∂v₁/∂x := 0.5", "∂v₁/∂y := 0.5"]
    assert [text for _, _, text in edges(graph, "adjoint")] == ["0.5", "0.5"]


def test_long_names_are_drawn_downwards_with_formulas_below_them_and_short_labels():
    def f(activation_of_the_first_hidden_layer, scale_of_the_prior_on_weights):
        standardised_activation = activation_of_the_first_hidden_layer / scale_of_the_prior_on_weights
        return standardised_activation**2

    graph = graph_of(f, 1.0, 2.0)
    assert graph.direction == "down"
    assert texts(graph)["n2"].splitlines()[:2] == [
        "standardised_activation",
        "= activation_of_the_first_hidden_layer/scale_of_the_prior_on_weights",
    ]
    assert edges(graph, "flow")[0][2] == "1/scale_of_the_prior_on_weights = 0.5"
    assert edges(graph, "flow")[2][2] == "2·standardised_activation = 1"


def test_beside_the_kink_nothing_is_dotted():
    graph = graph_of(np.abs, -1.0)
    assert not any(n.dotted for n in graph.nodes)
    assert not any(e.dotted for e in graph.edges)


def test_comparisons_pass_no_derivative():
    graph = graph_of(lambda x: np.where(x > 1.0, x * x, x), 2.0)
    dotted = [(e.tail, e.head) for e in graph.edges if e.dotted]
    assert dotted == [("n0", "n1"), ("n1", "n3")]


def test_shapes_and_dtypes_are_told():
    graph = graph_of(lambda W: W * 2, np.ones((3, 2), np.float32))
    assert texts(graph)["n0"] == "W\n(3, 2) float32"


def test_long_programs_run_down_the_page():
    assert graph_of(programs.two_outputs, 2.0, 3.0).direction == "right"
    assert graph_of(programs.sigmoid_neuron, *programs.sigmoid_neuron.args).direction == "down"
    assert graph_of(programs.two_outputs, 2.0, 3.0, direction="down").direction == "down"


def test_values_in_the_graph_are_the_programs():
    x1, x2 = 2.0, 3.0
    told = texts(graph_of(programs.two_outputs, x1, x2))
    assert told["n3"] == f"y₁ = sin(a)\n−{-math.sin(6):.4g}"


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda x: x * x, {"∂v₁/∂(1st) = x", "∂v₁/∂(2nd) = x"}),
        (lambda x: x / x, {"∂v₁/∂(1st) = 1/x", "∂v₁/∂(2nd) = −v₁/x"}),
        (lambda x: x + x, {"∂v₁/∂(1st) = 1", "∂v₁/∂(2nd) = 1"}),
        (lambda x: np.maximum(x, x), {"∂v₁/∂(1st) := 0.5", "∂v₁/∂(2nd) := 0.5"}),
        (lambda x: x * 2.0, {"∂v₁/∂x = 2"}),
    ],
)
def test_a_partial_by_a_place_is_named_by_the_place_where_one_value_stands_in_several(f, told):
    """∂v₁/∂x of x·x is 2x, the sum of both."""
    for view in ("primal", "circuit", "tangent", "both"):
        edges = from_trace(trace(f)(3.0), view).edges
        assert {e.labels[0].text for e in edges if e.kind == "flow"} == told
