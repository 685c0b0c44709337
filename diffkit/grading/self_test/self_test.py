"""The self-test of an assignment: the reference is right and passes, the known wrong answers fail.

>>> from diffkit.grading import catalogue
>>> table, proven = prove([catalogue.exercise("tanh")], seed=1)
>>> proven, table["outcome"][1]
(True, 'passes')
>>> print(table["outcome"][0])
right to ...e-1... (8 of 8 cases, 7 of them to 30 digits)
"""

from __future__ import annotations

import inspect
import secrets
import types
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.errors import DiffkitError
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import MADE_OF_ARGUMENTS, STYLES
from diffkit.grading.inside.student_side import load, perform
from diffkit.grading.judging.black_box import FIRST_STEP, SAFETY, MeasuredTruth, extrapolated
from diffkit.grading.judging.results import Verdict
from diffkit.grading.judging.trials import Trial, prepare, sent
from diffkit.grading.marking import grade
from diffkit.grading.self_test.in_process import grade_in_process
from diffkit.grading.self_test.model_answers import submission
from diffkit.grading.self_test.recorded import recorded_submission
from diffkit.grading.wall.isolation import Isolation
from diffkit.tables import Table

if TYPE_CHECKING:
    from diffkit.grading.exercises.assignment import Assignment

Array = np.ndarray[Any, Any]

DIGITS = 30
COLUMNS = 6
"""Of an instance with more inputs than this, so many are compared."""


def self_test(assignment: Assignment, seed: int | None = None, sandbox: str = "auto") -> tuple[Table, bool]:
    """Tests the exercises of an assignment, each in every style that it allows, as submissions are graded.

    Args:
        assignment: the assignment.
        seed: what the instances are drawn from; a fresh one by default.
        sandbox: see :class:`~diffkit.grading.wall.isolation.Isolation`.

    Returns:
        A table with a row for each finding, and whether everything is as it should be.

    Raises:
        IsolationError: if no submission can be run here.
    """
    with Isolation(assignment.limits, sandbox, assignment.packages) as isolation:
        return prove(assignment.exercises, seed, isolation)


def prove(
    exercises: Sequence[Exercise], seed: int | None = None, isolation: Isolation | None = None
) -> tuple[Table, bool]:
    """As :func:`self_test`, of a list of exercises; without an isolation they are run in this process."""
    if seed is None:
        seed = secrets.randbelow(2**32)
    rows: list[list[str]] = []
    proven = True
    for exercise in exercises:
        for what, outcome, good in _findings(exercise, seed, isolation):
            rows.append([exercise.name, what, outcome])
            proven = proven and good
    return Table(["exercise", "what", "outcome"], rows), proven


def _findings(exercise: Exercise, seed: int, isolation: Isolation | None) -> list[tuple[str, str, bool]]:
    try:
        trials = prepare(exercise, seed, draws=1)
    except DiffkitError as error:
        return [("reference", f"fails: {error}", False)]
    found = [_against_truth(exercise, trials)]
    left_out = [c.name for c in exercise.ladder if c.name not in {t.instance.name for t in trials}]
    if left_out:
        found.append(("ladder", f"left out, as they do not suit the style: {'; '.join(left_out)}", True))
    found += _as_submissions(exercise, seed, trials, isolation)
    rules = [(m.name, m.rule) for m in exercise.misconceptions]
    rules += [(getattr(w, "__name__", "a wrong answer"), w) for w in exercise.wrong]
    if not rules:
        found.append(("wrong answers", "none are given: that the ladder sees mistakes is not shown", True))
    for name, rule in rules:
        outcome, good = _wrong_answer(exercise, rule, seed)
        found.append((f"wrong answer: {name.replace('_', ' ')}", outcome, good))
    return found


def _as_submissions(
    exercise: Exercise, seed: int, trials: Sequence[Trial], isolation: Isolation | None
) -> Iterator[tuple[str, str, bool]]:
    """The reference handed in: in the exercise's style, and in every other that it allows."""
    passing = []
    for style in dict.fromkeys((exercise.style, *STYLES)):
        if (style == "engine") != (exercise.style == "engine"):
            continue
        own = style == exercise.style
        as_style = replace(
            exercise,
            style=style,
            defines=exercise.defines if own else (),
            constructor=exercise.constructor if style in MADE_OF_ARGUMENTS else (),
            parameters=exercise.parameters if style == "gate" else (),
        )
        try:
            asked = trials if own else prepare(as_style, seed, draws=1, known=trials)
            verdict = _handed_in(as_style, asked, isolation)
        except (DiffkitError, TypeError):
            if own:
                raise
            continue  # no case of it suits the style, or a reference of the team's own has no other mode
        if verdict.passed:
            passing.append(style)
        else:
            failing = "; ".join(f"{c.name}: {c.message}" for c in verdict.checks if not c.passed)
            yield "reference as a submission", f"fails as {style} ({failing})", not own
        if own and verdict.passed:
            yield "reference as a submission", "passes", True
    if others := [style for style in passing if style != exercise.style]:
        yield "reference in other styles", f"passes as {', '.join(others)}", True


