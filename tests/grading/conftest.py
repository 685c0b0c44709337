"""Grading rules in this process, and seeing them as the diagnosis does; trials are made once for all."""

from __future__ import annotations

import functools
import types

import pytest

from diffkit.grading import catalogue
from diffkit.grading.diagnosis.agreement import reproduced
from diffkit.grading.diagnosis.budget import Budget
from diffkit.grading.diagnosis.evidence import observations
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.answered import answered
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade


@functools.cache
def trials_of(name: str, style: str, seed: int, draws: int):
    exercise = catalogue.exercise(name, style=style)
    return exercise, prepare(exercise, seed, draws=draws)


def responses_of(exercise, trials, names):
    submission = types.SimpleNamespace(**names)
    return [perform(submission, trial.request, Exception) for trial in trials]


@pytest.fixture
def graded():
    """Grades a rule, or a submission with the right names, for an exercise of the catalogue."""

    def run(name, rule=None, *, style="vjp", seed=1, draws=4, diagnose=True, **names):
        exercise, trials = trials_of(name, style, seed, draws)
        if rule is not None:
            names = {exercise.defines[0]: rule}
        return grade(exercise, trials, responses_of(exercise, trials, names), seed=seed, diagnose=diagnose)

    return run


class Seen:
    """What the diagnosis sees of one submission.

    Attributes:
        exercise: the exercise.
        answers: what was asked and answered.
        observations: of each part of each answer.
    """

    def __init__(self, exercise, trials, names):
        self.exercise = exercise
        responses = responses_of(exercise, trials, names)
        grade(exercise, trials, responses, diagnose=False)  # computes what is right
        self.answers = [answered(exercise, *pair) for pair in zip(trials, responses, strict=True)]
        self.observations = list(observations(exercise, self.answers, Budget()))

    def part(self, k):
        """The observations of one part."""
        return [o for o in self.observations if o.part == k]

    def held(self, family, part=0):
        """The names of those of a family's hypotheses that give the numbers, on three instances at least."""
        seen = self.part(part)
        wrong = sorted((o for o in seen if o.wrong and o.given.size), key=lambda o: -o.given.size)
        firsts = {o.case: o for o in reversed(wrong)}.values()
        found = set()
        for first in firsts:
            try:
                found |= {name for name, _, h in family(first) if reproduced(h, first, seen) >= 3}
            except (ValueError, TypeError, IndexError, ArithmeticError):
                continue
        return found


@pytest.fixture
def seen():
    """What the diagnosis sees of a rule, or of a submission's names, for an exercise of the catalogue."""

    def look(name, rule=None, *, style="vjp", seed=1, draws=2, **names):
        exercise, trials = trials_of(name, style, seed, draws)
        if rule is not None:
            names = {exercise.defines[0]: rule}
        return Seen(exercise, trials, names)

    return look
