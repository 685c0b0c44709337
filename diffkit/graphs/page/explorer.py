"""The page of ``dk.explore``: the stepping page, alive: every move of an input is computed in it anew.

The trace and its two sweeps stand in the page as JavaScript (:mod:`diffkit.autodiff.code.javascript`); the
texts and the picture are those of :mod:`~diffkit.graphs.page.stepper`, with places for the numbers. A program
with a row that JavaScript can't say is stepped through as it was traced, and the page says which row.
"""

from __future__ import annotations

import functools
import math
import reprlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from diffkit.autodiff.code.javascript import runtime, sweeps, tangent_program
from diffkit.autodiff.code.program import program_of
from diffkit.autodiff.notation.row_texts import Math
from diffkit.autodiff.recording.tracer import INPUT, plain
from diffkit.autodiff.views import Trace
from diffkit.errors import InputError
from diffkit.graphs.model import Edge, Graph, Label
from diffkit.graphs.page.formulas import formulas, swell
from diffkit.graphs.page.live_steps import backward_steps, forward_steps, value_steps
from diffkit.graphs.page.played_steps import shown
from diffkit.graphs.page.program_lines import program_lines
from diffkit.graphs.page.rolled import roll
from diffkit.graphs.page.stepper import Stepper, dense
from diffkit.graphs.reading.from_trace import from_trace
from diffkit.graphs.reading.row_looks import passes_nothing
from diffkit.programs import Program

_ROLLED, _LARGEST, _LARGEST_ROLLED = 60, 400, 1000
"""Rows beyond which a loop is rolled; rows beyond which there is no page, without and with a rolled loop."""

_WIDEST_NUMBER = "−0.12345"
"""As wide as a number of four digits becomes in the page."""


