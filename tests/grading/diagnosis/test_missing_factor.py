"""Factors that are found by search: ans, x, a logarithm."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.missing_factor import constant_ratio, factors, fitted_factors


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (factors, "exp", 0, lambda g, ans, x: g * ans * x, "missing factor"),
        (factors, "sqrt", 0, lambda g, ans, x: g / (2 * ans) / (1 + x), "missing factor"),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        factors,
        fitted_factors,
    ):
        assert strange.held(family) == set()


def test_a_constant_ratio_is_told_from_one_that_is_none(seen):
    twice = [o for o in seen("exp", lambda g, ans, x: 2 * g * ans).observations if o.wrong]
    by_x = [o for o in seen("exp", lambda g, ans, x: g * ans * x).observations if o.wrong]
    assert {round(r, 9) for o in twice if (r := constant_ratio(o)) is not None} == {2.0}
    assert None in {constant_ratio(o) for o in by_x}
