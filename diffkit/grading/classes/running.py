"""Grading a class: every submission in isolation, on all cores, with a journal that a killed run resumes.

What the pool's processes find is written to the journal one submission at a time, and only what is
not in it yet is graded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffkit.grading.classes.grader import NEVER_RUN, SETS, Settings
from diffkit.grading.classes.journal import Journal
from diffkit.grading.classes.pool import Work, by_cluster, by_pool
from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import Assignment


@dataclass(frozen=True)
class ClassRun:
    """What grading a class resulted in.

    Attributes:
        assignment: the assignment, with the exercises that were graded.
        records: one for each submission, in the order of the students' names.
        seed: of the secret instances.
        graded: how many were graded now; the others were in the journal.
        seconds: the time that took.
        damaged: the lines of the journal that are damaged, or were edited: what they held was graded again.
    """

    assignment: Assignment
    records: tuple[Record, ...]
    seed: int
    graded: int
    seconds: float
    damaged: tuple[int, ...] = ()

    @property
    def not_graded(self) -> tuple[Record, ...]:
        """Those that were not graded, by no fault of their own."""
        return tuple(record for record in self.records if record.not_graded)

    @property
    def isolations(self) -> list[str]:
        """What was in force while they ran, each once."""
        return sorted({r.isolation for r in self.records} - {NEVER_RUN})


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
        submissions: from :func:`~diffkit.grading.classes.submissions.find_submissions`.
        results: the folder of the journal.
        workers: how many processes; one for each core by default.
        only: grade some exercises only.
        seed: of the secret instances; else the assignment's, the journal's, or a fresh one.
        same_for_all: the same instances for everyone.
        sandbox: see :class:`~diffkit.grading.wall.isolation.Isolation`.
        cluster: the address of a dask.distributed scheduler, or "local" for a cluster of this machine.
        progress: called with the student's name after each submission, those of the journal first.

    Returns:
        A ClassRun: one record for each submission, in their order, and how many were graded now.

    Raises:
        InputError: for an exercise or sandbox that there is not, a journal of another run, an unwritable
            folder, or a cluster without the extra.
        IsolationError: if submissions can't be run here.

    >>> import tempfile
    >>> from diffkit.grading import load_assignment, read_submission
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     week, ada = Path(folder, "week.py"), Path(folder, "ada.py")
    ...     text = "from diffkit.grading import catalogue; exercises = [catalogue.exercise('multiply')]"
    ...     _ = week.write_text(text)
    ...     _ = ada.write_text("def multiply_vjp(g, answer, x, y): return g * y, g * x")
    ...     given = load_assignment(week), [read_submission(ada)], Path(folder, "results")
    ...     first, again = grade_class(*given, workers=1), grade_class(*given, workers=1)
    >>> first.graded, again.graded, again.records[0].exercises[0].mistake
    (1, 0, 'broadcast not summed')
    """
    chosen = assignment.only(only) if only else assignment
    sets = 1 if same_for_all else SETS
    started = time.monotonic()
    wanted = seed if seed is not None else assignment.seed
    journal = Journal(Path(results) / "journal.jsonl", chosen, wanted, sets)
    try:
        waiting = []
        for submission in submissions:
            if names := journal.missing(submission):
                waiting.append(Work(submission, names))
            elif progress is not None:
                progress(submission.student)
        settings = Settings(str(assignment.path.resolve()), only, journal.seed, sets, sandbox)
        if cluster:
            graded = by_cluster(settings, chosen, waiting, cluster)
        else:
            graded = by_pool(settings, chosen, waiting, workers or os.cpu_count() or 1)
        for work, record in graded:
            journal.add(work.submission, record, work.names)
            if progress is not None:
                progress(record.student)
    finally:
        journal.close()
    records = [journal.record(s) for s in submissions]
    seconds = time.monotonic() - started
    return ClassRun(chosen, tuple(records), journal.seed, len(waiting), seconds, tuple(journal.damaged))
