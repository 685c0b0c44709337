"""A table that a terminal, a notebook, a slide and a spreadsheet can all show.

Everything in diffkit that has rows returns a :class:`Table`, or has one as ``.table``: comparisons,
swell, evaluation traces, error sweeps, reports. A cell is any value; a :class:`Table` holds the
values themselves (``table.records()``, ``table["error"]``) and formats them only when it is shown.

>>> table = Table(["n", "tree", "note"], [[1, 5, "x"], [2, 1234567, None]], caption="Growth")
>>> print(table)
Growth
n       tree  note
──────────────────
1          5  x
2  1,234,567  –
>>> print(table.markdown())
**Growth**
<BLANKLINE>
| n | tree | note |
| ---: | ---: | :--- |
| 1 | 5 | x |
| 2 | 1,234,567 | – |
>>> table["tree"]
[5, 1234567]
"""

from __future__ import annotations

import csv
import html
import io
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.files import write_atomically

__all__ = ["ShownFloat", "Table", "format_cell", "latex_escape", "to_json"]


def __dir__() -> list[str]:
    return __all__


DASH = "–"
"""What an empty cell shows."""


class ShownFloat(float):
    """A float that a cell shows with other than six digits.

    >>> format_cell(ShownFloat(1 + 1e-9, 10)), format_cell(1 + 1e-9)
    ('1.000000001', '1')
    """

    digits: int

    def __new__(cls, value: float, digits: int) -> ShownFloat:
        """The float, and its digits."""
        made = super().__new__(cls, value)
        made.digits = digits
        return made


def format_cell(value: Any) -> str:
    """A value as a cell shows it: digits in groups of three, floats to six of them, None as a dash.

    Integers too large to read are shown as a power of ten.

    >>> [format_cell(v) for v in (1234567, 0.1 + 0.2, 3200.0, 1e-17, None, "x", True, 10**40)]
    ['1,234,567', '0.3', '3,200', '1e-17', '–', 'x', 'yes', '1.00e+40']
    """
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else _power_of_ten(value)
    if isinstance(value, float):
        return f"{float(value):,.{getattr(value, 'digits', 6)}g}"
    if isinstance(value, complex):
        return f"{complex(value):.6g}"
    return str(value)


def _power_of_ten(value: int) -> str:
    """A large integer to three digits, without writing its decimals out (it may have millions)."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    exponent = int((value.bit_length() - 1) * math.log10(2))
    mantissa = value // 10 ** (exponent - 5) / 10**5  # integers, so that nothing overflows
    if mantissa >= 9.995:
        mantissa, exponent = mantissa / 10, exponent + 1
    return f"{sign}{mantissa:.2f}e+{exponent}"


def _typeset(cell: str) -> str:
    """A number with the minus sign that it has in formulas; anything else as it is."""
    return cell.replace("-", "−") if _NUMBER.fullmatch(cell) else cell


_NUMBER = re.compile(r"[-+]?[\d,.]+(e[-+]?\d+)?")


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    return _power_of_ten(value) if isinstance(value, int) and value.bit_length() > 13_000 else value


def _width(text: str) -> int:
    """The number of terminal columns: combining marks take none, wide characters two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _pad(text: str, width: int, align: str) -> str:
    space = " " * (width - _width(text))
    return space + text if align == "right" else text + space


def latex_escape(text: str) -> str:
    r"""Text made safe for LaTeX.

    >>> latex_escape("50 % of x_1 & ∞ –")
    '50 \\% of x\\_1 \\& $\\infty$ --'
    """
    return text.translate(_LATEX)


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "–": "--",
        "×": r"$\times$",
        "·": r"$\cdot$",
        "−": "$-$",
        "∞": r"$\infty$",
        "∂": r"$\partial$",
        "≈": r"$\approx$",
        "≤": r"$\le$",
        "≥": r"$\ge$",
    }
)


