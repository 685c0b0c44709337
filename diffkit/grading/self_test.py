"""The self-test of an assignment: the reference is right and passes, the known wrong answers fail.

>>> from diffkit.grading import catalogue
>>> table, proven = prove([catalogue.exercise("tanh")], seed=1)
>>> proven, table["outcome"][1]
(True, 'passes')
>>> print(table["outcome"][0])
right to ...e-1... (8 of 8 cases, 7 of them to 30 digits)
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.errors import DiffkitError
from diffkit.grading.black_box import MeasuredTruth
from diffkit.grading.exercises import Exercise
from diffkit.grading.in_process import grade_in_process
from diffkit.grading.model_answers import model_answer, submission
from diffkit.grading.trials import Trial, prepare
from diffkit.tables import Table

if TYPE_CHECKING:
    from diffkit.grading.assignment import Assignment

__all__ = ["prove", "self_test"]

Array = np.ndarray[Any, Any]

DIGITS = 30
COLUMNS = 6
"""Of an instance with more inputs than this, so many are compared."""


def self_test(assignment: Assignment, seed: int | None = None) -> tuple[Table, bool]:
    """Tests the exercises of an assignment.

    Returns:
        A table with a row for each finding, and whether everything is as it should be.
    """
    return prove(assignment.exercises, seed)


def prove(exercises: Sequence[Exercise], seed: int | None = None) -> tuple[Table, bool]:
    """As :func:`self_test`, of a list of exercises."""
    if seed is None:
        seed = secrets.randbelow(2**32)
    rows: list[list[str]] = []
    proven = True
    for exercise in exercises:
        for what, outcome, good in _findings(exercise, seed):
            rows.append([exercise.name, what, outcome])
            proven = proven and good
    return Table(["exercise", "what", "outcome"], rows), proven


def _findings(exercise: Exercise, seed: int) -> list[tuple[str, str, bool]]:
    try:
        trials = prepare(exercise, seed, draws=1)
    except DiffkitError as error:
        return [("reference", f"fails: {error}", False)]
    found = [_against_truth(exercise, trials)]
    verdict = grade_in_process(exercise, model_answer(exercise), seed, diagnose=False)
    failing = "; ".join(f"{c.name}: {c.message}" for c in verdict.checks if not c.passed)
    found.append(
        ("reference as a submission", "passes" if verdict.passed else f"fails ({failing})", verdict.passed)
    )
    rules = [(m.name, m.rule) for m in exercise.misconceptions]
    rules += [(getattr(w, "__name__", "a wrong answer"), w) for w in exercise.wrong]
    if exercise.style not in ("engine", "jvp"):
        for name, rule in rules:
            verdict = grade_in_process(exercise, submission(exercise, rule), seed, diagnose=False)
            outcome = "passes, and must not" if verdict.passed else "fails, as it should"
            found.append((f"wrong answer: {name}", outcome, not verdict.passed))
    return found


def _against_truth(exercise: Exercise, trials: Sequence[Trial]) -> tuple[str, str, bool]:
    """The reference against many digits, or against extrapolated differences where those can't be had."""
    worst, compared, precisely = 0.0, 0, 0
    for each in trials:
        truth, seeds = each.truths[0], each.seeds[0]
        if truth.kinked or not np.isfinite(truth.ans).all() or exercise.style == "jvp":
            continue
        given = truth(seeds)
        precise = _precise(exercise, each)
        if precise is not None:
            columns, expected = precise
            flat = np.concatenate([c.ravel() for c in given])[columns]
            size = np.abs(np.concatenate([c.ravel() for c in given])).max(initial=0.0)
            allowed = np.concatenate([t.ravel() for t in truth.tolerance(seeds)])[columns]
            off = np.abs(flat - expected)
            precisely += 1
        else:
            measured = MeasuredTruth(
                exercise.function, truth.args, truth.kwargs, truth.differentiated, truth.ans, seeds
            )
            expected = np.concatenate([c.ravel() for c in measured(seeds)])
            allowed = np.concatenate(
                [
                    (s + t).ravel()
                    for s, t in zip(measured.tolerance(seeds), truth.tolerance(seeds), strict=True)
                ]
            )
            flat = np.concatenate([c.ravel() for c in given])
            size = np.abs(flat).max(initial=0.0)
            off = np.abs(flat - expected)
        usable = np.isfinite(off) & np.isfinite(allowed)
        if np.any(off[usable] > allowed[usable]):
            return "reference against the truth", f"is wrong on the case {each.instance.name!r}", False
        if size and usable.any():
            worst = max(worst, float(off[usable].max() / size))
        compared += 1
    how = f"{compared} of {len(trials)} cases, {precisely} of them to {DIGITS} digits"
    return "reference against the truth", f"right to {worst:.0e} ({how})", True


def _precise(exercise: Exercise, each: Trial) -> tuple[Array, Array] | None:
    """Entries of the derivative, chosen by number, to many digits and then rounded."""
    from diffkit.precise import reference_derivative

    truth, g = each.truths[0], each.seeds[0][0]
    held = [a for k, a in enumerate(truth.args) if k in truth.differentiated]
    count = sum(np.size(a) for a in held)
    if not count or not g.size:
        return None

    def function(*moved: Any) -> Any:
        args = list(truth.args)
        for k, a in zip(truth.differentiated, moved, strict=True):
            args[k] = a
        return exercise.function(*args, **truth.kwargs)

    columns = np.linspace(0, count - 1, min(count, COLUMNS)).astype(int)
    try:
        reference = reference_derivative(function, held, coordinates=columns.tolist(), digits=DIGITS)
        partials = reference.floats()
    except (DiffkitError, TypeError, ValueError, NotImplementedError):
        return None
    return columns, np.asarray(g.ravel() @ partials)
