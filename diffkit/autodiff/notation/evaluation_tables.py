"""Evaluation tables: a trace and its sweeps as the textbooks print them.

The layout is that of Baydin, Pearlmutter, Radul and Siskind, "Automatic Differentiation in Machine
Learning: a Survey", JMLR 18(153), 2018: Table 2 for forward mode, Table 3 for reverse mode. Their example:

>>> import numpy as np
>>> from diffkit.autodiff.views import trace
>>> t = trace(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2))(2.0, 5.0)
>>> print(t.adjoint_table())
Reverse mode: the primal trace is read down, the adjoint trace up
Primal trace ↓                         value  Adjoint trace ↑                              adjoint
──...
x₁                                         2  x̄₁                                               5.5
x₂                                         5  x̄₂                                           1.71634
v₁ = log(x₁) = log(2)               0.693147  x̄₁ = x̄₁ + v̄₁·∂v₁/∂x₁ = x̄₁ + v̄₁/x₁ = 5 + 1/2      5.5
...
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import zeros_like
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.notation.formulas import shown_digits
from diffkit.autodiff.notation.row_texts import Math, Notation, absent, dimensions, type_text, value_text
from diffkit.autodiff.recording.tracer import INPUT, Node, plain
from diffkit.sites import belongs_to_diffkit, source_line
from diffkit.tables import ShownFloat, Table, format_cell, latex_escape


class Formula(str):
    """A cell with a formula: a string of Unicode text that knows itself in LaTeX as well."""

    __slots__ = ("latex",)
    latex: str

    def __new__(cls, math: Math) -> Formula:
        """The formula as a string."""
        made = super().__new__(cls, math.text)
        made.latex = math.latex
        return made


class EvaluationTable(Table):
    """A table whose formulas are typeset in LaTeX, not spelled."""

    def _alignments(self) -> list[str]:
        """As in any table, but the blanks of rows that continue another say nothing."""
        filled = Table(self.columns, [[None if v == "" else v for v in row] for row in self.rows])
        return filled._alignments()

    def latex(self) -> str:
        """A LaTeX ``tabular`` with the rules of the booktabs package; needs amsmath."""

        def cell(value: object) -> str:
            if isinstance(value, Formula):
                return f"${value.latex}$" if value else ""
            return latex_escape(format_cell(value)) if value != "" else ""

        def title(text: str) -> str:
            return latex_escape(text).replace("↓", r"$\downarrow$").replace("↑", r"$\uparrow$")

        spec = "".join(a[0] for a in self._alignments())
        lines = [
            r"\begin{tabular}{" + spec + "}",
            r"\toprule",
            " & ".join(map(title, self.columns)) + r" \\",
            r"\midrule",
            *(" & ".join(map(cell, row)) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        below = " ".join([self.caption, *self.notes]).strip()
        head, foot = (
            [r"\begin{table}", r"\centering"],
            [rf"\caption{{{latex_escape(below)}}}", r"\end{table}"],
        )
        return "\n".join([*head, *lines, *foot] if below else lines)


def _cell(value: Any, digits: int = 0) -> Any:
    """A value as a cell: a float as it is, a short vector as text, else shape and dtype."""
    if value is None:
        return None
    value = plain(value)
    if not isinstance(value, tuple | list) and np.ndim(value) == 0:
        number = np.asarray(value).item()
        digits = max(digits, shown_digits())
        return ShownFloat(number, digits) if isinstance(number, float) and digits > 6 else number
    return value_text(value) or type_text(value)


def _join(*parts: Math | None) -> Math:
    """``a = b = c``, without what is None, and without repeating."""
    given: list[Math] = []
    for part in parts:
        if part is not None and (not given or part.text != given[-1].text):
            given.append(part)
    return Math(" = ".join(p.text for p in given), " = ".join(p.latex for p in given))


def _statement(n: Notation, row: Node) -> Formula:
    """``v₁ = x₁·x₂ = 2·5``."""
    if row.fun is INPUT:
        return Formula(n.name(row))
    return Formula(_join(n.name(row), n.formula(row), n.formula_in_numbers(row)))


def primal_table(t: WengertList) -> Table:
    """The primal trace: one row per value, what it is, in words and in numbers, and the program's line.

    >>> from diffkit.autodiff.views import trace
    >>> table = primal_table(trace(lambda x, y: x * y)(2.0, 3.0))
    >>> table["computes"], table["value"]
    (['', '', 'x·y'], [2.0, 3.0, 6.0])
    """
    n = Notation(t)
    rows = []
    for row in t.nodes:
        is_input = row.fun is INPUT
        numbers = None if is_input else n.formula_in_numbers(row)
        rows.append(
            [
                Formula(n.name(row)),
                "" if is_input else Formula(n.formula(row)),
                "" if numbers is None else Formula(numbers),
                _cell(row.value, n.digits[row.index]),
                "" if is_input or belongs_to_diffkit(row.code) else source_line(row.code, row.at),
            ]
        )
    if t.failure is not None:
        told = t.failure.described() or "failed"
        line = source_line(t.failure.code, t.failure.at)
        rows.append(
            [
                Formula(Math("✗", r"\times")),
                Formula(Math(told, rf"\text{{{latex_escape(told)}}}")),
                "",
                "fails",
                line,
            ]
        )
    columns = ["name", "computes", "in numbers", "value", "line"]
    caption, notes = f"Primal trace of {t.name}, read down", []
    if t.failure is not None:
        caption, notes = f"{caption}, as far as it ran", [t.failure.message]
    return EvaluationTable(columns, rows, caption=caption, notes=notes)


def tangent_table(t: WengertList, tangents: Sequence[Any]) -> Table:
    """The forward primal trace beside the forward tangent trace, both read down.

    Args:
        t: the trace.
        tangents: one per argument, of its shape.

    Raises:
        InputError: if they do not fit the arguments.

    >>> import numpy as np
    >>> from diffkit.autodiff.views import trace
    >>> t = trace(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2))(2.0, 5.0)
    >>> tangent_table(t, (1.0, 0.0)).rows[-1]
    ['y = v₅', 11.652071455223084, 'ẏ = v̇₅', 5.5]
    """
    n = Notation(t)
    swept = t.tangents(*tangents)
    rows: list[list[Any]] = []
    for row in t.nodes:
        dot, tangent = n.dot(row), swept[row.index]
        if row.fun is INPUT or tangent is None:
            words = dot if tangent is not None else Math(f"{dot.text} = 0", f"{dot.latex} = 0")
        else:
            numbers = n.tangent_in_numbers(row, swept)
            words = _join(dot, n.tangent(row, lambda a: swept[a.index] is not None), numbers)
        rows.append(
            [
                _statement(n, row),
                _cell(row.value, n.digits[row.index]),
                Formula(words),
                _cell(_or_zero(tangent, row)),
            ]
        )
    for output, name in _outputs(t):
        y = Math(name, name)
        rows.append(
            [
                Formula(_join(y, n.name(output))),
                _cell(output.value),
                Formula(_join(_marked(name, "\u0307", r"\dot"), n.dot(output))),
                _cell(_or_zero(swept[output.index], output)),
            ]
        )
    columns = ["Primal trace ↓", "value", "Tangent trace ↓", "tangent"]
    return EvaluationTable(columns, rows, caption="Forward mode: both traces are read down")


def adjoint_table(t: WengertList, cotangents: Sequence[Any]) -> Table:
    """The forward primal trace, read down, beside the reverse adjoint trace, read up.

    Beside each operation stand its contributions to the adjoints of its arguments, one row each, with
    the adjoint as it is after them: what is added to is a value that was used again.

    Args:
        t: the trace.
        cotangents: one per output, of its shape; none for 1 if there is a single scalar output.

    Raises:
        InputError: if they do not fit the outputs.

    >>> from diffkit.autodiff.views import trace
    >>> table = adjoint_table(trace(lambda x: x * x)(3.0), ())
    >>> table["Adjoint trace ↑"]
    ['x̄', 'x̄ = x̄ + v̄₁·∂v₁/∂(2nd) = x̄ + v̄₁·x = 3 + 1·3', 'x̄ = v̄₁·∂v₁/∂(1st) = v̄₁·x = 1·3', 'v̄₁ = ȳ']
    >>> table["adjoint"]
    [6.0, 6.0, 3.0, 1.0]
    """
    n = Notation(t)
    seeds = t.seeds(tuple(cotangents))
    beside: dict[int, list[list[Any]]] = {}
    running: dict[int, Any] = {index: _copied(seed) for index, seed in seeds.items()}
    finished: dict[int, Any] = dict(running)

    def observe(source: int, k: int, target: int, contribution: object, total: object) -> None:
        row, a = t.nodes[source], t.nodes[target]
        before = running.get(target)
        running[target] = finished[target] = _copied(total)
        words = contribution_words(n, row, k, a, before, running.get(source))
        beside.setdefault(source, []).append([Formula(words), _cell(running[target])])

    adjoints = t.observed(seeds, observe)
    rows: list[list[Any]] = []
    for row in t.nodes:
        statement, value = _statement(n, row), _cell(row.value, n.digits[row.index])
        if row.fun is INPUT:
            rows.append([statement, value, Formula(n.bar(row)), _cell(_or_zero(adjoints[row.index], row))])
            continue
        # The sweep reads up, so the first contribution stands lowest.
        found = list(reversed(beside.get(row.index, [["", None]])))
        rows.append([statement, value, *found[0]])
        rows += [["", "", *contribution] for contribution in found[1:]]
    for output, name in _outputs(t):
        bar = _marked(name, "\u0304", r"\bar")
        rows.append(
            [
                Formula(_join(Math(name, name), n.name(output))),
                _cell(output.value),
                Formula(_join(n.bar(output), bar or Math("seed", r"\text{seed}"))),
                _cell(seeds[output.index]),
            ]
        )
    columns = ["Primal trace ↓", "value", "Adjoint trace ↑", "adjoint"]
    return EvaluationTable(
        columns, rows, caption="Reverse mode: the primal trace is read down, the adjoint trace up"
    )


def contribution_words(n: Notation, row: Node, k: int, a: Node, before: object, g: object) -> Math:
    """``x̄₁ = x̄₁ + v̄₁·∂v₁/∂x₁ = x̄₁ + v̄₁/x₁ = 5 + 1/2``."""
    bar, contribution = n.bar(a), n.contribution(row, k)
    scalar = not any(dimensions(v) for v in (row.value, a.value)) and n.partial(row, k) is not None
    sides: list[Math | None] = []
    if scalar:
        source, partial = n.bar(row), n.partial_name(row, k)
        sides.append(Math(f"{source.text}·{partial.text}", rf"{source.latex}\,{partial.latex}"))
    sides.append(contribution)
    if before is None:
        return _join(bar, *sides, n.contribution_in_numbers(row, k, g))
    sides = [s and Math(f"{bar.text} + {_term(s.text)}", f"{bar.latex} + {s.latex}") for s in sides]
    numbers = n.contribution_in_numbers(row, k, g)
    if numbers is not None:
        start = value_text(before)
        numbers = Math(
            f"{start} + {_term(numbers.text)}", f"{start} + {_term(numbers.latex)}".replace("−", "-")
        )
    return _join(bar, *sides, numbers)


def _term(text: str) -> str:
    """A term after a plus sign: in brackets if it starts with a minus."""
    return f"({text})" if text.startswith(("−", "-")) else text


def _outputs(t: WengertList) -> list[tuple[Node, str]]:
    """The outputs that are rows, with the names that the tables give them: y, or y₁, y₂, ..."""
    owned = [o for o in t.outputs if t.owns(o)]
    taken = set(t.names)
    names = ["y"] if len(owned) == 1 else [f"y{k + 1}" for k in range(len(owned))]
    return [
        (o, "output" if name in taken else name.translate(_SUBSCRIPTS))
        for o, name in zip(owned, names, strict=True)
    ]


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _marked(name: str, mark: str, command: str) -> Math | None:
    """An output's name with a bar or a dot; None for one that the program has named itself."""
    if name == "output":
        return None
    return Math(unicodedata.normalize("NFC", name[0] + mark) + name[1:], f"{command}{{{name[0]}}}{name[1:]}")


def _or_zero(derivative: object, row: Node) -> Any:
    if derivative is None:
        return None if absent(row.value) == "–" else zeros_like(row.value)
    return derivative


def _copied(value: object) -> Any:
    """A sweep's running total as it is now: some grow in place."""
    dense = value.dense() if hasattr(value, "dense") else value
    return dense.copy() if isinstance(dense, np.ndarray) else dense
