"""How a rule reads to people: its title, what it says in letters, and what the letters stand for.

The schemas are a textbook's: (u / v)' = (u' v - u v') / v**2. The expressions in a derivation come from
the rules themselves, which may write the same differently.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from diffkit.calculus import Elementary
from diffkit.errors import DiffkitError
from diffkit.expressions import NAMES, Expression, derivative, intern, rebuild
from diffkit.grammar import compile_text, rename
from diffkit.symbolic.rules import Rule, read
from diffkit.symbolic.steps.written import flat, single_brackets
from diffkit.symbolic.sweeps import context_of

_LETTERS = ("u", "v", "w")
_LONGEST = 6  # members of a row; of a longer one, the first two and the last are shown


@dataclass(frozen=True)
class Schema:
    """What a rule says.

    Attributes:
        title: the rule's name for people.
        left: what is differentiated, in letters.
        right: its differential, in the letters' differentials: du is that of u.
        bindings: what the letters stand for.
        latex: the rule in LaTeX, where its two sides are no formulas of the table's grammar.
    """

    title: str
    left: str
    right: str
    bindings: dict[str, Expression] = field(default_factory=dict)
    latex: str = ""

    def __str__(self) -> str:
        return f"d({self.left}) = {self.right}"

    def to_latex(self) -> str:
        r"""The rule with primes.

        >>> print(Schema("product", "u * v", "du * v + u * dv").to_latex())
        \left(u v\right)' = u' v + u v'
        """
        return self.latex or rf"\left({_latex(self.left)}\right)' = {_latex(self.right)}"


CONSTANT = Schema("constant", "c", "0")


def variable_schema(symbol: Expression) -> Schema:
    name = sympy.latex(symbol)
    return Schema("variable", str(symbol), "1", latex=rf"\left({name}\right)' = 1")


def schema_of(rule: Rule) -> Schema:
    """What a rule says, for people."""
    if rule.line is not None:
        return _from_table(rule, rule.line)
    reading = _READINGS.get(rule.name)
    return reading(rule) if reading else _of_function(rule)


def line_of(schema: Schema, rule: Rule, results: Sequence[Expression], after: Expression) -> Expression:
    """The derivative as a schema says it, with the operands, and the results for them, put in.

    Args:
        schema: it.
        rule: the rule that it says.
        results: for each of the rule's operands its derivative, as it was shown.
        after: the derivative as the rule gives it: the line where the schema is no formula.
    """
    if (schema.latex and rule.name not in ("sum", "product")) or "..." in schema.right:
        return after
    of = dict(zip(map(id, rule.operands), results, strict=True))
    values: dict[str, Expression] = {}
    for name, operand in schema.bindings.items():
        values[name] = operand
        if id(operand) in of:
            values["d" + name] = of[id(operand)]
    try:
        read_text: Expression = derivative(schema.right, tuple(values))(*values.values())
    except (NameError, SyntaxError):
        return after
    return read_text


# -- the table's rules --------------------------------------------------------------------------------


def _from_table(rule: Rule, line: Elementary) -> Schema:
    """The schema that a line of the table gives, with a letter for each argument."""
    live = [any(a is o for o in rule.operands) for a in rule.arguments]
    changing = iter(_LETTERS)
    fixed = "n" if line.name == "power" and live[0] else "a" if line.name == "power" else "c"
    letters = [next(changing) if active else fixed for active in live]
    left = rename(line.form, dict(zip(line.arguments, letters, strict=True)))
    if left == "u * c":
        left = "c * u"
    right = _TEXTBOOK.get((line.name, *letters)) or _differential(line, letters, live, left)
    return Schema(_title(rule, line, live), left, right, dict(zip(letters, rule.arguments, strict=True)))


_TEXTBOOK: dict[tuple[str, ...], str] = {
    ("multiply", "u", "v"): "du * v + u * dv",
    ("multiply", "u", "c"): "c * du",
    ("divide", "u", "v"): "(du * v - u * dv) / v ** 2",
    ("divide", "c", "u"): "-c * du / u ** 2",
    ("power", "u", "v"): "v * u ** (v - 1) * du + u ** v * log(u) * dv",
    ("power", "a", "u"): "a ** u * log(a) * du",
}
"""Where the books have another form than the table, which has the one that is good to compute with."""


def _differential(line: Elementary, letters: Sequence[str], live: Sequence[bool], left: str) -> str:
    terms = []
    for letter, partial, active in zip(letters, line.partials, live, strict=True):
        if active:
            text = rename(partial, {**dict(zip(line.arguments, letters, strict=True)), "ans": left})
            tree = _Above().visit(ast.parse(text, mode="eval").body)
            terms.append(ast.unparse(_times(tree, ast.Name(f"d{letter}"))))
    return " + ".join(terms).replace("+ -", "- ")


class _Above(ast.NodeTransformer):
    """above(a, b), the table's own word, as Heaviside(a - b, 1/2)."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "above":
            half = ast.BinOp(ast.Constant(1), ast.Div(), ast.Constant(2))
            return ast.Call(
                ast.Name("Heaviside"), [ast.BinOp(node.args[0], ast.Sub(), node.args[1]), half], []
            )
        return node


