"""How each row of a straight-line program treats errors: what it makes, receives and passes on.

Beside each float v of a trace stands V, what the row would be if nothing had been rounded. Its error
v - V has two parts: what the row *made*, v less its operation performed without rounding on the floats
that it was given; and what it *received*, the same operation on those floats less that on the exact
ones. How much larger a relative error leaves a row than it came is its *condition number*: for a
difference of nearly equal numbers, their size over the size of the difference.

Which row loses the digits of the result is found in two ways, which must agree:

- by experiment: the program is run once more for each row, with that row's own rounding left out and all
  other rounding kept; how far the result moves is what the row's rounding does to it;
- to first order: one reverse sweep gives the adjoint of each row, and the result moves by the adjoint
  times what the row made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.views import Trace
from diffkit.comparison.one_function import one_output
from diffkit.precise import Arithmetic, Precise, arithmetic, lift, precise

_DIGITS = 60
_NUDGE = 1e-25
"""The relative change of an argument by which a condition number is measured, in numbers of 60 digits."""

_LINEAR = frozenset(
    "sum mean dot matmul inner vdot trace cumsum tensordot einsum convolve outer kron".split()
)
"""Rows that add up products: their condition number is the same sum of absolute values over its size."""

_SECONDS = 5.0


@dataclass
class RowAccuracy:
    """What one row does to errors. All errors are relative to the size of the exact value.

    Attributes:
        index: the row's number in its trace.
        name: its name there.
        operation: the function that it calls; "input" for an argument.
        site: the user's line.
        value: its float, or the float of largest error in an array.
        exact: what it would be without any rounding.
        error: the error of the value.
        made: the part that this row's rounding made.
        received: the part that came with its arguments.
        condition: how many times larger a relative error of the arguments leaves the row.
        edges: the same for each argument that is a row, by the row's number.
        effect: how far the result moves, relative to it, if this row alone is not rounded; None where that
            was not tried.
        first_order: the same by the row's adjoint.
    """

    index: int
    name: str
    operation: str
    site: str
    value: float
    exact: float
    error: float
    made: float
    received: float
    condition: float
    edges: dict[int, float]
    effect: float | None = None
    first_order: float = math.nan


@dataclass
class Analysis:
    """The rows of a program, and what its result is.

    Attributes:
        trace: the program.
        output: which of its numbers is the result.
        rows: what each row does, in order.
        error: the relative error of the result, rounding alone: the same path in many digits is exact.
    """

    trace: Trace
    output: int
    rows: list[RowAccuracy]
    error: float

    @property
    def named(self) -> RowAccuracy | None:
        """The row whose rounding costs the result the most; None where all of them are harmless."""
        tried = [r for r in self.rows if r.effect is not None]
        worst = max(tried, key=lambda r: r.effect or 0.0, default=None)
        return worst if worst is not None and (worst.effect or 0.0) > _HARMLESS else None

    @property
    def named_to_first_order(self) -> RowAccuracy | None:
        """The row that the adjoints name, by one sweep instead of a run for each row."""
        told = [r for r in self.rows if math.isfinite(r.first_order)]
        worst = max(told, key=lambda r: r.first_order, default=None)
        return worst if worst is not None and worst.first_order > _HARMLESS else None

    @property
    def amplifier(self) -> RowAccuracy | None:
        """The row with the largest condition number on the way from the named row to the result."""
        source = self.named
        if source is None:
            return None
        after = {source.index}
        for row in self.trace.nodes:
            if any(p.index in after for p in row.parents):
                after.add(row.index)
        on_the_way = [r for r in self.rows if r.index in after and r.index != source.index]
        worst = max(on_the_way, key=lambda r: r.condition, default=None)
        return worst if worst is not None and worst.condition > _AMPLIFIES else None


_HARMLESS = 1e-13
"""Relative: a few hundred roundings; less than this is no loss of digits."""

_AMPLIFIES = 30.0


def analysed(t: Trace, output: int = 0, seconds: float = _SECONDS) -> Analysis:
    """Takes the error of one number of a trace apart, row by row.

    Args:
        t: the trace, of a program or of its adjoint program.
        output: which of the numbers that it returns.
        seconds: how long rows may be tried one by one; the others have their first-order effect only.

    >>> from diffkit.autodiff.views import trace
    >>> analysis = analysed(trace(lambda x: (1 - np.cos(x)) / x**2)(1e-8))
    >>> analysis.named.operation, analysis.amplifier.operation, analysis.error
    ('cos', 'subtract', 1.0)
    """
    with np.errstate(all="ignore"):
        return _analysed(t, output, seconds)


def _analysed(t: Trace, output: int, seconds: float) -> Analysis:
    home = arithmetic(_DIGITS, False, True)
    floats: list[Any] = [lift(plain(row.value), home) for row in t.nodes]
    exact: list[Any] = []
    own: list[Any] = []  # what each row made: its float less its operation on the floats it was given
    rows = []
    for row in t.nodes:
        if not row.args or row.fun.name == "input":
            exact.append(floats[row.index])
            own.append(None)
            rows.append(_row(t, row, floats[row.index], floats[row.index], floats[row.index], {}))
            continue
        exact.append(_performed(t, row, exact))
        on_floats = _performed(t, row, floats)
        own.append(_minus(floats[row.index], on_floats))
        edges = _conditions(t, row, exact, home)
        rows.append(_row(t, row, floats[row.index], exact[-1], on_floats, edges))
    place, at = _place(t, output)
    truth = abs(_number(exact[place], at))
    total = _relative(_number(floats[place], at) - _number(exact[place], at), truth)
    _to_first_order(t, output, own, rows, truth)
    _one_by_one(t, place, at, floats, own, rows, truth, seconds)
    return Analysis(t, output, rows, total)


# -- rows in many digits ----------------------------------------------------------------------------


def _performed(t: Trace, row: Any, values: list[Any]) -> Any:
    """A row's operation without rounding, on the values of other rows."""
    args = [values[a.index] if t.owns(a) else a for a in row.args]
    return row.fun(*args, **row.kwargs)


