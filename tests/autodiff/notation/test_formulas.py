"""Formulas: the lines of the calculus table as text and as LaTeX, and numbers."""

import numpy as np
import pytest
import sympy
from sympy.parsing.sympy_parser import parse_expr

from diffkit.autodiff.notation.formulas import ATOM, Piece, number_text, write
from diffkit.calculus import ELEMENTARY


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (-12.0, "−12"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (1.5e-7, "1.5e−7"),
        (2e12, "2e12"),
        (np.float32(0.5), "0.5"),
        (True, "true"),
        (float("inf"), "inf"),
        (1 - 2j, "1−2j"),
    ],
)
def test_numbers_are_short_and_have_a_true_minus_sign(value, text):
    assert number_text(value) == text


def test_every_line_of_the_calculus_table_can_be_written():
    for line in ELEMENTARY.values():
        names = {a: Piece(a, a, ATOM) for a in (*line.arguments, "ans")}
        for text in (line.form, *line.partials):
            math = write(text, names)
            assert math.text
            assert math.latex.count("{") == math.latex.count("}")


_BACK = str.maketrans({"·": "*", "−": "-"} | {c: f"**{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_what_is_written_means_what_the_table_says(name):
    """Read back by SymPy, the text is the table's expression: brackets and signs are right."""
    line = ELEMENTARY[name]
    names = {a: Piece(a, a, ATOM) for a in (*line.arguments, "ans")}
    symbols = {a: sympy.Symbol(a, positive=True) for a in (*line.arguments, "ans")}
    for text in (line.form, *line.partials):
        if any(word in text for word in ("where", "above", "polygamma", "loggamma", "digamma")):
            continue
        shown = write(text, names).text
        if any(c in shown for c in "|√π"):
            continue
        back = shown.translate(_BACK).replace("^", "**").replace("arc", "a")
        back = back.replace("max", "Max").replace("min", "Min").replace("ceil(", "ceiling(")
        original = parse_expr(text, local_dict=dict(symbols))
        again = parse_expr(back.replace("heaviside", "Heaviside"), local_dict=dict(symbols))
        point = {s: 0.3 + 0.2 * k for k, s in enumerate(symbols.values())}
        assert abs(complex((original - again).subs(point).evalf())) < 1e-12, (text, shown)
