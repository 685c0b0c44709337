"""A trial with what a submission gave for each of its steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise, Instance
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.protocol import Array as Packed
from diffkit.grading.inside.protocol import Request, Response, Step, StepResult
from diffkit.grading.judging.answers import Answer, read_answer
from diffkit.grading.judging.trials import Trial

Array = np.ndarray[Any, Any]


@dataclass
class Answered:
    """A trial with what the submission gave for each of its steps."""

    trial: Trial
    answers: list[tuple[Step, Answer]]
    response: Response

    @property
    def instance(self) -> Instance:
        """The trial's instance."""
        return self.trial.instance

    def get(self, label: str) -> Answer | None:
        """The answer to a step by its label, if that was asked."""
        return next((answer for step, answer in self.answers if step.label == label), None)

    def derivatives(self) -> Iterator[tuple[Step, Answer]]:
        """The steps that ask for a derivative."""
        return ((step, answer) for step, answer in self.answers if step.action == "backward")


def part_names(exercise: Exercise) -> tuple[str, ...]:
    """What the parts of a derivative are called."""
    if exercise.style == "jvp":
        return ("the tangent of the answer",)
    word = "the partial derivative by" if exercise.style == "partials" else "the cotangent of"
    return tuple(f"{word} {name}" for name in exercise.argument_names)


def answered(exercise: Exercise, trial: Trial, response: Response) -> Answered:
    """Reads the answers of a trial."""
    names = part_names(exercise)
    answers = []
    for step, result in zip(trial.request.steps, response.steps, strict=False):
        truth = trial.truths[step.point]
        if step.action == "forward":
            answer = read_answer(result, ("the value",), (np.asarray(truth.ans),), (0,), 1)
        elif exercise.style == "jvp":
            answer = read_answer(result, names, (np.asarray(truth.ans),), (0,), 1)
        else:
            inputs = trial.instance if step.point == 0 else trial.instance.partner
            assert inputs is not None
            like = [_float_like(inputs.args[k]) for k in exercise.differentiated]
            answer = read_answer(result, names, like, exercise.differentiated, len(exercise.arguments))
        if result.failure is None:
            answer = replace(answer, changed=_changed(exercise, trial.request, step, result))
        answers.append((step, answer))
    return Answered(trial, answers, response)


def _changed(exercise: Exercise, request: Request, step: Step, result: StepResult) -> tuple[str, ...]:
    """The inputs whose bytes came back as others than were sent: an argument's number, "ans", "g"."""
    point = request.points[step.point]
    was = [(str(k), a.data) for k, a in enumerate(point.args) if type(a) is Packed]
    seeds = [("g", a.data) for a in request.seeds[step.seed]] if step.action == "backward" else []
    forms = [[*was, ("ans", point.ans.data), *seeds]] if type(point.ans) is Packed else []
    # Who writes the forward function is not sent its value, and may not have it to send back.
    if not forms or STYLES[exercise.style].has_forward:
        forms.insert(0, [*was, *seeds])
    for named in forms:
        if result.left == b"".join([data for _, data in named]):
            return ()
    named = next((n for n in forms if sum(len(data) for _, data in n) == len(result.left)), forms[-1])
    ends = [0, *itertools.accumulate(len(data) for _, data in named)]
    changed = [n for (n, data), k in zip(named, ends, strict=False) if result.left[k : k + len(data)] != data]
    return tuple(sorted(dict.fromkeys(changed), key=lambda name: name != "g")) or ("an input",)


def _float_like(value: Any) -> Array:
    array = np.asarray(value)
    return array if array.dtype.kind in "fc" else array.astype(float)
