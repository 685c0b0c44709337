"""What calls show by themselves: inputs that are changed, answers that differ, what is kept from before."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from diffkit.grading.diagnosis.calls import between_calls


def _in_place(g, ans, x):
    g *= np.cos(x)
    return g


def _counting():
    calls = itertools.count(1)
    return lambda g, ans, x: next(calls) * g * np.cos(x)


class _Stale:
    """Keeps what its class saw last."""

    def forward(self, x):
        type(self).x = x
        return np.sin(x)

    def backward(self, g):
        return g * np.cos(self.x)


@pytest.mark.parametrize(
    ("rule", "name"),
    [(_in_place, "changed in place"), (_counting(), "not repeatable")],
    ids=["in place", "counting"],
)
def test_it_is_named_whatever_the_numbers_are(seen, rule, name):
    look = seen("sin", rule)
    assert between_calls(look.exercise, look.answers).name == name


def test_what_a_later_object_kept_is_a_stale_cache(seen):
    look = seen("sin", style="gate", Sin=_Stale)
    assert between_calls(look.exercise, look.answers).name == "stale cache"


def test_of_plain_wrong_numbers_nothing_is_said(seen):
    look = seen("sin", lambda g, ans, x: -g * np.cos(x))
    assert between_calls(look.exercise, look.answers) is None
