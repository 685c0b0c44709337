"""A trace as a graph: the program, its tangents, its adjoint program, or program and adjoints joined.

Drawing conventions, after Baydin et al. (JMLR 18(153), 2018, section 3) and Griewank and Walther (2008):
values flow along solid arrows; an arrow carries the local derivative of its head by its tail, in
symbols and in numbers. Adjoints flow back along dashed arrows, which carry the contributions; where
a value was used more than once they meet in a sum. Light lines lead from a primal value to each
adjoint whose pullback reads it: what the reverse sweep must keep. What hands no derivative on is dotted.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.notation.row_texts import (
    Math,
    Notation,
    dimensions,
    local_derivatives,
    number_text,
    type_text,
    value_text,
)
from diffkit.autodiff.notation.shown_digits import enough_digits
from diffkit.autodiff.recording.failures import Failure
from diffkit.autodiff.recording.tracer import INPUT, plain
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import Trace
from diffkit.containers import describe, paths
from diffkit.errors import InputError
from diffkit.graphs.layout.dot import EDGE_SIZE, NODE_SIZES
from diffkit.graphs.metrics import text_width
from diffkit.graphs.model import Edge, Graph, Label, Node
from diffkit.graphs.reading.from_adjoint import adjoint_part, kept_chips, kept_lines
from diffkit.graphs.reading.row_looks import at_kink, passes_nothing, rows_of_sweeps, symbol_of
from diffkit.graphs.reading.wording import equal, number, plain_text, with_number, with_value
from diffkit.sites import belongs_to_diffkit, source_line

_LONGEST_ROW, _WIDEST_ROW = 5, 1000.0
"""Layers, and points of formulas in them, that still read left to right on a slide; longer programs are
drawn downwards."""

_WIDEST_LINE = 270.0
"""Points beyond which a formula stands below its name, and an arrow does not say whose derivative it has."""


def default_cotangents(t: Trace) -> tuple[Any, ...]:
    """Ones for every output: the gradient of their sum.

    Raises:
        InputError: for an output that has no derivative: a truth value, an integer.
    """
    for k, output in enumerate(t.outputs):
        if t.owns(output) and not is_differentiable(output):
            raise InputError(
                f"output {k + 1} of {t.name} is {describe(output.value)}, which has no derivative; "
                "return it apart from the floats, or draw the view 'primal'"
            )
    return t.unit_cotangents()


# -- the views -----------------------------------------------------------------------------------------


class _Builder:
    """Makes the nodes and edges of one trace."""

    def __init__(self, t: Trace, direction: str | None, short: bool) -> None:
        self.trace = t
        self.short = short
        self.notation = Notation(t)
        self.direction = direction or ("right" if self._fits_a_row() else "down")
        self._slopes_by_row: dict[int, list[Any]] = {}
        self._keys = _output_keys(t)
        self._sweeps = rows_of_sweeps(t)
        self.outputs = {o.index for o in t.outputs if t.owns(o)}

    def _fits_a_row(self) -> bool:
        """Whether the program is short enough to be drawn from left to right."""
        depth: list[int] = []
        widths: dict[int, float] = {}
        for row in self.trace.nodes:
            depth.append(1 + max((depth[p.index] for p in row.parents), default=0))
            width = text_width(self.notation.equation(row).text, NODE_SIZES["formula"])
            widths[depth[-1]] = max(widths.get(depth[-1], 0.0), width)
            if len(widths) > _LONGEST_ROW:
                return False
        return sum(widths.values()) <= _WIDEST_ROW

    # -- the program --

    def node(self, row: Row, extra: Sequence[Label] = (), slots: bool = False) -> Node:
        n = self.notation
        inner = "adjoint" if row.index in self._sweeps else "operation"
        kind = "input" if row.fun is INPUT else "output" if row.index in self.outputs else inner
        labels = [Label(n.equation(row), "formula")]
        if row.fun is not INPUT and text_width(labels[0].text, NODE_SIZES["formula"]) > _WIDEST_LINE:
            formula = n.formula(row)
            below = Math(f"= {formula.text}", f"= {formula.latex}")
            labels = [Label(n.name(row), "formula"), Label(below, "formula")]
        value, type_ = n.value(row), type_text(row.value)
        if value:
            labels.append(Label(number(value), "value", f"v{row.index}" if slots else ""))
        if type_:
            labels.append(Label(plain_text(type_), "type"))
        if row.index in self._keys:
            labels.append(Label(plain_text(f"output {self._keys[row.index]}"), "note"))
        elif kind == "input" and row.index in self.outputs:
            labels.append(Label(plain_text("also an output"), "note"))
        if not self._is_finite(row):
            labels.append(Label(plain_text("not finite here"), "note"))
        kink = at_kink(row)
        if kink:
            labels.append(Label(plain_text("no derivative here"), "note"))
        return Node(
            id=f"n{row.index}",
            kind=kind,
            labels=(*labels, *extra),
            symbol=symbol_of(row),
            returned=row.index in self.outputs,
            dotted=kink or row.fun.constant,
            row=row.index,
            tip=self._tip(row),
        )

    def _slopes(self, row: Row) -> list[Any]:
        if row.index not in self._slopes_by_row:
            self._slopes_by_row[row.index] = [] if row.fun is INPUT else local_derivatives(row)
        return self._slopes_by_row[row.index]

    def _is_finite(self, row: Row) -> bool:
        """Whether a number's value, and its derivatives by its arguments, are numbers, not inf or nan."""
        shown = [] if dimensions(row.value) else [plain(row.value), *filter(None, self._slopes(row))]
        return all(np.isfinite(v) for v in shown if isinstance(v, float | complex | np.inexact))

    def _tip(self, row: Row) -> str:
        value = self.notation.value(row)
        lines = [
            f"{self.notation.equation(row).text} = {value}" if value else self.notation.equation(row).text
        ]
        lines.append(type_text(row.value) or type(plain(row.value)).__name__)
        if row.fun is not INPUT and not belongs_to_diffkit(row.code):
            source = source_line(row.code, row.at)
            if source:
                lines.append(source)
        if at_kink(row) and row.fun.line is not None and row.fun.line.convention:
            lines.append(f"Convention: {row.fun.line.convention}")
        return "\n".join(lines)

    def edges(self, row: Row) -> list[Edge]:
        found = []
        slopes = self._slopes(row)
        for k, a in enumerate(row.args):
            if self.trace.owns(a):
                nothing = passes_nothing(row, k)
                local = self.local(row, k, slopes[k])
                found.append(
                    Edge(
                        f"n{a.index}",
                        f"n{row.index}",
                        "flow",
                        tuple(local),
                        dotted=nothing or at_kink(row),
                        key=f"{row.index}.{k}",
                        tip=" ".join(label.text for label in local),
                    )
                )
        return found

    def local(self, row: Row, k: int, slope: Any) -> list[Label]:
        """What an edge carries: ``∂a/∂x₁ = x₂`` and ``= 3``; for arrays the pullback."""
        n = self.notation
        if passes_nothing(row, k):
            return [Label(plain_text("no derivative"), "note")]
        partial = n.partial(row, k)
        if slope is None or (partial is None and dimensions(row.args[k])):
            vjp, bar = n.contribution(row, k), n.bar(row.args[k])
            arrow = Math(f"{bar.text} ← {vjp.text}", rf"{bar.latex} \leftarrow {vjp.latex}")
            return [Label(arrow if self._is_short(arrow) and not self.short else vjp, "partial")]
        name, text = n.partial_name(row, k), number_text(slope)
        if at_kink(row):  # what the formula says at a tie is not what is used there
            return [Label(Math(f"{name.text} := {text}", f"{name.latex} := {number(text).latex}"), "partial")]
        if partial is None or partial.text == text:
            return [Label(self._told(name, number(text)), "partial")]
        return with_number(self._told(name, partial), text, self.direction)

    def _told(self, name: Math, derivative: Math) -> Math:
        """``∂a/∂x₁ = x₂``, or what is right of the sign where names are long."""
        whole = equal(name, derivative)
        return whole if self._is_short(whole) and not self.short else derivative

    @staticmethod
    def _is_short(line: Math) -> bool:
        return text_width(line.text, EDGE_SIZE) <= _WIDEST_LINE

    def primal(self) -> tuple[list[Node], list[Edge]]:
        rows = self.trace.nodes
        return [self.node(r) for r in rows], [e for r in rows for e in self.edges(r)]

    def failed(self, failure: Failure) -> tuple[Node, list[Edge]]:
        """The operation that failed, and the arrows to it of what it was given."""
        line = source_line(failure.code, failure.at)
        lines = [Label(plain_text(_shortened(line or failure.described() or self.trace.name, 50)), "formula")]
        if failure.shapes:
            lines.append(Label(plain_text(f"{failure.operation} of {failure.shapes}"), "type"))
        lines.append(Label(plain_text("fails here"), "note"))
        rows = dict.fromkeys(a.index for a in failure.operands if self.trace.owns(a))
        edges = [Edge(f"n{index}", "failed", "flow", key=f"failed.{k}") for k, index in enumerate(rows)]
        edges = edges or [Edge(f"n{self.trace.nodes[-1].index}", "failed", "align")]
        return Node("failed", "failed", tuple(lines), symbol="✗", tip=failure.message), edges

    def with_tangents(self, tangents: Sequence[Any]) -> tuple[list[Node], list[Edge]]:
        swept = self.trace.tangents(*tangents)
        nodes = []
        for row in self.trace.nodes:
            name, t = self.notation.dot(row), swept[row.index]
            nodes.append(self.node(row, [Label(with_value(name, t, row.value), "tangent", f"t{row.index}")]))
        return nodes, [e for r in self.trace.nodes for e in self.edges(r)]

    def with_adjoints(self, cotangents: Sequence[Any], wires: bool) -> tuple[list[Node], list[Edge]]:
        """The program with each adjoint below its value; with ``wires`` each contribution on its arrow."""
        t, found = self.trace, dict[tuple[int, int], Any]()
        parts: dict[int, list[Any]] = {}

        def observe(source: int, k: int, target: int, contribution: Any, total: Any) -> None:
            found[source, k] = contribution
            parts[target].append(contribution)

        seeds = t.seeds(tuple(cotangents))
        for row in t.nodes:
            parts[row.index] = [seeds[row.index]] if row.index in seeds else []
        swept = t.observed(dict(seeds), observe)
        nodes, edges = [], []
        for row in t.nodes:
            line = with_value(self.notation.bar(row), swept[row.index], row.value)
            if wires and len(parts[row.index]) > 1:
                line = _summed(self.notation.bar(row), parts[row.index], swept[row.index], line)
            labels = [Label(line, "adjoint", f"a{row.index}")]
            if row.index in seeds and len(t.outputs) > 1:
                labels.append(Label(plain_text(f"seed {value_text(seeds[row.index])}".strip()), "note"))
            nodes.append(self.node(row, labels))
            for edge in self.edges(row):
                given = found.get((row.index, int(edge.key.partition(".")[2])))
                if wires and _is_number(given) and not edge.dotted:
                    back = number(value_text(given))
                    told = Math(f"← {back.text}", rf"\leftarrow {back.latex}")
                    edge = replace(edge, labels=(*edge.labels, Label(told, "adjoint")))
                edges.append(edge)
        return nodes, edges


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _is_number(value: Any) -> bool:
    """Whether a contribution is one number: no array, nor what is to be put into one."""
    value = plain(value)
    return isinstance(value, float | complex | np.inexact) or (type(value) is np.ndarray and value.ndim == 0)


