"""The source of a trace with line numbers, and its values in a table beside it.

>>> from diffkit.autodiff.views import trace
>>> listing = source_listing(trace(lambda x, y: (x + y) * x)(2.0, 3.0))
>>> print(listing.text)
1  def f(x, y):
2      \"\"\"What <lambda> computes, as traced at x = 2, y = 3.\"\"\"
3      v1 = x + y
4      v2 = v1 * x
5      return v2
>>> print(listing.table)
line  name  value
─────────────────
   –  x     2
   –  y     3
   3  v1    5
   4  v2    10
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diffkit.autodiff.code.source import Source, trace_source
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.notation.row_texts import type_text, value_text
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.tables import Table


@dataclass(frozen=True, slots=True)
class Listing:
    """A program as text, and what its lines computed.

    Attributes:
        source: the program as it can be run.
        text: the program with line numbers.
        table: line, name and value of each row: at the inputs that were traced.
    """

    source: Source
    text: str
    table: Table

    @property
    def beside(self) -> str:
        """The program with line numbers, and beside each line the value that it computed.

        >>> from diffkit.autodiff.views import trace
        >>> print(source_listing(trace(lambda x, y: (x + y) * x)(2.0, 3.0)).beside)
        1  def f(x, y):
        2      \"\"\"What <lambda> computes, as traced at x = 2, y = 3.\"\"\"
        3      v1 = x + y  │ 5
        4      v2 = v1 * x │ 10
        5      return v2
        """
        values = {record["line"]: record["value"] for record in self.table.records()}
        lines = self.text.splitlines()
        width = max((len(lines[k - 1]) for k in values if k), default=0)
        return "\n".join(
            f"{line:<{width}} │ {values[k]}" if k in values else line for k, line in enumerate(lines, start=1)
        )


def source_listing(t: WengertList, passes: Sequence[str] = (), name: str | None = None) -> Listing:
    """The source of a trace after some passes, with line numbers and the table of its values.

    Args:
        t: the trace; of an adjoint program, value and gradient are listed.
        passes: names of passes, applied in this order.
        name: what to call the function.

    Raises:
        InputError: for a pass that does not exist.
    """
    source = trace_source(t, name, passes)
    lines = source.splitlines()
    width = len(str(len(lines)))
    text = "\n".join(f"{k:>{width}}  {line}".rstrip() for k, line in enumerate(lines, start=1))
    rows: list[list[Any]] = []
    for row in source.program.rows:
        if row.fun is INPUT:
            if row in source.program.inputs:
                rows.append([None, row.name, _text(row.value)])
        elif id(row) in source.lines:
            line, called = source.lines[id(row)]
            rows.append([line, called, _text(row.value)])
    return Listing(source, text, Table(["line", "name", "value"], rows))


def _text(value: object) -> str:
    return value_text(value) or type_text(value)
