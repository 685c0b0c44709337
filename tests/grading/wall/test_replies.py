"""Replies are read when they are looked at, and equal ones are judged once."""

from __future__ import annotations

from pathlib import Path

import pytest

from diffkit.grading.classes import grader as grader_module
from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.inside import wire
from diffkit.grading.inside.protocol import Failure, Request, Response, Step, StepResult, Target
from diffkit.grading.wall.replies import Reply, read
from tests.grading.honest import submission, write_assignment

REQUEST = Request(Target("f", "vjp", ("f_vjp",)), (), (), (Step("g", "backward", 0, 0, 0),) * 2)


def reply(*steps: StepResult) -> Reply:
    return Reply(REQUEST, wire.write(Response(steps)))


def test_an_answer_to_each_step_is_taken_as_it_is() -> None:
    assert reply(StepResult(), StepResult()).response == Response((StepResult(), StepResult()))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_answers_to_more_or_fewer_steps_are_none(steps: int) -> None:
    failure = reply(*[StepResult()] * steps).response.failure
    assert failure is not None
    assert failure.kind == "Garbled"


def test_noise_is_a_failure() -> None:
    assert Reply(REQUEST, b"noise").response == read(b"noise")


def test_digests_tell_bytes_and_reasons_apart() -> None:
    told = [
        reply(StepResult()),
        reply(StepResult(grouped=True)),
        Reply(REQUEST, failure=Failure("Ended", "a")),
        Reply(REQUEST, failure=Failure("Ended", "\ud800")),
    ]
    assert len({one.digest for one in told}) == 4
    assert reply(StepResult()).digest == told[0].digest


def test_equal_answers_are_judged_once_and_others_anew(tmp_path: Path, monkeypatch) -> None:
    judged: list[str] = []
    real = grader_module.grade

    def counted(exercise, *args, **options):
        judged.append(exercise.name)
        return real(exercise, *args, **options)

    monkeypatch.setattr(grader_module, "grade", counted)
    grader = Grader(load_assignment(write_assignment(tmp_path, "multiply", "tanh")), 1, sets=1, sandbox="off")
    wrong = {"tanh": "return g * (1 - x**2)"}

    def graded(student: str, **rules: str):
        code = submission("multiply", "tanh", **rules)
        return grader.grade(Submission(student, Path(f"{student}.py"), code))

    try:
        ann, bob = graded("ann"), graded("bob")
        assert judged == ["multiply", "tanh"]
        assert ann.score == bob.score == 4.0
        cid, dot = graded("cid", **wrong), graded("dot", **wrong)
        assert judged == ["multiply", "tanh", "tanh"]
        assert cid.score == dot.score == 2.0
        assert cid.exercises == dot.exercises
        # The least difference counts as one.
        assert graded("eve", tanh="return g * (1 - ans**2) * (1 + 1e-6)").score == 2.0
        assert judged == ["multiply", "tanh", "tanh", "tanh"]
    finally:
        grader.close()
