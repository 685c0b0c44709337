"""Whether a backward pass is right for the student's own forward pass, whatever the team's function is.

A student's function may be another: half of the regularisation, a mask of their own. That its derivative is
right for it is worth knowing. No trace can enter code that runs behind a wall; but its values can be asked
for beside the point, along a few directions, and a table of central differences extrapolated to a step of 0
(Ridders, 1982) gives the derivative along them with an estimate of its error. It is compared with what the
backward pass gives along the same directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.inside.protocol import Point, Request, Response, Step, pack
from diffkit.grading.judging.answers import Answer, read_answer
from diffkit.grading.judging.results import FAILED, INCONCLUSIVE, NOT_RUN, PASSED, CheckResult
from diffkit.grading.judging.trials import Trial, sent

Array = np.ndarray[Any, Any]

STEPS = tuple(2.0**-k for k in (8, 9, 10, 11))
"""Steps relative to the numbers that are moved: small enough for most kinks, large beside rounding."""

DIRECTIONS = 2
"""For each argument. A wrong derivative is right along a random direction with probability 0."""

SLACK = 1e-8
"""What a comparison allows for, relative to the sizes of the terms that are added up."""

KNOWN = 1e-4
"""Where the differences are not known to this, they say nothing: at a kink, or if the values are random."""


@dataclass(frozen=True)
class OwnTrial:
    """An instance, the request that was made of it, and the directions in which the inputs were moved.

    Attributes:
        trial: the instance as it is asked of everyone.
        request: a forward pass, a backward pass, the forward pass again, and one for each point beside it.
        directions: the number of a differentiated argument, and what is added to it for a step of 1.
    """

    trial: Trial
    request: Request
    directions: tuple[tuple[int, Array], ...]


def wants_own(exercise: Exercise, checks: Sequence[CheckResult]) -> bool:
    """Whether the values of the forward pass are others than the team's, so that this is worth asking."""
    forward = next((check for check in checks if check.name == "forward"), None)
    return exercise.style != "engine" and forward is not None and forward.comparison is not None


def own_trials(exercise: Exercise, trials: Sequence[Trial]) -> list[OwnTrial]:
    """What to ask: of the first instance of each case."""
    return [_own_trial(exercise, t) for t in trials if t.full and t.instance.ans.size and _moves(exercise, t)]


def _moves(exercise: Exercise, trial: Trial) -> bool:
    return any(np.size(trial.instance.args[k]) for k in exercise.differentiated)


def _own_trial(exercise: Exercise, trial: Trial) -> OwnTrial:
    rng = np.random.default_rng(20262)
    args = trial.instance.args
    directions: list[tuple[int, Array]] = []
    for part, place in enumerate(exercise.differentiated):
        a = np.asarray(args[place])
        for _ in range(DIRECTIONS if a.size else 0):
            sizes = np.where(a == 0, np.abs(a).max() or 1.0, np.abs(a))
            directions.append(
                (part, sizes * rng.uniform(0.2, 1.0, a.shape) * rng.choice([-1.0, 1.0], a.shape))
            )
    (first, *_), points = trial.request.points, []
    for part, direction in directions:
        place = exercise.differentiated[part]
        for h in STEPS:
            for sign in (1.0, -1.0):
                moved = [
                    np.asarray(a + sign * h * direction) if k == place else a for k, a in enumerate(args)
                ]
                points.append(Point(tuple(map(pack, moved)), first.kwargs, None, first.differentiated))
    steps = [
        Step("forward", "forward", 0, 0, -1),
        Step("g", "backward", 0, 0, 0),
        Step("same", "forward", 1, 0, -1),
    ]
    steps += [Step("beside", "forward", 2 + k, 1 + k, -1) for k in range(len(points))]
    request = Request(exercise.target, (first, *points), (trial.request.seeds[0],), tuple(steps), steady=True)
    return OwnTrial(trial, sent(exercise, request), tuple(directions))


