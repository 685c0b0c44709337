"""Signs, constants, sizes, decimals cut off: rules with one of these wrong are recognised by it."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.factors import size_factors, truncation, whole_answer


def averaged_over_all(g, ans, x, axis=None, keepdims=False):
    """A mean's rule, for a sum."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape) / x.size


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (whole_answer, "sin", 0, lambda g, ans, x: -g * np.cos(x), "sign"),
        (whole_answer, "sin", 0, lambda g, ans, x: np.zeros_like(x), "zero returned"),
        (whole_answer, "sin", 0, lambda g, ans, x: 2 * g * np.cos(x), "constant factor"),
        (size_factors, "sum", 0, averaged_over_all, "size factor"),
        (truncation, "sin", 0, lambda g, ans, x: np.trunc(g * np.cos(x)), "integer truncation"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        size_factors,
        truncation,
        whole_answer,
    ):
        assert strange.held(family) == set()
