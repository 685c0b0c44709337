"""An elementwise rule whose local derivative is wrong, though no known formula gives it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.agreement import LEAST
from diffkit.grading.diagnosis.evidence import close
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.results import Diagnosis
from diffkit.grading.judging.trials import Trial

Array = np.ndarray[Any, Any]


def wrong_local(exercise: Exercise, part: int, found: Sequence[Answered]) -> Diagnosis | None:
    """An elementwise rule: g times something, entry by entry, which is not the local derivative."""
    if exercise.style in ("jvp", "engine"):
        return None
    count, shown = 0, ""
    for each in found:
        if each.trial.truths[0].kinked:
            continue
        pairs: dict[str, tuple[Array, Array, Array, Array]] = {}
        for step, answer in each.derivatives():
            if step.label in ("g", "other") and answer.complete and len(answer.arrays) > part:
                rights, tolerances = each.trial.right(step)
                seed, right, tolerance = each.trial.seeds[step.seed][0], rights[part], tolerances[part]
                pairs[step.label] = (seed, answer.arrays[part], np.asarray(right), np.asarray(tolerance))
        if "g" not in pairs:
            continue
        g, given, right, tolerance = pairs["g"]
        if given.shape != right.shape or not np.isfinite(given).all():
            continue
        of_a_mean = not g.shape and right.size > 1
        if g.shape != right.shape and not (of_a_mean and _separable(exercise, each.trial, part)):
            continue
        if (
            STYLES[exercise.style].seed != "ones"
        ):  # which are asked for of functions that are elementwise, without g
            if "other" not in pairs:
                continue
            h, other, other_right, _ = pairs["other"]
            if not np.isfinite(other).all():
                continue
            if not close(right * h, other_right * g, 1e-6):
                return None  # the function is not elementwise
            if not close(given * h, other * g):
                return None
        g = np.broadcast_to(g, right.shape)
        off = np.flatnonzero((np.abs(given - right) > np.broadcast_to(tolerance, right.shape)) & (g != 0))
        if off.size:
            k = int(off[0])
            count += 1
            shown = shown or _local_shown(exercise, each, k, float(given.flat[k] / g.flat[k]))
    names = (exercise.argument_names[part],)
    return named("wrong local derivative", names, shown, count) if count >= LEAST else None


def _separable(exercise: Exercise, trial: Trial, part: int) -> bool:
    """Whether the answer is a sum of terms of one entry each, as losses are.

    Then the derivative by one entry does not move with another.
    """
    truth, place = trial.truths[0], exercise.differentiated[part]
    moved = np.array(truth.args[place], dtype=float)
    moved.flat[-1] += 0.25
    args = [moved if k == place else a for k, a in enumerate(truth.args)]
    seed = (np.ones(()),)
    try:
        before, after = (truth.at(a, None)(seed)[part] for a in (truth.args, args))
    except Exception:  # the function is not defined there: nothing is known
        return False
    return close(np.ravel(after)[:-1], np.ravel(before)[:-1])


def _local_shown(exercise: Exercise, each: Answered, k: int, value: float) -> str:
    """``0.25 where x = 0.5 and y = 2``: the student's own number."""
    shape = np.shape(each.instance.ans) or np.shape(each.instance.args[0])
    at = []
    for name, a in zip(exercise.arguments, each.instance.args, strict=True):
        with contextlib.suppress(ValueError, TypeError):  # a dict, a text, or of another shape
            at.append(f"{name} = {np.broadcast_to(np.asarray(a, dtype=float), shape).flat[k]:.4g}")
    return f"{value:.4g} where {' and '.join(at)}"
