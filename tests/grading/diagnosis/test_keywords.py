"""Keyword arguments that a rule passes over."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.keywords import keywords


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (keywords, "int_power", 0, lambda g, ans, x, n=3: 3 * g * x**2, "keyword ignored"),
        (
            keywords,
            "leaky_relu",
            0,
            lambda g, ans, x, slope=0.1: g * np.where(x > 0, 1.0, 0.1),
            "keyword ignored",
        ),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (keywords,):
        assert strange.held(family) == set()
