"""Forty derivatives of a first-year sheet, step by step, as a teacher would sign them.

The derivations stand in ``sheet.txt``. After a change that is meant, write them anew:
``python tests/symbolic/steps/test_first_year_sheet.py``.
"""

from pathlib import Path

import pytest
import sympy
from sympy import Rational, cos, exp, log, sin, sqrt, tan

from diffkit.symbolic import diff, steps

SHEET = Path(__file__).with_name("sheet.txt")
x = sympy.Symbol("x")
EXERCISES = [
    x**7, 3 * x**2 - 5 * x + 1, 5 * x**4 - 3 * x**2 + 2 * x - 7, 1 / x, 1 / x**3, sqrt(x),
    3 * sqrt(x) - 2 / x, x ** Rational(2, 3), x**2.0, (x + 1) * (x**2 - 3), x * sin(x), x**2 * exp(x),
    x * log(x), x**2 * exp(x) * sin(x), sin(x) * cos(x), (x**2 - 1) / (x**2 + 1), sin(x) / x,
    (2 * x + 3) / (x - 4), exp(x) / x**2, x * sin(x) / (1 + x**2), log(x) / x, tan(x), (3 * x + 1) ** 5,
    (x**2 + 1) ** 10, sqrt(1 - x**2), sin(3 * x), sin(x**2), sin(x) ** 2, cos(2 * x) * exp(3 * x),
    exp(-(x**2)), exp(sin(x) ** 2), log(1 + x**2), log(sin(x)), 2**x, x**x, 1 / (1 + exp(-x)),
    sympy.atan(2 * x), sympy.asin(x / 3), sympy.tanh(x), sin(cos(x)),
]  # fmt: skip


def sheet():
    """The exercises with their derivations, one after the other."""
    return "\n\n".join(f"{k}. {steps(expr, x).text()}" for k, expr in enumerate(EXERCISES, start=1)) + "\n"


def test_the_sheet_is_as_it_was_signed():
    assert len(EXERCISES) == 40
    assert sheet() == SHEET.read_text()


@pytest.mark.parametrize("expr", EXERCISES, ids=str)
def test_every_line_of_it_is_the_derivative_of_what_it_stands_beside(expr):
    derivation = steps(expr, x)
    assert derivation.check()
    for step in derivation:
        for shown in (step.line, step.after, step.simplified):
            difference = sympy.N((shown - sympy.diff(step.before, x)).subs(x, Rational(7, 10)), 30)
            assert abs(difference) < 1e-13, (step.before, shown)
    assert derivation.result is diff(expr, x)


if __name__ == "__main__":
    SHEET.write_text(sheet())
