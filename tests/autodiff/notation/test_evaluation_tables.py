"""Evaluation tables, against the tables of Baydin et al. (2018)."""

import math

import numpy as np
import pytest

from diffkit import programs
from diffkit.autodiff.views import trace
from diffkit.errors import InputError


def example(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2)


@pytest.fixture
def survey():
    return trace(example)(2.0, 5.0)


def test_forward_mode_is_table_2_of_the_survey(survey):
    table = survey.tangent_table(1.0, 0.0)
    assert table["value"] == pytest.approx(
        [2, 5, math.log(2), 10, math.log(2) + 10, math.sin(5), *[math.log(2) + 10 - math.sin(5)] * 2]
    )
    assert table["tangent"] == pytest.approx([1, 0, 0.5, 5, 5.5, 0, 5.5, 5.5])
    assert round(table["value"][-1], 3) == 11.652
    assert table["Primal trace ↓"][2] == "v₁ = log(x₁) = log(2)"
    assert table["Tangent trace ↓"][3] == "v̇₂ = ẋ₁·x₂ + ẋ₂·x₁ = 1·5 + 0·2"


def test_reverse_mode_is_table_3_of_the_survey(survey):
    table = survey.adjoint_table()
    cos5 = math.cos(5)
    # Read from below: the seed, then both arguments of each operation, running totals.
    assert list(reversed(table["adjoint"])) == pytest.approx(
        [1, 1, -1, -cos5, 1, 1, 5, -cos5 + 2, 5.5, 2 - cos5, 5.5]
    )
    x1, x2 = table["adjoint"][:2]
    assert (x1, round(x2, 3)) == (5.5, 1.716)


def test_a_value_used_twice_has_a_row_for_each_contribution(survey):
    rows = survey.adjoint_table()["Adjoint trace ↑"]
    to_x1 = [r for r in rows if r.startswith("x̄₁ =")]
    assert to_x1 == ["x̄₁ = x̄₁ + v̄₁·∂v₁/∂x₁ = x̄₁ + v̄₁/x₁ = 5 + 1/2", "x̄₁ = v̄₂·∂v₂/∂x₁ = v̄₂·x₂ = 1·5"]


@pytest.mark.parametrize("program", list(programs.all_programs()), ids=lambda p: p.name)
def test_the_tables_end_in_what_the_sweeps_compute(program):
    t = trace(program)(*program.args)
    seeds = t.out_structure.unflatten([np.ones_like(np.asarray(o.value))[()] for o in t.outputs])
    table = t.adjoint_table(seeds)
    swept = t.adjoints(seeds)
    for row, shown in zip(t.inputs, table["adjoint"], strict=False):
        if np.ndim(row.value) == 0:
            assert shown == pytest.approx(0.0 if swept[row.index] is None else float(swept[row.index]))
    directions = [np.ones_like(a) if np.asarray(a).dtype.kind == "f" else a for a in program.args]
    tangents = t.tangents(*directions)
    rows = t.tangent_table(*directions)["tangent"]
    for row, shown in zip(t.nodes, rows, strict=False):
        if isinstance(row.value, bool | np.bool_):
            assert shown is None
        elif np.ndim(row.value) == 0:
            assert shown == pytest.approx(0.0 if tangents[row.index] is None else float(tangents[row.index]))


def test_numbers_in_the_contributions_add_up_to_the_adjoints():
    """The words are read back as numbers: 5 + 1/2 is 5.5."""
    checked = 0
    for program in programs.all_programs():
        t = trace(program)(*program.args)
        if len(t.outputs) > 1:
            continue
        table = t.adjoint_table()
        for words, value in zip(table["Adjoint trace ↑"], table["adjoint"], strict=True):
            numbers = words.rpartition(" = ")[2].replace("·", "*").replace("−", "-").replace("²", "**2")
            try:
                said = eval(numbers, {"cos": math.cos, "sign": np.sign, "exp": math.exp})
            except (NameError, SyntaxError, TypeError):
                continue
            assert said == pytest.approx(value, rel=2e-3, abs=1e-3), words
            checked += 1
    assert checked > 60


def test_a_program_that_ignores_an_input_gives_it_zero():
    table = trace(lambda x, y: x * 2.0)(3.0, 4.0).adjoint_table()
    assert table["adjoint"][:2] == [2.0, 0.0]


def test_several_outputs_need_seeds():
    t = trace(programs.two_outputs)(2.0, 3.0)
    with pytest.raises(InputError, match="cotangent"):
        t.adjoint_table()
    assert t.adjoint_table((1.0, 0.0))["adjoint"][:2] == pytest.approx([3 * math.cos(6), 2 * math.cos(6)])


def test_arrays_are_told_by_shape_and_their_pullback():
    t = trace(programs.mean_squared_error)(*programs.mean_squared_error.args)
    table = t.adjoint_table()
    assert "w̄ = Xᵀ ā" in table["Adjoint trace ↑"]
    assert table["adjoint"][0] == "(3, 2) float64"


def test_the_primal_table_says_what_each_row_computes():
    table = trace(programs.reuse)(1.5).primal_table()
    assert table["name"] == ["x", "a", "b", "c", "g", "L"]
    assert table["computes"] == ["", "x²", "5·a", "log(a)", "b·c", "−g"]
    assert table["line"][1] == "a = x**2"


def test_tables_come_as_text_markdown_html_and_booktabs(survey):
    table = survey.adjoint_table()
    assert "x̄₁" in table.text()
    assert table.markdown().count("\n| ") == len(table) + 2
    assert "<td" in table.html()
    latex = table.latex()
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"\bar{x}_{1}", r"\frac{\bar{v}_{1}}{x_{1}}"):
        assert part in latex
    assert "−" not in latex
    assert survey.primal_table().latex().count("&") == 4 * (len(survey) + 1)


def test_a_table_of_a_trace_five_thousand_rows_long_needs_no_recursion():
    def chain(x):
        for _ in range(5_000):
            x = 0.999 * x
        return x

    table = trace(chain)(1.0).adjoint_table()
    assert table["adjoint"][0] == pytest.approx(0.999**5_000)


def test_a_notebook_shows_the_table_of_a_short_trace_only(survey):
    assert survey._repr_html_() == survey.primal_table().html()
    assert "<table" in survey.adjoint()._repr_html_()
    assert trace(lambda x: sum(x for _ in range(100)))(1.0)._repr_html_() is None
    assert repr(trace(lambda x: x)(1.0)) == "<trace of <lambda>: 1 input, 1 row>"
