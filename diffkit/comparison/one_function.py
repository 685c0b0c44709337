"""Whether f is one function: its values as floats, traced, on symbols and in many digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import plain
from diffkit.comparison.failures import Failed, attempt
from diffkit.comparison.problem import Problem
from diffkit.containers import flatten, map_leaves

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
    if not any(_differ(problem, x, first, value) for _, value in values[1:]):
        return ""
    told = ", ".join(f"{_told(value)} {kind}" for kind, value in values)
    point = ", ".join(f"{n} = {v:.6g}" for n, v in zip(problem.inputs[:6], x, strict=False))
    return (
        f"{problem.name} is not one function: at {point} it is {told}. Each method differentiates the one "
        "that it runs, so no error is told. It may ask for the type of its input (type, isinstance), turn it "
        "into a plain float (float, format), or stop or branch where rounding decides"
    )


def _differ(problem: Problem, x: np.ndarray[Any, Any], first: Any, value: Any) -> bool:
    """Whether two values of f at x differ by more than rounding explains."""
    if value.shape != first.shape:
        return True
    with np.errstate(all="ignore"):
        apart = np.abs(first - value)
        unlike = np.flatnonzero(~(apart <= _TOLERANCE * np.fmax(np.abs(first), np.abs(value))))
    return any(not apart[k] <= _ROUNDINGS * _rounding(problem, x, int(k)) for k in unlike[:8])


def _rounding(problem: Problem, x: np.ndarray[Any, Any], output: int) -> float:
    """What rounding moves an output by: that of x, and that of each row of its trace, to first order."""
    base = problem(x)[output]
    moves = [abs(problem(x * (1 + k * np.finfo(float).eps))[output] - base) for k in (-2, -1, 1, 2)]
    try:
        inside = rounding_of_rows(record(problem.f, problem.arguments(x), {}), output)
    except Exception:  # it has no trace
        inside = 0.0
    return float(np.nanmax([*moves, np.spacing(abs(base)), inside]))


def rounding_of_rows(t: WengertList, output: int) -> float:
    """The first-order bound of the rounding of a program: each row's |value| times |adjoint| times epsilon.

    >>> from diffkit.autodiff.views import trace
    >>> t = trace(lambda x: (1 - np.cos(x)) / x**2)(1e-8)
    >>> rounding_of_rows(t, 0) > 1  # of a value that is 0.5
    True
    """
    adjoints = t.adjoints(one_output(t, output))
    with np.errstate(all="ignore"):
        moved = [
            np.sum(np.abs(plain(adjoint)) * np.abs(plain(row.value)))
            for row, adjoint in zip(t.nodes, adjoints, strict=True)
            if adjoint is not None and np.asarray(plain(row.value)).dtype.kind == "f"
        ]
    return float(np.finfo(float).eps * np.sum(moved))


def one_output(t: WengertList, output: int) -> Any:
    """The cotangent that is one for this number among all that a trace returns, zero for the others."""
    seeds = [np.zeros(np.shape(plain(o))) for o in t.outputs]
    for seed in seeds:
        if output < seed.size:
            seed.reshape(-1)[output] = 1.0
            break
        output -= seed.size
    return t.out_structure.unflatten([seed[()] for seed in seeds])


def _floats(answer: Any) -> np.ndarray[Any, Any]:
    parts = [np.ravel(np.asarray(leaf, dtype=float)) for leaf in flatten(answer)[0]]
    return np.concatenate(parts)


def _told(value: np.ndarray[Any, Any]) -> str:
    if len(value) == 1:
        return f"{value[0]:.6g}"
    return f"({', '.join(f'{v:.6g}' for v in value[:4])}{', ...' * (len(value) > 4)})"


def one_function(problem: Problem, digits: int, limit: float) -> str:
    """A sentence if f computes something else traced, or in many digits, than on floats, else ""."""
    from diffkit.precise import evaluate

    def checked() -> str:
        for x in (problem.x, point_beside(problem.x)):
            at = problem.arguments(x)
            runs = [
                ("traced", lambda at=at: record(problem.f, at, {}).value),
                (f"in {digits} digits", lambda at=at: _rounded(evaluate(problem.f, *at, digits=digits))),
            ]
            if said := disagreement(problem, x, runs):
                return said
        return ""

    if problem.why:
        return ""
    try:
        return attempt(checked, "holding the values against each other", limit)
    except Failed:
        return ""


def _rounded(answer: Any) -> Any:
    return map_leaves(lambda leaf: np.asarray(leaf).astype(float), answer)
