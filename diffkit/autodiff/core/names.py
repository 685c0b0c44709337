"""Names for the rows of a trace: the user's own variables where the program names a value.

An input has its parameter's name. A row whose answer was given to a variable has the variable's
name, numbered where the variable was given several values, as in a loop (``l``, ``l_2``, ``l_3``).
All others are v1, v2, ... by their place among the operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from diffkit.autodiff.recording.tracer import INPUT, InPlace, Node
from diffkit.sites import assigned_name, belongs_to_diffkit


def name_rows(rows: Sequence[Node], counted: Iterable[str] = ()) -> list[str]:
    """A name for every row of a trace, all different.

    Args:
        rows: the rows.
        counted: variables whose first value is an input, so that their rows are numbered from 2.

    >>> import diffkit as dk
    >>> def f(x):
    ...     y = x * x
    ...     for _ in range(2):
    ...         y = y + 1.0
    ...     return 2.0 * y
    >>> dk.trace(f)(3.0).names
    ['x', 'y', 'y_2', 'y_3', 'v4']
    """
    return distinct(rows, map(_users_name, rows), counted)


def distinct(rows: Sequence[Node], wanted: Iterable[str | None], counted: Iterable[str] = ()) -> list[str]:
    """The names that are wanted for rows, numbered where one is taken; v1, v2, ... where none is wanted."""
    taken: dict[str, int] = dict.fromkeys(counted, 1)
    operations = itertools.count(1)
    names: list[str] = []
    for row, name in zip(rows, wanted, strict=True):
        number = next(operations) if row.fun is not INPUT else 0
        names.append(unused(name or f"v{number}", taken))
    return names


def unused(name: str, taken: dict[str, int]) -> str:
    """The name with a number behind it where it is taken already; it is taken from then on.

    Args:
        name: the name.
        taken: each name, and the last number that was put behind it.
    """
    numbered = name
    while numbered in taken:
        taken[name] += 1
        numbered = f"{name}_{taken[name]}"
    taken[numbered] = 1
    return numbered


def _users_name(row: Node) -> str | None:
    if row.fun is INPUT:
        return str(row.args[0])
    if type(row.fun) is InPlace and type(row.args[0]) is Node:
        return _users_name(row.args[0])  # it is what that has become
    return None if belongs_to_diffkit(row.code) else assigned_name(row.code, row.at)
