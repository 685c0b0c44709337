"""What the diagnosis goes by: parts of answers, beside what is right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diffkit.grading.diagnosis.evidence import close, negated


def test_numbers_are_close_relative_to_the_largest():
    assert close([1.0, 1e6], [1.0 + 1e-4, 1e6])
    assert not close([1.0, 1e6], [1.01, 1e6])
    assert not close([1.0], [[1.0]])
    assert close([1.0], [1.5], atol=1.0)


def test_what_is_not_finite_must_be_so_in_both():
    assert close([math.inf, 1.0], [math.inf, 1.0])
    assert not close([math.inf, 1.0], [1.0, 1.0])
    assert not close([1.0, 1.0], [math.nan, 1.0])


def test_every_part_of_every_answer_is_seen_with_its_argument(seen):
    look = seen("multiply", lambda g, ans, x, y: (g * y, g))
    assert {o.part for o in look.observations} == {0, 1}
    for o in look.part(1):
        assert o.x is o.args[1] or np.array_equal(o.x, o.args[1])
        assert o.right.shape == o.x.shape


@pytest.mark.parametrize("name", ["sin", "exp", "softmax"])
def test_a_right_answer_is_not_wrong_and_an_experiment_at_the_point_gives_the_truth(seen, name):
    look = seen(name, lambda g, ans, x, **_: 0.0 * x)
    for o in look.observations:
        if o.right.size and np.isfinite(o.right).all():
            assert close(o.pull(), o.right, 1e-7, o.tolerance)


def test_an_experiment_that_fails_gives_nothing(seen):
    (first, *_) = seen("sin", lambda g, ans, x: g).observations
    assert first.pull(args=["a text"]) is None
    assert negated(None) is None
    assert negated(np.array([1.0, -2.0])).tolist() == [-1.0, 2.0]
