"""Each check by itself: what it catches, what it says, and what it leaves alone."""

from __future__ import annotations

import types

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, catalogue, draws
from diffkit.grading.judging.results import CHECKS


def statuses(verdict):
    return {check.name: check.status for check in verdict.checks}


def test_the_checks_come_in_order_and_pass_for_a_right_rule(graded):
    verdict = graded("square", lambda g, ans, x: 2 * g * x)
    names = [check.name for check in verdict.checks]
    assert names == [name for name in CHECKS if name in names]
    assert set(statuses(verdict).values()) == {"passed"}
    assert verdict.score == 1.0


def test_a_missing_name(graded):
    verdict = graded("square", squared_vjp=lambda g, ans, x: 2 * g * x)
    assert verdict.check("names").status == "failed"
    assert "square_vjp" in verdict.check("names").message
    assert verdict.score == 0.0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda g, ans, x, y: g, "one value was returned; return 2 as a tuple"),
        (lambda g, ans, x, y: (g, g, g), "3 values were returned"),
        (lambda g, ans, x, y: (g, None), "the cotangent of y is None"),
        (lambda g, ans, x, y: (g, "g"), "the cotangent of y is of type str"),
        (lambda g, ans, x, y: (np.atleast_1d(g), g), "the cotangent of x has shape (1,); it must be ()"),
        (lambda g, ans, x, y: (np.float32(g), g), "dtype float32; it must be float64"),
        (lambda g, ans, x, y: (g * 1j, g), "dtype complex128"),
        (lambda g, ans, x, y: (g > 0, g), "dtype bool"),
        (lambda g, ans, x, y: (np.matrix(np.ones((2, 2))), g), "is of type matrix"),
        (lambda g, ans, x, y: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda g, ans: g, "TypeError"),
    ],
)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_contract(graded, rule, words):
    verdict = graded("add", rule, draws=1)
    assert verdict.check("contract").status == "failed"
    assert words in verdict.check("contract").message


def test_an_exception_is_no_end_of_the_other_checks(graded):
    def rule(g, ans, x):
        if x.ndim == 2:
            raise ValueError("two axes are too many")
        return 2 * g * x

    verdict = graded("square", rule)
    cases = dict(verdict.check("values").cases)
    assert cases["rectangular"] == "failed"
    assert cases["ordinary"] == "passed"
    assert "two axes are too many" in verdict.check("contract").message


@pytest.mark.parametrize("zero", [0, False, np.int64(0), 0.0, np.float64(0.0)])
def test_a_number_has_no_dtype(zero):
    """MiniTorch's and micrograd's relu: a plain 0 on scalars."""
    from diffkit.grading.self_test.in_process import grade_in_process

    class Relu:
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x if x > 0 else zero

        @staticmethod
        def backward(ctx, d):
            (x,) = ctx.saved_tensors
            return d if x > 0 else zero

    exercise = Exercise(
        lambda x: np.maximum(x, 0),
        [Case("scalar", draws.normal(""))],
        "relu",
        style="context",
        arguments=("x",),
    )
    verdict = grade_in_process(exercise, types.SimpleNamespace(Relu=Relu), seed=1)
    assert verdict.passed, str(verdict)


def test_whole_numbers_from_arithmetic_on_scalars_are_numbers(graded):
    exercise = Exercise(lambda x: 2.0 * x, [Case("scalar", draws.normal(""))], "twice", arguments=("x",))
    from diffkit.grading.self_test.in_process import grade_in_process

    rule = types.SimpleNamespace(twice_vjp=lambda g, ans, x: g * 2 if g != int(g) else int(g) * 2)
    assert grade_in_process(exercise, rule, seed=1).passed
    array = graded("square", lambda g, ans, x: np.zeros(x.shape, dtype=int) if x.size == 0 else 2 * g * x)
    assert "dtype int64; it must be float64" in array.check("contract").message


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RecursionError])
def test_whatever_a_worker_meets_becomes_text(error):
    from diffkit.grading.inside.student_side import perform
    from diffkit.grading.judging.trials import prepare

    class Submission:
        @staticmethod
        def square_vjp(g, ans, x):
            raise error("stop")

    (first, *_) = prepare(catalogue.exercise("square"), 1, draws=1)
    response = perform(Submission, first.request)
    assert {step.failure.kind for step in response.steps} == {error.__name__}


@pytest.mark.parametrize("place", ["g", "x"])
def test_changes_in_place_are_seen(graded, place):
    def rule(g, ans, x):
        answer = 2 * g * x
        array = g if place == "g" else x
        if array.size:
            array += 1.0
        return answer

    verdict = graded("square", rule)
    assert f"{place} was changed in place" in verdict.check("contract").message
    assert verdict.diagnosis.name == "changed in place"
    assert verdict.check("values").status == "passed"


