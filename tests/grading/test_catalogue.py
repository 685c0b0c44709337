"""The catalogue: complete, drawn in short decimals, with references that are right."""

from __future__ import annotations

import re

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.grading import catalogue
from diffkit.grading.draws import Sizes, at, normal
from diffkit.grading.exercises.exercise import Case, Exercise
from diffkit.grading.self_test.self_test import prove

ASKED_FOR = """add subtract multiply divide power negative exp log sqrt sin cos tanh sigmoid relu leaky_relu
softplus gelu abs maximum clip matmul dot affine outer sum mean var norm prod nansum cumsum logsumexp
logcumsumexp softmax log_softmax cross_entropy squared_error huber hinge layer_norm batch_norm conv1d conv2d
max_pool dropout embedding gather concatenate reshape transpose permute broadcast solve inverse determinant
rad2deg multigammaln""".split()


def test_everything_that_was_asked_for_is_there():
    assert set(ASKED_FOR) <= set(catalogue.names())


@pytest.mark.parametrize("name", catalogue.names())
def test_the_reference_is_right_and_the_known_mistakes_fail(name):
    table, proven = prove([catalogue.exercise(name)], seed=4)
    assert proven, str(table)


def test_a_wrong_reference_is_found():
    exercise = catalogue.exercise("square", reference=lambda g, ans, x: 2.001 * g * x)
    table, proven = prove([exercise], seed=1)
    assert not proven
    assert "is wrong" in table["outcome"][0]


def test_a_known_wrong_answer_that_passes_is_found():
    def not_wrong(g, ans, x):
        return 2 * g * x

    table, proven = prove([catalogue.exercise("square", wrong=(not_wrong,))], seed=1)
    assert not proven
    assert table["outcome"][-1] == "passes, and must not"


@pytest.mark.parametrize("name", ["multiply", "divide"])
@pytest.mark.parametrize("style", ["vjp", "gate", "partials", "jvp"])
def test_wrong_answers_of_arithmetic_in_several_styles(name, style):
    table, proven = prove([catalogue.exercise(name, style=style)], seed=1)
    assert proven, str(table)
    outcomes = [row[2] for row in table.rows if row[1].startswith("wrong answer:")]
    assert len(outcomes) == 3
    telling = {"vjp": 3, "gate": 3, "partials": 2 if name == "divide" else 1, "jvp": 0}[style]
    assert sum(outcome == "fails, as it should" for outcome in outcomes) == telling


def test_wrong_tangents_and_wrong_engines_are_tried():
    def tangent_without_cosine(t, ans, x):
        return t

    class Value:
        """Which adds nothing up."""

        def __init__(self, data):
            self.data, self.grad = data, 0.0

    exercises = [
        catalogue.exercise("sin", style="jvp", wrong=(tangent_without_cosine,)),
        catalogue.exercise("Value", wrong=(Value,)),
    ]
    table, proven = prove(exercises, seed=1)
    assert proven, str(table)
    assert list(table["outcome"]).count("fails, as it should") == 2
    assert "(7 of 7 cases)" in table["outcome"][0]

    def right(t, ans, x):
        return t * np.cos(x)

    assert not prove([catalogue.exercise("sin", style="jvp", wrong=(right,))], seed=1)[1]


def test_a_wrong_reference_of_a_jvp_exercise_is_found(monkeypatch):
    from diffkit.grading.judging import trials

    def wrongly(function, places):
        return lambda args, kwargs: lambda seeds: (1.001 * seeds[0] * np.cos(args[0]),)

    monkeypatch.setattr(trials, "traced_forward", wrongly)
    table, proven = prove([catalogue.exercise("sin", style="jvp")], seed=1)
    assert not proven
    assert "is wrong on the case" in table["outcome"][0]


def test_inputs_are_short_decimals():
    for name in ("multiply", "matmul", "softmax", "cross_entropy"):
        for instance in catalogue.exercise(name).instances(seed=2):
            if instance.name in ("ordinary", "square", "rows", "a batch"):
                for value in instance.args:
                    for number in np.ravel(value):
                        assert re.fullmatch(r"-?\d(\.\d{1,2})?", f"{number:.6g}")


def test_letters_stand_for_different_sizes():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        assert len(set(normal("nmk")(rng, Sizes(rng)).shape)) == 3


def test_the_answer_of_a_draw_depends_on_the_seed_alone():
    a, b = (catalogue.exercise("affine").instances(seed=9) for _ in range(2))
    assert all(np.array_equal(x.ans, y.ans) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: catalogue.exercise("square", color="red"), "has no 'color'"),
        (lambda: catalogue.exercise("square", style="poem"), "no submission style"),
        (lambda: catalogue.exercise("square", hint_level=9), "hint_level"),
        (lambda: Exercise(np.sin, []), "needs a ladder"),
        (lambda: Exercise(3, [Case("a", normal("n"))]), "forward function"),
        (lambda: Exercise(lambda x: x, [Case("a", normal("n"))]), "give the exercise a name"),
        (lambda: Exercise(np.sin, [Case("a", 3.0)], arguments=("x",)), "drawn from"),
    ],
)
def test_errors_of_the_course_team(make, words):
    with pytest.raises((InputError, AttributeError), match=words):
        make().instances(1)


def test_a_case_that_does_not_fit_the_function_is_named():
    exercise = Exercise(
        np.matmul, [Case("crooked", normal("23"), normal("23"))], "crooked", arguments=("x", "y")
    )
    with pytest.raises(InputError, match="fails on the case 'crooked'"):
        exercise.instances(1)


def test_values_at_given_points_are_shuffled():
    drawn = {tuple(at(1.0, 2.0, 3.0)(np.random.default_rng(k), None)) for k in range(20)}
    assert len(drawn) > 3
