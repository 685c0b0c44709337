"""Spreading submissions over processes: a pool of this machine's, or a cluster of several.

A process of the pool holds the truths of the instances that it has prepared, so students with the same
set of instances go to the same process as long as there is work enough. When a process dies, what it was
at is graded once more by another; when that dies as well, the submission is not graded and the rest goes on.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from diffkit.errors import DiffkitError, InputError, how_to_get
from diffkit.grading.classes.grader import Grader, Settings, instance_set, not_graded
from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import Assignment

BROUGHT_DOWN = "grading it brought the grader's process down, each time; please look at it by hand"


# -- this machine's processes ------------------------------------------------------------------------------


def _serve(connection: Connection, settings: Settings) -> None:
    """A process of the pool: grades what it is sent, until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    grader: Grader | None = None
    try:
        grader = settings.grader()
        while True:
            work = connection.recv()
            connection.send(grader.grade(work.submission, work.names))
    except DiffkitError as error:
        connection.send(str(error))
    except (EOFError, BrokenPipeError):
        pass
    finally:
        if grader is not None:
            grader.close()


@dataclass(frozen=True)
class Work:
    """A submission, and the exercises for which it is to be graded."""

    submission: Submission
    names: tuple[str, ...]


@dataclass(eq=False)
class _Member:
    """A process of the pool, what it is at, since when, and which instances it has prepared."""

    process: Any
    connection: Connection
    at: Work | None = None
    since: float = 0.0
    sets: set[int] = field(default_factory=set)


class _Queues:
    """What is still to be graded, by set of instances."""

    def __init__(self, submissions: Sequence[Work], sets: int) -> None:
        self.sets = sets
        self.queues: dict[int, deque[Work]] = {}
        for submission in submissions:
            self.put(submission)
        self.left = len(submissions)
        self.tries: dict[tuple[str, str], int] = {}

    def put(self, work: Work) -> None:
        number = instance_set(work.submission.student, self.sets)
        self.queues.setdefault(number, deque()).append(work)

    def take(self, member: _Member, others: set[int]) -> Work | None:
        """The next one for a process: of a set that it has prepared, or that nobody else has."""

        def preference(number: int) -> tuple[bool, bool, int]:
            return number in member.sets, number not in others, len(self.queues[number])

        waiting = [number for number, queue in self.queues.items() if queue]
        if not waiting:
            return None
        number = max(waiting, key=preference)
        member.sets.add(number)
        return self.queues[number].popleft()


def by_pool(
    settings: Settings, assignment: Assignment, submissions: Sequence[Work], count: int
) -> Iterator[tuple[Work, Record]]:
    """Grades submissions in ``count`` processes, and gives the records as they come.

    Raises:
        InputError: if the assignment can't be graded at all.
    """
    work = _Queues(submissions, settings.sets)
    # A submission may take its time for each exercise; beyond that, the process has hung.
    patience = assignment.limits.wall_time * (len(assignment.exercises) + 1) + 300.0
    members: list[_Member] = []
    try:
        while work.left:
            while len(members) < min(count, work.left):
                members.append(_started(settings))
            for member in members:
                if member.at is None:
                    others = {n for m in members if m is not member for n in m.sets}
                    member.at, member.since = work.take(member, others), time.monotonic()
                    if member.at is not None:
                        with contextlib.suppress(OSError):  # it has died, and will be found dead below
                            member.connection.send(member.at)
            wait([m.connection for m in members], timeout=5.0)
            for member in list(members):
                yield from _heard(member, members, work, assignment, patience)
    finally:
        for member in members:
            _ended(member)


def _heard(
    member: _Member, members: list[_Member], work: _Queues, assignment: Assignment, patience: float
) -> Iterator[tuple[Work, Record]]:
    """What came from a process, if anything did: its record, or what follows from its end."""
    hung = member.at is not None and time.monotonic() - member.since > patience
    if not hung and not member.connection.poll():
        return
    try:
        if hung:
            raise EOFError
        answer = member.connection.recv()
    except (EOFError, OSError):
        members.remove(member)
        _ended(member)
        if member.at is not None:
            key = member.at.submission.student, member.at.submission.digest
            work.tries[key] = work.tries.get(key, 0) + 1
            if work.tries[key] < 2:
                work.put(member.at)
            else:
                work.left -= 1
                yield member.at, _given_up(assignment, member.at)
        elif not work.tries.setdefault(("", ""), 0):
            work.tries["", ""] = 1
        else:
            raise InputError("the processes that grade can't be started") from None
        return
    if isinstance(answer, str):
        raise InputError(answer)
    done, member.at = member.at, None
    assert done is not None
    work.left -= 1
    yield done, answer


def _given_up(assignment: Assignment, work: Work) -> Record:
    return not_graded(
        [e for e in assignment.exercises if e.name in work.names], work.submission, BROUGHT_DOWN
    )


def _started(settings: Settings) -> _Member:
    # Started afresh and not forked: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
    process.start()
    theirs.close()
    return _Member(process, ours)


def _ended(member: _Member) -> None:
    """Ends a process: its template ends with it, for its standard input then closes."""
    member.connection.close()
    member.process.join(0.0 if member.at is not None else 2.0)
    if member.process.is_alive():
        member.process.kill()
    member.process.join()


# -- a cluster -----------------------------------------------------------------------------------------------

_graders: dict[Settings, Grader] = {}
_one_at_a_time = threading.Lock()


def _on_cluster(settings: Settings, work: Work) -> Record:
    """On a worker of a cluster, which has the assignment at the same path; it may have several threads."""
    with _one_at_a_time:
        if settings not in _graders:
            _graders[settings] = settings.grader()
        return _graders[settings].grade(work.submission, work.names)


def by_cluster(
    settings: Settings, assignment: Assignment, submissions: Sequence[Work], address: str
) -> Iterator[tuple[Work, Record]]:
    """Grades submissions on a dask.distributed cluster, and gives the records as they come.

    Args:
        settings: the settings; the assignment's path must be the same on all machines.
        assignment: the assignment, with the exercises that are graded.
        submissions: what to grade.
        address: the scheduler's, ``tcp://host:8786``, or "local" for a cluster of this machine's.

    Raises:
        InputError: if dask.distributed is not installed, or there is no scheduler at the address.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise InputError(f"grading on a cluster needs dask.distributed: {how_to_get('cluster')}") from None
    local = None
    try:
        if address == "local":
            local = distributed.LocalCluster(threads_per_worker=1, dashboard_address=None)
        client = distributed.Client(local if local is not None else address, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"can't reach a cluster at {address!r}: {error}") from None
    try:
        futures = {
            client.submit(_on_cluster, settings, work, pure=False, retries=3): work for work in submissions
        }
        for future in distributed.as_completed(futures):
            try:
                yield futures[future], future.result()
            except distributed.KilledWorker:  # by more workers than dask has patience for
                yield futures[future], _given_up(assignment, futures[future])
    finally:
        client.close()
        if local is not None:
            local.close()
