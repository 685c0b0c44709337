"""The checks: pure functions of what was asked, what is right, and what the submission gave.

:func:`grade` makes them all. Each looks at the same answers from its own side, and is reported by
itself, so that a student sees that the numbers are right though the shape is not, or that only the
second use fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.grading.answers import Answer, read_answer
from diffkit.grading.exercises import Exercise, Instance
from diffkit.grading.protocol import Response, Step
from diffkit.grading.results import (
    FAILED,
    INCONCLUSIVE,
    NOT_RUN,
    PASSED,
    CheckResult,
    Comparison,
    Verdict,
    short,
)
from diffkit.grading.styles import STYLES
from diffkit.grading.trials import Trial
from diffkit.grading.truth import ROUNDING, Truth, distance_to_hull

__all__ = ["Answered", "answered", "grade", "score"]

Array = np.ndarray[Any, Any]

KNOWN = 1e-4
"""Where the truth is not known to this, relative to its largest entry, a comparison says nothing."""

REPEATS = {
    "again": "the second call with the same input",
    "fresh": "a fresh instance",
    "interleaved": "a call between two others",
}


@dataclass
class Answered:
    """A trial with what the submission gave for each of its steps."""

    trial: Trial
    answers: list[tuple[Step, Answer]]
    response: Response

    @property
    def instance(self) -> Instance:
        """The trial's instance."""
        return self.trial.instance

    def get(self, label: str) -> Answer | None:
        """The answer to a step by its label, if that was asked."""
        return next((answer for step, answer in self.answers if step.label == label), None)

    def derivatives(self) -> Iterator[tuple[Step, Answer]]:
        """The steps that ask for a derivative."""
        return ((step, answer) for step, answer in self.answers if step.action == "backward")


def part_names(exercise: Exercise) -> tuple[str, ...]:
    """What the parts of a derivative are called."""
    if exercise.style == "jvp":
        return ("the tangent of the answer",)
    word = "the partial derivative by" if exercise.style == "partials" else "the cotangent of"
    return tuple(f"{word} {name}" for name in exercise.argument_names)


def answered(exercise: Exercise, trial: Trial, response: Response) -> Answered:
    """Reads the answers of a trial."""
    names = part_names(exercise)
    answers = []
    for step, result in zip(trial.request.steps, response.steps, strict=False):
        truth = trial.truths[step.point]
        if step.action == "forward":
            answer = read_answer(result, ("the value",), (np.asarray(truth.ans),), (0,), 1)
        elif exercise.style == "jvp":
            answer = read_answer(result, names, (np.asarray(truth.ans),), (0,), 1)
        else:
            inputs = trial.instance if step.point == 0 else trial.instance.partner
            assert inputs is not None
            like = [_float_like(inputs.args[k]) for k in exercise.differentiated]
            answer = read_answer(result, names, like, exercise.differentiated, len(exercise.arguments))
        answers.append((step, answer))
    return Answered(trial, answers, response)


def _float_like(value: Any) -> Array:
    array = np.asarray(value)
    return array if array.dtype.kind in "fc" else array.astype(float)


# -- comparing numbers ------------------------------------------------------------------------------------


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
    seeds = each.trial.seeds[step.seed]
    largest = max((float(np.abs(s).max(initial=0.0)) for s in seeds), default=0.0)
    natural = [size or largest for size in truth.natural_sizes(seeds)]
    return PASSED if known(right, tolerance, natural) else INCONCLUSIVE


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


def comparison(exercise: Exercise, each: Answered, step: Step, answer: Answer) -> Comparison:
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
    return Comparison(each.instance.title, tuple(inputs), tuple(entries))


# -- the checks -------------------------------------------------------------------------------------------


def _by_size(found: Sequence[Answered]) -> list[Answered]:
    """The smallest first; empty ones, which show nothing, last."""
    return sorted(found, key=lambda each: each.instance.size or math.inf)


