"""Whether f is one function: its values as floats, traced, on symbols and in many digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.comparison.problem import Problem
from diffkit.containers import flatten

__all__ = ["disagreement", "point_beside"]

_TOLERANCE = 1e-8
"""Relative difference of two values that is not asked about: less than a test for types would make."""

_ROUNDINGS = 64
"""How many times the rounding to be expected of f two values may differ by."""


def point_beside(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A second point: one where values that agree by chance at x agree no more."""
    signs = np.where(np.arange(len(x)) % 2, -1.0, 1.0)
    return np.where(x == 0, 0.7234e-3, x) * (1 + 0.7234e-3 * signs)


def disagreement(
    problem: Problem, x: np.ndarray[Any, Any], runs: Sequence[tuple[str, Callable[[], Any]]]
) -> str:
    """A sentence if f's values differ by more than rounding explains, else "".

    Args:
        problem: f.
        x: where.
        runs: what f is run on ("traced", "in 50 digits"), and how its value there is had.
    """
    values: list[tuple[str, np.ndarray[Any, Any]]] = [("on floats", problem(x))]
    for kind, run in runs:
        try:
            values.append((kind, _floats(run())))
        except Exception:  # the method that needs this run says why it fails
            continue
    first = values[0][1]
    if not np.all(np.isfinite(first)):
        return ""
    for _, value in values[1:]:
        if value.shape != first.shape or (
            _apart(first, value, _TOLERANCE) and _apart(first, value, _TOLERANCE, _rounding(problem, x))
        ):
            break
    else:
        return ""
    told = ", ".join(f"{_told(value)} {kind}" for kind, value in values)
    point = ", ".join(f"{n} = {v:.6g}" for n, v in zip(problem.inputs[:6], x, strict=False))
    return (
        f"{problem.name} is not one function: at {point} it is {told}. Each method differentiates the one "
        "that it runs, so no error is told. It may ask for the type of its input (type, isinstance), turn it "
        "into a plain float (float, format), or stop or branch where rounding decides"
    )


def _apart(a: Any, b: Any, relative: float, allowed: Any = 0.0) -> bool:
    with np.errstate(all="ignore"):
        scale = np.fmax(np.abs(a), np.abs(b))
        return bool(np.any(~(np.abs(a - b) <= relative * scale + allowed)))


def _rounding(problem: Problem, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How much the rounding of x to floats moves f, output by output: what rounding inside f may do, too."""
    base = problem(x)
    moves = [np.abs(problem(x * (1 + k * np.finfo(float).eps)) - base) for k in (-2, -1, 1, 2)]
    return np.asarray(_ROUNDINGS * np.nanmax([*moves, np.spacing(np.abs(base))], axis=0))


def _floats(answer: Any) -> np.ndarray[Any, Any]:
    parts = [np.ravel(np.asarray(leaf, dtype=float)) for leaf in flatten(answer)[0]]
    return np.concatenate(parts)


def _told(value: np.ndarray[Any, Any]) -> str:
    if len(value) == 1:
        return f"{value[0]:.6g}"
    return f"({', '.join(f'{v:.6g}' for v in value[:4])}{', ...' * (len(value) > 4)})"
