"""What kind of mistake it is: found by experiment, named only if it reproduces the student's numbers.

First what the calls show by themselves (inputs changed, another answer the second time), then the
hypotheses of :mod:`experiments`, :mod:`paths`, :mod:`words`, :mod:`numerics` and :mod:`search`, simplest
first. A hypothesis is named if it reproduces what was given on every instance that it says anything
about, and on three at least on which it differs from the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from diffkit.grading.answered import Answered
from diffkit.grading.comparing import compare
from diffkit.grading.diagnosis.evidence import Family, Hypothesis, Observation, close, observations
from diffkit.grading.diagnosis.experiments import EXPERIMENTS, LATER
from diffkit.grading.diagnosis.messages import messages
from diffkit.grading.diagnosis.numerics import error_size, looks_single, quotients
from diffkit.grading.diagnosis.paths import paths
from diffkit.grading.diagnosis.search import constant_ratio, epsilons, factors, fitted_factors
from diffkit.grading.diagnosis.words import products
from diffkit.grading.exercises import Exercise, defaults
from diffkit.grading.results import FAILED, Diagnosis

__all__ = ["LEAST", "diagnose"]

Array = np.ndarray[Any, Any]

LEAST = 3
"""On how many instances a hypothesis has to reproduce the numbers."""

NEARLY = 1e-2
"""Errors smaller than this, relative to the largest entry, are looked at as errors of the numbers."""


def diagnose(exercise: Exercise, found: Sequence[Answered]) -> Diagnosis | None:
    """The mistake that reproduces a submission's answers; None if none does.

    Args:
        exercise: the exercise.
        found: what was asked and answered.
    """
    state = _state(exercise, found)
    if state is not None:
        return state
    seen = list(observations(exercise, found))
    best: list[Diagnosis] = []
    for part in sorted({o.part for o in seen}):
        mine = [o for o in seen if o.part == part]
        if any(o.wrong for o in mine):
            diagnosis = _part(exercise, part, mine) or _wrong_local(exercise, part, found)
            if diagnosis is not None:
                best.append(diagnosis)
    if best:
        return _merged(best)
    return _what_remains(exercise, found, seen)


def _merged(found: list[Diagnosis]) -> Diagnosis:
    """One diagnosis of several arguments': the first, for all that have the same."""
    first = found[0]
    alike = [d for d in found if d.name == first.name]
    arguments = tuple(name for d in alike for name in d.arguments)
    if len(alike) == 1:
        return first
    return _named(first.name, arguments, first.factor, min(d.instances for d in alike))


def _named(name: str, arguments: tuple[str, ...], detail: str, instances: int) -> Diagnosis:
    return Diagnosis(name, messages(name, arguments, detail), arguments, instances, detail)


# -- what the calls show ----------------------------------------------------------------------------------


def _state(exercise: Exercise, found: Sequence[Answered]) -> Diagnosis | None:
    changed = [(each, a) for each in found for _, a in each.answers if a.changed]
    if changed:
        name = changed[0][1].changed[0]
        named = exercise.arguments[int(name)] if name.isdigit() else name
        return _named("changed in place", (), named, len({id(each) for each, _ in changed}))
    doubled, differing, stale = 0, 0, 0
    for each in found:
        first, again = each.get("g"), each.get("again")
        if first is None or again is None or not first.complete or not again.complete:
            continue
        pairs = list(zip(first.arrays, again.arrays, strict=False))
        if any(a.shape != b.shape or a.tobytes() != b.tobytes() for a, b in pairs):
            differing += 1
            doubled += all(close(b, 2 * a) for a, b in pairs)
            continue
        fresh = each.get("fresh")
        right = compare(exercise, each, ("g",)).status != FAILED
        later = [each.get(label) for label in ("interleaved", "second", "reused", "back")]
        if (
            fresh is not None
            and fresh.complete
            and any(
                a.shape == b.shape and a.tobytes() != b.tobytes()
                for a, b in zip(first.arrays, fresh.arrays, strict=False)
            )
        ):
            doubled += all(
                close(b, k * a) for k in (2,) for a, b in zip(first.arrays, fresh.arrays, strict=False)
            )
            differing += 1
            continue
        outcome = compare(exercise, each, ("interleaved", "second", "reused", "back"))
        if right and any(later) and outcome.status == FAILED:
            stale += 1
    if differing:
        name = "accumulates between calls" if doubled == differing else "not repeatable"
        return _named(name, (), "", differing)
    if stale and all(compare(exercise, each, ("g", "other", "row")).status != FAILED for each in found):
        return _named("stale cache", (), "", stale)
    return None


# -- one part's numbers -----------------------------------------------------------------------------------