def _minus(a: Any, b: Any) -> Any:
    if isinstance(a, tuple | list):
        return [_minus(x, y) for x, y in zip(a, b, strict=True)]
    return a - b


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, tuple | list):
        return type(a)(_plus(x, y) for x, y in zip(a, b, strict=True))
    return a + b


def _flat(value: Any) -> list[Any]:
    """The numbers of a row's value."""
    if isinstance(value, tuple | list):
        return [x for part in value for x in _flat(part)]
    return list(np.ravel(np.asarray(value, dtype=object)))


def _float(number: Any) -> float:
    return number._nearest_float() if isinstance(number, Precise) else float(number)


def _relative(difference: Any, size: Any) -> float:
    """|difference| / size as a float; 0 for no difference, inf beside zero."""
    if not difference:
        return 0.0
    if not size:
        return math.inf
    return _float(abs(difference) / size)


def _row(
    t: Trace, row: Any, value: Any, exact: Any, on_floats: Any, edges: Mapping[int, float]
) -> RowAccuracy:
    values, truths, between = _flat(value), _flat(exact), _flat(on_floats)
    size = max((abs(v) for v in truths), default=0)
    errors = [_relative(v - w, size) for v, w in zip(values, truths, strict=True)]
    worst = max(range(len(errors)), key=lambda k: (errors[k] == errors[k], errors[k]), default=0)
    return RowAccuracy(
        index=row.index,
        name=t.names[row.index],
        operation=row.fun.name,
        site=row.site if row.args and row.fun.name != "input" else "",
        value=_float(values[worst]) if values else math.nan,
        exact=_float(truths[worst]) if truths else math.nan,
        error=max(errors, default=0.0),
        made=max((_relative(v - w, size) for v, w in zip(values, between, strict=True)), default=0.0),
        received=max((_relative(v - w, size) for v, w in zip(between, truths, strict=True)), default=0.0),
        condition=sum(edges.values()),
        edges=dict(edges),
    )


