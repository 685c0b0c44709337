"""The truth that the methods are measured against, computed without any derivative rule.

Fifty digits decide what the point is: whether f has a value and a derivative there is a fact of
mathematics, which the overflow of a program is not.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffkit.comparison.failures import Failed, attempt
from diffkit.comparison.problem import Problem
from diffkit.containers import flatten
from diffkit.errors import DomainError

REFERENCE_COLUMNS = 40
"""Of a program with more inputs than this, so many are drawn (seeded) and compared to fifty digits."""


@dataclass
class Truth:
    """What is known of f at a point.

    Attributes:
        partials: the Jacobian (outputs, inputs); nan in columns that were not computed, and where there
            is no derivative.
        how: how it came about: "50 digits".
        notes: a sentence for each entry without a derivative.
        value: f's value there, flat; None where f can't be run to many digits.
        shown: that value as text, where it may be larger than floats go.
    """

    partials: np.ndarray[Any, Any]
    how: str
    notes: list[str] = field(default_factory=list)
    value: np.ndarray[Any, Any] | None = None
    shown: str = "unknown"


def truth_at(problem: Problem, digits: int, seconds: float) -> Truth:
    """The Jacobian to many digits, in all columns or a seeded sample of them, and what f is there.

    Raises:
        DomainError: if f has no finite value at the point.
    """
    from diffkit.precise import reference_derivative

    n = len(problem.x)
    columns = np.arange(n)
    if n > REFERENCE_COLUMNS:
        columns = np.sort(np.random.default_rng(0).choice(n, REFERENCE_COLUMNS, replace=False))
    sampled = f", at {len(columns)} of the {n:,} inputs" if len(columns) < n else ""
    try:
        exact = attempt(
            lambda: reference_derivative(
                problem.f, problem.args, coordinates=columns.tolist(), digits=digits
            ),
            f"the reference of {digits} digits",
            seconds,
        )
    except Failed as reason:
        if not np.all(np.isfinite(problem.y)):
            raise DomainError(
                f"{problem.name} {_is(problem.y, problem.why)} at {problem.point}, and can't be run to "
                f"{digits} digits, which would tell whether the point is outside its domain or the program "
                f"overflows there: {reason}"
            ) from None
        table = np.full((len(problem.y), n), np.nan)
        return Truth(
            _extrapolated(problem, table, columns, seconds),
            f"Richardson extrapolation{sampled}, as the program can't be run to {digits} digits",
        )
    value = np.array(
        [_as_float(entry) for leaf in flatten(exact.value)[0] for entry in np.ravel(np.asarray(leaf))]
    )
    if not np.all(np.isfinite(value)) and not _is_large(exact.value):
        raise DomainError(
            f"{problem.name} {_is(value, problem.why)} at {problem.point}, in {digits} digits too: "
            "that point is outside its domain"
        )
    if problem.why:  # Python raised, where NumPy has inf or nan for each output
        problem.y = np.full(value.shape, problem.y[0])
    table = np.full((len(value), n), np.nan)
    table[:, columns] = np.vectorize(_as_float, otypes=[float])(exact.partials)
    notes = []
    for kink in exact.kinks:
        table[kink.output, kink.coordinate] = np.nan
        named = replace(kink, name=problem.inputs[kink.coordinate])
        notes.append(named.sentence(float(problem.x[kink.coordinate]), len(value)))
    return Truth(table, f"{digits} digits{sampled}", notes, value, _shown(exact.value))


def _as_float(number: Any) -> float:
    return float(number)


def _shown(value: Any) -> str:
    entries = [e for leaf in flatten(value)[0] for e in np.ravel(np.asarray(leaf, dtype=object))]
    texts = []
    for entry in entries[:4]:
        rounded = float(entry)
        large = np.isinf(rounded) and hasattr(entry, "arithmetic") and entry.isfinite()
        texts.append(entry.arithmetic.mp.nstr(entry.value, 6) if large else f"{rounded:.6g}")
    return texts[0] if len(entries) == 1 else f"({', '.join(texts)}{', ...' * (len(entries) > 4)})"


def _is_large(value: Any) -> bool:
    """Whether a value is finite, though larger than floats go."""
    entries = [e for leaf in flatten(value)[0] for e in np.ravel(np.asarray(leaf, dtype=object))]
    return all(e.isfinite() if hasattr(e, "isfinite") else bool(np.isfinite(e)) for e in entries)


def _is(y: np.ndarray[Any, Any], why: str) -> str:
    if why:
        return f"has no value ({why})"
    if len(y) == 1:
        return f"is {y[0]:g}"
    bad = int(np.flatnonzero(~np.isfinite(y))[0])
    return f"is {y[bad]:g} in its output {bad + 1}"


def _extrapolated(
    problem: Problem, table: np.ndarray[Any, Any], columns: np.ndarray[Any, Any], seconds: float
) -> np.ndarray[Any, Any]:
    from diffkit import finite

    def fill() -> None:
        for k in columns:

            def along(t: float, k: int = int(k)) -> np.ndarray[Any, Any]:
                shifted = problem.x.copy()
                shifted[k] = t
                return problem(shifted)

            table[:, k] = finite.derivative(along, float(problem.x[k]), form="richardson")

    with contextlib.suppress(Failed):  # then there is nothing to measure by
        attempt(fill, "the extrapolated reference", seconds)
    return table
