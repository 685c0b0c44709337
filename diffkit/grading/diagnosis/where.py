"""Where no hypothesis gives the numbers: what the shapes say, and the set of the cases that fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffkit.grading.diagnosis.agreement import LEAST
from diffkit.grading.diagnosis.evidence import Observation
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.exercises.exercise import defaults, same_value
from diffkit.grading.judging.results import Diagnosis


def by_where_it_fails(
    seen: Sequence[Observation], wrong: Sequence[Observation], names: tuple[str, ...]
) -> Diagnosis | None:
    """No numbers reproduced, but the shapes, or the set of the cases that fail, say something."""
    if len(wrong) < LEAST:
        return None
    if all(o.given.size == o.ans.size * o.x.size > o.right.size for o in wrong):
        return named("Jacobian returned", names, "", len(wrong))
    if _shapes_swapped(wrong):
        return named("outputs swapped", names, "as their shapes tell", len(wrong))
    failing, fine = {o.case for o in wrong}, {o.case for o in seen} - {o.case for o in wrong}
    for key in wrong[0].exercise.keywords:
        usual = defaults(wrong[0].exercise.function).get(key)
        unusual = {o.case for o in seen if not same_value(o.truth.kwargs.get(key, usual), usual)}
        if fine and failing and failing <= unusual and not fine & unusual:
            name = "wrong axis or keepdims" if key in ("axis", "axes", "keepdims") else "keyword ignored"
            return named(name, names, f"it fails exactly where {key} is not the default", len(wrong))
    if all(o.given.shape != o.right.shape for o in wrong):
        return named("wrong shape", names, "", len(wrong))
    return None


def _shapes_swapped(wrong: Sequence[Observation]) -> bool:
    """Whether what is given for one argument has the shape of another, where theirs differ."""
    first = wrong[0]
    if first.exercise.style == "jvp":
        return False
    for place in first.exercise.differentiated:
        unlike = [o for o in wrong if np.shape(o.args[place]) != o.x.shape]
        if len(unlike) >= LEAST and all(o.given.shape == np.shape(o.args[place]) for o in unlike):
            return True
    return False
