"""A derivation as text, as LaTeX, and as a folding list in HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import sympy
from sympy import S
from sympy.printing.latex import LatexPrinter

from diffkit.expressions import Expression, count_nodes, intern, post_order, power, product, rebuild, total
from diffkit.symbolic.swell.sizes import size

if TYPE_CHECKING:
    from diffkit.symbolic.steps.derivation import Derivation, Step

__all__ = ["FAR", "flat", "html", "latex", "shown", "text"]

FAR = 2000  # nodes of a tree are counted so far
_WIDEST = 160  # characters of an expression that is shown; a longer one is described


def text(derivation: Derivation, limit: int, simplified: bool) -> str:
    x = derivation.variable
    root = derivation.root
    lines = [f"d/d{x} {shown(root.before, bracket=True)} = {shown(root.after)}"]
    for count, (step, depth, first) in enumerate(derivation.visits()):
        if count == limit:
            lines.append(f"... and {_left(derivation, limit)} more steps")
            break
        indent = "  " * min(depth, 30)
        change = f"d/d{x} {shown(step.before, bracket=True)} = {shown(step.after)}"
        if not first:
            lines.append(f"{indent}already done in step {step.number}: {change}")
            continue
        lines.append(f"{indent}{step.number} {step.rule}: {step.schema}{_with(step)}")
        lines.append(f"{indent}  {change}{_growth(step, '   (', ' -> ', ')')}")
    simpler = _simpler(root) if simplified else None
    if simpler is not None:
        lines.append(f"simplified: {shown(simpler)}")
    return "\n".join(lines)


def latex(derivation: Derivation, limit: int) -> str:
    lines = []
    x = sympy.latex(derivation.variable)
    by = f"d{x}" if len(x) == 1 else rf"d {x}"
    for step in _first(derivation, limit):
        head = rf"\frac{{d}}{{{by}}} \left[{_in_latex(step.before)}\right]"
        rule = rf"\text{{{step.rule.replace('_', ' ')}: }} {step.reading.to_latex()}"
        lines.append(f"{head} &= {_in_latex(step.after)} && {rule}")
    if len(derivation) > limit:
        lines.append(rf"&\;\;\vdots && \text{{and {_left(derivation, limit)} more steps}}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


_ARROW = "\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}"
_QUIET = 'style="opacity:.7"'  # on light and dark alike, as no colour of its own would be
_LINE = 'style="margin:.1em 0 .2em 2.4em;overflow-wrap:anywhere"'


def html(derivation: Derivation, limit: int) -> str:
    x = derivation.variable
    parts: list[str] = ['<div class="diffkit-steps" style="line-height:1.6;font-variant-ligatures:none">']
    open_depths: list[int] = []
    for count, (step, depth, first) in enumerate(derivation.visits()):
        while open_depths and open_depths[-1] >= depth:
            open_depths.pop()
            parts.append("</details>")
        if count == limit:
            parts.append(f"<p>... and {_left(derivation, limit)} more steps</p>")
            break
        change = escape(f"d/d{x} {shown(step.before, bracket=True)} = {shown(step.after)}")
        if not first:
            done = f"<em {_QUIET}>already done in step {step.number}</em>"
            parts.append(f"<p {_LINE}><code>{change}</code> {done}</p>")
            continue
        parts.append(
            f'<details style="margin-left:1.2em"{" open" if depth < 2 else ""}>'
            f'<summary style="overflow-wrap:anywhere"><span {_QUIET}>{step.number}</span> '
            f"<b>{escape(step.rule)}</b> <code>{change}</code></summary>"
            f"<p {_LINE}><code>{escape(step.schema)}</code>"
            f"<span {_QUIET}>{escape(_with(step) + _growth(step, '; ', _ARROW, ''))}</span></p>"
        )
        open_depths.append(depth)
    parts += ["</details>"] * len(open_depths)
    simpler = _simpler(derivation.root)
    if simpler is not None:
        parts.append(f"<p {_LINE}>simplified: <code>{escape(shown(simpler))}</code></p>")
    return "".join([*parts, "</div>"])


def _first(derivation: Derivation, limit: int) -> Iterator[Step]:
    return (step for step, _ in zip(derivation, range(limit), strict=False))


def _left(derivation: Derivation, limit: int) -> int:
    """How many steps there are beyond ``limit`` lines."""
    return max(len(derivation) - limit, 1)


def _simpler(step: Step) -> Expression | None:
    """The simplified derivative, where it is shorter than what the rules gave."""
    simple = step.simplified
    if simple is None or count_nodes(simple, FAR) >= count_nodes(step.after, FAR):
        return None
    return simple


def _with(step: Step) -> str:
    rows = [f"{name} = {shown(value)}" for name, value in step.bindings.items()]
    if len(rows) > 6:
        rows = [rows[0], rows[1], "...", rows[-1]]
    return f", with {', '.join(rows)}" if rows else ""


def _growth(step: Step, start: str, arrow: str, end: str) -> str:
    """The nodes before and after, where the rule made the expression larger."""
    before, after = (count_nodes(e, FAR) for e in (step.before, step.after))
    if after <= before < FAR:
        return ""
    counts = [f"{c:,}" if c < FAR else f"over {FAR - 1:,}" for c in (before, after)]
    return f"{start}{counts[0]}{arrow}{counts[1]} nodes{end}"


# -- expressions --------------------------------------------------------------------------------------


def shown(expr: Expression, *, bracket: bool = False) -> str:
    """An expression as text, or the description of a long one."""
    if _too_wide(expr):
        return f"[{type(expr).__name__} of {_nodes(expr)}]"
    text = _single_brackets(str(expr))
    is_power = expr.is_Pow and expr._args[1] is not S.Half
    return f"({text})" if bracket and (expr.is_Add or expr.is_Mul or is_power) else text


def _single_brackets(text: str) -> str:
    """SymPy writes what is divided by a product as x/((2*y)); one pair of brackets says the same."""
    start = text.find("/((")
    while start >= 0:
        depth, ends = 0, []
        for k in range(start + 1, len(text)):
            depth += {"(": 1, ")": -1}.get(text[k], 0)
            if text[k] == ")" and depth < 2:
                ends.append(k)
            if depth == 0:
                break
        if len(ends) == 2 and ends[1] == ends[0] + 1:
            text = text[: start + 1] + text[start + 2 : ends[1]] + text[ends[1] + 1 :]
        start = text.find("/((", start + 1)
    return text


def _too_wide(expr: Expression) -> bool:
    return count_nodes(expr, _WIDEST) == _WIDEST or size(expr).characters > _WIDEST


def _nodes(expr: Expression) -> str:
    count = count_nodes(expr, FAR)
    return f"{count:,}{'+' if count == FAR else ''} nodes"


def _in_latex(expr: Expression) -> str:
    if _too_wide(expr):
        return rf"[\text{{{_nodes(expr)}}}]"
    return str(_Latex().doprint(flat(intern(expr))))


class _Latex(LatexPrinter):  # type: ignore[misc]
    """SymPy's printer, which stumbles over the power of a Piecewise."""

    def _print_Piecewise(self, expr: Expression, exp: Any = None) -> str:
        cases = str(super()._print_Piecewise(expr))
        return cases if exp is None else rf"\left({cases}\right)^{{{exp}}}"


