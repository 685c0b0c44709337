"""``figures/`` is what a fresh run draws: the same DOT text, the same plotted series.

Where a plotting library or a layout engine puts things is its own affair, and changes with its version.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffkit.errors import InputError
from diffkit.lessons import drawn_in, running

COMMITTED = Path(__file__).parents[2] / "figures"
DECKS = sorted((Path(__file__).parents[2] / "lessons" / "lectures").glob("*.py"))

Run = Callable[..., Any]

LOOSE = {"14_loss.svg": 0.05, "14_weights.svg": 0.05}
"""Thousands of steps of training amplify the last digit, which a linear algebra library decides."""


def figures_of(folder: Path, script: Path) -> set[str]:
    return {path.name for path in folder.glob(f"{script.stem.partition('_')[0]}_*") if path.suffix != ".html"}


def numbers(series: Any) -> list[float]:
    """All numbers in the series of a plot, in order; a gap is a NaN."""
    if isinstance(series, dict):
        return [n for key in ("x", "y", "image") for n in numbers(series.get(key, []))]
    if isinstance(series, list):
        return [n for item in series for n in numbers(item)]
    return [math.nan if series is None else float(series)]


def assert_same_drawing(name: str, committed: Any, fresh: Any) -> None:
    if isinstance(committed, str):
        assert fresh == committed
        return
    assert [s.get("label") for s in fresh] == [s.get("label") for s in committed]
    tolerance = LOOSE.get(name, 1e-5)
    for one, other in zip(committed, fresh, strict=True):
        expected, given = numbers(one), numbers(other)
        size = max((abs(n) for n in expected if math.isfinite(n)), default=1.0) if name in LOOSE else 0.0
        assert given == pytest.approx(expected, rel=tolerance, abs=tolerance * size, nan_ok=True)


def check_a_run(run_lesson: Run, script: Path, folder: Path, *, fast: bool) -> None:
    done, _ = run_lesson(script, folder, fast=fast)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert figures_of(folder, script) == figures_of(COMMITTED, script)
    assert done.stdout.count("\nwrote ") + done.stdout.startswith("wrote ") == len(list(folder.iterdir()))
    for name in figures_of(folder, script):
        assert_same_drawing(name, drawn_in(COMMITTED / name), drawn_in(folder / name))


def test_a_fast_run_passes_and_draws_what_is_committed(run_lesson: Run, script: Path, tmp_path: Path) -> None:
    check_a_run(run_lesson, script, tmp_path, fast=True)


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        ("01", "rng = np.random.default_rng(1)", "rng = np.random.default_rng(5)"),
        ("02", "last = 6 if fast() else 10", "last = 5"),
        ("02", "last = 6 if fast() else 10", "last = 8"),
        ("04", "x, symbol = 0.2", "x, symbol = 0.3"),
        ("04", "x, symbol = 0.2", "x, symbol = 2.0"),
        ("07", "x1, x2 = program.args", "x1, x2 = 0.7, 1.3"),
        ("08", "x = 1.5", "x = 0.8"),
        ("11", "m, n = 4, 3", "m, n = 4, 6"),
    ],
)
def test_a_changed_number_changes_no_claim_that_is_mathematics(
    scripts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, old: str, new: str
) -> None:
    script = next(path for path in scripts if path.stem.startswith(f"{number}_"))
    text = script.read_text(encoding="utf-8")
    assert f"\n{old}" in text
    copy = tmp_path / "mine.py"
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    running.run(running.find(str(copy)), fast=True, figures=str(tmp_path / "figures"))


@pytest.mark.slow
def test_a_full_run_passes_and_draws_what_is_committed(run_lesson: Run, script: Path, tmp_path: Path) -> None:
    check_a_run(run_lesson, script, tmp_path, fast=False)


@pytest.mark.slow
def test_a_plot_and_a_drawing_are_the_same_bytes_on_every_run(
    run_lesson: Run, scripts: list[Path], tmp_path: Path
) -> None:
    for number in ("07", "09"):
        script = next(path for path in scripts if path.stem.startswith(number))
        folders = [tmp_path / number / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir(parents=True)
            assert run_lesson(script, folder, fast=True)[0].returncode == 0
        one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
        assert one == two


def test_nothing_else_is_among_the_figures(scripts: list[Path]) -> None:
    drawn = {name for path in [*scripts, *DECKS] for name in figures_of(COMMITTED, path)}
    assert {path.name for path in COMMITTED.glob("*.svg")} == drawn
    assert len(drawn) >= 14


@pytest.mark.parametrize("change", ["another operation", "another number"])
def test_a_figure_that_shows_something_else_is_told_apart(change: str) -> None:
    if change == "another operation":
        dot = drawn_in(COMMITTED / "07_sum_times_both.svg")
        assert isinstance(dot, str)
        with pytest.raises(AssertionError):
            assert_same_drawing("07_sum_times_both.svg", dot, dot.replace("x + y", "x - y"))
    else:
        series = drawn_in(COMMITTED / "09_cost.svg")
        assert isinstance(series, list)
        other = [dict(series[0], y=[1.001 * y for y in series[0]["y"]]), *series[1:]]
        with pytest.raises(AssertionError):
            assert_same_drawing("09_cost.svg", series, other)


def test_an_svg_that_does_not_say_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text("<svg></svg>")
    with pytest.raises(InputError, match="does not say what is drawn"):
        drawn_in(tmp_path / "x.svg")
