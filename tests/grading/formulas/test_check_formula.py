"""Answers as formulas: right ones in other spellings, wrong ones by their slip, hostile text."""

import math
from fractions import Fraction

import pytest

import diffkit as dk
from diffkit.errors import InputError

check = dk.grading.check_formula

RIGHT = [  # the formula, and its derivative by x as tables have it, in the ways in which students write
    ("x^3", "3x^2 | 3*x**2 | 3x² | 3·x·x | x*x*3 | 3 x^2 | f'(x) = 3x^2 | dy/dx=3x^2 | 6x^2/2 | 3x^3/x"),
    (
        "sin(x^2)",
        "2x cos(x^2) | cos(x²)·2x | 2*x*np.cos(x**2) | 2xcos(x^2) | 2x(cos(x*x)) | 2*x*sin(pi/2-x^2)",
    ),
    ("exp(-x)", "-e^(-x) | −exp(−x) | -1/e^x | -E**(-x) | -math.exp(-x) | -(1/exp(x))"),
    ("ln(x)", "1/x | x^-1 | x**(-1) | 2/(2x) | 1÷x"),
    ("sqrt(x)", "1/(2sqrt(x)) | 0.5x^(-1/2) | (1/2)/√(x) | 0.5/np.sqrt(x) | sqrt(x)/(2x)"),
    ("tan(x)", "1+tan(x)^2 | sec(x)^2 | 1/cos(x)^2 | 1/(1 - sin(x)^2)"),
    ("x^2*exp(x)", "2x e^x + x^2 e^x | e^x(x^2+2x) | x(x+2)exp(x) | exp(x+ln(2+x))x"),
    ("(x+1)/(x-1)", "-2/(x-1)^2 | ((x-1)-(x+1))/(x-1)^2 | -2/(x^2-2x+1)"),
    ("arctan(x)", "1/(1+x^2) | (x²+1)^(-1) | cos(atan(x))^2"),
    ("arcsin(x)", "1/sqrt(1-x^2) | (1-x^2)^(-0.5)"),
    ("x^x", "x^x(ln(x)+1) | e^(x ln(x))(1+log(x))"),
    ("1/(1+exp(-x))", "exp(-x)/(1+exp(-x))^2 | 1/(1+e^-x)*(1-1/(1+e^-x))"),
    ("ln(cosh(x))", "tanh(x) | sinh(x)/cosh(x) | (e^x-e^-x)/(e^x+e^-x)"),
    ("abs(x)", "x/abs(x) | sign(x) | np.sign(x)"),
    ("log10(x)", "1/(x ln(10)) | log10(e)/x"),
]


@pytest.mark.parametrize(("of", "answer"), [(of, a) for of, answers in RIGHT for a in answers.split(" | ")])
def test_a_right_answer_is_accepted_however_it_is_written(of: str, answer: str) -> None:
    assert check(answer, of=of, by="x").passed


WRONG = [  # the formula, an answer written by hand, the slip that makes it
    ("sin(x^2)", "cos(x^2)", "inner derivative forgotten"),
    ("sin(x^2)", "cos(2x)", "inner derivative at the wrong place"),
    ("sin(x^2)", "-2x cos(x^2)", "sign"),
    ("sin(x^2)", "2x sin(x^2)", "outer function not differentiated"),
    ("sin(x^2)", "x cos(x^2)", "factor of the exponent forgotten"),
    ("sin(x^2)", "sin(x^2)", "not differentiated"),
    ("cos(3x)", "3 sin(3x)", "sign"),
    ("cos(3x)", "-sin(3x)", "inner derivative forgotten"),
    ("(x^2+1)^5", "5(x^2+1)^4", "inner derivative forgotten"),
    ("(x^2+1)^5", "5(2x)^4", "inner derivative at the wrong place"),
    ("(x^2+1)^5", "10x(x^2+1)^5", "exponent not lowered"),
    ("(x^2+1)^5", "2x(x^2+1)^4", "factor of the exponent forgotten"),
    ("x^2 sin(x)", "2x sin(x)", "product rule with one term"),
    ("x^2 sin(x)", "x^2 cos(x)", "product rule with one term"),
    ("x^2 sin(x)", "2x cos(x)", "product of the derivatives"),
    ("x^2 sin(x)", "2x sin(x) - x^2 cos(x)", "sign"),
    ("x e^x", "e^x", "product of the derivatives"),  # or the product rule with one term
    ("sin(x)/x", "(x cos(x) + sin(x))/x^2", "quotient rule with a plus"),
    ("sin(x)/x", "(sin(x) - x cos(x))/x^2", "sign"),
    ("sin(x)/x", "(x cos(x) - sin(x))/x", "quotient rule with the denominator not squared"),
    ("sin(x)/x", "x cos(x) - sin(x)", "quotient rule without its denominator"),
    ("sin(x)/x", "cos(x)", "quotient of the derivatives"),
    ("7 exp(2x)", "2exp(2x)", "constant factor forgotten"),
    ("7 exp(2x)", "7exp(2x)", "not differentiated"),  # or the inner derivative forgotten
    ("x^3 + 5x + 2", "3x^2 + 7", "a constant kept"),
    ("x^3 + 5x^2", "3x^2", "a term forgotten"),
    ("x^3 + 5x^2", "3x^2 - 10x", "sign"),
    ("x^3", "x^4/4", "exponent raised, as in an integral"),
    ("exp(sin(x^2))", "exp(sin(x^2)) cos(x^2)", "inner derivative forgotten"),
    ("ln(x^2+1)", "1/(x^2+1)", "inner derivative forgotten"),
    ("ln(x^2+1)", "1/(2x)", "inner derivative at the wrong place"),
    ("a x^2", "x^2", "differentiated by a"),
    ("sin(x^2)", "2.002x cos(x^2)", None),
    ("sin(x^2)", "2x cos(x^2) + 0.00000001", None),
    ("x^3", "17", None),
    ("x^3", "ln(-1-x^2)", None),
    ("x^3", "1/0", None),
]