def to_json(value: Any) -> str:
    """JSON of nested lists and dictionaries; NaN and infinities, which JSON has not, as texts.

    >>> to_json({"error": [0.5, float("inf")]})
    '{"error": [0.5, "inf"]}'
    """
    return json.dumps(_jsonable(value), ensure_ascii=False)


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return _csv_cell(value)
    return value if value is None or isinstance(value, str) else str(value)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value.strip("~*≤<")) is not None
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _folded(text: str, width: int) -> list[str]:
    """Lines of at most so many terminal columns, broken between words where that is possible."""
    if _width(text) <= width:
        return [text]
    lines: list[str] = []
    for word in text.split(" "):
        if lines and _width(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append(word)
        while _width(lines[-1]) > width:
            cut = max(k for k in range(1, len(lines[-1])) if _width(lines[-1][:k]) <= max(width, 1))
            lines[-1:] = [lines[-1][:cut], lines[-1][cut:]]
    return lines


_NARROWEST = 12
"""Terminal columns that a column of text keeps when a table is folded."""


def _narrowed(
    widths: Sequence[int], cells: Sequence[Sequence[str]], aligns: Sequence[str], width: int
) -> list[int]:
    """Widths with the widest columns of text made narrower, until the table fits or they are narrow."""
    new = list(widths)
    while sum(new) + 2 * (len(new) - 1) > width:
        widest = max(
            (k for k, a in enumerate(aligns) if a == "left" and new[k] > _NARROWEST),
            key=lambda k: new[k],
            default=None,
        )
        if widest is None:
            break
        new[widest] -= 1
    return new


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """The columns, in blocks that fit; the first column begins each."""
    blocks = [[0]] if widths else [[]]
    for k in range(1, len(widths)):
        block = blocks[-1]
        if len(block) > 1 and sum(widths[j] for j in [*block, k]) + 2 * len(block) > width:
            blocks.append(block := [0])
        block.append(k)
    return blocks


class Table:
    """Rows under named columns, with a caption and notes below.

    Args:
        columns: the column titles, all different.
        rows: sequences of cells, one per column each.
        caption: one line above the table.
        notes: sentences below it, such as the reason for a dash.

    Raises:
        InputError: if two columns have one title, or a row has more or fewer cells than there are columns.

    >>> table = Table(["n", "tree"], [[3, 57], [4, None]], caption="Sizes", notes=["n = 4: out of time"])
    >>> print(table)
    Sizes
    n  tree
    ───────
    3    57
    4     –
    n = 4: out of time
    >>> table["tree"]
    [57, None]
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        caption: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.caption = caption
        self.notes = list(notes)
        if twice := [c for k, c in enumerate(self.columns) if c in self.columns[:k]]:
            raise InputError(
                f"two columns of the table are called {twice[0]!r}; give each a title of its own"
            )
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"a row has {len(row)} cells, but the table has {len(self.columns)} columns: {row}"
                )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[list[Any]]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        """The values of one column, unformatted."""
        if column not in self.columns:
            raise InputError(f"no column {column!r}; the columns are {', '.join(self.columns)}")
        k = self.columns.index(column)
        return [row[k] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, unformatted."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def select(self, *columns: str) -> Table:
        """The table with these columns only, in this order.

        Raises:
            InputError: for a column that there is not.

        >>> print(Table(["n", "tree", "DAG"], [[3, 57, 19]]).select("n", "DAG"))
        n  DAG
        ──────
        3   19
        """
        rows = list(zip(*(self[c] for c in columns), strict=True))
        return Table(columns, rows, caption=self.caption, notes=self.notes)

    # -- how it is shown ----------------------------------------------------------------------------

    def _alignments(self) -> list[str]:
        """Columns of numbers to the right, of anything else to the left; a column of dashes, to the right."""

        def numeric(column: list[Any]) -> bool:
            values = [v for v in column if v is not None]
            return not values or 2 * sum(map(_is_number, values)) > len(values)

        return ["right" if numeric(self[c]) else "left" for c in self.columns]

    def _cells(self) -> list[list[str]]:
        return [[format_cell(v) for v in row] for row in self.rows]

    def text(self, width: int | None = None) -> str:
        """Aligned columns for a terminal.

        Args:
            width: the columns that the terminal has. What is longer is folded: first notes and caption,
                then cells of text, and at last the table, into blocks that each begin with the first
                column. Without it, nothing is folded.

        >>> print(Table(["n", "what it is"], [[1, "a long story of a number"]]).text(width=20))
        n  what it is
        ────────────────────
        1  a long story of a
           number
        """
        cells = self._cells()
        widths = [max(_width(row[k]) for row in [self.columns, *cells]) for k in range(len(self.columns))]
        blocks = [list(range(len(widths)))]
        if width is not None:
            widths = _narrowed(widths, cells, self._alignments(), width)
            blocks = _blocks(widths, width)
        lines = [line for block in blocks for line in self._block(block, widths, cells)]
        around = (lambda text: [text]) if width is None else (lambda text: _folded(text, width))
        head = around(self.caption) if self.caption else []
        return "\n".join([*head, *lines, *(line for note in self.notes for line in around(note))])

    def _block(self, block: Sequence[int], widths: Sequence[int], cells: list[list[str]]) -> list[str]:
        """The columns of a block, a row's cells folded to the widths."""
        aligns = self._alignments()

        def lines(row: Sequence[str]) -> list[str]:
            folded = [_folded(row[k], widths[k]) for k in block]
            height = max(map(len, folded), default=0)
            return [
                "  ".join(
                    _pad(parts[i] if i < len(parts) else "", widths[k], aligns[k])
                    for k, parts in zip(block, folded, strict=True)
                ).rstrip()
                for i in range(height)
            ]

        rule = "─" * (sum(widths[k] for k in block) + 2 * (len(block) - 1))
        return [*lines(self.columns), rule, *(line for row in cells for line in lines(row))]

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def markdown(self) -> str:
        """A Markdown (GitHub-flavoured) table."""

        def line(row: Sequence[str]) -> str:
            escaped = (c.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for c in row)
            return "| " + " | ".join(escaped) + " |"

        marks = {"right": "---:", "left": ":---"}
        head = [f"**{self.caption}**", ""] if self.caption else []
        notes = ["", *self.notes] if self.notes else []
        body = [line(self.columns), line([marks[a] for a in self._alignments()]), *map(line, self._cells())]
        return "\n".join([*head, *body, *notes])

    def latex(self) -> str:
        """A LaTeX ``tabular`` with the rules of the booktabs package."""

        def line(row: Sequence[str]) -> str:
            return " & ".join(map(latex_escape, row)) + r" \\"

        spec = "".join(a[0] for a in self._alignments())
        body = [
            rf"\begin{{tabular}}{{{spec}}}",
            r"\toprule",
            line(self.columns),
            r"\midrule",
            *map(line, self._cells()),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        if self.caption or self.notes:
            below = " ".join([self.caption, *self.notes]).strip()
            body = [
                r"\begin{table}",
                r"\centering",
                *body,
                rf"\caption{{{latex_escape(below)}}}",
                r"\end{table}",
            ]
        return "\n".join(body)

    def html(self) -> str:
        """An HTML table whose colours follow the page that it stands in."""
        aligns = self._alignments()

        def line(tag: str, row: Sequence[str]) -> str:
            rule = ";border-bottom:1px solid #88888888" if tag == "th" else ""
            cells = "".join(
                f'<{tag} style="text-align:{a};padding:.2em .7em{rule}">{html.escape(_typeset(c))}</{tag}>'
                for c, a in zip(row, aligns, strict=True)
            )
            return f"<tr>{cells}</tr>"

        caption = (
            f'<caption style="text-align:left">{html.escape(self.caption)}</caption>' if self.caption else ""
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        rows = "".join(line("td", row) for row in self._cells())
        return (
            '<table class="diffkit" style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
            f"{caption}<thead>{line('th', self.columns)}</thead><tbody>{rows}</tbody></table>{notes}"
        )

    _repr_html_ = html

    def csv(self) -> str:
        """Comma-separated values, unformatted: floats to their last bit, None as an empty field.

        Integers of more than 4,000 digits, which spreadsheets can't hold and Python will not write
        out, are powers of ten as in the other formats.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_csv_cell(v) for v in row] for row in self.rows)
        return out.getvalue()

    def json(self) -> str:
        """The rows as records, with caption and notes, unformatted.

        >>> Table(["n", "tree"], [[3, 57]], caption="Growth").json()
        '{"caption": "Growth", "rows": [{"n": 3, "tree": 57}], "notes": []}'
        """
        return to_json({"caption": self.caption, "rows": self.records(), "notes": self.notes})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the table in the format that the file's ending names, whole or not at all.

        Raises:
            InputError: for an ending other than .txt, .md, .tex, .html, .csv or .json, or a path that
                can't be written.
        """
        writers = {
            ".txt": self.text,
            ".md": self.markdown,
            ".tex": self.latex,
            ".html": self.html,
            ".csv": self.csv,
            ".json": self.json,
        }
        target = Path(path)
        if target.suffix not in writers:
            raise InputError(f"can't tell the format of {str(path)!r}: expected one of {', '.join(writers)}")
        text = writers[target.suffix]()
        return write_atomically(target, text if text.endswith("\n") else text + "\n")
