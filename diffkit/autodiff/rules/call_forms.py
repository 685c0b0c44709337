"""From a user's call of a NumPy function to a row of the trace.

The same sum can be written ``np.sum(x, 0)``, ``np.sum(a=x, axis=0)``, ``np.sum(x, axis=0, out=None)``. A row
has one form: what can be differentiated stands by position, all else by keyword. So a rule needs to know
one form only, and so do those who draw a trace or write it as code.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from diffkit.autodiff.recording.refusals import refuse_keyword, site_of
from diffkit.autodiff.recording.tracer import (
    FUNCTIONS,
    TRACED,
    UFUNCS,
    Primitive,
    is_traced,
    nodes_in,
    plain,
    plain_index,
)
from diffkit.errors import TraceError

__all__ = ["Arrangement", "as_array", "decided", "plain", "plain_arguments", "stacked", "user_site"]

_REFUSED = ("out", "where", "initial")

_WITHOUT_SIGNATURE = {"dot": "a b out", "inner": "a b", "vdot": "a b", "where": "condition x y"}
"""Parameters of functions written in C, which tell their signature from NumPy 2.4 on only."""


def decided(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` on the plain values; on traced ones, a decision of the trace.

    A rule may look at ``plain(x)`` for its shape and dtype; for its values it asks here.
    A program that went by the order of some numbers, or by which of them are zero, holds for others
    only if they are in the same order, or the same of them are zero. So what the function gives (a mask,
    a permutation, a bool) is recorded as a row of its own, and as what the trace goes by.

    >>> decided(np.argsort, np.array([3.0, 1.0, 2.0]))
    array([1, 2, 0])
    """
    if not any(map(is_traced, args)):
        return function(*args, **kwargs)
    if function in FUNCTIONS or function in UFUNCS:
        return plain_index(function(*args, **kwargs))

    return plain_index(_decision(function)(*args, **kwargs))


@functools.lru_cache(maxsize=256)
def _decision(function: Callable[..., Any]) -> Primitive:
    """The function as a primitive without a derivative."""

    @functools.wraps(function)
    def compute(*values: Any, **kwargs: Any) -> Any:
        return (fun if any(map(is_traced, values)) else function)(*values, **kwargs)

    name = getattr(function, "__name__", "")
    fun = Primitive(name if name.isidentifier() else "decision", compute, constant=True)
    return fun


def plain_arguments(value: Any) -> Any:
    """The plain values of a call's arguments, inside lists and tuples too."""
    return type(value)(map(plain_arguments, value)) if type(value) in (list, tuple) else plain(value)


def as_array(value: object) -> Any:
    """A list of numbers as an array, of traced values too; all else as it is."""
    if not isinstance(value, list | tuple):
        return value
    return np.asarray(value) if next(nodes_in(value), None) is None else stacked(value)


def stacked(value: object) -> Any:
    """An array of numbers and traced values, nested in lists as for ``np.array``."""
    if not isinstance(value, list | tuple):
        return value
    if next(nodes_in(value), None) is None:
        return np.array(value)
    leaves, shape = _leaves_and_shape(value)
    if leaves:
        row = np.stack(leaves)
        return row if len(shape) == 1 else np.reshape(row, shape)
    return np.stack([stacked(part) for part in value])


def _leaves_and_shape(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The numbers in a regular nested list of numbers, and its shape; ([], ()) if it is none."""
    if not isinstance(value, list | tuple):
        return ([value], ()) if np.ndim(value) == 0 else ([], ())
    parts = [_leaves_and_shape(part) for part in value]
    if any(not leaves for leaves, _ in parts) or len({shape for _, shape in parts}) != 1:
        return [], ()
    return [leaf for leaves, _ in parts for leaf in leaves], (len(value), *parts[0][1])


def user_site() -> str:
    """Where the user's program is now, for messages."""
    return site_of(sys._getframe(1))


def _is_in_order(kwargs: dict[str, Any]) -> bool:
    """Whether the keywords are those of a reduction, with plain numbers: the commonest, so told at once."""
    for name, value in kwargs.items():
        if name not in ("axis", "keepdims") or type(value) not in (int, bool):
            return False
    return True


class Arrangement:
    """Brings the calls of one NumPy function into the form of a row.

    Args:
        function: the function as users call it; its signature is read when a call first needs it.
        count: how many of its leading parameters can be differentiated; None if no derivative is
            taken, and an argument may stand where it likes.
    """

    __slots__ = ("count", "function", "parameters")

    def __init__(self, function: Callable[..., Any], count: int | None) -> None:
        self.function = function
        self.count = count
        self.parameters: dict[str, Any] = {}

    def __call__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        count = self.count
        if count is None:
            if not any(map(is_traced, kwargs.values())):
                return args, kwargs
            count = 1 + max(k for k, name in enumerate(self._parameters()) if is_traced(kwargs.get(name)))
        if len(args) > count or not (len(args) == count and _is_in_order(kwargs)):
            args, kwargs = self._by_position(args, kwargs, count, frame)
        for a in args:
            if type(a) not in TRACED and isinstance(a, (list, tuple)):
                return tuple(map(as_array, args)), kwargs
        return args, kwargs

    def _parameters(self) -> dict[str, Any]:
        """The parameters' names, in order, with their defaults."""
        if not self.parameters:
            try:
                given = inspect.signature(self.function).parameters.values()
                self.parameters = {p.name: p.default for p in given if p.kind is not p.VAR_POSITIONAL}
            except ValueError:
                names = _WITHOUT_SIGNATURE[self.function.__name__].split()
                self.parameters = dict.fromkeys(names)
        return self.parameters

    def _by_position(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], count: int, frame: FrameType
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        names = list(self._parameters())
        kwargs = dict(zip(names[count:], args[count:], strict=False)) | kwargs
        args = args[:count]
        by_name = [k for k in range(len(args), min(count, len(names))) if names[k] in kwargs]
        if by_name:
            missing = names[len(args) : by_name[-1] + 1]
            args += tuple(kwargs.pop(name, self.parameters[name]) for name in missing)
        for name, value in list(kwargs.items()):
            if value is np._NoValue or (value is None and name in (*_REFUSED, "dtype")):
                del kwargs[name]
            elif name in _REFUSED and value is not True:
                refuse_keyword(f"np.{self.function.__name__}", name, frame)
            elif next(nodes_in(value), None) is not None:
                kwargs[name] = self._decided(name, value, frame)
        return args, kwargs

    def _decided(self, name: str, value: object, frame: FrameType) -> Any:
        """A traced keyword: an integer or a mask is decided, a float would lose its derivative."""
        for node in nodes_in(value):
            if node.dtype.kind in "fc":
                raise TraceError(
                    f"np.{self.function.__name__} was given a traced value as {name}=, by which it is not "
                    f"differentiated ({site_of(frame)}): write it with functions "
                    "that are, or give a plain number."
                )
        return plain_index(value)