@pytest.mark.parametrize(("of", "answer", "slip"), WRONG)
def test_a_wrong_answer_is_refused_and_its_slip_named(of: str, answer: str, slip: str | None) -> None:
    verdict = check(answer, of=of, by="x", names=("a",) if "a x" in of else ())
    assert not verdict.passed
    assert slip in verdict.slips if slip else not verdict.slips


def test_an_answer_that_two_slips_make_has_both_named() -> None:
    verdict = check("7exp(2x)", of="7exp(2x)", by="x")
    assert {"not differentiated", "inner derivative forgotten"} <= set(verdict.slips)


def test_no_answer_agrees_at_the_points_alone() -> None:
    assert not check("3x^2 + sin(13 pi x)", of="x^3", by="x").passed
    assert not check("3x^2 + sin(2520 pi x)", of="x^3", by="x").passed


def test_the_values_where_both_differ_are_those_of_the_formulas() -> None:
    verdict = check("cos(x^2)", of="sin(x^2)", by="x")
    assert verdict.point is not None
    x = verdict.point["x"]
    assert isinstance(x, Fraction)
    assert verdict.given == pytest.approx(math.cos(x**2))
    assert verdict.right == pytest.approx(2 * x * math.cos(x**2))


HOSTILE = [
    "__import__('os').system('true')",
    "(lambda:0)()",
    "().__class__",
    "x.__class__",
    "[x for x in (1,)]",
    "x if x else x",
    "x == x",
    "x; x",
    "x\nx = 2 = 3",
    "sin(x, x)",
    "sin",
    "sin()",
    "x()",
    "sin x",
    "2 +",
    "((x)",
    "q*x",
    "",
    "(" * 400 + "x" + ")" * 400,
    "-" * 900 + "x",
    "sin(" * 100 + "x" + ")" * 100,
    "x+" * 10**6 + "x",
    "\x00",
    "x := 3",
    "f'(x)'x",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_that_is_no_formula_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InputError):
        check(text, of="x^3", by="x")


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9^9^9^9^9^9",
        "exp(exp(exp(99)))",
        "sin(exp(exp(20)))",
        "3x^2 + 0*9**9**9",
        "1e400 x",
        "1^1001",
    ],
)
def test_a_number_too_large_is_no_value_and_costs_no_time(text: str) -> None:
    verdict = check(text, of="x^3", by="x")
    assert not verdict.passed
    assert verdict.given is None


def test_a_long_derivative_is_judged_like_a_short_one():
    factors = [f"sin({k}x)" for k in range(1, 25)]
    of = " ".join(factors)
    right = " + ".join(f"{k} cos({k}x)/sin({k}x)" for k in range(1, 25))
    assert check(f"({right}) {of}", of=of, by="x").passed
    assert not check(f"1.001 ({right}) {of}", of=of, by="x").passed


def test_what_is_no_text_is_told_so():
    with pytest.raises(InputError, match="a formula is a text"):
        check(3, of="sin(x)", by="x")