def test_random_answers_are_seen(graded):
    rng = np.random.default_rng(0)
    verdict = graded("square", lambda g, ans, x: 2 * g * x * (1 + 1e-10 * rng.standard_normal(x.shape)))
    assert "another answer" in verdict.check("contract").message


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda g, ans, x: 2 * g * x + 1, "for g = 0 the answer is not 0"),
        (lambda g, ans, x: 2 * np.abs(g) * x, "for -g the answer is not minus"),
        (lambda g, ans, x: 2 * g * x * np.abs(g), "for 2g the answer is not twice"),
    ],
)
def test_linearity(graded, rule, words):
    verdict = graded("square", rule)
    assert words in verdict.check("linear").message


def test_a_sum_of_two_cotangents(graded):
    """Homogeneous and odd, but not additive."""
    verdict = graded(
        "softmax", lambda g, ans, x, axis=-1: ans * np.sign(g) * np.abs(g).max(axis, keepdims=True)
    )
    assert "the sum of two" in verdict.check("linear").message.replace("a sum of two", "the sum of two")


def test_feedback_shows_the_smallest_failing_instance_in_short_decimals(graded):
    verdict = graded("multiply", lambda g, ans, x, y: (g * y, g * x))
    shown = verdict.check("values").comparison
    text = str(verdict)
    assert "expected  given" in text
    for _, value in shown.inputs:
        for number in value.replace("[", " ").replace("]", " ").replace(",", " ").split():
            assert len(number.lstrip("-")) <= 4
    assert any(entry[3] for entry in shown.entries)


def test_a_hint_level_shows_as_much_of_the_diagnosis_as_the_team_wants(graded):
    diagnosis = graded("square", lambda g, ans, x: g * x).diagnosis
    assert diagnosis.message(0) == ""
    shown = [diagnosis.message(level) for level in (1, 2, 3)]
    assert shown[0] in shown[1] in shown[2]
    assert len(set(shown)) == 3


@pytest.mark.parametrize("half", [0.0, 0.5, 1.0])
def test_any_valid_subgradient_passes(graded, half):
    assert graded("relu", lambda g, ans, x: g * np.heaviside(x, half)).passed
    assert graded("maximum", lambda g, ans, x, y: _max_rule(g, x, y, half)).passed


@pytest.mark.parametrize("half", [-0.01, 1.01])
def test_no_other_value_passes_at_a_kink(graded, half):
    assert not graded("relu", lambda g, ans, x: g * np.heaviside(x, half)).passed
    assert not graded("maximum", lambda g, ans, x, y: _max_rule(g, x, y, half)).passed


def _max_rule(g, x, y, half):
    from tests.grading.collection.right import unbroadcast

    share = (x > y) + half * (x == y)
    return unbroadcast(g * share, x), unbroadcast(g * (1 - share), y)


def test_points_are_all_or_none_unless_partial_credit_is_asked_for():
    from dataclasses import replace

    from diffkit.grading.inside.student_side import perform
    from diffkit.grading.judging.trials import prepare
    from diffkit.grading.marking import grade

    class Submission:
        @staticmethod
        def add_vjp(g, ans, x, y):
            return g, g

    exercise = catalogue.exercise("add", points=10)
    trials = prepare(exercise, 1)
    responses = [perform(Submission, t.request, Exception) for t in trials]
    assert grade(exercise, trials, responses).score == 0
    partly = grade(replace(exercise, partial=True), trials, responses).score
    assert 0 < partly < 10


@pytest.mark.parametrize("name", ["square", "prod", "softmax", "cross_entropy", "affine", "max_pool"])
def test_zeros_earn_nothing_even_with_partial_credit(name):
    from diffkit.grading.self_test.in_process import grade_in_process
    from diffkit.grading.self_test.model_answers import submission

    exercise = catalogue.exercise(name, partial=True)

    def zeros(g, ans, *args, **kwargs):
        found = tuple(np.zeros_like(args[k]) for k in exercise.differentiated)
        return found if len(found) > 1 else found[0]

    assert grade_in_process(exercise, submission(exercise, zeros), seed=1).score == 0


def test_seeds_replay(graded):
    exercise = catalogue.exercise("matmul")
    one, again, other = (exercise.instances(seed) for seed in (5, 5, 6))
    assert all(np.array_equal(a.args[0], b.args[0]) for a, b in zip(one, again, strict=True))
    assert any(
        a.args[0].shape != b.args[0].shape or not np.array_equal(a.args[0], b.args[0])
        for a, b in zip(one, other, strict=True)
    )


