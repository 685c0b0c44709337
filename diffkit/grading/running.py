"""Grading a class: every submission in isolation, on all cores, with a journal that a killed run resumes.

The pool's processes are the grader's own: each holds the truths, and an :class:`Isolation` of its own
in which submissions run. What they find is written to the journal one submission at a time, and
only what is not in it yet is graded.
"""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import os
import secrets
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.grading.assignment import Assignment, load_assignment
from diffkit.grading.checks import grade
from diffkit.grading.isolation import Isolation
from diffkit.grading.protocol import Failure
from diffkit.grading.records import Record
from diffkit.grading.results import CheckResult, Verdict
from diffkit.grading.submissions import Submission, violations
from diffkit.grading.trials import Trial, prepare

__all__ = ["ClassRun", "Grader", "Journal", "grade_class"]

SETS = 4
"""How many sets of secret instances there are; students are spread over them by name."""


class Grader:
    """Grades one submission after the other, each in isolation.

    Args:
        assignment: the assignment.
        seed: what the secret instances are drawn from.
        sets: how many sets of instances; 1 gives everyone the same.
        visible_only: leave the hidden cases out, as when students check for themselves.
        sandbox: see :class:`Isolation`.
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
        self.isolation = Isolation(assignment.limits, sandbox)
        self._trials: dict[tuple[str, int], list[Trial]] = {}

    def close(self) -> None:
        """Ends the isolation's processes."""
        self.isolation.close()

    def _set_of(self, student: str) -> int:
        return self.seed + zlib.crc32(student.encode("utf-8", "surrogatepass")) % self.sets

    def _prepared(self, name: str, seed: int) -> list[Trial]:
        if (name, seed) not in self._trials:
            exercise = next(e for e in self.assignment.exercises if e.name == name)
            self._trials[name, seed] = prepare(exercise, seed, visible_only=self.visible_only)
        return self._trials[name, seed]

    def grade(self, submission: Submission) -> Record:
        """All exercises of one submission."""
        seed = self._set_of(submission.student)
        if submission.problem:
            verdicts = [
                self._refused(e, "loads", submission.problem, seed) for e in self.assignment.exercises
            ]
            return self._record(submission, verdicts, "", 0.0)
        verdicts = []
        rules = {e.name: violations(submission.code, e) for e in self.assignment.exercises}
        asked = [e for e in self.assignment.exercises if not rules[e.name]]
        trials = {e.name: self._prepared(e.name, seed) for e in asked}
        requests = [t.request for e in asked for t in trials[e.name]]
        run = self.isolation.run(submission.code, submission.path.name, requests)
        responses = iter(run.responses)
        load_failure = _in_words(run.load_failure)
        for exercise in self.assignment.exercises:
            if rules[exercise.name]:
                verdicts.append(self._refused(exercise, "names", "; ".join(rules[exercise.name]), seed))
                continue
            answers = [next(responses) for _ in trials[exercise.name]]
            verdicts.append(
                grade(exercise, trials[exercise.name], answers, load_failure=load_failure, seed=seed)
            )
        return self._record(submission, verdicts, run.printed, run.seconds)

    def _record(
        self, submission: Submission, verdicts: list[Verdict], printed: str, seconds: float
    ) -> Record:
        exercises = self.assignment.exercises
        return Record.of(submission, verdicts, printed, seconds, self.isolation.in_force, exercises)

    def _refused(self, exercise: Any, check: str, why: str, seed: int) -> Verdict:
        checks = (CheckResult(check, "failed", why),)
        return Verdict(
            exercise.name, checks, None, exercise.points, 0.0, exercise.hint_level, exercise.hints, seed
        )


def _in_words(failure: Failure | None) -> str:
    if failure is None:
        return ""
    where = f" ({failure.where})" if failure.where else ""
    return f"{failure.kind}: {failure.message}{where}"


# -- the journal ----------------------------------------------------------------------------------------


