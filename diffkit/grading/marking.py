"""All checks of one exercise, the diagnosis if one fails, and the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.protocol import Response
from diffkit.grading.judging.answered import Answered, answered
from diffkit.grading.judging.checks import (
    check_contract,
    check_forward,
    check_linear,
    check_second_use,
    check_values,
)
from diffkit.grading.judging.own_forward import OwnTrial, check_own_forward
from diffkit.grading.judging.results import (
    FAILED,
    INCONCLUSIVE,
    NOT_RUN,
    PASSED,
    UNWRITTEN,
    WARNED,
    CheckResult,
    Verdict,
)
from diffkit.grading.judging.trials import Trial
from diffkit.grading.judging.unwritten import unwritten


def grade(
    exercise: Exercise,
    trials: Sequence[Trial],
    responses: Sequence[Response],
    *,
    load_failure: str = "",
    seed: int | None = None,
    diagnose: bool = True,
    own: Sequence[tuple[OwnTrial, Response]] = (),
) -> Verdict:
    """All the checks of an exercise, the diagnosis if one fails, and the score.

    Args:
        exercise: the exercise.
        trials: what :func:`~diffkit.grading.judging.trials.prepare` made of it.
        responses: what came back for each trial's request.
        load_failure: why the submission could not be loaded, if it couldn't.
        seed: the seed of the instances, to be shown for replay.
        diagnose: whether to look for the kind of mistake.
        own: where the forward pass has other values than the team's (:func:`wants_own`), what
            :func:`~diffkit.grading.judging.own_forward.own_trials` asked, with what came.
    """
    if load_failure:
        return _verdict(exercise, [CheckResult("loads", FAILED, load_failure)], None, seed)
    checks = [CheckResult("loads", PASSED)]
    missing = sorted({name for response in responses for name in response.missing})
    if missing:
        text = f"not defined in your file: {', '.join(missing)} (is it spelt just so?)"
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
    if stub := unwritten(exercise, found):
        from diffkit.grading.diagnosis.messages import named

        text = f"this is not written yet: {stub}"
        checks = [replace(c, message=text) if c.name == "forward" and not c.passed else c for c in checks]
        checks.append(CheckResult("contract", FAILED, text))
        return _verdict(exercise, checks, named(UNWRITTEN, (), stub[:1].upper() + stub[1:], len(found)), seed)
    if own and exercise.forward == "own":
        return _by_own_forward(exercise, checks, found, own, seed)
    values = check_values(exercise, found)
    checks.append(values)
    fits = check_own_forward(exercise, own) if own else None
    if fits is not None:
        checks.append(fits)
    checks.append(check_contract(exercise, found))
    if STYLES[exercise.style].seed == "any":
        checks.append(check_linear(exercise, found))
    checks.append(check_second_use(exercise, found, values))
    checks = [_weighed(exercise, check, checks) for check in checks]
    diagnosis = None
    if diagnose and not all(check.status in (PASSED, INCONCLUSIVE) for check in checks):
        from diffkit.grading.diagnosis import diagnose as find_mistake
        from diffkit.grading.diagnosis.messages import named

        with np.errstate(all="ignore"):  # a submission's numbers may be of any size
            diagnosis = find_mistake(exercise, found)
        if fits is not None and fits.status == PASSED:
            diagnosis = named("wrong value, right derivative", (), "", len(own))
    return _verdict(exercise, checks, diagnosis, seed)


def _by_own_forward(
    exercise: Exercise,
    checks: list[CheckResult],
    found: Sequence[Answered],
    own: Sequence[tuple[OwnTrial, Response]],
    seed: int | None,
) -> Verdict:
    """The verdict where the backward pass is to fit the student's forward pass, which has other values."""
    text = "your function gives other values than the team's; the backward pass is compared with yours"
    forward = [replace(c, status=WARNED, message=text) if c.name == "forward" else c for c in checks]
    rest = [check_contract(exercise, found)]
    if STYLES[exercise.style].seed == "any":
        rest.append(check_linear(exercise, found))
    values = check_own_forward(exercise, own, "values")
    second = CheckResult("second use", INCONCLUSIVE, "not looked at, where the forward pass is your own")
    whole = [*forward, values, *rest, second]
    return _verdict(exercise, [_weighed(exercise, check, whole) for check in whole], None, seed)


def _verdict(exercise: Exercise, checks: list[CheckResult], diagnosis: Any, seed: int | None) -> Verdict:
    names = [check.name for check in checks]
    rest = [name for name in ("values", "contract", "second use") if name not in names]
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


def _weighed(exercise: Exercise, check: CheckResult, checks: Sequence[CheckResult]) -> CheckResult:
    """A breach of the contract where all else is right: said in that order, and with what it costs."""
    if not check.breach or not all(other.passed for other in checks if other is not check):
        return check
    status = WARNED if exercise.contract == "warn" else FAILED
    return replace(
        check, status=status, message=f"the numbers are right, but {check.message}{COST[exercise.contract]}"
    )


COST = {"fail": "; here this costs all points", "half": "; this costs half of the points", "warn": ""}
KEPT = {"fail": 0.0, "half": 0.5, "warn": 1.0}
"""The share of the points that is kept where the numbers are right and the contract is broken."""


def score(exercise: Exercise, checks: Sequence[CheckResult]) -> float:
    """The points that an exercise earns.

    All, if every check is passed. Where the numbers are right and only manners are not (an input changed in
    place, whole numbers in an array), what ``exercise.contract`` says. Else none, unless the exercise is
    ``partial``: then the share of the ladder's cases whose values are right, halved if the form of the
    answers, linearity or the second use fail. Nothing is earned by a submission that is right only where
    any answer would do, on empty arrays for example.
    """
    if all(check.passed for check in checks):
        return exercise.points
    failing = [check for check in checks if not check.passed]
    kept = min(
        (KEPT[exercise.contract] if c.breach else 0.5 for c in failing if c.name != "values"), default=1.0
    )
    if all(check.breach for check in failing):
        return exercise.points * kept
    values = next((check for check in checks if check.name == "values"), None)
    if not exercise.partial or values is None or not values.cases:
        return 0.0
    telling = [status for name, status in values.cases if name not in ("empty", "saturated")]
    share = sum(status in (PASSED, INCONCLUSIVE) for status in telling) / max(1, len(telling))
    if len(telling) - sum(s == FAILED for s in telling) <= len(telling) / 4:
        share = 0.0
    return exercise.points * share * kept
