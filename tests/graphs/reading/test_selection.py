"""Parts of a graph: what some rows reach, what reaches others, the paths between."""

import numpy as np
import pytest

from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.drawing import draw


def test_only_what_an_input_reaches():
    drawing = draw(programs.sum_times, *programs.sum_times.args, start="z")
    assert [n.id for n in drawing.graph.nodes] == ["n2", "n4"]


def test_only_the_paths_between():
    drawing = draw(programs.two_outputs, 2.0, 3.0, start="x2", end="y2")
    assert [n.id for n in drawing.graph.nodes] == ["n1", "n2", "n4", "n5"]
    both = draw(programs.two_outputs, 2.0, 3.0, start="x1", end="y1", view="both")
    assert {n.id for n in both.graph.nodes} == {"n0", "n2", "n3", "a0", "a2", "a3", "s2"}


def test_only_what_reaches_an_output():
    drawing = draw(programs.two_outputs, 2.0, 3.0, end="y1")
    assert [n.id for n in drawing.graph.nodes] == ["n0", "n1", "n2", "n3"]


def test_only_so_deep():
    drawing = draw(lambda x: np.exp(np.cos(np.sin(np.tanh(x)))), 0.5, depth=3)
    assert [n.id for n in drawing.graph.nodes] == ["n0", "n1", "n2", "n3"]


def test_a_name_that_is_not_there():
    with pytest.raises(InputError, match=r"no value of sum_times is called 'w'; there are x, y, z, q, f"):
        draw(programs.sum_times, *programs.sum_times.args, start="w")
