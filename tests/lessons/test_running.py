"""``diffkit lesson``: listing, finding, running one, running all, and what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import diffkit as dk
from diffkit.cli import main
from diffkit.errors import InputError
from diffkit.lessons import fast, figures_folder, find, listing, predict, running, save, seconds, support

TINY = '''"""Tiny: a lesson for a test

Goals: none.
Before: nothing. 5 minutes.
"""

# %%
import diffkit as dk
from diffkit.lessons import fast, predict, save

print("fast" if fast() else "full", __name__)
save(dk.plots.cost_curve([1, 2], {"f": [1.0, 2.0]}), "01_tiny.svg")
'''


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two short lessons in place of the real ones."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "01_tiny.py").write_text(TINY)
    (folder / "02_broken.py").write_text(
        '"""Broken: this fails\n\nBefore: 01_tiny. 1 minutes.\n"""\n\n1 / 0\n'
    )
    monkeypatch.setattr(running, "folder", lambda: folder)
    monkeypatch.setenv("DIFFKIT_FIGURES", str(tmp_path / "figures"))
    return tmp_path


def command(*args: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(["lesson", *args])
    return int(done.value.code or 0)


def test_listing() -> None:
    table = listing()
    assert len(table["lesson"]) == 16
    assert table["lesson"][6] == "07_reverse_mode"
    assert table["about"][6] == "Reverse mode: the same program, read upward"
    assert sum(table["minutes"]) == 435


@pytest.mark.parametrize(
    "name", ["7", "07", "07_reverse_mode", "lessons/07_reverse_mode.py", "reverse_mode", "reverse_m"]
)
def test_find(name: str) -> None:
    assert find(name).name == "07_reverse_mode"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reverse", "several lessons are called 'reverse': there are 07_reverse_mode, 09_forward_or_reverse"),
        (
            "backprop",
            "no lesson is called 'backprop': there are 01_by_hand, .*14_training, 15_where_tracing_breaks",
        ),
        ("", "no lesson is called ''"),
        ("16", "no lesson is called '16'"),
    ],
)
def test_find_says_what_there_is(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find(name)


def test_the_command_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert command() == 0
    assert "14_training" in capsys.readouterr().out


def test_the_command_runs_one(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tiny", "--fast") == 0
    assert capsys.readouterr().out == "fast __main__\nwrote figures/01_tiny.svg\n".replace("\\\n", "\n")
    assert (few / "figures" / "01_tiny.svg").exists()


def test_the_options_are_gone_afterwards(few: Path) -> None:
    before = dict(os.environ)
    assert command("1", "--fast", "--figures", str(few / "elsewhere")) == 0
    assert dict(os.environ) == before
    assert (few / "elsewhere" / "01_tiny.svg").exists()


def test_all_goes_on_after_a_failure_and_says_so(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--all") == 1
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines()]
    assert [row[-1] for row in rows if row[0] in ("01_tiny", "02_broken")] == ["ok", "failed"]
    assert f"One of the pictures: {Path('figures/01_tiny.svg')}" in printed.out
    assert "diffkit lesson 01" in printed.out
    assert "02_broken failed:" in printed.err
    assert "ZeroDivisionError" in printed.err


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("warnings.warn('mine', stacklevel=1)", "failed"),
        ("dk.finite.derivative(lambda x: round(x, 3), 0.5)", "failed"),  # diffkit warns at the lesson's line
        (
            "theirs.old()",
            "ok",
        ),  # a package that warns of its own lines, as any may from one release to the next
    ],
)
def test_all_takes_warnings_of_the_lesson_for_errors_and_no_others(
    few: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str, result: str
) -> None:
    (few / "lessons" / "02_broken.py").unlink()
    (few / "theirs.py").write_text(
        "import warnings\ndef old():\n    warnings.warn('old', DeprecationWarning, stacklevel=1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(few), prepend=os.pathsep)
    lesson = f'"""Warns: a test\n"""\nimport warnings, theirs, diffkit as dk\n{line}\nprint("Ā")\n'
    (few / "lessons" / "01_tiny.py").write_text(lesson, encoding="utf-8")
    command("--all")
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("01_tiny"))
    assert row.split()[-1] == result


READ = '''"""Read: a lesson with text
"""

# %% [markdown]
# # A heading
#
# **Rule.** The slope of x² is 2x, and a long line is wrapped to the width of whatever terminal it is read in.

# %%
import numpy as np

x = 3.0
slope = 2 * x

# %% [markdown]
# | f | slope |
# | --- | --- |
# | `x**2` | 2x |

# %%
print("here:", __name__, slope)
assert np.isclose(slope, 6.0)
assert abs(slope - 6.0) < 1e-9 < x, "x was 3"
'''


def test_the_text_stands_between_the_results(
    few: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    (few / "lessons" / "03_read.py").write_text(READ, encoding="utf-8")
    assert command("read") == 0
    printed = capsys.readouterr().out
    places = [
        printed.index(t) for t in ("A heading\n=========", "Rule. The slope", "slope\n", "here: __main__ 6.0")
    ]
    assert places == sorted(places)
    assert max(map(len, printed.splitlines())) <= 60
    assert "x**2" in printed
    assert "`" not in printed


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("slope = 2 * x", "slope = x * x", ["np.isclose(slope, 6.0)", "slope is 9", "The slope of x² is 2x"]),
        (
            "6.0)\nassert abs(slope - 6.0)",
            "6.0)\nassert abs(slope - 7.0)",
            ["abs(slope - 7.0) is 1", "x was 3"],
        ),
    ],
)
def test_a_claim_that_no_longer_holds_says_which_what_is_seen_and_why_it_held(
    few: Path, old: str, new: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    copy = few / "my_copy.py"
    copy.write_text(READ.replace(old, new), encoding="utf-8")
    with pytest.raises(
        AssertionError, match=r"my_copy.py, line \d+: a claim of the lesson does not hold here"
    ):
        running.run(running.find(str(copy)))
    assert command(str(copy)) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    for text in [*said, "If you changed a number above"]:
        assert text in message


def test_a_reader_who_stops_reading_hears_nothing(few: Path) -> None:
    (few / "copy.py").write_text('print("line\\n" * 100_000)\n')
    pipe = f"{sys.executable} -m diffkit lesson {few / 'copy.py'} | head -n 1"
    done = subprocess.run(["sh", "-c", pipe], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("line\n", "")


def test_one_thing_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("07", "--all") == 2
    assert "one of them" in capsys.readouterr().err


def test_figures_that_cannot_be_written(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (few / "file").write_text("in the way")
    monkeypatch.setenv("DIFFKIT_FIGURES", str(few / "file" / "figures"))
    with pytest.raises(InputError, match=r"can't make the folder .*file/figures.*: not a directory"):
        save(dk.draw(dk.programs.sum_times, -2.0, 5.0, -4.0), "x.svg")


def test_save_takes_a_matplotlib_figure(few: Path) -> None:
    figure = dk.plots.loss_curve([3.0, 2.0]).figure
    save(figure, "99_loss.svg")
    assert support.drawn_in(few / "figures" / "99_loss.svg") == [
        {"label": "_child0", "x": [1.0, 2.0], "y": [3.0, 2.0]}
    ]


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("", False), ("0", False), (None, False)])
def test_fast(value: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIFFKIT_FAST", raising=False)
    if value is not None:
        monkeypatch.setenv("DIFFKIT_FAST", value)
    assert fast() is expected


def test_seconds_takes_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 10.0, 12.0, 20.0, 23.0])
    monkeypatch.setattr(support.time, "perf_counter", lambda: next(clock))
    assert seconds(lambda: None, 3) == 2.0


class Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("given", "answer", "reply"),
    [
        ("2998", 2998, "Right."),
        ("2900", 2998, "Right."),
        ("2000", 2998, "It is 2998."),
        (" Row", "row", "Right."),
        ("row", "a row", "Right."),
        ("A column.", "a row", "It is a row."),
        ("2,3", (2, 3), "Right."),
        ("2 x 3", (2, 3), "Right."),
        ("(3, 2)", (2, 3), "It is (2, 3)."),
        ("1/2", 0.5, "Right."),
        ("1,538", 1538, "Right."),
        ("1 538", 1538, "Right."),
        ("1_538_000", 1538000, "Right."),
        ("0,96", 0.96017, "Right."),
        ("50%", 0.5, "Right."),
        ("40 %", 40, "Right."),
        ("2^12", 4096, "Right."),
        ("97 %", 97, "Right."),
        ("-4,-4,3", (-4.0, -4.0, 3.0), "Right."),
        ("multiply, log", ["multiply", "log"], "Right."),
        ("log, multiply", ["multiply", "log"], "It is ['multiply', 'log']."),
        ("no", "no, like k²", "Right."),
        ("no, like k^2", "no, like k²", "Right."),
        ("yes", "no, like k²", "It is no, like k²."),
        ("1/0", 1.0, "It is 1."),
        ("", 0, "It is 0."),
    ],
)
def test_a_prediction_at_a_terminal(
    given: str,
    answer: object,
    reply: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DIFFKIT_FAST", raising=False)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: given)
    predict("How many?", answer)
    assert capsys.readouterr().out == f"Predict: How many?\n{reply}\n".replace("\\\n", "\n")


def test_an_installation_without_lessons_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "folder", lambda: tmp_path / "nowhere")
    assert command() == 2
    assert "come with a clone of the repository" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_all_asks_nobody_even_at_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "01_asks.py").write_text(
        '"""Asks: a question\n"""\n\nfrom diffkit.lessons import predict\n\n'
        'predict("Who is there?", "nobody")\n'
    )
    program = (
        "import pathlib, sys; from diffkit.lessons import running; assert sys.stdin.isatty(); "
        f"running.folder = lambda: pathlib.Path({str(tmp_path)!r}); sys.exit(running.run_all())"
    )
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], stdin=theirs, capture_output=True, text=True, timeout=60
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "ok" in done.stdout


def test_no_answer_at_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def nothing(prompt: str) -> str:
        raise EOFError

    monkeypatch.delenv("DIFFKIT_FAST", raising=False)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", nothing)
    predict("How many?", 3)
    assert capsys.readouterr().out == "Predict: How many?\n\nIt is 3.\n"


def test_a_copy_of_a_lesson_leaves_the_clones_figures_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("DIFFKIT_FIGURES", raising=False)
    clone = Path(__file__).parents[2]
    monkeypatch.chdir(clone / "tests")
    assert figures_folder() == clone / "figures"
    monkeypatch.chdir(tmp_path)
    assert figures_folder() == tmp_path / "figures"