def _times(partial: ast.expr, differential: ast.expr) -> ast.expr:
    """A partial derivative times a differential, that last, as in cos(u) * du, du / u, -sin(u) * du."""
    match partial:
        case ast.Constant(value=1):
            return differential
        case ast.Constant(value=0):
            return partial
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ast.parse(f"-{ast.unparse(_times(inner, differential))}", mode="eval").body
        case ast.BinOp(left=numerator, op=ast.Div(), right=denominator):
            return ast.BinOp(_times(numerator, differential), ast.Div(), denominator)
    return ast.BinOp(partial, ast.Mult(), differential)


def _title(rule: Rule, line: Elementary, live: Sequence[bool]) -> str:
    if line.name == "multiply":
        return "product" if all(live) else "constant multiple"
    if line.name in ("negative", "positive"):
        return "constant multiple"
    if line.name == "divide":
        return "quotient" if live[1] else "constant multiple"
    if line.name == "power":
        plain = "power" if live[0] else "exponential"
        return "generalised power" if all(live) else plain if rule.operands[0].is_Symbol else "chain"
    inner = rule.operands[0]
    if len(live) == 1 and not inner.is_Symbol:
        return "chain"
    return {"exp": "exponential", "log": "logarithm", "sqrt": "power"}.get(line.name, line.name)


# -- the others ---------------------------------------------------------------------------------------


def _sum(rule: Rule) -> Schema:
    letters = _names(len(rule.operands))
    bindings = dict(zip(letters, rule.operands, strict=True))
    live = {id(o) for o in rule.operands}
    constants = [a for a in rule.node._args if id(a) not in live]
    fixed = ["c"] if len(constants) == 1 else [f"c{k + 1}" for k in range(len(constants))]
    bindings |= dict(zip(fixed, constants, strict=True))
    left, right = _row(bindings, " + "), _row([f"d{a}" for a in letters], " + ")
    latex = ""
    if "..." in left or "..." in right:
        over = _row([_letter(a) for a in bindings], " + ", r"\cdots")
        under = _row([_letter(a) + "'" for a in letters], " + ", r"\cdots")
        latex = rf"\left({over}\right)' = {under}"
    return Schema("sum", left, right, bindings, latex)


def _product(rule: Rule) -> Schema:
    letters = _names(len(rule.operands))
    latex = ""
    if len(letters) <= _LONGEST:
        right = " + ".join(" * ".join(f"d{a}" if a == b else b for b in letters) for a in letters)
    else:
        right, latex = _long_product(letters)
    bindings = dict(zip(letters, rule.operands, strict=True))
    return Schema("product", _row(letters, " * "), right, bindings, latex)


def _long_product(letters: Sequence[str]) -> tuple[str, str]:
    """Of u1 * u2 * ... * u12: the terms that differentiate the first, the second and the last."""
    shown = (letters[0], letters[1], letters[-1])

    def terms(of: dict[str, str], to: dict[str, str], sign: str, dots: str) -> str:
        rows = []
        for a in shown:
            first, second, last = (to[b] if a == b else of[b] for b in shown)
            rows.append(f"{first}{sign}{second}{sign}{dots}{sign}{last}")
        return f"{rows[0]} + {rows[1]} + {dots} + {rows[2]}"

    plain = {a: a for a in shown}
    signs = {a: _letter(a) for a in shown}
    over = f"{signs[shown[0]]} {signs[shown[1]]} \\cdots {signs[shown[2]]}"
    under = terms(signs, {a: s + "'" for a, s in signs.items()}, " ", r"\cdots")
    return terms(plain, {a: f"d{a}" for a in shown}, " * ", "..."), rf"\left({over}\right)' = {under}"


