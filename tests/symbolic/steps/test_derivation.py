"""Derivations: every rule has its name, and every derivation is a proof of what diff returns."""

import pytest
import sympy
from sympy import S, symbols

from diffkit.errors import InputError, NoRuleError
from diffkit.symbolic import FAMILIES, diff, size, steps
from diffkit.symbolic.steps import endings

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
    assert derivation.text().count("chain: d(sin(u)) = cos(u) * du, with u = x**2") == 1


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
    assert step.schema == "d(u / v) = (du * v - u * dv) / v ** 2"
    assert step.bindings == {"u": sympy.sin(x), "v": x + 1}
    assert step.nodes_before == sum(1 for _ in sympy.preorder_traversal(step.before))
    assert step.nodes_after == sum(1 for _ in sympy.preorder_traversal(step.after))
    assert step.after != step.simplified
    assert sympy.simplify(step.simplified - sympy.diff(expr, x)) == 0


def test_two_thousand_levels(is_linear):
    derivation = steps(FAMILIES["logistic map"].expression(2_000), sympy.Symbol("x"))
    text = derivation.text(limit=30)
    assert len(derivation) == 4 * 2_000 - 4  # the variable and the constants are no steps
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
    with pytest.raises(NoRuleError, match="riemann_xi"):
        steps(sympy.riemann_xi(x), x)


# -- what the rules say ---------------------------------------------------------------------------------


def follows_its_schema(schema):
    """Whether d(left) is right: the letters are put in motion, and SymPy differentiates the left side."""
    t = sympy.Symbol("t", real=True)
    paths = {
        "u": S(37) / 100 + S(3) / 10 * t, "v": S(59) / 100 - S(2) / 10 * t, "w": S(23) / 100 + t / 2,
        "a": S(2), "c": S(3) / 4, "n": S(5) / 2,
    }  # fmt: skip
    if "acosh" in schema.left:
        paths["u"] += 1
    if any(name in schema.left for name in ("asec", "acsc", "acoth")):
        paths["u"] += 2
    moving = {"d" + name: sympy.diff(path, t) for name, path in paths.items()}
    left, right = (sympy.sympify(side, locals={**paths, **moving}) for side in (schema.left, schema.right))
    expected = sympy.diff(left, t).subs(t, 0) if sympy.sympify(left).has(t) else S.Zero
    return abs(sympy.N(expected - sympy.sympify(right).subs(t, 0))) < 1e-12


SAID = [
    *(expr for expr, _ in RULES if not expr.has(sympy.Sum, sympy.Product, sympy.Piecewise, f)),
    2 * x / y, x ** sympy.sin(x), y**x, x**y, sympy.Min(x, 2), sympy.Max(3, x), sympy.atan2(x, 2),
    sympy.Abs(x), sympy.Abs(x**2), sympy.cos(x), sympy.log(x) / x, 3 / sympy.cos(x),
    *(getattr(sympy, a + name + h)(x) for name in ("sin", "cos", "tan", "cot", "sec", "csc")
      for h in ("", "h") for a in ("", "a")),
    sympy.erf(x), sympy.erfc(x), sympy.erfi(x), sympy.gamma(x), sympy.loggamma(x), sympy.digamma(x),
]  # fmt: skip


@pytest.mark.parametrize("expr", SAID, ids=str)
def test_what_a_schema_says_is_true(expr):
    for step in steps(expr, x):
        if step.rule not in ("constant", "variable"):
            assert follows_its_schema(step.reading), step.schema
        assert "text{d(" not in step.reading.to_latex()


@pytest.mark.parametrize(
    ("expr", "schema", "latex"),
    [
        (sympy.sin(x) / x, "d(u / v) = (du * v - u * dv) / v ** 2",
         r"\left(\frac{u}{v}\right)' = \frac{u' v - u v'}{v^{2}}"),
        (3 * x, "d(c * u) = c * du", r"\left(c u\right)' = c u'"),
        (x * sympy.Symbol("z_1"), "d(c * u) = c * du", r"\left(c u\right)' = c u'"),
        (-sympy.cos(x), "d(-u) = -du", r"\left(- u\right)' = - u'"),
        (x * sympy.sin(x), "d(u * v) = du * v + u * dv", r"\left(u v\right)' = u' v + u v'"),
        (x + y + sympy.sin(x) + n, "d(u + v + c1 + c2) = du + dv",
         r"\left(u + v + c_{1} + c_{2}\right)' = u' + v'"),
        (sympy.Mul(*[x + k for k in range(1, 9)]),
         "d(u1 * u2 * ... * u8) = du1 * u2 * ... * u8 + u1 * du2 * ... * u8 + ... + u1 * u2 * ... * du8",
         r"\left(u_{1} u_{2} \cdots u_{8}\right)' = "
         r"u_{1}' u_{2} \cdots u_{8} + u_{1} u_{2}' \cdots u_{8} + \cdots + u_{1} u_{2} \cdots u_{8}'"),
        (sympy.Piecewise((x**2, x < 0), (y, x < 1), (sympy.sin(x), True)),
         "d(u if A, c2 if B, v otherwise) = du if A, 0 if B, dv otherwise",
         r"\left(\begin{cases} u & \text{if } A \\ c_{2} & \text{if } B \\ v & \text{otherwise} \end{cases}"
         r"\right)' = \begin{cases} u' & \text{if } A "
         r"\\ 0 & \text{if } B \\ v' & \text{otherwise} \end{cases}"),
        (f(x**2), "d(f(u)) = f'(u) * du", r"\left(f\left(u\right)\right)' = f'\left(u\right) u'"),
        (sympy.Function("my_f")(x), "d(my_f(u)) = my_f'(u) * du",
         r"\left(\operatorname{my\_f}\left(u\right)\right)' = \operatorname{my\_f}'\left(u\right) u'"),
        (f(x, y, x**2), "d(f(u, c2, v)) = f_u(u, c2, v) * du + f_v(u, c2, v) * dv",
         r"\left(f\left(u, c_{2}, v\right)\right)' = "
         r"f_{u}\left(u, c_{2}, v\right) u' + f_{v}\left(u, c_{2}, v\right) v'"),
        (f(x).diff(x), "d(Derivative(u, ...)) = Derivative(u, ..., x) * dx",
         r"\left(\partial u\right)' = \frac{\partial}{\partial x} \partial u"),
        (sympy.Sum(x**n, (n, 1, 3)), "d(sum over n of u(n)) = sum over n of du(n)",
         r"\left(\sum_{n} u_{n}\right)' = \sum_{n} u_{n}'"),
        (sympy.Product(x + n, (n, 1, 3)),
         "d(product over n of u(n)) = sum over j of du(j) * (product over n != j of u(n))",
         r"\left(\prod_{n} u_{n}\right)' = \sum_{j} u_{j}' \prod_{n \ne j} u_{n}"),
    ],
    ids=str,
)  # fmt: skip
def test_schemas_read_as_in_a_textbook(expr, schema, latex):
    reading = steps(expr, x).root.reading
    assert str(reading) == schema
    assert reading.to_latex() == latex


