"""Groups by call and iteration."""

import numpy as np
import pytest

from diffkit import programs
from diffkit.autodiff.views import trace
from diffkit.errors import InputError
from diffkit.graphs.drawing import draw
from diffkit.graphs.reading.grouping import row_groups


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def groups(f, *args, by):
    return row_groups(trace(f)(*args), by)


def test_calls_are_told_apart():
    def f(x):
        return sigmoid(sigmoid(x) * 2.0)

    assert groups(f, 1.0, by="call") == ["", *["sigmoid 1"] * 4, "", *["sigmoid 2"] * 4]


def test_calls_in_a_row_are_told_apart():
    assert groups(lambda x: sigmoid(sigmoid(x)), 1.0, by="call") == [
        "",
        *["sigmoid 1"] * 4,
        *["sigmoid 2"] * 4,
    ]


def test_a_single_call_needs_no_number():
    def f(x):
        return sigmoid(x) + 1.0

    assert groups(f, 1.0, by="call") == ["", *["sigmoid"] * 4, ""]


def test_a_loop_within_a_call_is_one_call():
    def power(x):
        y = x
        for _ in range(3):
            y = y * x
        return y

    def f(x):
        return power(x) + 1.0

    assert groups(f, 1.0, by="call") == ["", *["power"] * 3, ""]


def after(x):
    for _ in range(3):
        x = x + 1.0
        x = sigmoid(x)
    return 2.0 * x


def before(x):
    for _ in range(3):
        x = sigmoid(x)
        x = x + 1.0
    return 2.0 * x


@pytest.mark.parametrize("f", [after, before])
def test_what_an_iteration_calls_belongs_to_it(f):
    expected = ["", *(f"iteration {k}" for k in (1, 2, 3) for _ in range(5)), ""]
    assert groups(f, 0.5, by="iteration") == expected


def test_while_loops():
    def f(x):
        while x < 20.0:
            x = x * 3.0
        return x

    found = groups(f, 1.0, by="iteration")
    assert [g for g, row in zip(found, trace(f)(1.0).nodes, strict=True) if row.fun.name == "multiply"] == [
        "iteration 1",
        "iteration 2",
        "iteration 3",
    ]


def test_two_loops_are_numbered_on():
    def f(x):
        for _ in range(2):
            x = x * 2.0
        for _ in range(2):
            x = x + 1.0
        return x

    assert groups(f, 1.0, by="iteration") == ["", *(f"iteration {k}" for k in (1, 2, 3, 4))]


def test_groups_are_drawn_as_boxes_with_a_name():
    drawing = draw(programs.logistic_map, 0.2, group="iteration")
    assert list(drawing.graph.groups) == ["iteration 1", "iteration 2", "iteration 3"]
    assert "cluster_1" in drawing.layout.clusters
    assert ">iteration 2</text>" in drawing.svg()
    box, node = drawing.layout.clusters["cluster_2"], drawing.layout.boxes["n4"]
    assert abs(node.x - box.x) < box.width / 2
    assert abs(node.y - box.y) < box.height / 2


def test_a_grouping_that_is_not_there():
    with pytest.raises(InputError, match="'call' or 'iteration'"):
        draw(programs.sum_times, *programs.sum_times.args, group="layer")
