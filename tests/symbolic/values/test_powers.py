"""Powers at zero: which products are read in the table's stable form, and which stand as they are."""

from __future__ import annotations

import pytest
from sympy import Symbol, log, symbols

from diffkit.expressions import intern
from diffkit.symbolic.values.powers import stable_at_zero

x, y = symbols("x y")
p = Symbol("p", positive=True)


@pytest.mark.parametrize(
    "expr",
    [
        x**2 * log(x),  # an exponent that stands still
        3**y * log(x),  # a base that does
        x**y * log(y),  # another base than the logarithm's
        p**y * log(p),  # a base that is never 0
    ],
)
def test_what_is_no_power_that_may_be_zero_is_left_alone(expr):
    (found,) = stable_at_zero([intern(expr)])
    assert found is intern(expr)


def test_a_power_beside_it_changes_no_other_product():
    open_power, closed = stable_at_zero([intern(x**y * log(x)), intern(x**2 * log(x))])
    assert open_power is not intern(x**y * log(x))
    assert closed is intern(x**2 * log(x))
