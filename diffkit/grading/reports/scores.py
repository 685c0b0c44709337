"""The scores as a table for the learning system, and how many made which mistake."""

from __future__ import annotations

import statistics
import unicodedata
from collections import Counter
from typing import Any

from diffkit.grading.classes.records import ExerciseRecord, Record
from diffkit.grading.classes.running import ClassRun
from diffkit.grading.inside.wire import clean
from diffkit.grading.judging.results import FAILED
from diffkit.grading.wall.isolation import KINDS_OF_LOSS
from diffkit.tables import Table


def scores(run: ClassRun, brief: bool = False) -> Table:
    """A row for each student: the total, the score of each exercise, and the mistakes recognised.

    ``brief`` says of a mistake only in how many exercises it was made: of many, all do not fit a line. It
    also says what else there are no points for, a file that could not be loaded, a rule that is not in it,
    one that never ends: their zeros would puzzle whoever reads the terminal.

    Who was not graded, by no fault of theirs, comes first and has no score.
    """
    names = [exercise.name for exercise in run.assignment.exercises]
    rows = [
        [
            safe(record.student),
            *_points(record),
            _mistakes(record, brief),
        ]
        for record in not_graded_first(run)
    ]
    return Table(["student", "score", *names, "mistakes"], rows, caption=run.assignment.title)


def not_graded_first(run: ClassRun) -> list[Record]:
    """The records, in the order of the names; those that somebody has to see to before the others."""
    return sorted(run.records, key=lambda record: not record.not_graded)


def _points(record: Record) -> list[Any]:
    if record.not_graded:
        return [None] * (1 + len(record.exercises))
    return [round(record.score, 6), *(round(e.score, 6) for e in record.exercises)]


def _mistakes(record: Record, brief: bool) -> str:
    if record.not_graded:
        return "not graded" if brief else f"not graded: {clean(record.not_graded)}"
    if not brief:
        return "; ".join(f"{e.name}: {clean(e.mistake)}" for e in record.exercises if e.mistake)
    if record.unread:
        return "could not be loaded"
    counts = Counter(clean(e.mistake) or e.note or _without_answers(e) for e in record.exercises)
    return "; ".join(what + (f" ({n})" if n > 1 else "") for what, n in counts.items() if what)


def _without_answers(exercise: ExerciseRecord) -> str:
    """What kept an exercise from being answered at all, or "" if it was answered."""
    failed = next((check for check in exercise.checks if check.status == FAILED), None)
    if failed is not None and failed.name == "names":
        return "not defined"
    if failed is not None and failed.message.startswith(tuple(f"{kind}:" for kind in KINDS_OF_LOSS)):
        return failed.message.partition(" (")[0].partition(": ")[2]
    return ""


def summary(run: ClassRun) -> str:
    """How the class did, in a sentence or two."""
    left = sum(bool(r.not_graded) for r in run.records)
    scores, points = [r.score for r in run.records if not r.not_graded], run.assignment.points
    not_graded = f"NOT GRADED, by no fault of theirs: {left}; run it again. " if left else ""
    if not scores:
        return not_graded.strip() or "No submissions."
    full, none = sum(s == points for s in scores), sum(s == 0 for s in scores)
    unread = sum(bool(r.unread) for r in run.records)
    what = "submission" if len(scores) == 1 else "submissions"
    mean, middle = statistics.fmean(scores), statistics.median(scores)
    text = (
        f"{not_graded}{len(scores)} {what}, {mean:.3g} of {points:g} points on average, median {middle:g}. "
    )
    text += f"All points: {full}; none: {none}"
    return text + (f", of which {unread} could not be loaded." if unread else ".")


def safe(student: str) -> str:
    """A student's name as a spreadsheet may have it: never a formula, in whatever width it is written.

    >>> safe("ann"), safe("=HYPERLINK(1)"), safe("＝1")
    ('ann', "'=HYPERLINK(1)", "'＝1")
    """
    name = clean(student).replace("\n", "\ufffd").replace("\t", "\ufffd")
    return f"'{name}" if unicodedata.normalize("NFKC", name).startswith(("=", "+", "-", "@")) else name


def misconceptions(run: ClassRun) -> Table:
    """How often each mistake was recognised in each exercise, the commonest first."""
    counts = Counter((e.mistake, e.name) for r in run.records for e in r.exercises if e.mistake)
    students = len(run.records)
    rows = [
        [clean(mistake), name, count, f"{count / students:.0%}"]
        for (mistake, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Table(["mistake", "exercise", "students", "share"], rows, caption="Mistakes that were recognised")
