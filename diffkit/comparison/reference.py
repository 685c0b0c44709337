"""The truth that the methods are measured against, computed without any derivative rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.comparison.problem import Problem
from diffkit.errors import DiffkitError

__all__ = ["REFERENCE_COLUMNS", "reference"]

REFERENCE_COLUMNS = 40
"""Of a program with more inputs than this, so many are drawn (seeded) and compared to fifty digits."""


_JUMP = 1e20
"""The reference's steps are so small that over a jump its differences are larger than this."""


def reference(problem: Problem, digits: int) -> tuple[np.ndarray[Any, Any], str, list[str]]:
    """The Jacobian to many digits, in all columns or a seeded sample of them; and how it came about.

    Where f has a kink or a jump there is no derivative to measure by: the entry is NaN, and a sentence of
    the third result says so.
    """
    from diffkit.precise import reference_derivative

    n = len(problem.x)
    columns = np.arange(n)
    if n > REFERENCE_COLUMNS:
        columns = np.sort(np.random.default_rng(0).choice(n, REFERENCE_COLUMNS, replace=False))
    table = np.full((len(problem.y), n), np.nan)
    sampled = f", at {len(columns)} of the {n:,} inputs" if len(columns) < n else ""
    try:
        exact = reference_derivative(problem.f, problem.args, coordinates=columns.tolist(), digits=digits)
        table[:, columns] = np.array(
            [[float(p) for p in row] for row in np.asarray(exact.partials, dtype=object)], dtype=float
        ).reshape(len(problem.y), len(columns))
    except DiffkitError:
        how = f"Richardson extrapolation{sampled}, as the program can't be run to {digits} digits"
        return _extrapolated_reference(problem, table, columns), how, []
    notes = []
    for kink in exact.kinks:
        table[kink.output, kink.coordinate] = np.nan
        what = f"from the left it is {kink.left:.6g}, from the right {kink.right:.6g}"
        if not max(abs(kink.left), abs(kink.right)) < _JUMP:
            what = "f jumps"
        where = f"{problem.inputs[kink.coordinate]} = {problem.x[kink.coordinate]:.6g}"
        output = f" of output {kink.output + 1}" if len(problem.y) > 1 else ""
        notes.append(f"no derivative{output} at {where}, so no error is told: {what}")
    return table, f"{digits} digits{sampled}", notes


def _extrapolated_reference(
    problem: Problem, table: np.ndarray[Any, Any], columns: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    from diffkit import finite

    for k in columns:

        def along(t: float, k: int = int(k)) -> np.ndarray[Any, Any]:
            shifted = problem.x.copy()
            shifted[k] = t
            return problem(shifted)

        table[:, k] = finite.derivative(along, float(problem.x[k]), form="richardson")
    return table
