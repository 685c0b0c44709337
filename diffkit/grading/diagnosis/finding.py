"""The search for one mistake that accounts for a whole submission.

First what the calls show by themselves, then part by part (the cotangent of x, that of y) the
hypotheses, and in the end what can be said where the numbers say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from diffkit.grading.answered import Answered
from diffkit.grading.diagnosis.calls import between_calls
from diffkit.grading.diagnosis.evidence import observations
from diffkit.grading.diagnosis.local import wrong_local
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.diagnosis.parts import one_part
from diffkit.grading.diagnosis.remaining import what_remains
from diffkit.grading.exercises import Exercise
from diffkit.grading.results import Diagnosis

__all__ = ["diagnose"]


def diagnose(exercise: Exercise, found: Sequence[Answered]) -> Diagnosis | None:
    """The mistake that reproduces a submission's answers; None if none does.

    Args:
        exercise: the exercise.
        found: what was asked and answered.
    """
    state = between_calls(exercise, found)
    if state is not None:
        return state
    seen = list(observations(exercise, found))
    best: list[Diagnosis] = []
    for part in sorted({o.part for o in seen}):
        mine = [o for o in seen if o.part == part]
        if any(o.wrong for o in mine):
            diagnosis = one_part(exercise, part, mine) or wrong_local(exercise, part, found)
            if diagnosis is not None:
                best.append(diagnosis)
    if best:
        return _merged(best)
    return what_remains(exercise, found, seen)


def _merged(found: list[Diagnosis]) -> Diagnosis:
    """One diagnosis of several arguments': the first, for all that have the same."""
    first = found[0]
    alike = [d for d in found if d.name == first.name]
    arguments = tuple(name for d in alike for name in d.arguments)
    if len(alike) == 1:
        return first
    return named(first.name, arguments, first.factor, min(d.instances for d in alike))