def test_the_body_of_a_sum_is_derived_too():
    derivation = steps(sympy.Sum(sympy.sin(n * x) * sympy.Product(x + y, (y, 1, n)), (n, 1, 3)), x)
    assert derivation.root.rule == "sum over a range"
    assert sorted(step.rule for step in derivation.root.parts[0].parts) == ["chain", "product over a range"]
    (product,) = (step for step in derivation if step.rule == "product over a range")
    assert [step.rule for step in product.parts] == ["sum"]
    assert derivation.check()
    assert derivation.root.parts[0].before == sympy.sin(n * x) * sympy.Product(x + y, (y, 1, n))


def test_latex_is_written_as_a_person_would():
    lines = steps(sympy.sin(x) / (x**2 + 1), x).latex().splitlines()
    assert (
        r"&= \frac{- 2 x \sin{\left(x \right)} + \left(x^{2} + 1\right) \cos{\left(x \right)}}{" in lines[1]
    )
    assert r"\text{ with } u = \sin{\left(x \right)},\; v = x^{2} + 1" in lines[1]
    assert [line[:3] for line in lines[1:4]] == ["(1)", "(2)", "(3)"]
    assert "simplified" in steps((3 * x + 1) ** 5, x).latex().splitlines()[-2]
    assert r"\left(-1\right)" not in steps(FAMILIES["logistic map"].expression(4), sympy.Symbol("x")).latex()
    both = steps(sympy.Product(x + n, (n, 1, y)), x).latex()
    assert (
        r"\sum_{n'=1}^{y} \left(\prod_{n=1}^{n' - 1} \left(n + x\right)\right) \prod_{n=n' + 1}^{y}" in both
    )


def test_in_a_notebook_it_folds_and_is_legible_on_any_ground():
    page = steps(sympy.Piecewise((x**2, x < 0), (sympy.sin(x), True)), x)._repr_html_()
    assert page.count("<details") == page.count("</details>") == page.count(" open>") == 3
    assert "color" not in page.replace("diffkit", "")
    assert "x &lt; 0" in page


def test_powers_of_pieces_have_latex():
    pieces = sympy.Piecewise((x, x > y), (x**2, True))
    lines = steps(sympy.Pow(pieces, 2, evaluate=False), x).latex()
    assert r"\left(\begin{cases} x & \text{for}\: x > y" in lines
    assert r"\end{cases}\right)^{2}" in lines


def test_what_sympy_cannot_simplify_is_left_out(monkeypatch):
    derivation = steps(x * sympy.sin(x), x)

    def failing(_):
        raise NotImplementedError

    monkeypatch.setattr(endings, "_WAYS", [failing, lambda e: e + 1])  # and what is wrong is not taken
    assert sympy.expand(derivation.root.simplified - derivation.result) == 0
    monkeypatch.setattr(endings, "_tried", lambda compute: None)
    assert steps(x * sympy.sin(x), x).root.simplified is None
    assert "simplified" not in steps(x * sympy.sin(x), x).text()


def test_what_is_differentiated_is_in_brackets_unless_it_is_one_word():
    for expr, shown in [
        (x**2, "d/dx (x**2) = 2*x"), (-x * y, "d/dx (-x*y) = -y"), (sympy.sin(x) / x, "d/dx (sin(x)/x) = "),
        (sympy.sqrt(x), "d/dx sqrt(x) = 1/(2*sqrt(x))"), (sympy.exp(x), "d/dx exp(x) = exp(x)"),
        (x, "d/dx x = 1"),
        (x + 1, "d/dx (x + 1) = 1"), (sympy.sqrt(x**2 + 1), "d/dx sqrt(x**2 + 1) = 2*x/(2*sqrt(x**2 + 1))"),
        (sympy.cos(x) / ((x + 1) * (x + 2)), "d/dx (cos(x)/((x + 1)*(x + 2))) = "),
    ]:  # fmt: skip
        assert steps(expr, x).text(simplified=False).startswith(shown)


def test_what_is_called_simplified_is_simpler():
    longer = steps(sympy.Abs(x) * sympy.Max(x, y), x)
    assert size(longer.root.simplified).tree >= longer.root.nodes_after
    assert "simplified" not in longer.text() + longer.html()
    assert "simplified" not in steps(sympy.sin(x), x).text()
    assert steps(x**x, x).text().endswith("simplified: x**x*(log(x) + 1)")
