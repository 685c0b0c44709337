"""``x += 1`` on a traced array, where somebody else has the array too.

NumPy would change the array itself, and everything else that is bound to it, or is a view of it, would see
the new numbers. A traced value never changes: ``x += 1`` makes a new one, as ``x = x + 1`` does. Where x is
the only name of the array, the two are the same. Where they are not, the trace would be of another
program, so that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from diffkit.autodiff.refusals import refuse
from diffkit.autodiff.sites import belongs_to_diffkit

__all__ = ["refuse_shared"]


def refuse_shared(node: Any, symbol: str, frame: FrameType) -> None:
    """Raises a TraceError if the array that is to be changed in place is visibly bound more than once.

    Looked through are the variables of the function that changes it and of those that called it, and the
    lists, tuples and dictionaries in them; what is hidden deeper (an attribute of an object) is not found.

    Args:
        node: the traced array.
        symbol: the operator, without the equals sign.
        frame: the user's.
    """
    same = _of_same_memory(node)
    holders = list(_holders(same, frame))
    if len(holders) > 1:
        names = " and ".join(list(dict.fromkeys(holders))[:2])
        refuse(
            f"{symbol}= was to change a traced array in place, which is also seen through {names}"
            if len(set(holders)) > 1
            else f"{symbol}= was to change a traced array in place, which {names} has twice",
            f"write x = x {symbol} ..., which makes a new array, or change a copy, x.copy()",
            frame,
        )


def _of_same_memory(node: Any) -> list[Any]:
    """The row, and those that it is a view of."""
    same = [node]
    while node.parents and _overlap(node, node.parents[0]):
        node = node.parents[0]
        same.append(node)
    return same


def _overlap(a: Any, b: Any) -> bool:
    one, other = a.value, b.value
    while type(one) is type(a):
        one = one.value
    while type(other) is type(a):
        other = other.value
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.may_share_memory(one, other)


def _holders(same: list[Any], frame: FrameType) -> Iterator[str]:
    """The variables that hold one of these rows, each as often as it does so."""
    here: FrameType | None = frame
    counted: tuple[str, ...] = ()  # variables that an inner function shares with the ones around it
    while here is not None and (here is frame or not belongs_to_diffkit(here.f_code)):
        for name, value in here.f_locals.items():
            if name in counted:
                continue
            entries = value.values() if isinstance(value, dict) else value
            inside = entries if isinstance(value, dict | list | tuple) else (value,)
            for entry in inside:
                if any(entry is row for row in same):
                    yield name
        counted += here.f_code.co_freevars
        here = here.f_back
