"""Grading one submission after the other: prepared trials, a run in isolation, verdicts."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission, violations
from diffkit.grading.exercises.assignment import Assignment, load_assignment
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.protocol import Failure, Request, Response
from diffkit.grading.judging.results import CheckResult, Verdict
from diffkit.grading.judging.trials import Trial, prepare
from diffkit.grading.marking import grade
from diffkit.grading.wall.isolation import Isolation
from diffkit.grading.wall.replies import Reply

__all__ = ["Grader", "Settings", "instance_set", "refused"]

SETS = 4
"""How many sets of secret instances there are; students are spread over them by name."""

NOT_RUN = "it was not run"
"""In place of the isolation in force, of a submission that could not be read."""


@dataclass(frozen=True)
class Settings:
    """All that a process needs to know to grade submissions of an assignment.

    Attributes:
        path: the assignment's file.
        only: the exercises that are graded; () for all.
        seed: what the secret instances are drawn from.
        sets: how many sets of instances; 1 gives everyone the same.
        sandbox: see :class:`~diffkit.grading.wall.isolation.Isolation`.
    """

    path: str
    only: tuple[str, ...]
    seed: int
    sets: int = SETS
    sandbox: str = "auto"

    def grader(self) -> Grader:
        """A grader with these settings.

        Raises:
            InputError: if the assignment can't be loaded.
        """
        assignment = load_assignment(self.path)
        chosen = assignment.only(self.only) if self.only else assignment
        return Grader(chosen, self.seed, sets=self.sets, sandbox=self.sandbox)


def instance_set(student: str, sets: int) -> int:
    """Which set of instances a student gets: always the same one for the same name."""
    return zlib.crc32(student.encode("utf-8", "surrogatepass")) % sets


class Grader:
    """Grades one submission after the other, each in isolation.

    Args:
        assignment: the assignment.
        seed: what the secret instances are drawn from.
        sets: how many sets of instances; 1 gives everyone the same.
        visible_only: leave the hidden cases out, as when students check for themselves.
        sandbox: see :class:`~diffkit.grading.wall.isolation.Isolation`.
    """

    def __init__(
        self,
        assignment: Assignment,
        seed: int,
        *,
        sets: int = SETS,
        visible_only: bool = False,
        sandbox: str = "auto",
    ) -> None:
        self.assignment = assignment
        self.seed = seed
        self.sets = sets
        self.visible_only = visible_only
        self.isolation = Isolation(assignment.limits, sandbox, assignment.packages)
        self.isolation.begin()  # while the trials are prepared
        self._trials: dict[tuple[str, int], list[Trial]] = {}
        self._requests: dict[tuple[str, int], list[Request]] = {}
        self._verdicts: dict[tuple[str, int, str, bytes], Verdict] = {}

    def close(self) -> None:
        """Ends the isolation's processes."""
        self.isolation.close()

    def _prepare(self, exercise: Exercise, seed: int) -> tuple[list[Trial], list[Request]]:
        key = exercise.name, seed
        if key not in self._trials:
            self._trials[key] = prepare(exercise, seed, visible_only=self.visible_only)
            self._requests[key] = [_sent(exercise, trial.request) for trial in self._trials[key]]
        return self._trials[key], self._requests[key]

    def grade(self, submission: Submission) -> Record:
        """All exercises of one submission.

        Raises:
            NoRuleError, InputError: if an exercise of the assignment's has no reference.
            IsolationError: if submissions can't be run here.
        """
        if submission.problem:
            return refused(self.assignment, submission, submission.problem)
        seed = self.seed + instance_set(submission.student, self.sets)
        exercises = self.assignment.exercises
        broken = violations(submission.source, exercises)
        prepared = {e.name: self._prepare(e, seed) for e in exercises if not broken[e.name]}
        # The hidden cases come after all visible ones, so that nothing that is shown of those, a message
        # or what was printed, can tell what the hidden ones were.
        order = sorted(
            ((name, k) for name, (trials, _) in prepared.items() for k in range(len(trials))),
            key=lambda at: not prepared[at[0]][0][at[1]].instance.visible,
        )
        requests = [prepared[name][1][k] for name, k in order]
        run = self.isolation.run(submission.source, submission.path.name, requests)
        replies = dict(zip(order, run.replies, strict=True))
        load_failure = _in_words(run.load_failure, self.assignment.packages)
        verdicts = []
        for exercise in exercises:
            if broken[exercise.name]:
                verdicts.append(_failed(exercise, "names", "; ".join(broken[exercise.name]), seed))
                continue
            trials, _ = prepared[exercise.name]
            mine = [replies[exercise.name, k] for k in range(len(trials))]
            verdicts.append(self._verdict(exercise, trials, mine, load_failure, seed))
        return Record.of(
            submission, verdicts, run.printed, run.seconds, self.isolation.in_force, self.assignment.exercises
        )

    def _verdict(
        self, exercise: Exercise, trials: list[Trial], replies: list[Reply], load_failure: str, seed: int
    ) -> Verdict:
        """The verdict on an exercise; one on the same bytes, for the same instances, is there already."""
        digest = hashlib.sha256(b"".join(reply.digest for reply in replies)).digest()
        key = exercise.name, seed, load_failure, digest
        if key not in self._verdicts:
            responses = [reply.response for reply in replies]
            self._verdicts[key] = _judged(exercise, trials, responses, load_failure, seed)
        return self._verdicts[key]


def _sent(exercise: Exercise, request: Request) -> Request:
    """What is sent of a request: no value of a forward function that the students are to write."""
    if not STYLES[exercise.style].has_forward:
        return request
    return replace(request, points=tuple(replace(point, ans=None) for point in request.points))


def _judged(
    exercise: Exercise, trials: list[Trial], responses: Sequence[Response], load_failure: str, seed: int
) -> Verdict:
    """The verdict on an exercise, whatever came: an answer that can't be judged is not right."""
    for diagnose in (True, False):
        try:
            return grade(exercise, trials, responses, load_failure=load_failure, seed=seed, diagnose=diagnose)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
    return _failed(exercise, "values", f"the answer could not be judged; please report this ({reason})", seed)


def _failed(exercise: Exercise, check: str, why: str, seed: int | None) -> Verdict:
    checks = (CheckResult(check, "failed", why),)
    return Verdict(
        exercise.name, checks, None, exercise.points, 0.0, exercise.hint_level, exercise.hints, seed
    )


def refused(assignment: Assignment, submission: Submission, why: str) -> Record:
    """The record of a submission that could not be run."""
    verdicts = [_failed(e, "loads", why, None) for e in assignment.exercises]
    return Record.of(submission, verdicts, "", 0.0, NOT_RUN, assignment.exercises)


def _in_words(failure: Failure | None, packages: Sequence[str]) -> str:
    if failure is None:
        return ""
    where = f" ({failure.where})" if failure.where else ""
    allowed = ""
    if failure.kind == "ModuleNotFoundError":
        named = ", ".join(["Python's standard library", "NumPy", *packages])
        allowed = f"; a submission is one file, and may import {named}"
    return f"{failure.kind}: {failure.message}{where}{allowed}"
