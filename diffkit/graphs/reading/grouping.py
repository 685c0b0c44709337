"""Which rows belong together: those of one function call, or of one iteration of a loop.

A row keeps the code object and the instruction that made it. From these alone it can be told which
rows one call of a function made (a run of rows of its code, going forward), and which iteration of a
loop (a new one begins where the instructions jump back within the loop).
"""

from __future__ import annotations

import dis
import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import CodeType

from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.recording.tracer import Node as Row
from diffkit.autodiff.views import Trace
from diffkit.errors import InputError
from diffkit.graphs.model import Graph
from diffkit.sites import belongs_to_diffkit

GROUPINGS = ("call", "iteration")


@functools.lru_cache(maxsize=256)
def _loops(code: CodeType) -> tuple[tuple[int, int], ...]:
    """The instruction ranges of a code object's loops, the widest first."""
    ends: dict[int, int] = {}
    for instruction in dis.get_instructions(code):
        if "JUMP_BACKWARD" in instruction.opname:
            start = instruction.argval
            ends[start] = max(ends.get(start, 0), instruction.offset)
    return tuple(sorted(ends.items(), key=lambda range_: range_[0] - range_[1]))


@functools.lru_cache(maxsize=256)
def _calls(code: CodeType) -> tuple[int, ...]:
    """The offsets of a code object's calls."""
    return tuple(i.offset for i in dis.get_instructions(code) if i.opname.startswith("CALL"))


def _outermost_loop(row: Row) -> tuple[int, int] | None:
    return next(((a, b) for a, b in _loops(row.code) if a <= row.at <= b), None)


def row_groups(t: Trace, by: str) -> list[str]:
    """A group's name for every row, "" for rows in none.

    Args:
        t: the trace.
        by: "call" or "iteration".

    >>> from diffkit.autodiff.views import trace
    >>> def f(x):
    ...     for _ in range(2):
    ...         x = 4.0 * x * (1.0 - x)
    ...     return x
    >>> row_groups(trace(f)(0.2), "iteration")
    ['', 'iteration 1', 'iteration 1', 'iteration 1', 'iteration 2', 'iteration 2', 'iteration 2']
    """
    if by == "call":
        return _by_call(t)
    if by == "iteration":
        return _by_iteration(t)
    raise InputError(f'rows are grouped by "call" or "iteration", not {by!r}')


def _by_call(t: Trace) -> list[str]:
    names = [""] * len(t.nodes)
    counts: Counter[str] = Counter()
    current, previous = "", None
    for row in t.nodes:
        if row.fun is INPUT or belongs_to_diffkit(row.code) or row.code.co_name == t.name:
            previous = None if row.fun is not INPUT else previous
            continue
        if previous is None or previous.code is not row.code or not _same_call(previous, row):
            counts[row.code.co_name] += 1
            current = f"{row.code.co_name} {counts[row.code.co_name]}"
        names[row.index] = current
        previous = row
    return [n.removesuffix(" 1") if counts[n.rpartition(" ")[0]] == 1 else n for n in names]


def _same_call(a: Row, b: Row) -> bool:
    """Whether two rows of the same code, one after the other, can come from the same call."""
    return b.at > a.at or any(start <= b.at and a.at <= end for start, end in _loops(a.code))


def _by_iteration(t: Trace) -> list[str]:
    numbers: list[int | None] = [None] * len(t.nodes)
    inside: Row | None = None  # the last row that stood in a loop, if it has not been left
    loop: tuple[int, int] = (0, 0)
    number = 0
    called: list[Row] = []  # rows since then that other functions made, on the loop's behalf or not
    for row in t.nodes:
        if row.fun is INPUT:
            continue
        here = _outermost_loop(row)
        if here is None and (inside is None or row.code is not inside.code):
            called.append(row)
            continue
        if inside is not None and row.code is not inside.code:
            called.append(row)
            continue
        if inside is not None and here != loop:  # the loop was left
            _give(numbers, called, number, inside.code, inside.at, loop[1])
            inside = None
        if here is None:
            called = []
            continue
        if inside is None:
            number += 1
            others = [r for r in called if r.code is not row.code]
            _give(numbers, others[len(others) - _trailing(called, row) :], number, row.code, here[0], row.at)
        elif row.at > inside.at:
            _give(numbers, called, number, row.code, inside.at, row.at)
        else:  # a jump back: what was called since belongs before it, or after
            if not _give(numbers, called, number, row.code, inside.at, here[1]):
                _give(numbers, called, number + 1, row.code, here[0], row.at)
            number += 1
        numbers[row.index] = number
        inside, loop, called = row, here, []
    if inside is not None:
        _give(numbers, called, number, inside.code, inside.at, loop[1])
    return ["" if n is None else f"iteration {n}" for n in numbers]


def _trailing(called: list[Row], row: Row) -> int:
    """How many rows at the end of a list another code made than that of ``row``."""
    return len(list(itertools.takewhile(lambda r: r.code is not row.code, reversed(called))))


def _give(
    numbers: list[int | None], rows: list[Row], number: int, code: CodeType, start: int, stop: int
) -> bool:
    """Gives rows to an iteration, if the code calls something between two instructions."""
    if any(start <= c <= stop for c in _calls(code)):
        for row in rows:
            numbers[row.index] = number
        return True
    return not rows


def group_rows(graph: Graph, t: Trace, by: str) -> Graph:
    """The graph with its nodes assigned to groups; those of the adjoint program go with their rows."""
    names = row_groups(t, by)
    return with_groups(graph, names)


def with_groups(graph: Graph, names: Sequence[str]) -> Graph:
    """The graph with its nodes assigned to groups, given a group's name for every row."""
    nodes = tuple(replace(n, group=names[n.row] if n.row >= 0 else "") for n in graph.nodes)
    return replace(graph, nodes=nodes, groups={name: name for name in names if name})