def _part(exercise: Exercise, part: int, seen: list[Observation]) -> Diagnosis | None:
    names = () if exercise.style == "jvp" else (exercise.argument_names[part],)
    wrong = [o for o in seen if o.wrong]
    unbounded = _not_finite(wrong, names)
    if unbounded is not None:
        return unbounded
    if all(any("dtype float32" in problem for problem in o.answer.problems) for o in seen):
        return _named("float32", names, "", len(wrong))
    if any(np.isfinite(o.given).all() for o in wrong):
        seen = [o for o in seen if not o.wrong or np.isfinite(o.given).all()]
        wrong = [o for o in seen if o.wrong]
    firsts = _representatives(wrong)
    if all(error_size(o) < NEARLY for o in wrong):
        nearly = _nearly(firsts, seen, wrong, names)
        if nearly is not None:
            return nearly
    for family in (*EXPERIMENTS, _known(exercise), products, *LATER, paths, epsilons, quotients):
        for first in firsts:
            for name, detail, hypothesis in family(first):
                count = _reproduced(hypothesis, first, seen)
                if count >= LEAST:
                    return _named(name, names, detail, count)
    return _by_search(firsts, seen, wrong, names)


def _representatives(wrong: list[Observation]) -> list[Observation]:
    """One wrong observation of each case: the ordinary ones first, no empty ones."""
    found: dict[str, Observation] = {}
    for o in sorted(wrong, key=lambda o: o.given.size < 2):
        if o.given.size and o.case not in found:
            found[o.case] = o
    return list(found.values())[:6]


