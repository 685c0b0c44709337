"""Every wrong rule of the collection fails, every right one passes, and mistakes are named rightly."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from .collection.held_out import HELD_OUT
from .collection.odd import ODD
from .collection.right import RIGHT
from .collection.styled import STYLED
from .collection.submissions import graded as submitted
from .collection.wrong import WRONG


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong rules overflow and divide by zero
        yield


def test_the_collection_is_as_large_as_claimed():
    assert len(WRONG) >= 300
    assert len({name for name, *_ in WRONG}) >= 60
    assert {name for name, *_ in WRONG} <= {name for name, *_ in RIGHT}


def test_every_wrong_rule_fails(graded):
    survivors = [
        f"{name}: {what}"
        for name, what, rule, _ in WRONG
        if graded(name, rule, draws=1, diagnose=False).passed
    ]
    assert survivors == []


def test_every_held_out_rule_fails(graded):
    survivors = [n for n, _, rule, _ in HELD_OUT if graded(n, rule, draws=1, diagnose=False).passed]
    assert survivors == []
    assert len(HELD_OUT) >= 110


def test_no_right_rule_fails(graded):
    alarms = [
        f"{name} {note}: {verdict}"
        for name, note, rule in RIGHT
        if not (verdict := graded(name, rule, draws=1, diagnose=False)).passed
    ]
    assert alarms == []


def test_no_right_rule_fails_however_odd(graded):
    alarms = [
        f"{name} {note}: {verdict}"
        for name, note, rule in ODD
        if not (verdict := graded(name, rule, draws=1, diagnose=False)).passed or not verdict.conclusive
    ]
    assert alarms == []
    assert len(ODD) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_the_seed_does_not_matter(graded, seed):
    assert [n for n, w, r, _ in WRONG if graded(n, r, seed=seed, draws=2, diagnose=False).passed] == []
    for name, note, rule in RIGHT + ODD:
        verdict = graded(name, rule, seed=seed, draws=2, diagnose=False)
        assert verdict.passed, f"{note}: {verdict}"
        assert verdict.conclusive, f"{note}: {verdict}"


SAMPLE = WRONG[::12]


def _named(graded, collection):
    outcomes = Counter()
    for name, what, rule, names in collection:
        diagnosis = graded(name, rule).diagnosis
        outcome = "unnamed" if diagnosis is None else diagnosis.name
        outcomes["right" if outcome in names - {"unnamed"} else f"{name}, {what}: {outcome}"] += 1
    return outcomes


def test_mistakes_are_named_rightly_in_a_sample(graded):
    outcomes = _named(graded, SAMPLE)
    assert outcomes["right"] >= 0.9 * len(SAMPLE), outcomes


@pytest.mark.slow
def test_mistakes_are_named_rightly(graded):
    outcomes = _named(graded, WRONG)
    assert outcomes["right"] >= 0.95 * len(WRONG), outcomes


@pytest.mark.slow
def test_held_out_mistakes_are_named_rightly(graded):
    outcomes = _named(graded, HELD_OUT)
    assert outcomes["right"] >= 0.9 * len(HELD_OUT), outcomes


WHOLE = [each for each in STYLED if each[1] in ("jvp", "engine")][::3]


def _outcomes(collection):
    outcomes = Counter()
    for name, style, what, text, names in collection:
        diagnosis = submitted(name, style, text, draws=4).diagnosis
        outcome = "unnamed" if diagnosis is None else diagnosis.name
        outcomes["right" if outcome in names else f"{name}, {style}, {what}: {outcome}"] += 1
    return outcomes


def test_a_sample_of_jvp_rules_and_engines_is_named_rightly():
    outcomes = _outcomes(WHOLE)
    assert outcomes["right"] >= len(WHOLE) - 1, outcomes


def test_every_held_out_submission_fails_in_its_style():
    survivors = [
        (name, style, what)
        for name, style, what, text, _ in STYLED
        if submitted(name, style, text, diagnose=False, draws=1).passed
    ]
    assert survivors == []
    assert len({style for _, style, *_ in STYLED}) == 7


@pytest.mark.slow
def test_held_out_submissions_are_named_rightly_in_their_style():
    outcomes = _outcomes(STYLED)
    assert outcomes["right"] >= 0.95 * len(STYLED), outcomes
