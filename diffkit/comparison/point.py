"""What there is to say of a point, in the same words wherever it is met."""

from __future__ import annotations

import numpy as np

from diffkit.comparison.failures import Failed, attempt
from diffkit.comparison.one_function import one_function
from diffkit.comparison.overflow import overflow_sentence
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import truth_at
from diffkit.errors import DomainError

_SECONDS = 5.0
"""The longest that a drawing, say, waits for what there is to say of its point."""

_MOST_INPUTS = 12


def sentences_at(problem: Problem, digits: int = 50) -> list[str]:
    """No derivative, no value, an overflow, or not one function: a sentence each; none for an ordinary point.

    >>> sentences_at(Problem(np.sqrt, (0.0,)))
    ['no derivative at x = 0: the slope is infinite (from the right), and f has no values on the left']
    >>> sentences_at(Problem(np.sin, (0.0,)))
    []
    """
    if np.iscomplexobj(problem.y) or len(problem.x) > _MOST_INPUTS:
        return []
    try:
        truth = attempt(lambda: truth_at(problem, digits, _SECONDS), "the reference", _SECONDS)
    except Failed as reason:
        return [str(reason)] if isinstance(reason.__cause__, DomainError) else []
    differs = "" if truth.value is None else one_function(problem, digits, _SECONDS)
    return [differs] if differs else [*truth.notes, *overflow_sentence(problem, truth)]
