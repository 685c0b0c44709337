"""What was found of a program's accuracy, as tables and as a drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.comparison.lost_digits.row_errors import Analysis, RowAccuracy
from diffkit.tables import Table, to_json

if TYPE_CHECKING:
    from diffkit.graphs import Drawing


def digits_lost(condition: float) -> float:
    """The decimal digits that a condition number costs: its logarithm.

    >>> digits_lost(1000.0), digits_lost(0.5)
    (3.0, 0.0)
    """
    if math.isinf(condition) or math.isnan(condition):
        return 16.0
    return max(0.0, math.log10(condition)) if condition > 0 else 0.0


_ILL = 1e3


@dataclass(repr=False)
class Accuracy:
    """The errors of a program's value and derivatives, and the rows that make them.

    Attributes:
        name: the function's name.
        inputs: the names of the numbers that it was differentiated by.
        values: the output of largest error, on floats and in the reference.
        value_error: the largest relative error of an output; inf where it overflowed.
        errors: the relative error of each derivative by reverse mode (outputs, inputs); nan where there is
            no derivative.
        jacobian: those derivatives.
        conditions: f's own condition numbers |x f'(x) / f(x)| (outputs, inputs): how many times larger a
            relative error of an input leaves f, whatever the program.
        reference: the derivatives to fifty digits, rounded.
        reference_method: how that came about.
        value: the program's rows, for the output of largest error.
        derivative: the adjoint program's rows, for the derivative of largest error.
        derivative_of: which that is, as (output, name of the input).
        notes: sentences: overflow, no derivative, a branch that holds at this point only, a loop whose
            derivative lags behind.

    >>> import numpy as np
    >>> from diffkit.comparison.lost_digits import accuracy
    >>> report = accuracy(lambda x: np.sqrt(x + 1) - np.sqrt(x), 1e12)
    >>> report.inputs, report.summary["digits"], report.conditions.round(3)
    (['x'], [5, 4], array([[0.5]]))
    """

    name: str
    inputs: list[str]
    values: tuple[float, float]
    value_error: float
    errors: np.ndarray[Any, Any]
    jacobian: np.ndarray[Any, Any]
    conditions: np.ndarray[Any, Any]
    reference: np.ndarray[Any, Any]
    reference_method: str
    value: Analysis | None
    derivative: Analysis | None
    derivative_of: tuple[int, str] | None
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> Table:
        """The value and each derivative, with error and digits."""
        rows: list[list[Any]] = [["value", *self.values, _short(self.value_error), _digits(self.value_error)]]
        for i in range(self.errors.shape[0]):
            for j, name in list(enumerate(self.inputs))[:20]:
                what = f"by {name}" if self.errors.shape[0] == 1 else f"output {i + 1} by {name}"
                error = float(self.errors[i, j])
                rows.append(
                    [
                        what,
                        float(self.jacobian[i, j]),
                        float(self.reference[i, j]),
                        _short(error),
                        _digits(error),
                    ]
                )
        columns = ["of", "by tracing", "reference", "error", "digits"]
        caption = f"{self.name}: accuracy of its value and derivatives"
        return Table(columns, rows, caption=caption, notes=self.sentences())

    def sentences(self) -> list[str]:
        """What there is to know, in sentences: the row that loses the digits, and the notes."""
        sentences = [*self.notes, *self.culprits()]
        finite = self.conditions[np.isfinite(self.conditions)]
        if finite.size and np.max(finite) > _ILL:
            sentences.append(
                "f itself is ill-conditioned: an error of its inputs leaves it "
                f"{_short(float(np.max(finite))):g} times larger, in whatever way it is computed"
            )
        if not sentences and self.value is not None:
            sentences.append("no row costs more than a few roundings")
        return [*sentences, f"relative errors; reference: {self.reference_method}"]

    def culprits(self) -> list[str]:
        """The row that loses the digits of the value, and that of the derivative, each in a sentence."""
        return [
            f"the digits of the {what} are lost by {_told(analysis.named)}{_passed(analysis)}"
            for what, analysis in (("value", self.value), ("derivative", self.derivative))
            if analysis is not None and analysis.named is not None
        ]

    @property
    def table(self) -> Table:
        """The program's rows: what each made, received and passed on."""
        return _rows_table(self.value, f"{self.name}, row by row")

    @property
    def derivative_table(self) -> Table:
        """The adjoint program's rows, for the derivative of largest error."""
        of = "" if self.derivative_of is None else f" by {self.derivative_of[1]}"
        return _rows_table(self.derivative, f"the derivative of {self.name}{of}, row by row")

    def draw(self, **options: Any) -> Drawing:
        """The program's graph with the digits that each edge loses.

        Args:
            options: as of :func:`diffkit.draw`.
        """
        from diffkit.graphs import Drawing, draw
        from diffkit.graphs.model import Label
        from diffkit.graphs.reading.wording import plain_text

        if self.value is None:
            from diffkit.errors import InputError

            raise InputError(f"there are no rows to draw of {self.name}: {'; '.join(self.notes)}")
        graph = draw(self.value.trace, **options).graph
        by_index = {r.index: r for r in self.value.rows}
        edges = []
        for edge in graph.edges:
            tail, head = (_row_of(graph, n) for n in (edge.tail, edge.head))
            lost = digits_lost(by_index[head].edges.get(tail, 0.0)) if head in by_index else 0.0
            text = f"−{lost:.0f} digits" if lost >= 0.5 else "keeps all"
            edges.append(replace(edge, labels=(Label(plain_text(text), "note"),), tip=text))
        nodes = []
        for node in graph.nodes:
            row = by_index.get(node.row)
            labels = node.labels
            if row is not None:
                labels = (*labels, Label(plain_text(f"{_digits(row.error)} digits right"), "note"))
            nodes.append(replace(node, labels=labels))
        title = f"{self.name}: digits lost on each edge"
        return Drawing(replace(graph, nodes=tuple(nodes), edges=tuple(edges), title=title))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"{self.summary.html()}{self.table.html()}"

    def text(self, width: int | None = None) -> str:
        """The summary and the rows for a terminal, folded to so many columns."""
        parts = [self.summary.text(width)]
        if self.value is not None:
            parts.append(self.table.text(width))
        if self.derivative is not None and self.derivative.named is not None:
            parts.append(self.derivative_table.text(width))
        return "\n\n".join(parts)

    def json(self) -> str:
        """All of it, for another program."""
        return to_json(
            {
                "name": self.name,
                "inputs": self.inputs,
                "value error": self.value_error,
                "errors": self.errors.tolist(),
                "derivatives": self.jacobian.tolist(),
                "reference": self.reference.tolist(),
                "notes": self.sentences(),
                "rows": self.table.records(),
                "derivative rows": self.derivative_table.records(),
            }
        )


