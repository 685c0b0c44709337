"""What a starter file leaves open is told so, whatever form it has, and is no mistake."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, catalogue, draws
from diffkit.grading.inside.student_side import load
from diffkit.grading.judging.results import UNWRITTEN
from diffkit.grading.self_test.in_process import grade_in_process

BODIES = {
    "pass": "pass",
    "nothing but a docstring": '"""The cotangents."""',
    "...": "...",
    "... returned": "return ...",
    "None": "return None",
    "a tuple of None": "dx, dw, db = None, None, None\n    return dx, dw, db",
    "zeros": "return np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)",
    "NotImplementedError": "raise NotImplementedError",
    "NotImplementedError with words": "raise NotImplementedError('Need to implement for Task 1.2')",
    "a bare raise": "raise",
    "an assertion": "assert False, 'TODO'",
    "an exception that says so": "raise Exception('not implemented yet')",
}


def _verdict(text, style="vjp", name="affine", **changes):
    exercise = catalogue.exercise(name, style=style, **changes)
    return grade_in_process(exercise, load("import numpy as np\n" + text, "a.py"), seed=1)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_rule_that_is_a_starters(body):
    verdict = _verdict(f"def affine_vjp(g, ans, x, w, b):\n    {body}\n")
    assert verdict.diagnosis.name == UNWRITTEN
    assert verdict.diagnosis.mistake == ""
    assert "not written yet" in verdict.check("contract").message
    assert "every way through the function" not in str(verdict.check("contract"))
    assert verdict.check("values").status == "not run"
    assert verdict.score == 0


@pytest.mark.parametrize(
    "forward", ["pass", "return None, None", "raise NotImplementedError", "return x @ w + b, (x, w)"]
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_pair_as_in_cs231n(forward, body):
    body = body.replace("_like(x)", "(3)").replace("_like(w)", "(3)").replace("_like(b)", "(3)")
    text = f"def affine_forward(x, w, b):\n    {forward}\n\ndef affine_backward(dout, cache):\n    {body}\n"
    verdict = _verdict(text, "pair")
    assert verdict.diagnosis.name == UNWRITTEN
    assert (verdict.check("forward").status == "passed") == forward.startswith("return x @")


def test_a_backward_that_fails_for_want_of_a_forward_is_not_written_either():
    back = "def tanh_backward(dout, cache):\n    (y,) = cache\n    return dout * (1 - y**2)\n"
    text = f"def tanh_forward(x):\n    pass\n\n{back}"
    assert _verdict(text, "pair", "tanh").diagnosis.name == UNWRITTEN


def test_a_starter_that_goes_on_with_its_own_none():
    """CS231n's dropout: ``out = None``, a gap, and then ``out = out.astype(...)``."""
    forward = "def tanh_forward(x):\n    out = None\n    out = out.astype(x.dtype)\n    return out, x\n\n"
    verdict = _verdict(
        forward + "def tanh_backward(dout, cache):\n    dx = None\n    return dx\n", "pair", "tanh"
    )
    assert verdict.diagnosis.name == UNWRITTEN
    told = "this is not written yet: it goes on with None, line 4: out = out.astype(x.dtype)"
    assert verdict.check("forward").message == told


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return g @ w.T, x.T @ g, np.zeros_like(b)", "zero returned"),
        ("return g @ w.T, x.T @ g, None", "not an array"),
        ("return None if len(x) > 2 else (g @ w.T, x.T @ g, g.sum(axis=0))", "wrong count"),
        ("raise ValueError('shapes do not fit')", "raises"),
    ],
)
def test_what_is_half_written_is_a_mistake(body, name):
    diagnosis = _verdict(f"def affine_vjp(g, ans, x, w, b):\n    {body}\n").diagnosis
    assert diagnosis.name == name
    assert diagnosis.mistake == name


def test_zeros_are_right_where_they_are():
    exercise = Exercise(np.sign, [Case("ordinary", draws.normal("n"))], "sign", arguments=("x",))
    module = load("import numpy as np\ndef sign_vjp(g, ans, x):\n    return np.zeros_like(x)\n", "a.py")
    assert grade_in_process(exercise, module, seed=1).passed


def test_the_line_told_is_the_submissions_whatever_lies_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("no_line_of_theirs\n" * 9)
    monkeypatch.syspath_prepend(tmp_path)
    verdict = _verdict("def affine_vjp(g, ans, x, w, b):\n    return g.no_such_thing\n")
    assert "in line 3, `return g.no_such_thing`" in verdict.check("contract").message
