"""Derivations: every rule has its name, and every derivation is a proof of what diff returns."""

import pytest
import sympy
from sympy import S, symbols

from diffkit.errors import InputError, NoRuleError
from diffkit.symbolic import FAMILIES, diff, steps

x, y = symbols("x y", real=True)
n = symbols("n", integer=True)
f = sympy.Function("f")

RULES = [
    (y, "constant"),
    (S(7), "constant"),
    (x, "variable"),
    (x + y + 3, "sum"),
    (3 * x, "constant multiple"),
    (-x, "constant multiple"),
    (x / y, "constant multiple"),
    (x * sympy.sin(x), "product"),
    (x * sympy.sin(x) * sympy.exp(x), "product"),
    (sympy.sin(x) / (x + 1), "quotient"),
    (1 / x, "quotient"),
    (sympy.sin(x) / x**2, "quotient"),
    (x * sympy.sin(x) / (x + 1) ** 2, "quotient"),
    (sympy.exp(x) / (x * sympy.sqrt(x + 1)), "quotient"),
    (y / x**3, "quotient"),
    (x / y**2, "constant multiple"),
    (x**-2, "power"),
    (x**5, "power"),
    (sympy.sqrt(x), "power"),
    (2**x, "exponential"),
    (sympy.exp(x), "exponential"),
    (sympy.log(x), "logarithm"),
    (sympy.sin(3 * x), "chain"),
    (sympy.log(1 + x**2), "chain"),
    (x**x, "generalised power"),
    (sympy.sinh(x), "sinh"),
    (sympy.atan2(y, x), "arctan2"),
    (sympy.Max(x, y), "maximum"),
    (sympy.Piecewise((x**2, x < 0), (sympy.sin(x), True)), "piecewise"),
    (f(x), "undefined function"),
    (sympy.Sum(x**y, (y, 1, 3)), "sum over a range"),
    (sympy.Product(x + y, (y, 1, 3)), "product over a range"),
    (sympy.Sum(sympy.Product(x + y + n, (y, 1, 3)), (n, 1, 2)), "sum over a range"),
    (FAMILIES["logistic map"].expression(6), "product"),
]


@pytest.mark.parametrize(("expr", "name"), RULES, ids=str)
def test_the_rule_has_its_name_and_the_proof_holds(expr, name):
    symbol = x if expr.has(x) or not expr.free_symbols else sympy.Symbol("x")
    symbol = x if name == "constant" else symbol
    derivation = steps(expr, symbol)
    assert derivation.root.rule == name
    assert derivation.result is diff(expr, symbol)
    assert derivation.check()
    for shown in (derivation.text(), derivation.latex(), derivation.html()):
        assert shown
    assert derivation.html().count("<details") == derivation.html().count("</details>")
    assert derivation.latex().startswith(r"\begin{aligned}")


def test_a_wrong_step_is_found():
    derivation = steps(x * sympy.sin(x), x)
    derivation.root.after = diff(x * sympy.cos(x), x)
    assert not derivation.check()


def test_steps_are_numbered_from_the_root_and_shared_parts_are_done_once():
    u = sympy.sin(x**2)
    derivation = steps(u * sympy.exp(u), x)
    assert [step.number for step in derivation] == list(range(1, len(derivation) + 1))
    assert derivation.root.number == 1
    befores = [step.before for step in derivation]
    assert len(befores) == len(set(befores))
    assert "already done in step" in derivation.text()
    assert derivation.text().count("chain: d(sin(u)) = du * cos(u), with u = x**2") == 1


@pytest.mark.parametrize(
    ("expr", "above", "below"),
    [
        (sympy.sin(x) / x**2, sympy.sin(x), x**2),
        (x * sympy.sin(x) / (x + 1) ** 2, x * sympy.sin(x), (x + 1) ** 2),
        (sympy.exp(x) / (x * sympy.sqrt(x + 1)), sympy.exp(x), x * sympy.sqrt(x + 1)),
        (1 / (x * sympy.log(x) ** 3), 1, x * sympy.log(x) ** 3),
    ],
)
def test_negative_powers_are_read_as_denominators(expr, above, below):
    derivation = steps(expr, x)
    assert list(derivation.root.bindings.values()) == [above, below]
    assert sympy.simplify(derivation.result - sympy.diff(expr, x)) == 0


def test_a_step_says_everything():
    expr = sympy.sin(x) / (x + 1)
    step = steps(expr, x).root
    assert step.rule == "quotient"
    assert step.schema == "d(u / v) = du / v - (dv * (u / v)) / v"
    assert step.bindings == {"u": sympy.sin(x), "v": x + 1}
    assert step.nodes_before == sum(1 for _ in sympy.preorder_traversal(step.before))
    assert step.nodes_after == sum(1 for _ in sympy.preorder_traversal(step.after))
    assert step.after != step.simplified
    assert sympy.simplify(step.simplified - sympy.diff(expr, x)) == 0


def test_two_thousand_levels(is_linear):
    derivation = steps(FAMILIES["logistic map"].expression(2_000), sympy.Symbol("x"))
    text = derivation.text(limit=30)
    assert len(derivation) == 4 * 2_000 - 2
    assert "more steps" in text
    assert len(text) < 20_000
    assert "more steps" in derivation.html(limit=30)
    assert "more steps" in derivation.latex(limit=30)
    logistic = FAMILIES["logistic map"].expression
    assert is_linear(lambda n: steps(logistic(n), sympy.Symbol("x")).text(limit=0, simplified=False), 200)


def test_bad_input():
    with pytest.raises(InputError, match="text is not evaluated"):
        steps("x**2", x)
    with pytest.raises(InputError, match="expected a symbol"):
        steps(x**2, "x")
    with pytest.raises(NoRuleError, match="besselj"):
        steps(sympy.besselj(1, x), x)
