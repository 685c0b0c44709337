"""Programs of the user's own: ``diffkit compare mine.py:f 1 2``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

MINE = """
import numpy as np
from helper_of_mine import scale

def f(x, y):
    return scale * np.sin(x) * y

def repeated(x, n=2):
    for _ in range(n):
        x = x * x
    return x

def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

def model(x, params, *, power=1):
    return (params["w"] * x + params["b"]) ** power

def ready(x=2.0):
    return x**3

def breaks(x):
    return x / (x - x)

def many(*xs):
    return xs[0] * xs[1] * xs[2]

class Model:
    def __call__(self, w):
        return w**2

square = Model()
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "helper_of_mine.py").write_text("scale = 2\n")
    (tmp_path / "broken.py").write_text("x = 1\ndef f(x)\n    return x\n")
    (tmp_path / "raises.py").write_text("def f(x):\n    return x\n\nnothing = missing\n")
    (tmp_path / "binary.py").write_bytes(b"x = 1\n\0\n")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "ends.py").write_text("import sys\n\ndef f(x):\n    sys.exit(3)\n")
    (tmp_path / "single.py").write_text("def g(x):\n    return x * x\n")
    (tmp_path / "random.py").write_text("def g(x):\n    return x * x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def reverse_mode(diffkit, *args: str) -> list[str]:
    done = diffkit("compare", *args, "--method", "reverse mode", "--format", "csv")
    assert done.status == 0, done.err
    return [",".join(line.split(",")[1:4]) for line in done.out.splitlines() if line.startswith("reverse")]


DERIVATIVES = {
    ("mine.py:ready",): ["0,x,12.0"],
    ("mine.py:ready", "3"): ["0,x,27.0"],
    ("mine.py:repeated", "2", "n=3"): ["0,x,1024.0"],
    ("mine.py:rosenbrock", "[1, 1, 2]"): ["0,x[0],0.0", "0,x[1],-400.0", "0,x[2],200.0"],
    ("mine.py:model", "3", "{'w': 2, 'b': 1}", "power=2"): [
        "0,x,28.0",
        "0,params['w'],42.0",
        "0,params['b'],14.0",
    ],
    ("mine.py:many", "2", "3", "4"): ["0,xs[0],12.0", "0,xs[1],8.0", "0,xs[2],6.0"],
    ("mine.py:square", "3"): ["0,w,6.0"],
    ("single.py", "3"): ["0,x,6.0"],
    ("random.py:g", "-3"): ["0,x,-6.0"],
}


@pytest.mark.parametrize("args", DERIVATIVES, ids=" ".join)
def test_functions_and_their_inputs(diffkit, mine, args) -> None:
    assert reverse_mode(diffkit, *args) == DERIVATIVES[args]


def test_every_command_takes_them(diffkit, mine) -> None:
    for command in (
        ("draw", "mine.py:f", "1", "2", "-o", "f.svg"),
        ("step", "mine.py:f", "1", "2", "-o", "f.html"),
        ("source", "mine.py:f", "1", "2"),
        ("error", "mine.py:f", "1", "2", "--by", "x", "--form", "forward"),
    ):
        done = diffkit(*command)
        assert done.status == 0, done.err
    assert (mine / "f.svg").exists()
    assert "math.sin(x)" in diffkit("source", "mine.py:f", "1", "2").out


def test_the_curve_says_by_what_and_where(diffkit, mine) -> None:
    command = ("error", "mine.py:f", "1", "2", "--by", "x", "--form", "forward", "-o", "c.svg")
    assert diffkit(*command).status == 0
    assert "<!-- f at x = " in (mine / "c.svg").read_text()
    command = ("error", "two_outputs", "--by", "x2", "--output", "2", "--form", "forward", "-o", "c.svg")
    assert diffkit(*command).status == 0
    assert "<!-- two_outputs, output 2 at x2 = 3 -->" in (mine / "c.svg").read_text()


def test_a_file_does_not_take_the_place_of_a_module(diffkit, mine) -> None:
    import random

    diffkit("compare", "random.py:g", "2", "--method", "reverse mode")
    assert sys.modules["random"] is random


BAD = {
    ("nowhere.py:f", "1"): "there is no file 'nowhere.py'",
    (
        "mine.py",
        "1",
    ): "name a function of mine.py, as in mine.py:f; it has f, repeated, rosenbrock, model",
    ("mine.py:nope", "1"): "there is no 'nope' in mine.py; there are 9, such as f, repeated, rosenbrock",
    (
        "mine.py:Model",
        "1",
    ): "Model of mine.py is a class; name a method of it, mine.py:Model.METHOD, or a function; it has f",
    ("mine.py:f", "1"): "f needs y: give its inputs in order, or by name, as in mine.py:f y=1.5",
    ("mine.py:f", "1", "2", "3"): "f takes 2 inputs (x, y), but got 3: 1 2 3",
    ("mine.py:f", "1", "two"): "y of f is a finite number, or a list, tuple or dictionary of them; got 'two'",
    ("mine.py:f", "1", "z=3"): "f has no input 'z'; it has x, y",
    (
        "mine.py:breaks",
        "1",
    ): "breaks has no value (ZeroDivisionError: float division by zero (mine.py, line 23)) at x = 1, in 50",
    ("broken.py:f", "1"): "broken.py, line 2: SyntaxError: expected ':'",
    ("raises.py:f", "1"): "raises.py, line 4: NameError: name 'missing' is not defined",
    ("binary.py:f", "1"): "binary.py is no Python file: source code string cannot contain null bytes",
    ("latin.py:f", "1"): "latin.py, line 1: SyntaxError: (unicode error) 'utf-8' codec can't decode byte",
    ("empty.py:f", "1"): "there is no 'f' in empty.py; it has no functions",
    ("empty.py",): "empty.py defines no function that could be differentiated",
    ("ends.py:f", "1"): "ends.py, line 4: it ends the program (exit 3)",
    ("mine.py:f", "1", "1e999"): "y of f must be finite, and inf is not",
    ("mine.py:f", "1", "y=[1, 1e999]"): "y of f must be finite, and [ 1. inf] is not",
    ("neither", "1"): "A function of your own is named FILE.py:FUNCTION",
}


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_what_is_wrong_is_one_sentence(diffkit, mine, args) -> None:
    done = diffkit("compare", *args)
    assert done.status == 2
    assert BAD[args] in done.err
    assert len(done.err.strip().splitlines()) == 1
