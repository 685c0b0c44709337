"""A trace as a graph: the program, its tangents, its adjoint program, or program and adjoints joined.

Drawing conventions, after Baydin et al. (JMLR 18(153), 2018, section 3) and Griewank and Walther (2008):
values flow along solid arrows; an arrow carries the local derivative of its head by its tail, in
symbols and in numbers. Adjoints flow back along dashed arrows, which carry the contributions; where
a value was used more than once they meet in a sum. Light lines lead from a primal value to each
adjoint whose pullback reads it: what the reverse sweep must keep. What hands no derivative on is dotted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.adjoint import AdjointTrace
from diffkit.autodiff.notation import (
    Math,
    Notation,
    absent,
    dimensions,
    local_derivatives,
    number_text,
    type_text,
    value_text,
)
from diffkit.autodiff.sites import belongs_to_diffkit, source_line
from diffkit.autodiff.trace import Trace, is_differentiable, plain
from diffkit.autodiff.tracer import INPUT
from diffkit.autodiff.tracer import Node as Row
from diffkit.containers import describe
from diffkit.errors import InputError
from diffkit.graphs.model import Edge, Graph, Label, Node

__all__ = ["VIEWS", "default_cotangents", "default_tangents", "from_trace", "kept_by"]

_LONGEST_ROW = 5
"""Layers that still read left to right on a slide; longer programs are drawn downwards."""


def _plain_text(text: str) -> Math:
    return Math(text, rf"\text{{{text}}}")


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
    return (t.out_structure.unflatten([_ones(o) for o in t.outputs]),)


def default_tangents(t: Trace) -> tuple[Any, ...]:
    """The direction of the first input: ones there, zeros elsewhere."""
    first = t.inputs[0]
    leaves = [
        (np.ones_like if a is first else np.zeros_like)(plain(a)) if t.owns(a) else a for a in t._arguments
    ]
    nested = t.in_structure.unflatten(leaves)
    return tuple(nested)


def _ones(output: Any) -> Any:
    value = plain(output)
    return np.ones_like(value, dtype=None if np.asarray(value).dtype.kind in "fc" else float)


# -- signs ------------------------------------------------------------------------------------------

_SYMBOLS = {
    "add": "+",
    "subtract": "−",
    "negative": "−",
    "positive": "+",
    "multiply": "×",
    "divide": "÷",
    "reciprocal": "1/x",
    "power": "xʸ",
    "square": "x²",
    "sqrt": "√",
    "absolute": "|x|",
    "maximum": "max",
    "minimum": "min",
    "matmul": "@",
    "dot": "·",
    "sum": "Σ",
    "mean": "μ",
    "prod": "Π",
    "transpose": "ᵀ",
    "getitem": "[ ]",
    "where": "?",
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
    "not_equal": "≠",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "expit": "σ",
    "logaddexp": "lae",
}


def symbol_of(row: Row) -> str:
    """The sign for a function: ``×``, ``sin``; ``ƒ`` for one whose name is long."""
    if row.fun is INPUT:
        return ""
    return _SYMBOLS.get(row.fun.name, row.fun.name if len(row.fun.name) <= 4 else "ƒ")


_KINKS: dict[str, Callable[..., Any]] = {
    "absolute": lambda x: x == 0,
    "maximum": lambda x, y: x == y,
    "minimum": lambda x, y: x == y,
    "sign": lambda x: x == 0,
    "floor": lambda x: x == np.floor(x),
    "ceil": lambda x: x == np.floor(x),
    "heaviside": lambda x, y: x == 0,
    "remainder": lambda x, y: np.mod(x, y) == 0,
    "copysign": lambda x, y: x == 0,
}


def at_kink(row: Row) -> bool:
    """Whether the row stands at a point where its function has no derivative (in some element)."""
    test = _KINKS.get(row.fun.name)
    return test is not None and bool(np.any(test(*(np.asarray(plain(a)) for a in row.args))))


def passes_nothing(row: Row, k: int) -> bool:
    """Whether the row hands no derivative to its k-th argument, whatever the inputs."""
    fun = row.fun
    if fun.constant:
        return True
    if fun.line is not None and k < len(fun.line.partials):
        return fun.line.partials[k] == "0"
    rules = fun.vjps
    return not fun.variadic and k < len(rules) and rules[k] is None


def kept_by(adjoint: AdjointTrace) -> dict[int, list[int]]:
    """Per row of the primal trace, the primal rows whose values its pullback reads."""
    kept: dict[int, list[int]] = {}
    complete = {
        a.index for a in (*adjoint.adjoint_rows, *adjoint.cotangents) if adjoint.owns(a)
    }  # where the walk up from a contribution ends
    for c in adjoint.contributions:
        found = kept.setdefault(c.source, [])
        source = adjoint.adjoint_rows[c.source]
        stop = {source.index} if adjoint.owns(source) else set()
        if not adjoint.owns(c.value) or c.value.index in stop:
            continue
        stack, seen = [c.value], set()
        while stack:
            row = stack.pop()
            if row.index in seen:
                continue
            seen.add(row.index)
            role = adjoint.roles[row.index]
            if role.kind == "primal":
                if role.primal not in found:
                    found.append(role.primal)
            elif row is c.value or row.index not in complete:
                stack.extend(row.parents)
    return {source: sorted(rows) for source, rows in kept.items()}


# -- the views -----------------------------------------------------------------------------------------


class _Builder:
    """Makes the nodes and edges of one trace."""

    def __init__(self, t: Trace, direction: str | None) -> None:
        self.trace = t
        self.notation = Notation(t)
        self.direction = direction or ("right" if _layers(t) <= _LONGEST_ROW else "down")
        self.outputs = {o.index for o in t.outputs if t.owns(o)}

    # -- the program --

    def node(self, row: Row, extra: Sequence[Label] = (), slots: bool = False) -> Node:
        n = self.notation
        kind = "input" if row.fun is INPUT else "output" if row.index in self.outputs else "operation"
        labels = [Label(n.equation(row), "formula")]
        value, type_ = value_text(row.value), type_text(row.value)
        if value:
            labels.append(Label(Math(value, _latex_value(value)), "value", f"v{row.index}" if slots else ""))
        if type_:
            labels.append(Label(_plain_text(type_), "type"))
        kink = at_kink(row)
        if kink:
            labels.append(Label(_plain_text("no derivative here"), "note"))
        return Node(
            id=f"n{row.index}",
            kind=kind,
            labels=(*labels, *extra),
            symbol=symbol_of(row),
            dotted=kink or row.fun.constant,
            row=row.index,
            tip=self._tip(row),
        )

    def _tip(self, row: Row) -> str:
        value = value_text(row.value)
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
        numbers = [] if row.fun is INPUT else local_derivatives(row)
        for k, a in enumerate(row.args):
            if self.trace.owns(a):
                nothing = passes_nothing(row, k)
                local = self.local(row, k, numbers[k])
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

    def local(self, row: Row, k: int, number: Any) -> list[Label]:
        """What an edge carries: ``∂a/∂x₁ = x₂`` and ``= 3``; for arrays the pullback."""
        n = self.notation
        if passes_nothing(row, k):
            return [Label(_plain_text("no derivative"), "note")]
        partial = n.partial(row, k)
        if number is None or (partial is None and dimensions(row.args[k])):
            vjp, bar = n.contribution(row, k), n.bar(row.args[k])
            return [
                Label(Math(f"{bar.text} ← {vjp.text}", rf"{bar.latex} \leftarrow {vjp.latex}"), "partial")
            ]
        name, text = n.partial_name(row, k), number_text(number)
        if partial is None or partial.text == text:
            return [Label(_equal(name, _number(text)), "partial")]
        equation = _equal(name, partial)
        if self.direction == "down":
            return [Label(_equal(equation, _number(text)), "partial")]
        return [Label(equation, "partial"), Label(_equal(Math("", ""), _number(text)), "number")]

    def primal(self) -> tuple[list[Node], list[Edge]]:
        rows = self.trace.nodes
        return [self.node(r) for r in rows], [e for r in rows for e in self.edges(r)]

    def with_tangents(self, tangents: Sequence[Any]) -> tuple[list[Node], list[Edge]]:
        swept = self.trace.tangents(*tangents)
        nodes = []
        for row in self.trace.nodes:
            name, t = self.notation.dot(row), swept[row.index]
            nodes.append(self.node(row, [Label(_with_value(name, t, row.value), "tangent", f"t{row.index}")]))
        return nodes, [e for r in self.trace.nodes for e in self.edges(r)]

    def with_adjoints(self, cotangents: Sequence[Any]) -> tuple[list[Node], list[Edge]]:
        swept = self.trace.adjoints(*cotangents)
        nodes = []
        for row in self.trace.nodes:
            name, g = self.notation.bar(row), swept[row.index]
            nodes.append(self.node(row, [Label(_with_value(name, g, row.value), "adjoint", f"a{row.index}")]))
        return nodes, [e for r in self.trace.nodes for e in self.edges(r)]

    # -- the adjoint program --

    def adjoint(self, adjoint: AdjointTrace) -> tuple[list[Node], list[Edge], list[tuple[str, str]]]:
        """Its nodes, its edges, and which value each adjoint reads: pairs of (row's id, adjoint's id)."""
        t, n = self.trace, self.notation
        seeds = {adjoint.roles[c.index].primal: c for c in adjoint.cotangents}
        uses = Counter(c.target for c in adjoint.contributions)
        nodes: list[Node] = []
        edges: list[Edge] = []
        for row in t.nodes:
            total = adjoint.adjoint_rows[row.index]
            if total is None and row.fun is not INPUT:
                continue
            alone = row.index in seeds and not uses[row.index]
            labels = [Label(self._adjoint_line(row, total), "adjoint")]
            type_ = type_text(row.value)
            if type_ and total is not None:
                labels.append(Label(_plain_text(type_), "type"))
            if alone:
                labels.append(Label(_plain_text("seed"), "note"))
            elif total is None:
                labels.append(Label(_plain_text("no path to an output"), "note"))
            nodes.append(
                Node(
                    f"a{row.index}",
                    "seed" if alone else "adjoint",
                    tuple(labels),
                    part="adjoint",
                    dotted=total is None,
                    row=row.index,
                    tip=self._adjoint_tip(row, total),
                )
            )
            many = uses[row.index] + (row.index in seeds) > 1 and not isinstance(row.value, tuple | list)
            if many:
                nodes.append(
                    Node(
                        f"s{row.index}",
                        "sum",
                        (Label(Math("+", "+"), "formula"),),
                        part="adjoint",
                        row=row.index,
                    )
                )
                edges.append(Edge(f"s{row.index}", f"a{row.index}", "adjoint", back=True))
                if row.index in seeds:
                    bar = n.bar(row)
                    value = value_text(seeds[row.index].value)
                    nodes.append(
                        Node(
                            f"d{row.index}",
                            "seed",
                            (
                                Label(_equal(bar, _number(value)) if value else bar, "adjoint"),
                                Label(_plain_text("seed"), "note"),
                            ),
                            part="adjoint",
                            row=row.index,
                        )
                    )
                    edges.append(Edge(f"d{row.index}", f"s{row.index}", "adjoint", back=True))
        sums = {node.row for node in nodes if node.kind == "sum"}
        for c in adjoint.contributions:
            head = f"s{c.target}" if c.target in sums else f"a{c.target}"
            source = t.nodes[c.source]
            edges.append(
                Edge(
                    f"a{c.source}",
                    head,
                    "adjoint",
                    tuple(self.contribution(source, c.k, c.value)),
                    dotted=at_kink(source),
                    key=f"{c.source}.{c.k}",
                    tip=f"contribution of {n.name(source).text} to {n.bar(t.nodes[c.target]).text}",
                    back=True,
                )
            )
        reads = [(f"n{i}", f"a{source}") for source, rows in kept_by(adjoint).items() for i in rows]
        return nodes, edges, reads

    def _adjoint_line(self, row: Row, total: Any) -> Math:
        return _with_value(self.notation.bar(row), total, row.value)

    def _adjoint_tip(self, row: Row, total: Any) -> str:
        name = self.notation.name(row).text
        return f"{self._adjoint_line(row, total).text}\nhow much the output changes per unit of {name}"

    def contribution(self, row: Row, k: int, value: Any) -> list[Label]:
        """What an adjoint edge carries: ``ā·x₂`` and ``= 3``."""
        text = self.notation.contribution(row, k)
        number = value_text(value) if dimensions(value) == 0 else ""
        if not number:
            return [Label(text, "partial")]
        if self.direction == "down":
            return [Label(_equal(text, _number(number)), "partial")]
        return [Label(text, "partial"), Label(_equal(Math("", ""), _number(number)), "number")]


def _number(text: str) -> Math:
    return Math(text, _latex_value(text))


def _latex_value(text: str) -> str:
    latex = text.replace("−", "-")
    mantissa, e, exponent = latex.partition("e")
    return rf"{mantissa} \times 10^{{{exponent}}}" if e and exponent.lstrip("-").isdigit() else latex


def _equal(a: Math, b: Math) -> Math:
    return Math(f"{a.text} = {b.text}".strip(), f"{a.latex} = {b.latex}".strip())


def _with_value(name: Math, value: Any, like: Any) -> Math:
    """``ẋ = 1``; the name alone where the value is a large array, and 0 where no path leads."""
    text = absent(like) if value is None else value_text(value)
    return _equal(name, _number(text)) if text else name


def _layers(t: Trace) -> int:
    """The number of nodes on the longest path."""
    depth = [1] * len(t.nodes)
    for row in t.nodes:
        for p in row.parents:
            depth[row.index] = max(depth[row.index], depth[p.index] + 1)
    return max(depth, default=0)


def _kept_line(name: Math, value: Any) -> Math:
    text = value_text(value) or type_text(value)
    return (
        Math(f"{name.text} = {text}", rf"{name.latex} = {_latex_value(text)}")
        if value_text(value)
        else (Math(f"{name.text}: {text}", rf"{name.latex}: \text{{{text}}}"))
    )


VIEWS = ("primal", "tangent", "circuit", "adjoint", "both")
"""What can be drawn of a trace. A "circuit" has each adjoint below its value, in one graph."""


def from_trace(
    t: Trace,
    view: str,
    *,
    direction: str | None = None,
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
) -> Graph:
    """The graph of a trace in one view.

    Args:
        t: the trace.
        view: one of :data:`VIEWS`.
        direction: "right" or "down"; by default right unless the program is long.
        cotangents: the seeds, one per output, nested like the outputs; ones by default.
        tangents: one per argument, of its shape; the direction of the first input by default.
    """
    b = _Builder(t, direction)
    at = ", ".join(
        _equal(b.notation.name(r), Math(v, v)).text for r in t.inputs if (v := value_text(r.value))
    )
    same: tuple[tuple[str, ...], ...] = ()
    groups: dict[str, str] = {}
    if view == "primal":
        nodes, edges = b.primal()
        title = "primal"
    elif view == "tangent":
        nodes, edges = b.with_tangents(default_tangents(t) if tangents is None else tangents)
        title = "tangents"
    elif view == "circuit":
        nodes, edges = b.with_adjoints(default_cotangents(t) if cotangents is None else cotangents)
        title = "values and adjoints"
    else:
        adjoint = t.adjoint(*(default_cotangents(t) if cotangents is None else cotangents))
        nodes, edges, reads = b.adjoint(adjoint)
        title = "adjoint"
        if view == "both":
            title = "primal and adjoint"
            primal_nodes, primal_edges = b.primal()
            same = tuple((f"n{n.row}", n.id) for n in nodes if n.id.startswith("a"))
            nodes, edges = primal_nodes + nodes, primal_edges + edges
            edges += [Edge(tail, head, "kept", tip="kept for the reverse sweep") for tail, head in reads]
        else:
            # One chip per reader, right beside it: lines across the whole drawing would be unreadable.
            read_by: dict[str, list[Row]] = {}
            for tail, head in reads:
                read_by.setdefault(head, []).append(t.nodes[int(tail[1:])])
            for reader, rows in read_by.items():
                lines = [_kept_line(b.notation.name(row), row.value) for row in rows]
                tip = "kept for the reverse sweep: " + ", ".join(line.text for line in lines)
                chip = f"k{reader[1:]}"
                labels = tuple(Label(line, "value") for line in lines)
                nodes.append(Node(chip, "kept", labels, row=int(reader[1:]), tip=tip))
                edges.append(Edge(chip, reader, "kept", tip=tip))
                same += ((reader, chip),)
        edges += [Edge(a, c, "align", back=b.direction == "right") for a, c in same]
    title = f"{t.name}, {title}" + (f", at {at}" if at and len(at) < 60 else "")
    return Graph(tuple(nodes), tuple(edges), title, view, b.direction, groups, same)
