"""A local derivative that no formula gives is shown at an entry; what is not elementwise has none."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.local import wrong_local


def test_a_factor_of_the_cotangent_that_is_not_the_derivative_is_shown(seen):
    look = seen("sin", lambda g, ans, x: g * (np.cos(3 * x) + x**5))
    diagnosis = wrong_local(look.exercise, 0, look.answers)
    assert diagnosis.name == "wrong local derivative"
    assert diagnosis.arguments == ("x",)


def test_a_rule_that_is_no_factor_of_the_cotangent_is_not_named_so(seen):
    for rule in (lambda g, ans, x: g * g * x, lambda g, ans, x: np.sort(g.ravel()).reshape(g.shape) * x):
        look = seen("sin", rule)
        assert wrong_local(look.exercise, 0, look.answers) is None


def test_neither_a_function_that_is_not_elementwise_nor_another_style_has_a_local_derivative(seen):
    look = seen("softmax", lambda g, ans, x, axis=-1: g * x)
    assert wrong_local(look.exercise, 0, look.answers) is None
    look = seen("sin", lambda t, ans, x: t * x, style="jvp")
    assert wrong_local(look.exercise, 0, look.answers) is None
