"""What a submission gave, read: how many parts, which shapes and dtypes, and the numbers.

A :class:`StepResult` holds whatever came back. An :class:`Answer` holds the cotangent of each argument
as an array, and, in words, what is wrong with its form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.grading.protocol import Failure, Given, StepResult, unpack_array

__all__ = ["Answer", "read_answer"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Answer:
    """A step's answer.

    Attributes:
        values: an array of floats for each part, None where there is none; () if the count is wrong.
        problems: what is wrong with its form, in words.
        failure: the exception that was raised instead.
        raw: all parts that came, whatever their count.
        changed: the inputs that were changed in place.
    """

    values: tuple[Array | None, ...] = ()
    problems: tuple[str, ...] = ()
    failure: Failure | None = None
    raw: tuple[Array | None, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether there is an array for every part, of whatever shape."""
        return self.failure is None and bool(self.values) and all(v is not None for v in self.values)

    @property
    def arrays(self) -> list[Array]:
        """The parts of a complete answer."""
        return [v for v in self.values if v is not None]


@dataclass
class _Reader:
    names: Sequence[str]
    like: Sequence[Array]
    problems: list[str] = field(default_factory=list)

    def part(self, k: int, given: Given, array: Array | None) -> Array | None:
        name, like = self.names[k], self.like[k]
        if array is None:
            what = {"None": "None", "NotImplementedType": "NotImplemented"}.get(given.kind, f"a {given.kind}")
            self.problems.append(f"{name}: {what} was returned, where an array belongs")
            return None
        if array.shape != like.shape:
            self.problems.append(f"{name}: shape {array.shape}, where {like.shape} belongs")
        if array.dtype != like.dtype:
            self.problems.append(f"{name}: dtype {array.dtype}, where {like.dtype} belongs")
        return np.real(array).astype(float)


def read_answer(
    result: StepResult, names: Sequence[str], like: Sequence[Array], places: Sequence[int], count: int
) -> Answer:
    """Reads what a step gave.

    Args:
        result: what came.
        names: what to call the parts: "the cotangent of x".
        like: an array of the right shape and dtype for each part.
        places: the argument that each part belongs to; of ``count`` arguments. A part for every
            argument, with None where there is nothing to differentiate by, is as good.
    """
    if result.failure is not None:
        return Answer(failure=result.failure, changed=result.changed)
    given = list(result.values)
    fixed = [k for k in range(count) if k not in places]
    if result.grouped and fixed and len(given) == count and all(given[k].kind == "None" for k in fixed):
        given = [given[k] for k in places]
    raw: list[Array | None] = []
    for part in given:
        try:
            raw.append(None if part.array is None else unpack_array(part.array))
        except (ValueError, TypeError):
            raw.append(None)
    reader = _Reader(names, like)
    if len(given) != len(names):
        came = "one" if len(given) == 1 else str(len(given))
        belong = f"{len(names)} belong ({', '.join(names)})" if len(names) > 1 else "one array belongs"
        what = "value was" if len(given) == 1 else "values were"
        return Answer((), (f"{came} {what} returned, where {belong}",), None, tuple(raw), result.changed)
    values = tuple(
        reader.part(k, part, array) for k, (part, array) in enumerate(zip(given, raw, strict=True))
    )
    return Answer(values, tuple(reader.problems), None, tuple(raw), result.changed)
