"""A path that was left out: of x * x one use, of softmax the sum."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.paths import paths


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (paths, "softmax", 0, lambda g, ans, x, axis=-1: g * ans, "path dropped"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (paths,):
        assert strange.held(family) == set()
