"""Order that a layout engine is made to keep: operands in reading order, inputs and outputs in theirs.

Graphviz puts nodes where few arrows cross, whatever their order. So each operation of several operands has
a port for each, in order, and its arrows cross unless their tails stand in that order too; and beside the
inputs and the outputs stands an unseen comb with a tooth for each, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import graphviz

from diffkit.graphs.layout.positions import Box
from diffkit.graphs.model import Graph

COMB = "comb_"
"""How the names of combs begin."""

_MARGIN = 8.0
"""What Graphviz leaves free around frames, in points."""

_TIMES = 8
"""How often each tooth is told: what crosses it counts as often, so that this is dearer than what is seen."""


@dataclass(frozen=True)
class Ports:
    """Where arrows meet operations of several operands.

    Attributes:
        places: per edge, by its number, which of the operands it carries.
        sizes: per operation of several operands, how many.
        side: where the ports are, "n" or "w".
    """

    places: dict[int, int]
    sizes: dict[str, int]
    side: str

    @classmethod
    def of(cls, graph: Graph) -> Ports:
        """The ports of a graph. An arrow that is drawn backwards leaves where its operand would arrive."""
        fans: dict[str, list[int]] = {}
        for number, edge in enumerate(graph.edges):
            if edge.key and edge.kind in ("flow", "adjoint"):
                operation = edge.tail if edge.back or graph.view in ("dag", "tree") else edge.head
                fans.setdefault(operation, []).append(number)
        fans = {operation: numbers for operation, numbers in fans.items() if len(numbers) > 1}
        places = {number: place for numbers in fans.values() for place, number in enumerate(numbers)}
        sides = ("s", "e") if graph.view in ("dag", "tree") else ("n", "w")
        return cls(places, {o: len(numbers) for o, numbers in fans.items()}, sides[graph.direction != "down"])

    def name(self, node: str, number: int) -> str:
        """The node with the port that the edge of this number meets."""
        return f"{node}:p{self.places[number]}:{self.side}" if number in self.places else node

    def attributes(self, node: str) -> dict[str, str]:
        """What gives a node its ports."""
        return _fields(self.sizes[node]) if node in self.sizes else {}


def _fields(count: int) -> dict[str, str]:
    fields = "|".join(f"<p{k}> " for k in range(count))
    return {"shape": "record", "margin": "0", "fontsize": "1", "label": fields}


def add_combs(dot: graphviz.Digraph, graph: Graph, part: str = "primal") -> None:
    """Combs that keep the inputs and the outputs of a part of a program in order, or their adjoints."""
    if graph.view in ("dag", "tree"):
        return
    down = graph.direction == "down"
    if part == "primal" and graph.view != "adjoint":
        ends = {n.id: n.kind for n in graph.nodes if n.part == "primal"}
    elif graph.size == "slide":  # cut into runs: which adjoints a run ends with is chance
        return
    else:
        handing_on = {e.tail for e in graph.edges if e.kind == "adjoint"}
        kinds = {n.id: n.kind for n in graph.nodes if n.kind in ("adjoint", "seed")}
        ends = {i: "output" if kind == "seed" else "input" for i, kind in kinds.items()}
        ends = {i: end for i, end in ends.items() if end == "output" or i not in handing_on}
    for kind, sides in (("input", "se"), ("output", "nw")):
        ids = [id for id, end in ends.items() if end == kind]
        if len(ids) < 2:
            continue
        wide, thin = f"{0.3 * len(ids):.1f}", "0.02"
        size = {"width": wide, "height": thin} if down else {"width": thin, "height": wide}
        dot.node(COMB + kind + part, **_fields(len(ids)), **size)
        for k, id in enumerate(ids):
            tooth = f"{COMB}{kind}{part}:p{k}:{sides[not down]}"
            for _ in range(_TIMES):
                dot.edge(*((tooth, id) if kind == "input" else (id, tooth)), style="invis")


def without_combs(
    boxes: dict[str, Box], frames: dict[str, Box], total: float, down: bool
) -> tuple[float, float]:
    """Takes the combs out of a layout, and the frames of the parts together over the gaps that they leave.

    Args:
        boxes: of the nodes, combs included; these are taken out.
        frames: of groups of nodes and of the parts of a drawing; these are replaced.
        total: the drawing's extent along the layers.
        down: whether the layers lie one below the other.

    Returns:
        How much the drawing is shorter before the first layer, and its extent then.
    """

    def extent(box: Box) -> tuple[float, float]:
        at, size = (box.y, box.height) if down else (box.x, box.width)
        return at - size / 2, at + size / 2

    combs = {name: extent(boxes.pop(name)) for name in list(boxes) if name.startswith(COMB)}
    first = [low for name, (low, _) in combs.items() if name.startswith(COMB + "input")]
    last = [high for name, (_, high) in combs.items() if name.startswith(COMB + "output")]
    parts = [name for name in frames if name in ("cluster_primal", "cluster_adjoint")]
    extents = [extent(box) for box in (*boxes.values(), *(b for k, b in frames.items() if k not in parts))]
    before = max(0.0, min(low for low, _ in extents) - min(first)) if first else 0.0
    after = max(0.0, max(last) - max(high for _, high in extents)) if last else 0.0
    for name, box in frames.items():
        low, high = extent(box)
        part = name.removeprefix("cluster_")
        low -= before if COMB + "input" + part not in combs else 0.0
        high -= before + (after if COMB + "output" + part in combs else 0.0)
        middle, length = (low + high) / 2, high - low
        frames[name] = replace(box, y=middle, height=length) if down else replace(box, x=middle, width=length)
    return before, max([total - before - after, *(extent(box)[1] + _MARGIN for box in frames.values())])
