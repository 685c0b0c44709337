"""What a submission gave, read: how many parts, which shapes and dtypes, and the numbers.

A :class:`StepResult` holds whatever came back. An :class:`Answer` holds the cotangent of each argument
as an array, and, in words, what is wrong with its form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.grading.inside.protocol import Failure, Given, StepResult, unpack_array

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Problem:
    """Something wrong with an answer's form: its kind, by which a diagnosis goes, and in words."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Answer:
    """A step's answer.

    Attributes:
        values: an array of floats for each part, None where there is none; () if the count is wrong.
        problems: what is wrong with its form.
        failure: the exception that was raised instead.
        raw: all parts that came, whatever their count.
        changed: the inputs that were changed in place.
    """

    values: tuple[Array | None, ...] = ()
    problems: tuple[Problem, ...] = ()
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
    problems: list[Problem] = field(default_factory=list)

    def part(self, k: int, given: Given, array: Array | None) -> Array | None:
        name, like = self.names[k], self.like[k]
        if array is None:
            self._found("not an array", _no_array(name, given.kind))
            return None
        if array.shape != like.shape:
            self._found("shape", f"{name} has shape {array.shape}; it must be {_wanted(like.shape)}")
        if array.dtype != like.dtype and not _whole_number(given, array):
            kind = "float32" if array.dtype == np.float32 else "dtype"
            self._found(kind, f"{name} has dtype {array.dtype}; it must be {like.dtype}, as the argument is")
        return np.real(array).astype(float)

    def _found(self, kind: str, text: str) -> None:
        self.problems.append(Problem(kind, text))


def _whole_number(given: Given, array: Array) -> bool:
    """Whether it is a number that has no dtype to be wrong: Python's 0 or True, or a count of NumPy's.

    An array of integers cannot hold decimals; a number holds what it is. A float32 has lost digits.
    """
    python = given.kind == "number" and array.dtype.kind != "c"
    return array.ndim == 0 and (python or array.dtype.kind in "biu")


def _no_array(name: str, kind: str) -> str:
    """What to say of something that is neither a number nor an array."""
    if kind == "None":
        return f"{name} is None: does every way through the function end in a return?"
    if kind in ("list", "tuple"):
        return f"{name} is a {kind}: make an array of it, with np.array(...)"
    kind = {"NotImplementedType": "NotImplemented"}.get(kind, f"of type {kind}")
    return f"{name} is {kind}; it must be a NumPy array of floats"


def _wanted(shape: tuple[int, ...]) -> str:
    return f"{shape}, one value for each entry" if shape else "(), a single number"


def _wrong_count(came: int, names: Sequence[str]) -> str:
    """What to say where there are too many values, or too few."""
    what = "one value was returned" if came == 1 else f"{came} values were returned"
    if len(names) > 1:
        return f"{what}; return {len(names)} as a tuple: {', '.join(names)}"
    return f"{what}; return one array, {names[0]} (a list or tuple counts as several values)"


def _spelt_out(raw: Sequence[Array | None], like: Array) -> bool:
    """Whether several values together are the one array that was asked for, as a list of its rows."""
    return like.shape[:1] == (len(raw),) and all(a is not None and a.shape == like.shape[1:] for a in raw)


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
        return Answer(failure=result.failure)
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
        if len(names) == 1 and _spelt_out(raw, like[0]):
            text = (
                f"{names[0]} came as a list or tuple of {len(raw)}: make an array of it, with np.array(...)"
            )
            return Answer((), (Problem("not an array", text),), None, tuple(raw))
        problem = Problem("wrong count", _wrong_count(len(given), names))
        return Answer((), (problem,), None, tuple(raw))
    values = tuple(
        reader.part(k, part, array) for k, (part, array) in enumerate(zip(given, raw, strict=True))
    )
    return Answer(values, tuple(reader.problems), None, tuple(raw))
