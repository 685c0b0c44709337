"""A change of the assignment is a change of the exercises that it concerns, and of no others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.exercises.fingerprint import fingerprints

ASSIGNMENT = """
import functools
import numpy as np
import beside_it
from diffkit.grading import Case, Exercise, Limits, catalogue, draws

FACTOR = 0.5

def helper(x):
    return [FACTOR * part for part in [x]][0]

def half(x):
    return helper(x)

def power(n):
    return lambda x: x**n

class Scale:
    def __init__(self, k):
        self.k = k
    def __call__(self, x):
        return self.k * x

table = {"a": np.array([1.0, 2.0])}

def looked_up(x):
    return x * table["a"][1]

ladder = [Case("plain", draws.between(1, 2, "n"))]
exercises = [
    catalogue.exercise("tanh", points=2),
    Exercise(half, ladder),
    Exercise(beside_it.double, ladder),
    Exercise(power(2), ladder, name="power", arguments=("x",)),
    Exercise(Scale(3.0), ladder, name="scale", arguments=("x",)),
    Exercise(looked_up, [Case("other", draws.normal("n"))]),
]
"""
BESIDE = "def double(x):\n    return twice(x)\n\ndef twice(x):\n    return 2.0 * x\n"
ALL = {"tanh", "half", "double", "power", "scale", "looked_up"}


def read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.syspath_prepend(folder)
    for name in [n for n in sys.modules if n == "beside_it"]:
        del sys.modules[name]
    found = fingerprints(load_assignment(folder / "homework.py"))
    sys.modules.pop("beside_it", None)
    return found


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("FACTOR = 0.5", "FACTOR = 1 / 2  # the same", set()),
        ("def half", "\n\n# a comment\ndef half", set()),
        ("FACTOR = 0.5", "FACTOR = 0.25", {"half"}),
        ("FACTOR * part", "part * FACTOR", {"half"}),
        ("points=2", "points=3", {"tanh"}),
        ("2.0 * x", "2.5 * x", {"double"}),
        ("power(2)", "power(3)", {"power"}),
        ("x**n", "x**n + 1", {"power"}),
        ("Scale(3.0)", "Scale(4.0)", {"scale"}),
        ("self.k * x", "x * self.k", {"scale"}),
        ("[1.0, 2.0]", "[1.0, 2.5]", {"looked_up"}),
        ('1, 2, "n"', '1, 3, "n"', ALL - {"tanh", "looked_up"}),
        ("exercises =", "limits = Limits(wall_time=5.0)\nexercises =", ALL),
    ],
)
def test_which_exercises_are_changed(tmp_path, monkeypatch, old, new, again) -> None:
    files = {"homework.py": ASSIGNMENT, "beside_it.py": BESIDE}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = read(tmp_path, monkeypatch)
    assert read(tmp_path, monkeypatch) == before
    other = tmp_path / "changed"
    other.mkdir()
    for name, text in files.items():
        (other / name).write_text(text.replace(old, new))
    after = read(other, monkeypatch)
    assert {name for name in before if before[name] != after[name]} == again
