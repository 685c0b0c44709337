"""Derivations: the rules that lead to a derivative, one by one, as a proof that can be checked.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> print(steps(x * sympy.sin(x**2), x).text())
d/dx x*sin(x**2) = x*((2*x)*cos(x**2)) + sin(x**2)
1 product: d(u * v) = du * v + dv * u, with u = x, v = sin(x**2)
  d/dx x*sin(x**2) = x*((2*x)*cos(x**2)) + sin(x**2)   (6 -> 15 nodes)
  2 variable: d(x) = 1
    d/dx x = 1   (1 -> 1 nodes)
  3 chain: d(sin(u)) = du * cos(u), with u = x**2
    d/dx sin(x**2) = (2*x)*cos(x**2)   (4 -> 8 nodes)
    4 power: d(u ** n) = du * (n * u ** (n - 1)), with u = x, n = 2
      d/dx x**2 = 2*x   (3 -> 3 nodes)
      already done in step 2: d/dx x = 1
simplified: 2*x**2*cos(x**2) + sin(x**2)
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy
from sympy import S

from diffkit.calculus import Elementary, chain, compile_text, rename
from diffkit.errors import InputError
from diffkit.expressions import NAMES, Expression, count_nodes, intern
from diffkit.symbolic.budget import BudgetError, within
from diffkit.symbolic.differentiation import _expression, forward_sweep, rules_in_order, variable
from diffkit.symbolic.rules import Context, Rule
from diffkit.symbolic.sizes import size

__all__ = ["Derivation", "Step", "steps"]

_WIDEST = 160  # characters of an expression that is shown; a longer one is described
_FAR = 2000  # nodes of a tree are counted so far when steps are shown
_LETTERS = ("u", "v", "w")


@dataclass(eq=False)
class Step:
    """One application of a rule.

    Attributes:
        rule: its name: constant, variable, sum, constant multiple, product, quotient, power,
            exponential, logarithm, chain, generalised power, piecewise, or the function's name.
        schema: what it says, as text: ``d(u * v) = du * v + dv * u``.
        bindings: what its letters stand for here.
        before: the expression that it differentiates.
        after: the derivative as the rule gives it.
        parts: the steps for the operands, in order.
        number: its place in the derivation, from 1, where it is first met.
    """

    rule: str
    schema: str
    bindings: dict[str, Expression]
    before: Expression
    after: Expression
    parts: list[Step] = field(default_factory=list)
    number: int = 0
    _rule: Rule | None = None
    _sides: tuple[str, str] = ("c", "0")

    @cached_property
    def simplified(self) -> Expression | None:
        """``after``, simplified by SymPy; None if that takes more than two seconds."""
        if count_nodes(self.after, _FAR) == _FAR:
            return None
        try:
            return within(2.0, lambda: sympy.simplify(self.after.doit()), "simplifying")
        except BudgetError:
            return None

    @cached_property
    def nodes_before(self) -> int:
        """The nodes of ``before``, as a tree."""
        return size(self.before).tree

    @cached_property
    def nodes_after(self) -> int:
        """The nodes of ``after``, as a tree: which rule made the expression swell."""
        return size(self.after).tree

    def evaluate(self) -> Expression:
        """The rule applied once more to the results of its parts: ``after``, if the step is right."""
        if self._rule is None:
            return self.after
        of = {id(part.before): part.after for part in self.parts}
        return self._rule.pushforward([of[id(operand)] for operand in self._rule.operands])


class Derivation:
    """A tree of steps from an expression to its derivative. In a notebook it shows as a folding list.

    Attributes:
        root: the first step; its parts lead on.
        variable: the symbol that is differentiated by.
        result: the derivative, the very expression that ``diff`` returns.
    """

    def __init__(self, root: Step, variable: Expression) -> None:
        self.root = root
        self.variable = variable
        for number, (step, _, first) in enumerate(
            (visit for visit in self._visits(numbered=False) if visit[2]), start=1
        ):
            assert first
            step.number = number

    @property
    def result(self) -> Expression:
        return self.root.after

    def __iter__(self) -> Iterator[Step]:
        """The distinct steps, in the order of their numbers."""
        return (step for step, _, first in self._visits() if first)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _visits(self, *, numbered: bool = True) -> Iterator[tuple[Step, int, bool]]:
        """Every step with its depth, from the root on; a step met again comes without its parts."""
        seen: set[int] = set()
        stack: list[tuple[Step, int]] = [(self.root, 0)]
        while stack:
            step, depth = stack.pop()
            first = id(step) not in seen
            seen.add(id(step))
            yield step, depth, first
            if first:
                stack.extend((part, depth + 1) for part in reversed(step.parts))

    def check(self) -> bool:
        """Whether every step follows from its parts by its rule: the derivation as a proof."""
        return all(step.evaluate() is step.after for step in self)

    # -- how it is shown ----------------------------------------------------------------------------

    def text(self, *, limit: int = 200, simplified: bool = True) -> str:
        """The steps as indented lines; at most ``limit`` of them."""
        x = self.variable
        lines = [f"d/d{x} {_show(self.root.before)} = {_show(self.result)}"]
        for count, (step, depth, first) in enumerate(self._visits()):
            if count == limit:
                lines.append(f"... and {len(self) - limit} more steps")
                break
            indent = "  " * min(depth, 30)
            change = f"d/d{x} {_show(step.before, bracket=True)} = {_show(step.after)}"
            if not first:
                lines.append(f"{indent}already done in step {step.number}: {change}")
                continue
            bound = _bound(step)
            lines.append(
                f"{indent}{step.number} {step.rule}: {step.schema}{', with ' + bound if bound else ''}"
            )
            lines.append(f"{indent}  {change}   ({_nodes(step)})")
        if simplified and self.root.simplified is not None:
            lines.append(f"simplified: {_show(self.root.simplified)}")
        return "\n".join(lines)

    __str__ = text

    def __repr__(self) -> str:
        return f"<Derivation of {_show(self.root.before)} by {self.variable}: {len(self)} steps>"

    def latex(self, *, limit: int = 200) -> str:
        r"""The steps as the lines of an ``aligned`` environment, to be put between ``\[`` and ``\]``.

        >>> x = sympy.Symbol("x")
        >>> print(steps(sympy.sin(x), x).latex())
        \begin{aligned}
        \frac{d}{d x} \left[\sin{\left(x \right)}\right] &= \cos{\left(x \right)} && \text{sin: } ...
        \frac{d}{d x} \left[x\right] &= 1 && \text{variable: } d\left(x\right) = 1
        \end{aligned}
        """
        lines = []
        for step in list(self)[:limit]:
            head = rf"\frac{{d}}{{d {sympy.latex(self.variable)}}} \left[{_show_latex(step.before)}\right]"
            rule = rf"\text{{{step.rule}: }} {_schema_latex(*step._sides)}"
            lines.append(f"{head} &= {_show_latex(step.after)} && {rule}")
        if len(self) > limit:
            lines.append(rf"&\;\;\vdots && \text{{and {len(self) - limit} more steps}}")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def html(self, *, limit: int = 500) -> str:
        """The steps as nested ``<details>`` elements, which fold; the first two levels are open."""
        parts: list[str] = ['<div class="diffkit-steps" style="line-height:1.6">']
        open_depths: list[int] = []
        for count, (step, depth, first) in enumerate(self._visits()):
            while open_depths and open_depths[-1] >= depth:
                open_depths.pop()
                parts.append("</details>")
            if count == limit:
                parts.append(f"<p>... and {len(self) - limit} more steps</p>")
                break
            change = html.escape(
                f"d/d{self.variable} {_show(step.before, bracket=True)} = {_show(step.after)}"
            )
            if not first:
                parts.append(
                    f'<p style="margin:.1em 0 .1em 2.4em"><code>{change}</code> '
                    f"<em>already done in step {step.number}</em></p>"
                )
                continue
            bound = _bound(step)
            detail = html.escape(step.schema + (f", with {bound}" if bound else ""))
            parts.append(
                f'<details style="margin-left:1.2em"{" open" if depth < 2 else ""}>'
                f"<summary><b>{step.number} {html.escape(step.rule)}</b> <code>{change}</code></summary>"
                f'<p style="margin:.1em 0 .1em 1.2em"><code>{detail}</code> ({html.escape(_nodes(step))})</p>'
            )
            open_depths.append(depth)
        parts += ["</details>"] * len(open_depths)
        if self.root.simplified is not None:
            parts.append(f"<p>simplified: <code>{html.escape(_show(self.root.simplified))}</code></p>")
        return "".join([*parts, "</div>"])

    _repr_html_ = html


def _bound(step: Step) -> str:
    return _row([f"{name} = {_show(value)}" for name, value in step.bindings.items()], ", ")


def _nodes(step: Step) -> str:
    counts = [count_nodes(e, _FAR) for e in (step.before, step.after)]
    before, after = (f"{c:,}" if c < _FAR else f"over {_FAR - 1:,}" for c in counts)
    return f"{before} -> {after} nodes"


def _too_wide(expr: Expression) -> bool:
    return count_nodes(expr, _WIDEST) == _WIDEST or size(expr).characters > _WIDEST


def _show(expr: Expression, *, bracket: bool = False) -> str:
    if _too_wide(expr):
        return f"[{type(expr).__name__} of {count_nodes(expr, _FAR):,}{'+' * _is_far(expr)} nodes]"
    text = str(expr)
    return f"({text})" if bracket and expr.is_Add else text


def _is_far(expr: Expression) -> bool:
    return count_nodes(expr, _FAR) == _FAR


def _show_latex(expr: Expression) -> str:
    if _too_wide(expr):
        return rf"[\text{{{count_nodes(expr, _FAR)}{'+' * _is_far(expr)} nodes}}]"
    return str(sympy.latex(expr))


# -- making one ---------------------------------------------------------------------------------------


def steps(expr: Any, x: Any) -> Derivation:
    """The derivation of an expression's derivative, step by step.

    The rules are those that :func:`~diffkit.symbolic.diff` applies in forward mode, so the result
    is the same expression, and a subexpression that occurs again is not derived again.

    Args:
        expr: a SymPy expression of any size; the derivation is as long as the shared graph.
        x: the symbol.

    Raises:
        InputError, NoRuleError: as :func:`~diffkit.symbolic.diff`.

    >>> x = sympy.Symbol("x")
    >>> derivation = steps(x**x, x)
    >>> derivation.root.rule, derivation.result, derivation.check()
    ('generalised power', x*x**(x - 1) + x**x*log(x), True)
    """
    root, symbol = _expression(expr), variable(x)
    context = Context([symbol])
    one = intern(S.One)
    made: dict[int, Step] = {
        id(symbol): Step("variable", f"d({symbol}) = 1", {}, symbol, one, _sides=(str(symbol), "1"))
    }

    def constant(node: Expression) -> Step:
        if id(node) not in made:
            made[id(node)] = Step(
                "constant", "d(c) = 0", {"c": node}, node, intern(S.Zero), _sides=("c", "0")
            )
        return made[id(node)]

    for rule in rules_in_order([root], context):
        parts = [made[id(operand)] for operand in rule.operands]
        after = rule.pushforward([part.after for part in parts])
        if rule.name == "sum":  # its constant terms are steps too
            live = iter(parts)
            active = {id(o) for o in rule.operands}
            parts = [next(live) if id(a) in active else constant(a) for a in rule.node._args]
        name, left, right, bindings = _reading(rule)
        made[id(rule.node)] = Step(
            name, f"d({left}) = {right}", bindings, rule.node, after, parts,
            _rule=rule, _sides=(left, right),
        )  # fmt: skip
    first = made[id(root)] if id(root) in made else constant(root)
    derivation = Derivation(first, symbol)
    (derivative,) = forward_sweep([root], Context([symbol]), [one])
    assert derivation.result is derivative, "a derivation that does not lead to the derivative"
    return derivation


def _reading(rule: Rule) -> tuple[str, str, str, dict[str, Expression]]:
    """A rule's name for people, the two sides of its schema, and what the letters stand for."""
    operands = rule.operands
    if rule.line is not None:
        return _from_table(rule, rule.line)
    letters = _LETTERS[: len(operands)] if len(operands) <= 3 else _numbered(len(operands))
    bindings = dict(zip(letters, operands, strict=True))
    if rule.name == "sum":
        live = {id(o) for o in operands}
        constants = [a for a in rule.node._args if id(a) not in live]
        fixed = ["c"] if len(constants) == 1 else [f"c{k + 1}" for k in range(len(constants))]
        bindings |= dict(zip(fixed, constants, strict=True))
        return "sum", _row(bindings, " + "), _row([f"d{letter}" for letter in letters], " + "), bindings
    if rule.name == "product":
        terms = [" * ".join(f"d{a}" if a == b else b for b in letters) for a in letters[:_LONGEST]]
        return "product", _row(letters, " * "), _row(terms, " + "), bindings
    if rule.name == "piecewise":
        return "piecewise", "piecewise(u, ...)", "piecewise(du, ...)", bindings
    right = " + ".join(f"d{letter} * D{k + 1}" for k, letter in enumerate(letters))
    return rule.name, f"f({', '.join(letters)})", right, bindings


