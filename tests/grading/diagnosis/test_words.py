"""Which product of matrices a student formed: transposed, in another order, by elements."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.words import products


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (products, "matmul", 0, lambda g, ans, x, y: (g @ y, x.T @ g), "missing transpose"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (products,):
        assert strange.held(family) == set()
