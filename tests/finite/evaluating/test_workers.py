"""Scripts that share evaluations out, under every way that Python starts processes."""

from __future__ import annotations

import math
import multiprocessing
import os
import subprocess
import sys

import pytest

from diffkit.finite.evaluating.workers import _is_guarded

SCRIPT = """
import multiprocessing as mp, os, sys
if __name__ == "__main__":
    mp.set_start_method(sys.argv[1])
import numpy as np
from diffkit.finite import derivative
from work import g
def f(x): return np.sin(x) * x
def ends(x): return os._exit(7) if mp.parent_process() else x
class Scaled:
    def __init__(self, by): self.by = by
    def __call__(self, x): return self.by * x
"""

METHODS = sorted({"spawn", "forkserver", "fork"} & set(multiprocessing.get_all_start_methods()))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "work.py").write_text("import math\ndef g(x): return math.sin(x) * x\n")

    def run(line, method, *, typed=False):
        (tmp_path / "script.py").write_text(SCRIPT + line)
        done = subprocess.run(
            [sys.executable, *(["-"] if typed else ["script.py"]), method],
            cwd=tmp_path,
            input=SCRIPT + line if typed else None,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p)),
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout, done.stderr.strip().splitlines()

    return run


RIGHT = math.sin(2.0) + 2.0 * math.cos(2.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_function_of_a_module_needs_no_guard(run, method):
    out, complaints = run("print(derivative(g, 2.0, workers=2), derivative(np.sin, 2.0, workers=2))", method)
    assert not complaints
    assert [float(n) for n in out.split()] == pytest.approx([RIGHT, math.cos(2.0)], rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_under_a_guard_a_scripts_own_function_is_found(run, method):
    line = "def main():\n    print(derivative(f, 2.0, workers=2))\nif __name__ == '__main__':\n    main()\n"
    out, complaints = run(line, method)
    assert not complaints
    assert [float(n) for n in out.split()] == pytest.approx([RIGHT], rel=1e-9)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "fork"])
@pytest.mark.parametrize("name", ["f", "Scaled(2.0)"])
def test_without_one_it_is_a_sentence_before_any_process_starts(run, method, name):
    line = f"print('begins')\nprint(derivative({name}, 2.0, workers=2))"
    out, complaints = run(line, method)
    assert out == "begins\n"  # once
    number = SCRIPT.count("\n") + 2
    assert f"running script.py again, and there line {number} would start worker processes" in complaints[-1]
    assert 'if __name__ == "__main__":' in complaints[-1]
    assert sum(line.startswith("Traceback") for line in complaints) == 1


def test_what_is_typed_in_can_not_be_run_again(run):
    _, complaints = run("derivative(f, 2.0, workers=2)", "spawn", typed=True)
    assert "what is typed in, or stands in a notebook, can't be run again" in complaints[-1]


@pytest.mark.parametrize("method", METHODS)
def test_a_function_that_ends_its_process_is_told(run, method):
    line = "if __name__ == '__main__':\n    derivative(ends, 2.0, workers=2)\n"
    _, complaints = run(line, method)
    assert "InputError: a worker process ended before it had answered" in complaints[-1]


def test_guards():
    source = "import x\nif '__main__' == __name__:\n    run()\nif x:\n    run()\nelse:\n    run()\n"
    assert [_is_guarded(source, line) for line in range(1, 8)] == [False, True, True, *[False] * 4]
    assert _is_guarded("", 1)
    assert _is_guarded("a cell, not Python", 1)
