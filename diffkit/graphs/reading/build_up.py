"""The steps in which a drawing is built up: the program row by row, then its adjoints from the last back."""

from __future__ import annotations

from dataclasses import dataclass

from diffkit.graphs.model import Graph


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be seen at a step.

    Attributes:
        nodes: ids of nodes.
        told: ids of those whose adjoints, in a circuit, have been computed.
    """

    nodes: frozenset[str]
    told: frozenset[str]


def build_up(graph: Graph) -> list[Step]:
    """What is to be seen at each step; all of it at the last.

    >>> from diffkit.graphs.drawing import draw
    >>> graph = draw(lambda x, y: x * y, 2.0, 3.0, view="both").graph
    >>> [sorted(step.nodes) for step in build_up(graph)][:3]
    [['n0', 'n1'], ['n0', 'n1', 'n2'], ['a2', 'n0', 'n1', 'n2']]
    """
    chips = {n.id for n in graph.nodes if n.kind == "kept"}
    forward: dict[tuple[int, int], list[str]] = {}
    back: dict[int, list[str]] = {}
    for place, n in enumerate(graph.nodes):
        if n.id in chips:
            continue
        if n.part == "adjoint":
            back.setdefault(-n.row, []).append(n.id)
        elif n.kind in ("input", "leaf"):
            forward.setdefault((-1, 0), []).append(n.id)
        else:
            forward.setdefault((0, n.row if n.row >= 0 else 10**9 + place), []).append(n.id)
    told_back = {
        -n.row: n.id
        for n in graph.nodes
        if n.part != "adjoint" and any(label.kind == "adjoint" for label in n.labels)
    }
    steps: list[Step] = []
    shown: set[str] = set()
    told: set[str] = set()
    for ids in [*(forward[k] for k in sorted(forward)), *(back[k] for k in sorted(back))]:
        shown |= set(ids)
        readers = {e.tail for e in graph.edges if e.tail in chips and e.head in shown}
        steps.append(Step(frozenset(shown | readers), frozenset(told)))
    for row in sorted(told_back):
        told.add(told_back[row])
        steps.append(Step(steps[-1].nodes, frozenset(told)))
    return steps
