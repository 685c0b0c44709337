"""A graph in Mermaid's language, for Markdown files that show it as a picture (GitHub, GitLab, Quarto).

Mermaid lays out by itself, and by default refuses more than 500 edges or 50,000 characters.
"""

from __future__ import annotations

from diffkit.graphs.model import Edge, Graph, Label, Node

_SHAPES = {
    # Not the stadium ([...]): around two short lines it is drawn higher than wide, inside out.
    "input": ('("', '")'),
    "seed": ('("', '")'),
    "leaf": ('("', '")'),
    "output": ('[["', '"]]'),
    "sum": ('(("', '"))'),
    "group": ('[/"', '"/]'),
}

_CLASSES = """\
classDef input fill:#e6f1f9,stroke:#0072b2,color:#1b1f24
classDef leaf fill:#e6f1f9,stroke:#0072b2,color:#1b1f24
classDef operation fill:#ffffff,stroke:#4a5058,color:#1b1f24
classDef group fill:#eceef1,stroke:#4a5058,color:#1b1f24
classDef output fill:#ffffff,stroke:#0072b2,stroke-width:2px,color:#1b1f24
classDef adjoint fill:#fdf0e6,stroke:#c25400,color:#1b1f24
classDef seed fill:#fdf0e6,stroke:#c25400,stroke-width:3px,color:#1b1f24
classDef sum fill:#fdf0e6,stroke:#c25400,color:#1b1f24
classDef failed fill:#fbe9e9,stroke:#b3261e,stroke-width:3px,color:#1b1f24
classDef kept fill:#f1f2f4,stroke:#b9bfc6,color:#1b1f24
classDef repeated fill:#fdebc8
classDef dotted stroke-dasharray:2 4"""

# Mermaid has arrows with two heads, and none with a head at its beginning: so the other one is taken away.
_LINES = {"adjoint": "stroke:#c25400,marker-end:none", "kept": "stroke:#b9bfc6,stroke-width:1px"}


def _quoted(labels: tuple[Label, ...], between: str = "<br/>") -> str:
    """Lines with every character that Mermaid or HTML would read written as an entity."""
    return between.join("".join(_character(c) for c in label.text) for label in labels)


def _quoted_text(text: str) -> str:
    return '"' + "".join(map(_character, text)) + '"'


def _character(c: str) -> str:
    if c.isalnum() or c in " .,=+-()/⊙·" or ord(c) > 0xA0:
        return c
    return f"#{ord(c)};"


def _node(node: Node) -> str:
    left, right = _SHAPES.get("output" if node.returned else node.kind, ('["', '"]'))
    # Markdown turns "1. " into a list and a lone + into nothing; entities stay.
    text = "#43;" if node.kind == "sum" else _quoted(node.labels)
    return f"  {node.id}{left}{text}{right}:::{node.kind}"


def _edge(edge: Edge) -> str:
    # In one line: of labels that stand above each other, Mermaid lets the higher ones overlap.
    label = f'|"{_quoted(edge.labels, " ")}"|' if edge.labels else ""
    if edge.back:  # told in the order of the layers
        return f"  {edge.head} <-.->{label} {edge.tail}"
    arrow = "-.->" if edge.dotted else "---" if edge.kind == "kept" else "-->"
    return f"  {edge.tail} {arrow}{label} {edge.head}"


def to_mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart.

    Adjoint arrows are drawn from the outputs back; what the layers align in other formats is left out.
    """
    flow = {"right": "LR", "down": "TB"}[graph.direction]
    lines = [f"flowchart {flow}"]
    if graph.view == "both":
        for part in ("primal", "adjoint"):
            lines.append(f"  subgraph {part}")
            lines += ["  " + _node(n) for n in graph.nodes if n.part == part]
            lines += ["  end", f"  style {part} fill:transparent,stroke:#b9bfc6"]
    else:
        lines += map(_node, graph.nodes)
    edges = [e for e in graph.edges if e.kind != "align"]
    lines += map(_edge, edges)
    for kind, look in _LINES.items():
        numbers = [str(k) for k, e in enumerate(edges) if e.kind == kind]
        if numbers:
            lines.append(f"  linkStyle {','.join(numbers)} {look}")
    dotted = [n.id for n in graph.nodes if n.dotted]
    if dotted:
        lines.append(f"  class {','.join(dotted)} dotted")
    repeated = [n.id for n in graph.nodes if n.repeated]
    if repeated:
        lines.append(f"  class {','.join(repeated)} repeated")
    lines += [f"  note{k}[/{_quoted_text(note)}/]:::group" for k, note in enumerate(graph.notes)]
    lines += ["  " + line for line in _CLASSES.splitlines()]
    return "\n".join(lines) + "\n"
