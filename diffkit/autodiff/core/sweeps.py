"""The two sweeps: tangents down a trace, adjoints up it.

The rows stand in the order in which they were computed, so each comes after all that it uses: nothing is
sorted, and nothing recurses. A sweep keeps its results in a list, by row. The rules that it applies are
made of operators and NumPy calls, so a sweep whose values are nodes of an outer trace is itself recorded:
that is how the adjoint program comes about, and every higher derivative.

These are the sweeps as they are meant. :mod:`~diffkit.autodiff.core.quick` has them written out for the
rows that scalar programs consist of; it gives the same bits in about half the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diffkit.autodiff.core.rows import add, pulled_back, pushed_forward
from diffkit.autodiff.core.scatter import dense
from diffkit.autodiff.recording.tracer import INPUT, Node, Recording

Observer = Callable[[int, int, int, Any, Any], None]
"""Called for each contribution, in order, as ``observe(row, k, parent, contribution, total)``: row ``row``
gives the contribution to its argument k, the row ``parent``, whose adjoint is ``total`` with it added."""


def reverse_sweep(
    rows: Sequence[Node],
    recording: Recording,
    cotangents: Mapping[int, Any],
    observe: Observer | None = None,
) -> list[Any]:
    """The adjoint of every row, given those of some: one pass up from the last row.

    A row whose adjoint is g gives to each of its arguments the contribution vjp(g), and the
    contributions to one row add up. When the sweep reaches a row, all the rows that use it have been
    passed, so its adjoint is complete.

    Args:
        rows: the rows of a closed recording.
        recording: that recording, by which a row's arguments are told from constants.
        cotangents: the seeds, by row.
        observe: called for each contribution.

    Returns:
        The adjoints by row; None where no seed depends on the row.
    """
    adjoints: list[Any] = [cotangents.get(row.index) for row in rows]
    for row in reversed(rows):
        g = adjoints[row.index] = dense(adjoints[row.index])
        if g is not None:
            for k, parent, contribution in pulled_back(row, recording, g):
                total = adjoints[parent] = add(adjoints[parent], contribution)
                if observe is not None:
                    observe(row.index, k, parent, contribution, total)
    return adjoints


def forward_sweep(rows: Sequence[Node], recording: Recording, tangents: Mapping[int, Any]) -> list[Any]:
    """The tangent of every row, given those of the inputs: one pass down from the first row.

    Args:
        rows: the rows of a closed recording.
        recording: that recording, by which a row's arguments are told from constants.
        tangents: the directions, by input row.

    Returns:
        The tangents by row; None where the row does not depend on an input with a tangent.
    """
    swept: list[Any] = [tangents.get(row.index) for row in rows]
    for row in rows:
        if row.fun is not INPUT:
            swept[row.index] = pushed_forward(row, recording, swept)
    return swept