class Explorer(Stepper):
    """A page in which inputs, seeds and directions can be moved.

    Attributes:
        refused: why it is only stepped through: the row that JavaScript can't say; "" if it is alive.
        formulas: the derivatives in symbols, as far as there are any.
    """

    def __init__(
        self,
        t: Trace,
        cotangents: Sequence[Any] | None = None,
        tangents: Sequence[Any] | None = None,
        direction: str | None = None,
        engine: str = "auto",
        program: Program | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._roll = roll(t) if len(t) > _ROLLED else None
        super().__init__(t, "reverse", cotangents, tangents, direction, engine, notes)
        self._program = program
        self.refused = ""
        if not any(t.owns(output) for output in t.outputs):
            answer = reprlib.repr(t.out_structure.unflatten(t.outputs))
            raise InputError(
                f"{t.name} returns {answer}, which depends on no input; return what is computed from them"
            )
        try:
            self._javascript = sweeps(t, self.cotangents)
            forth = tangent_program(t)
            self._tangent_rows = len(forth.nodes) - len(forth.inputs)
            self.formulas = formulas(t)
        except InputError as error:
            self.refused = str(error)
            super()._refuse_long(t)

    def _refuse_long(self, t: Trace) -> None:
        most = _LARGEST if self._roll is None else _LARGEST_ROLLED
        if len(t) > most:
            raise InputError(
                f"{t.name} has {len(t):,} rows, too many for a page (at most {_LARGEST}; {_LARGEST_ROLLED:,} "
                "where a loop's iterations do the same: one is drawn). Take fewer iterations, or draw "
                "it: dk.draw rolls loops of any length"
            )

    def __repr__(self) -> str:
        what = "steps only" if self.refused else f"{len(self.trace.inputs)} inputs to move"
        return f"<page of {self.trace.name}: {len(self.steps)} steps, {what}>"

    # -- the picture ------------------------------------------------------------------------------------

    def _graph(self) -> tuple[Graph, Graph]:
        if self.refused:
            return super()._graph()
        graph = from_trace(self.trace, "circuit", direction=self._direction, cotangents=self.cotangents)
        n = self.notation
        assert self._adjoint is not None
        parts = Counter(c.target for c in self._adjoint.contributions)
        parts.update(r for s in self._adjoint.cotangents if (r := self._adjoint.roles[s.index].primal) >= 0)
        waiting = [f" (1 of {parts[r.index]})" if parts[r.index] > 1 else "" for r in self.trace.nodes]
        made: list[Graph] = []
        self._symbols = {e.key: self._symbol(e) for e in graph.edges}
        if self._roll is not None:
            graph = self._roll.fold(graph, self.trace)
        for widest in (False, True):
            nodes = []
            for node in graph.nodes:
                row = self.trace.nodes[node.row]
                number = _widest(row.value) if widest else shown(row.value)
                bar = f"{n.bar(row).text} = {_widest(row.value) + waiting[row.index] if widest else '–'}"
                formula = [label for label in node.labels if label.kind == "formula"]
                if self._roll is not None and row.index in self._roll.real:
                    texts = [n.equation(self.trace.nodes[r]).text for r in self._roll.real[row.index]]
                    longest = max(texts, key=len) if widest else texts[0]
                    formula = [Label(Math(longest, ""), "formula", f"f{row.index}")]
                lines = (
                    Label(Math(number, ""), "value", f"v{row.index}"),
                    Label(Math(bar, ""), "adjoint", f"d{row.index}"),
                )
                nodes.append(replace(node, labels=(*formula, *lines), tip=""))
            edges = [
                replace(e, labels=self._wire(e, widest), tip=self._symbols[e.key]) if e.key else e
                for e in graph.edges
            ]
            made.append(replace(graph, nodes=tuple(nodes), edges=tuple(edges)))
        return made[0], made[1]

    def _wire(self, edge: Edge, widest: bool) -> tuple[Label, ...]:
        """What an arrow carries: the local derivative in symbols, and a place for the contribution."""
        row, k = (int(part) for part in edge.key.split("."))
        source = self.trace.nodes[row]
        if passes_nothing(source, k):
            return edge.labels
        number = _widest(source.args[k].value) if widest else ""
        rolled = self._roll is not None and row in self._roll.real
        symbol = Label(Math(self._symbols[edge.key], ""), "partial", f"p{edge.key}" if rolled else "")
        return symbol, Label(Math(number or " ", ""), "adjoint", f"c{edge.key}")

    def _symbol(self, edge: Edge) -> str:
        """The local derivative that an arrow stands for, without its number."""
        row, k = (int(part) for part in edge.key.split("."))
        source = self.trace.nodes[row]
        first = edge.labels[0].text if edge.labels else ""
        partial = None if passes_nothing(source, k) else self.notation.partial(source, k)
        start = first.find(" = ") + 1  # right of the sign, if there is one: a name may stand on both sides
        if partial is not None and partial.text in first[start:]:
            return first[: first.index(partial.text, start) + len(partial.text)]
        name = self.notation.partial_name(source, k).text
        return name if first.startswith(name) else first

    # -- the data ---------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, str]:
        parts = super()._parts()
        style, left, methods, modes = dense("explorer.html").split("<!-- next -->\n")
        lines, _ = self._lines
        program = "".join(f'<li data-line="{k}">{escape(line) or " "}</li>' for k, line in enumerate(lines))
        code = (
            f'<section class="code pane" aria-label="The program"><ol>{program}</ol></section>'
            if lines
            else ""
        )
        parts |= {"TITLE": escape(self.trace.name), "KIND": "live"}
        notes = f'<div id="notes">{parts["NOTES"]}</div>' if self.notes else ""
        if self.refused:
            reason = f"This page steps through one run, and its inputs stay as they are: {self.refused}."
            note = f'<p class="refused" role="note">{escape(reason)}</p>'
            return parts | {"KIND": "live still", "PANE": f'{style}<div class="left">{code}{note}</div>\n'}
        parts["NOTES"] = ""
        functions = f"{runtime()}{self._javascript}\n{self.formulas.script}"
        script = dense("explorer.js")
        names = "values, adjoints, tangents" + (", formulas" if self.formulas.script else "")
        return parts | {
            "MODES": modes.strip(),
            "PANE": f'{style}<div class="left">{code}{notes}{left}</div>\n{methods}',
            "LIVE": f"const program = (() => {{\n{functions}\nreturn {{{names}}};\n}})();\n{script}",
        }

    def _rolled_up(self) -> dict[str, Any] | None:
        """What a rolled loop's drawn rows stand for, and the texts that change with the iteration."""
        if self._roll is None:
            return None
        n, rows = self.notation, {r for shown in self._roll.real.values() for r in shown}
        return {
            "real": self._roll.real,
            "body": self._roll.body,
            "rows": self._roll.rows,
            "equations": {r: n.equation(self.trace.nodes[r]).text for r in sorted(rows)},
            "symbols": {key: text for key, text in self._symbols.items() if int(key.split(".")[0]) in rows},
        }

    @functools.cached_property
    def _lines(self) -> tuple[list[str], list[int]]:
        return program_lines(self.trace)

    def _data(self) -> dict[str, Any]:
        data = super()._data() | {"lines": self._lines[1]}
        if self.refused:
            return data
        t, n = self.trace, self.notation
        adjoint = self._adjoint
        assert adjoint is not None
        seeds = adjoint.cotangents
        rows = [adjoint.roles[s.index].primal for s in seeds]
        given = t.in_structure.leaves_of(self._tangents, "tangents")
        directions = {a.index: d for a, d in zip(t.arguments, given, strict=True) if t.owns(a)}
        values = value_steps(t, n)
        keyword, growth = swell(self._program) if self._program else ("", [])
        for row, about in zip(t.nodes, data["rows"], strict=True):
            about["line"] = "" if data["lines"][row.index] >= 0 else about["line"]
            about["type"] = "" if row.fun is INPUT else about["type"]
            for part in about["parts"]:
                part["text"] = part["text"].rpartition(" = ")[0]
        return {
            "initial": {},
            "steps": [],
            "rows": data["rows"],
            "lines": data["lines"],
            "live": {
                "names": t.names,
                "texts": [n.name(r).text for r in t.nodes],
                "bars": [n.bar(r).text for r in t.nodes],
                "dots": [n.dot(r).text for r in t.nodes],
                "shapes": [list(np.shape(plain(r.value))) for r in t.nodes],
                "inputs": [{"row": r.index, "value": _flat(r.value)} for r in t.inputs],
                "seeds": [{"row": k, "value": _flat(s.value)} for s, k in zip(seeds, rows, strict=True)],
                "tangents": [_short(_flat(directions[r.index])) for r in t.inputs],
                "outputs": list(dict.fromkeys(rows)),
                "parts": [[c.target, f"{c.source}.{c.k}"] for c in adjoint.contributions],
                "guards": [f"{g.site} came out {_plainly(g.value)}" for g in program_of(t).guards],
                "reverse": values + backward_steps(t, n, adjoint, rows),
                "forward": values + forward_steps(t, n, self._tangents),
                "formulas": {
                    "written": self.formulas.written,
                    "sizes": self.formulas.sizes,
                    "refused": self.formulas.refused,
                    "by": keyword,
                    "growth": growth,
                },
                "costs": {
                    "forward": len(t) - len(t.inputs),
                    "reverse": len(adjoint.nodes) - len(adjoint.inputs),
                    "tangent": self._tangent_rows,
                    "weight": sum(np.size(plain(r.value)) for r in t.nodes),
                },
                "sums": [_sum(r.value) for r in t.nodes],
                "roll": self._rolled_up(),
            },
        }


def _flat(value: Any) -> Any:
    """A value as the page has it: a number, or a list of all elements; inf and nan as texts, for JSON."""
    value = np.asarray(plain(value), float)
    numbers = [x if math.isfinite(x) else str(x).replace("inf", "Infinity") for x in value.ravel().tolist()]
    return numbers if value.ndim else numbers[0]


def _short(value: Any) -> Any:
    """A list of equal numbers as the one number."""
    return value[0] if isinstance(value, list) and len(set(value)) == 1 else value


def _sum(value: Any) -> float | None:
    """What tells the page that it computes a row as NumPy did; None where there is no number."""
    total = float(np.sum(np.asarray(plain(value), float)))
    return total if math.isfinite(total) else None


def _widest(value: Any) -> str:
    size = np.size(plain(value))
    if np.ndim(plain(value)) == 0:
        return _WIDEST_NUMBER
    return f"[{', '.join([_WIDEST_NUMBER] * size)}]" if size <= 3 else f"{_WIDEST_NUMBER} … {_WIDEST_NUMBER}"


def _plainly(value: Any) -> str:
    value = np.asarray(value)
    if value.ndim:
        return "otherwise"
    return ("true" if value else "false") if value.dtype.kind == "b" else str(value)
