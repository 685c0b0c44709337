"""``dk.draw``: a graph of a program, a trace or an expression, ready to show and to save.

>>> drawing = draw(lambda x, y: (x + y) * y, 2.0, 3.0)
>>> drawing
<drawing of <lambda>, primal, at x = 2, y = 3: 4 nodes, 4 edges>
>>> print(drawing.dot)
digraph "<lambda>, primal, at x = 2, y = 3" {
...
}
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from diffkit.autodiff.trace import Trace, trace
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.graphs.dot import to_dot
from diffkit.graphs.engines import Layout, lay_out
from diffkit.graphs.from_trace import VIEWS, from_trace
from diffkit.graphs.model import Graph
from diffkit.graphs.svg import to_svg

__all__ = ["Drawing", "draw"]


class Drawing:
    """A graph that can be shown in a notebook and saved in several formats.

    Attributes:
        graph: the nodes and edges.
        engine: what lays it out: "auto", "dot" or "wasm".
    """

    def __init__(self, graph: Graph, engine: str = "auto") -> None:
        self.graph = graph
        self.engine = engine

    def __repr__(self) -> str:
        nodes, edges = len(self.graph.nodes), len(self.graph.edges)
        return f"<drawing of {self.graph.title}: {nodes} nodes, {edges} edges>"

    @functools.cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language: the same program gives the same bytes."""
        return to_dot(self.graph)

    @functools.cached_property
    def layout(self) -> Layout:
        """Where everything goes.

        Raises:
            InputError: if no layout engine is installed.
            LayoutError: if it fails.
        """
        return lay_out(self.graph, self.engine)

    def svg(self, *, theme: str = "auto", background: str | None = None) -> str:
        """The picture as SVG.

        Args:
            theme: "auto" follows the reader's light or dark mode; "light" or "dark".
            background: a colour; transparent by default.
        """
        return to_svg(self.graph, self.layout, theme=theme, background=background)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the picture in the format that the file's ending names, whole or not at all.

        Raises:
            InputError: for another ending than .svg, .png, .pdf, .dot, .mmd, .tex or .html, or a path
                that can't be written.
        """
        target = Path(path)
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".dot": lambda: self.dot,
        }
        if target.suffix not in writers:
            raise InputError(
                f"can't tell the format of {str(path)!r}: expected a name that ends in {', '.join(writers)}"
            )
        return write_atomically(target, writers[target.suffix]())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or the DOT text and the reason. Never raises."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}\nno picture: {error}\n\n{self.dot}"}


def draw(
    what: Any,
    *args: Any,
    view: str = "primal",
    direction: str | None = None,
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    engine: str = "auto",
) -> Drawing:
    """Draws a function at given inputs, a trace, or a SymPy expression."""
    if view not in VIEWS:
        raise InputError(f"there is no view {view!r}; there are {', '.join(VIEWS)}")
    t = what if isinstance(what, Trace) else trace(what)(*args)
    return Drawing(from_trace(t, view, direction=direction, cotangents=cotangents, tangents=tangents), engine)
