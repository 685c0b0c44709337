"""The checks: pure functions of what was asked, what is right, and what the submission gave.

Each looks at the same answers from its own side, and is reported by itself, so that a student sees that
the numbers are right though the shape is not, or that only the second use fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.answered import Answered, part_names
from diffkit.grading.judging.answers import Answer
from diffkit.grading.judging.laws import LINEAR, LINEAR_STEPS, REPEATS, breaks
from diffkit.grading.judging.nearness import Outcome, compare, comparison
from diffkit.grading.judging.results import (
    FAILED,
    INCONCLUSIVE,
    NOT_RUN,
    PASSED,
    CheckResult,
    SideBySide,
    short,
)
from diffkit.grading.judging.truth import ROUNDING

Array = np.ndarray[Any, Any]

SECOND_USES = {
    "second": "for a second input the answer is wrong, though for the first it is right",
    "reused": "the same object, used for a second input, gives a wrong answer",
    "back": "the first input, asked again after another, gives another answer",
}

MOST_NAMED = 4
"""Of more failing cases than this, not all are named."""


def _by_size(found: Sequence[Answered]) -> list[Answered]:
    """The smallest first; empty ones, which show nothing, last. Visible before hidden."""
    return sorted(found, key=lambda each: (not each.instance.visible, each.instance.size or math.inf))


def check_forward(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The values of the student's own forward function."""
    for each in _by_size(found):
        for step, answer in each.answers:
            if step.action != "forward":
                continue
            truth = each.trial.truths[step.point]
            if answer.failure is not None:
                return CheckResult("forward", FAILED, _raised(exercise, answer, each))
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
                at = SideBySide(each.instance.title, tuple(inputs), entries)
                return CheckResult("forward", FAILED, "the forward function's value is wrong", at)
    return CheckResult("forward", PASSED)


def _raised(exercise: Exercise, answer: Answer, each: Answered) -> str:
    failure = answer.failure
    assert failure is not None
    line, _, code = failure.where.partition(": ")
    place = f"in {line}, `{code}`, " if code else f"in {line}, " if line else ""
    text = f": {failure.message.rstrip()}" if failure.message else ""
    at = f"(at {each.instance.title}: {_called(exercise, each)})"
    return f"{place}your code raises {failure.kind}{text} {at}"


def _called(exercise: Exercise, each: Answered) -> str:
    """What a function was called with: the shapes of the arguments, and the keyword arguments."""
    named = zip(exercise.arguments, each.instance.args, strict=True)
    shapes = [f"{name} of shape {np.shape(a)}" for name, a in named]
    return ", ".join([*shapes, *(f"{key}={value!r}" for key, value in each.instance.kwargs.items())])


