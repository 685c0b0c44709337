"""The curves that lessons draw: what can be read from the back row, and without colours."""

import numpy as np
import pytest

from diffkit.finite import error_curve, error_sweep
from diffkit.plots import cost_curve, image_grid, loss_curve, swell_curve
from diffkit.tables import Table

pytest.importorskip("matplotlib")


def ticks(plot):
    """The numbers that stand below the axis."""
    axes = plot.figure.axes[0]
    low, high = axes.get_xlim()
    return [tick for tick in axes.get_xticks() if low <= tick <= high]


def test_no_number_stands_before_the_first():
    assert min(ticks(swell_curve(Table(["n", "tree"], [[n, 2**n] for n in range(1, 41)])))) >= 1
    assert min(ticks(loss_curve([1.0 / k for k in range(1, 61)]))) >= 1
    assert min(ticks(loss_curve([2.0, 1.0]))) >= 1


def test_negative_weights_have_a_dash_for_those_who_print_in_black_and_white():
    images = np.array([[[1.0, -1.0], [0.0, -0.1]], [[0.5, 0.5], [-0.5, 0.5]]])
    plot = image_grid(images, title="weights", columns=2, scale="weight")
    dashes = [c.get_offsets().tolist() for axes in plot.figure.axes[:2] for c in axes.collections]
    assert dashes == [[[1, 0]], [[0, 1]]]
    assert plot.series()[0] == {"image": images[0].tolist()}


def test_markers_of_a_legend_are_neither_lost_nor_large():
    plot = error_curve(error_sweep(np.sin, 1.0, hs=np.logspace(-12, -1, 34)))
    sizes = [handle.get_markersize() for handle in plot.figure.legends[0].legend_handles]
    assert all(6 <= size <= 12 for size in sizes)


def test_costs_are_numbers_and_not_powers():
    plot = cost_curve([1, 10, 100], {"forward": [1.0, 10.0, 100.0], "reverse": [2.0, 2.0, 2.0]})
    plot.svg()
    assert [t.get_text() for t in plot.figure.axes[0].get_xticklabels() if t.get_text() in ("1", "10", "100")]
