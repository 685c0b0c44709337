"""Notation: formulas and derivatives as text, and the numbers that belong to them."""

import numpy as np
import pytest
import sympy
from sympy.parsing.sympy_parser import parse_expr

from diffkit import programs
from diffkit.autodiff.notation import Notation, local_derivatives, number_text, value_text, write
from diffkit.autodiff.trace import trace
from diffkit.autodiff.tracer import INPUT
from diffkit.calculus import ELEMENTARY


def _last(f, *args):
    t = trace(f)(*args)
    return Notation(t), t.nodes[-1]


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


@pytest.mark.parametrize(
    ("f", "text", "latex"),
    [
        (lambda x, y: x * y, "x·y", "x y"),
        (lambda x, y: x / (2 * y), "x/v₁", r"\frac{x}{v_{1}}"),
        (lambda x, y: np.maximum(x, y), "max(x, y)", r"\max(x, y)"),
        (lambda x, y: np.sqrt(x * y), "√v₁", r"\sqrt{v_{1}}"),
        (lambda x, y: np.abs(x - y), "|v₁|", r"\left|v_{1}\right|"),
        (lambda x, y: np.hypot(x, y), "√(x² + y²)", r"\sqrt{x^{2} + y^{2}}"),
    ],
)
def test_formulas(f, text, latex):
    n, row = _last(f, 2.0, 3.0)
    assert n.formula(row).text == text
    assert n.formula(row).latex == latex


def test_a_negative_number_stands_in_brackets():
    n, row = _last(lambda x, y: x * y, 2.0, -3.0)
    assert n.formula_in_numbers(row).text == "2·(−3)"
    n, row = _last(lambda x: x - (-3.0), 2.0)
    assert n.formula(row).text == "x − (−3)"


def test_the_derivative_of_a_power_is_tidied():
    n, row = _last(lambda x: x**3, 2.0)
    assert n.partial(row, 0).text == "3·x²"
    n, row = _last(lambda x: x**2, 2.0)
    assert n.partial(row, 0).text == "2·x"
    n, row = _last(lambda x: x**0.5, 2.0)
    assert "^" in n.partial(row, 0).text


def test_every_line_of_the_calculus_table_can_be_written():
    from diffkit.autodiff.notation import _ATOM, _Piece

    for line in ELEMENTARY.values():
        names = {a: _Piece(a, a, _ATOM) for a in (*line.arguments, "ans")}
        for text in (line.form, *line.partials):
            math = write(text, names)
            assert math.text
            assert math.latex.count("{") == math.latex.count("}")


_BACK = str.maketrans({"·": "*", "−": "-"} | {c: f"**{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_what_is_written_means_what_the_table_says(name):
    """Read back by SymPy, the text is the table's expression: brackets and signs are right."""
    from diffkit.autodiff.notation import _ATOM, _Piece

    line = ELEMENTARY[name]
    names = {a: _Piece(a, a, _ATOM) for a in (*line.arguments, "ans")}
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


def test_names_get_an_index_and_a_bar():
    def f(x1, h_2, rate):
        return x1 * h_2 * rate

    t = trace(f)(1.0, 2.0, 3.0)
    n = Notation(t)
    assert [n.name(r).text for r in t.inputs] == ["x₁", "h₂", "rate"]
    assert [n.bar(r).latex for r in t.inputs] == [
        r"\bar{x}_{1}",
        r"\bar{h}_{2}",
        r"\overline{\mathrm{rate}}",
    ]
    assert n.bar(t.inputs[2]).text == "r\u0305a\u0305t\u0305e\u0305"
    assert n.dot(t.inputs[0]).text == "\u1e8b₁"


def test_two_names_are_never_shown_alike():
    def f(x1, x_1):
        return x1 * x_1

    t = trace(f)(2.0, 3.0)
    n = Notation(t)
    assert [n.name(r).text for r in t.inputs] == ["x1", "x_1"]


def test_parts_of_containers_keep_their_path():
    t = trace(lambda p: p["a:b"] * p["\n"])({"a:b": 2.0, "\n": 3.0})
    n = Notation(t)
    first, second = t.inputs
    assert n.name(first).text == "p['a:b']"
    assert "\n" not in n.name(second).text


@pytest.mark.parametrize(
    ("f", "args", "texts"),
    [
        (lambda W, x: W @ x, (np.ones((2, 3)), np.ones(3)), ["v̄₁ xᵀ", "Wᵀ v̄₁"]),
        (lambda W, x: W @ x, (np.ones((2, 3)), np.ones((3, 4))), ["v̄₁ xᵀ", "Wᵀ v̄₁"]),
        (lambda v, y: v @ y, (np.ones(3), np.ones(3)), ["v̄₁·y", "v̄₁·v"]),
        (lambda x: np.sum(x), (np.ones(3),), ["v̄₁ to each"]),
        (lambda x, y: x * y, (np.ones(3), np.ones(3)), ["v̄₁ ⊙ y", "v̄₁ ⊙ x"]),
        (lambda x, b: x + b, (np.ones((2, 3)), np.ones(3)), ["v̄₁", "Σ v̄₁"]),
        (lambda x: x[1], (np.ones(3),), ["v̄₁ at [1]"]),
        (lambda x: x.T, (np.ones((2, 3)),), ["v̄₁ᵀ"]),
    ],
)
def test_pullbacks_of_array_functions(f, args, texts):
    n, row = _last(f, *args)
    owned = [k for k, a in enumerate(row.args) if n.trace.owns(a)]
    assert [n.contribution(row, k).text for k in owned] == texts


def test_a_tangent_of_a_repeated_operand_has_both_terms():
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    n, row = _last(lambda x: x @ x, A)
    assert n.tangent(row, lambda a: True).text == "ẋ x + x ẋ"


@pytest.mark.parametrize("program", list(programs.all_programs()), ids=lambda p: p.name)
def test_local_derivatives_are_those_of_central_differences(program):
    t = trace(program)(*program.args)
    checked = 0
    for row in t.nodes:
        if row.fun is INPUT or row.fun.constant:
            continue
        values = [a.value if t.owns(a) else a for a in row.args]
        for k, d in enumerate(local_derivatives(row)):
            if d is None or not isinstance(values[k], float | np.floating):
                continue
            h = 1e-6 * max(1.0, abs(values[k]))
            up, down = ([*values[:k], values[k] + s * h, *values[k + 1 :]] for s in (1, -1))
            difference = (row.fun.compute(*up, **row.kwargs) - row.fun.compute(*down, **row.kwargs)) / (2 * h)
            assert d == pytest.approx(difference, rel=1e-5, abs=1e-7), (row.fun.name, k)
            checked += 1
    assert checked or all(np.ndim(row.value) for row in t.nodes[:-1])


def test_local_derivatives_of_a_repeated_operand_are_separate():
    _, row = _last(lambda a: a * a, 3.0)
    assert local_derivatives(row) == [3.0, 3.0]
    _, row = _last(lambda a: a - a, 3.0)
    assert local_derivatives(row) == [1.0, -1.0]


def test_local_derivatives_at_the_edge_of_the_domain_are_numpys():
    _, row = _last(lambda x: np.sqrt(x), 0.0)
    assert local_derivatives(row) == [float("inf")]


def test_values_tell_numbers_and_short_vectors():
    assert value_text(np.array([1.0, -2.5])) == "[1, −2.5]"
    assert value_text(np.zeros(5)) == ""