def flat(expr: Expression, *, sums: bool = False) -> Expression:
    """Products of products as one, and sums of sums if asked for, as a person would write them.

    SymPy would write -1*(2*x) as (-1) 2 x, and (u + v) + w with its brackets.
    """
    new: dict[int, Expression] = {}
    for node in post_order(expr):
        args = [new[id(a)] for a in node._args]
        if node.is_Mul:
            new[id(node)] = _one_product([f for a in args for f in (a._args if a.is_Mul else [a])])
        elif node.is_Add and sums:
            new[id(node)] = total([t for a in args for t in (a._args if a.is_Add else [a])])
        else:
            new[id(node)] = rebuild(node, args) if args else node
    return new[id(expr)]


def _one_product(factors: list[Expression]) -> Expression:
    """With one sign, and what is divided by twice as a square below the line."""
    above = [f for f in factors if f is not S.NegativeOne and not _is_reciprocal(f)]
    if sum(f is S.NegativeOne for f in factors) % 2:
        first = next((k for k, f in enumerate(above) if f.is_Number), None)
        coefficient = S.One if first is None else above.pop(first)
        above.insert(0, intern(-coefficient))
    below = Counter(f._args[0] for f in factors if _is_reciprocal(f))
    return product([*above, *(power(base, intern(-count)) for base, count in below.items())])


def _is_reciprocal(factor: Expression) -> bool:
    return bool(factor.is_Pow and factor._args[1] is S.NegativeOne)
