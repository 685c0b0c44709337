"""Expression swell beside the length of a trace: what a formula costs, and what a program does.

>>> table = growth("logistic_map", 5, measures=["tree", "forward"])
>>> table["trace"]  # the input, and three operations for each turn of the loop
[1, 4, 7, 10, 13]
>>> table["forward tree"][-1]
481
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit import programs
from diffkit.autodiff.views import Trace, trace
from diffkit.errors import InputError
from diffkit.symbolic.swell.families import FAMILIES, Family, iterated
from diffkit.symbolic.swell.growth import MEASURES, swell
from diffkit.tables import Table
from diffkit.time_limit import BudgetError, within


def _sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


def _repeat(step: Callable[[Any], Any], x: Any, times: int) -> Any:
    for _ in range(times):
        x = step(x)
    return x


def _network(x1: Any, x2: Any, w11: Any, w12: Any, w21: Any, w22: Any, *, layers: int) -> Any:
    for _ in range(layers):
        x1, x2 = _sigmoid(w11 * x1 + w12 * x2), _sigmoid(w21 * x1 + w22 * x2)
    return x1 + x2


# Each family as a program: for n, a function and the point to trace it at.
_Program = Callable[[int], tuple[Callable[..., Any], tuple[Any, ...]]]
_PROGRAMS: dict[str, _Program] = {
    "logistic map": lambda n: (programs.logistic_map.with_(length=n), (0.2,)),
    "soft ReLU": lambda n: (programs.soft_relu.with_(depth=n - 1), (0.5, 2.0, -1.0)),
    "sigmoid chain": lambda n: (lambda x, w: _repeat(lambda y: _sigmoid(w * y), x, n - 1), (0.5, 2.0)),
    "f sin f": lambda n: (lambda x: _repeat(lambda f: f * np.sin(f), x, n - 1), (0.5,)),
    "product": lambda n: (lambda *xs: _product(xs), (0.5,) * n),
    "sigmoid network": lambda n: (
        lambda *xs: _network(*xs, layers=n),
        (0.5, -0.5, 1.0, 2.0, -1.0, 0.25),
    ),
    "Helmholtz energy": lambda n: (programs.helmholtz, (np.full(n, 0.5 / n),)),
}


def _product(xs: Sequence[Any]) -> Any:
    result = xs[0]
    for x in xs[1:]:
        result = result * x
    return result


def growth(
    family: str | Callable[[Any], Any],
    n: int | Sequence[int],
    *,
    every: int = 1,
    measures: Sequence[str] | None = None,
    seconds: float = 5.0,
    limit: float = 3600.0,
    progress: Callable[[int], None] | None = None,
) -> Table:
    """The table of expression swell, with the lengths of the trace and of its adjoint program.

    Args:
        family: a family's name (case, spaces and underscores do not matter), or a function of one
            variable, which is iterated from x: x, f(x), f(f(x)), ...
        n: rows 1 to n, or the rows themselves.
        every: of rows 1 to n, take only every so many (and the first).
        measures, seconds: as in :func:`diffkit.symbolic.swell`. Beyond n = 100 only the measures over
            the shared graph are taken by default, since SymPy's own give up long before.
        limit: seconds for all rows together; those that come later are left out, and a note says so.
        progress: called with each n before its row is computed.

    Returns:
        A table; the column ``trace`` is its number of rows, ``adjoint program`` that of the rows of
        the value and the gradient together.

    Raises:
        InputError: for an unknown family, a function of several variables, or one that has no expression.

    >>> growth(lambda x: x * x, 3, measures=["forward"])["trace"]
    [1, 2, 3]
    """
    program: _Program | None
    if callable(family):
        kind, program = _own(family)
    else:
        name = _family_name(family)
        kind, program = FAMILIES[name], _PROGRAMS.get(name)
    rows = [k for k in range(1, n + 1) if k == 1 or k % every == 0] if isinstance(n, int) else list(n)
    if measures is None and max(rows) > 100:
        measures = ["tree", "forward", "reverse"]
    columns: dict[str, Callable[[int, Any, list[Any]], Any]] = {}
    if program is not None:
        traces: dict[int, Trace] = {}

        def trace_of(k: int) -> Trace:
            if k not in traces:
                traces.clear()
                f, args = program(k)
                with np.errstate(all="ignore"):  # how long a program is does not hang on its values
                    traces[k] = trace(f)(*args)
            return traces[k]

        columns["trace"] = lambda k, expression, variables: len(trace_of(k))
        columns["adjoint program"] = lambda k, expression, variables: _adjoint_rows(trace_of(k))
    return _row_by_row(kind, rows, measures, seconds, columns, limit, progress or (lambda k: None))


def _row_by_row(
    kind: Family,
    rows: Sequence[int],
    measures: Sequence[str] | None,
    seconds: float,
    columns: dict[str, Callable[[int, Any, list[Any]], Any]],
    limit: float,
    progress: Callable[[int], None],
) -> Table:
    """The rows one after the other, until the time is over; a measure that gave up is not tried again."""
    end = time.monotonic() + limit
    left, tables, notes = measures, list[Table](), list[str]()
    for k in rows:
        progress(k)
        try:
            table = within(
                max(end - time.monotonic(), 1e-3),
                lambda k=k, left=left: swell(
                    kind, [k], measures=left, seconds=seconds, extra_columns=columns
                ),  # type: ignore[misc]
                "the table",
            )
        except BudgetError:
            if not tables:
                raise
            notes.append(f"rows from n = {k:,} on are left out: all together took longer than {limit:g} s")
            break
        tables.append(table)
        notes += table.notes
        if table.notes:  # what a measure fills is a dash from here on
            chosen = list(MEASURES) if left is None else list(left)
            left = [m for m in chosen if any(table[title][0] is not None for title in MEASURES[m][1])]
    titles = tables[0].columns
    cells = [[r.get(title) for title in titles] for t in tables for r in t.records()]
    return Table(titles, cells, caption=tables[0].caption, notes=list(dict.fromkeys(notes)))


def _own(
    f: Callable[[Any], Any],
) -> tuple[Family, Callable[[int], tuple[Callable[..., Any], tuple[Any, ...]]]]:
    """A function of one variable as a family: its iterates from x."""
    name = getattr(f, "__name__", "f")
    try:
        parameters = [p for p in inspect.signature(f).parameters.values() if p.default is p.empty]
    except (TypeError, ValueError):  # a function of C
        parameters = []
    if len(parameters) > 1:
        raise InputError(
            f"{name} takes {len(parameters)} inputs ({', '.join(p.name for p in parameters)}); what is "
            "iterated is a function of one variable"
        )
    family = iterated(f)
    return replace(family, summary=f"x, {name}(x), {name}({name}(x)), ..."), lambda n: (
        lambda x: _repeat(f, x, n - 1),
        (0.5,),
    )


def _adjoint_rows(t: Trace) -> int:
    with np.errstate(all="ignore"):
        return len(t.adjoint())


def _family_name(family: str) -> str:
    def key(name: str) -> str:
        return name.casefold().replace("_", " ").replace(",", "")

    for name in FAMILIES:
        if key(name) == key(family):
            return name
    near = [name for name in FAMILIES if key(name).startswith(key(family).split(" ")[0])]
    if len(near) == 1:
        return near[0]
    raise InputError(
        f"there is no family {family!r}; there are {', '.join(key(n).replace(' ', '_') for n in FAMILIES)}"
    )
