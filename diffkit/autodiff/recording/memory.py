"""The memory that a traced array and its views share, and where in it a view lies."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.node import Node
from diffkit.autodiff.recording.places import Window, index_of, is_basic, narrowed, whole
from diffkit.autodiff.recording.primitive import ByPlace, Primitive

ViewStep = tuple[Primitive, tuple[Any, ...], dict[str, Any]]

GETITEM = Primitive("getitem", operator.getitem)
READ = ByPlace("getitem", operator.getitem)
"""The same, from an array that has been written to: its rule does without the array's value."""


class TakenAgain(Primitive):
    """A view that is several rows: where it lies as NumPy tells, and what records it anew.

    Attributes:
        program: what makes those rows of an array and what else the function is given.
    """

    __slots__ = ("program",)

    def __init__(self, name: str, compute: Callable[..., Any], program: Callable[..., Any]) -> None:
        super().__init__(name, compute)
        self.program = program


PARTS = frozenset({"real", "imag"})
"""What shows a part of each number, by its name."""


def _part(step: ViewStep) -> str:
    return step[0].name if step[0].name in PARTS else ""


class Form:
    """The shape and dtype of an array."""

    __slots__ = ("dtype", "shape")

    def __init__(self, array: Any) -> None:
        self.shape = array.shape
        self.dtype = array.dtype

    def example(self) -> ndarray:
        """An array of this shape and dtype, all zeros, that takes no memory."""
        return np.broadcast_to(np.zeros((), self.dtype), self.shape)


class Memory:
    """The memory that a traced array and its views share.

    Attributes:
        tip: the row that holds all of it at present; of an array that is not traced, the plain array.
        buffer: the numbers at present, ours to write to; None if the tip has them, and others may too.
        version: how often it was written to.
    """

    __slots__ = ("buffer", "form", "tip", "version")

    def __init__(self, tip: Any) -> None:
        self.tip = tip
        self.buffer: Any = None
        self.version = 0
        self.form: Any = None

    @property
    def data(self) -> Any:
        """The numbers at present, to be looked at."""
        if self.buffer is not None:
            return self.buffer
        return self.tip.value if type(self.tip) is Node else self.tip

    def lend(self) -> Any:
        """The row that holds all of it, with its value, which stays as it is from now on."""
        if self.buffer is not None:
            if type(self.tip) is Node:
                self.tip.value = self.buffer
            else:
                self.tip = self.buffer
            self.buffer = None
        return self.tip

    def own(self) -> Any:
        """The numbers, to be written to."""
        if self.buffer is None:
            self.buffer = copy_of(self.data)
        return self.buffer

    def replace(self, row: Any) -> None:
        """All of it is now what a row holds."""
        self.tip = row
        self.buffer = None
        self.version += 1


class Views:
    """What a view knows: the steps by which it is taken from the whole."""

    __slots__ = ("known_places", "known_window")

    memory: Memory | None
    path: Any
    """``(path of what it is a view of, function, further arguments, keywords)``; () for the whole."""
    known_window: Window | None
    known_places: ndarray

    def steps(self) -> list[ViewStep]:
        """The steps by which a view is taken, the first first."""
        found: list[ViewStep] = []
        path = self.path
        while path:
            path, *step = path
            found.append(tuple(step))
        return found[::-1]

    def window(self) -> Window | None:
        """Where a view lies in the whole, if it was taken by basic indices only."""
        try:
            return self.known_window
        except AttributeError:
            assert self.memory is not None
            found: Window | None = whole(self.memory.data.shape)
            for fun, args, _ in self.steps():
                found = narrowed(found, args[0]) if fun is GETITEM and found is not None else None
            self.known_window = found
            return found

    def _places(self) -> ndarray:
        """Of each element of a view, its place in the whole, counted in C's order."""
        try:
            return self.known_places
        except AttributeError:
            assert self.memory is not None
            shape = self.memory.data.shape
            self.known_places = self._shown(np.arange(math.prod(shape)).reshape(shape))
            return self.known_places

    def _shown(self, places: Any) -> Any:
        """What a view shows of the places of the whole."""
        for fun, args, kwargs in self.steps():
            places = places if fun.name in PARTS else fun.compute(places, *args, **kwargs)
        return places

    def origins(self, write: Callable[[ndarray, ndarray], None], value: Any) -> ndarray | None:
        """Where its numbers come from, after NumPy has written a view of the same memory there.

        Some of NumPy's functions (``A.flat = B``) write element by element, and don't look whether they
        read what they have written. What that leaves is what it leaves of the places' own numbers.

        Args:
            write: does it to two plain arrays: what is written to, what is written.
            value: what is written.

        Returns:
            The places in the whole, in this view's shape; None if ``value`` is no view of the same numbers.
        """
        memory = self.memory
        if getattr(value, "memory", None) is not memory or memory is None:
            return None
        if [p for p in map(_part, self.steps()) if p] != [p for p in map(_part, value.steps()) if p]:
            return None  # a real and an imaginary part
        whole: Any = memory.data
        while hasattr(type(whole), "alias"):
            whole = whole.value
        places = np.empty(whole.shape, int, "F" if whole.flags.fnc else "C")
        places[...] = np.arange(places.size).reshape(places.shape)
        here: ndarray = self._shown(places)
        write(here, value._shown(places))
        return here

    def in_the_whole(self, index: Any) -> Any:
        """The index of the whole that shows what ``index`` shows of this view."""
        assert self.memory is not None
        if not self.path:
            return index
        shape = self.memory.data.shape
        window = self.window() if is_basic(index) else None
        if window is not None:
            window = narrowed(window, index)
        if window is not None:
            return index_of(window, shape)
        found = np.unravel_index(self._places()[index], shape)
        return tuple(int(k) if np.ndim(k) == 0 else k for k in found)


def copy_of(array: Any) -> Any:
    """An array, plain or of an outer trace, of one's own to write to; of a number, one without axes."""
    if hasattr(type(array), "alias"):
        return array.alias()
    if type(array) is ndarray:
        return array.copy("K")
    return np.reshape(np.reshape(array, 1), ()) if type(array) is Node else np.array(array)
