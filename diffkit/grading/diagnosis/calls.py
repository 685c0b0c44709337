"""What the calls show by themselves: inputs changed, another answer the second time, a stale cache."""

from __future__ import annotations

from collections.abc import Sequence

from diffkit.grading.diagnosis.evidence import close
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.answers import Answer
from diffkit.grading.judging.laws import breaks
from diffkit.grading.judging.nearness import compare
from diffkit.grading.judging.results import FAILED, Diagnosis

LATER_USES = ("interleaved", "second", "reused", "back")


def between_calls(exercise: Exercise, found: Sequence[Answered]) -> Diagnosis | None:
    """A mistake in what the calls leave behind, whatever the numbers are; None if there is none."""
    changed = [a.changed[0] for each in found for a in _changing(each)]
    if changed:
        place = changed[0]
        what = exercise.arguments[int(place)] if place.isdigit() else place
        return named("changed in place", (), what, sum(bool(_changing(each)) for each in found))
    differing = [pair for pair in map(_differing, found) if pair is not None]
    if differing:
        doubled = all(_doubled(first, again) for first, again in differing)
        return named("accumulates between calls" if doubled else "not repeatable", (), "", len(differing))
    stale = sum(_stale(exercise, each) for each in found)
    if stale and all(_first_use_right(exercise, each, "g", "other", "row") for each in found):
        return named("stale cache", (), "", stale)
    return None


def _changing(each: Answered) -> list[Answer]:
    return [answer for _, answer in each.answers if answer.changed]


def _differing(each: Answered) -> tuple[Answer, Answer] | None:
    """The first answer and another to the same question that differs from it: asked again, or afresh."""
    first = each.get("g")
    for label in ("again", "fresh"):
        other = each.get(label)
        if first is not None and other is not None and breaks(each, {label: 1.0, "g": -1.0}):
            return first, other
    return None


def _doubled(first: Answer, other: Answer) -> bool:
    """Whether every part that differs is twice what it was."""
    pairs = [(a, b) for a, b in zip(first.arrays, other.arrays, strict=False) if not close(b, a)]
    return bool(pairs) and all(close(b, 2 * a) for a, b in pairs)


def _stale(exercise: Exercise, each: Answered) -> bool:
    """Whether the first use is right and a later one, of the same object or of another, is not."""
    return (
        _first_use_right(exercise, each, "g")
        and any(each.get(label) for label in LATER_USES)
        and compare(exercise, each, LATER_USES).status == FAILED
    )


def _first_use_right(exercise: Exercise, each: Answered, *labels: str) -> bool:
    return compare(exercise, each, labels).status != FAILED
