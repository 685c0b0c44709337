"""What is kept of a graded submission."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diffkit.grading.classes.records import ExerciseRecord, Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.judging.results import CheckResult, Diagnosis, SideBySide, Verdict

COMPARISON = SideBySide("tall case", (("x", "1.5"),), (("dx", 2.0, 3.0, True),))
DIAGNOSIS = Diagnosis("sign", ("The sign is wrong.", "Look at x.", "It is minus."), ("x",), 3)


def verdict(*checks: CheckResult, **more) -> Verdict:
    return Verdict(
        "exp", checks, more.pop("diagnosis", DIAGNOSIS), points=2.0, hints=("See chapter 3.",), **more
    )


def test_comes_back_from_the_journal_as_it_was() -> None:
    checks = (CheckResult("loads", "passed"), CheckResult("values", "failed", "wrong", COMPARISON))
    submission = Submission("ann\ud800", Path("subs/ann.py"), "x = 1")
    record = Record.of(submission, [verdict(*checks, seed=4)], "printed\n", 0.123456, "walls")
    assert Record.read(json.loads(json.dumps(record.plain()))) == record
    assert (record.score, record.points, record.file, record.seconds) == (0.0, 2.0, "ann.py", 0.1235)


@pytest.mark.parametrize(
    ("level", "said"),
    [(0, "See chapter 3."), (1, "The sign is wrong.\nSee chapter 3."), (3, "It is minus.\nSee chapter 3.")],
)
def test_feedback_goes_as_far_as_the_hint_level(level, said) -> None:
    record = ExerciseRecord.of(verdict(CheckResult("values", "failed"), hint_level=level))
    assert record.feedback.endswith(said)
    assert ("Look at x." in record.feedback) == (level >= 2)
    assert record.mistake == "sign"  # for the team, whatever the student sees


def test_no_hints_for_who_passes() -> None:
    record = ExerciseRecord.of(verdict(CheckResult("values", "passed"), diagnosis=None, score=2.0))
    assert (record.feedback, record.passed, record.mistake) == ("", True, "")


@pytest.mark.parametrize(
    ("check", "mistake"),
    [("loads", None), ("names", None), ("contract", Diagnosis("not written yet", (), (), 4))],
)
def test_no_hints_before_an_attempt(check: str, mistake: Diagnosis | None) -> None:
    untried = verdict(CheckResult(check, "failed"), diagnosis=mistake)
    assert "chapter" not in ExerciseRecord.of(untried).text() + str(untried)
    tried = verdict(CheckResult("values", "failed"), diagnosis=None)
    assert "chapter" in ExerciseRecord.of(tried).text()
    assert "chapter" in str(tried)


def test_a_students_record_has_an_end_however_much_there_is_to_say() -> None:
    check = CheckResult("names", "failed", "x" * 10_000_000)
    diagnosis = Diagnosis("y" * 10**6, ("z" * 10**6,), ("x",), 3)
    submission = Submission("ann", Path("ann.py"), "")
    record = Record.of(submission, [verdict(check, diagnosis=diagnosis)], "p" * 10**6, 0.0, "walls")
    assert len(json.dumps(record.plain())) < 40_000


def test_the_text_leaves_out_what_was_not_run() -> None:
    checks = (CheckResult("loads", "passed"), CheckResult("values", "not run"))
    assert ExerciseRecord.of(verdict(*checks)).text().splitlines()[0] == "loads: passed"
    assert "not run" not in ExerciseRecord.of(verdict(*checks)).text()
