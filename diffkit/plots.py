"""The curves that the lectures show, in one style; that of an error against h is in diffkit.finite.

Every figure is drawn for a slide: large type, few lines, and no meaning in colour alone, since each
series has a marker and a dash of its own as well. An SVG follows its reader's light or dark mode. Files
are the same bit for bit whenever they are drawn again, so that a figure under version control changes only
when it does.
"""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.errors import InputError, how_to_get

if TYPE_CHECKING:
    from diffkit.tables import Table

__all__ = [
    "SERIES",
    "Plot",
    "Series",
    "canvas",
    "cost_curve",
    "image_grid",
    "loss_curve",
    "swell_curve",
]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, slots=True)
class Series:
    """How one of several curves looks: told apart by colour, by dash and by marker."""

    color: str
    dash: Any
    marker: str

    def line(self, **more: Any) -> dict[str, Any]:
        """Keywords for Matplotlib's ``plot``, as a line."""
        return {"color": self.color, "linestyle": self.dash, **more}

    def dots(self, **more: Any) -> dict[str, Any]:
        """Keywords for Matplotlib's ``plot``, as markers without a line."""
        return {"color": self.color, "linestyle": "none", "marker": self.marker, **more}


SERIES = (
    Series("#0072B2", "solid", "o"),
    Series("#D55E00", (0, (6, 2)), "s"),
    Series("#009E73", (0, (1, 1.2)), "^"),
    Series("#CC79A7", (0, (6, 2, 1, 2)), "D"),
    Series("#E69F00", (0, (3, 1.5)), "v"),
    Series("#56B4E9", (0, (8, 2, 1, 2, 1, 2)), "P"),
    Series("#000000", (0, (2, 4)), "X"),
)
"""Seven series in the palette of Okabe and Ito, which colour-blind readers can tell apart too."""

STYLE = {
    "font.size": 13,
    "axes.titlesize": 15,
    "axes.labelsize": 14,
    "legend.fontsize": 11.5,
    "lines.linewidth": 2.2,
    "lines.markersize": 4.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.hashsalt": "diffkit",
    "svg.fonttype": "path",
}

_IN_THE_DARK = {
    "#ffffff": "#14181d",
    "#000000": "#e8eaed",
    "#dddddd": "#333a43",
    "#0072b2": "#4fa8e0",
    "#d55e00": "#f0944d",
    "#009e73": "#3fc79c",
}
"""What colours become for a reader in dark mode; the rest are bright enough."""

_MARKER = re.compile(r'(<path id="m[0-9a-f]{10}"[^>]*style=)("[^"]*")')
_COLOUR = re.compile("(?:fill|stroke): #[0-9a-f]{6}(?:; )?")


def _with_dark_mode(svg: str) -> str:
    """A Matplotlib SVG, whose colours stand in style attributes, with rules that replace them in the dark."""
    rules = [".dkplot{fill:#e8eaed}"]  # what names no colour is black: all text
    for light, dark in _IN_THE_DARK.items():
        for paint in ("fill", "stroke"):
            rules.append(f'.dkplot [style*="{paint}: {light}"]{{{paint}:{dark}!important}}')
    style = f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"
    # Inside a <use> no rule about .dkplot reaches: a marker's colours come from its uses alone.
    marked = _MARKER.sub(lambda m: m[1] + _COLOUR.sub("", m[2]), svg)
    marked = marked.replace("<svg ", '<svg class="dkplot" ', 1)
    return marked.replace("</style>", style + "</style>", 1)