def _known(exercise: Exercise) -> Family:
    """The misconceptions that the exercise comes with."""

    def family(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
        for known in exercise.misconceptions:

            def predict(o: Observation, rule: Any = known.rule) -> Array | None:
                try:
                    with np.errstate(all="ignore"):
                        given = rule(o.g, o.ans, *o.args, **o.truth.kwargs)
                except Exception:
                    return None
                parts = given if isinstance(given, tuple | list) else (given,)
                return np.asarray(parts[o.part])

            yield known.name, known.message, predict

    return family


def _reproduced(hypothesis: Hypothesis, first: Observation, seen: Sequence[Observation]) -> int:
    """On how many instances a hypothesis gives the student's numbers, other than the truth; 0 if one speaks
    against it."""
    if not _agrees(hypothesis, first):
        return 0
    count, unexplained = 0, 0
    for o in seen:
        predicted = _prediction(hypothesis, o)
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


def _prediction(hypothesis: Hypothesis, o: Observation) -> Array | None:
    """What a hypothesis says; None where the experiment can't be made, as the shapes do not fit."""
    try:
        with np.errstate(all="ignore"):
            predicted = hypothesis(o)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None
    return None if predicted is None else np.asarray(predicted)


def _agrees(hypothesis: Hypothesis, o: Observation) -> bool:
    predicted = _prediction(hypothesis, o)
    return predicted is not None and close(o.given, predicted, atol=_slack(o, predicted))


def _not_finite(wrong: Sequence[Observation], names: tuple[str, ...]) -> Diagnosis | None:
    """Wrong only where it is not finite: overflow, or a division by zero."""
    if not wrong or any(np.isfinite(o.given).all() for o in wrong):
        return None
    with_zero = sum(any(np.any(np.asarray(a) == 0) for a in (*o.args, o.ans)) for o in wrong)
    large = sum(any(np.any(np.abs(np.asarray(a, dtype=float)) > 80) for a in o.args) for o in wrong)
    if large >= min(LEAST, len(wrong)):
        return _named("overflow", names, "", len(wrong))
    if with_zero >= min(LEAST, len(wrong)):
        return _named("division by zero", names, "", len(wrong))
    return _named("not finite", names, "", len(wrong)) if len(wrong) >= LEAST else None


def _nearly(
    firsts: Sequence[Observation],
    seen: Sequence[Observation],
    wrong: Sequence[Observation],
    names: tuple[str, ...],
) -> Diagnosis | None:
    """Numbers that are right but for their last digits."""
    if len(wrong) >= LEAST and all(looks_single(o) for o in wrong):
        rounded = [np.all(o.given.astype(np.float32) == o.given) for o in wrong]
        if all(rounded):
            return _named("float32", names, "", len(wrong))
    for family in (quotients, epsilons):
        for first in firsts:
            for name, detail, hypothesis in family(first):
                count = sum(_nearer(hypothesis, o) for o in wrong)
                if count >= LEAST and count >= 0.8 * len(wrong):
                    return _named(name, names, detail, count)
    if len(wrong) >= LEAST and all(looks_single(o) for o in wrong):
        return _named("float32", names, "", len(wrong))
    return None


def _nearer(hypothesis: Hypothesis, o: Observation) -> bool:
    """Whether a hypothesis explains most of an error."""
    predicted = _prediction(hypothesis, o)
    if predicted is None or predicted.shape != o.given.shape:
        return False
    with np.errstate(all="ignore"):
        error = np.abs(o.given - o.right).max(initial=0.0)
        left = np.abs(o.given - predicted).max(initial=0.0)
    return bool(left <= 0.3 * error)


def _by_search(
    firsts: Sequence[Observation],
    seen: Sequence[Observation],
    wrong: Sequence[Observation],
    names: tuple[str, ...],
) -> Diagnosis | None:
    ratios = {constant_ratio(o) for o in wrong if np.any(o.right)}
    numbers = [r for r in ratios if r is not None]
    one = None not in ratios and bool(numbers) and max(numbers) - min(numbers) <= 1e-9 * abs(numbers[0])
    if one and len(wrong) >= LEAST:
        return _named("constant factor", names, f"{numbers[0]:.6g} times", len(wrong))
    for family in (factors, fitted_factors):
        for first in firsts[:3]:
            for name, detail, hypothesis in family(first):
                count = _reproduced(hypothesis, first, seen)
                if count >= LEAST:
                    return _named(name, names, detail, count)
    if None not in ratios and len(numbers) >= LEAST:
        return _named("size factor", names, "times a number that changes with the shapes", len(numbers))
    return _by_where_it_fails(seen, wrong, names)


def _by_where_it_fails(
    seen: Sequence[Observation], wrong: Sequence[Observation], names: tuple[str, ...]
) -> Diagnosis | None:
    """No numbers reproduced, but the shapes, or the set of the cases that fail, say something."""
    if len(wrong) < LEAST:
        return None
    if all(o.given.size == o.ans.size * o.x.size > o.right.size for o in wrong):
        return _named("Jacobian returned", names, "", len(wrong))
    if _shapes_swapped(wrong):
        return _named("outputs swapped", names, "as their shapes tell", len(wrong))
    failing, fine = {o.case for o in wrong}, {o.case for o in seen} - {o.case for o in wrong}
    for key in wrong[0].exercise.keywords:
        usual = defaults(wrong[0].exercise.function).get(key)
        unusual = {o.case for o in seen if o.truth.kwargs.get(key, usual) != usual}
        if fine and failing and failing <= unusual and not fine & unusual:
            name = "wrong axis or keepdims" if key in ("axis", "axes", "keepdims") else "keyword ignored"
            return _named(name, names, f"it fails exactly where {key} is not the default", len(wrong))
    if all(o.given.shape != o.right.shape for o in wrong):
        return _named("wrong shape", names, "", len(wrong))
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


def _wrong_local(exercise: Exercise, part: int, found: Sequence[Answered]) -> Diagnosis | None:
    """An elementwise rule: g times something, entry by entry, which is not the local derivative."""
    if exercise.style == "jvp":
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
        if len(pairs) < 2:
            continue
        (g, given, right, tolerance), (h, other, other_right, _) = pairs["g"], pairs["other"]
        if not given.shape == right.shape == g.shape or not np.isfinite([*given.flat, *other.flat]).all():
            continue
        if not close(right * h, other_right * g, 1e-6):
            return None  # the function is not elementwise
        if not close(given * h, other * g):
            return None
        off = np.flatnonzero((np.abs(given - right) > np.broadcast_to(tolerance, right.shape)) & (g != 0))
        if off.size:
            k = int(off[0])
            count += 1
            shown = shown or _local_shown(exercise, each, k, float(given.flat[k] / g.flat[k]))
    names = (exercise.argument_names[part],)
    return _named("wrong local derivative", names, shown, count) if count >= LEAST else None


def _local_shown(exercise: Exercise, each: Answered, k: int, value: float) -> str:
    """``0.25 where x = 0.5 and y = 2``: the student's own number."""
    shape = np.shape(each.instance.ans)
    at = [
        f"{name} = {np.broadcast_to(np.asarray(a, dtype=float), shape).flat[k]:.4g}"
        for name, a in zip(exercise.arguments, each.instance.args, strict=True)
    ]
    return f"{value:.4g} where {' and '.join(at)}"


# -- where the numbers say nothing ------------------------------------------------------------------------


def _what_remains(
    exercise: Exercise, found: Sequence[Answered], seen: Sequence[Observation]
) -> Diagnosis | None:
    answers = [answer for each in found for _, answer in each.derivatives()]
    failures = [a.failure for a in answers if a.failure is not None]
    if failures:
        where = f" ({failures[0].where})" if failures[0].where else ""
        return _named("raises", (), f"{failures[0].kind}: {failures[0].message}{where}", len(failures))
    problems = [a.problems[0] for a in answers if a.problems]
    smooth = [o for o in seen if o.wrong]
    if problems and not smooth:
        kind = "wrong count" if "returned, where" in problems[0] and "belong" in problems[0] else "dtype"
        if any("where an array belongs" in p for p in problems):
            kind = "not an array"
        elif any("shape" in p for p in problems):
            kind = "shape"
        return _named(kind, (), "", len(problems))
    kinked = [e for e in found if e.trial.truths[0].kinked]
    failing = [e for e in kinked if compare(exercise, e, ("g", "other", "row")).status == FAILED]
    if failing and not smooth:
        given = [a for e in failing for _, answer in e.derivatives() for a in answer.values if a is not None]
        if any(not np.isfinite(a).all() for a in given):
            return _named("division by zero", exercise.argument_names, "", len(failing))
        return _named("ties", exercise.argument_names, "", len(kinked))
    return _not_linear(found)


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
        return _named("upstream forgotten", (), "", same)
    return _named("not linear", (), "", same + other) if same + other else None
