"""Grading one submission after the other: prepared trials, a run in isolation, verdicts."""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission, violations
from diffkit.grading.diagnosis.first_wrong import first_wrong, wants_line
from diffkit.grading.diagnosis.line_evidence import Runner
from diffkit.grading.diagnosis.line_mistakes import with_line
from diffkit.grading.exercises.assignment import Assignment, load_assignment
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.inside.protocol import Failure, Request, Response
from diffkit.grading.judging.own_forward import OwnTrial, own_trials, wants_own
from diffkit.grading.judging.results import FAILED, NOT_RUN, PASSED, CheckResult, Verdict, WrongLine
from diffkit.grading.judging.trials import Trial, prepare, sent
from diffkit.grading.marking import grade
from diffkit.grading.wall.isolation import KINDS_OF_LOSS, Isolation, IsolationError
from diffkit.grading.wall.opener import opener
from diffkit.grading.wall.replies import Reply

HIDDEN = "hidden cases"
"""The check that says whether one of those fails."""

MOST_VERDICTS = 5000
"""Verdicts that are remembered; of a class that hands in the same few formulas they are a few hundred."""

SETS = 4
"""How many sets of secret instances there are; students are spread over them by name."""

NEVER_RUN = "it was not run"
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

    Raises:
        InputError: for a sandbox that there is not.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from diffkit.grading import load_assignment, read_submission
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     week, ada = Path(folder, "week.py"), Path(folder, "ada.py")
    ...     text = "from diffkit.grading import catalogue; exercises = [catalogue.exercise('multiply')]"
    ...     _ = week.write_text(text)
    ...     _ = ada.write_text("def multiply_vjp(g, answer, x, y): return g * y, g * x")
    ...     grader = Grader(load_assignment(week), seed=1)
    ...     record = grader.grade(read_submission(ada))
    ...     grader.close()
    >>> record.student, record.exercises[0].score, record.exercises[0].mistake
    ('ada', 0.0, 'broadcast not summed')
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
        self.isolation = Isolation(assignment.limits, sandbox, assignment.packages, assignment.adapter)
        self.isolation.begin()  # while the trials are prepared
        self._trials: dict[tuple[str, int], list[Trial]] = {}
        self._requests: dict[tuple[str, int], list[Request]] = {}
        self._verdicts: dict[tuple[str, int, str, bytes], Verdict] = {}
        self._lines: dict[tuple[str, int, str], WrongLine | None] = {}
        self._has_run = False

    def close(self) -> None:
        """Ends the isolation's processes."""
        self.isolation.close()

    def _prepare(self, exercise: Exercise, seed: int) -> tuple[list[Trial], list[Request]]:
        key = exercise.name, seed
        if key not in self._trials:
            self._trials[key] = prepare(exercise, seed, visible_only=self.visible_only)
            self._requests[key] = [sent(exercise, trial.request) for trial in self._trials[key]]
        return self._trials[key], self._requests[key]

    def grade(self, submission: Submission, names: Sequence[str] | None = None) -> Record:
        """The exercises of one submission.

        Args:
            submission: the submission.
            names: the exercises to grade; None for all.

        Raises:
            NoRuleError, InputError: if an exercise of the assignment's has no reference.
            IsolationError: if no submission can be run here.
        """
        exercises = tuple(e for e in self.assignment.exercises if names is None or e.name in names)
        if submission.problem:
            return refused(exercises, submission, submission.problem)
        seed = self.seed + instance_set(submission.student, self.sets)
        broken = violations(submission.source, exercises)
        prepared = {e.name: self._prepare(e, seed) for e in exercises if not broken[e.name]}
        # The hidden cases come after all visible ones, so that nothing that is shown of those, a message
        # or what was printed, can tell what the hidden ones were.
        order = sorted(
            ((name, k) for name, (trials, _) in prepared.items() for k in range(len(trials))),
            key=lambda at: not prepared[at[0]][0][at[1]].instance.visible,
        )
        requests = [prepared[name][1][k] for name, k in order]
        visible = sum(prepared[name][0][k].instance.visible for name, k in order)
        try:
            run = self.isolation.run(submission.source, submission.path.name, requests, visible)
            self._has_run = True
        except IsolationError as error:
            if not self._has_run:  # this machine runs none
                raise
            return not_graded(exercises, submission, str(error))
        replies = dict(zip(order, run.replies, strict=True))
        load_failure = _in_words(run.load_failure, self.assignment.packages)
        verdicts = []
        for exercise in exercises:
            if broken[exercise.name]:
                verdicts.append(_failed(exercise, "names", "; ".join(broken[exercise.name]), seed))
                continue
            trials, _ = prepared[exercise.name]
            mine = [replies[exercise.name, k] for k in range(len(trials))]
            try:
                verdicts.append(self._verdict(exercise, trials, mine, load_failure, seed))
            except Exception as error:  # of the grader's own, and no fault of the student's
                reason = f"{type(error).__name__}: {error}"
                why = f"{exercise.name} could not be judged; please report this ({reason})"
                return not_graded(exercises, submission, why)
        try:
            if not load_failure:
                verdicts = self._by_own_forward(submission, exercises, verdicts, prepared, replies)
        except Exception as error:
            why = f"forward passes could not be looked at ({type(error).__name__}: {error})"
            return not_graded(exercises, submission, why)
        with contextlib.suppress(Exception):  # it is no part of the score
            verdicts = self._with_lines(submission, exercises, verdicts, prepared, replies)
        looks = []
        if self.assignment.differences == "list":
            source = submission.source
            looks = opener().looks([source] if isinstance(source, str) else source)
        isolation = self.isolation.in_force
        return Record.of(submission, verdicts, run.printed, run.seconds, isolation, looks=looks)

    def _by_own_forward(
        self,
        submission: Submission,
        exercises: Sequence[Exercise],
        verdicts: list[Verdict],
        prepared: dict[str, tuple[list[Trial], list[Request]]],
        replies: dict[tuple[str, int], Reply],
    ) -> list[Verdict]:
        """The verdicts, with what a second run says of those whose forward pass is not the team's."""
        own = [
            (exercise.name, each)
            for exercise, verdict in zip(exercises, verdicts, strict=True)
            if wants_own(exercise, verdict.checks)
            for each in own_trials(exercise, prepared[exercise.name][0])
        ]
        own.sort(key=lambda pair: not pair[1].trial.instance.visible)
        if not own:
            return verdicts
        visible = sum(each.trial.instance.visible for _, each in own)
        run = self.isolation.run(
            submission.source, submission.path.name, [each.request for _, each in own], visible
        )
        found = list(verdicts)
        for k, exercise in enumerate(exercises):
            pairs = [
                (each, reply.response)
                for (name, each), reply in zip(own, run.replies, strict=True)
                if name == exercise.name
            ]
            if pairs:
                trials = prepared[exercise.name][0]
                responses = [replies[exercise.name, n].response for n in range(len(trials))]
                found[k] = _judged(exercise, trials, responses, "", verdicts[k].seed or 0, pairs)
        return found

    def _with_lines(
        self,
        submission: Submission,
        exercises: Sequence[Exercise],
        verdicts: list[Verdict],
        prepared: dict[str, tuple[list[Trial], list[Request]]],
        replies: dict[tuple[str, int], Reply],
    ) -> list[Verdict]:
        """The verdicts, with the first wrong line of those that failed: looked for on visible cases only."""
        source = submission.source
        parts = [source] if isinstance(source, str) else list(source)
        found = list(verdicts)
        for k, (exercise, verdict) in enumerate(zip(exercises, verdicts, strict=True)):
            if not wants_line(verdict):
                continue
            key = exercise.name, verdict.seed or 0, submission.digest
            if key not in self._lines:
                if len(self._lines) >= MOST_VERDICTS:
                    self._lines.clear()
                pairs = [
                    (trial, replies[exercise.name, n].response)
                    for n, trial in enumerate(prepared[exercise.name][0])
                    if trial.instance.visible
                ]
                runner = Runner(exercise, parts, lambda requests: self._asked(submission, requests))
                trials, responses = [t for t, _ in pairs], [r for _, r in pairs]
                with contextlib.suppress(TimeoutError):
                    self._lines[key] = first_wrong(runner, trials, responses, opener().edits)
            found[k] = with_line(exercise, verdict, self._lines.get(key))
        return found

    def _asked(self, submission: Submission, requests: Sequence[Request]) -> Sequence[Response]:
        """The answers to further requests.

        Raises:
            TimeoutError: if one was lost, so that nothing rests on how busy this machine is.
        """
        run = self.isolation.run(submission.source, submission.path.name, list(requests))
        lost = {r.failure.kind for r in run.responses if r.failure is not None} & KINDS_OF_LOSS
        if lost:
            raise TimeoutError(f"{', '.join(sorted(lost))}: the line was not looked for to the end")
        return run.responses

    def _verdict(
        self, exercise: Exercise, trials: list[Trial], replies: list[Reply], load_failure: str, seed: int
    ) -> Verdict:
        """The verdict on an exercise; one on the same bytes, for the same instances, is there already."""
        digest = hashlib.sha256(b"".join(reply.digest for reply in replies)).digest()
        key = exercise.name, seed, load_failure, digest
        if key not in self._verdicts:
            if len(self._verdicts) >= MOST_VERDICTS:
                self._verdicts.clear()
            responses = [reply.response for reply in replies]
            self._verdicts[key] = _judged(exercise, trials, responses, load_failure, seed)
        return self._verdicts[key]


