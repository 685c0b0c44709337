"""What a comparison found: a row per method, and the table of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.tables import Table, format_cell

__all__ = ["Comparison", "Row", "summary"]


@dataclass(frozen=True)
class Row:
    """What one method did.

    Attributes:
        method: one of :data:`METHODS`.
        value: the Jacobian, (outputs, inputs); None where the method can't do this program.
        error: the largest error of an entry, relative to the largest entry of the reference; None where
            the reference has none.
        evaluations: how often f was run; tracing is one run.
        seconds: the time of the derivative once set up.
        times_f: that time as a multiple of one evaluation of f.
        set_up: the seconds that were needed once, before the first value (symbolic differentiation).
        size: what the method built: ``tree`` and ``dag`` nodes, or ``rows`` of a trace.
        why: why the method can't do this program; "" if it can.
    """

    method: str
    value: np.ndarray[Any, Any] | None = None
    error: float | None = None
    evaluations: int | None = None
    seconds: float | None = None
    times_f: float | None = None
    set_up: float | None = None
    size: dict[str, int] | None = None
    why: str = ""


class Comparison:
    """The rows of a comparison, and its table for terminal, notebook and export.

    Attributes:
        name: the function's name.
        inputs: the names of the columns of the Jacobian.
        reference: the Jacobian to fifty digits, rounded to floats; NaN in columns that were not
            computed, and where f has a kink or a jump.
        reference_method: how it was computed.
        seconds_f: the time of one evaluation of f.
        kinks: a sentence for each entry that has no derivative at this point.
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Row],
        inputs: Sequence[str],
        reference: np.ndarray[Any, Any],
        reference_method: str,
        seconds_f: float,
        kinks: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.rows = list(rows)
        self.inputs = list(inputs)
        self.reference = reference
        self.reference_method = reference_method
        self.seconds_f = seconds_f
        self.kinks = list(kinks)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, method: str) -> Row:
        for row in self.rows:
            if row.method == method:
                return row
        raise InputError(f"no row for {method!r}; there are {', '.join(r.method for r in self.rows)}")

    @property
    def table(self) -> Table:
        """The comparison as a :class:`~diffkit.tables.Table`."""
        columns = ["method", "value", "error", "evaluations of f", "time / f", "set-up [s]", "size"]
        rows = [
            [
                r.method,
                "–" if r.value is None else summary(r.value),
                None if r.error is None else float(f"{r.error:.1e}"),
                r.evaluations,
                None if r.times_f is None else float(f"{r.times_f:.2g}"),
                None if r.set_up is None else float(f"{r.set_up:.1e}"),
                _size_text(r.size),
            ]
            for r in self.rows
        ]
        outputs, inputs = self.reference.shape
        notes = [
            f"error: the largest of an entry, relative to the largest entry; reference: "
            f"{self.reference_method}",
            f"one evaluation of f takes {_duration(self.seconds_f)}",
            *self.kinks,
            *(f"{r.method}: {r.why}" for r in self.rows if r.why),
        ]
        caption = f"{self.name}: the Jacobian of {_count(outputs, 'output')} by {_count(inputs, 'input')}"
        return Table(columns, rows, caption=caption, notes=notes)

    def __str__(self) -> str:
        return self.table.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table.html()

    def text(self) -> str:
        """The table for a terminal."""
        return self.table.text()

    def markdown(self) -> str:
        """The table in Markdown."""
        return self.table.markdown()

    def latex(self) -> str:
        """The table in LaTeX."""
        return self.table.latex()

    def html(self) -> str:
        """The table in HTML."""
        return self.table.html()

    def csv(self) -> str:
        """One line per method and entry of the Jacobian, unrounded, for a spreadsheet."""
        rows = [
            [r.method, i, name, _entry(r, i, j), r.error, r.evaluations, r.seconds, r.set_up, r.why]
            for r in self.rows
            for i in range(self.reference.shape[0])
            for j, name in enumerate(self.inputs)
        ]
        columns = ["method", "output", "input", "value", "error", "evaluations", "seconds", "set_up", "why"]
        return Table(columns, rows).csv()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the comparison as .txt, .md, .tex, .html or .csv.

        Raises:
            InputError: for another ending, or a path that can't be written.
        """
        if Path(path).suffix == ".csv":
            return write_atomically(path, self.csv())
        return self.table.save(path)


def _entry(row: Row, i: int, j: int) -> float | None:
    return None if row.value is None else float(row.value[i, j])


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def summary(value: np.ndarray[Any, Any]) -> str:
    """A Jacobian in a cell: its entries if they are few, else its norm."""
    if value.size == 1:
        return f"{value[0, 0]:.10g}"
    if value.size <= 4:
        lines = ["(" + ", ".join(f"{v:.6g}" for v in row) + ")" for row in value]
        return lines[0] if len(lines) == 1 else "(" + ", ".join(lines) + ")"
    return f"norm {np.linalg.norm(value):.10g}"


def _size_text(size: dict[str, int] | None) -> str | None:
    if size is None:
        return None
    names = {"dag": "DAG"}
    return ", ".join(f"{names.get(k, k)} {format_cell(v)}" for k, v in size.items())
