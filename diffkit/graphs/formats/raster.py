"""SVG as PNG or PDF, by CairoSVG where it is installed, else by the program ``dot``."""

from __future__ import annotations

import importlib
import importlib.metadata
import io
from collections.abc import Sequence

from diffkit.errors import InputError
from diffkit.graphs.layout.layout_engines import dot_version, run_engine, system_dot


def cairo_version() -> str | None:
    """The version of CairoSVG, if it and the Cairo library work here."""
    try:
        importlib.import_module("cairosvg")
    except (ImportError, OSError):  # OSError: the package is here, the library libcairo is not
        return None
    return importlib.metadata.version("cairosvg")


def convert(svg: str, dot: str, format: str, *, scale: float = 2.0) -> bytes:
    """A picture as PNG or PDF.

    Args:
        svg: the picture, of a fixed size.
        dot: the graph's DOT text, for where there is no CairoSVG.
        format: "png" or "pdf".
        scale: pixels per point of a PNG.

    Raises:
        InputError: if neither way is open here.
    """
    if cairo_version() is not None:
        cairosvg = importlib.import_module("cairosvg")
        convert = cairosvg.svg2png if format == "png" else cairosvg.svg2pdf
        scaled = {"scale": scale} if format == "png" else {}
        return bytes(convert(bytestring=svg.encode(), **scaled))
    path = system_dot()
    if dot and path is not None and dot_version(path) is not None:
        return run_engine(dot, format, "dot")
    raise InputError(
        f"a {format.upper()} needs CairoSVG (pip install cairosvg, and the library libcairo) or the "
        "program dot of Graphviz; without them save .svg, which browsers and slides show, or .tex"
    )


def pages(svgs: Sequence[str]) -> bytes:
    """Pictures of a fixed size, and of one, as the pages of a PDF.

    Raises:
        InputError: without CairoSVG.
    """
    if cairo_version() is None:
        raise InputError(
            "a PDF of several pages needs CairoSVG (pip install cairosvg, and the library libcairo); without "
            "it save name.svg, which gives a file for each"
        )
    surface = importlib.import_module("cairosvg.surface")
    tree = importlib.import_module("cairosvg.parser").Tree
    written = io.BytesIO()
    made: list[object] = []

    def shared(output: object, width: float, height: float) -> object:
        if not made:
            made.append(surface.cairo.PDFSurface(written, width, height))
        return made[0]

    page = type("Page", (surface.PDFSurface,), {"surface_class": staticmethod(shared)})
    for svg in svgs:
        drawn = page(tree(bytestring=svg.encode()), None, 96)
        drawn.cairo.show_page()
    if made:
        drawn.finish()
    return written.getvalue()
