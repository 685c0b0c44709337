"""The sweeps themselves: what they give, in which order, and how little they ask."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.core import in_place, scatter
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.sweeps import forward_sweep, reverse_sweep
from diffkit.autodiff.recording import memory


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


def _written_by_places(x):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = 0.5 * y[i - 1] + x[i] ** 2
    return np.sum(np.sin(y))


def _read_by_places(x):
    return sum(np.sin(x[i]) * x[i - 1] for i in range(len(x)))


@pytest.mark.parametrize("f", [_written_by_places, _read_by_places])
@pytest.mark.parametrize(
    "second",
    [
        lambda f, x, v: dk.hessian_vector_product(f)(x, v),
        lambda f, x, v: dk.grad(lambda x: np.sum(dk.grad(f)(x) * v))(x),
        lambda f, x, v: dk.make_jvp(dk.grad(f))(x)(v)[1],
        lambda f, x, v: dk.grad(lambda x: dk.make_jvp(f)(x)(v)[1])(x),
    ],
    ids=["product", "reverse of reverse", "forward of reverse", "reverse of forward"],
)
def test_a_loop_over_elements_makes_few_whole_arrays_at_second_order(f, second, monkeypatch):
    """Each of them takes n steps to make: were there one for each element, the loop would be quadratic."""
    whole = []
    for place, name in [(scatter.Scatter, "dense"), (memory, "copy_of"), (in_place, "copy_of")]:
        function = getattr(place, name)
        monkeypatch.setattr(
            place, name, lambda a, _function=function: whole.append(np.size(_function(a))) or _function(a)
        )
    x, v = np.linspace(0.1, 1.0, 60), np.linspace(1.0, -1.0, 60)
    found = second(f, x, v)
    expected = (dk.grad(f)(x + 1e-5 * v) - dk.grad(f)(x - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert sum(n > 1 for n in whole) < 20
