"""The right numbers in another shape, and what was broadcast and not summed."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.broadcasting import broadcasting, reshaped


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (broadcasting, "multiply", 0, lambda g, ans, x, y: (g * y, g * x), "broadcast not summed"),
        (reshaped, "sin", 0, lambda g, ans, x: np.ravel(g * np.cos(x)), "shape"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        broadcasting,
        reshaped,
    ):
        assert strange.held(family) == set()
