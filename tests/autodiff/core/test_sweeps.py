"""The sweeps themselves: what they give, in which order, and how little they ask."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.sweeps import forward_sweep, reverse_sweep


def two_outputs_trace():
    return record(dk.programs.two_outputs, (2.0, 3.0), {})


def test_every_row_gets_its_adjoint():
    t = record(lambda x, y: (x + y) * x, (2.0, 3.0), {})
    assert reverse_sweep(t.nodes, t.recording, {3: 1.0}) == [7.0, 2.0, 2.0, 1.0]
    assert reverse_sweep(t.nodes, t.recording, {2: 1.0}) == [1.0, 1.0, 1.0, None]


def test_every_row_gets_its_tangent():
    t = record(lambda x, y: (x + y) * x, (2.0, 3.0), {})
    assert forward_sweep(t.nodes, t.recording, {0: 1.0}) == [1.0, None, 1.0, 7.0]
    assert forward_sweep(t.nodes, t.recording, {1: 1.0}) == [None, 1.0, 1.0, 2.0]


def test_contributions_are_seen_in_order():
    t = record(lambda x: x * x, (3.0,), {})
    seen = []
    reverse_sweep(t.nodes, t.recording, {1: 1.0}, lambda *step: seen.append(step))
    assert seen == [(1, 0, 0, 3.0, 3.0), (1, 1, 0, 3.0, 6.0)]


def test_seeds_of_several_outputs_meet():
    t = two_outputs_trace()
    by_output = [reverse_sweep(t.nodes, t.recording, {o.index: 1.0})[0] for o in t.outputs]
    together = reverse_sweep(t.nodes, t.recording, {o.index: 1.0 for o in t.outputs})[0]
    assert together == pytest.approx(sum(by_output), rel=1e-15)


def test_what_was_not_used_of_several_answers_is_zero():
    t = record(lambda x: np.split(x, 3)[1][0] ** 2, (np.array([1.0, 2.0, 3.0]),), {})
    np.testing.assert_array_equal(t.pull_back(), [0.0, 4.0, 0.0])
    np.testing.assert_array_equal(t.push_forward(np.array([0.0, 1.0, 0.0])), 4.0)


def test_elements_read_one_by_one_are_gathered():
    t = record(lambda x: x[0] * x[1] + x[np.array([1, 1])][0] + np.sum(x), (np.array([2.0, 3.0]),), {})
    np.testing.assert_array_equal(t.pull_back(), [4.0, 4.0])


def test_a_sweep_over_nodes_records_itself():
    def slope(x):
        t = record(lambda x: np.sin(x) * x, (x,), {})
        return reverse_sweep(t.nodes, t.recording, {t.outputs[0].index: 1.0})[0]

    outer = record(slope, (0.5,), {})
    assert [row.fun.name for row in outer.nodes].count("cos") == 1
    assert outer.pull_back() == pytest.approx(2 * np.cos(0.5) - 0.5 * np.sin(0.5), rel=1e-15)
