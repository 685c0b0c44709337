"""A diagnosis is given up after so much work, counted in calls: the same for the same answers, always."""

from __future__ import annotations

import math
import time
import types

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, catalogue, draws
from diffkit.grading.diagnosis import budget as budgets
from diffkit.grading.diagnosis import diagnose
from diffkit.grading.diagnosis.budget import WORK, Budget, Exhausted, calls_of
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.answered import answered
from diffkit.grading.judging.results import UNFINISHED
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


def _work(found, exercise):
    budget = Budget()
    diagnosis = diagnose(exercise, found, budget)
    return budget.done, diagnosis and diagnosis.name


def test_the_same_answers_cost_the_same_work_however_busy_the_machine(monkeypatch):
    exercise, found = _found(np.sin, _strange)
    once = _work(found, exercise)

    def slow(x):
        time.sleep(0.0005)
        return np.sin(x)

    assert 0 < once[0] < WORK / 10
    assert _work(*reversed(_found(np.sin, _strange))) == once
    clock = iter(range(0, 10**9, 1000))  # on which every look at it takes a quarter of an hour
    monkeypatch.setattr(budgets.time, "monotonic", lambda: float(next(clock)))
    assert _work(found, exercise) == once
    assert calls_of(lambda: slow(1.0)) < 10


def test_a_function_of_many_calls_is_given_up_and_no_mistake_is_made_of_it():
    def busy(x):
        for _ in range(20_000):
            abs(1.0)
        return np.sin(x)

    exercise, found = _found(busy, _strange)
    diagnosis = diagnose(exercise, found, Budget(WORK // 20))
    assert diagnosis.name == UNFINISHED
    assert diagnosis.mistake == ""
    assert "was not found with the work" in diagnosis.message(1)


def test_what_was_found_before_it_is_given():
    exercise, found = _found(np.sin, lambda g, ans, x: -g * np.cos(x))
    assert diagnose(exercise, found, Budget(20_000)).name == "sign"
    assert diagnose(exercise, found, Budget(1)).name == UNFINISHED


@pytest.mark.parametrize("each", [0.3, 1.0, 2.0])
def test_who_waits_has_a_limit_of_time_as_well(each):
    clock = Clock()

    def slow(x):
        clock.now += each
        return np.sin(x)

    exercise, found = _found(slow, _strange)
    start = clock.now
    diagnosis = diagnose(exercise, found, Budget(math.inf, 5.0, clock))
    assert diagnosis.name == UNFINISHED
    assert 5.0 - 2 * each <= clock.now - start <= 5.0


def test_a_slow_rule_is_not_called_again_for_a_diagnosis(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(budgets.time, "monotonic", clock)
    calls = []

    def slow(g, ans, x):
        calls.append(clock.now)
        clock.now += 60.0
        return 2 * g * np.cos(x)

    verdict = check_vjp(slow, np.sin, np.array([0.5, 1.0]), seed=1)
    once = len(calls)
    assert not verdict.passed
    assert verdict.diagnosis.name == UNFINISHED
    calls.clear()
    quick = check_vjp(lambda g, ans, x: calls.append(0) or 2 * g * np.cos(x), np.sin, np.array([0.5, 1.0]))
    assert quick.diagnosis.name == "constant factor"
    assert once < len(calls)


@pytest.mark.parametrize(
    ("name", "style"), [("softmax", "vjp"), ("matmul", "vjp"), ("layer_norm", "jvp"), ("Value", "engine")]
)
def test_usual_mistakes_are_far_from_the_limit(name, style):
    from tests.grading.judging.test_laws import SETS

    exercise = catalogue.exercise(name, style=style)
    module = types.ModuleType("engine")
    exec(SETS.replace("self.grad += out.grad", "self.grad += 0.7 * out.grad"), module.__dict__)
    if style != "engine":
        setattr(module, exercise.defines[0], lambda g, ans, *args, **kwargs: ans**3 + 1.5)
    found = [answered(exercise, t, perform(module, t.request, Exception)) for t in prepare(exercise, 1)]
    budget = Budget()
    diagnosis = diagnose(exercise, found, budget)
    assert diagnosis is None or diagnosis.name != UNFINISHED
    assert budget.done < WORK / 2


def test_what_is_spent_is_counted():
    budget = Budget(10)
    budget.spend(10)
    with pytest.raises(Exhausted, match="11 calls are more than 10"):
        budget.spend()
