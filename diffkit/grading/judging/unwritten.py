"""Code that is as the starter file has it: every form in which starters leave a function open.

A course's starter raises, or returns nothing (``pass``), ``...``, None for each part, or zeros of the right
shapes. None of that is a mistake: it is told so in a sentence, and counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.inside.protocol import Failure, StepResult
from diffkit.grading.judging.answered import Answered

_SAYS_SO = re.compile(r"not\s+(yet\s+)?implemented|not\s+written|\btodo\b|your\s+code", re.IGNORECASE)


def unwritten(exercise: Exercise, found: Sequence[Answered]) -> str:
    """What a submission does in place of computing a derivative, in words; "" if it does compute one.

    Args:
        exercise: the exercise.
        found: all that was asked and answered. One answer that is none of a starter's forms decides.
    """
    forms: list[str] = []
    for each in found:
        forward = ""
        for step, result in zip(each.trial.request.steps, each.response.steps, strict=False):
            form = _form(result)
            if step.action == "forward":
                forward = form or _stumbles(result)
            elif not form and not (forward and result.failure is not None):  # which fails for want of values
                return _zeros(exercise, found)
            else:
                forms.append(form or forward)
    return forms[0] if forms else ""


def _form(result: StepResult) -> str:
    """The form of a starter that an answer has, or ""."""
    if result.failure is not None:
        return _raised(result.failure)
    kinds = {given.kind for given in result.values}
    if kinds == {"None"}:
        return "it returns None" + (" for everything" if result.grouped else "")
    return "it returns ..." if kinds == {"ellipsis"} else ""


def _stumbles(result: StepResult) -> str:
    """A forward pass that goes on with what the starter has put in place of its values: ``out = None``."""
    failure = result.failure
    if failure is None or "'NoneType'" not in failure.message:
        return ""
    return f"it goes on with None, {failure.where}" if failure.where else "it goes on with None"


def _raised(failure: Failure) -> str:
    if failure.kind == "NotImplementedError":
        return "it raises NotImplementedError"
    if failure.kind == "RuntimeError" and failure.message.startswith("No active exception"):
        return "it holds a bare raise"
    if _SAYS_SO.search(failure.message):
        return f"it raises {failure.kind}: {failure.message[:80]}"
    return ""


def _zeros(exercise: Exercise, found: Sequence[Answered]) -> str:
    """Zeros for everything, and always, where the derivative is another. An engine may lack its first 1."""
    if exercise.style == "engine":
        return ""
    telling = False
    for each in found:
        for step, answer in each.derivatives():
            if not answer.complete or any(v.any() for v in answer.arrays):
                return ""
            right, tolerance = each.trial.right(step)
            telling = telling or any(
                np.any(np.abs(c) > t) for c, t in zip(right, tolerance, strict=True) if np.size(c)
            )
    return "it returns zeros, whatever it is given" if telling else ""
