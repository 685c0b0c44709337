"""Submissions as texts, the way students hand them in: what the collections of them are written with."""

from __future__ import annotations

from typing import Any

from diffkit.grading import catalogue
from diffkit.grading.inside.student_side import load
from diffkit.grading.judging.results import Verdict
from diffkit.grading.self_test.in_process import grade_in_process

UNBROADCAST = """
def unbroadcast(c, like):
    c = np.asarray(c)
    while c.ndim > np.ndim(like):
        c = c.sum(axis=0)
    for k, n in enumerate(np.shape(like)):
        if n == 1 and c.shape[k] != 1:
            c = c.sum(axis=k, keepdims=True)
    return c
"""


class Submissions:
    """A collection that is being written: each method adds a submission in one style.

    Attributes:
        all: (exercise, style, what is wrong or odd, text, names of the mistake), in order.
    """

    def __init__(self) -> None:
        self.all: list[tuple[str, str, str, str, set[str]]] = []

    def add(self, exercise: str, style: str, what: str, text: str, *names: str) -> None:
        """Any text, below its imports and, if it calls that, ``unbroadcast``."""
        helper = UNBROADCAST if "unbroadcast(" in text else ""
        self.all.append((exercise, style, what, f"import numpy as np\n{helper}\n{text}", set(names)))

    def vjp(self, exercise: str, what: str, parameters: str, body: str, *names: str) -> None:
        """A rule; ``body`` is its lines, the last one what it returns."""
        *lines, last = body.strip("\n").split("\n")
        inner = "\n".join(f"    {line}" for line in [*lines, f"return {last}"])
        self.add(exercise, "vjp", what, f"def {exercise}_vjp(g, ans, {parameters}):\n{inner}\n", *names)

    def jvp(self, exercise: str, what: str, parameters: str, tangent: str, *names: str) -> None:
        """A rule of forward mode."""
        text = f"def {exercise}_jvp(t, ans, {parameters}):\n    return {tangent}\n"
        self.add(exercise, "jvp", what, text, *names)

    def gate(self, exercise: str, what: str, body: str, *names: str) -> None:
        """A class of a gate, by its body."""
        self.add(exercise, "gate", what, f"class {_class_name(exercise)}:\n{body}", *names)

    def partials(self, exercise: str, what: str, parameters: str, func: str, grads: str, *names: str) -> None:
        """A class of local partial derivatives."""
        text = f"""
class {_class_name(exercise)}:
    def func(self, {parameters}):
        return {func}

    def grads(self, {parameters}):
        return {grads}
"""
        self.add(exercise, "partials", what, text, *names)

    def context(self, exercise: str, what: str, forward: str, backward: str, *names: str) -> None:
        """A class in PyTorch's manner; ``forward`` is its parameters and its body."""
        parameters, _, body = forward.partition(": ")
        lines = "\n        ".join(body.split("; "))
        back = "\n        ".join(backward.split("; "))
        text = f"""
class {_class_name(exercise)}:
    @staticmethod
    def forward(ctx, {parameters}):
        {lines}

    @staticmethod
    def backward(ctx, g):
        {back}
"""
        self.add(exercise, "context", what, text, *names)

    def registered(self, exercise: str, what: str, forward: str, rules: str, *names: str) -> None:
        """A forward function and its registration; ``forward`` is its parameters and what it returns."""
        parameters, _, value = forward.partition(": ")
        text = f"""
VJPS = {{}}


def defvjp(function, *rules):
    VJPS[function] = rules


def {exercise}({parameters}):
    return {value}


{rules}
"""
        self.add(exercise, "defvjp", what, text, *names)

    def changed(self, exercise: str, what: str, whole: str, right: str, wrong: str, *names: str) -> None:
        """A whole engine with one place changed."""
        assert right in whole, right
        self.add(exercise, "engine", what, whole.replace(right, wrong), *names)

    def backward_pass(self, what: str, body: str, *names: str) -> None:
        """A sweep, by its body."""
        text = f"def backward_pass(g, end_node):\n{body}"
        self.add("backward_pass", "engine", what, text, *names)


def _class_name(exercise: str) -> str:
    return "".join(part.capitalize() for part in exercise.split("_"))


def graded(name: str, style: str, text: str, **options: Any) -> Verdict:
    """The verdict of a submission, for an exercise of the catalogue, in this process."""
    exercise = catalogue.exercise(name, style=style)
    return grade_in_process(exercise, load(text, "submission.py", "collected_submission"), seed=1, **options)
