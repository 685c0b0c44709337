"""What is kept of a graded submission: plain data, for the journal and for every kind of report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from diffkit.grading.classes.submissions import Submission
from diffkit.grading.inside.wire import clean
from diffkit.grading.judging.results import Verdict

LONGEST_TEXT = 8000
"""Characters of a message that are kept. A student may see to it that there is much to say."""


@dataclass(frozen=True)
class CheckRecord:
    """One check: its name, how it ended, what was found, and the numbers side by side."""

    name: str
    status: str
    message: str
    comparison: str


@dataclass(frozen=True)
class ExerciseRecord:
    """One exercise of one submission.

    Attributes:
        name: the exercise's name.
        score, points: what it earned, of what it is worth.
        passed: whether every check was passed.
        checks: in order.
        mistake: the kind of mistake that was recognised, or "".
        feedback: what the student is told beyond the checks: the diagnosis at the exercise's hint level,
            and the team's hints.
        seed: of the instances, for replay.
        note: what there is to say in place of a mistake: not written yet, not looked for to the end.
        line: the number of the first wrong line in the student's file, from 1, if one was found.
        around: the function that it stands in, or some of it.
        begins: the number of the first line of that.
    """

    name: str
    score: float
    points: float
    passed: bool
    checks: tuple[CheckRecord, ...]
    mistake: str
    feedback: str
    seed: int | None
    note: str = ""
    line: int | None = None
    around: str = ""
    begins: int = 0

    @classmethod
    def of(cls, verdict: Verdict) -> ExerciseRecord:
        """From a verdict, which was made of what its student may see."""
        checks = [
            CheckRecord(
                check.name,
                check.status,
                _cut(check.message),
                _cut(str(check.comparison)) if check.comparison is not None else "",
            )
            for check in verdict.checks
        ]
        feedback = []
        if verdict.diagnosis is not None:
            feedback.append(verdict.diagnosis.message(verdict.hint_level))
        wrong = verdict.wrong_line if not verdict.passed and verdict.hint_level else None
        if wrong is not None:
            feedback.append(_cut(clean(wrong.message(verdict.hint_level))))
        feedback += verdict.hints_due
        return cls(
            verdict.name,
            float(verdict.score),
            float(verdict.points),
            verdict.passed,
            tuple(checks),
            _cut(verdict.diagnosis.mistake) if verdict.diagnosis is not None else "",
            _cut("\n".join(text for text in feedback if text)),
            verdict.seed,
            verdict.diagnosis.name if verdict.diagnosis is not None and not verdict.diagnosis.mistake else "",
            wrong.line if wrong is not None else None,
            _cut(clean(wrong.around)) if wrong is not None else "",
            wrong.begins if wrong is not None else 0,
        )

    def text(self) -> str:
        """What a student reads about it."""
        lines = []
        for check in self.checks:
            if check.status == "not run":
                continue
            lines.append(f"{check.name}: {check.status}" + (f" ({check.message})" if check.message else ""))
            if check.comparison:
                lines += ["", check.comparison, ""]
        if self.feedback:
            lines += ["", self.feedback]
        return "\n".join(lines).strip()


@dataclass(frozen=True)
class Record:
    """One graded submission.

    Attributes:
        student: who handed it in.
        file: the name of the file.
        digest: a hash of the code that was graded.
        exercises: in the assignment's order.
        printed: the beginning of what it printed.
        seconds: how long it ran.
        isolation: which isolation was in force, in a sentence.
        not_graded: why it was not graded, if that was no fault of its own: it has no score then.
        looks: what the team may want to look at by hand: derivatives by differences, and the like.
        outline: a hash of the code but for names, comments and spaces.
    """

    student: str
    file: str
    digest: str
    exercises: tuple[ExerciseRecord, ...]
    printed: str
    seconds: float
    isolation: str
    not_graded: str = ""
    looks: tuple[str, ...] = ()
    outline: str = ""

    @classmethod
    def of(
        cls,
        submission: Submission,
        verdicts: Sequence[Verdict],
        printed: str,
        seconds: float,
        isolation: str,
        not_graded: str = "",
        looks: Sequence[str] = (),
    ) -> Record:
        """From the verdicts of a submission."""
        return cls(
            submission.student,
            submission.path.name,
            submission.digest,
            tuple(map(ExerciseRecord.of, verdicts)),
            _cut(printed),
            round(seconds, 4),
            isolation,
            _cut(not_graded),
            tuple(_cut(look[:300]) for look in looks[:30]),
            submission.outline,
        )

    @property
    def score(self) -> float:
        """The points earned, over all exercises."""
        return float(sum(e.score for e in self.exercises))

    @property
    def points(self) -> float:
        """The points that could be earned."""
        return float(sum(e.points for e in self.exercises))

    @property
    def unread(self) -> str:
        """Why the submission could not be loaded at all, or ""."""
        first = [e.checks[0] if e.checks else None for e in self.exercises]
        if not first or not all(c is not None and c.name == "loads" and c.status == "failed" for c in first):
            return ""
        return first[0].message if first[0] is not None else ""

    def of_exercises(self, names: Sequence[str]) -> Record:
        """The record of some exercises, in this order."""
        known = {e.name: e for e in self.exercises}
        return replace(self, exercises=tuple(known[name] for name in names))

    def with_kept(self, before: Record, names: Sequence[str]) -> Record:
        """This one, with what an earlier one of the same submission says of other exercises."""
        known = [e for e in before.exercises if e.name in names]
        return replace(self, exercises=(*self.exercises, *known))

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Record:
        """The opposite of :meth:`plain`."""
        exercises = tuple(
            ExerciseRecord(**{**e, "checks": tuple(CheckRecord(**c) for c in e["checks"])})
            for e in plain["exercises"]
        )
        return cls(**{**plain, "exercises": exercises, "looks": tuple(plain["looks"])})


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + f" ... ({len(text):,} characters)"
