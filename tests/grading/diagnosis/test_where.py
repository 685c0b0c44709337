"""Where no hypothesis gives the numbers: what shapes say, and which cases fail."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.where import by_where_it_fails


def _named(seen, name, rule, part=0):
    look = seen(name, rule).part(part)
    return by_where_it_fails(look, [o for o in look if o.wrong], ("x",))


def test_an_answer_that_is_as_large_as_the_jacobian_is_one(seen):
    diagnosis = _named(seen, "sin", lambda g, ans, x: np.diag(np.ravel(g * np.cos(x))))
    assert diagnosis.name in ("Jacobian returned", "wrong shape")


def test_failing_exactly_where_a_keyword_is_given_is_that_keyword(seen):
    def strange(g, ans, x, n=3):
        return g * (3 * x**2 if n == 3 else x**7 + 1)

    assert _named(seen, "int_power", strange).name == "keyword ignored"


def test_wrong_shapes_everywhere_are_the_shape(seen):
    assert _named(seen, "sin", lambda g, ans, x: np.ones(x.size + 1)).name == "wrong shape"


def test_a_few_failures_say_nothing(seen):
    look = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5)).observations
    assert by_where_it_fails(look, [o for o in look if o.wrong][:2], ("x",)) is None