def _handed_in(exercise: Exercise, trials: Sequence[Trial], isolation: Isolation | None) -> Verdict:
    """The verdict on the reference's answers, which go the way that a submission goes."""
    text = recorded_submission(exercise, trials)
    requests = [sent(exercise, trial.request) for trial in trials]
    if isolation is None:
        module = load(text, "reference.py", "diffkit_reference")
        return grade(exercise, trials, [perform(module, r, Exception) for r in requests], diagnose=False)
    run = isolation.run(text, "reference.py", requests)
    failure = f"{run.load_failure.kind}: {run.load_failure.message}" if run.load_failure else ""
    return grade(exercise, trials, run.responses, load_failure=failure, diagnose=False)


def _wrong_answer(exercise: Exercise, rule: Any, seed: int) -> tuple[str, bool]:
    """What becomes of a wrong answer, and whether that is as it should be."""
    if exercise.style == "engine":
        made: Any = types.SimpleNamespace(**{exercise.defines[0]: rule})
    elif exercise.style == "jvp" and next(iter(inspect.signature(rule).parameters), "") == "g":
        return "a VJP rule: not tried in this style", True
    else:
        made = submission(exercise, rule)
    if not grade_in_process(exercise, made, seed, diagnose=False).passed:
        return "fails, as it should", True
    if STYLES[exercise.style].seed == "ones":  # where there is no g, and nothing is broadcast
        as_rule = replace(exercise, style="vjp", defines=())
        if not grade_in_process(as_rule, submission(as_rule, rule), seed, diagnose=False).passed:
            return "right in this style, where no g comes and nothing is broadcast", True
    return "passes, and must not", False


def _against_truth(exercise: Exercise, trials: Sequence[Trial]) -> tuple[str, str, bool]:
    """The reference against many digits, or against extrapolated differences where those can't be had."""
    worst, compared, precisely = 0.0, 0, 0
    for each in trials:
        truth, seeds = each.truths[0], each.seeds[0]
        if truth.kinked or not np.isfinite(truth.ans).all():
            continue
        given, allowed = _flat(truth(seeds)), _flat(truth.tolerance(seeds))
        size = np.abs(given).max(initial=0.0)
        if exercise.style == "jvp":
            expected, error = _along_tangents(exercise, each)
            allowed = allowed + error
        elif (precise := _precise(exercise, each)) is not None:
            columns, expected = precise
            given, allowed = given[columns], allowed[columns]
            precisely += 1
        else:
            measured = MeasuredTruth(
                exercise.function, truth.args, truth.kwargs, truth.differentiated, truth.ans, seeds
            )
            expected, error = _flat(measured(seeds)), _flat(measured.tolerance(seeds))
            allowed = allowed + error
        off = np.abs(given - expected)
        usable = np.isfinite(off) & np.isfinite(allowed)
        if np.any(off[usable] > allowed[usable]):
            return "reference against the truth", f"is wrong on the case {each.instance.name!r}", False
        if size and usable.any():
            worst = max(worst, float(off[usable].max() / size))
        compared += 1
    how = f"{compared} of {len(trials)} cases"
    if exercise.style != "jvp":
        how += f", {precisely} of them to {DIGITS} digits"
    return "reference against the truth", f"right to {worst:.0e} ({how})", True


def _flat(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.ravel(c) for c in parts])


def _along_tangents(exercise: Exercise, each: Trial) -> tuple[Array, Array]:
    """The derivative along the tangents by extrapolated differences, and its error."""
    truth, tangents = each.truths[0], each.seeds[0]
    sizes = [np.abs(np.asarray(truth.args[k])).ravel() for k in truth.differentiated]
    smallest = min((float(a[a > 0].min()) for a in sizes if np.any(a > 0)), default=1.0)

    def along(shift: float) -> Array:
        moved = list(truth.args)
        for place, t in zip(truth.differentiated, tangents, strict=True):
            moved[place] = moved[place] + shift * t
        return np.asarray(exercise.value(moved, truth.kwargs), dtype=float)

    derivative, error = extrapolated(along, FIRST_STEP * min(1.0, smallest))
    return derivative.ravel(), SAFETY * error.ravel()


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
