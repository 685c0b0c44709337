"""The pytest plugin: there when it is asked for, silent else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from diffkit.grading import plugin

assert plugin  # it is the thing under test, loaded below in processes of their own

TESTS = """
import numpy as np

def test_right(check_vjp):
    assert check_vjp(lambda g, ans, x: 2 * g * x, np.square, np.array([0.5, -1.0])).passed

def test_wrong(check_vjp):
    check_vjp(lambda g, ans, x: g * x, np.square, np.array([0.5, -1.0]))
"""


@pytest.fixture
def run(tmp_path):
    def run(text: str, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        command += ["-p", "no:hypothesispytest", "-p", "no:benchmark", *options, "test_it.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_fixture_passes_right_rules_and_fails_wrong_ones(run) -> None:
    done = run(TESTS)  # found by its entry point
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "expected" in done.stdout
    assert "diffkit/grading/plugin.py" not in done.stdout  # the report is the verdict's, without our frames


def test_loading_it_imports_next_to_nothing_and_says_nothing(run) -> None:
    text = "import sys\ndef test_nothing():\n    assert 'numpy' not in sys.modules\n"
    text += "    assert 'diffkit.grading.marking' not in sys.modules\n"
    without, with_plugin = run(text, "-p", "no:diffkit"), run(text)
    assert "1 passed" in with_plugin.stdout, with_plugin.stdout
    cut = [done.stdout.rpartition(" in ")[0] for done in (without, with_plugin)]
    assert cut[0] == cut[1]
