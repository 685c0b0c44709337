"""Grading code that one trusts, in this process: one's own, a team's reference, the tests' collection.

Students' submissions are run by workers instead; what is asked, answered and checked is the same.

>>> import types
>>> from diffkit.grading import catalogue
>>> mine = types.SimpleNamespace(multiply_vjp=lambda g, ans, x, y: (g * y, g * x))
>>> verdict = grade_in_process(catalogue.exercise("multiply"), mine, seed=1)
>>> verdict.passed, verdict.diagnosis.name
(False, 'broadcast not summed')
"""

from __future__ import annotations

import secrets
from typing import Any

from diffkit.grading.exercises.exercise import DRAWS, Exercise
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.own_forward import own_trials, wants_own
from diffkit.grading.judging.results import Verdict
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade


def grade_in_process(
    exercise: Exercise,
    submission: Any,
    seed: int | None = None,
    *,
    draws: int = DRAWS,
    visible_only: bool = False,
    diagnose: bool = True,
) -> Verdict:
    """Runs a loaded submission (a module, or anything with the right attributes) and grades it.

    Args:
        exercise: the exercise.
        submission: what defines the names that the exercise asks for.
        seed: what the instances are drawn from; a fresh one if None. It is in the verdict.
        draws: how many instances of each case.
        visible_only: leave out the hidden cases.
        diagnose: whether to look for the kind of mistake.

    Returns:
        The :class:`~diffkit.grading.judging.results.Verdict`.

    Raises:
        InputError, NoRuleError, TraceError: if there is no truth to compare with.

    >>> import types
    >>> from diffkit.grading import catalogue
    >>> mine = types.SimpleNamespace(square_vjp=lambda g, ans, x: 2 * g * x)
    >>> grade_in_process(catalogue.exercise("square"), mine, seed=1).score
    1.0
    """
    if seed is None:
        seed = secrets.randbelow(2**32)
    trials = prepare(exercise, seed, draws=draws, visible_only=visible_only)
    responses = [perform(submission, trial.request, Exception) for trial in trials]
    verdict = grade(exercise, trials, responses, seed=seed, diagnose=diagnose)
    if not wants_own(exercise, verdict.checks):
        return verdict
    own = [(o, perform(submission, o.request, Exception)) for o in own_trials(exercise, trials)]
    return grade(exercise, trials, responses, seed=seed, diagnose=diagnose, own=own)
