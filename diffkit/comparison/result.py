"""What a comparison found: a row per method, and the table of them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.comparison.timing import Timing
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.tables import Table, format_cell, to_json


@dataclass
class Row:
    """What one method did.

    Attributes:
        method: one of :data:`METHODS`.
        value: the Jacobian, (outputs, inputs); None where the method can't do this program.
        error: the largest error of an entry, relative to the largest entry of the reference; None where
            the reference has none. It is nan or inf where the method's value is.
        by_luck: whether a difference is far more exact than its truncation error allows, by accident.
        evaluations: how often f was run; tracing is one run.
        formula: how many of those the formula has: n + 1 or 2 n; the others chose its step.
        operations: what the derivative takes on numbers, f's own operations among them.
        seconds: the time of the derivative once set up.
        times_f: that time as a multiple of one evaluation of f.
        is_steady: whether another run would give about the same time.
        set_up: the seconds that were needed once, before the first value (symbolic differentiation).
        size: what the method built: ``tree`` and ``dag`` nodes, or ``rows`` of a trace.
        why: why the method can't do this program; "" if it can.
        warned: what it said of its value.
    """

    method: str
    value: np.ndarray[Any, Any] | None = None
    error: float | None = None
    by_luck: bool = False
    evaluations: int | None = None
    formula: int | None = None
    operations: int | None = None
    seconds: float | None = None
    times_f: float | None = None
    is_steady: bool = True
    set_up: float | None = None
    size: dict[str, int] | None = None
    why: str = ""
    warned: tuple[str, ...] = ()

    def take(self, timing: Timing) -> None:
        """Takes over what was measured of its time."""
        self.seconds, self.times_f, self.is_steady = timing.seconds, timing.times_f, timing.is_steady

    @property
    def digits(self) -> int | None:
        """How many decimal digits of the derivative are right, 0 to 16; None where no error is known."""
        if self.error is None:
            return None
        if not math.isfinite(self.error):
            return 0
        return 16 if self.error == 0 else min(16, max(0, math.floor(-math.log10(self.error))))


class Comparison:
    """The rows of a comparison, and its table for terminal, notebook and export.

    Attributes:
        name: the function's name.
        inputs: the names of the columns of the Jacobian.
        reference: the Jacobian to fifty digits, rounded to floats; NaN in columns that were not
            computed, and where f has a kink or a jump.
        reference_method: how it was computed.
        seconds_f: the time of one evaluation of f; None where times were not measured.
        kinks: a sentence for each entry that has no derivative at this point.
        notes: what else there is to know: where the program overflows, though f does not.
        differs: a sentence if f computes different things on floats, traced and in many digits; else "".
        operations: f's own, counted on its trace; None where it has none.

    >>> from diffkit.comparison import compare
    >>> print(
    ...     compare(lambda x: x * x, 3.0, methods=["reverse mode"], times=False).table.select(
    ...         "method", "error"
    ...     )
    ... )
    <lambda>: the Jacobian of 1 output by 1 input
    method        error
    ───────────────────
    reverse mode      0
    error: the largest of an entry, relative to the largest entry; ...
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Row],
        inputs: Sequence[str],
        reference: np.ndarray[Any, Any],
        reference_method: str,
        seconds_f: float | None = None,
        kinks: Sequence[str] = (),
        *,
        notes: Sequence[str] = (),
        differs: str = "",
        operations: int | None = None,
    ) -> None:
        self.name = name
        self.rows = list(rows)
        self.inputs = list(inputs)
        self.reference = reference
        self.reference_method = reference_method
        self.seconds_f = seconds_f
        self.kinks = list(kinks)
        self.notes = list(notes)
        self.differs = differs
        self.operations = operations

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
        shown: dict[str, list[Any]] = {
            "method": [r.method for r in self.rows],
            "value": [None if r.value is None else summary(r.value) for r in self.rows],
            "error": [_error_cell(r) for r in self.rows],
            "digits": [r.digits for r in self.rows],
            "runs": [_runs_cell(r) for r in self.rows],
            "ops / f": [self._operations_cell(r) for r in self.rows],
            "time / f": [_time_cell(r) for r in self.rows],
        }
        if self.differs:
            del shown["error"], shown["digits"]
        if self.seconds_f is None:
            del shown["time / f"]
        outputs, inputs = self.reference.shape
        caption = f"{self.name}: the Jacobian of {_count(outputs, 'output')} by {_count(inputs, 'input')}"
        rows = [list(row) for row in zip(*shown.values(), strict=True)]
        return Table(list(shown), rows, caption=caption, notes=self._notes())

    def _notes(self) -> list[str]:
        """Sentences below the table: what the columns are, and what there is to know of the rows."""
        notes = [self.differs] if self.differs else []
        notes += [*self.kinks, *self.notes]
        notes += _shared((r.method, r.why) for r in self.rows if r.why)
        notes += _shared((r.method, text) for r in self.rows for text in r.warned)
        if any(r.by_luck for r in self.rows):
            notes.append(
                "*: by luck: a hundred times less than the truncation error, as rounded values happen to fit"
            )
        if self.reference.size > 1 and self.reference.size <= 4 and np.all(np.isfinite(self.reference)):
            notes.append(f"the Jacobian: {_entries(self.reference)}")
        if not self.differs:
            notes.append(
                "error: the largest of an entry, relative to the largest entry; digits: how many are right; "
                f"reference: {self.reference_method}"
            )
        runs = "runs: evaluations of f; + those that chose the step"
        if self.operations is not None:
            runs += f"; ops: operations, f has {self.operations:,}"
        if self.seconds_f is not None:
            runs += f"; f takes {_duration(self.seconds_f)}"
            if not all(r.is_steady for r in self.rows):
                runs += "; ~: a time that varies by more than a third"
        notes.append(runs)
        sizes = [f"{r.method}: {_size_text(r)}" for r in self.rows if r.size]
        return [*notes, "; ".join(sizes)] if sizes else notes

    def _operations_cell(self, row: Row) -> float | None:
        if not self.operations:
            return None
        count = row.operations
        if count is None and row.formula is not None:  # a difference: f's own, so many times
            count = row.formula * self.operations
        return None if count is None else float(f"{count / self.operations:.2g}")

    def __str__(self) -> str:
        return self.table.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table.html()

    def text(self, width: int | None = None) -> str:
        """The table for a terminal, folded to so many columns."""
        return self.table.text(width)

    def markdown(self) -> str:
        """The table in Markdown."""
        return self.table.markdown()

    def latex(self) -> str:
        """The table in LaTeX."""
        return self.table.latex()

    def html(self) -> str:
        """The table in HTML."""
        return self.table.html()

    def _records(self) -> list[dict[str, Any]]:
        """One record per method and entry of the Jacobian, unrounded."""
        return [
            {
                "method": r.method,
                "output": i,
                "input": name,
                "value": None if r.value is None else float(r.value[i, j]),
                "error": r.error,
                "by luck": r.by_luck,
                "evaluations": r.evaluations,
                "formula": r.formula,
                "operations": r.operations,
                "seconds": r.seconds,
                "steady": r.is_steady,
                "set_up": r.set_up,
                "why": r.why,
            }
            for r in self.rows
            for i in range(self.reference.shape[0])
            for j, name in enumerate(self.inputs)
        ]

    def csv(self) -> str:
        """One line per method and entry of the Jacobian, unrounded, for a spreadsheet."""
        records = self._records()
        return Table(list(records[0]) if records else [], [list(r.values()) for r in records]).csv()

    def json(self) -> str:
        """The same records with the reference and the notes, for another program."""
        return to_json(
            {
                "name": self.name,
                "inputs": self.inputs,
                "reference": self.reference.tolist(),
                "reference method": self.reference_method,
                "differs": self.differs,
                "notes": self._notes(),
                "rows": self._records(),
            }
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the comparison as .txt, .md, .tex, .html or .csv.

        Raises:
            InputError: for another ending, or a path that can't be written.
        """
        if Path(path).suffix == ".csv":
            return write_atomically(path, self.csv())
        return self.table.save(path)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def summary(value: np.ndarray[Any, Any]) -> str:
    """A Jacobian in a cell: its entry if it has one, else its norm."""
    if value.size == 1:
        return f"{value[0, 0]:.8g}"
    return f"norm {np.linalg.norm(value):.7g}"


def _entries(value: np.ndarray[Any, Any]) -> str:
    lines = ["(" + ", ".join(f"{v:.6g}" for v in row) + ")" for row in value]
    return lines[0] if len(lines) == 1 else "(" + ", ".join(lines) + ")"


def _error_cell(row: Row) -> str | None:
    if row.error is None:
        return None
    return f"{row.error:.1e}{'*' * row.by_luck}" if row.error else f"0{'*' * row.by_luck}"


def _runs_cell(row: Row) -> str | None:
    if row.evaluations is None:
        return None
    formula = row.evaluations if row.formula is None else row.formula
    choosing = row.evaluations - formula
    return f"{formula:,} + {choosing:,}" if choosing else f"{formula:,}"


def _time_cell(row: Row) -> str | None:
    if row.times_f is None:
        return None
    return f"{'' if row.is_steady else '~'}{format_cell(float(f'{row.times_f:.2g}'))}"


def _shared(sayings: Iterable[tuple[str, str]]) -> list[str]:
    """Each sentence once, after the names of all the methods that it is of.

    What differs in numbers only, such as a step, is the same sentence.
    """
    methods: dict[str, tuple[str, list[str]]] = {}
    for method, text in sayings:
        methods.setdefault(_NUMBER.sub("0", text), (text, []))[1].append(method)
    return [f"{', '.join(names)}: {text}" for text, names in methods.values()]


_NUMBER = re.compile(r"-?\d[\d.]*(e[-+]?\d+)?")


def _size_text(row: Row) -> str:
    names = {"dag": "DAG"}
    return ", ".join(f"{names.get(k, k)} {format_cell(v)}" for k, v in (row.size or {}).items())