def _summed(bar: Math, parts: Sequence[Any], total: Any, line: Math) -> Math:
    """``x̄ = 3.92 + 0.3333 = 4.254``: where paths meet; the total alone for arrays and for many paths."""
    if len(parts) > _MOST_PARTS or not all(map(_is_number, (*parts, total))):
        return line
    digits = enough_digits([float(np.real(plain(p))) for p in parts], float(np.real(plain(total))), sum)
    texts = [value_text(part, digits) for part in parts]
    terms = " + ".join([texts[0], *(f"({x})" if x.startswith("−") else x for x in texts[1:])])
    return equal(bar, equal(Math(terms, terms.replace("−", "-")), number(value_text(total))))


_MOST_PARTS = 3
"""Contributions that are written out where they add up."""


def _output_keys(t: Trace) -> dict[int, str]:
    """Per row that is an output with a key or a field's name, that: ``['sum']``."""
    found: dict[int, list[str]] = {}
    for output, path in zip(t.outputs, paths(t.out_structure, ""), strict=True):
        if t.owns(output) and not _PLACES.fullmatch(path):
            found.setdefault(output.index, []).append(path.removeprefix("."))
    return {index: " and ".join(keys) for index, keys in found.items()}


_PLACES = re.compile(r"(\[\d+\])*")


