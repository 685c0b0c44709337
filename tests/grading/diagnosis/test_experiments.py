"""The families of hypotheses: each in one list only, simplest first, and silent about right answers."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.experiments import ENGINES, EXPERIMENTS, LATER


def test_no_family_is_tried_twice():
    assert len({*EXPERIMENTS, *LATER}) == len(EXPERIMENTS) + len(LATER)
    assert len(set(ENGINES)) == len(ENGINES)


def test_the_simplest_comes_first(seen):
    """-g cos x is a sign, and -1 times it too, and 1 the factor that is missing: the sign is what is said."""
    look = seen("sin", lambda g, ans, x: -g * np.cos(x))
    first = next(family for family in (*EXPERIMENTS, *LATER) if look.held(family))
    assert look.held(first) == {"sign"}


def test_right_answers_leave_nothing_to_any_family(seen):
    look = seen("sin", lambda g, ans, x: g * np.cos(x))
    assert [look.held(family) for family in (*EXPERIMENTS, *LATER)] == [set()] * len((*EXPERIMENTS, *LATER))
