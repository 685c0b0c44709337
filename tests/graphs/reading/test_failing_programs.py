"""A program that fails half-way is drawn as far as it ran."""

import numpy as np
import pytest
from click.testing import CliRunner

import diffkit as dk
from diffkit.cli import cli
from diffkit.errors import TraceError
from diffkit.graphs.reading.from_trace import VIEWS

W = np.ones((3, 4))


def net(x):
    h = np.tanh(x)
    z = W @ h
    return np.sum(z)


@pytest.mark.parametrize("view", VIEWS)
def test_the_failing_row_is_drawn_with_shapes_and_line(view):
    drawing = dk.draw(net, np.ones(3), view=view)
    last = drawing.graph.nodes[-1]
    assert last.kind == "failed"
    assert [label.text for label in last.labels] == ["z = W @ h", "matmul of (3, 4) and (3,)", "fails here"]
    assert ("n1", "failed") in {(e.tail, e.head) for e in drawing.graph.edges}
    assert "test_failing_programs.py:" in "".join(drawing.graph.notes)
    for text in (drawing.svg(), drawing.tikz(), drawing.mermaid(), drawing.dot):
        assert "fails here" in text


def test_one_that_fails_between_two_operations_stands_after_the_last():
    def f(x):
        y = x * x
        raise RuntimeError("boom")
        return y

    drawing = dk.draw(f, 2.0)
    boxes = drawing.layout.boxes
    assert boxes["failed"].x > boxes["n1"].x


def test_what_cannot_be_traced_is_refused_as_before():
    with pytest.raises(TraceError, match="float"):
        dk.draw(lambda x: float(x) * 2.0, 2.0)


def test_the_command_line_draws_and_tables_it_and_ends_with_the_error(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import numpy as np\nW = np.ones((3, 4))\ndef f(x):\n    h = 2.0 * x\n    return W @ h\n")
    target = tmp_path / "f.svg"
    for given in (["draw", "-o", str(target)], ["draw", "--view", "tree"], ["source"]):
        told = CliRunner().invoke(cli, [given[0], f"{own}:f", "[1.0,2.0,3.0]", *given[1:]])
        assert "of shape (3, 4), and h, of shape (3,)" in str(told.exception)
        assert "own.py:5: return W @ h" in str(told.exception)
    assert "fails here" in target.read_text()
    assert "matmul of W" in told.output