def test_a_visible_case_that_fails_is_shown_though_a_hidden_one_fails_too():
    from diffkit.grading.classes.grader import _judged
    from diffkit.grading.classes.records import ExerciseRecord
    from diffkit.grading.inside.student_side import perform
    from diffkit.grading.judging.trials import prepare

    exercise = Exercise(
        np.sin,
        [
            Case("seen", draws.normal("4")),
            Case("secret", draws.normal("2"), visible=False),
            Case("also seen", draws.normal("33")),
        ],
        "sine",
        arguments=("x",),
    )

    def record(rule):
        module, trials = types.SimpleNamespace(sine_vjp=rule), prepare(exercise, 1)
        responses = [perform(module, trial.request, Exception) for trial in trials]
        return {c.name: c for c in ExerciseRecord.of(_judged(exercise, trials, responses, "", 1)).checks}

    everywhere = record(lambda g, ans, x: g)
    assert everywhere["values"].message == "wrong on all 2 kinds of input"
    assert "at seen" in everywhere["values"].comparison
    raising = record(lambda g, ans, x: g * np.cos(x) if x.size == 4 else 1 / 0)
    assert "also seen" in raising["contract"].message
    assert "secret" not in str(raising)
    only_hidden = record(lambda g, ans, x: g * np.cos(x) * (1 if x.size != 2 else 2))
    assert only_hidden["values"].status == "passed"
    assert only_hidden["hidden cases"].message == "a hidden case fails"


# -- the contract -----------------------------------------------------------------------------------------


def _in_place(g, ans, x):
    g *= 2
    return g * x


@pytest.mark.parametrize(("contract", "share"), [("fail", 0.0), ("half", 0.5), ("warn", 1.0), (None, 0.5)])
@pytest.mark.parametrize("partial", [False, True])
def test_right_numbers_in_a_broken_contract_are_worth_what_the_team_says(contract, share, partial):
    from diffkit.grading.self_test.in_process import grade_in_process

    changes = {"contract": contract} if contract else {}
    exercise = catalogue.exercise("square", points=4, partial=partial, **changes)
    verdict = grade_in_process(exercise, types.SimpleNamespace(square_vjp=_in_place), seed=1)
    assert verdict.score == 4 * share
    assert verdict.passed == (contract == "warn")
    found = verdict.check("contract")
    assert found.status == ("warned" if contract == "warn" else "failed")
    assert found.message.startswith("the numbers are right, but g was changed in place")
    assert ("costs" in found.message) == (contract != "warn")
    assert verdict.diagnosis.name == "changed in place"
    names = [check.name for check in verdict.checks]
    assert names.index("values") < names.index("contract")


def test_wrong_numbers_in_a_broken_contract_are_wrong_numbers():
    from diffkit.grading.self_test.in_process import grade_in_process

    def rule(g, ans, x):
        g *= 3
        return g * x

    exercise = catalogue.exercise("square", contract="warn")
    verdict = grade_in_process(exercise, types.SimpleNamespace(square_vjp=rule), seed=1)
    assert verdict.score == 0
    assert "numbers are right" not in verdict.check("contract").message


@pytest.mark.parametrize("rule", [lambda g, ans, x: (2 * g * x)[None], lambda g, ans, x: [2 * g * x, None]])
def test_another_form_is_no_mere_breach(rule):
    from diffkit.grading.self_test.in_process import grade_in_process

    exercise = catalogue.exercise("square", contract="warn")
    assert grade_in_process(exercise, types.SimpleNamespace(square_vjp=rule), seed=1).score == 0


def test_an_array_of_whole_numbers_is_a_breach():
    from diffkit.grading.self_test.in_process import grade_in_process

    exercise = Exercise(lambda x: x**2, [Case("a", draws.at(0.0, 0.0))], "f", arguments=("x",))
    module = types.SimpleNamespace(f_vjp=lambda g, ans, x: np.zeros(x.shape, dtype=int))
    verdict = grade_in_process(exercise, module, seed=1)
    assert verdict.score == 0.5
    assert (
        "the numbers are right, but the cotangent of x has dtype int64" in verdict.check("contract").message
    )


def test_a_shape_is_not_said_to_be_wrong_numbers(graded):
    verdict = graded("square", lambda g, ans, x: (2 * g * x)[None])
    assert verdict.check("values").message.startswith("of another shape on")


def test_what_is_wrong_at_ties_is_not_said_to_be_state(graded):
    def share(g, ans, x):
        return g * np.where(x == 0, 2.0, x > 0)

    verdict = graded("relu", share)
    assert "second input" not in verdict.check("second use").message
