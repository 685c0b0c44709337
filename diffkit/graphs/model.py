"""The graph that every drawing is made from: nodes, edges, and what each of them is.

A :class:`Graph` says what there is to see and nothing of how: renderers (DOT, SVG, TikZ, Mermaid)
read it and nothing else. It is made from a trace (:mod:`diffkit.graphs.reading.from_trace`) or from a SymPy
expression (:mod:`diffkit.graphs.reading.from_expression`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from diffkit.autodiff.notation.row_texts import Math
from diffkit.graphs.metrics import text_width


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text in a node or on an edge.

    Attributes:
        math: the line, as Unicode text and as LaTeX.
        kind: what it tells: "formula", "value", "type", "tangent", "adjoint", "partial",
            "number", "note".
        slot: for a page that fills it in: which value stands here; "" for text that stays.
    """

    math: Math
    kind: str
    slot: str = ""

    @property
    def text(self) -> str:
        """The line as Unicode text."""
        return self.math.text


@dataclass(frozen=True, slots=True)
class Node:
    """A box.

    Attributes:
        id: its name in the drawing: letters and digits.
        kind: "input", "operation", "output", "constant", "adjoint", "seed", "sum", "kept",
            "group", "leaf", "failed".
        labels: its lines.
        symbol: the operator's sign, for a badge; "" for none.
        part: "primal" or "adjoint": on which side of a joined drawing it stands.
        dotted: whether the function has no derivative here, or hands none on.
        returned: whether it is an output of the program; an input may be one as well.
        repeated: whether it belongs to a part of an expression that is written more than once.
        row: the row of the trace, -1 where it is none.
        tip: what a pointer resting on it is told.
        group: what it is drawn together with; "" for nothing.
    """

    id: str
    kind: str
    labels: tuple[Label, ...]
    symbol: str = ""
    part: str = "primal"
    dotted: bool = False
    row: int = -1
    tip: str = ""
    group: str = ""
    returned: bool = False
    repeated: bool = False

    @property
    def text(self) -> str:
        """Its lines, for alternatives to a picture."""
        return "\n".join(label.text for label in self.labels)


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow.

    Attributes:
        tail, head: ids of nodes.
        kind: "flow" (a value), "adjoint" (a contribution), "kept" (a primal value that the reverse
            sweep reads), "align" (not drawn).
        labels: its lines.
        dotted: whether no derivative passes here.
        key: ``"row.k"``, the use of a value that it stands for; "" for none.
        tip: what a pointer resting on it is told.
        back: whether the arrow points against the order of the layers.
    """

    tail: str
    head: str
    kind: str
    labels: tuple[Label, ...] = ()
    dotted: bool = False
    key: str = ""
    tip: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """What is to be drawn.

    Attributes:
        nodes, edges: in the order of the program.
        title: one line.
        view: the name of the view.
        direction: "right" or "down".
        groups: the groups' names, by the text in ``Node.group``.
        same_layer: ids of nodes that stand side by side.
        notes: sentences for below the drawing.
        size: "page", as large as it comes to be, or "slide", of 16 to 9 and set more closely.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    title: str
    view: str
    direction: str = "right"
    groups: dict[str, str] = field(default_factory=dict)
    same_layer: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    size: str = "page"

    def node(self, id: str) -> Node:
        """The node of that id."""
        return next(n for n in self.nodes if n.id == id)

    def frame_title(self, name: str, width: float) -> tuple[str, bool]:
        """What a frame of the layout says, and whether it says so below: a part's name, or a group's."""
        number = name.removeprefix("cluster_").removeprefix("primal").removeprefix("adjoint")
        if number:
            return list(self.groups.values())[int(number) - 1], False
        part = name.removeprefix("cluster_")
        if part == "adjoint" and any(e.kind == "kept" for e in self.edges):
            key = f"{part} (thin lines: values that it reads)"
            return (key if text_width(key, 12) < width - 18 else part), True
        return part, part == "adjoint"

    def keep(self, ids: Iterable[str]) -> Graph:
        """The part of the graph on these nodes."""
        kept = set(ids)
        return replace(
            self,
            nodes=tuple(n for n in self.nodes if n.id in kept),
            edges=tuple(e for e in self.edges if e.tail in kept and e.head in kept),
            same_layer=tuple(s for s in self.same_layer if kept.issuperset(s)),
        )
