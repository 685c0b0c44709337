"""The plain arrays that a trace refers to, and what becomes of them if the program changes one in place.

A row is about the numbers that its arguments had when it was made. Its traced arguments never change, but
a plain array may: a buffer that is filled anew in each round, a state that is updated by ``+=``. A sweep
that read it then would give the derivative of another program, without a word. So of a small array a row
has a copy. Of a large one, a data set say, a copy in each row that uses it would take more memory than all
the rest: it is made read-only instead until the trace is complete, and NumPy raises where it is changed.

A view of it that was taken before can still be written to. So the first time that a function is traced with
an array of this kind, the array is compared at the end with what it was. (Each time, that would take as long
as a product of a matrix and a vector does.)
"""

from __future__ import annotations

import array as arrays
from types import EllipsisType, NoneType
from typing import Any

import numpy as np
from numpy import ndarray

_SMALL = 4096
"""Bytes up to which an array is copied: that takes no longer than anything else that is done with it."""


_SPARSEST = 64
"""How many times the memory of its elements a copy may take to keep the gaps between them."""


def copied_as_laid_out(array: ndarray) -> ndarray:
    """A copy with the same steps in memory, backward ones included.

    NumPy multiplies and sums by other routines where the steps are others, and so to other last bits.

    >>> x = np.arange(6.0)
    >>> copied_as_laid_out(x[::-2]).strides, x[::-2].copy("K").strides
    ((-16,), (8,))
    """
    copy = array.copy("K")
    steps = array.strides
    if copy.strides == steps or array.flags.forc or array.dtype.hasobject:
        return copy  # a contiguous array may have any steps along an axis of one element
    before, extent = 0, array.itemsize  # bytes ahead of the first element, and from the lowest to the highest
    for n, step in zip(array.shape, steps, strict=True):
        if step < 0:
            before -= (n - 1) * step
        extent += (n - 1) * abs(step)
    if extent > max(_SPARSEST * array.nbytes, 4096):
        return copy
    memory = np.empty(extent, np.uint8)
    laid_out: ndarray = ndarray(array.shape, array.dtype, memory, before, steps)
    laid_out[...] = array
    return laid_out


class Constants:
    """The plain arrays among the arguments of one recording's rows.

    >>> import numpy as np
    >>> constants = Constants()
    >>> state = np.ones(2)
    >>> kept = constants.keep(state)
    >>> state += 1.0
    >>> kept, constants.keep(state)
    (array([1., 1.]), array([2., 2.]))
    >>> data = constants.keep(np.ones(1000))
    >>> data += 1.0
    Traceback (most recent call last):
    ...
    ValueError: output array is read-only
    >>> constants.release()
    >>> data += 1.0
    """

    __slots__ = ("_before", "_copies", "_locked", "changed", "function")

    def __init__(self, function: Any = None) -> None:
        self._copies: dict[int, tuple[ndarray, ndarray]] = {}  # by id: the array, and its latest copy
        self._locked: list[ndarray] = []
        self._before: dict[int, tuple[ndarray, bytes, Any]] = {}  # by id: a large one, and what it was
        self.function = function
        self.changed: ndarray | None = None

    def keep(self, array: ndarray) -> ndarray:
        """An array as a row may keep it.

        That is the same copy for as long as the array does not change, so that rows can be seen to agree.
        """
        if array.nbytes > _SMALL:
            self._note(array)
            return self._lock(array)
        key = id(array)
        known = self._copies.get(key)
        if known is not None:
            copy = known[1]
            if copy.shape == array.shape and copy.tobytes() == array.tobytes():
                return copy
        copy = array.copy("K")
        if copy.strides != array.strides:
            copy = copied_as_laid_out(array)
        self._copies[key] = array, copy
        return copy

    def keep_any(self, value: Any) -> Any:
        """What NumPy takes for an operand or an index, as a row may keep it: numbers at the time of use."""
        kind = type(value)
        if kind in UNCHANGING:
            return value
        if kind is ndarray:
            return self.keep(value)
        if kind is tuple or kind is list:
            return kind(map(self.keep_any, value))
        if isinstance(value, ndarray):
            return value.copy()
        if isinstance(value, _BUFFERS):
            return np.array(value)
        return value

    def keep_all(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call as a row may keep them: the same, but for arrays, in tuples too."""
        for a in args:
            if type(a) not in UNCHANGING:
                args = tuple([self.keep_any(a) for a in args])
                break
        for a in kwargs.values():
            if type(a) not in UNCHANGING:
                return args, {name: self.keep_any(value) for name, value in kwargs.items()}
        return args, kwargs

    def _note(self, array: ndarray) -> None:
        """Notes what is in a large array, the first time that the function uses one of this kind."""
        if id(array) in self._before:
            return
        kind = id(self.function), array.shape
        if kind not in _seen:
            if len(_seen) > _MOST_SEEN:
                _seen.clear()
            _seen[kind] = self.function
            self._before[id(array)] = array, array.tobytes(), kind

    def _lock(self, array: ndarray) -> ndarray:
        """The array itself, read-only from now on, and so is the one that it is a view of."""
        if type(array.base) is ndarray:
            self._lock(array.base)
        # An array that is repeated along an axis is not written to: NumPy warns of its flag being read.
        if 0 not in array.strides and array.flags.writeable:
            array.setflags(write=False)
            self._locked.append(array)
        return array

    @property
    def any_locked(self) -> bool:
        """Whether there are arrays that can't be changed at present."""
        return bool(self._locked)

    def release(self) -> None:
        """Makes the arrays writeable again that were so before, and looks whether one was changed."""
        for array, before, kind in self._before.values():
            if array.tobytes() != before:
                self.changed = array
                _seen.pop(kind, None)
        for locked in self._locked:  # in this order, for no view can be writeable before its whole is
            locked.setflags(write=True)
        for kept in (self._before, self._locked, self._copies):
            if kept:
                kept.clear()


_MOST_SEEN = 10_000
_seen: dict[Any, Any] = {}
"""Functions' code, by its ``id`` (it takes long to hash) and the shape of a large array that it has used."""

UNCHANGING: set[type] = {
    float, int, bool, complex, str, slice, range, NoneType, EllipsisType, np.float64, np.int64, np.bool_,
    np.float32, np.complex128, np.dtype, type,
}  # fmt: skip
"""Types of what no program can change; a traced value is another."""

_BUFFERS = (arrays.array, memoryview, bytearray)
"""What else NumPy reads numbers from."""
