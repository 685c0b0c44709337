"""The journal by itself: what it keeps, whatever happens to its file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from diffkit.errors import InputError
from diffkit.grading.classes.grader import not_graded
from diffkit.grading.classes.journal import Journal
from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.judging.results import CheckResult, Verdict
from tests.grading.honest import write_assignment

NAMES = ("multiply", "tanh")
CLASS = [Submission(name, Path(f"{name}.py"), f"# {name}\n") for name in ("ann", "bob", "cid")]


@pytest.fixture
def assignment(tmp_path: Path):
    return load_assignment(write_assignment(tmp_path, *NAMES))


def graded(submission: Submission, names=NAMES, score: float = 2.0) -> Record:
    verdicts = [Verdict(n, (CheckResult("values", "passed"),), None, 2.0, score) for n in names]
    return Record.of(submission, verdicts, "", 0.1, "walls")


@pytest.fixture
def opened(tmp_path: Path):
    """Opens the journal; the one that was opened before is closed."""
    known: list[Journal] = []

    def again(assignment, **options) -> Journal:
        for journal in known:
            journal.close()
        file = tmp_path / "results" / "journal.jsonl"
        known.append(Journal(file, assignment, **{"seed": 5, "sets": 4, **options}))
        return known[-1]

    yield again
    for journal in known:
        journal.close()


@pytest.fixture
def path(assignment, opened) -> Path:
    """The journal of a class of three."""
    journal = opened(assignment)
    for submission in CLASS:
        journal.add(submission, graded(submission), NAMES)
    journal.close()
    return journal.path


DAMAGES = [
    lambda line: b"\0" * len(line),
    lambda line: b"noise",
    lambda line: b"[" * 9000,
    lambda line: b"{}",
    lambda line: line.replace(b'"score": 2.0', b'"score": 99'),
    lambda line: line.replace(b'"score": 2.0', b'"score": "2"'),
    lambda line: line.replace(b'"score": 2.0', b'"score": NaN'),
    lambda line: line.replace(b"bob", b"dot"),
    lambda line: line.replace(b'"sign": "', b'"sign": "0'),
    lambda line: line.replace(b'"sign": "', b'"sign": 3, "x": "'),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_costs_that_line_and_is_named(assignment, opened, path, damage) -> None:
    lines = path.read_bytes().splitlines()
    spoilt = damage(lines[2])
    assert spoilt != lines[2]
    path.write_bytes(b"\n".join([*lines[:2], spoilt, *lines[3:]]) + b"\n")
    journal = opened(assignment)
    assert journal.damaged == [3]
    assert [journal.missing(s) for s in CLASS] == [(), NAMES, ()]
    journal.add(CLASS[1], graded(CLASS[1]), NAMES)
    journal.close()
    journal = opened(assignment)
    assert [journal.missing(s) for s in CLASS] == [(), (), ()]


def test_a_damaged_first_line_is_said_to_be_that(assignment, opened, path) -> None:
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    with pytest.raises(InputError, match="its first line is damaged, in which the seed stands"):
        opened(assignment)


def test_half_a_line_is_no_damage(assignment, opened, path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    journal = opened(assignment)
    assert (journal.damaged, [journal.missing(s) for s in CLASS]) == ([], [(), (), NAMES])
    journal.close()
    path.write_bytes(whole.splitlines(keepends=True)[0][:-40])
    journal = opened(assignment, seed=7)
    assert (journal.seed, [journal.missing(s) for s in CLASS]) == (7, [NAMES] * 3)


def test_a_full_disk_is_a_sentence(assignment, opened, path, monkeypatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = opened(assignment)
    changed = Submission("ann", Path("ann.py"), "# another\n")
    with monkeypatch.context() as patched:
        patched.setattr("diffkit.grading.classes.journal.os.fsync", full)
        with pytest.raises(InputError, match=r"can't write .*: no space left on device; what was graded"):
            journal.add(changed, graded(changed), NAMES)
    journal.close()
    journal = opened(assignment)
    assert [journal.missing(s) for s in CLASS] == [(), (), ()]


def test_what_was_not_graded_is_still_to_be(assignment, opened) -> None:
    journal = opened(assignment)
    journal.add(CLASS[0], not_graded(assignment.exercises, CLASS[0], "no memory"), NAMES)
    journal.close()
    journal = opened(assignment)
    assert journal.missing(CLASS[0]) == NAMES
    journal.add(CLASS[0], graded(CLASS[0]), NAMES)
    assert journal.missing(CLASS[0]) == ()
    assert journal.record(CLASS[0]).score == 4.0


def test_one_exercise_graded_again_leaves_the_others(assignment, opened, path) -> None:
    journal = opened(assignment.only(("tanh",)))
    journal.add(CLASS[0], graded(CLASS[0], ("tanh",), 1.0), ("tanh",))
    assert journal.record(CLASS[0]).score == 1.0
    journal.close()
    journal = opened(assignment)
    assert journal.missing(CLASS[0]) == ()
    assert [(e.name, e.score) for e in journal.record(CLASS[0]).exercises] == [
        ("multiply", 2.0),
        ("tanh", 1.0),
    ]
