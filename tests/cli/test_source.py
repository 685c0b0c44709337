"""``diffkit source``: the program with its values, as a file, after passes."""

from __future__ import annotations

import runpy

import pytest


def test_values_stand_beside_their_lines(diffkit, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = diffkit("source", "two_outputs", "--adjoint").out.splitlines()
    assert "    y2 = a + v3" in lines[9]
    assert lines[9].endswith("│ 7.099")
    assert not any("│" in line for line in lines if "return" in line or "def " in line)


def test_in_a_narrow_window_below_them(diffkit, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = diffkit("source", "two_outputs", "--adjoint").out
    assert "│" not in out
    assert "line  name" in out
    assert "line  name" not in diffkit("source", "two_outputs", "--no-table").out


def test_passes_say_what_they_did(diffkit) -> None:
    done = diffkit("source", "neuron_loss", "--adjoint", "--passes", "seeds,constants,dead")
    assert done.out.splitlines()[-1] == "25 rows, after seeds, constants, dead: 23"
    listed = diffkit("source", "--list-passes")
    assert listed.status == 0
    assert "dead        rows that nothing uses are dropped" in listed.out


def test_a_file_that_runs(diffkit, tmp_path) -> None:
    path = tmp_path / "gradient.py"
    assert diffkit("source", "neuron_loss", "--adjoint", "-o", str(path)).out == f"wrote {path}\n"
    loss, gradient = runpy.run_path(str(path))["neuron_loss_adjoint"](0.5, 2.0, -0.5, 1.0)
    assert loss == pytest.approx(0.0712684783)
    assert gradient[0] == pytest.approx(-0.1774469173)


def test_bad_input(diffkit) -> None:
    assert "there is no pass 'fold'; there are seeds" in diffkit("source", "reuse", "--passes", "fold").err
    assert "expected one of .py" in diffkit("source", "reuse", "-o", "x.txt").err
