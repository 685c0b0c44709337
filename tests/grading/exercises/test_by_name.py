"""Gradients that come by name, layers that hold parameters, and a team's adapter around submissions."""

from __future__ import annotations

import types

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.grading import Case, Exercise, catalogue, draws, load_assignment
from diffkit.grading.inside.student_side import load
from diffkit.grading.self_test.in_process import grade_in_process
from diffkit.grading.self_test.model_answers import model_answer

n = draws.normal


def affine(x, W, b):
    return x @ W + b


def _layer(**changes):
    case = Case("a batch", n("nm"), n("mk"), n("k"))
    return Exercise(affine, [case], style="gate", parameters=("W", "b"), **changes)


def loss(x, w):
    return np.sum((x @ w) ** 2)


@pytest.mark.parametrize(
    "kept",
    [
        "self.dW, self.db = x.T @ g, g.sum(0)",
        "self.grads = {'W': x.T @ g, 'b': g.sum(0)}",
        "self.grads = {'dW': x.T @ g, 'db': g.sum(0)}",
        "self.grad_W, self.grad_b = x.T @ g, g.sum(0)",
        "self.dLdW, self.dLdb = x.T @ g, g.sum(0)",
    ],
)
@pytest.mark.parametrize("made", ["def __init__(self, W, b): self.W, self.b = W, b", "W = b = None"])
def test_a_layer_keeps_the_gradients_of_its_parameters(kept, made):
    text = (
        f"class Affine:\n    {made}\n    def forward(self, x):\n        self.x = x\n"
        f"        return x @ self.W + self.b\n"
        f"    def backward(self, g):\n        x = self.x\n        {kept}\n        return g @ self.W.T\n"
    )
    assert grade_in_process(_layer(), load(text, "s.py", "layer"), seed=1).passed
    wrong = load(text.replace("x.T @ g", "2 * x.T @ g"), "s.py", "layer")
    verdict = grade_in_process(_layer(), wrong, seed=1)
    assert (verdict.passed, verdict.diagnosis.name, verdict.diagnosis.arguments) == (
        False,
        "constant factor",
        ("W",),
    )


def test_a_gradient_that_is_not_kept_is_asked_for():
    text = "class Affine:\n    def forward(self, x):\n        return x @ self.W + self.b\n"
    text += "    def backward(self, g):\n        return g @ self.W.T\n"
    verdict = grade_in_process(_layer(), load(text, "s.py", "layer"), seed=1)
    assert "no gradient of W on the object: self.dW" in verdict.check("contract").message


def test_the_reference_passes_as_a_layer():
    exercise = _layer()
    assert grade_in_process(exercise, model_answer(exercise), seed=1).passed


@pytest.mark.parametrize("returned", ["{'w': dw, 'x': dx}", "{'dw': dw, 'dx': dx}", "(dx, dw)", "[dx, dw]"])
def test_gradients_beside_the_value_come_in_any_form(returned):
    text = (
        "def loss(x, w):\n    r = x @ w\n    dx, dw = 2 * r @ w.T, 2 * x.T @ r\n"
        f"    return (r ** 2).sum(), {returned}\n"
    )
    exercise = Exercise(loss, [Case("a batch", n("nm"), n("mk"))], style="value_and_gradient")
    assert grade_in_process(exercise, load(text, "s.py", "loss"), seed=1).passed
    wrong = load(text.replace("2 * r @", "r @"), "s.py", "loss")
    verdict = grade_in_process(exercise, wrong, seed=1)
    assert (verdict.passed, verdict.diagnosis.name, verdict.diagnosis.arguments) == (
        False,
        "constant factor",
        ("x",),
    )


def test_a_value_alone_is_no_answer():
    exercise = Exercise(loss, [Case("a batch", n("nm"), n("mk"))], style="value_and_gradient")
    verdict = grade_in_process(exercise, types.SimpleNamespace(loss=loss), seed=1)
    assert "must return the value and the gradient" in verdict.check("contract").message


def test_parameters_are_arguments_of_a_gate():
    with pytest.raises(InputError, match="no argument"):
        Exercise(affine, [Case("a", n("nm"), n("mk"), n("k"))], style="gate", parameters=("V",))
    with pytest.raises(InputError, match='style "gate"'):
        Exercise(affine, [Case("a", n("nm"), n("mk"), n("k"))], parameters=("W",))


def test_an_engine_of_any_name_and_its_methods():
    with pytest.raises(InputError, match="no program of 'cosh'"):
        catalogue.engine("Tensor", ["cosh"])
    exercise = catalogue.engine("Tensor", ["tanh", "matmul"])
    assert exercise.defines == ("Tensor",)
    assert [case.name for case in exercise.ladder][-2:] == ["tanh", "matmul"]


def test_an_adapter_stands_before_and_behind(tmp_path):
    adapter = (
        "import sys, types\nlib = types.ModuleType('course.lib'); lib.two = 2.0\n"
        "course = types.ModuleType('course'); course.__path__ = []\n"
        "sys.modules.update({'course': course, 'course.lib': lib})\npackage = 'course'\n"
        "def adapt(submission):\n"
        "    submission.square_vjp = lambda g, ans, x: submission.mine(x, g)\n"
    )
    text = "from .lib import two\ndef mine(x, g):\n    return two * g * x\n"
    module = load(text, "s.py", "adapted", adapter=adapter)
    assert grade_in_process(catalogue.exercise("square"), module, seed=1).passed
    (tmp_path / "week.py").write_text(
        "from diffkit.grading import catalogue\nadapter = 'a.py'\nexercises = [catalogue.exercise('exp')]\n"
    )
    with pytest.raises(InputError, match="can't be read"):
        load_assignment(tmp_path / "week.py")
    (tmp_path / "a.py").write_text(adapter)
    week = load_assignment(tmp_path / "week.py")
    assert week.adapter == adapter
    assert tmp_path / "a.py" in week.modules
