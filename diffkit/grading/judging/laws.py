"""Equalities between answers, each to the rounding that it may be off by.

A derivative is linear in the cotangent, and the same question has the same answer. Both are sums of answers
that come to nothing: ``twice - 2 g = 0``, ``again - g = 0``. Two right programs, or one that adds in another
order the second time (an engine that keeps parents in a set goes by the addresses of objects), differ by
rounding. So nothing is asked for to the last bit: each answer may be off by as much as it may be off the
truth, and by some rounding errors of its own size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diffkit.grading.judging.answered import Answered

Array = np.ndarray[Any, Any]

Law = Mapping[str, float]
"""Multiples of answers that add up to nothing, by the labels of the steps that asked for them."""

LINEAR: Mapping[str, Law] = {
    "for {g} = 0 the answer is not 0": {"zero": 1.0},
    "for -{g} the answer is not minus that for {g}": {"minus": 1.0, "g": 1.0},
    "for 2{g} the answer is not twice that for {g}": {"twice": 1.0, "g": -2.0},
    "the answer for a sum of two {g} is not the sum of the answers": {"sum": 1.0, "g": -1.0, "other": -1.0},
}
"""What a linear function of {g} fulfils, by what is said where it is not."""

REPEATS: Mapping[str, Law] = {
    "the second call with the same input": {"again": 1.0, "g": -1.0},
    "a fresh instance": {"fresh": 1.0, "g": -1.0},
    "a call between two others": {"interleaved": 1.0, "g": -1.0},
}
"""What a function without a memory fulfils, by what gives another answer where it is not."""

LINEAR_STEPS = frozenset({"g"}.union(*LINEAR.values()))

ERRORS = 16
"""So many of the rounding errors of a right program are allowed, relative to the largest entry."""


def breaks(each: Answered, law: Law) -> bool | None:
    """Whether an instance's answers break a law; None if not all that it speaks of are there.

    Args:
        each: the instance, with what was answered.
        law: one of :data:`LINEAR` or :data:`REPEATS`.
    """
    asked = {step.label: (step, answer) for step, answer in each.answers if step.label in {*law, "g"}}
    if set(asked) != {*law, "g"} or not all(answer.complete for _, answer in asked.values()):
        return None
    arrays = {label: answer.arrays for label, (_, answer) in asked.items()}
    rounding = ERRORS * each.trial.truths[0].rounding
    for k in range(len(arrays["g"])):
        parts = {label: values[k] for label, values in arrays.items()}
        if len({part.shape for part in parts.values()}) > 1:
            return True
        with np.errstate(all="ignore"):
            total = sum(law.get(label, 0.0) * part for label, part in parts.items())
        if not np.count_nonzero(total):  # to the last bit, as nearly always; and no nan, so all are finite
            continue
        finite = np.logical_and.reduce([np.isfinite(part) for part in parts.values()])
        if sum(law.values()) == 0 and not np.array_equal(finite, np.isfinite(parts["g"])):
            return True
        allowed = np.zeros(finite.shape)
        with np.errstate(all="ignore"):
            size = max(np.abs(part[finite]).max(initial=0.0) for part in parts.values())
            for label, part in parts.items():
                tolerance = each.trial.right(asked[label][0])[1][k]
                weight = max(1.0, abs(law.get(label, 0.0)))
                allowed = allowed + weight * (_fitted(tolerance, part) + rounding * size)
        if np.any(np.abs(total)[finite] > allowed[finite]):
            return True
    return False


def _fitted(tolerance: Any, part: Array) -> Any:
    """The tolerance of each entry; the largest one for an answer of another shape than the right one."""
    tolerance = np.asarray(tolerance)
    if tolerance.shape == part.shape:
        return tolerance
    known = tolerance[np.isfinite(tolerance)]
    return known.max(initial=0.0)
