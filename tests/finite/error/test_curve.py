"""The drawing of error sweeps: what it shows, that it stays the same, and that it says what it needs."""

import builtins
import re

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.finite import error_curve, error_sweep
from diffkit.plots import SERIES

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def sweeps():
    hs = np.logspace(-15, -1, 57)
    return [error_sweep(np.sin, 1.0, form, hs=hs) for form in ("forward", "backward", "central")]


def texts(plot):
    axes = plot.figure.axes[0]
    labels = [text.get_text() for text in plot.figure.legends[0].get_texts()]
    return labels + [text.get_text() for text in axes.texts]


def test_one_curve_shows_parts_slopes_bound_and_optimum(sweeps):
    shown = texts(error_curve(sweeps[2]))
    for expected in (
        "total error", "truncation", "rounding of the step", "rounding in f", "subtract and divide",
        "textbook bound", "slope 2.00",
    ):  # fmt: skip
        assert expected in shown
    mantissa, exponent = f"{sweeps[2].predicted_h:.1e}".split("e")
    assert rf"best h predicted, ${mantissa} \times 10^{{{int(exponent)}}}$" in shown
    assert sum("best h found, $" in text for text in shown) == 1
    assert any(re.fullmatch("slope −[01].[0-9]{2}", text) for text in shown)


def test_the_data_are_those_of_the_sweep(sweeps):
    axes = error_curve(sweeps[0]).figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["truncation"].get_xdata(), sweeps[0].h)
    np.testing.assert_array_equal(lines["truncation"].get_ydata(), np.abs(sweeps[0].truncation))
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_several_curves_differ_by_more_than_colour(sweeps):
    axes = error_curve(*sweeps, title="sin at 1").figure.axes[0]
    named = [line for line in axes.lines if "order" in line.get_label()]
    assert [line.get_label().split(" (")[0] for line in named] == ["forward, order 1", "backward, order 1",
                                                                   "central, order 2"]  # fmt: skip
    assert "slopes −" in named[2].get_label()
    assert len({str(line._dash_pattern) for line in named}) == 3
    assert axes.get_title(loc="left") == "sin at 1"
    assert len({series.marker for series in SERIES}) == len({str(s.dash) for s in SERIES}) == len(SERIES)


def test_files_are_the_same_each_time(sweeps, tmp_path):
    first = error_curve(*sweeps, path=tmp_path / "a.svg").svg()
    assert first == error_curve(*sweeps).svg() == (tmp_path / "a.svg").read_text()
    assert "<dc:date>" not in first
    plot = sweeps[0].plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert plot.save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert plot._repr_svg_() == plot.svg()


def test_an_svg_has_colours_for_the_dark(sweeps):
    svg = error_curve(*sweeps).svg()
    assert '<svg class="dkplot" ' in svg
    dark = re.search(r"@media \(prefers-color-scheme: dark\)\{(.*?\})\}", svg)[1]
    used = set(re.findall("(?:fill|stroke): (#[0-9a-f]{6})", svg.split("</style>", 1)[1]))
    assert used == {"#ffffff", "#000000", "#dddddd", "#0072b2", "#d55e00", "#009e73"}
    assert all(f"stroke: {colour}" in dark for colour in used)


def test_bad_input(sweeps, tmp_path):
    with pytest.raises(InputError, match="1 to 7 sweeps, got 0"):
        error_curve()
    with pytest.raises(InputError, match=r"expected one of \.svg, \.png, \.pdf"):
        error_curve(sweeps[0], path=tmp_path / "a.gif")


def test_without_matplotlib_it_says_what_to_install(sweeps, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"comes with the lessons: .*\[lessons\]"):
        error_curve(sweeps[0])
