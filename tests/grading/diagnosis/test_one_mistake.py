"""The search for one mistake: what calls show comes first, then the parts, then what remains."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.budget import Budget
from diffkit.grading.diagnosis.one_mistake import diagnose, unfinished
from diffkit.grading.judging.results import UNFINISHED


def _diagnosis(look, **options):
    return diagnose(look.exercise, look.answers, **options)


def test_the_same_mistake_in_two_arguments_is_one_mistake_of_both(seen):
    diagnosis = _diagnosis(seen("multiply", lambda g, ans, x, y: (g * y, g * x)))
    assert (diagnosis.name, diagnosis.arguments) == ("broadcast not summed", ("x", "y"))


def test_a_mistake_in_one_argument_is_that_ones(seen):
    diagnosis = _diagnosis(seen("sin", lambda g, ans, x: -g * np.cos(x)))
    assert (diagnosis.name, diagnosis.arguments) == ("sign", ("x",))


def test_what_the_calls_show_comes_before_the_numbers(seen):
    def in_place(g, ans, x):
        g *= -np.cos(x)
        return g

    assert _diagnosis(seen("sin", in_place)).name == "changed in place"


def test_a_term_of_a_tangent_that_is_missing_is_a_dropped_path_of_its_argument(seen):
    diagnosis = _diagnosis(seen("multiply", lambda t, ans, x, y: t[0] * y + 0 * ans, style="jvp"))
    assert (diagnosis.name, diagnosis.arguments) == ("path dropped", ("y",))


def test_without_work_left_the_end_is_open(seen):
    look = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    assert _diagnosis(look, budget=Budget(1)) == unfinished()
    assert unfinished().name == UNFINISHED
