"""What a drawing says of its seeds and outputs, and how many digits its numbers have."""

import re

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.drawing import draw

VIEWS_WITH_SEEDS = ("circuit", "adjoint", "both")


def texts(drawing):
    return {node.id: node.text for node in drawing.graph.nodes}


@pytest.mark.parametrize("view", VIEWS_WITH_SEEDS)
def test_the_title_says_of_what_the_gradient_is(view):
    two = programs.two_outputs
    assert " of y₁ + y₂, at" in draw(two, *two.args, view=view).graph.title
    seeded = draw(two, *two.args, view=view, cotangents=(1.0, 0.0)).graph.title
    assert " from the seeds ȳ₁ = 1, ȳ₂ = 0, at" in seeded
    one = draw(programs.sum_times, -2.0, 5.0, -4.0, view=view)
    assert "seed" not in one.graph.title
    assert " of " not in one.graph.title
    assert " of Σ v₁" in draw(lambda x: 2.0 * x, np.ones(3), view=view).graph.title


def test_the_circuit_marks_each_seed_and_an_output_that_is_used_has_seed_and_total():
    found = texts(draw(programs.losses, 0.3, 1.0, view="circuit"))
    assert sum("seed 1" in text for text in found.values()) == 5
    used = texts(draw(lambda x: (y := x * x, y * 3.0), 2.0, view="circuit", cotangents=(0.5, 1.0)))
    assert "= 3.5\nseed 0.5" in used["n1"]
    joined = texts(draw(lambda x: (y := x * x, y * 3.0), 2.0, view="both", cotangents=(0.5, 1.0)))
    assert joined["d1"] == "0.5\nseed of v₁"
    assert joined["a1"].endswith("= 3.5")


def test_what_is_returned_twice_or_is_an_input_is_said():
    assert "2 seeds, added" in texts(draw(lambda a: (a, a), 2.0, view="adjoint"))["a0"]
    drawing = draw(lambda x, y: (x, x * y), 2.0, 3.0)
    assert "also an output" in texts(drawing)["n0"]
    assert drawing.svg().count('class="inner"') == 2


def as_number(text):
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x - 1.0, 1 + 1e-9),
        (lambda x: 1.0 - x, 1 - 1e-12),
        (lambda x: x + 1e6, -1e6 + 0.125),
        (np.sin, np.pi),
        (lambda x: np.log(x), 1 + 1e-7),
        (lambda x: x**2 - 4.0, 2.00001),
    ],
)
def test_what_is_shown_can_be_computed_from_what_is_shown(f, x):
    """Each row, computed from the operands as they are written, gives the value written, to a hundredth."""
    drawing = draw(f, x)
    t = dk.trace(f)(x)
    shown = [as_number(next(a.text for a in n.labels if a.kind == "value")) for n in drawing.graph.nodes]
    for row in t.nodes[1:]:
        again = row.fun(*(shown[a.index] if t.owns(a) else a for a in row.args))
        assert again == pytest.approx(shown[row.index], rel=0.011)


def test_constants_written_by_hand_are_written_out():
    assert "v₁ = x − 1.000000001" in texts(draw(lambda x: x - 1.000000001, 1.0))["n1"]


