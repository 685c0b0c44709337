"""Grading rules in this process; the trials of an exercise are made once for all of them."""

from __future__ import annotations

import functools
import types

import pytest

from diffkit.grading import catalogue
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade


@functools.cache
def trials_of(name: str, style: str, seed: int, draws: int):
    exercise = catalogue.exercise(name, style=style)
    return exercise, prepare(exercise, seed, draws=draws)


@pytest.fixture
def graded():
    """Grades a rule, or a submission with the right names, for an exercise of the catalogue."""

    def run(name, rule=None, *, style="vjp", seed=1, draws=4, diagnose=True, **names):
        exercise, trials = trials_of(name, style, seed, draws)
        if rule is not None:
            names = {exercise.defines[0]: rule}
        submission = types.SimpleNamespace(**names)
        responses = [perform(submission, trial.request, Exception) for trial in trials]
        return grade(exercise, trials, responses, seed=seed, diagnose=diagnose)

    return run
