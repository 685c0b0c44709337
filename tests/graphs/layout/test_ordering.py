"""Operands arrive in reading order, inputs and outputs stand in theirs: measured over programs and views."""

import shutil
from itertools import combinations, pairwise

import pytest

from diffkit import programs
from diffkit.graphs.drawing import draw
from diffkit.graphs.layout import layout_engines as engines

ENGINES = ["wasm", *(["dot"] if shutil.which("dot") else [])]


def across(point, drawing):
    """Where a point lies along a layer: from left to right, or from above."""
    return point[0] if drawing.graph.direction == "down" else point[1]


def operands(drawing):
    """Pairs of neighbouring operands, as the places where their arrows meet the operation."""
    met = {}
    for edge, curve in zip(drawing.graph.edges, drawing.layout.curves, strict=True):
        if edge.key:
            row, k = edge.key.split(".")
            at = curve.points[-1] if edge.back else curve.tip
            met.setdefault((row, edge.kind), []).append((int(k), across(at, drawing)))
    return [(a[1], b[1]) for found in met.values() for a, b in pairwise(sorted(found))]


def ends(drawing, kind):
    """Pairs of inputs, or of outputs, as where they stand."""
    boxes = [drawing.layout.boxes[n.id] for n in drawing.graph.nodes if n.kind == kind and n.part == "primal"]
    return list(combinations([across((b.x, b.y), drawing) for b in boxes], 2))


def exchanged(pairs):
    return sum(not a < b - 1 for a, b in pairs), len(pairs)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_exchanged_in_any_program_and_view(engine):
    counts = {"operands": [0, 0], "inputs": [0, 0], "outputs": [0, 0]}
    for program in programs.all_programs():
        for view in ("primal", "circuit", "both"):
            drawing = draw(program, *program.args, view=view, engine=engine)
            for what, pairs in (
                ("operands", operands(drawing)),
                ("inputs", ends(drawing, "input")),
                ("outputs", ends(drawing, "output")),
            ):
                bad, all_ = exchanged(pairs)
                counts[what][0] += bad
                counts[what][1] += all_
    assert {what: bad for what, (bad, _) in counts.items()} == {"operands": 0, "inputs": 0, "outputs": 0}
    assert counts["inputs"][1] == 276
    assert counts["operands"][1] >= 222


def unlike(a, b, c, d):
    x = (d - a) / (b - d)
    return c / x, a - x, d * c


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("view", ["primal", "tangent", "circuit", "adjoint", "both"])
def test_a_program_that_uses_its_inputs_backwards_keeps_both_orders(view, direction):
    drawing = draw(unlike, 1.0, 2.0, 3.0, 4.0, view=view, direction=direction)
    assert exchanged(operands(drawing))[0] == 0
    assert exchanged(ends(drawing, "input"))[0] == 0
    assert exchanged(ends(drawing, "output"))[0] == 0


@pytest.mark.parametrize("view", ["dag", "tree"])
def test_operands_of_an_expression_leave_in_order(view):
    for program in programs.all_programs():
        if program.expression is None:
            continue
        drawing = draw(program.expression, view=view)
        left = {}
        for edge, curve in zip(drawing.graph.edges, drawing.layout.curves, strict=True):
            row, k = edge.key.split(".")
            left.setdefault(row, []).append((int(k), curve.points[0][0]))
        for found in left.values():
            assert exchanged([(a[1], b[1]) for a, b in pairwise(sorted(found))])[0] == 0


def test_the_picture_is_the_same_whether_or_not_dot_is_installed(monkeypatch):
    before = draw(programs.two_outputs, 2.0, 3.0, view="both").svg()
    monkeypatch.setattr(engines, "system_dot", lambda: "/usr/bin/dot")
    monkeypatch.setattr(engines, "dot_version", lambda path: "2.43")
    assert draw(programs.two_outputs, 2.0, 3.0, view="both").svg() == before


def test_the_adjoints_of_inputs_stand_in_the_inputs_order():
    pairs = []
    for program in programs.all_programs():
        for view in ("adjoint", "both"):
            drawing = draw(program, *program.args, view=view)
            handing_on = {e.tail for e in drawing.graph.edges if e.kind == "adjoint"}
            last = [n.id for n in drawing.graph.nodes if n.kind == "adjoint" and n.id not in handing_on]
            boxes = [drawing.layout.boxes[id] for id in last]
            pairs += combinations([across((b.x, b.y), drawing) for b in boxes], 2)
    assert exchanged(pairs) == (0, 184)