class Journal:
    """One line for each graded submission, on disk before the next is begun.

    The first line says what was graded, and from which seed. A journal of another assignment is not
    continued.

    Raises:
        InputError: if the file is there and is not this assignment's journal, or can't be written.
    """

    def __init__(self, path: Path, assignment: Assignment, seed: int | None, sets: int) -> None:
        self.path = path
        self.records: dict[tuple[str, str], Record] = {}
        lines = _whole_lines(path)
        head = {
            "assignment": assignment.digest,
            "exercises": [e.name for e in assignment.exercises],
            "sets": sets,
        }
        if lines:
            found = lines[0]
            if {k: found.get(k) for k in head} != head or (seed is not None and found["seed"] != seed):
                raise InputError(
                    f"{path} is the journal of another run (another assignment, seed or choice of exercises); "
                    "name another folder with -o, or remove it"
                )
            self.seed = int(found["seed"])
            for line in lines[1:]:
                record = Record.read(line)
                self.records[record.student, record.digest] = record
        else:
            self.seed = secrets.randbelow(2**31) if seed is None else seed
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _cut_half_a_line(path)
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise InputError(
                f"can't write {str(path)!r}: {(error.strerror or str(error)).lower()}"
            ) from error
        if not lines:
            self._write({**head, "seed": self.seed, "started": time.strftime("%Y-%m-%d %H:%M:%S")})

    def add(self, record: Record) -> None:
        """Writes a record down for good."""
        self.records[record.student, record.digest] = record
        self._write(record.plain())

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """The journal's lines; one that a killed run left half written is not one."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                raise InputError(f"{path} is not a journal of diffkit") from None
    return lines


def _cut_half_a_line(path: Path) -> None:
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(path, whole)


# -- all of them -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassRun:
    """What grading a class resulted in.

    Attributes:
        assignment: the assignment.
        records: one for each submission, in the order of the students' names.
        seed: of the secret instances.
        graded: how many were graded now; the others were in the journal.
        seconds: the time that took.
    """

    assignment: Assignment
    records: tuple[Record, ...]
    seed: int
    graded: int
    seconds: float


_grader: Grader | None = None


def _initialize(path: str, only: tuple[str, ...], seed: int, sets: int, sandbox: str) -> None:
    """In a process of the pool: loads the assignment and starts an isolation, once."""
    global _grader
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    assignment = load_assignment(path)
    _grader = Grader(assignment.only(only) if only else assignment, seed, sets=sets, sandbox=sandbox)


def _grade_one(submission: Submission) -> Record:
    assert _grader is not None
    return _grader.grade(submission)


_on_cluster: dict[tuple[Any, ...], Grader] = {}


def _grade_on_cluster(settings: tuple[Any, ...], submission: Submission) -> Record:
    """On a worker of a cluster, which has the assignment at the same path."""
    if settings not in _on_cluster:
        path, only, seed, sets, sandbox = settings
        assignment = load_assignment(path)
        _on_cluster[settings] = Grader(
            assignment.only(only) if only else assignment, seed, sets=sets, sandbox=sandbox
        )
    return _on_cluster[settings].grade(submission)


def grade_class(
    assignment: Assignment,
    submissions: Sequence[Submission],
    results: str | os.PathLike[str],
    *,
    workers: int | None = None,
    only: tuple[str, ...] = (),
    seed: int | None = None,
    same_for_all: bool = False,
    sandbox: str = "auto",
    cluster: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> ClassRun:
    """Grades submissions and keeps a journal of it in the folder ``results``.

    Started again after it was killed, it goes on where it was. A submission that has changed since is
    graded again.

    Args:
        assignment: the assignment, all of it.
        submissions: from :func:`find_submissions`.
        results: the folder of the journal.
        workers: how many processes; one for each core by default.
        only: grade some exercises only.
        seed: of the secret instances; else the assignment's, the journal's, or a fresh one.
        same_for_all: the same instances for everyone.
        sandbox: see :class:`Isolation`.
        cluster: the address of a dask.distributed scheduler, or "local" for a cluster of this machine.
        progress: called with the student's name after each submission.

    Raises:
        InputError: for a journal of another run, an unwritable folder, or a cluster without the extra.
    """
    chosen = assignment.only(only) if only else assignment
    sets = 1 if same_for_all else SETS
    journal = Journal(
        Path(results) / "journal.jsonl", chosen, seed if seed is not None else assignment.seed, sets
    )
    started = time.monotonic()
    waiting = [s for s in submissions if (s.student, s.digest) not in journal.records]
    settings = (str(assignment.path.resolve()), only, journal.seed, sets, sandbox)
    count = max(1, min(workers or os.cpu_count() or 1, len(waiting)))
    try:
        if waiting:
            graded = (
                _by_cluster(settings, waiting, cluster) if cluster else _by_pool(settings, waiting, count)
            )
            for record in graded:
                journal.add(record)
                if progress is not None:
                    progress(record.student)
    finally:
        journal.close()
    records = tuple(journal.records[s.student, s.digest] for s in submissions)
    return ClassRun(chosen, records, journal.seed, len(waiting), time.monotonic() - started)


def _by_pool(settings: tuple[Any, ...], waiting: Sequence[Submission], count: int) -> Iterator[Record]:
    # Started afresh and not forked: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(
        count, mp_context=context, initializer=_initialize, initargs=settings
    )
    with pool:
        futures = [pool.submit(_grade_one, submission) for submission in waiting]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _by_cluster(settings: tuple[Any, ...], waiting: Sequence[Submission], address: str) -> Iterator[Record]:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "grading on a cluster needs dask.distributed: pip install 'diffkit[cluster]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=10) if address != "local" else distributed.Client()
    except (OSError, ValueError) as error:
        raise InputError(f"can't reach the cluster at {address!r}: {error}") from None
    with client:
        futures = client.map(lambda s: _grade_on_cluster(settings, s), list(waiting), pure=False, retries=3)
        for future in distributed.as_completed(futures):
            yield future.result()
