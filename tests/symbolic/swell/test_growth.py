"""The table of swell: its columns, its dashes, its families."""

import threading

import numpy as np
import pytest
import sympy

from diffkit.errors import InputError
from diffkit.symbolic import FAMILIES, BudgetError, Family, diff, size, swell
from diffkit.symbolic.budget import within
from diffkit.symbolic.swell.growth import MEASURES

x = sympy.Symbol("x")


def test_the_lecture_s_table():
    table = swell("logistic map, factored", 4, seconds=60)
    assert table["f"][:3] == ["x", "4*x*(1 - x)", "16*x*(1 - 2*x)**2*(1 - x)"]
    assert table["derivative"][1] == "4 - 8*x"
    assert len(table) == 4
    raw = swell("logistic map", 6, measures=["sympy", "forward", "reverse", "cse", "cse before"])
    assert raw["sympy.diff tree"] == [1, 5, 44, 166, 530, 1538]
    assert raw["forward DAG"] == raw["reverse DAG"] == [1, 10, 19, 28, 37, 46]
    assert raw["CSE before"][-1] < raw["CSE after"][-1]
    for shown in (raw.text(), raw.markdown(), raw.latex(), raw.html(), raw.csv()):
        assert "1538" in shown.replace(",", "").replace("{", "").replace("}", "")


def test_ten_thousand_rows_deep(is_linear):
    table = swell("logistic map", [10_000], measures=["forward"])
    assert table["forward tree"] == [(4 * 10_000 - 5) * 2**10_000 + 1]
    assert "e+3014" in table.text()
    assert is_linear(lambda n: swell("logistic map", [n], measures=["forward"]), 500)


def test_what_runs_out_of_time_is_a_dash_with_its_reason(monkeypatch):
    table = swell("logistic map", 12, measures=["simplified", "forward"], seconds=0.4)
    assert table["simplified"][-1] is None
    assert None not in table["forward tree"]
    assert len(table.notes) == 1
    assert "sympy.simplify took longer than 0.4 s" in table.notes[0]
    first = int(table.notes[0].split("n = ")[1].split(":")[0])
    assert table["simplified"].index(None) == first - 1

    # Which row is the first depends on the machine; with a simplify that never ends, it does not.
    really = sympy.simplify
    endless = {k: FAMILIES["logistic map"].expression(k) for k in (3, 4)}
    by_sympy = [sympy.diff(expr.doit(), x) for expr in endless.values()]
    monkeypatch.setattr(
        sympy, "simplify", lambda e: sum(1 for _ in iter(int, 1)) if e in by_sympy else really(e)
    )
    table = swell("logistic map", 5, measures=["simplified", "forward"], seconds=2)
    assert table["simplified tree"] == [1, 5, None, None, None]
    assert [note.split(":")[0] for note in table.notes] == ["– from n = 3"]


def test_a_step_of_one_s_own_and_a_list():
    assert swell(lambda f: f * np.sin(f), 3, measures=["expression"])["f"][2] == "x*sin(x)*sin(x*sin(x))"
    table = swell([x, x**2, x**3], 3, measures=["derivative"])
    assert table["derivative"] == ["1", "2*x", "3*x**2"]


def test_extra_columns():
    def doubled(n, expression, variables):
        assert variables == [x]
        return 2 * size(expression).dag

    table = swell("logistic map", 3, measures=["tree"], extra_columns={"twice": doubled})
    assert table["twice"] == [2, 16, 24]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_s_gradient_is_sympy_s(name):
    family = FAMILIES[name]
    for n in (1, 2, 3):
        expr = family.expression(n)
        for v in family.variables(n):
            for mode in ("forward", "reverse"):
                ours, theirs = diff(expr, v, mode=mode), sympy.diff(expr.doit(), v)
                point = {
                    s: 0.1 + 0.07 * k
                    for k, s in enumerate(sorted(expr.free_symbols | theirs.free_symbols, key=str))
                }
                assert complex((ours - theirs).subs(point).evalf(20)) == pytest.approx(0, abs=1e-12)


def test_the_factored_iterates_are_the_iterates():
    for n in (2, 3, 4, 5):
        pair = [FAMILIES[name].expression(n).doit() for name in ("logistic map", "logistic map, factored")]
        assert sympy.expand(pair[0] - pair[1]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: swell("logistic", 3), "no family 'logistic'; there are 'logistic map'"),
        (lambda: swell(3, 3), "expected a family"),
        (lambda: swell("logistic map", 0), "positive integers"),
        (lambda: swell("logistic map", 2.5), "positive integers"),
        (lambda: swell("logistic map", 3, measures=["size"]), "no measure 'size'"),
        (lambda: swell([x], 3), "at most 1 rows"),
        (lambda: swell(lambda f: "x", 2), "text is not evaluated"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_all_measures_have_their_columns():
    table = swell(Family("square", lambda n: x**n, lambda n: [x]), 2, seconds=20)
    assert table.columns == ["n", *(c for _, columns in MEASURES.values() for c in columns)]
    assert all(None not in row for row in table)


def test_a_budget_stops_a_loop_and_hands_errors_on():
    threads = threading.active_count()
    with pytest.raises(BudgetError, match="counting took longer"):
        within(0.2, lambda: sum(1 for _ in iter(int, 1)), "counting")
    assert threading.active_count() == threads  # the loop was ended, not left behind
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0, "dividing")

    def deep(k=0):
        return deep(k + 1)

    with pytest.raises(BudgetError, match="nests deeper"):
        within(5, deep, "recursing")
