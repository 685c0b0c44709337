"""A submission's numbers against the right ones: near enough for what is known, or valid at a kink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.protocol import Step
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.answers import Answer
from diffkit.grading.judging.hull import distance_to_hull
from diffkit.grading.judging.results import FAILED, INCONCLUSIVE, NOT_RUN, PASSED, SideBySide, short
from diffkit.grading.judging.truth import Truth

Array = np.ndarray[Any, Any]

KNOWN = 1e-4
"""Where the truth is not known to this, relative to its largest entry, a comparison says nothing."""


def differences(answer: Answer, right: Sequence[Array], tolerance: Sequence[Array]) -> list[Array]:
    """For each part, which entries are wrong. Entries where the truth is not finite say nothing."""
    wrong = []
    for given, c, tol in zip(answer.arrays, right, tolerance, strict=True):
        if given.shape != np.shape(c):
            wrong.append(np.ones(np.shape(c), dtype=bool) if np.size(c) else np.ones((1,), dtype=bool))
            continue
        with np.errstate(all="ignore"):
            close = np.abs(given - c) <= tol
        wrong.append(~(close | ~np.isfinite(c)))
    return wrong


def known(right: Sequence[Array], tolerance: Sequence[Array], natural: Sequence[float]) -> bool:
    """Whether the truth is known well enough for a comparison to mean anything."""
    for c, tol, size in zip(right, tolerance, natural, strict=True):
        finite = np.isfinite(c)
        if finite.any() and tol[finite].max() > KNOWN * max(np.abs(c[finite]).max(), size):
            return False
    return True


def valid_at_kink(truth: Truth, seeds: Any, answer: Answer) -> bool | None:
    """Whether an answer is in the convex hull of the derivatives around; None if those are not known."""
    pieces = truth.pieces(seeds)
    if not pieces or any(v.shape != p.shape for v, p in zip(answer.arrays, pieces[0], strict=True)):
        return None if not pieces else False
    given = np.concatenate([v.ravel() for v in answer.arrays]).astype(float)
    if not np.isfinite(given).all():
        return False
    corners = np.array([np.concatenate([p.ravel() for p in piece]) for piece in pieces])
    scale = float(np.abs(corners).max(initial=0.0)) or 1.0
    return distance_to_hull(given / scale, corners / scale) <= truth.at_kink


@dataclass(frozen=True)
class Outcome:
    """How one instance's numbers compare: "passed", "failed", "inconclusive", with the step that shows it."""

    status: str
    step: Step | None = None
    answer: Answer | None = None


def compare(exercise: Exercise, each: Answered, labels: Sequence[str]) -> Outcome:
    """Compares the answers to the steps of these labels with the truth."""
    outcome = Outcome(NOT_RUN)
    for step, answer in each.derivatives():
        if step.label not in labels and not ("row" in labels and step.label.startswith("row")):
            continue
        status = _status(exercise, each, step, answer)
        if status == FAILED:
            return Outcome(FAILED, step, answer)
        if outcome.status in (NOT_RUN, PASSED):
            outcome = Outcome(status, step, answer)
    return outcome


def _status(exercise: Exercise, each: Answered, step: Step, answer: Answer) -> str:
    truth = each.trial.truths[step.point]
    if not answer.complete:
        return FAILED
    if truth.kinked:
        if each.get("row 0") is not None and not step.label.startswith("row") and step.point == 0:
            return PASSED if _adds_up(each, step, answer) else FAILED
        valid = valid_at_kink(truth, each.trial.seeds[step.seed], answer)
        return INCONCLUSIVE if valid is None else PASSED if valid else FAILED
    right, tolerance = each.trial.right(step)
    if any(w.any() for w in differences(answer, right, tolerance)):
        return FAILED
    enough, key = each.trial.known, (step.point, step.seed)
    if key not in enough:
        seeds = each.trial.seeds[step.seed]
        largest = max((float(np.abs(s).max(initial=0.0)) for s in seeds), default=0.0)
        natural = [size or largest for size in truth.natural_sizes(seeds)]
        enough[key] = known(right, tolerance, natural)
    return PASSED if enough[key] else INCONCLUSIVE


def _adds_up(each: Answered, step: Step, answer: Answer) -> bool:
    """Whether an answer is the sum of the rows that were asked for one by one."""
    g = each.trial.seeds[step.seed][0].ravel()
    rows = [each.get(f"row {k}") for k in range(g.size)]
    if any(row is None or not row.complete for row in rows):
        return False
    for k, given in enumerate(answer.arrays):
        parts = [row.arrays[k] * g[j] for j, row in enumerate(rows) if row is not None]
        if any(p.shape != given.shape for p in parts):
            return False
        scale = sum(np.abs(p) for p in parts)
        if np.any(np.abs(sum(parts) - given) > 16 * each.trial.truths[0].rounding * scale):
            return False
    return True


def comparison(exercise: Exercise, each: Answered, step: Step, answer: Answer) -> SideBySide:
    """Expected and given side by side, for feedback."""
    truth = each.trial.truths[step.point]
    right, tolerance = each.trial.right(step)
    seeds = each.trial.seeds[step.seed]
    names = [f"d{name}" for name in exercise.argument_names] if exercise.style != "jvp" else ["tangent"]
    if exercise.style == "partials":
        names = [f"partial by {name}" for name in exercise.argument_names]
    inputs = [(name, short(a)) for name, a in zip(exercise.arguments, truth.args, strict=True)]
    inputs += [(key, repr(value)) for key, value in truth.kwargs.items()]
    if STYLES[exercise.style].seed == "any":
        tangents = [f"t{k}" for k in range(len(seeds))] if len(seeds) > 1 else ["t"]
        letters = tangents if exercise.style == "jvp" else ["g"]
        inputs += [(letter, short(s)) for letter, s in zip(letters, seeds, strict=True)]
    given = [*answer.values, *[None] * len(right)][: len(right)]
    entries: list[tuple[str, float, float | None, bool]] = []
    for name, c, tol, value in zip(names, right, tolerance, given, strict=True):
        fits = value is not None and value.shape == np.shape(c)
        for index in np.ndindex(np.shape(c)):
            label = f"{name}[{', '.join(map(str, index))}]" if index else name
            entry = float(np.real(value[index])) if fits and value is not None else None
            wrong = entry is None or not abs(entry - c[index]) <= tol[index]
            expected = 0.0 if abs(c[index]) <= tol[index] else float(c[index])
            entries.append((label, expected, entry, bool(wrong)))
    return SideBySide(each.instance.title, tuple(inputs), tuple(entries))
