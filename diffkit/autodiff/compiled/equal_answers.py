"""Whether a function and the program that was made of it give the same: if not, it is not one program."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.compiled.entry import MISS
from diffkit.containers import flatten
from diffkit.errors import TraceError


def refuse_unlike(answer: object, again: object, name: str) -> None:
    """Refuses a function whose answer is nested otherwise, or has other shapes, when it is traced.

    Args:
        answer: what the function returned.
        again: what its trace has computed.
        name: the function's name.

    Raises:
        TraceError: if they can't be the same.
    """
    expected, structure = flatten(answer)
    got, got_structure = flatten(again)
    if structure != got_structure or [*map(np.shape, expected)] != [*map(np.shape, got)]:
        raise _unlike(answer, again, name)


def agree(answer: object, again: object, name: str) -> bool:
    """Whether the answer of a function and that of its program, to the same arguments, are the same.

    Args:
        answer: what the function returned.
        again: what the program returned.
        name: the function's name.

    Returns:
        True if they are; False if the program has no answer, or one of them has no number where the
        other has (a negative number to a broken power): then the function is left to itself.

    Raises:
        TraceError: if both have numbers and these differ.

    >>> agree(2.0, 2.0, "f"), agree((1.0, "a"), (1.0, "a"), "f"), agree(float("nan"), 1j, "f")
    (True, True, False)
    >>> agree(2.0, 3.0, "f")
    Traceback (most recent call last):
    ...
    diffkit.errors.TraceError: f returned 2.0 when it was run and 3.0 when it was traced, on the same ...
    """
    if again is MISS:
        return False
    expected, structure = flatten(answer)
    got, got_structure = flatten(again)
    if structure == got_structure:
        if all(map(_close, expected, got)):
            return True
        if not all(map(_is_finite, [*expected, *got])):
            return False
    raise _unlike(answer, again, name)


def _unlike(answer: object, again: object, name: str) -> TraceError:
    return TraceError(
        f"{name} returned {_short(answer)} when it was run and {_short(again)} when it was traced, "
        "on the same arguments: it depends on something besides them (random numbers, a counter, the "
        "time), or changes an array that it has used. Pass that as an argument, or make a new array."
    )


def _close(a: object, b: object) -> bool:
    """Whether two runs of one program gave the same, allowing for sums in another order."""
    if not isinstance(a, np.ndarray | np.generic | float | complex):
        return type(a) is type(b) and bool(a == b)
    one, other = np.asarray(a), np.asarray(b)
    kind = np.result_type(one.dtype, other.dtype)
    if one.shape != other.shape or kind.kind not in "fc":
        return bool(np.array_equal(one, other))
    tolerance = 1e3 * np.finfo(kind).eps
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))


def _is_finite(value: Any) -> bool:
    numeric = (
        isinstance(value, np.ndarray | np.generic | float | complex) and np.asarray(value).dtype.kind in "fc"
    )
    return not numeric or bool(np.all(np.isfinite(value)))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
