"""The table itself: every text against differences of many digits, and what its readers rely on."""

import itertools
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Rational

from diffkit.calculus import ALIASES, ELEMENTARY, SPECIAL
from diffkit.expressions import NAMES, apply, derivative, intern
from diffkit.grammar import compile_text, functions_in
from diffkit.symbolic import diff, evaluate

POINTS = {
    "arccosh": [(Rational(13, 10),), (Rational(5, 2),)],
    **{name: [(Rational(17, 10),), (Rational(5, 2),)] for name in ("acoth", "asec", "acsc")},
}
USUAL = [(Rational(37, 100), Rational(59, 100)), (Rational(83, 100), Rational(21, 100))]
PARTIALS = [
    (name, k) for name, line in ELEMENTARY.items() for k in range(len(line.partials)) if name != "polygamma"
]


def error(line, k, texts):
    """The largest relative error of a partial, at points on both sides of every comparison."""
    symbols = [intern(sympy.Symbol(f"a{j}")) for j in range(len(line.arguments))]
    form = apply(line.name, *symbols)
    partial = derivative(texts[k], (*line.arguments, "ans"))(*symbols, form)
    worst = 0.0
    for point in POINTS.get(line.name, USUAL):
        values = dict(zip(symbols, point, strict=False))
        got = evaluate(partial, values)

        def along(t, values=values):
            return evaluate(form, {**values, symbols[k]: t}, precision=50)

        with mpmath.workdps(60):
            start = mpmath.mpf(point[k].p) / point[k].q
            step = mpmath.mpf(10) ** -15
            expected = (along(start + step) - along(start - step)) / (2 * step)
        worst = max(worst, abs(float(got - expected)) / max(1e-3, abs(float(expected))))
    return worst


@pytest.mark.parametrize(("name", "k"), PARTIALS)
def test_every_partial_is_the_derivative_of_its_form(name, k):
    line = ELEMENTARY[name]
    assert error(line, k, line.partials) < 1e-13
    if line.stable != line.partials and name != "copysign":  # copysign has no expression of its own
        assert error(line, k, line.stable) < 1e-13


@pytest.mark.parametrize(("name", "k"), PARTIALS)
def test_a_partial_off_by_a_thousandth_is_caught(name, k):
    line = ELEMENTARY[name]
    zero = line.partials[k] == "0" or name == "heaviside"
    wrong = "0.001" if zero else f"1.001 * ({line.partials[k]})"
    spoilt = replace(line, partials=tuple(wrong if j == k else p for j, p in enumerate(line.partials)))
    if name == "remainder" and k == 1:
        spoilt = replace(line, partials=(line.partials[0], "0.001 + " + line.partials[1]))
    assert error(line, k, spoilt.partials) > 1e-4


def test_texts_use_only_what_readers_know():
    for line in ELEMENTARY.values():
        for text in (line.form, *line.partials, *line.stable):
            assert functions_in(text) <= {*NAMES, "copysign"}, (line.name, text)
    assert set(ALIASES.values()) <= set(ELEMENTARY)


@pytest.mark.parametrize(
    "line", [line for line in ELEMENTARY.values() if line.kink], ids=lambda line: line.name
)
def test_there_is_no_derivative_where_the_line_says_so_and_one_elsewhere(line):
    """The one-sided differences by the first argument disagree at a kink, and are huge at a jump."""
    function, h = getattr(np, line.name), 1e-6
    at_kink = compile_text(line.kink, line.arguments, vars(np))
    for point in itertools.product([-2.0, -0.75, 0.0, 0.75, 2.0], repeat=len(line.arguments)):
        if line.name == "remainder" and point[1] == 0:
            continue
        x, *others = point
        right = (function(x + h, *others) - function(x, *others)) / h
        left = (function(x, *others) - function(x - h, *others)) / h
        differs = not np.isclose(right, left, atol=1e-3) or abs(right) > 1e5
        assert differs == bool(at_kink(*point)), point


SPELT = [line for line in SPECIAL.values() if line.form != f"{line.name}({', '.join(line.arguments)})"]


@pytest.mark.parametrize("line", SPELT, ids=lambda line: line.name)
def test_special_functions_that_are_expressions_of_others(line):
    """Their values are SciPy's, and their derivatives as expressions are the table's."""
    special = pytest.importorskip("scipy.special")
    symbols = [intern(sympy.Symbol(name, positive=True)) for name in line.arguments]
    expr = apply(line.name, *symbols)
    at = [0.37, 0.59][: len(symbols)]
    point = dict(zip(symbols, at, strict=True))
    assert evaluate(expr, point) == pytest.approx(float(getattr(special, line.name)(*at)), rel=1e-13)
    space = {**vars(np), **vars(special)}
    ans = getattr(special, line.name)(*at)
    for symbol, text in zip(symbols, line.partials, strict=True):
        expected = compile_text(text, [*line.arguments, "ans"], space)(*at, ans)
        assert evaluate(diff(expr, symbol), point) == pytest.approx(float(expected), rel=1e-12)
