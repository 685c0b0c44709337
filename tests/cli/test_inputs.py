"""How functions and numbers are written on the command line, and what is said of those that can't be read."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from pathlib import Path

import pytest

MINE = """
import numpy as np

class Model:
    def __init__(self):
        self.w = 2.0
    def predict(self, x):
        return self.w * x**2

class Needs:
    def __init__(self, w):
        self.w = w
    def predict(self, x):
        return self.w * x

model = Needs(3.0)

def f(x, y):
    return x * y

def g(x, *, k):
    return x * k

def many(*xs):
    return xs[0] * xs[1]

def step(x):
    return x * (1 - x)
"""
CELLS = [
    {"cell_type": "markdown", "source": ["# Text"]},
    {"cell_type": "code", "source": ["%matplotlib inline\n", "import numpy as np\n"]},
    {"cell_type": "code", "source": ["!ls\n", "def f(x):\n", "    return x**2\n"]},
    {"cell_type": "code", "source": "def fails(x):\n    return missing\n"},
]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "nb.ipynb").write_text(json.dumps({"cells": CELLS}))
    (tmp_path / "no.ipynb").write_text("[]")
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "__init__.py").write_text("def f(x):\n    return 5 * x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


DERIVATIVES = {
    ("mine.py:Model.predict", "1"): [4.0],
    ("mine.py:model.predict", "1"): [3.0],
    ("mine:f", "1", "2"): [2.0, 1.0],
    ("package_of_mine:f", "1"): [5.0],
    ("nb.ipynb:f", "1/4"): [0.5],
    ("numpy:sin", "pi"): [math.cos(math.pi)],
    ("scipy.special:expit", "0"): [0.25],
    ("mine.py:f", "2*pi", "-1e-3"): [-1e-3, 2 * math.pi],
    ("mine.py:f", "y=-pi/2", "x=sqrt(2)"): [-math.pi / 2, math.sqrt(2)],
    ("mine.py:f", "1_000", "(1 + 2)/4"): [0.75, 1000.0],
    ("mine.py:f", "-pi", "-(1/2)"): [-0.5, -math.pi],
    ("mine.py:g", "2", "k=1/2"): [0.5],
    ("two_outputs", "x1=radians(180)", "x2=1", "--method", "symbolic"): [
        math.cos(math.pi), math.pi * math.cos(math.pi), 1.0, math.pi + 1,
    ],
}  # fmt: skip


@pytest.mark.parametrize("args", DERIVATIVES, ids=" ".join)
def test_functions_and_inputs_are_found(diffkit, mine: Path, args: tuple[str, ...]) -> None:
    method = () if "--method" in args else ("--method", "reverse mode")
    done = diffkit("compare", *args, *method, "--no-times", "--format", "csv")
    assert done.status == 0, done.err
    values = [float(row["value"]) for row in csv.DictReader(io.StringIO(done.out))]
    assert values == pytest.approx(DERIVATIVES[args])


REFUSED = {
    ("mine.py:Model", "1"): "Model of mine.py is a class; name a method of it, mine.py:Model.METHOD",
    ("mine.py:Needs.predict", "1"): "Needs of mine.py is a class that can't be made without arguments",
    ("mine.py:model.w", "1"): "model.w of mine.py is no function but float",
    ("mine.py:model.predct", "1"): "there is no 'predct' in model of mine.py; did you mean predict?",
    ("mine.py:ff", "1"): "there is no 'ff' in mine.py; did you mean f?",
    ("mnie.py:f", "1"): "there is no file 'mnie.py'; did you mean mine.py?",
    ("nowhere:f", "1"): "there is no module 'nowhere'; a function of your own is named FILE.py:FUNCTION",
    ("numpy.linalg:nrm", "1"): "there is no 'nrm' in numpy.linalg; did you mean norm",
    ("no.ipynb:f", "1"): "no.ipynb is no notebook: ",
    ("nb.ipynb:fails", "1"): "nb.ipynb cell 3, line 2, in fails: NameError: name 'missing' is not defined",
    ("two_outptus",): "there is no program 'two_outptus'; did you mean two_outputs?",
    ("nosuchprogram",): "there is no program 'nosuchprogram'; `diffkit compare --list` lists them",
    ("mine.py:f", "x=2", "3"): "f is given x twice: 3, its first input, and x=2",
    ("mine.py:f", "x=2", "x=3", "y=1"): "f is given x twice: x=2, and x=3",
    ("two_outputs", "1", "2", "x1=3"): "two_outputs is given x1 twice: 1, its first input, and x1=3",
    ("mine.py:f", "1"): "f needs y: give its inputs in order, or by name",
    ("mine.py:g", "1"): "g needs k: ",
    ("mine.py:many",): "many needs inputs",
    ("mine.py:f", "1", "z=2"): "f has no input 'z'; it has x, y",
    ("mine.py:f", "90deg", "1"): "x of f is '90deg': units are not read; write a plain number, radians(90)",
    ("mine.py:f", "5 %", "1"): "units are not read; write a plain number, 5/100",
    ("mine.py:f", "3 m", "1"): "x of f is '3 m': units are not read",
    ("mine.py:f", "1,5", "1"): "x of f is '1,5': write 1.5 with a point, or (1, 5) for two numbers",
    ("mine.py:f", "1/0", "1"): "x of f is '1/0', which has no value: division by zero",
    ("mine.py:f", "sqrt(-1)", "1"): "which has no value: ",
    ("mine.py:f", "1e400", "1"): "x of f must be finite, and inf is not",
    ("mine.py:f", "10**400", "1"): "x of f must be a float, and a number of 401 digits is none",
    ("mine.py:f", "9**9**9", "1"): "which has no value: the power is too large",
    ("mine.py:f", "nan", "1"): "x of f is a finite number",
    ("mine.py:f", "__import__('os')", "1"): "x of f is a finite number",
    ("swell", "mine.py:f"): "f takes 2 inputs (x, y); what is iterated is a function of one variable",
}


@pytest.mark.parametrize("args", REFUSED, ids=" ".join)
def test_what_can_not_be_read_is_one_sentence(diffkit, mine: Path, args: tuple[str, ...]) -> None:
    done = diffkit(*(args if args[0] == "swell" else ("compare", *args)))
    assert done.status == 2
    assert REFUSED[args] in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_swell_iterates_a_function_of_ones_own(diffkit, mine: Path) -> None:
    done = diffkit("swell", "mine.py:step", "-n", "4", "--json")
    rows = json.loads(done.out)["rows"]
    assert [row["trace"] for row in rows] == [1, 3, 5, 7]


def test_swell_stops_in_time_and_says_so(diffkit, mine: Path) -> None:
    done = diffkit("swell", "logistic_map", "-n", "1000000", "--every", "1000", "--limit", "4")
    assert done.status == 0, done.err
    assert "on are left out: all together took longer than 4 s" in " ".join(done.out.split())


def test_draws_the_expression_of_a_function_of_ones_own(diffkit, mine: Path) -> None:
    for view in ("tree", "dag"):
        assert "digraph" in diffkit("draw", "mine.py:step", "2", "--view", view).out


JSON = {
    ("compare", "log_product", "--no-times", "--json"): "rows",
    ("compare", "--list", "--json"): "log_product",
    ("accuracy", "log_product", "--json"): "rows",
    ("accuracy", "log_product", "-o", "a.svg", "--json"): "wrote",
    ("error", "logistic_map", "--form", "central", "--json"): "rows",
    ("swell", "-n", "2", "--json"): "rows",
    ("draw", "log_product", "--json"): "nodes",
    ("draw", "log_product", "-o", "g.dot", "--json"): "wrote",
    ("step", "log_product", "-o", "p.html", "--json"): "wrote",
    ("source", "log_product", "--json"): "rows",
    ("lesson", "--json"): "rows",
    ("doctor", "--json"): "python",
}


@pytest.mark.parametrize("args", JSON, ids=" ".join)
def test_every_command_has_json(diffkit, mine: Path, args: tuple[str, ...]) -> None:
    done = diffkit(*args)
    assert done.status == 0, done.err
    assert JSON[args] in json.loads(done.out)