def check_forward(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The values of the student's own forward function."""
    for each in _by_size(found):
        for step, answer in each.answers:
            if step.action != "forward":
                continue
            truth = each.trial.truths[step.point]
            if answer.failure is not None:
                return CheckResult("forward", FAILED, _raised(answer, each))
            if answer.problems:
                return CheckResult("forward", FAILED, f"{answer.problems[0]} (at {each.instance.title})")
            (given,) = answer.arrays
            ans = np.asarray(truth.ans)
            size = np.abs(ans).max(initial=0.0) if ans.dtype.kind in "fc" else 0.0
            with np.errstate(all="ignore"):
                wrong = ~((np.abs(given - ans) <= 16 * ROUNDING * size) | (given == ans) | np.isnan(ans))
            if wrong.any():
                inputs = [(n, short(a)) for n, a in zip(exercise.arguments, truth.args, strict=True)]
                entries = tuple(
                    (
                        f"out[{', '.join(map(str, i))}]" if i else "out",
                        float(ans[i]),
                        float(given[i]),
                        bool(wrong[i]),
                    )
                    for i in np.ndindex(ans.shape)
                )
                at = Comparison(each.instance.title, tuple(inputs), entries)
                return CheckResult("forward", FAILED, "the forward function's value is wrong", at)
    return CheckResult("forward", PASSED)


def _raised(answer: Answer, each: Answered) -> str:
    failure = answer.failure
    assert failure is not None
    place = f", {failure.where}" if failure.where else ""
    text = f": {failure.message}" if failure.message else ""
    return f"{failure.kind}{text} (at {each.instance.title}{place})"


def check_contract(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The form of the answers: count, shape, dtype, finite, inputs unchanged, the same every time."""
    tests = (_raises, _form, _finite, _unchanged, _repeats)
    messages = []
    for test in tests:
        for each in _by_size(found):
            message = test(exercise, each)
            if message:
                messages.append(f"{message} (at {each.instance.title})" if test is not _raises else message)
                break
    return CheckResult("contract", FAILED if messages else PASSED, "; ".join(messages))


def _raises(exercise: Exercise, each: Answered) -> str:
    for step, answer in each.answers:
        if answer.failure is not None and step.action == "backward":
            return _raised(answer, each)
    return ""


def _form(exercise: Exercise, each: Answered) -> str:
    return next((answer.problems[0] for _, answer in each.derivatives() if answer.problems), "")


def _finite(exercise: Exercise, each: Answered) -> str:
    for step, answer in each.derivatives():
        if not answer.complete:
            continue
        right, _ = each.trial.right(step)
        for name, given, c in zip(part_names(exercise), answer.arrays, right, strict=True):
            if given.shape == np.shape(c) and np.any(~np.isfinite(given) & np.isfinite(c)):
                return f"{name} is not finite"
            if given.shape != np.shape(c) and not np.isfinite(given).all() and np.isfinite(c).all():
                return f"{name} is not finite"
    return ""


def _unchanged(exercise: Exercise, each: Answered) -> str:
    for _, answer in each.answers:
        if answer.changed:
            name = answer.changed[0]
            named = exercise.arguments[int(name)] if name.isdigit() else name
            return f"{named} was changed in place; make a new array instead"
    return ""


def _repeats(exercise: Exercise, each: Answered) -> str:
    first = each.get("g")
    if first is None or not first.complete:
        return ""
    for label, words in REPEATS.items():
        other = each.get(label)
        if other is None or not other.complete:
            continue
        same = len(first.arrays) == len(other.arrays) and all(
            a.shape == b.shape and a.tobytes() == b.tobytes()
            for a, b in zip(first.arrays, other.arrays, strict=True)
        )
        if not same:
            return f"{words} gives another answer than the first"
    return ""


def check_linear(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """A derivative is linear in the cotangent: at 0, -g, 2g, and the sum of two."""
    looked = False
    for each in _by_size(found):
        given = {label: each.get(label) for label in ("g", "zero", "minus", "twice", "other", "sum")}
        answers = {label: a.arrays for label, a in given.items() if a is not None and a.complete}
        if len(answers) < len(given):
            continue
        if len({tuple(v.shape for v in a) for a in answers.values()}) > 1:
            return CheckResult(
                "linear", FAILED, f"the answer's shape depends on the cotangent (at {each.instance.title})"
            )
        looked = True
        step = next(s for s, _ in each.answers if s.label == "g")
        rounding = each.trial.truths[0].rounding
        message = _not_linear(answers, each.trial.right(step)[1], rounding)
        if message:
            letter = "the tangent" if exercise.style == "jvp" else "g"
            return CheckResult("linear", FAILED, message.format(g=letter) + f" (at {each.instance.title})")
    return CheckResult("linear", PASSED if looked else NOT_RUN, "" if looked else "no complete answers")


def _not_linear(answers: dict[str, list[Array]], tolerance: Sequence[Array], rounding: float) -> str:
    laws: tuple[tuple[str, Callable[[int], Array]], ...] = (
        ("for {g} = 0 the answer is not 0", lambda k: answers["zero"][k]),
        ("for -{g} the answer is not minus that for {g}", lambda k: answers["minus"][k] + answers["g"][k]),
        (
            "for 2{g} the answer is not twice that for {g}",
            lambda k: answers["twice"][k] - 2 * answers["g"][k],
        ),
        (
            "the answer for a sum of two {g} is not the sum of the answers",
            lambda k: answers["sum"][k] - answers["g"][k] - answers["other"][k],
        ),
    )
    for words, rest in laws:
        for k in range(len(answers["g"])):
            with np.errstate(all="ignore"):
                size = np.abs(answers["g"][k].astype(float)) + np.abs(answers["other"][k].astype(float))
                whole = size[np.isfinite(size)].max(initial=0.0)
                allowed = 16 * rounding * whole
                if answers["g"][k].shape == np.shape(tolerance[k]):
                    allowed = allowed + 4 * tolerance[k]
                off = np.abs(np.asarray(rest(k), dtype=float))
                if np.any(off[np.isfinite(size)] > np.broadcast_to(allowed, off.shape)[np.isfinite(size)]):
                    return words
    return ""


def check_values(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The numbers, over the whole ladder."""
    statuses: dict[str, list[str]] = {}
    smallest: tuple[Answered, Outcome] | None = None
    for each in _by_size(found):
        outcome = compare(exercise, each, ("g", "other", "row"))
        statuses.setdefault(each.instance.name, []).append(outcome.status)
        better = smallest is None or (
            outcome.answer and outcome.answer.complete and not _complete(smallest[1])
        )
        if outcome.status == FAILED and better:
            smallest = each, outcome
    cases = tuple(
        (case.name, _worst(statuses[case.name])) for case in exercise.ladder if case.name in statuses
    )
    failing = [name for name, status in cases if status == FAILED]
    unknown = [name for name, status in cases if status in (INCONCLUSIVE, NOT_RUN)]
    if smallest is not None:
        each, outcome = smallest
        assert outcome.step is not None
        assert outcome.answer is not None
        of = f"wrong on {len(failing)} of {len(cases)} kinds of input: {', '.join(failing)}"
        return CheckResult(
            "values", FAILED, of, comparison(exercise, each, outcome.step, outcome.answer), cases
        )
    if unknown:
        text = f"the right answer is not known well enough on: {', '.join(unknown)}"
        return CheckResult("values", INCONCLUSIVE, text, None, cases)
    return CheckResult("values", PASSED, "", None, cases)


def _complete(outcome: Outcome) -> bool:
    return outcome.answer is not None and outcome.answer.complete


def _worst(statuses: Sequence[str]) -> str:
    return next((s for s in (FAILED, NOT_RUN, INCONCLUSIVE) if s in statuses), PASSED)


def check_second_use(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """Another input after the first, on the same object and on another, and the first once more."""
    looked = False
    for each in _by_size(found):
        first = compare(exercise, each, ("g",))
        for label, words in (
            ("second", "for a second input the answer is wrong, though for the first it is right"),
            ("reused", "the same object, used for a second input, gives a wrong answer"),
            ("back", "the first input, asked again after another, gives another answer"),
        ):
            if each.get(label) is None or first.status == FAILED:
                continue
            looked = True
            outcome = compare(exercise, each, (label,))
            if outcome.status == FAILED:
                assert outcome.step is not None
                assert outcome.answer is not None
                shown = comparison(exercise, each, outcome.step, outcome.answer)
                return CheckResult("second use", FAILED, f"{words} (at {each.instance.title})", shown)
    if not looked:
        return CheckResult("second use", NOT_RUN, "the first answers are wrong already")
    return CheckResult("second use", PASSED)


# -- all of them ------------------------------------------------------------------------------------------


def grade(
    exercise: Exercise,
    trials: Sequence[Trial],
    responses: Sequence[Response],
    *,
    load_failure: str = "",
    seed: int | None = None,
    diagnose: bool = True,
) -> Verdict:
    """All the checks of an exercise, the diagnosis if one fails, and the score.

    Args:
        exercise: the exercise.
        trials: what :func:`~diffkit.grading.trials.prepare` made of it.
        responses: what came back for each trial's request.
        load_failure: why the submission could not be loaded, if it couldn't.
        seed: the seed of the instances, to be shown for replay.
        diagnose: whether to look for the kind of mistake.
    """
    if load_failure:
        return _verdict(exercise, [CheckResult("loads", FAILED, load_failure)], None, seed)
    checks = [CheckResult("loads", PASSED)]
    missing = sorted({name for response in responses for name in response.missing})
    if missing:
        text = f"not defined: {', '.join(missing)}"
        return _verdict(exercise, [*checks, CheckResult("names", FAILED, text)], None, seed)
    checks.append(CheckResult("names", PASSED))
    found = [answered(exercise, t, r) for t, r in zip(trials, responses, strict=True)]
    lost = next((e for e in found if len(e.answers) < len(e.trial.request.steps)), None)
    if lost is not None:
        failure = lost.response.failure
        why = f"{failure.kind}: {failure.message}" if failure is not None else "no answer came"
        checks.append(CheckResult("contract", FAILED, f"{why} (at {lost.instance.title})"))
        return _verdict(exercise, checks, None, seed)
    if STYLES[exercise.style].has_forward:
        checks.append(check_forward(exercise, found))
    checks.append(check_contract(exercise, found))
    if STYLES[exercise.style].seed == "any":
        checks.append(check_linear(exercise, found))
    checks += [check_values(exercise, found), check_second_use(exercise, found)]
    diagnosis = None
    if diagnose and not all(check.passed for check in checks):
        from diffkit.grading.diagnosis import diagnose as find_mistake

        diagnosis = find_mistake(exercise, found)
    return _verdict(exercise, checks, diagnosis, seed)


def _verdict(exercise: Exercise, checks: list[CheckResult], diagnosis: Any, seed: int | None) -> Verdict:
    names = [check.name for check in checks]
    rest = [name for name in ("contract", "values", "second use") if name not in names]
    checks = checks + [CheckResult(name, NOT_RUN) for name in rest]
    return Verdict(
        exercise.name,
        tuple(checks),
        diagnosis,
        exercise.points,
        score(exercise, checks),
        exercise.hint_level,
        exercise.hints,
        seed,
    )


def score(exercise: Exercise, checks: Sequence[CheckResult]) -> float:
    """The points that an exercise earns.

    All or none, unless the exercise is ``partial``: then the share of the ladder's cases whose values
    are right, halved if the contract, linearity or the second use fail. Nothing is earned by a
    submission that is right only where any answer would do, on empty arrays for example.
    """
    if all(check.passed for check in checks):
        return exercise.points
    values = next((check for check in checks if check.name == "values"), None)
    if not exercise.partial or values is None or not values.cases:
        return 0.0
    telling = [status for name, status in values.cases if name not in ("empty", "saturated")]
    share = sum(status in (PASSED, INCONCLUSIVE) for status in telling) / max(1, len(telling))
    if len(telling) - sum(s == FAILED for s in telling) <= len(telling) / 4:
        share = 0.0
    others = all(check.passed for check in checks if check.name != "values")
    return exercise.points * share * (1.0 if others else 0.5)