_LONGEST = 6  # terms of a schema; of more, the first and the last are shown


def _row(parts: Iterable[str], sign: str) -> str:
    row = list(parts)
    return sign.join(row if len(row) <= _LONGEST else [row[0], row[1], "...", row[-1]])


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"u{k}" for k in range(1, count + 1))


def _from_table(rule: Rule, line: Elementary) -> tuple[str, str, str, dict[str, Expression]]:
    """The schema that a line of the table gives, with a letter for each argument."""
    live = [any(a is o for o in rule.operands) for a in rule.arguments]
    changing = iter(_LETTERS)
    fixed = "n" if line.name == "power" and live[0] else "a" if line.name == "power" else "c"
    letters = [next(changing) if active else fixed for active in live]
    to = dict(zip(line.arguments, letters, strict=True))
    left = rename(line.form, to)
    terms = [
        rename(chain("d_", partial), {**to, "d_": f"d{to[argument]}", "ans": left})
        for argument, partial, active in zip(line.arguments, line.partials, live, strict=True)
        if active
    ]
    right = " + ".join(terms).replace("+ -", "- ")
    bindings = dict(zip(letters, rule.arguments, strict=True))
    return _title(rule, line, live), left, right, bindings


def _title(rule: Rule, line: Elementary, live: Sequence[bool]) -> str:
    if line.name == "multiply":
        return "product" if all(live) else "constant multiple"
    if line.name in ("negative", "positive"):
        return "constant multiple"
    if line.name == "divide":
        return "quotient" if live[1] else "constant multiple"
    if line.name == "power":
        return "generalised power" if all(live) else "power" if live[0] else "exponential"
    inner = rule.operands[0]
    if len(live) == 1 and not inner.is_Symbol:
        return "chain"
    return {"exp": "exponential", "log": "logarithm", "sqrt": "power"}.get(line.name, line.name)


def _schema_latex(left: str, right: str) -> str:
    """A schema in LaTeX, read as an expression by the table's own grammar; as text if it is none."""
    try:
        sides = []
        for text in (left, right):
            names = sorted({n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)})
            free = [n for n in names if n not in NAMES]
            read = compile_text(text, free, NAMES, operators=False)
            sides.append(sympy.latex(read(*[intern(sympy.Symbol(_primed(n))) for n in free])))
        return rf"d\left({sides[0]}\right) = {sides[1]}"
    except (InputError, NameError, TypeError, SyntaxError):  # a schema in words, such as that of piecewise
        return rf"\text{{d({left}) = {right}}}"


def _primed(name: str) -> str:
    return f"{name[1:]}'" if len(name) > 1 and name[0] == "d" else name
