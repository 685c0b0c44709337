"""Both sweeps over arrays that are written to place by place.

An array that is written to element by element is a row for each element, and each of those rows has an
adjoint: that of the row after it, but for a zero where that wrote. :func:`pull_back_places` hands the same
numbers on from row to row, and changes them in place; :func:`push_forward_places` does it downward. So a
loop over n elements takes n steps in a sweep as well, and not n^2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.fit import fit
from diffkit.autodiff.core.scatter import Accumulator, Scatter
from diffkit.autodiff.recording.memory import copy_of
from diffkit.autodiff.recording.places import last_to_write
from diffkit.autodiff.recording.tracer import Array, InPlace, Node, Recording, is_deferred


def _of_its_own(derivative: Any, like: Any) -> Accumulator:
    """An adjoint or tangent, in an array that nobody else has."""
    if type(derivative) is Accumulator:
        return derivative
    if derivative is None:
        return Accumulator(np.zeros(like.shape, like.dtype))
    if type(derivative) is Scatter:
        return Accumulator(derivative.dense())
    return Accumulator(copy_of(derivative))


def _copy(part: Any) -> Any:
    return copy_of(part) if type(part) is Array or type(part) is np.ndarray else part


def pull_back_places(adjoints: list[Any], row: Node, recording: Recording, g: Any) -> None:
    """What a row that reads or writes places of an array gives to its arguments, added to their adjoints.

    The row's own adjoint is used up: its numbers become those of the array that was written to.
    """
    whole = row.args[0]
    of_whole = type(whole) is Node and whole.recording is recording
    if type(row.fun) is not InPlace:
        if of_whole:
            g = g.dense() if type(g) in (Scatter, Accumulator) else g
            _add_to(adjoints, whole, Scatter(g, row.args[1], whole.form))
        return
    _, value, index = row.args
    adjoint = _of_its_own(g, row.form)
    if type(value) is Node and value.recording is recording:
        there = _copy(adjoint.array[index])
        stays = last_to_write(index, row.form.shape)
        if stays is not True:
            there = np.where(stays, there, np.zeros_like(there))
        _add_to(adjoints, value, fit(there, value.value))
    adjoints[row.index] = None
    if of_whole:
        adjoint.array[index] = 0.0
        _add_to(adjoints, whole, adjoint)


def _add_to(adjoints: list[Any], row: Node, contribution: Any) -> None:
    before = adjoints[row.index]
    adjoints[row.index] = contribution if before is None else contribution + before


def push_forward_places(row: Node, recording: Recording, swept: list[Any]) -> Any:
    """The tangent of a row that reads or writes places of an array; None if it has none.

    A row that is superseded before anybody needed all of it leaves its tangent to the next.
    """
    whole = row.args[0]
    of_whole = type(whole) is Node and whole.recording is recording
    t = swept[whole.index] if of_whole else None
    if type(row.fun) is not InPlace:
        array: Any = t.array if type(t) is Accumulator else t
        return None if t is None else _copy(array[row.args[1]])
    _, value, index = row.args
    of_value = swept[value.index] if type(value) is Node and value.recording is recording else None
    if t is None and of_value is None:
        return None
    tangent = _of_its_own(t, row.form)
    tangent.to_be_given(of_value)
    tangent.array[index] = 0.0 if of_value is None else of_value
    if type(t) is Accumulator:
        swept[whole.index] = None
    return tangent if is_deferred(row) else tangent.array
