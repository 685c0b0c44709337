"""What ``diffkit compare`` prints of each of the lectures' programs, in 80 columns and without times.

After a change that is meant, write them anew and read the difference:

    DIFFKIT_WRITE_GOLDEN=1 python -m pytest tests/cli/test_lectures.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import diffkit as dk

GOLDEN = Path(__file__).parent / "golden"
PROGRAMS = [
    pytest.param(p.name, marks=[pytest.mark.slow] if p.name == "digit_classifier" else [])
    for p in dk.programs.all_programs()
]

_ERROR = re.compile(r"(?<= )(0|\d\.\de-\d\d)\*? +(\d+)(?=  )")
_CHOOSING = re.compile(r"\+ \d+ *")


def without_last_bits(text: str) -> str:
    """The text without what a C library or a better choice of a step changes: errors, digits, evaluations."""
    lines = (_CHOOSING.sub("+ n ", _ERROR.sub("error", line)) for line in text.splitlines())
    return "\n".join(" ".join(line.split()) for line in lines)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_table_is_the_one_that_was_read(name: str, diffkit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = diffkit("compare", name, "--no-times", "--limit", "120")
    assert done.status == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("DIFFKIT_WRITE_GOLDEN"):
        path.write_text(done.out, encoding="utf-8")
    assert path.exists(), f"no golden file {path.name}; write it with DIFFKIT_WRITE_GOLDEN=1"
    assert without_last_bits(done.out) == without_last_bits(path.read_text(encoding="utf-8"))


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(dk.programs.names())
