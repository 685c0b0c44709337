"""The search for one mistake that accounts for a whole submission.

First what the calls show by themselves, then part by part (the cotangent of x, that of y) the
hypotheses, and in the end what can be said where the numbers say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diffkit.grading.diagnosis.budget import Budget, Exhausted
from diffkit.grading.diagnosis.calls import between_calls
from diffkit.grading.diagnosis.evidence import Observation, observations
from diffkit.grading.diagnosis.hypotheses import one_part
from diffkit.grading.diagnosis.local import wrong_local
from diffkit.grading.diagnosis.messages import located, messages, named
from diffkit.grading.diagnosis.remaining import what_remains
from diffkit.grading.diagnosis.terms import terms
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.results import UNFINISHED, Diagnosis

GO_BY_ORDER = ("overwritten", "sweep out of order")
"""Mistakes in an engine that show another number each time, if its operands come in another order."""


def diagnose(exercise: Exercise, found: Sequence[Answered], budget: Budget | None = None) -> Diagnosis | None:
    """The mistake that reproduces a submission's answers; None if none does.

    Args:
        exercise: the exercise.
        found: what was asked and answered.
        budget: the work for it, :data:`~diffkit.grading.diagnosis.budget.WORK` by default. When it is
            done, what has been found for some arguments is given, or a diagnosis that says so.
    """
    budget = Budget() if budget is None else budget
    state = between_calls(exercise, found)
    by_order = state is not None and exercise.style == "engine" and state.name == "not repeatable"
    if state is not None and not by_order:
        return state
    seen = list(observations(exercise, found, budget))
    best: list[Diagnosis] = []
    try:
        for diagnosis in _by_parts(exercise, found, seen):
            best.append(diagnosis)  # what was found before the budget was spent stays
    except Exhausted:
        if not best:
            return state or unfinished()
    if best and not (by_order and best[0].name not in GO_BY_ORDER):
        return _merged(best)
    if state is not None:
        return state
    return what_remains(exercise, found, seen)


def unfinished() -> Diagnosis:
    """What is said when the budget was spent before a mistake was recognised: no mistake, but an open end."""
    return named(UNFINISHED, (), "", 0)


def _by_parts(
    exercise: Exercise, found: Sequence[Answered], seen: Sequence[Observation]
) -> Iterator[Diagnosis]:
    """The mistakes of the single parts."""
    for part in sorted({o.part for o in seen}):
        mine = [o for o in seen if o.part == part]
        if any(o.wrong for o in mine):
            diagnosis = _one(exercise, part, mine) or wrong_local(exercise, part, found)
            if diagnosis is not None:
                yield diagnosis


def _one(exercise: Exercise, part: int, seen: list[Observation]) -> Diagnosis | None:
    if exercise.style == "engine":
        return one_part((), seen)
    if exercise.style != "jvp":
        return one_part((exercise.argument_names[part],), seen)
    whole = one_part((), seen)
    count = len(exercise.differentiated)
    if whole is not None or count == 1:
        return whole
    for k, name in enumerate(exercise.argument_names):
        if (of_one := terms(seen, k)) and (diagnosis := one_part((name,), of_one)) is not None:
            if diagnosis.name != "zero returned":
                return diagnosis
            words = messages("term dropped", (name,), "")
            return Diagnosis("path dropped", words, (name,), diagnosis.instances)
    return None


def _merged(found: list[Diagnosis]) -> Diagnosis:
    """One diagnosis of several arguments': the first, for all that have the same."""
    first = found[0]
    alike = [d for d in found if d.name == first.name]
    arguments = tuple(name for d in alike for name in d.arguments)
    if len(alike) == 1:
        return first
    return located(named(first.name, arguments, first.factor, min(d.instances for d in alike)))