def check_own_forward(
    exercise: Exercise, asked: Sequence[tuple[OwnTrial, Response]], name: str = "own forward"
) -> CheckResult:
    """Whether the backward pass fits the forward pass.

    Args:
        exercise: the exercise.
        asked: what was asked, with what came.
        name: what the check is called.

    Returns:
        "passed" if it fits on every instance where that can be seen; "inconclusive" if it can't be.
    """
    found = [(own, *_outcome(exercise, own, response)) for own, response in asked]
    cases = tuple((own.trial.instance.name, status) for own, status, _ in found)
    failing = [(own, why) for own, status, why in found if status == FAILED]
    if failing:
        own, why = min(
            failing, key=lambda pair: (not pair[0].trial.instance.visible, pair[0].trial.instance.size)
        )
        text = f"the backward pass does not fit your own forward pass: {why} (at {own.trial.instance.title})"
        return CheckResult(name, FAILED, text, None, cases)
    if any(status == PASSED for _, status, _ in found):
        return CheckResult(name, PASSED, "the backward pass fits your own forward pass", None, cases)
    why = next((why for _, _, why in found if why), "there is nothing to compare")
    return CheckResult(
        name, INCONCLUSIVE, f"whether the backward pass fits it can't be seen: {why}", None, cases
    )


def _outcome(exercise: Exercise, own: OwnTrial, response: Response) -> tuple[str, str]:
    if len(response.steps) < len(own.request.steps):
        return NOT_RUN, "it was not answered in time"
    forwards, seed = [], own.trial.seeds[0][0]
    for step, result in zip(own.request.steps, response.steps, strict=True):
        if step.action == "forward":
            value = read_answer(result, ("the value",), (seed,), (0,), 1)
            if not value.complete or value.arrays[0].shape != np.shape(seed):
                return NOT_RUN, "the forward pass gives no value of the right shape"
            forwards.append(value.arrays[0])
    base, same, *beside = forwards
    if not np.array_equal(base, same, equal_nan=True):
        return NOT_RUN, "the forward pass gives another value each time"
    names = [f"the derivative by {name}" for name in exercise.argument_names]
    like = [np.asarray(own.trial.instance.args[k], dtype=float) for k in exercise.differentiated]
    back = read_answer(response.steps[1], names, like, exercise.differentiated, len(exercise.arguments))
    if not back.complete or any(v.shape != x.shape for v, x in zip(back.arrays, like, strict=True)):
        return FAILED, "it gives no arrays of the right shapes"
    return _compared(exercise, own, back, seed, beside)


def _compared(
    exercise: Exercise, own: OwnTrial, back: Answer, seed: Array, beside: Sequence[Array]
) -> tuple[str, str]:
    seen, count = False, 2 * len(STEPS)
    for k, (part, direction) in enumerate(own.directions):
        values = beside[k * count : (k + 1) * count]
        pairs = list(zip(values[::2], values[1::2], strict=True))
        with np.errstate(all="ignore"):
            quotients = [
                np.sum(seed * (up - down)) / (2 * h) for (up, down), h in zip(pairs, STEPS, strict=True)
            ]
            derivative, error = _extrapolated(quotients)
            given = float(np.sum(back.arrays[part] * direction))
            size = float(np.sum(np.abs(back.arrays[part] * direction)))
            size += float(np.sum(np.abs(seed * (pairs[-1][0] - pairs[-1][1])))) / (2 * STEPS[-1])
            noise = float(np.sum(np.abs(seed * pairs[-1][0]))) * np.finfo(float).eps / STEPS[-1]
        if not np.isfinite(given) and np.isfinite(derivative):
            return FAILED, f"what it gives for {exercise.argument_names[part]} is not finite"
        if not np.isfinite(derivative) or error > KNOWN * (size + noise):
            continue
        seen = True
        if abs(given - derivative) > 10 * error + SLACK * size + 16 * noise:
            moved = f"the value changes by {derivative:.6g} where it says {given:.6g}"
            return FAILED, f"along a direction of {exercise.argument_names[part]} {moved}"
    return (PASSED, "") if seen else (NOT_RUN, "there is a kink beside every input")


def _extrapolated(quotients: Sequence[float]) -> tuple[float, float]:
    """The limit of central differences with halved steps, and how well the last of the table agree."""
    rows = [list(quotients)]
    while len(rows[-1]) > 1:
        ratio = 4.0 ** len(rows)
        rows.append([b + (b - a) / (ratio - 1) for a, b in zip(rows[-1], rows[-1][1:], strict=False)])
    best = rows[-1][0]
    return float(best), float(max(abs(best - rows[-2][0]), abs(best - rows[-2][1])))
