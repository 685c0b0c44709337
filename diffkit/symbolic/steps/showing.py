"""A derivation as text, as LaTeX, and as a folding list in HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import sympy

from diffkit.expressions import count_nodes
from diffkit.symbolic.steps.proof import Proof, Step
from diffkit.symbolic.steps.written import FAR, in_latex, shown


def text(proof: Proof, limit: int, simplified: bool) -> str:
    simpler = _simpler(proof.root) if simplified else None
    lines = [_change(proof, proof.root, proof.root.line if simpler is None else simpler)]
    for count, (step, depth, first) in enumerate(proof.visits()):
        if count == limit:
            lines.append(f"... and {_left(proof, limit)} more steps")
            break
        indent = "  " * min(depth, 30)
        change = _change(proof, step, step.line)
        if not first:
            lines.append(f"{indent}already done in step {step.number}: {change}")
            continue
        lines.append(f"{indent}{step.number} {step.rule}: {step.schema}{_with(step)}")
        lines.append(f"{indent}  {change}")
    if simplified:
        lines += [f"simplified: {line}" for line in _ends(proof.root)]
    return "\n".join(lines)


def _change(proof: Proof, step: Step, result: object) -> str:
    return f"d/d{proof.variable} {shown(step.before, bracket=True)} = {shown(result)}"


def latex(proof: Proof, limit: int) -> str:
    lines = []
    x = sympy.latex(proof.variable)
    by = f"d{x}" if len(x) == 1 else rf"d {x}"
    for step, _ in zip(proof, range(limit), strict=False):
        head = rf"\frac{{d}}{{{by}}} \left[{in_latex(step.before)}\right]"
        rule = rf"\text{{{step.rule.replace('_', ' ')}: }} {step.reading.to_latex()}"
        letters = [rf"{name} = {in_latex(value)}" for name, value in step.bindings.items() if name.isalnum()]
        given = r" \text{ with } " + r",\; ".join(letters[:6]) if letters else ""
        lines.append(rf"({step.number})\;\; {head} &= {in_latex(step.line)} && {rule}{given}")
    if len(proof) > limit:
        lines.append(rf"&\;\;\vdots && \text{{and {_left(proof, limit)} more steps}}")
    simpler = _simpler(proof.root)
    if simpler is not None:
        lines.append(rf"&= {in_latex(simpler)} && \text{{simplified}}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


_ARROW = "\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}"
_QUIET = 'style="opacity:.7"'  # on light and dark alike, as no colour of its own would be
_LINE = 'style="margin:.1em 0 .2em 2.4em;overflow-wrap:anywhere"'


def html(proof: Proof, limit: int) -> str:
    parts: list[str] = ['<div class="diffkit-steps" style="line-height:1.6;font-variant-ligatures:none">']
    open_depths: list[int] = []
    for count, (step, depth, first) in enumerate(proof.visits()):
        while open_depths and open_depths[-1] >= depth:
            open_depths.pop()
            parts.append("</details>")
        if count == limit:
            parts.append(f"<p>... and {_left(proof, limit)} more steps</p>")
            break
        change = escape(_change(proof, step, step.line))
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
    parts += [f"<p {_LINE}>simplified: <code>{escape(line)}</code></p>" for line in _ends(proof.root)]
    return "".join([*parts, "</div>"])


def _left(proof: Proof, limit: int) -> int:
    """How many steps there are beyond ``limit`` lines."""
    return max(len(proof) - limit, 1)


def _simpler(step: Step) -> object | None:
    """The simplified derivative, where it is shorter than what the rules gave."""
    simple = step.simplified
    if simple is None or count_nodes(simple, FAR) >= count_nodes(step.line, FAR):
        return None
    return None if shown(simple) == shown(step.line) else simple


def _ends(step: Step) -> Iterator[str]:
    """What the derivative comes to: simplified, and in terms of the function itself."""
    simpler = _simpler(step)
    if simpler is not None:
        yield shown(simpler)
    if step.by_itself is not None:
        yield f"{step.by_itself}, with y = {shown(step.before)}"


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
