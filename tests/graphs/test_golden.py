"""Golden files: the DOT text of every one of the lectures' programs in every view.

After a change that is meant, write them anew and read what `git diff` says::

    DIFFKIT_WRITE_GOLDEN=1 python -m pytest tests/graphs/test_golden.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diffkit import programs
from diffkit.graphs import draw
from diffkit.graphs.reading.from_trace import VIEWS

GOLDEN = Path(__file__).parent / "golden"
WRITE = bool(os.environ.get("DIFFKIT_WRITE_GOLDEN"))
CASES = [(p.name, view) for p in programs.all_programs() for view in VIEWS]
CASES += [(p.name, v) for p in programs.all_programs() if p.expression is not None for v in ("dag", "tree")]


def dot_of(name, view):
    program = programs.get(name)
    if view in VIEWS:
        return draw(program, *program.args, view=view).dot
    return draw(program.expression, view=view).dot


@pytest.mark.parametrize(("name", "view"), CASES, ids=lambda part: part)
def test_the_dot_text_is_as_it_was(name, view):
    path = GOLDEN / f"{name}-{view}.dot"
    text = dot_of(name, view)
    if WRITE:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no golden file {path.name}; write it with DIFFKIT_WRITE_GOLDEN=1"
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert {p.name for p in GOLDEN.glob("*.dot")} == {f"{name}-{view}.dot" for name, view in CASES}


def test_the_bytes_do_not_depend_on_the_process():
    code = (
        "import sys; from diffkit import programs; from diffkit.graphs import draw;"
        "p = programs.two_outputs; sys.stdout.write(draw(p, *p.args, view='both').dot)"
    )
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        )
        assert told.stdout.decode() == dot_of("two_outputs", "both")
