"""Hostile submissions, graded for real: no undeserved point, no crash, no effect on the next."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.submissions import Submission, read_submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.wall.sandbox import why_no_bubblewrap, why_no_users
from tests.grading.attacks import ATTACKS, Attack
from tests.grading.honest import submission

ASSIGNMENT = '''
"""Two exercises"""
from diffkit.grading import Case, Exercise, Limits, draws
import numpy as np

limits = Limits(wall_time=1.0, processor_time=3.0, memory=1 << 30, processes=32)
exercises = [
    Exercise(np.multiply, [Case("square", draws.normal("nn"), draws.normal("nn"))], points=2,
             name="multiply", arguments=("x", "y")),
    Exercise(np.tanh, [Case("plain", draws.normal("n"))], points=3, name="tanh", arguments=("x",)),
]
'''

MODES = {
    "bubblewrap": why_no_bubblewrap,
    "user": why_no_users,
    "off": lambda: "",
}


# Where the higher wall stands, it is tried each time, and what there is without it by CI.
WITHOUT = [] if why_no_bubblewrap() else [pytest.mark.slow]


@pytest.fixture(scope="module", params=["bubblewrap", "user", pytest.param("off", marks=WITHOUT)])
def grader(request, tmp_path_factory):
    if reason := MODES[request.param]():
        pytest.skip(reason)
    path = tmp_path_factory.mktemp("course") / "homework.py"
    path.write_text(ASSIGNMENT)
    grader = Grader(load_assignment(path), 3, sets=1, sandbox=request.param)
    yield grader
    grader.close()


def hand_in(attack: Attack, folder: Path) -> Submission:
    path = folder / "solution.py"
    path.write_bytes(attack.code.encode() if attack.raw is None else attack.raw)
    return read_submission(path)


def test_there_are_many_and_each_is_another() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 100


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_earns_nothing_and_disturbs_nobody(grader: Grader, attack: Attack, tmp_path: Path) -> None:
    record = grader.grade(hand_in(attack, tmp_path))
    first, second = record.exercises
    assert first.score == 0.0, first.text()
    assert not first.passed
    assert attack.says in first.text() + record.printed, (first.text(), record.printed)
    assert "could not be judged" not in first.text() + second.text()
    if attack.second:
        assert second.score == 3.0, second.text()
    assert "ESCAPED" not in record.printed
    assert not Path("/tmp/escaped").exists()
    # The next in line is not touched by it, in whatever way it ended.
    started = time.monotonic()
    after = grader.grade(Submission("ann", Path("ann.py"), submission("multiply", "tanh")))
    assert after.score == after.points == 5.0, after
    assert after.printed == ""
    assert time.monotonic() - started < 5.0


def test_nothing_is_left_running(grader: Grader, tmp_path: Path) -> None:
    template = grader.isolation._template
    assert template is not None
    children = Path(f"/proc/{template.pid}/task/{template.pid}/children").read_text().split()
    assert len(children) == (
        1 if grader.isolation.wall.bubblewrap else 0
    )  # bubblewrap's own, which is the template


def test_an_honest_submission_passes_in_every_mode(grader: Grader) -> None:
    code = submission("multiply", "tanh") + "\nprint('hello')\n"
    record = grader.grade(Submission("ann", Path("ann.py"), code))
    assert record.score == record.points
    assert record.printed == "hello\n"
    assert record.isolation == grader.isolation.in_force
    assert os.getcwd()
