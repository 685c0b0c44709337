"""One part of the answers: the first hypothesis that holds is the diagnosis of it."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.hypotheses import one_part


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (lambda g, ans, x: -g * np.cos(x), "sign"),
        (lambda g, ans, x: np.cos(x), "upstream forgotten"),
        (lambda g, ans, x: g, "local derivative forgotten"),
        (lambda g, ans, x: 0.0 * x, "zero returned"),
        (lambda g, ans, x: (g * np.cos(x)).astype(np.float32), "float32"),
        (lambda g, ans, x: np.full_like(x, np.nan), "not finite"),
        (lambda g, ans, x: g * np.cos(x) * x, "missing factor"),
    ],
)
def test_a_part_is_named_by_the_first_that_holds(seen, rule, name):
    with np.errstate(all="ignore"):
        diagnosis = one_part(("x",), seen("sin", rule).observations)
    assert diagnosis.name == name
    assert diagnosis.instances >= 3


def test_what_no_hypothesis_gives_has_no_name(seen):
    look = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    assert one_part(("x",), look.observations) is None