class Plot:
    """A figure that a notebook shows and that can be saved.

    Attributes:
        figure: the Matplotlib figure, for changes of one's own.
    """

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def svg(self) -> str:
        """The figure as SVG text, the same each time; light or dark as its reader prefers."""
        return _with_dark_mode(self._bytes("svg").decode())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the figure in the format that the file's ending names: .svg, .png or .pdf.

        Raises:
            InputError: for another ending.
        """
        from diffkit.files import write_atomically

        target = Path(path)
        kind = target.suffix.removeprefix(".")
        if kind not in ("svg", "png", "pdf"):
            raise InputError(f"can't tell the format of {str(path)!r}: expected one of .svg, .png, .pdf")
        return write_atomically(target, self.svg() if kind == "svg" else self._bytes(kind))

    def series(self) -> list[dict[str, Any]]:
        """What is drawn, without where: a dictionary for each line (with its points) and each image.

        >>> cost_curve([1, 10], {"forward": [3.0, 30.0]}).series()
        [{'label': 'forward', 'x': [1.0, 10.0], 'y': [3.0, 30.0]}]
        """
        found: list[dict[str, Any]] = []
        for axes in self.figure.axes:
            for line in axes.lines:
                x, y = (np.asarray(values, dtype=float).tolist() for values in line.get_data())
                found.append({"label": str(line.get_label()), "x": x, "y": y})
            found += [{"image": np.asarray(image.get_array()).tolist()} for image in axes.images]
        return found

    def _bytes(self, kind: str) -> bytes:
        matplotlib = _matplotlib()
        out = io.BytesIO()
        dateless = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(out, format=kind, dpi=150, metadata=dateless[kind])
        return out.getvalue()

    def _repr_svg_(self) -> str:
        return self.svg()


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise InputError(
            f"drawing curves needs Matplotlib, which comes with the lessons: {how_to_get('lessons')}"
        ) from None
    return matplotlib


@contextmanager
def canvas(width: float = 9.0, height: float = 5.6) -> Iterator[tuple[Plot, Any]]:
    """A plot and its axes, in the shared style; pyplot and its global state are not involved.

    Raises:
        InputError: if Matplotlib is not installed.

    >>> with canvas() as (plot, axes):
    ...     _ = axes.plot([1, 2, 3], [1, 4, 9], **SERIES[0].line())
    >>> plot.svg().startswith("<?xml")
    True
    """
    matplotlib = _matplotlib()
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
        yield Plot(figure), figure.subplots()
        # Lay it out once and for all: doing so again at each saving moves things by a hair.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


# -- growth, cost, and training ---------------------------------------------------------------------


def swell_curve(table: Table, *, title: str = "", columns: Sequence[str] | None = None) -> Plot:
    """How expressions grow: the columns of a swell table against n, on a logarithmic axis.

    Args:
        table: a table with a column ``n`` and columns of counts; a dash is a gap in the line.
        title: above the figure.
        columns: which columns to draw; by default all that are counts, or where those are more than
            a figure can hold, the most telling of them.

    Raises:
        InputError: if there is nothing to draw, or more than there are series.
    """
    names = list(columns or (c for c in table.columns if c != "n" and _is_count(table[c])))
    if columns is None and len(names) > len(SERIES):
        names = [c for c in _TELLING if c in names]
    if not 1 <= len(names) <= len(SERIES):
        raise InputError(f"a plot shows 1 to {len(SERIES)} columns, not {len(names)}: {', '.join(names)}")
    with canvas() as (plot, axes):
        for series, name in zip(SERIES, names, strict=False):
            # Trees have more nodes than a float can hold: plot the power of ten instead.
            points = [(n, _log10(v)) for n, v in zip(table["n"], table[name], strict=True) if v]
            marks = {"marker": series.marker, "markersize": 6, "markevery": max(1, len(points) // 10)}
            axes.plot(*zip(*points, strict=True), label=name, **series.line(**marks))
        axes.set(xlabel="n", ylabel="number of nodes", xlim=_from_the_first(table["n"]))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter(lambda v, _: f"$10^{{{v:g}}}$")
        axes.set_title(title, loc="left")
        axes.legend(loc="best")
    return plot


def _from_the_first(counts: Sequence[int]) -> tuple[float, float]:
    """Limits of an axis on which nothing stands before the first number, and no tick does either."""
    first, last = min(counts), max(counts)
    margin = max(0.04 * (last - first), 0.5)
    return max(first - margin, first - 0.9), last + margin


_TELLING = (
    "f tree",
    "sympy.diff tree",
    "simplified tree",
    "forward tree",
    "forward DAG",
    "trace",
    "adjoint program",
)
"""Of the columns of a swell table: what is written out, and what is shared."""


def _is_count(values: Sequence[Any]) -> bool:
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, int) and not isinstance(v, bool) for v in known)


def _log10(value: int) -> float:
    """The decimal logarithm of an integer of any length."""
    shift = max(0, value.bit_length() - 60)
    return math.log10(value >> shift) + shift * math.log10(2)


def cost_curve(
    sizes: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    xlabel: str = "number of variables n",
    ylabel: str = "time / time of f",
) -> Plot:
    """Cost against the number of variables, on logarithmic axes, a line per method.

    >>> cost_curve([1, 10], {"forward": [3.0, 30.0], "reverse": [4.0, 4.0]}).svg()[:5]
    '<?xml'
    """
    with canvas() as (plot, axes):
        for series, (name, values) in zip(SERIES, curves.items(), strict=False):
            axes.plot(sizes, values, label=name, **series.line(marker=series.marker, markersize=7))
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        if axes.get_ylim()[0] < 100:  # a multiple of f's cost: with 1 on it, f itself
            axes.set_ylim(bottom=min(0.8, axes.get_ylim()[0]))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda v, _: f"{v:,.6g}" if 1e-3 <= v < 1e6 else f"{v:.0e}")
        axes.set_title(title, loc="left")
        axes.legend(loc="upper left")
    return plot


def loss_curve(
    values: Sequence[float], *, title: str = "", xlabel: str = "epoch", ylabel: str = "loss"
) -> Plot:
    """A loss against the epoch of training, on a logarithmic axis."""
    with canvas() as (plot, axes):
        axes.plot(range(1, len(values) + 1), values, **SERIES[0].line())
        axes.set(yscale="log", xlabel=xlabel, ylabel=ylabel, xlim=_from_the_first([1, len(values)]))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(title, loc="left")
    return plot


def image_grid(images: np.ndarray[Any, Any], *, title: str = "", columns: int = 8, scale: str = "") -> Plot:
    """Small images side by side on one scale, whose zero is white and whose negative end has a dash.

    Args:
        images: an array (count, height, width).
        title: above the figure.
        columns: how many stand in a row.
        scale: what the colours measure, beside their scale.
    """
    rows = -(-len(images) // columns)
    limit = float(np.max(np.abs(images))) or 1.0
    with canvas(9.0, 0.6 + min(8.4 / columns, 2.6) * rows) as (plot, axes):  # as high as they are wide
        axes.remove()
        plot.figure.suptitle(title, x=0.01, ha="left", fontsize=STYLE["axes.titlesize"])
        grid, cells = plot.figure.add_gridspec(rows, columns), []
        for k, image in enumerate(images):
            cell = plot.figure.add_subplot(grid[k // columns, k % columns])
            shown = cell.imshow(image, cmap="PuOr", vmin=-limit, vmax=limit)
            cell.set(xticks=[], yticks=[])
            cell.grid(visible=False)
            # In black and white both ends of the scale are dark: a dash tells the negative end.
            down, across = np.nonzero(np.asarray(image) < -limit / 4)
            cell.scatter(across, down, marker="_", color="#000000", s=25)
            cell.spines[:].set_visible(False)
            cells.append(cell)
        plot.figure.colorbar(shown, ax=cells, fraction=0.02, pad=0.02, label=scale)
    return plot
