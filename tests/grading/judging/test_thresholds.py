"""Where a verdict turns: every threshold is met from both sides, near."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, draws
from diffkit.grading.inside.student_side import load
from diffkit.grading.judging.answers import Answer
from diffkit.grading.judging.nearness import differences, known, valid_at_kink
from diffkit.grading.judging.truth import Truth, traced
from diffkit.grading.self_test.in_process import grade_in_process


@pytest.mark.parametrize(("off", "enough"), [(0.5e-4, True), (0.99e-4, True), (1.01e-4, False), (1.0, False)])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_known_is_a_ten_thousandth_of_the_largest_entry(off, enough, size):
    right, tolerance = np.array([size, 0.1 * size]), np.array([0.0, off * size])
    assert known([right], [tolerance], [0.0]) is enough
    assert known([0.1 * right], [tolerance], [size]) is enough  # or of the size that it has by nature
    assert known([right, right], [0.0 * right, tolerance], [0.0, 0.0]) is enough
    assert known([np.array([size, np.inf])], [np.array([off * size, np.nan])], [0.0]) is enough


@pytest.mark.parametrize(("off", "wrong"), [(0.0, False), (0.99e-6, False), (1.01e-6, True), (np.nan, True)])
def test_an_entry_may_be_off_by_its_tolerance(off, wrong):
    right, tolerance = np.array([2.0, 3.0, np.inf]), np.array([0.0, 1e-6, 0.0])
    (found,) = differences(Answer((right + np.array([0.0, off, 0.0]),)), [right], [tolerance])
    assert found.tolist() == [False, wrong, False]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("beyond", [0.0, 5e-7, 3e-6, 1e-4, 0.5])
def test_at_a_kink_what_lies_between_the_slopes_is_valid_and_little_more(scale, beyond):
    x = np.array([1.0, 0.0])
    truth = Truth(traced(np.abs, (0,)), (x,), {}, (0,), np.abs(x), (np.ones(2),), function=np.abs)
    seeds = (scale * np.ones(2),)
    for slope in (-1.0 - beyond, 1.0 + beyond):
        answer = Answer((scale * np.array([1.0, slope]),))
        assert valid_at_kink(truth, seeds, answer) is (beyond < 1e-6)
    assert valid_at_kink(truth, seeds, Answer((scale * np.array([1.0, 0.3]),)))
    assert not valid_at_kink(truth, seeds, Answer((scale * np.array([1.0 + 3e-6 + beyond, 0.3]),)))


@pytest.mark.parametrize(
    "odd", [np.sign, lambda g: np.abs(g) > 1.0, lambda g: np.sign(np.sum(g))], ids=["sign", "size", "sum"]
)
@pytest.mark.parametrize(
    ("off", "linear", "values"),
    [
        (1e-15, "passed", "passed"),
        (1e-13, "passed", "passed"),
        (1e-11, "failed", "failed"),
        (1e-9, "failed", "failed"),
    ],
)
def test_linearity_and_values_hold_to_rounding(graded, odd, off, linear, values):
    verdict = graded("square", lambda g, ans, x: 2 * g * x * (1 + off * odd(g)), draws=2)
    assert (verdict.check("linear").status, verdict.check("values").status) == (linear, values)


@pytest.mark.parametrize(
    ("off", "status"),
    [(0.0, "passed"), (1e-15, "passed"), (1e-12, "failed"), (1e-6, "failed"), (-1.0, "failed")],
)
def test_at_a_kink_the_rows_add_up_to_the_whole(graded, off, status):
    """Each row's slope is valid by itself, and so is that of the whole; they are another's."""

    def rule(g, ans, x):
        at_zero = 1.0 if np.count_nonzero(g) == 1 else 1.0 + off
        return g * np.where(x == 0.0, at_zero, x > 0.0)

    verdict = graded("relu", rule)
    assert verdict.check("values").status == status, str(verdict)


OWN = """
import numpy as np

def loss_forward(x):
    return {} , x

def loss_backward(dout, cache):
    return dout * {} * 3 * cache**2 / 2
"""


@pytest.mark.parametrize(
    ("value", "factor", "status"),
    [
        ("np.sum(x**3) / 2", 1.0, "passed"),
        ("np.round(np.sum(x**3) / 2, 10)", 1.0, "passed"),
        ("np.round(np.sum(x**3) / 2, 10)", 1.001, "failed"),
        ("np.round(np.sum(x**3) / 2, 3)", 1.0, "inconclusive"),
        ("np.round(np.sum(x**3) / 2, 3)", 1.001, "inconclusive"),
    ],
)
def test_a_forward_pass_that_is_rounded_tells_as_much_as_its_digits(value, factor, status):
    exercise = Exercise(lambda x: np.sum(x**3), [Case("ordinary", draws.normal("4"))], "loss", style="pair")
    module = load(OWN.format(value, factor), "a.py", "rounded_submission")
    verdict = grade_in_process(exercise, module, seed=1)
    assert verdict.check("own forward").status == status
