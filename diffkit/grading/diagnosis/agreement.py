"""Whether a hypothesis gives the student's numbers, and on how many instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, close

Array = np.ndarray[Any, Any]

LEAST = 3
"""On how many instances a hypothesis has to reproduce the numbers."""


def reproduced(hypothesis: Hypothesis, first: Observation, seen: Sequence[Observation]) -> int:
    """On how many instances a hypothesis gives the student's numbers, other than the truth; 0 if one speaks
    against it."""
    if not _agrees(hypothesis, first):
        return 0
    count, unexplained = 0, 0
    for o in seen:
        predicted = prediction(hypothesis, o)
        if predicted is None:
            unexplained += o.wrong
            continue
        if not close(o.given, predicted, atol=_slack(o, predicted)):
            return 0
        differs = predicted.shape != o.right.shape or not close(predicted, o.right, 1e-11, o.tolerance)
        count += o.wrong and differs
    return count if unexplained <= count else 0


def _slack(o: Observation, predicted: Array) -> Any:
    return o.tolerance if predicted.shape == o.tolerance.shape else 0.0


def prediction(hypothesis: Hypothesis, o: Observation) -> Array | None:
    """What a hypothesis says; None where the experiment can't be made, as the shapes do not fit."""
    o.budget.spend()
    try:
        with np.errstate(all="ignore"):
            predicted = hypothesis(o)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None
    return None if predicted is None else np.asarray(predicted)


def _agrees(hypothesis: Hypothesis, o: Observation) -> bool:
    predicted = prediction(hypothesis, o)
    return predicted is not None and close(o.given, predicted, atol=_slack(o, predicted))


def nearer(hypothesis: Hypothesis, o: Observation) -> bool:
    """Whether a hypothesis explains most of an error."""
    predicted = prediction(hypothesis, o)
    if predicted is None or predicted.shape != o.given.shape:
        return False
    with np.errstate(all="ignore"):
        error = np.abs(o.given - o.right).max(initial=0.0)
        left = np.abs(o.given - predicted).max(initial=0.0)
    return bool(left <= 0.3 * error)
