"""Output in any encoding, with the program's own prints and warnings kept short, in any width."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import diffkit as dk
from diffkit.cli.output import echo
from diffkit.progress import waiting

MINE = """
import warnings
import numpy as np

def loud(x):
    for k in range(300):
        print("line", k)
    return x**2

def warns(x):
    warnings.warn("mind the\\nstep")
    return np.where(x > 0, np.sqrt(x), x)
"""


def run(
    folder: Path, *args: str, columns: int | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")} | variables
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    return subprocess.run(
        [sys.executable, "-m", "diffkit", *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
@pytest.mark.parametrize(
    "args",
    [
        ("compare", "two_outputs", "--no-times"),
        ("source", "two_outputs", "--adjoint"),
        ("draw", "two_outputs", "--view", "both"),
        ("lesson", "05"),
    ],
    ids=" ".join,
)
def test_it_prints_in_any_encoding(mine: Path, encoding: str, args: tuple[str, ...]) -> None:
    done = run(mine, *args, PYTHONIOENCODING=encoding, DIFFKIT_FIGURES=str(mine))
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert "?" not in text or encoding == "utf-8" or args[0] == "lesson"


def test_a_rule_and_names_stand_for_glyphs(mine: Path) -> None:
    plain = run(mine, "compare", "two_outputs", "--no-times", PYTHONIOENCODING="ascii").stdout.decode("ascii")
    whole = run(mine, "compare", "two_outputs", "--no-times", PYTHONIOENCODING="utf-8").stdout.decode("utf-8")
    assert plain == whole.replace("─", "-")


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_it_fits_the_terminal(mine: Path, columns: int) -> None:
    text = run(mine, "compare", "soft_relu", columns=columns, PYTHONIOENCODING="utf-8").stdout.decode()
    assert max(map(len, text.splitlines())) <= columns


def test_no_colour_where_none_is_wanted(mine: Path) -> None:
    assert b"\x1b[" not in run(mine, "compare", "nosuch", NO_COLOR="1", FORCE_COLOR="1").stderr


def test_what_f_prints_is_cut_and_kept_out_of_the_result(mine: Path) -> None:
    done = run(mine, "compare", "mine.py:loud", "2", "--no-times", "--json", PYTHONIOENCODING="utf-8")
    assert done.stdout.startswith(b"{")
    said = done.stderr.decode().splitlines()
    assert said[:3] == ["the program printed:", "line 0", "line 1"]
    assert said[-1].endswith(" more lines")
    assert len(said) == 7


@pytest.mark.parametrize("command", ["compare", "source", "draw"])
def test_a_warning_is_one_line_without_a_path(mine: Path, command: str) -> None:
    said = run(mine, command, "mine.py:warns", "-1").stderr.decode().splitlines()
    assert len(said) <= 3
    assert not any("/" in line for line in said)


def test_the_spelling_of_every_glyph_that_tables_use() -> None:
    """Nothing of a trace's tables becomes a question mark."""
    from diffkit.cli.output import _spelled

    texts = [
        str(table)
        for p in dk.programs.all_programs()
        if p.name != "digit_classifier"
        for table in [dk.trace(p)(*p.args).primal_table()]
    ]
    glyphs = {c for text in texts for c in text if ord(c) > 127}
    assert glyphs
    assert {c: _spelled(c) for c in glyphs if "?" in _spelled(c)} == {}


class Terminal:
    """Standard error where somebody watches, which tells when it was written to."""

    def __init__(self) -> None:
        self.text, self.written = "", threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        self.written.set()
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def test_the_seconds_are_counted_until_something_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting("diffkit accuracy", 60, after=0.0):
        assert terminal.written.wait(30)
        echo("result")
        assert terminal.text.startswith("\rdiffkit accuracy: 0 s; stopped at 60 s, or by Ctrl-C")
        assert terminal.text.endswith("\x1b[K")
    assert terminal.text.count("\x1b[K") == 1
    assert capsys.readouterr().out == "result\n"


def test_nobody_is_told_of_seconds_where_nobody_watches() -> None:
    with waiting("diffkit accuracy", 60, after=0.0):
        assert not any(t.name == "waiting" for t in threading.enumerate())
