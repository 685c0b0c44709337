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
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from diffkit.autodiff.notation.formulas import with_digits
from diffkit.autodiff.views import Trace, trace
from diffkit.errors import InputError, NoRuleError, TraceError
from diffkit.graphs.formats.mermaid import to_mermaid
from diffkit.graphs.formats.svg import to_svg
from diffkit.graphs.formats.tikz import to_tikz
from diffkit.graphs.layout.dot import to_dot
from diffkit.graphs.layout.layout_engines import lay_out
from diffkit.graphs.layout.positions import Layout
from diffkit.graphs.layout.slides import lay_out_slide, pared
from diffkit.graphs.model import Edge, Graph
from diffkit.graphs.picture import Picture
from diffkit.graphs.reading.build_up import build_up
from diffkit.graphs.reading.collapsing import fit_for_drawing
from diffkit.graphs.reading.from_trace import VIEWS, from_trace
from diffkit.graphs.reading.grouping import GROUPINGS, group_rows
from diffkit.graphs.reading.selection import select
from diffkit.sites import belongs_to_diffkit

EXPRESSION_VIEWS = ("dag", "tree", "both")


class Drawing(Picture):
    """A graph that a notebook shows and that can be saved in several formats.

    Attributes:
        graph: the nodes and edges.
        engine: what lays it out: "auto", "dot" or "wasm".

    >>> drawing = draw(lambda a: a + a, 1.0)
    >>> drawing
    <drawing of <lambda>, primal, at a = 1: 2 nodes, 2 edges>
    >>> print(drawing.mermaid().splitlines()[2])
      n1[["v₁ = a + a<br/>2"]]:::output
    """

    def __init__(self, graph: Graph, engine: str = "auto", slides: Sequence[Graph] = ()) -> None:
        self.graph = graph
        self.engine = engine
        self.title = graph.title
        self._slides = slides

    def __repr__(self) -> str:
        nodes, edges = len(self.graph.nodes), sum(e.kind != "align" for e in self.graph.edges)
        return f"<drawing of {self.graph.title}: {nodes} nodes, {edges} edges>"

    @functools.cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language: the same program gives the same bytes."""
        return to_dot(self.graph)

    @functools.cached_property
    def _laid_out(self) -> tuple[Graph, Layout]:
        """The graph as it is drawn, and where everything goes."""
        if self._slides:
            return lay_out_slide(self._slides, self.engine)
        return self.graph, lay_out(self.graph, self.engine)

    @property
    def layout(self) -> Layout:
        """Where everything goes.

        Raises:
            InputError: if no layout engine is installed.
            LayoutError: if it fails.
        """
        return self._laid_out[1]

    def tikz(self, *, scale: float | None = None) -> str:
        """The picture as TikZ code; ``scale`` scales text and all, by default to a slide."""
        return to_tikz(*self._laid_out, scale=scale)

    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart, for Markdown."""
        return to_mermaid(self.graph)

    def _drawn(self, theme: str, background: str | None, scales: bool = True, frame: int = -1) -> str:
        graph, layout = self._laid_out
        step = None if frame < 0 else build_up(graph)[frame]
        return to_svg(graph, layout, theme=theme, background=background, scales=scales, step=step)

    def _frame_count(self) -> int:
        return len(build_up(self._laid_out[0]))

    def _dot_text(self) -> str:
        return self.dot

    def _more(self) -> dict[str, Callable[[], str | bytes]]:
        return {".dot": lambda: self.dot, ".mmd": self.mermaid, ".tex": self.tikz}


