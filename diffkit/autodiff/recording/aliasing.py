"""``x += 1`` on a traced array, where somebody else has the array too.

NumPy would change the array itself, and everything else that is bound to it, or is a view of it, would see
the new numbers. A traced value never changes: ``x += 1`` makes a new one, as ``x = x + 1`` does. Where x is
the only name of the array, the two are the same. Where they are not, the trace would be of another
program, so that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from diffkit.autodiff.recording.refusals import refuse
from diffkit.sites import belongs_to_diffkit

__all__ = ["refuse_shared"]

_MOST_WORK = 10_000
"""Steps after which two views that are too intricate to compare are taken to share memory."""


def refuse_shared(node: Any, symbol: str, frame: FrameType) -> None:
    """Raises a TraceError if the array that is to be changed in place is visibly bound more than once.

    Looked through are the variables of the function that changes it and of those that called it, the
    lists, tuples and dictionaries in them, and the attributes of the objects; what is hidden deeper is not
    found.

    Args:
        node: the traced array.
        symbol: the operator, without the equals sign.
        frame: the user's.
    """
    if not isinstance(_array(node), np.ndarray):
        return  # a number is never changed in place
    holders = list(_holders(node, frame))
    if len(holders) > 1:
        names = " and ".join(list(dict.fromkeys(holders))[:2])
        refuse(
            f"{symbol}= was to change a traced array in place, which is also seen through {names}"
            if len(set(holders)) > 1
            else f"{symbol}= was to change a traced array in place, which {names} has twice",
            f"write x = x {symbol} ..., which makes a new array, or change a copy, x.copy()",
            frame,
        )


def _holders(node: Any, frame: FrameType) -> Iterator[str]:
    """The variables that hold the array or a view of its memory, each as often as it does so."""
    array = _array(node)
    opened: set[int] = set()  # an object that several functions have is one place
    counted: tuple[str, ...] = ()  # variables that an inner function shares with the ones around it
    here: FrameType | None = frame
    while here is not None and (here is frame or not belongs_to_diffkit(here.f_code)):
        for variable, value in here.f_locals.items():
            if variable in counted or id(value) in opened:
                continue
            for name, entry in _entries(variable, value):
                if type(entry) is type(node) and _share_memory(array, _array(entry)):
                    yield name
            if type(value) is not type(node):
                opened.add(id(value))
        counted += here.f_code.co_freevars
        here = here.f_back


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a variable holds, with a name for it: the value, or what is in a container or an object."""
    if isinstance(value, dict):
        value = value.values()
    elif hasattr(value, "__dict__") and not isinstance(value, type | ModuleType | FunctionType):
        yield from ((f"{name}.{attribute}", entry) for attribute, entry in vars(value).items())
    if isinstance(value, list | tuple | ValuesView):
        yield from ((name, entry) for entry in value)
    else:
        yield name, value


def _array(node: Any) -> Any:
    value = node
    while type(value) is type(node):
        value = value.value
    return value


def _share_memory(one: Any, other: Any) -> bool:
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return False
    return np.may_share_memory(one, other, max_work=_MOST_WORK)  # type: ignore[arg-type]  # any int is taken
