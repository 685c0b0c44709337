"""What becomes of the cotangent: forgotten, squared, passed on, used from the other side."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.cotangents import cotangent, jacobians


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (cotangent, "sin", 0, lambda g, ans, x: np.cos(x), "upstream forgotten"),
        (cotangent, "sin", 0, lambda g, ans, x: g * g * np.cos(x), "upstream squared"),
        (cotangent, "sin", 0, lambda g, ans, x: g, "local derivative forgotten"),
        (jacobians, "softmax", 0, lambda g, ans, x, axis=-1: g * ans * (1 - ans), "diagonal only"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        cotangent,
        jacobians,
    ):
        assert strange.held(family) == set()
