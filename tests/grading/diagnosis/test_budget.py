"""A diagnosis ends in time, however slow what it meets is: counted on a clock that only the work moves."""

from __future__ import annotations

import types

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, catalogue, draws
from diffkit.grading.diagnosis import budget as time_for_it
from diffkit.grading.diagnosis import diagnose
from diffkit.grading.diagnosis.budget import SECONDS, Budget
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.answered import answered
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade
from diffkit.grading.vjp_check import check_vjp


class Clock:
    """A clock that stands still until work is done on it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def _strange(g, ans, x):
    """A rule that no hypothesis gives."""
    return g * (np.cos(3 * x) + x**5)


def _found(function, rule):
    exercise = Exercise(function, [Case("ordinary", draws.normal("n"))], "f")
    submission = types.SimpleNamespace(f_vjp=rule)
    trials = prepare(exercise, seed=1)
    responses = [perform(submission, trial.request, Exception) for trial in trials]
    assert not grade(exercise, trials, responses, diagnose=False).passed  # which computes what is right
    return exercise, [answered(exercise, *pair) for pair in zip(trials, responses, strict=True)]


@pytest.mark.parametrize("each", [0.3, 1.0, 2.0])
def test_no_experiment_begins_that_would_not_end_in_time(each):
    clock = Clock()

    def slow(x):
        clock.now += each
        return np.sin(x)

    exercise, found = _found(slow, _strange)
    start = clock.now
    diagnosis = diagnose(exercise, found, Budget(5.0, clock))
    assert diagnosis.name == "out of time"
    assert "was not found within 5 seconds" in diagnosis.message(1)
    assert 5.0 - 2 * each <= clock.now - start <= 5.0


def test_what_was_found_in_time_is_given():
    clock = Clock()
    exercise, found = _found(np.sin, lambda g, ans, x: -g * np.cos(x))
    assert diagnose(exercise, found, Budget(5.0, clock)).name == "sign"


def test_a_slow_rule_is_not_called_again_for_a_diagnosis(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time_for_it.time, "monotonic", clock)
    calls = []

    def slow(g, ans, x):
        calls.append(clock.now)
        clock.now += 60.0
        return 2 * g * np.cos(x)

    verdict = check_vjp(slow, np.sin, np.array([0.5, 1.0]), seed=1)
    once = len(calls)
    assert not verdict.passed
    assert verdict.diagnosis.name == "out of time"
    calls.clear()
    quick = check_vjp(lambda g, ans, x: calls.append(0) or 2 * g * np.cos(x), np.sin, np.array([0.5, 1.0]))
    assert quick.diagnosis.name == "constant factor"
    assert once < len(calls)


@pytest.mark.parametrize("name", ["softmax", "matmul"])
def test_usual_mistakes_are_far_from_the_limit(name):
    """Counted: each looks at the clock less often than a diagnosis has milliseconds."""

    class Counting(Clock):
        def __call__(self):
            self.now += 1e-3
            return self.now

    exercise = catalogue.exercise(name)
    wrong = types.SimpleNamespace(**{exercise.defines[0]: lambda g, ans, x, *rest, **kwargs: g**3})
    found = [
        answered(exercise, trial, perform(wrong, trial.request, Exception)) for trial in prepare(exercise, 1)
    ]
    diagnosis = diagnose(exercise, found, Budget(SECONDS, Counting()))
    assert diagnosis is None or diagnosis.name != "out of time"
