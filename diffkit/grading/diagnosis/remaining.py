"""Where the numbers say nothing: exceptions, malformed answers, ties, and what is not linear in g."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffkit.grading.diagnosis.evidence import Observation, close
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.checks import check_forward
from diffkit.grading.judging.comparing import compare
from diffkit.grading.judging.results import FAILED, Diagnosis

__all__ = ["what_remains"]

FORMS = ("not an array", "shape", "wrong count", "float32", "dtype")
"""What can be wrong with an answer's form; the first that is there is named."""


def what_remains(
    exercise: Exercise, found: Sequence[Answered], seen: Sequence[Observation]
) -> Diagnosis | None:
    answers = [answer for each in found for _, answer in each.derivatives()]
    failures = [a.failure for a in answers if a.failure is not None]
    if failures:
        if all(failure.kind == "NotImplementedError" for failure in failures):
            return named("not written yet", (), "", len(failures))
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
    same, other = 0, 0
    for each in found:
        labels = ("g", "twice", "minus", "other", "sum")
        given = {label: each.get(label) for label in labels}
        complete = {label: a.arrays for label, a in given.items() if a is not None and a.complete}
        if len(complete) < len(labels):
            continue
        parts = [dict(zip(labels, arrays, strict=True)) for arrays in zip(*complete.values(), strict=False)]
        if all(close(a["twice"], a["g"]) for a in parts) and any(a["g"].any() for a in parts):
            same += 1
        elif not all(
            close(a["twice"], 2 * a["g"])
            and close(a["minus"], -a["g"])
            and close(a["sum"] - a["other"], a["g"], 1e-6)
            for a in parts
        ):
            other += 1
    if same and not other:
        return named("upstream forgotten", (), "", same)
    return named("not linear", (), "", same + other) if same + other else None