def _piecewise(rule: Rule) -> Schema:
    """u if A, v if B, w otherwise: each piece by itself."""
    live = dict(zip(map(id, rule.operands), _names(len(rule.operands)), strict=True))
    bindings: dict[str, Expression] = {}
    before, after, cases, primes = [], [], [], []
    for k, piece in enumerate(rule.node._args):
        value, condition = piece._args
        letter = live.get(id(value), f"c{k + 1}")
        bindings[letter] = value
        if condition is sympy.true:
            where, typeset = "otherwise", r"\text{otherwise}"
        else:
            name = "ABCDEFGH"[k : k + 1] or f"A{k + 1}"
            bindings[name] = condition
            where, typeset = f"if {name}", rf"\text{{if }} {_letter(name)}"
        changes = id(value) in live
        before.append(f"{letter} {where}")
        after.append(f"d{letter} {where}" if changes else f"0 {where}")
        cases.append(f"{_letter(letter)} & {typeset}")
        primes.append(f"{_letter(letter)}' & {typeset}" if changes else f"0 & {typeset}")
    brace, end = r"\begin{cases} ", r" \end{cases}"
    over, under = (brace + _row(rows, f" {_BREAK} ", _VDOTS) + end for rows in (cases, primes))
    latex = rf"\left({over}\right)' = {under}"
    return Schema("piecewise", _row(before, ", "), _row(after, ", "), bindings, latex)


_BREAK, _VDOTS = r"\\", r"\vdots"


def _over_range(rule: Rule) -> Schema:
    """A Sum or Product over a range of integers, with the names of its own indices."""
    indices = [limit._args[0] for limit in rule.node._args[1:]]
    name, over = ", ".join(map(str, indices)), ", ".join(map(sympy.latex, indices))
    bindings = {f"u({name})": rule.node._args[0]}
    if isinstance(rule.node, sympy.Sum):
        latex = rf"\left(\sum_{{{over}}} u_{{{over}}}\right)' = \sum_{{{over}}} u_{{{over}}}'"
        return Schema(
            rule.name, f"sum over {name} of u({name})", f"sum over {name} of du({name})", bindings, latex
        )
    other = next(letter for letter in "jkmnl" if letter not in map(str, indices))
    one = ", ".join([other] if len(indices) == 1 else [f"{other}{k + 1}" for k in range(len(indices))])
    index = one if len(indices) == 1 else ", ".join(f"{other}_{{{k + 1}}}" for k in range(len(indices)))
    same = (name, over, index) if len(indices) == 1 else (f"({name})", f"({over})", f"({index})")
    there = one if len(indices) == 1 else f"({one})"
    right = f"sum over {one} of du({one}) * (product over {same[0]} != {there} of u({name}))"
    latex = (
        rf"\left(\prod_{{{over}}} u_{{{over}}}\right)' = "
        rf"\sum_{{{index}}} u_{{{index}}}' \prod_{{{same[1]} \ne {same[2]}}} u_{{{over}}}"
    )
    return Schema(rule.name, f"product over {name} of u({name})", right, bindings, latex)


def _formal(rule: Rule) -> Schema:
    (x, *_) = rule.operands
    name = sympy.latex(x)
    latex = rf"\left(\partial u\right)' = \frac{{\partial}}{{\partial {name}}} \partial u"
    right = f"Derivative(u, ..., {x}) * d{x}"
    return Schema(rule.name, "Derivative(u, ...)", right, {"u": rule.node._args[0]}, latex)


def _indexed(rule: Rule) -> Schema:
    base = str(rule.node._args[0])
    latex = rf"\left({base}_{{i}}\right)' = \delta_{{i k}}"
    return Schema("indexed symbol", f"{base}[i]", f"(1 if i = k else 0) * d{base}[k]", {}, latex)


def _written_out(rule: Rule) -> Schema:
    """A Derivative, a Subs or an UnevaluatedExpr stands for another expression, which is differentiated."""
    if not rule.operands:
        return Schema("written out", "e", "0", {"e": rule.node})
    return Schema("written out", "e", "du", {"e": rule.node, "u": rule.operands[0]}, r"\left(e\right)' = u'")


def _of_function(rule: Rule) -> Schema:
    """f(u, c): of a function that has no line in the table, its partial derivatives by name."""
    node, live = rule.node, {id(o) for o in rule.operands}
    name = type(node).__name__
    changing = iter(_names(len(live)))
    of: dict[int, str] = {}
    letters, bindings = [], {}
    for k, a in enumerate(node._args):
        letter = of.setdefault(id(a), next(changing)) if id(a) in live and id(a) not in of else of.get(id(a))
        letter = letter or f"c{k + 1}"
        letters.append(letter)
        bindings[letter] = a
    shown = f"{name}({_row(letters, ', ')})"
    typeset = name.replace("_", r"\_")
    head = rf"\operatorname{{{typeset}}}" if len(name) > 1 else name
    arguments = rf"\left({_row([_letter(a) for a in letters], ', ', _LDOTS)}\right)"
    said = None if isinstance(node, AppliedUndef) else _in_letters(rule, letters)
    if said is not None:
        right, primed = said
    elif len(letters) == 1:
        right, primed = f"{name}'(u) * du", rf"{head}'\left(u\right) u'"
    else:
        changed = dict.fromkeys(a for a in letters if a in of.values())
        right = _row([f"{name}_{a}({_row(letters, ', ')}) * d{a}" for a in changed], " + ")
        primed = _row([rf"{head}_{{{_letter(a)}}}{arguments} {_letter(a)}'" for a in changed], " + ", _CDOTS)
    title = "undefined function" if rule.name == "undefined function" else name
    return Schema(title, shown, right, bindings, rf"\left({head}{arguments}\right)' = {primed}")


