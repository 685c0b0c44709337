"""What is known to be right at a point: the values of the forward program's rows, their adjoints, and parts.

A student's intermediate value is looked for among them by its numbers: as it is, transposed, in another
shape, or before the sum over axes along which it was broadcast.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.replay import recorded
from diffkit.grading.judging.trials import Trial

Array = np.ndarray[Any, Any]

LONGEST = 400
"""Rows of a program whose quantities are listed."""
MOST_PARTS = 4
"""Contributions to a row of which all sums of some are listed."""


@dataclass(frozen=True)
class Quantity:
    """Something right.

    Attributes:
        kind: "adjoint", "unit" (that before the upstream number), "value", "contribution" (to an adjoint,
            along one edge), "part" (a sum of some).
        row: the number of the forward program's row.
        name: the row's name.
        value: the numbers.
        user: for a contribution, the number of the row that it comes from.
        near: to how many digits it is known.
    """

    kind: str
    row: int
    name: str
    value: Array
    user: int = -1
    near: float = 1e-9


def quantities(exercise: Exercise, trial: Trial) -> list[Quantity]:
    """All that is right at an instance; nothing where the function can't be traced."""
    if exercise.reference is not None or exercise.style in ("jvp", "engine", "partials"):
        return []
    try:
        with np.errstate(all="ignore"):
            t = recorded(
                exercise.function, trial.instance.args, dict(trial.instance.kwargs), exercise.differentiated
            )
            if len(t.nodes) > LONGEST:
                return []
            given: dict[int, list[tuple[int, Any]]] = {}
            adjoints = t.observed(
                t.seeds((trial.seeds[0][0][()],)),
                lambda row, k, parent, part, total: given.setdefault(parent, []).append(
                    (row, np.array(part))
                ),
            )
    except Exception:  # whatever keeps a function from being traced keeps nobody from being graded
        return []
    found = [
        Quantity("adjoint", k, t.names[k], np.asarray(a, dtype=float))
        for k, a in enumerate(adjoints)
        if a is not None and _numbers(a)
    ]
    found += [
        Quantity("value", row.index, t.names[row.index], np.asarray(row.value, dtype=float))
        for row in t.nodes
        if _numbers(row.value)
    ]
    for k, parts in given.items():
        numbers = [(user, v.astype(float)) for user, v in parts if _numbers(v)]
        found += [Quantity("contribution", k, t.names[k], v, user) for user, v in numbers]
        for count in range(2, len(numbers)) if len(numbers) <= MOST_PARTS else ():
            for some in itertools.combinations(numbers, count):
                total = sum((v for _, v in some), np.zeros(()))
                found.append(Quantity("part", k, t.names[k], np.asarray(total), some[-1][0]))
    return found


def _numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | float | int) and np.asarray(value).dtype.kind in "fiu"


def found_in(value: Array, known: list[Quantity]) -> Iterator[tuple[Quantity, bool]]:
    """The quantities that a value is, each with whether it is so in just that shape."""
    value = np.asarray(value, dtype=float)
    if not value.size or not np.isfinite(value).all():
        return
    for q in known:
        right = q.value
        if right.shape == value.shape and _near(value, right, q.near):
            yield q, True
        elif (
            right.size == value.size
            and (
                _near(value.ravel(), right.ravel(), q.near)
                or (
                    value.ndim == 2 == right.ndim
                    and value.T.shape == right.shape
                    and _near(value.T, right, q.near)
                )
            )
        ) or (q.kind != "value" and value.size > right.size > 0 and _sums_to(value, right, q.near)):
            yield q, False


def _sums_to(value: Array, right: Array, near: float) -> bool:
    """Whether a value gives another when it is summed over the axes that that has not."""
    if right.ndim > value.ndim:
        return False
    shape = (1,) * (value.ndim - right.ndim) + right.shape
    axes = tuple(k for k, (a, b) in enumerate(zip(value.shape, shape, strict=True)) if a != b)
    if any(shape[k] != 1 for k in axes):
        return False
    return _near(value.sum(axis=axes, keepdims=True).reshape(shape), right.reshape(shape), near)


def _near(a: Array, b: Array, near: float) -> bool:
    return bool(np.all(np.abs(a - b) <= near * (np.abs(b).max(initial=0.0) + 1e-300)))