def _judged(
    exercise: Exercise,
    trials: list[Trial],
    responses: Sequence[Response],
    load_failure: str,
    seed: int,
    own: Sequence[tuple[OwnTrial, Response]] = (),
) -> Verdict:
    """The verdict on an exercise: what is said is made from the visible cases only, the score from all.

    Of the hidden cases a student learns whether one fails, if all others pass.
    """
    seen = [k for k, trial in enumerate(trials) if trial.instance.visible]
    own_seen = [pair for pair in own if pair[0].trial.instance.visible]
    shown = _graded(
        exercise, [trials[k] for k in seen], [responses[k] for k in seen], load_failure, seed, own_seen
    )
    if len(seen) == len(trials) or load_failure:
        return shown
    whole = grade(exercise, trials, responses, load_failure=load_failure, seed=seed, diagnose=False, own=own)
    hidden = CheckResult(HIDDEN, NOT_RUN)
    if shown.passed:
        failed = not whole.passed
        hidden = CheckResult(HIDDEN, FAILED if failed else PASSED, "a hidden case fails" if failed else "")
    return replace(shown, checks=(*shown.checks, hidden), score=whole.score)


def _graded(
    exercise: Exercise,
    trials: list[Trial],
    responses: list[Response],
    load_failure: str,
    seed: int,
    own: Sequence[tuple[OwnTrial, Response]],
) -> Verdict:
    """A verdict with its diagnosis, or without one where that can't be made: it is no part of the score."""
    said: dict[str, Any] = {"load_failure": load_failure, "seed": seed, "own": own}
    try:
        return grade(exercise, trials, responses, **said)
    except Exception:
        return grade(exercise, trials, responses, diagnose=False, **said)


