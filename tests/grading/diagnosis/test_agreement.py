"""A hypothesis agrees if it gives the student's numbers wherever it says anything."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.agreement import LEAST, nearer, prediction, reproduced


def _wrong(seen):
    rule = seen("sin", lambda g, ans, x: -g * np.cos(x))
    return rule.observations, next(o for o in rule.observations if o.wrong and o.given.size > 1)


def test_what_gives_the_numbers_counts_the_instances_on_which_the_truth_is_another(seen):
    every, first = _wrong(seen)
    count = reproduced(lambda o: -o.right, first, every)
    assert count == sum(o.wrong for o in every) >= LEAST


def test_one_instance_that_speaks_against_it_is_enough(seen):
    every, first = _wrong(seen)
    other = next(o for o in every if o.wrong and o is not first and o.given.size)
    assert reproduced(lambda o: -o.right if o is not other else o.right + 1.0, first, every) == 0


def test_the_truth_explains_no_mistake(seen):
    every, first = _wrong(seen)
    assert reproduced(lambda o: o.right, first, every) == 0


def test_an_experiment_that_can_not_be_made_says_nothing(seen):
    every, first = _wrong(seen)
    assert prediction(lambda o: o.right.reshape(-7, 3), first) is None
    assert reproduced(lambda o: None, first, every) == 0


def test_most_of_an_error_is_enough_to_be_nearer(seen):
    _, first = _wrong(seen)
    assert nearer(lambda o: -0.9 * o.right, first)
    assert not nearer(lambda o: 0.5 * o.right, first)
