"""``diffkit compare``, and what every command does with bad input."""

import importlib.util
import itertools
import os
import shlex
import subprocess
import sys
from typing import Any

import click
import pytest

import diffkit as dk
from diffkit.cli import cli


def test_compares_a_program_at_its_samples(diffkit) -> None:
    done = diffkit("compare", "two_outputs")
    assert done.status == 0
    assert "two_outputs: the Jacobian of 2 outputs by 2 inputs" in done.out
    assert all(method in done.out for method in dk.comparison.METHODS)


def test_inputs_in_order_or_by_name(diffkit) -> None:
    one = diffkit("compare", "log_product", "4", "5", "--method", "reverse mode", "--format", "csv").out
    other = diffkit("compare", "log_product", "b=5", "a=4", "--method", "reverse mode", "--format", "csv").out
    assert "0,a,0.25," in one
    assert "0,b,0.2," in other


def test_keywords_and_arrays(diffkit) -> None:
    done = diffkit(
        "compare", "logistic_map", "length=2", "x=0.25", "--method", "forward mode", "--format", "csv"
    )
    assert "0,x,2.0," in done.out
    done = diffkit("compare", "two_layer_linear", "v=[1, 0]", "--method", "reverse mode", "--format", "csv")
    assert '"W[1, 0]",0.0' in done.out


def test_writes_a_file(diffkit, tmp_path) -> None:
    path = tmp_path / "table.md"
    done = diffkit("compare", "log_product", "-o", str(path))
    assert done.out == f"wrote {path}\n"
    assert "| reverse mode |" in path.read_text()


def test_lists_the_programs(diffkit) -> None:
    lines = diffkit("compare", "--list").out.splitlines()
    assert len(lines) == 22
    assert lines[2].split(maxsplit=1) == ["log_product", "log(a b)"]


BAD = {
    ("compare", "two_output"): "there is no program 'two_output'; did you mean two_outputs?",
    ("compare",): "name one program, or give --all",
    ("compare", "two_outputs", "--all"): "name one program, or give --all",
    ("compare", "two_outputs", "2"): "two_outputs takes 2 inputs (x1, x2), but got 1: 2",
    ("compare", "two_outputs", "2", "three"): "x2 of two_outputs is a finite number; got 'three'",
    ("compare", "two_outputs", "x3=1"): "two_outputs has no input 'x3'; it has x1, x2",
    (
        "compare",
        "log_product",
        "a=-1",
    ): "log_product is nan at a = -1, b = 3, in 50 digits too: that point is outside its domain",
    ("compare", "logistic_map", "length=two"): "length of logistic_map is a whole number; got 'two'",
    ("compare", "two_layer_linear", "v=[[1]]"): "v of two_layer_linear has 1 axes",
    ("compare", "two_outputs", "--method", "magic"): "there is no method 'magic'",
    ("compare", "two_outputs", "-o", "/nowhere/t.md"): "can't write '/nowhere/t.md'",
    ("compare", "two_outputs", "-o", "t.docx"): "can't tell the format of 't.docx'",
    ("compare", "two_outputs", "--format", "word"): "Invalid value for '--format'",
    ("compare", "two_outputs", "--draw", "/dev/null/x"): "can't make the folder '/dev/null/x'",
    ("frobnicate",): "no command is called 'frobnicate'; there are compare, draw",
    ("comapre", "two_outputs"): "no command is called 'comapre'; did you mean compare?",
    ("compare", "logistic_map", "1e999"): "x of logistic_map must be finite, and inf is not",
    ("compare", "logistic_map", "nan"): "x of logistic_map is a finite number; got 'nan'",
    ("compare", "/"): "'/' is a folder. A function of your own is named FILE.py:FUNCTION",
    ("error", "two_outputs", "--by", "x1", "--output", "3"): "two_outputs has 2 outputs, but --output is 3",
    ("error", "two_outputs", "--by", "x1", "--output", "9"): "two_outputs has 2 outputs, but --output is 9",
    ("error", "two_outputs", "--by", "x1", "--output", "0"): "0 is not in the range",
    ("error", "log_product", "--by", "a", "--output", "2"): "log_product has 1 outputs, but --output is 2",
    ("swell", "-n", "1000000"): "take only some of them, as in --every 100000",
    ("swell", "logistic", "-n", "-5"): "-5 is not in the range",
    ("swell", "nothing"): "there are logistic_map, logistic_map_factored, soft_relu",
    ("compare", "two_outputs", "--nope"): "No such option",
    ("draw", "two_outputs", "--view", "sideways"): "Invalid value for '--view'",
    ("step", "two_outputs", "-o", "page.pdf"): "the page is an HTML file, FILE.html, not 'page.pdf'",
}


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_bad_input_is_one_sentence_and_status_2(
    diffkit, args: tuple[str, ...], tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = diffkit(*args)
    assert done.status == 2
    assert done.out == ""
    assert BAD[args] in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert os.listdir(tmp_path) == []


def test_help_names_every_command(diffkit) -> None:
    done = diffkit("--help")
    assert done.status == 0
    for command in "compare draw step source swell error lesson check grade doctor".split():
        assert f"\n  {command}" in done.out


@pytest.mark.parametrize("command", "compare draw step source swell error lesson check grade".split())
def test_every_command_has_help_with_examples(diffkit, command: str) -> None:
    done = diffkit(command, "--help")
    assert done.status == 0
    assert f"diffkit {command}" in done.out.split("Examples:")[1]


CAIRO = importlib.util.find_spec("cairosvg") is not None


def examples() -> list[Any]:
    """The examples in the commands' help; those that sweep many sizes are slow."""
    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in "compare draw step source swell error".split()]
    lines = [line.strip() for c in commands for line in (c.epilog or "").splitlines()]
    runnable = [
        line for line in lines if line.startswith("diffkit ") and "--all" not in line and "|" not in line
    ]
    slow, pdf = pytest.mark.slow, pytest.mark.skipif(not CAIRO, reason="CairoSVG is not installed")
    return [
        pytest.param(x, marks=[slow] * x.startswith("diffkit swell") + [pdf] * x.endswith(".pdf"))
        for x in runnable
    ]


@pytest.mark.parametrize("line", examples())
def test_the_examples_of_the_help_work(diffkit, line: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef f(x, w):\n    return np.sum(np.sin(x) * w)\ndef step(x):\n    return x * x\n"
    )
    done = diffkit(*shlex.split(line)[1:])
    assert done.status == 0, done.err
    files = [word for option, word in itertools.pairwise(shlex.split(line)) if option == "-o"]
    assert all((tmp_path / file).exists() for file in files)


def test_negative_inputs_are_numbers(diffkit) -> None:
    done = diffkit("compare", "sum_times", "-2", "5", "-.5", "--method", "reverse mode", "--format", "csv")
    assert "0,z,3.0," in done.out
    refused = diffkit("compare", "sum_times", "-x", "5", "1").err
    assert refused.replace("'", "").startswith("diffkit: No such option")  # click's words, of two releases
    assert "-x" in refused


def test_it_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "diffkit", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "diffkit, version 0.1.0"
