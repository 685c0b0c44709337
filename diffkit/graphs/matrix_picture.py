"""``dk.draw_matrix``: a Jacobian or Hessian as a picture, and a student's own beside the right one.

>>> import numpy as np
>>> draw_matrix(np.eye(2), own=[[1.0, 0.0], [0.5, 1.0]]).notes
['1 of 4 entries differs: row 2, column 1 is 0.5, and 0 is right']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffkit.autodiff.notation.row_texts import value_text
from diffkit.autodiff.sparsity import colours as colours_of
from diffkit.errors import InputError
from diffkit.graphs.formats.svg import fixed, svg_page, xml_text
from diffkit.graphs.metrics import text_width
from diffkit.graphs.picture import Picture

_WRITTEN = 12
"""Rows or columns up to which the entries are written out."""

_EXTENT = 420.0
"""Points that a matrix without numbers is wide, or high."""

_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c6d31")
"""After Okabe and Ito (2008)."""

_STYLE = """
.dk .cell{fill:#0072b2;stroke:none}
.dk .cell.minus{fill:#d55e00}
.dk .grid{fill:none;stroke:#8a9199;stroke-width:1}
.dk .hollow{fill:none;stroke:#d55e00}
.dk .wrong{fill:none;stroke:#b3261e;stroke-width:3}
.dk .entry{font-weight:400}
.dk.dark .wrong{stroke:#ff8a80}
@media (prefers-color-scheme: dark){.dk.auto .wrong{stroke:#ff8a80}}
"""


class MatrixPicture(Picture):
    """A matrix as a picture; see :func:`draw_matrix`.

    Attributes:
        matrix: its entries.
        own: those that stand beside it; None for none.
        wrong: where the two differ.
        notes: sentences for below.
    """

    def __init__(
        self,
        matrix: NDArray[Any],
        own: NDArray[Any] | None,
        pattern: NDArray[np.bool_],
        colours: NDArray[np.intp] | None,
        title: str,
        told: bool,
    ) -> None:
        self.matrix, self.own, self.title = matrix, own, title
        self._pattern, self._colours = pattern, colours
        self.wrong = np.zeros(matrix.shape, bool)
        self.notes: list[str] = []
        if own is not None and own.shape == matrix.shape:
            self.wrong = ~np.isclose(own, matrix, rtol=1e-5, atol=1e-8 * _largest(matrix), equal_nan=True)
            self.notes.append(self._difference(own))
        elif own is not None:
            turned = ": that of its transpose" if own.T.shape == matrix.shape else ""
            self.notes.append(f"yours has the shape {own.shape}{turned}, the right one {matrix.shape}")
        if colours is not None:
            count = int(colours.max(initial=-1)) + 1
            self.notes.append(f"{count} sweep{'s' * (count != 1)}: columns of one colour share no row")
        if told and not pattern.all():
            self.notes.append(f"{int(pattern.sum()):,} of {pattern.size:,} entries can be other than zero")

    def __repr__(self) -> str:
        beside = "" if self.own is None else f", beside {int(self.wrong.sum())} wrong"
        return f"<picture of {self.title}: {self.matrix.shape[0]} by {self.matrix.shape[1]}{beside}>"

    def series(self) -> list[dict[str, Any]]:
        """What is shown, as numbers: each matrix by its name."""
        shown = [(self.title, self.matrix), *([] if self.own is None else [("yours", self.own)])]
        return [{"label": name, "image": values.tolist()} for name, values in shown]

    def _difference(self, own: NDArray[Any]) -> str:
        count = int(self.wrong.sum())
        if not count:
            return "every entry is right"
        i, j = np.argwhere(self.wrong)[0]
        verb = "differs" if count == 1 else "differ"
        first = (
            f"row {i + 1}, column {j + 1} is {_entry(own[i, j])}, and {_entry(self.matrix[i, j])} is right"
        )
        return f"{count} of {own.size} entries {verb}: {first}"

    def _drawn(self, theme: str, background: str | None, scales: bool = True, frame: int = -1) -> str:
        shown = [(self.title, self.matrix, False)]
        if self.own is not None:
            shown = [("right", self.matrix, False), ("yours", self.own, self.own.shape == self.matrix.shape)]
        parts: list[str] = []
        x, bottom = 10.0, 0.0
        for name, values, compared in shown:
            drawn, width, height = self._one(name, values, compared, x, 8.0)
            parts += drawn
            x, bottom = x + width + 34, max(bottom, 8.0 + height)
        wide = max([x - 34, *(text_width(note, 13) + 10 for note in self.notes)]) + 10
        for note in self.notes:
            bottom += 19
            parts.append(
                f'<text class="note below" font-size="13" x="10" y="{fixed(bottom)}">{xml_text(note)}</text>'
            )
        described = [f"{name}:\n{_spelled(values)}" for name, values, _ in shown] + self.notes
        return svg_page(
            parts,
            (wide, bottom + 12),
            title=self.title,
            description="\n".join(described),
            theme=theme,
            background=background,
            scales=scales,
            more_style=_STYLE,
        )

    def _one(
        self, name: str, values: NDArray[Any], compared: bool, left: float, top: float
    ) -> tuple[list[str], float, float]:
        """A matrix with its name above and numbers of rows and columns beside; its width and height."""
        rows, columns = values.shape
        written = max(rows, columns) <= _WRITTEN
        texts = [[_entry(v) for v in row] for row in values] if written else []
        if written:
            across = max(
                [
                    52.0 if self._colours is not None else 40.0,
                    *(text_width(t, 14) + 14 for row in texts for t in row),
                ]
            )
            down = 30.0
        else:
            across = down = min(20.0, _EXTENT / max(rows, columns))
        x0, y0 = left + (24.0 if written else 0.0), top + (44.0 if written else 26.0)
        sweeps = written and self._colours is not None
        y0 += 18.0 if sweeps else 0.0
        middle = fixed(x0 + columns * across / 2)
        parts = [
            f'<text class="formula" font-size="15" x="{middle}" y="{fixed(top + 15)}">{xml_text(name)}</text>'
        ]
        if written:
            parts += [_label(str(k + 1), x0 + (k + 0.5) * across, top + 37) for k in range(columns)]
            parts += [_label(str(k + 1), x0 - 12, y0 + (k + 0.5) * down + 4) for k in range(rows)]
        if sweeps and self._colours is not None:  # said in words as well: colours alone say nothing in print
            parts += [
                _label(f"sweep {int(colour) + 1}", x0 + (k + 0.5) * across, y0 - 6)
                for k, colour in enumerate(self._colours)
            ]
        largest = _largest(values)
        own_zeros = self._pattern if values.shape == self._pattern.shape else np.ones(values.shape, bool)
        for i, j in np.argwhere(own_zeros | (values != 0)):
            value, x, y = values[i, j], x0 + j * across, y0 + i * down
            parts += self._cell(value, largest, x, y, across, down, j, texts[i][j] if written else None)
        step = range(rows + 1) if written else (0, rows)
        lines = [f"M{fixed(x0)} {fixed(y0 + k * down)}h{fixed(columns * across)}" for k in step]
        lines += [
            f"M{fixed(x0 + k * across)} {fixed(y0)}v{fixed(rows * down)}"
            for k in (range(columns + 1) if written else (0, columns))
        ]
        parts.append(f'<path class="grid" d="{"".join(lines)}"/>')
        for i, j in np.argwhere(self.wrong) if compared else ():
            corner = f'x="{fixed(x0 + j * across)}" y="{fixed(y0 + i * down)}"'
            parts.append(f'<rect class="wrong" {corner} width="{fixed(across)}" height="{fixed(down)}"/>')
        return parts, x0 - left + columns * across, y0 - top + rows * down

    def _cell(
        self,
        value: Any,
        largest: float,
        x: float,
        y: float,
        width: float,
        height: float,
        column: int,
        text: str | None,
    ) -> list[str]:
        """An entry: its sign as a colour, its size as a tint; without a number, hollow if it is negative."""
        size = abs(value) / largest if largest and np.isfinite(value) else 1.0
        place = f'x="{fixed(x)}" y="{fixed(y)}" width="{fixed(width)}" height="{fixed(height)}"'
        minus = bool(np.real(value) < 0)
        parts = []
        if self._colours is not None:
            colour = int(self._colours[column])
            parts.append(f'<rect {place} fill="{_PALETTE[colour % len(_PALETTE)]}" fill-opacity="0.45"/>')
        elif text is None and minus and width > 5:
            corner, side = f'x="{fixed(x + 1)}" y="{fixed(y + 1)}"', fixed(width - 2)
            line = fixed(min(3.0, width / 4))
            parts.append(
                f'<rect class="hollow" {corner} width="{side}" height="{side}" stroke-width="{line}"/>'
            )
        elif value != 0:
            tint = 0.10 + 0.35 * size if text is not None else 0.35 + 0.65 * size
            parts.append(f'<rect class="cell{" minus" * minus}" {place} fill-opacity="{tint:.2f}"/>')
        if text is not None:
            middle, baseline = fixed(x + width / 2), fixed(y + height / 2 + 5)
            parts.append(
                f'<text class="entry" font-size="14" x="{middle}" y="{baseline}">{xml_text(text)}</text>'
            )
        return parts


def _label(text: str, x: float, y: float) -> str:
    return f'<text class="type" font-size="11" x="{fixed(x)}" y="{fixed(y)}">{text}</text>'


def _entry(value: Any) -> str:
    return value_text(value, 4)


def _largest(values: NDArray[Any]) -> float:
    sizes = np.abs(values[np.isfinite(values)])
    return float(sizes.max(initial=0.0))


def _spelled(values: NDArray[Any]) -> str:
    """The entries in words, for who can't see them: all of a small matrix, of a large one how many."""
    if max(values.shape) <= _WRITTEN:
        return "\n".join(" ".join(map(_entry, row)) for row in values)
    return f"{values.shape[0]} by {values.shape[1]}, {np.count_nonzero(values):,} entries other than zero"


def draw_matrix(
    matrix: Any,
    own: Any = None,
    *,
    pattern: Any = None,
    colours: bool | Sequence[int] = False,
    title: str = "",
) -> MatrixPicture:
    """A matrix as a picture: a Jacobian or Hessian, its pattern and values; one's own beside the right one.

    Up to 12 rows and columns the entries are written out; of a larger matrix each is a square. Blue is
    positive, vermilion negative (and hollow where no number stands), a deeper tint is a larger number. What
    can't be other than zero is left blank.

    Args:
        matrix: the entries, in two axes; a gradient is taken for one row.
        own: a student's, of the same shape: entries that differ by more than 1e-5 of themselves are framed.
        pattern: bools of its shape, where it can be other than zero, as ``dk.sparsity(f)(x)`` gives them; by
            default where it is not zero.
        colours: True for the colours in which few sweeps tell the matrix, or one number for each column.
        title: what it is called.

    Returns:
        A picture that a notebook shows; it can be saved as .svg, .png, .pdf and .html.

    Raises:
        InputError: for what has not one or two axes, or a pattern or colours that do not fit.

    >>> import diffkit as dk
    >>> f, x = lambda x: x[1:] * x[:-1], np.arange(1.0, 5.0)
    >>> draw_matrix(dk.jacobian(f)(x), pattern=dk.sparsity(f)(x), colours=True, title="J")
    <picture of J: 3 by 4>
    """
    values = _matrix(matrix, "the matrix")
    mine = None if own is None else _matrix(own, "your own")
    there = values != 0 if pattern is None else np.asarray(pattern, bool)
    if there.shape != values.shape:
        raise InputError(f"the pattern has the shape {there.shape}, and the matrix {values.shape}")
    given: NDArray[np.intp] | None = None
    if colours is True:
        given = colours_of(there)
    elif colours is not False:
        given = np.asarray(colours, int)
        if given.shape != values.shape[1:]:
            raise InputError(f"one colour is given for each of {values.shape[1]} columns, not {given.shape}")
    return MatrixPicture(values, mine, there, given, title or "matrix", told=pattern is not None)


def _matrix(values: Any, what: str) -> NDArray[Any]:
    found = np.atleast_2d(np.asarray(values))
    if found.ndim != 2 or found.dtype.kind not in "biufc":
        raise InputError(
            f"{what} is drawn in rows and columns, but has the shape {np.shape(values)}"
            f"{'' if found.dtype.kind in 'biufc' else f' and the dtype {found.dtype}'}: a Jacobian of arrays "
            "is reshaped to (outputs, inputs) first"
        )
    return found