def _conditions(t: Trace, row: Any, exact: list[Any], home: Arithmetic) -> dict[int, float]:
    """The condition number of a row by each of its arguments that is a row."""
    found: dict[int, float] = {}
    value = _flat(exact[row.index])
    size = max((abs(v) for v in value), default=0)
    for k, a in enumerate(row.args):
        if not t.owns(a):
            continue
        args = [exact[b.index] if t.owns(b) else b for b in row.args]
        if row.fun.name in _LINEAR:
            moved = _flat(row.fun(*[_absolute(b) for b in args], **row.kwargs))
            factor = max((_relative(m, size) for m in moved), default=0.0)
        else:
            args[k] = _nudged(args[k], home)
            moved = _flat(row.fun(*args, **row.kwargs))
            moves = (_relative(m - v, abs(v) if v else size) for m, v in zip(moved, value, strict=True))
            factor = max(moves, default=0.0) / _NUDGE
        found[a.index] = found.get(a.index, 0.0) + factor
    return found


def _absolute(value: Any) -> Any:
    return abs(value) if isinstance(value, Precise | np.ndarray) else value


def _nudged(value: Any, home: Arithmetic) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_nudged(part, home) for part in value)
    return value * (1 + precise(home.mp.mpf(_NUDGE), home))


# -- which row costs the result its digits ----------------------------------------------------------


def _place(t: Trace, output: int) -> tuple[int, int]:
    """The row of a number among the outputs, and which of its elements it is."""
    for o in t.outputs:
        size = int(np.size(plain(o)))
        if output < size:
            return (o.index if t.owns(o) else -1), output
        output -= size
    raise IndexError(output)


def _number(value: Any, at: int) -> Any:
    return _flat(value)[at]


def _to_first_order(t: Trace, output: int, own: list[Any], rows: list[RowAccuracy], truth: Any) -> None:
    adjoints = t.adjoints(one_output(t, output))
    for row, adjoint, made in zip(rows, adjoints, own, strict=True):
        if made is None or adjoint is None:
            row.first_order = 0.0
            continue
        bars = np.ravel(np.asarray(plain(_dense(adjoint)), dtype=float))
        moved = math.fsum(float(b) * _float(m) for b, m in zip(bars, _flat(made), strict=False))
        row.first_order = abs(moved) / _float(truth) if truth else (math.inf if moved else 0.0)


def _dense(adjoint: Any) -> Any:
    return adjoint.dense() if hasattr(adjoint, "dense") else adjoint


def _one_by_one(
    t: Trace,
    place: int,
    at: int,
    floats: list[Any],
    own: list[Any],
    rows: list[RowAccuracy],
    truth: Any,
    seconds: float,
) -> None:
    """Runs the program once for each row that makes an error, that row's left out and the others' kept."""
    end = time.monotonic() + seconds
    order = sorted(
        (r for r in rows if own[r.index] is not None),
        key=lambda r: -r.first_order if math.isfinite(r.first_order) else -math.inf,
    )
    for row in order:
        if time.monotonic() > end:
            return
        if not any(_flat(own[row.index])):
            row.effect = 0.0
            continue
        new: dict[int, Any] = {row.index: _performed(t, t.nodes[row.index], floats)}
        for later in t.nodes[row.index + 1 :]:
            if any(p.index in new for p in later.parents):
                values = _Over(floats, new)
                new[later.index] = _plus(_performed(t, later, values), own[later.index])  # type: ignore[arg-type]
        moved = _number(new[place], at) - _number(floats[place], at) if place in new else 0
        row.effect = _relative(moved, truth)


class _Over:
    """Values of rows, some of them replaced."""

    def __init__(self, values: list[Any], new: dict[int, Any]) -> None:
        self._values, self._new = values, new

    def __getitem__(self, k: int) -> Any:
        return self._new[k] if k in self._new else self._values[k]
