"""Operands and axes that changed places, or were left out."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.operands import operands, order, permutations, transposes

from ..collection.right import unbroadcast as U


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (operands, "multiply", 0, lambda g, ans, x, y: (U(g * x, x), U(g * y, y)), "operands swapped"),
        (operands, "exp", 0, lambda g, ans, x: g * np.exp(ans), "ans for x"),
        (order, "flip", 0, lambda g, ans, x, axis=None: g, "axes in another order"),
        (permutations, "flip", 0, lambda g, ans, x, axis=None: g, "entries in reverse order"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        operands,
        order,
        permutations,
        transposes,
    ):
        assert strange.held(family) == set()
