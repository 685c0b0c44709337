"""The terms of a tangent, each by itself: with the other arguments' tangents zero."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.agreement import reproduced
from diffkit.grading.diagnosis.evidence import close
from diffkit.grading.diagnosis.factors import whole_answer
from diffkit.grading.diagnosis.terms import terms


def _look(seen):
    return seen("multiply", lambda t, ans, x, y: t[0] * y - x * t[1], style="jvp")


def test_a_term_is_what_is_left_when_the_others_are_right(seen):
    for o, whole in zip(terms((look := _look(seen)).observations, 0), look.observations, strict=True):
        x, y = whole.args
        assert close(o.right, np.broadcast_to(o.seeds[0] * y, whole.right.shape), atol=1e-12)
        assert close(o.given - o.right, whole.given - whole.right, atol=1e-12)
        assert o.x is x or np.array_equal(o.x, x)


def test_an_experiment_moves_one_tangent_alone(seen):
    (first, *_) = [o for o in terms(_look(seen).observations, 1) if o.right.size > 1]
    x, _ = first.args
    assert close(first.pull(), np.broadcast_to(x * first.seeds[0], first.right.shape))


def test_a_term_with_the_wrong_sign_is_named_so(seen):
    of_y = terms(_look(seen).observations, 1)
    first = next(o for o in of_y if o.wrong and o.given.size > 1)
    held = {name for name, _, h in whole_answer(first) if reproduced(h, first, of_y) >= 3}
    assert held == {"sign"}