def draw(
    what: Any,
    *args: Any,
    view: str = "primal",
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    direction: str | None = None,
    group: str | None = None,
    start: str | Sequence[str] | None = None,
    end: str | Sequence[str] | None = None,
    depth: int | None = None,
    collapse_beyond: int | None = 300,
    force: bool = False,
    engine: str = "auto",
    digits: int | None = None,
    local_derivatives: bool = True,
    size: str = "page",
) -> Drawing:
    """Draws a function at given inputs, a trace, or a SymPy expression.

    Args:
        what: a function, a :class:`~diffkit.autodiff.views.Trace`, or a SymPy expression (or a list
            or tuple of them).
        args: the inputs, for a function.
        view: of a program, "primal" (values, and on each arrow the local derivative), "tangent" (with
            the tangents of forward mode), "circuit" (each adjoint below its value), "adjoint" (the
            adjoint program, its contributions and sums) or "both" (primal and adjoint side by side);
            of an expression, "dag" (each subexpression once), "tree", or "both" beside each other, what
            the tree repeats in one colour.
        cotangents: the seeds of the adjoints, one per output, of its shape; ones by default, which
            gives the gradient of the outputs' sum.
        tangents: one per argument, of its shape; by default the direction of the first input.
        direction: "right" or "down"; by default right for programs of up to five layers.
        group: draw boxes around the rows of each "call" or each "iteration" of a loop.
        start: names of values: draw only what they reach.
        end: names of values: draw only what reaches them; with ``start``, only the paths between.
        depth: draw only this many layers after the start, or after the inputs.
        collapse_beyond: the number of nodes beyond which loops are rolled (the first two iterations, ⋮, the
            last) and other groups become one node each; None for never.
        force: draw more than 1,000 nodes.
        engine: what lays it out: Graphviz as WebAssembly ("wasm"), as the program "dot", or "auto": the
            first of these that is installed.
        digits: of numbers; by default four, and more in a value of which more is needed to compute what
            is shown to come of it.
        local_derivatives: whether an arrow of the program says the derivative of its head by its tail;
            without, text is larger on a slide.
        size: "page", or "slide": 16 to 9, long programs wrapped like text, in as large type as fits.

    Beyond 150 nodes arrows carry no labels: in an SVG a pointer that rests on one is told. A function that
    fails half-way is drawn as far as it ran, with what failed, its operands' shapes and its line.

    Returns:
        A Drawing, which a notebook shows; its methods give SVG, PNG, PDF, TikZ, Mermaid and HTML.

    Raises:
        InputError: for a name, view, direction, size or grouping that there is not; for what is no program or
            expression; for more than 1,000 nodes. An unknown engine is refused when it is to lay out.

    Drawing conventions follow Baydin et al., "Automatic Differentiation in Machine Learning: a Survey",
    JMLR 18(153), 2018, and Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008.

    >>> draw(lambda a: a + a, 1.0, view="adjoint")
    <drawing of <lambda>, adjoint, at a = 1: 3 nodes, 3 edges>
    """
    if direction not in (None, "right", "down"):
        raise InputError(f'a drawing\'s direction is "right" or "down", not {direction!r}')
    if size not in ("page", "slide"):
        raise InputError(f'a drawing\'s size is "page" or "slide", not {size!r}')
    if _is_expression(what):
        if args:
            raise InputError("an expression is drawn without inputs; write its values into it with subs")
        if view not in ("primal", *EXPRESSION_VIEWS):
            raise InputError(f'an expression is drawn as a "dag", a "tree" or "both", not {view!r}')
        from diffkit.graphs.reading.from_expression import from_expression

        def read(way: str | None, short: bool = False) -> Graph:
            shape = "dag" if view == "primal" else view
            return from_expression(what, view=shape, direction=way, force=force)
    else:
        if view not in VIEWS:
            raise InputError(f"there is no view {view!r} of a program; there are {', '.join(VIEWS)}")
        if group not in (None, *GROUPINGS):
            raise InputError(f"rows are grouped by {' or '.join(map(repr, GROUPINGS))}, not {group!r}")
        t = _trace_of(what, args)

        def read(way: str | None, short: bool = False) -> Graph:
            with with_digits(digits):
                graph = from_trace(
                    t, view, direction=way, cotangents=cotangents, tangents=tangents, wires=True, short=short
                )
            if not local_derivatives:
                graph = replace(graph, edges=tuple(map(_without_local, graph.edges)))
            graph = select(graph, t, start=start, end=end, depth=depth)
            if group is not None:
                graph = group_rows(graph, t, group)
                if not graph.groups:
                    graph = replace(graph, notes=(*graph.notes, f"there is nothing to group by {group}"))
            return fit_for_drawing(graph, t, group=group, collapse_beyond=collapse_beyond, force=force)

    ways = [direction] if direction else ["right", "down"]
    slides = [pared(read(way, short=True)) for way in ways] if size == "slide" else []
    return Drawing(read(direction), engine, slides)


def _trace_of(what: Any, args: tuple[Any, ...]) -> Trace:
    """The trace to draw: of a function that fails, as far as it ran."""
    if isinstance(what, Trace):
        if args:
            raise InputError("a trace is drawn at the inputs that it was recorded at; give no others")
        return what
    if not callable(what):
        raise InputError(f"expected a function, a trace or a SymPy expression to draw, not {what!r}")
    t = trace(what, partial=True)(*args)
    if t.failure is not None and isinstance(t.failure.error, TraceError | NoRuleError):
        raise t.failure.error  # it can't be traced as it stands, which is no failure of the program's
    t.name = _derivative_name(what, t.name)
    return t


def _derivative_name(f: Any, name: str) -> str:
    """``grad of grad of f``: an operator's answer has the name of the function that it differentiates."""
    code = getattr(f, "__code__", None)
    if code is None or not hasattr(f, "__wrapped__") or not belongs_to_diffkit(code):
        return name
    operator = getattr(f, "operator", code.co_qualname.partition(".")[0])
    return f"{operator} of {_derivative_name(f.__wrapped__, name)}"


def _without_local(edge: Edge) -> Edge:
    """An arrow of the program with nothing on it but what flows back along it."""
    kept = tuple(label for label in edge.labels if edge.kind != "flow" or label.kind == "adjoint")
    return replace(edge, labels=kept)


def _is_expression(what: Any) -> bool:
    """Whether something is a SymPy expression or a sequence of them, without importing SymPy for it."""
    items = what if isinstance(what, tuple | list) and what else [what]
    return all(any(str(c.__module__).startswith("sympy.") for c in type(item).__mro__) for item in items)