def _seeds_said(t: Trace, n: Notation, cotangents: Sequence[Any]) -> str:
    """`` of y₁ + y₂`` for seeds of 1, else `` from the seeds ȳ₁ = 1, ȳ₂ = 0``; nothing for one output's 1."""
    outputs = [o for o in t.outputs if t.owns(o)]
    seeds = t.seeds(tuple(cotangents))
    times = Counter(o.index for o in outputs)
    if all(np.all(np.asarray(seed) == times[index]) for index, seed in seeds.items()):
        names = [("Σ " if dimensions(o.value) else "") + n.name(o).text for o in outputs]
        return f" of {' + '.join(names)}" if len(names) > 1 or "Σ" in "".join(names) else ""
    said = [with_value(n.bar(t.nodes[k]), seed, t.nodes[k].value).text for k, seed in seeds.items()]
    return f" from the seed{'s' * (len(said) != 1)} {', '.join(said)}"


VIEWS = ("primal", "tangent", "circuit", "adjoint", "both")
"""What can be drawn of a trace. A "circuit" has each adjoint below its value, in one graph."""


def from_trace(
    t: Trace,
    view: str,
    *,
    direction: str | None = None,
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    wires: bool = False,
    short: bool = False,
) -> Graph:
    """The graph of a trace in one view.

    Args:
        t: the trace.
        view: one of :data:`VIEWS`.
        direction: "right" or "down"; by default right unless the program is long.
        cotangents: the seeds, one per output, nested like the outputs; ones by default.
        tangents: one per argument, of its shape; the direction of the first input by default.
        wires: in a circuit, say on each arrow what flows back along it.
        short: leave out on an arrow whose derivative it carries.

    Of a program that failed there is the primal view only, as far as it ran.
    """
    if t.failure is not None and view not in ("primal", "tangent"):
        graph = from_trace(t, "primal", direction=direction)
        return replace(graph, notes=(*graph.notes, "without an output there are no adjoints to draw"))
    b = _Builder(t, direction, short)
    at = ", ".join(equal(b.notation.name(r), Math(v, v)).text for r in t.inputs if (v := b.notation.value(r)))
    same: tuple[tuple[str, ...], ...] = ()
    if view == "primal":
        nodes, edges = b.primal()
        title = "primal"
    elif view == "tangent":
        tangents = t.unit_tangents() if tangents is None else tangents
        nodes, edges = b.with_tangents(tangents)
        swept = t.tangents(*tangents)
        moving = ", ".join(with_value(b.notation.dot(r), swept[r.index], r.value).text for r in t.inputs)
        title = "tangents" + (f" along {moving}" if len(moving) < 60 else "")
    elif view == "circuit":
        nodes, edges = b.with_adjoints(default_cotangents(t) if cotangents is None else cotangents, wires)
        title = "values and adjoints"
    else:
        adjoint = t.adjoint(*(default_cotangents(t) if cotangents is None else cotangents))
        nodes, edges = adjoint_part(adjoint, b.notation, b.direction)
        if view == "both":
            same = tuple((f"n{n.row}", n.id) for n in nodes if n.id.startswith("a"))
            beside, links = b.primal()
            nodes, edges = beside + nodes, links + edges + kept_lines(adjoint)
            title = "primal and adjoint"
        else:
            chips, links = kept_chips(adjoint, b.notation)
            same = tuple((link.head, link.tail) for link in links)
            nodes, edges = nodes + chips, edges + links
            title = "adjoint"
        edges += [Edge(a, c, "align", back=b.direction == "right") for a, c in same]
    if view in ("circuit", "adjoint", "both"):
        title += _seeds_said(t, b.notation, default_cotangents(t) if cotangents is None else cotangents)
    notes: tuple[str, ...] = ()
    if view in ("primal", "tangent", "circuit") and any(n.kind == "adjoint" for n in nodes):
        notes = ("orange: what differentiation has added to the program",)
    if t.failure is not None:
        node, links = b.failed(t.failure)
        nodes, edges = [*nodes, node], edges + links
        title += ", as far as it ran"
        told, site = t.failure.message, t.failure.site
        notes = tuple(textwrap.wrap(told if site in told else f"{told} ({site})", 90))
    title = f"{t.name}, {title}" + (f", at {at}" if at and len(at) < 60 else "")
    return Graph(tuple(nodes), tuple(edges), title, view, b.direction, same_layer=same, notes=notes)