def test_digits_as_asked_for_in_drawings_and_tables():
    drawing = draw(lambda x: x / 3.0, 1.0, digits=9)
    assert "0.333333333" in texts(drawing)["n1"]
    assert "0.33333333333" in dk.trace(lambda x: x / 3.0)(1.0).primal_table(digits=11).text()
    assert re.search(r"1\.000000001\b", dk.trace(lambda x: x - 1.0)(1 + 1e-9).adjoint_table(1.0).text())
    with pytest.raises(InputError, match="1 to 17 digits"):
        draw(lambda x: x, 1.0, digits=0)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (np.sqrt, (0.0,)),
        (np.log, (0.0,)),
        (np.arccos, (1.0,)),
        (np.hypot, (0.0, 0.0)),
        (np.exp, (800.0,)),
        (lambda x: np.divide(1.0, x), (0.0,)),
    ],
)
@pytest.mark.parametrize("view", ["primal", "tangent", "circuit", "adjoint", "both"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_points_without_a_finite_slope_are_drawn_with_the_row_marked(f, args, view):
    drawing = draw(f, *args, view=view)
    assert drawing.svg()
    assert r"\infty" in drawing.tikz() or "nan" in drawing.tikz()
    if view != "adjoint":
        assert "not finite here" in texts(drawing)[f"n{len(args)}"]


def test_names_are_the_lectures():
    assert dk.trace(programs.logistic_map)(0.2).names[3::3] == ["l_2", "l_3", "l_4"]
    assert "l_2 = v1 * v2" in str(dk.trace(programs.logistic_map)(0.2).source())
    assert dk.trace(programs.log_product)(2.0, 3.0).names == ["a", "b", "c", "d"]
    neuron = dk.trace(programs.neuron_loss)(*programs.neuron_loss.args).names
    assert neuron[4:] == ["t1", "z", "t3", "t4", "t5", "y", "t6", "t7", "L"]


def test_keys_of_outputs_and_orders_of_derivatives_are_said():
    found = texts(draw(lambda x, y: {"sum": x + y, "parts": [x * y]}, 2.0, 3.0))
    assert "output ['sum']" in found["n2"]
    assert "output ['parts'][0]" in found["n3"]
    assert draw(dk.grad(np.sin), 1.5).graph.title.startswith("grad of sin, primal")
    assert draw(dk.grad(dk.grad(np.sin)), 1.5).graph.title.startswith("grad of grad of sin, primal")
    assert draw(dk.hessian(np.sin), 1.5).graph.title.startswith("hessian of sin, primal")


def test_the_circuit_shows_what_flows_back_on_each_wire_and_where_it_adds_up():
    two = programs.two_outputs
    drawing = draw(two, *two.args, view="circuit")
    assert "x̄₂ = 3.92 + 0.3333 = 4.254" in texts(drawing)["n1"].replace("0.3333 + 3.92", "3.92 + 0.3333")
    adjoint = dk.trace(two)(*two.args).adjoint(1.0, 1.0)
    back = {e.key: e.labels[-1].text for e in drawing.graph.edges}
    for c in adjoint.contributions:
        value = c.value.value if hasattr(c.value, "value") else c.value
        assert as_number(back[f"{c.source}.{c.k}"].removeprefix("← ")) == pytest.approx(
            float(value), rel=1e-3
        )


def test_the_direction_of_tangents_is_said():
    two = programs.two_outputs
    assert ", tangents along ẋ₁ = 1, ẋ₂ = 0, at" in draw(two, *two.args, view="tangent").graph.title
    other = draw(two, *two.args, view="tangent", tangents=(0.6, -0.8)).graph.title
    assert " along ẋ₁ = 0.6, ẋ₂ = −0.8, at" in other


@pytest.mark.parametrize("view", ["primal", "tangent", "circuit", "adjoint", "both"])
def test_local_derivatives_can_be_left_out(view):
    two = programs.two_outputs
    whole, bare = (draw(two, *two.args, view=view, local_derivatives=on) for on in (True, False))
    kinds = {label.kind for e in bare.graph.edges if e.kind == "flow" for label in e.labels}
    assert kinds == ({"adjoint"} if view == "circuit" else set())
    assert [e.labels for e in bare.graph.edges if e.kind == "adjoint"] == [
        e.labels for e in whole.graph.edges if e.kind == "adjoint"
    ]
    assert bare.layout.width <= whole.layout.width


@pytest.mark.parametrize("derivative", [dk.grad, dk.deriv])
def test_rows_that_differentiation_added_look_unlike_the_functions_own(derivative):
    def f(x):
        return np.sin(x) * np.tanh(x) + np.sum(np.stack([x, x]))

    own = sum(row.fun.name != "input" for row in dk.trace(f)(1.5).nodes)
    graph = dk.draw(derivative(f), 1.5).graph
    kinds = [n.kind for n in graph.nodes]
    assert kinds.count("operation") == own
    assert kinds.count("adjoint") + kinds.count("output") == len(kinds) - own - 1
    assert graph.notes == ("orange: what differentiation has added to the program",)
    assert not dk.draw(f, 1.5).graph.notes
    adjoint = dk.trace(f)(1.5).adjoint()
    shown = {n.row for n in dk.draw(adjoint).graph.nodes if n.kind == "adjoint"}
    ends = {row.index for row in (*adjoint.inputs, *adjoint.outputs)}
    assert shown == {row.index for row in adjoint.nodes if adjoint.is_adjoint(row)} - ends
