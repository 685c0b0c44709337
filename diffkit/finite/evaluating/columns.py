"""The columns of a Jacobian: difference formulas run for each coordinate, and the errors to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.finite.evaluating.function import Function, Move
from diffkit.finite.formula import difference
from diffkit.finite.stencils import Stencil


@dataclass
class Columns:
    """Derivatives by each coordinate, with what belongs to them; each (coordinates, outputs).

    Attributes:
        values: the derivatives.
        errors: the size of error to expect; nan where nothing was measured.
        steps: the step that each was computed with.
    """

    values: np.ndarray[Any, Any]
    errors: np.ndarray[Any, Any]
    steps: np.ndarray[Any, Any]

    @property
    def unlike(self) -> bool:
        """Whether outputs have been computed with steps of their own."""
        return bool((self.steps != self.steps[:, :1]).any())

    def improve(self, better: np.ndarray[Any, Any], other: Columns) -> None:
        """Takes over some entries of others."""
        self.values = np.where(better, other.values, self.values)
        self.errors = np.where(better, other.errors, self.errors)
        self.steps = np.where(better, other.steps, self.steps)


def differences(
    function: Function,
    formulas: Sequence[Stencil],
    steps: np.ndarray[Any, Any],
    *,
    coordinates: Sequence[int] | None = None,
    at_x: np.ndarray[Any, Any] | None = None,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """d^n f / dx_i^n by each coordinate's formula and step, as (coordinates, outputs).

    And |f| at the formula's points, the largest, shaped the same: its values are rounded in proportion.

    Args:
        function: f at its point.
        formulas, steps: for each coordinate of x.
        coordinates: which of them are wanted; all by default.
        at_x: f(x), if it is known. The points may lie outside f's domain then: nan.
    """
    flat = function.argument.flat
    coordinates = range(len(steps)) if coordinates is None else coordinates
    groups: dict[Stencil, list[int]] = {}
    for row, i in enumerate(coordinates):
        groups.setdefault(formulas[i], []).append(row)
    moves: list[Move] = [None] if at_x is None and any(0.0 in each.points for each in groups) else []
    start = len(moves)
    chosen = np.asarray(coordinates)
    for formula, rows in groups.items():
        offsets = np.array([k for k in formula.points if k], dtype=steps.dtype)
        points = flat[chosen[rows], None] + offsets * steps[chosen[rows], None]
        moves += [(int(chosen[r]), value) for r, p in zip(rows, points.tolist(), strict=True) for value in p]
    if at_x is None:
        values = function(moves)
        at_x = values[0]
    else:
        values = function.attempt(moves)
    columns = np.empty((len(chosen), values.shape[1]), dtype=np.result_type(values, at_x))
    sizes = np.empty(columns.shape)
    for formula, rows in groups.items():
        beside = len(formula.points) - (0.0 in formula.points)
        block = values[start : start + beside * len(rows)].reshape(len(rows), beside, -1)
        start += beside * len(rows)
        near = iter(range(beside))
        y = {k: block[:, next(near)] if k else at_x for k in formula.points}
        columns[rows] = difference(formula, y, steps[chosen[rows], None].astype(values.real.dtype))
        sizes[rows] = np.abs(block).max(axis=1)
    return columns, sizes
