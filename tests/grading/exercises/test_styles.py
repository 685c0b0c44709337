"""Every submission style: right answers pass, what is typical of the style to get wrong fails."""

from __future__ import annotations

import types

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.grading import catalogue
from diffkit.grading.exercises.starter import scaffold
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.student_side import load
from diffkit.grading.self_test.in_process import grade_in_process
from diffkit.grading.self_test.model_answers import model_answer, submission

RULES = [style for style in STYLES if style != "engine"]


@pytest.mark.parametrize("style", RULES)
@pytest.mark.parametrize("name", ["multiply", "relu", "sum", "affine", "cross_entropy", "softmax"])
def test_the_reference_passes_in_every_style(name, style):
    exercise = catalogue.exercise(name, style=style)
    if style in ("partials", "value_and_gradient") and name in ("affine", "softmax"):
        with pytest.raises(InputError, match="suits the style"):
            exercise.instances(1)
        return
    verdict = grade_in_process(exercise, model_answer(exercise), seed=1)
    assert verdict.passed, str(verdict)
    assert verdict.score == exercise.points


@pytest.mark.parametrize("style", ["vjp", "gate", "pair", "context", "defvjp", "partials"])
def test_a_sign_is_found_in_every_style(style):
    exercise = catalogue.exercise("subtract", style=style)

    def rule(g, ans, x, y):
        def summed(c, like):
            c = np.asarray(c)
            while c.ndim > np.ndim(like):
                c = c.sum(axis=0)
            stretched = tuple(k for k, n in enumerate(np.shape(like)) if n == 1 != c.shape[k])
            return c.sum(axis=stretched, keepdims=True) if stretched else c

        return summed(g, x), summed(g, y)

    verdict = grade_in_process(exercise, submission(exercise, rule), seed=1)
    assert not verdict.passed
    assert verdict.diagnosis.name == "sign"
    assert verdict.diagnosis.arguments == ("y",)


def test_a_jvp_rule_that_forgets_a_term():
    exercise = catalogue.exercise("multiply", style="jvp")
    right = types.SimpleNamespace(multiply_jvp=lambda t, ans, x, y: t[0] * y + x * t[1])
    assert grade_in_process(exercise, right, seed=1).passed
    wrong = types.SimpleNamespace(multiply_jvp=lambda t, ans, x, y: t[0] * y + 0 * ans)
    assert not grade_in_process(exercise, wrong, seed=1).passed


@pytest.mark.parametrize("style", RULES)
def test_the_starter_file_runs_and_fails_by_saying_what_is_missing(style):
    exercise = catalogue.exercise("multiply", style=style)
    module = load(scaffold([exercise]), "starter.py", "starter")
    verdict = grade_in_process(exercise, module, seed=1)
    assert not verdict.passed
    assert verdict.score == 0
    failed = next(check for check in verdict.checks if not check.passed)
    assert "NotImplementedError" in failed.message or "not defined" in failed.message


@pytest.mark.parametrize("style", ["partials", "gate", "pair", "context"])
def test_a_forward_that_raises_is_what_is_told_and_not_what_comes_of_it(style):
    exercise = catalogue.exercise("square", style=style)
    module = load(scaffold([exercise]), "starter.py", "starter")
    verdict = grade_in_process(exercise, module, seed=1)
    assert "NotImplementedError" in verdict.check("forward").message
    assert "AttributeError" not in str(verdict)
    assert "TypeError" not in str(verdict)
    assert verdict.diagnosis.name == "not written yet"


@pytest.mark.parametrize("name", ["Value", "grad", "backward_pass"])
def test_starter_files_of_engines(name):
    exercise = catalogue.exercise(name)
    assert not grade_in_process(exercise, load(scaffold([exercise]), "starter.py", "starter"), seed=1).passed


def test_a_starter_file_for_several_exercises_is_one_program():
    exercises = [
        catalogue.exercise(n, style=s) for n, s in [("sum", "vjp"), ("exp", "defvjp"), ("relu", "gate")]
    ]
    text = scaffold(exercises)
    assert text.count("import numpy as np") == 1
    module = load(text, "starter.py", "starter")
    assert callable(module.sum_vjp)
    assert module.Relu.forward
    assert "axis=None, keepdims=False" in text


# -- state between calls -----------------------------------------------------------------------------------


class RememberedOnTheClass:
    """What forward saw is kept on the class, so that two gates share it."""

    def forward(self, x):
        type(self).x = x
        return x * x

    def backward(self, g):
        return 2 * g * type(self).x


class RememberedOnce:
    """The first input is kept for good."""

    def forward(self, x):
        if not hasattr(self, "x"):
            self.x = x
        return x * x

    def backward(self, g):
        return 2 * g * self.x


