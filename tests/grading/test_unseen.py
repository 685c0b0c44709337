"""Wrong submissions of students that the diagnosis was not made with: all fail, and how they are named."""

from __future__ import annotations

import types
import warnings
from collections import Counter

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, draws
from diffkit.grading.self_test.in_process import grade_in_process

from .collection.styled import STYLED
from .collection.submissions import graded
from .collection.unseen import FALSE_ALARMS_TRIED, UNSEEN


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong rules overflow and divide by zero
        yield


def test_every_one_fails():
    survivors = [
        (name, style, what)
        for name, style, what, text, _ in UNSEEN
        if graded(name, style, text, diagnose=False, draws=1).passed
    ]
    assert survivors == []
    assert len(UNSEEN) >= 80
    assert len({style for _, style, *_ in UNSEEN}) == 8


def test_no_right_one_fails_in_any_style():
    alarms = [
        f"{name} {style} {note}: {verdict}"
        for name, style, note, text, _ in FALSE_ALARMS_TRIED
        if not (verdict := graded(name, style, text, diagnose=False, draws=2)).passed
        or not verdict.conclusive
    ]
    assert alarms == []
    assert len(FALSE_ALARMS_TRIED) >= 40
    assert len({style for _, style, *_ in FALSE_ALARMS_TRIED}) == 8


@pytest.mark.slow
def test_most_are_named_rightly():
    outcomes = Counter()
    for name, style, what, text, names in UNSEEN:
        diagnosis = graded(name, style, text).diagnosis
        outcome = "unnamed" if diagnosis is None else diagnosis.name
        outcomes["right" if outcome in names else f"{name}, {style}, {what}: {outcome}"] += 1
    assert outcomes["right"] >= 0.85 * len(UNSEEN), outcomes


def _diagnosis(exercise, what):
    found = [each for each in UNSEEN if each[0] == exercise and what in each[2]]
    assert len(found) == 1
    name, style, _, text, names = found[0]
    diagnosis = graded(name, style, text).diagnosis
    assert diagnosis is not None
    assert diagnosis.name in names
    return diagnosis


@pytest.mark.parametrize(
    ("exercise", "what"),
    [
        ("absolute_error", "sign of the prediction"),
        ("binary_cross_entropy", "the logit itself"),
        ("huber", "pieces exchanged"),
        ("gelu", "second term without x"),
        ("abs", "positive x only"),
        ("concatenate", "the wrong way round"),
        ("var", "mean's tangent"),
        ("Value", "factors exchanged"),
        ("grad", "product's second term"),
        ("Value", "quotient's exponent"),
        ("Value", "reversed operands"),
        ("reshape", "a list is returned"),
    ],
)
def test_what_was_without_a_name_or_misled_is_named(exercise, what):
    _diagnosis(exercise, what)


def test_an_engine_is_told_the_operation_in_a_sentence():
    found = _diagnosis("Value", "n forgotten in the power")
    assert found.message(3).endswith("Look at what is passed on in x ** n, for x.")


def test_nobody_reads_of_an_influence_of_the_answer_on_the_answer():
    found = _diagnosis("Value", "left at 0")
    assert "The input does have an influence on the answer." in found.message(2)


def test_a_wrong_value_does_not_hide_what_is_wrong_with_the_derivative():
    name, style, _, text, names = next(each for each in STYLED if each[0] == "logsumexp")
    assert graded(name, style, text).diagnosis.name in names


def _bump(x):
    return np.sin(x) * np.exp(x)


def test_a_dropped_path_is_named_in_forward_mode():
    exercise = Exercise(_bump, [Case("ordinary", draws.normal("n"))], "bump", style="jvp")
    module = types.SimpleNamespace(bump_jvp=lambda t, ans, x: t * np.cos(x) * np.exp(x))
    assert grade_in_process(exercise, module, seed=1).diagnosis.name == "path dropped"
