"""Names for the rows of a trace: the user's own variables where the program names a value.

An input has its parameter's name. A row whose answer was given to a variable has the variable's
name, numbered where the variable was given several values, as in a loop (``l``, ``l_2``, ``l_3``).
All others are v1, v2, ... by their place among the operations. Adjoints are called after the value
that they belong to: ``x1_bar``.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from diffkit.autodiff.sites import assigned_name, belongs_to_diffkit
from diffkit.autodiff.tracer import INPUT, Node

if TYPE_CHECKING:
    from diffkit.autodiff.adjoint import AdjointTrace
    from diffkit.autodiff.trace import Trace

__all__ = ["name_rows"]


def name_rows(t: Trace) -> list[str]:
    """A name for every row of a trace, all different.

    >>> from diffkit.autodiff.trace import trace
    >>> def f(x):
    ...     y = x * x
    ...     for _ in range(2):
    ...         y = y + 1.0
    ...     return 2.0 * y
    >>> trace(f)(3.0).names
    ['x', 'y', 'y_2', 'y_3', 'v4']
    """
    from diffkit.autodiff.adjoint import AdjointTrace

    wanted = _adjoint_names(t) if isinstance(t, AdjointTrace) else map(_primal_name, t.nodes)
    taken: dict[str, int] = {}  # each name, and the last number that was put behind it
    operations = itertools.count(1)
    names = []
    for row, name in zip(t.nodes, wanted, strict=True):
        number = next(operations) if row.fun is not INPUT else 0
        names.append(_unused(name or f"v{number}", taken))
    return names


def _primal_name(row: Node) -> str | None:
    if row.fun is INPUT:
        return str(row.args[0])
    return None if belongs_to_diffkit(row.code) else assigned_name(row.code, row.at)


def _unused(name: str, taken: dict[str, int]) -> str:
    found = name
    while found in taken:
        taken[name] += 1
        found = f"{name}_{taken[name]}"
    taken[found] = 1
    return found


def _adjoint_names(t: AdjointTrace) -> list[str]:
    primal = t.primal.names
    names: list[str] = []
    complete: dict[int, int] = {}  # the rows that are a complete adjoint, and of what
    for index, adjoint in enumerate(t.adjoint_rows):
        if t.owns(adjoint):
            complete.setdefault(adjoint.index, index)
    for row, role in zip(t.nodes, t.roles, strict=True):
        if row.fun is INPUT:
            names.append(str(row.args[0]))
        elif role.kind == "primal":
            names.append(primal[role.primal])
        elif row.index in complete:
            names.append(f"{primal[complete[row.index]]}_bar")
        else:
            names.append(f"{primal[role.primal]}_bar_part")
    return names
