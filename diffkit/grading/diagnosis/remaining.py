"""Where the numbers say nothing: exceptions, malformed answers, ties, and what is not linear in g."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Observation
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.checks import check_forward
from diffkit.grading.judging.laws import LINEAR, breaks
from diffkit.grading.judging.nearness import compare
from diffkit.grading.judging.results import FAILED, Diagnosis

SAME_FOR_TWICE = {"twice": 1.0, "g": -1.0}

FORMS = ("not an array", "shape", "wrong count", "float32", "dtype")
"""What can be wrong with an answer's form; the first that is there is named."""


def what_remains(
    exercise: Exercise, found: Sequence[Answered], seen: Sequence[Observation]
) -> Diagnosis | None:
    answers = [answer for each in found for _, answer in each.derivatives()]
    failures = [a.failure for a in answers if a.failure is not None]
    if failures:
        where = f" ({failures[0].where})" if failures[0].where else ""
        return named("raises", (), f"{failures[0].kind}: {failures[0].message}{where}", len(failures))
    problems = [a.problems[0] for a in answers if a.problems]
    smooth = [o for o in seen if o.wrong]
    if problems and not smooth:
        worst = next(kind for kind in FORMS if any(p.kind == kind for p in problems))
        return named(worst, (), "", len(problems))
    kinked = [e for e in found if e.trial.truths[0].kinked]
    failing = [e for e in kinked if compare(exercise, e, ("g", "other", "row")).status == FAILED]
    if failing and not smooth:
        given = [a for e in failing for _, answer in e.derivatives() for a in answer.values if a is not None]
        if any(not np.isfinite(a).all() for a in given):
            return named("division by zero", exercise.argument_names, "", len(failing))
        return named("ties", exercise.argument_names, "", len(kinked))
    in_g = _not_linear(found)
    if in_g is None and check_forward(exercise, found).status == FAILED:
        return named("wrong value", (), "", len(found))
    return in_g


def _not_linear(found: Sequence[Answered]) -> Diagnosis | None:
    """Answers for g, 2g, -g and a sum that do not belong to a linear function."""
    broken = [e for e in found if any(breaks(e, law) for law in LINEAR.values())]
    if not broken:
        return None
    same = all(breaks(e, SAME_FOR_TWICE) is False and any(a.any() for a in _arrays(e, "g")) for e in broken)
    return named("upstream forgotten" if same else "not linear", (), "", len(broken))


def _arrays(each: Answered, label: str) -> list[np.ndarray[Any, Any]]:
    answer = each.get(label)
    return answer.arrays if answer is not None else []
