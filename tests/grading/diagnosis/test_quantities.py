"""What is right at a point, values and adjoints, is found again in a student's array."""

from __future__ import annotations

import numpy as np

from diffkit.grading.diagnosis.quantities import found_in, quantities


def _known(seen, name="sigmoid", style="vjp", **names):
    look = (
        seen(name, lambda g, ans, x, **_: g, style=style) if not names else seen(name, style=style, **names)
    )
    trial = next(each.trial for each in look.answers if np.size(each.trial.instance.args[0]) > 2)
    return look.exercise, trial


def test_the_answer_and_the_argument_are_known_with_their_adjoints(seen):
    exercise, trial = _known(seen)
    known = quantities(exercise, trial)
    x = np.asarray(trial.instance.args[0])
    y = 1 / (1 + np.exp(-x))
    g = trial.seeds[0][0]
    assert {"value", "adjoint"} <= {q.kind for q in known}
    assert any(q.kind == "value" for q, same in found_in(y, known) if same)
    assert any(q.kind == "adjoint" for q, same in found_in(g * y * (1 - y), known) if same)


def test_in_another_shape_it_is_found_and_said_to_be_so(seen):
    exercise, trial = _known(seen)
    known = quantities(exercise, trial)
    x = np.asarray(trial.instance.args[0])
    assert {same for q, same in found_in(x.reshape(-1, 1, 1), known) if q.kind == "value"} == {False}


def test_what_is_no_quantity_is_not_found(seen):
    exercise, trial = _known(seen)
    known = quantities(exercise, trial)
    assert list(found_in(np.asarray(trial.instance.args[0]) + 17.0, known)) == []
    assert list(found_in(np.array([np.nan]), known)) == []
    assert list(found_in(np.zeros(0), known)) == []


def test_of_forward_mode_none_are_made(seen):
    exercise, trial = _known(seen, "sin", "jvp", sin_jvp=lambda t, ans, x: t)
    assert quantities(exercise, trial) == []
