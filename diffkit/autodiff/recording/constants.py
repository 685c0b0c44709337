"""The plain arrays that a trace refers to, and what becomes of them if the program changes one in place.

A row is about the numbers that its arguments had when it was made. Its traced arguments never change, but
a plain array may: a buffer that is filled anew in each round, a state that is updated by ``+=``. A sweep
that read it then would give the derivative of another program, without a word. So of a small array a row
has a copy. Of a large one, a data set say, a copy in each row that uses it would take more memory than all
the rest: it is made read-only instead until the trace is complete, and NumPy raises where it is changed.

A view of it that was taken before can still be written to, and a program may well fill a large array anew. So
the first time that a function is traced with an array of this kind, rows have copies of large ones as well.
If one of them is seen to change, it stays so for that function; else its arrays are locked from then on.
(To copy each time would take as long as a product of a matrix and a vector does.)
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


def _repeated(array: ndarray) -> ndarray | None:
    """A copy of the elements that there are in memory of an array repeated along an axis; None of others."""
    repeated = [k for k, step in enumerate(array.strides) if step == 0 and array.shape[k] > 1]
    if not repeated:
        return None
    one = array[tuple([0 if k in repeated else slice(None) for k in range(array.ndim)])]
    return np.broadcast_to(np.expand_dims(copied_as_laid_out(one), repeated), array.shape)


class Constants:
    """The plain arrays among the arguments of one recording's rows.

    >>> import numpy as np
    >>> constants = Constants()
    >>> state = np.ones(2)
    >>> kept = constants.keep(state)
    >>> state += 1.0
    >>> kept, constants.keep(state)
    (array([1., 1.]), array([2., 2.]))

    A large one is followed as well the first time, and as long as it changes:

    >>> def traced():
    ...     constants, data = Constants("a function"), np.ones(1000)
    ...     first = constants.keep(data)
    ...     data += 1.0
    ...     second = constants.keep(data)
    ...     constants.release()
    ...     return first[0], second[0]
    >>> traced(), traced()
    ((np.float64(1.0), np.float64(2.0)), (np.float64(1.0), np.float64(2.0)))
    """

    __slots__ = ("_copies", "_first", "_locked", "function")

    def __init__(self, function: Any = None) -> None:
        self._copies: dict[int, tuple[ndarray, ndarray]] = {}  # by id: the array, and its latest copy
        self._locked: list[ndarray] = []
        self._first: dict[Any, bool] = {}  # kinds of large ones not met before, and whether one changed
        self.function = function

    def keep(self, array: ndarray) -> ndarray:
        """An array as a row may keep it.

        That is the same copy for as long as the array does not change, so that rows can be seen to agree.
        """
        is_large = array.nbytes > _SMALL
        if is_large:
            repeated = _repeated(array) if 0 in array.strides else None
            if repeated is not None or self._is_still(array):
                return self._lock(array) if repeated is None else repeated
        key = id(array)
        known = self._copies.get(key)
        if known is not None:
            copy = known[1]
            if copy.shape == array.shape and copy.tobytes() == array.tobytes():
                return copy
            if is_large:
                self._first[self._kind(array)] = True
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

    def _kind(self, array: ndarray) -> Any:
        return id(self.function), array.shape

    def _is_still(self, array: ndarray) -> bool:
        """Whether an array can't change, or no array of its kind has, the first time."""
        if array.flags.owndata and not array.flags.writeable:
            return True
        kind = self._kind(array)
        if kind in self._first:
            return False
        known = _seen.get(kind)
        if known is None:
            self._first[kind] = False
            return False
        return not known[1]

    def _lock(self, array: ndarray) -> ndarray:
        """The array itself, read-only from now on, and so is the one that it is a view of."""
        if type(array.base) is ndarray:
            self._lock(array.base)
        if array.flags.writeable:
            array.setflags(write=False)
            self._locked.append(array)
        return array

    def follow(self) -> bool:
        """From the next call on, arrays of the kinds that are locked now are copied; False if none is."""
        for array in self._locked:
            _seen[self._kind(array)] = self.function, True
        return bool(self._locked)

    def release(self) -> None:
        """Makes the arrays writeable again that were so before, and notes which kinds have changed."""
        if not self._copies and not self._locked:
            return
        if self._first:
            for array, copy in self._copies.values():
                kind = self._kind(array)
                if self._first.get(kind) is False:
                    self._first[kind] = copy.tobytes() != array.tobytes()
            if len(_seen) > _MOST_SEEN:
                _seen.clear()
            for kind, changed in self._first.items():
                _seen[kind] = self.function, changed
            self._first.clear()
        for locked in self._locked:  # in this order, for no view can be writeable before its whole is
            locked.setflags(write=True)
        for kept in (self._locked, self._copies):
            if kept:
                kept.clear()


_MOST_SEEN = 10_000
_seen: dict[Any, tuple[Any, bool]] = {}
"""By a function's code (its ``id``, for it takes long to hash) and the shape of a large array that it used:
the code, and whether an array of that shape was changed after it was used."""

UNCHANGING: set[type] = {
    float, int, bool, complex, str, slice, range, NoneType, EllipsisType, np.float64, np.int64, np.bool_,
    np.float32, np.complex128, np.dtype, type,
}  # fmt: skip
"""Types of what no program can change; a traced value is another."""

_BUFFERS = (arrays.array, memoryview, bytearray)
"""What else NumPy reads numbers from."""