def _failed(exercise: Exercise, check: str, why: str, seed: int | None) -> Verdict:
    checks = (CheckResult(check, "failed", why),)
    return Verdict(
        exercise.name, checks, None, exercise.points, 0.0, exercise.hint_level, exercise.hints, seed
    )


def refused(exercises: Sequence[Exercise], submission: Submission, why: str) -> Record:
    """The record of a submission that could not be run, which is its own fault."""
    verdicts = [_failed(e, "loads", why, None) for e in exercises]
    return Record.of(submission, verdicts, "", 0.0, NEVER_RUN)


def not_graded(exercises: Sequence[Exercise], submission: Submission, why: str) -> Record:
    """The record of a submission that was not graded, by no fault of its own."""
    check = (CheckResult("loads", NOT_RUN, "not graded: this is no fault of yours"),)
    verdicts = [Verdict(e.name, check, None, e.points, 0.0, 0, (), None) for e in exercises]
    return Record.of(submission, verdicts, "", 0.0, NEVER_RUN, why)


def _in_words(failure: Failure | None, packages: Sequence[str]) -> str:
    if failure is None:
        return ""
    where = f" ({failure.where})" if failure.where else ""
    allowed = ""
    if failure.kind == "ModuleNotFoundError":
        named = ", ".join(["Python's standard library", "NumPy", *packages])
        allowed = f"; a submission is one file, and may import {named}"
    return f"{failure.kind}: {failure.message}{where}{allowed}"
