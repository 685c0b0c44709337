"""Where the numbers say nothing, the exception, the form, the ties and the law of linearity do."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.remaining import what_remains


def _raising(g, ans, x):
    raise RuntimeError("not done yet")


@pytest.mark.parametrize(
    ("exercise", "rule", "name"),
    [
        ("sin", _raising, "raises"),
        ("sin", lambda g, ans, x: "a text", "not an array"),
        ("multiply", lambda g, ans, x, y: g, "wrong count"),
        ("sin", lambda g, ans, x: g * g * np.cos(x), "not linear"),
        ("sin", lambda g, ans, x: np.cos(x) * np.ones_like(g), "upstream forgotten"),
    ],
)
def test_it_says_what_is_left_to_say(seen, exercise, rule, name):
    look = seen(exercise, rule)
    assert what_remains(look.exercise, look.answers, look.observations).name == name


def test_an_exception_is_quoted_with_its_line(seen):
    look = seen("sin", _raising)
    (diagnosis,) = [what_remains(look.exercise, look.answers, look.observations)]
    assert "RuntimeError: not done yet" in " ".join(diagnosis.messages)


def test_wrong_numbers_that_are_linear_in_the_cotangent_have_nothing_remaining(seen):
    look = seen("sin", lambda g, ans, x: g * x)
    assert what_remains(look.exercise, look.answers, look.observations) is None
