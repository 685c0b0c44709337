"""Right formulas with wrong numbers: difference quotients and epsilons."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading.diagnosis.numerics import epsilons, error_size, not_finite, quotients

from ..collection.right import unbroadcast as U

H = 1e-4


@pytest.mark.parametrize(
    ("family", "name", "part", "rule", "expected"),
    [
        (quotients, "exp", 0, lambda g, ans, x: g * (np.exp(x + H) - ans) / H, "finite differences"),
        (
            epsilons,
            "divide",
            0,
            lambda g, ans, x, y: (U(g / (y + 1e-8), x), -g * x / y**2),
            "epsilon misplaced",
        ),
    ],
)
def test_it_gives_the_numbers(seen, family, name, part, rule, expected):
    assert expected in seen(name, rule).held(family, part)


def test_nothing_of_it_gives_the_numbers_of_another_mistake(seen):
    strange = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    for family in (
        epsilons,
        quotients,
    ):
        assert strange.held(family) == set()


def test_the_size_of_an_error_is_relative_to_the_largest_entry(seen):
    (first, *_) = [o for o in seen("exp", lambda g, ans, x: 1.001 * g * ans).observations if o.wrong]
    assert error_size(first) == pytest.approx(1e-3)


def test_infinities_where_the_truth_is_finite_are_an_overflow(seen):
    rule = seen("softplus", lambda g, ans, x: g * np.exp(x) / (1 + np.exp(x)))
    assert not_finite([o for o in rule.observations if o.wrong], ("x",)).name == "overflow"