def check_contract(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The form of the answers: count, shape, dtype, finite, inputs unchanged, the same every time."""
    tests = (_raises, _form, _finite, _repeats, _dtype, _unchanged)
    messages, breach = [], True
    for test in tests:
        for each in _by_size(found):
            message = test(exercise, each)
            if message:
                messages.append(f"{message} (at {each.instance.title})" if test is not _raises else message)
                breach = breach and test in (_dtype, _unchanged)
                break
    status = FAILED if messages else PASSED
    return CheckResult("contract", status, "; ".join(messages), breach=breach and bool(messages))


def _raises(exercise: Exercise, each: Answered) -> str:
    for step, answer in each.answers:
        if answer.failure is not None and step.action == "backward":
            return _raised(exercise, answer, each)
    return ""


def _form(exercise: Exercise, each: Answered) -> str:
    return _problem(each, lambda kind: kind != "dtype")


def _dtype(exercise: Exercise, each: Answered) -> str:
    return _problem(each, lambda kind: kind == "dtype")


def _problem(each: Answered, wanted: Callable[[str], bool]) -> str:
    problems = (problem for _, answer in each.derivatives() for problem in answer.problems)
    return next((str(problem) for problem in problems if wanted(problem.kind)), "")


def _finite(exercise: Exercise, each: Answered) -> str:
    for step, answer in each.derivatives():
        if not answer.complete:
            continue
        right, _ = each.trial.right(step)
        for name, given, c in zip(part_names(exercise), answer.arrays, right, strict=True):
            if np.isfinite(given).all():
                continue
            if given.shape == np.shape(c) and np.any(~np.isfinite(given) & np.isfinite(c)):
                return f"{name} is not finite"
            if given.shape != np.shape(c) and np.isfinite(c).all():
                return f"{name} is not finite"
    return ""


def _unchanged(exercise: Exercise, each: Answered) -> str:
    for _, answer in each.answers:
        if answer.changed:
            name = answer.changed[0]
            named = exercise.arguments[int(name)] if name.isdigit() else name
            return f"{named} was changed in place; make a new array, or work on {named}.copy()"
    return ""


def _repeats(exercise: Exercise, each: Answered) -> str:
    broken = next((words for words, law in REPEATS.items() if breaks(each, law)), "")
    return f"{broken} gives another answer than the first" if broken else ""


def check_linear(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """A derivative is linear in the cotangent: at 0, -g, 2g, and the sum of two."""
    looked = False
    letter = "the tangent" if exercise.style == "jvp" else "g"
    for each in _by_size(found):
        shapes = {
            tuple(v.shape for v in answer.arrays)
            for step, answer in each.derivatives()
            if step.label in LINEAR_STEPS and answer.complete
        }
        if len(shapes) > 1:
            return CheckResult(
                "linear", FAILED, f"the answer's shape depends on the cotangent (at {each.instance.title})"
            )
        for words, law in LINEAR.items():
            broken = breaks(each, law)
            if broken:
                at = f" (at {each.instance.title})"
                return CheckResult("linear", FAILED, words.format(g=letter) + at)
            looked = looked or broken is not None
    return CheckResult("linear", PASSED if looked else NOT_RUN, "" if looked else "no complete answers")


def check_values(exercise: Exercise, found: Sequence[Answered]) -> CheckResult:
    """The numbers, over the whole ladder."""
    statuses: dict[str, list[str]] = {}
    misshapen = True
    smallest: tuple[Answered, Outcome] | None = None
    for each in _by_size(found):
        outcome = compare(exercise, each, ("g", "other", "row"))
        statuses.setdefault(each.instance.name, []).append(outcome.status)
        misshapen = misshapen and (outcome.status != FAILED or _misshapen(outcome))
        better = smallest is None or (
            _complete(outcome)
            and not _complete(smallest[1])
            and each.instance.visible == smallest[0].instance.visible
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
        hidden = {case.name for case in exercise.ladder if not case.visible}
        seen, unseen = [n for n in failing if n not in hidden], [n for n in failing if n in hidden]
        of = _on_which("of another shape" if misshapen else "wrong", seen, unseen, len(cases))
        return CheckResult(
            "values", FAILED, of, comparison(exercise, each, outcome.step, outcome.answer), cases
        )
    if unknown:
        text = f"the right answer is not known well enough on: {'; '.join(unknown)}"
        return CheckResult("values", INCONCLUSIVE, text, None, cases)
    return CheckResult("values", PASSED, "", None, cases)


def _on_which(how: str, visible: Sequence[str], hidden: Sequence[str], count: int) -> str:
    """The cases that fail: a few by name; the hidden ones by name only if they are alone."""
    failing = [*visible, *hidden]
    if len(failing) == count > 1 and not hidden:
        return f"{how} on all {count} kinds of input"
    named = list(visible or hidden)
    if len(named) > MOST_NAMED + 1:
        named[MOST_NAMED:] = [f"and {len(named) - MOST_NAMED} more"]
    if visible and hidden:
        named.append(f"and {len(hidden)} hidden")
    return f"{how} on {len(failing)} of {count} kinds of input: {'; '.join(named)}"


def _complete(outcome: Outcome) -> bool:
    return outcome.answer is not None and outcome.answer.complete


def _misshapen(outcome: Outcome) -> bool:
    """Whether it fails for its shape, so that no numbers were compared."""
    kinds = {problem.kind for problem in outcome.answer.problems} if outcome.answer is not None else set()
    return _complete(outcome) and "shape" in kinds


def _worst(statuses: Sequence[str]) -> str:
    return next((s for s in (FAILED, NOT_RUN, INCONCLUSIVE) if s in statuses), PASSED)


def check_second_use(exercise: Exercise, found: Sequence[Answered], values: CheckResult) -> CheckResult:
    """Another input after the first, on the same object and on another, and the first once more.

    Where first answers of a case are wrong (``values``), one to a second input need not be so for that.
    """
    looked = False
    if not any(each.get(label) is not None for each in found for label in SECOND_USES):
        return CheckResult("second use", INCONCLUSIVE, "there is no second input to ask for")
    wrong = {name for name, status in values.cases if status == FAILED}
    for each in _by_size(found):
        asked = [label for label in SECOND_USES if each.get(label) is not None]
        if not asked or each.instance.name in wrong:
            continue
        looked = True
        for label in asked:
            outcome = compare(exercise, each, (label,))
            if outcome.status == FAILED:
                assert outcome.step is not None
                assert outcome.answer is not None
                shown = comparison(exercise, each, outcome.step, outcome.answer)
                return CheckResult(
                    "second use", FAILED, f"{SECOND_USES[label]} (at {each.instance.title})", shown
                )
    if not looked:
        return CheckResult("second use", NOT_RUN, "the first answers are wrong already")
    return CheckResult("second use", PASSED)