def _rows_table(analysis: Analysis | None, caption: str) -> Table:
    columns = ["row", "operation", "value", "digits", "made", "received", "condition", "effect", "line"]
    rows: list[list[Any]] = []
    for r in analysis.rows if analysis is not None else []:
        is_input = r.operation == "input"
        rows.append(
            [
                r.name,
                "" if is_input else r.operation,
                r.value,
                _digits(r.error),
                *(None if is_input else _short(e) for e in (r.made, r.received, r.condition, r.effect)),
                r.site.partition(": ")[0].rpartition("/")[2],
            ]
        )
    notes = [
        "made: by the row's own rounding; received: with its arguments; condition: how many times larger an "
        "error leaves the row than it came; effect: how far the result moves if this row alone is not rounded"
    ]
    return Table(columns, rows, caption=caption, notes=notes)


def _row_of(graph: Any, id: str) -> int:
    return int(graph.node(id).row)


def _told(row: RowAccuracy) -> str:
    line = f" ({row.site})" if row.site else ""
    return f"{row.name} = {row.operation}(...), whose rounding moves it by {_short(row.effect):g}{line}"


def _passed(analysis: Analysis) -> str:
    row = analysis.amplifier
    if row is None:
        return ""
    return f"; {row.name} = {row.operation}(...) passes it on {_short(row.condition):g} times larger"


def _short(number: float | None) -> Any:
    if number is None or math.isnan(number):
        return None
    return float(f"{number:.1e}") if math.isfinite(number) else number


def _digits(error: float) -> int | None:
    """The decimal digits that are right, 0 to 16."""
    if math.isnan(error):
        return None
    if not math.isfinite(error):
        return 0
    return 16 if error == 0 else min(16, max(0, math.floor(-math.log10(error))))
