"""Three sentences for each kind of mistake, filled in, each plainer than the one before."""

from __future__ import annotations

import pytest

from diffkit.grading.diagnosis.messages import MESSAGES, located, messages, named


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_each_kind_has_three_sentences_without_holes(name):
    for arguments in ((), ("x",), ("x", "y")):
        told = messages(name, arguments, "a detail")
        assert len(told) == 3
        assert all(text and "{" not in text and " ()" not in text and "  " not in text for text in told)


def test_a_misconception_of_a_course_team_says_it_all_in_its_message():
    assert messages("their own", ("x",), "look at slide 12") == ("look at slide 12",)


def test_the_arguments_are_named():
    assert "x and y" in " ".join(messages("sign", ("x", "y"), ""))


def test_of_an_engine_the_operation_is_said_last():
    diagnosis = located(named("overwritten", (), "in a * b", 4))
    assert diagnosis.messages[2] == "Look at what is passed on in a * b."
    plain = named("overwritten", (), "", 4)
    assert located(plain) is plain