class Accumulating:
    """The gradient is added to what is there already."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, g):
        self.dx = getattr(self, "dx", 0.0) + 2 * g * self.x
        return self.dx


class WrongForward:
    def forward(self, x):
        self.x = x
        return 1.0001 * x * x

    def backward(self, g):
        return 2 * g * self.x


@pytest.mark.parametrize(
    ("gate", "check", "name"),
    [
        (RememberedOnTheClass, "contract", "stale cache"),
        (RememberedOnce, "second use", "stale cache"),
        (Accumulating, "contract", "accumulates between calls"),
        (WrongForward, "forward", "wrong value"),
    ],
)
def test_gates_that_go_wrong_after_the_first_use(gate, check, name):
    verdict = grade_in_process(
        catalogue.exercise("square", style="gate"), types.SimpleNamespace(Square=gate), seed=1
    )
    assert verdict.check(check).status == "failed"
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.name == name


def test_a_rule_with_a_global_cache():
    cache = {}

    def rule(g, ans, x):
        key = x.shape
        cache.setdefault(key, 2 * x)
        return g * cache[key]

    verdict = grade_in_process(
        catalogue.exercise("square"), types.SimpleNamespace(square_vjp=rule), seed=1, draws=1
    )
    assert verdict.check("second use").status == "failed"


# -- engines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Value", "grad", "backward_pass"])
def test_right_engines_pass(name):
    exercise = catalogue.exercise(name)
    verdict = grade_in_process(exercise, model_answer(exercise), seed=1)
    assert verdict.passed, str(verdict)


def test_the_grad_of_diffkit_itself_passes():
    import diffkit as dk

    verdict = grade_in_process(catalogue.exercise("grad"), types.SimpleNamespace(grad=dk.grad), seed=1)
    assert verdict.passed, str(verdict)


def test_a_recursive_value_class_passes():
    """The classroom's usual class, whose topological sort is recursive, is deep enough for the ladder."""
    verdict = grade_in_process(
        catalogue.exercise("Value"), types.SimpleNamespace(Value=_value_class()), seed=1
    )
    assert verdict.passed, str(verdict)


@pytest.mark.parametrize(
    ("mistake", "programs"),
    [
        ("overwrites", {"fan_out", "diamond"}),
        ("depth first", {"late_use"}),
    ],
)
def test_wrong_value_classes_fail_where_they_should(mistake, programs):
    verdict = grade_in_process(
        catalogue.exercise("Value"), types.SimpleNamespace(Value=_value_class(mistake)), seed=1
    )
    failing = {name for name, status in verdict.check("values").cases if status == "failed"}
    assert programs <= failing
    assert "product" not in failing


@pytest.mark.parametrize("mistake", ["g forgotten", "last only"])
def test_wrong_backward_passes_fail(mistake):
    from diffkit.grading.self_test import right_engines as engines

    def backward_pass(g, end_node):
        if mistake == "g forgotten":
            return engines.backward_pass(1.0, end_node)
        node, adjoint = end_node, g
        while node.parents:
            node, adjoint = node.parents[-1], node.vjps[-1](adjoint)
        return adjoint

    verdict = grade_in_process(
        catalogue.exercise("backward_pass"), types.SimpleNamespace(backward_pass=backward_pass), seed=1
    )
    assert not verdict.passed


def _value_class(mistake=""):
    class Value:
        def __init__(self, data, children=(), spread=None):
            self.data, self.grad, self.children = data, 0.0, children
            self.spread = spread or (lambda: None)

        def give(self, amount):
            self.grad = amount if mistake == "overwrites" else self.grad + amount

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data + other.data, (self, other))
            out.spread = lambda: (self.give(out.grad), other.give(out.grad))
            return out

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data * other.data, (self, other))
            out.spread = lambda: (self.give(other.data * out.grad), other.give(self.data * out.grad))
            return out

        def __pow__(self, n):
            out = Value(self.data**n, (self,))
            out.spread = lambda: self.give(n * self.data ** (n - 1) * out.grad)
            return out

        def __neg__(self):
            return self * -1

        def __sub__(self, other):
            return self + (-other)

        def __rsub__(self, other):
            return (-self) + other

        def __truediv__(self, other):
            return self * (other if isinstance(other, Value) else Value(other)) ** -1

        def __rtruediv__(self, other):
            return Value(other) / self

        __radd__, __rmul__ = __add__, __mul__

        def backward(self):
            order, seen = [], set()

            def build(v):
                if v in seen:
                    return
                seen.add(v)
                if mistake == "depth first":
                    order.insert(0, v)
                for child in v.children:
                    build(child)
                if mistake != "depth first":
                    order.append(v)

            build(self)
            self.grad = 1.0
            for v in reversed(order):
                v.spread()

    return Value