def _in_letters(rule: Rule, letters: Sequence[str]) -> tuple[str, str] | None:
    """What the rule says of a function of letters, as text and in LaTeX; None for what is none."""
    if not isinstance(rule.node, sympy.Function) or len(letters) > _LONGEST:
        return None
    symbols = [intern(sympy.Symbol(a)) for a in letters]
    live = [symbols[k] for k, a in enumerate(rule.node._args) if any(a is o for o in rule.operands)]
    try:
        plain = read(rebuild(rule.node, symbols), context_of(live))
    except DiffkitError:
        return None
    differentials = [intern(sympy.Symbol(f"d{o}")) for o in plain.operands]
    terms = [plain.term(k, d) for k, d in enumerate(differentials)]
    primes = {d: _letter(str(o)) + "'" for d, o in zip(differentials, plain.operands, strict=True)}
    names = primes | {s: _letter(str(s)) for s in symbols}
    primed = " + ".join(sympy.latex(flat(t), order="none", symbol_names=names) for t in terms)
    said = " + ".join(single_brackets(str(flat(t))) for t in terms)
    return said.replace("+ -", "- "), primed.replace("+ -", "- ")


_LDOTS, _CDOTS = r"\ldots", r"\cdots"


def _isolated(rule: Rule) -> Schema:
    """A Piecewise with an isolated point."""
    left, right = "u where A, v elsewhere", "lim (v - u)/(x - a) where A, dv elsewhere"
    latex = (
        r"\left(\begin{cases} u & \text{at } a \\ v & \text{elsewhere} \end{cases}\right)' = \begin{cases} "
        r"\lim_{x \to a} \frac{v - u}{x - a} & \text{at } a \\ v' & \text{elsewhere} \end{cases}"
    )
    pieces = [piece._args for piece in rule.node._args]
    bindings = {"u": pieces[0][0], "A": pieces[0][1], "v": pieces[-1][0]}
    return Schema("piecewise", left, right, bindings, latex)


def _integral(rule: Rule) -> Schema:
    """Leibniz' rule."""
    body, *_, limit = rule.node._args
    t, *ends = limit._args
    latex = r"\left(\int_a^b u\,dt\right)' = u(b)\, b' - u(a)\, a' + \int_a^b u'\,dt"
    left, right = "integral of u from a to b", "u(b) * db - u(a) * da + integral of du from a to b"
    bindings = {"u": body} | dict(zip("ab" if len(ends) == 2 else "b", ends, strict=False))
    if not ends:
        left, right = f"integral of u by {t}", f"u * d{t} + integral of du by {t}"
        latex = r"\left(\int u\,dt\right)' = u\, t' + \int u'\,dt"
    return Schema("Leibniz", left, right, bindings, latex)


_READINGS: dict[str, Any] = {
    "isolated point": _isolated,
    "integral": _integral,
    "sum": _sum,
    "product": _product,
    "piecewise": _piecewise,
    "sum over a range": _over_range,
    "product over a range": _over_range,
    "formal derivative": _formal,
    "indexed symbol": _indexed,
    **dict.fromkeys(("unevaluated", "unevaluated derivative", "substitution"), _written_out),
}

# -- letters ------------------------------------------------------------------------------------------


def _names(count: int) -> tuple[str, ...]:
    return _LETTERS[:count] if count <= len(_LETTERS) else tuple(f"u{k}" for k in range(1, count + 1))


def _row(parts: Iterable[str], sign: str, dots: str = "...") -> str:
    row = list(parts)
    return sign.join(row if len(row) <= _LONGEST else [row[0], row[1], dots, row[-1]])


def _letter(name: str) -> str:
    """A letter in LaTeX: u, or u1 with its number below."""
    return name if name[1:] == "" else f"{name[0]}_{{{name[1:]}}}"


def _latex(text: str) -> str:
    """A side of a schema in LaTeX, read as an expression by the table's own grammar."""
    names = sorted({n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)})
    symbols = {n: intern(sympy.Symbol(n)) for n in names if n not in NAMES}
    read = compile_text(text, list(symbols), NAMES, operators=False)
    shown = {s: _letter(n[1:]) + "'" if n[1:] and n[0] == "d" else _letter(n) for n, s in symbols.items()}
    expr = flat(read(*symbols.values()), sums=True)
    return str(sympy.latex(expr, order="none", symbol_names=shown))
