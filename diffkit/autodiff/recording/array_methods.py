"""What a traced value has in common with an array: attributes of its value, and methods.

Every method is the NumPy function of the same name, so the rules are written once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy

from diffkit.autodiff.recording.primitive import ASTYPE, NO_KWARGS, PYTHONS, Primitive
from diffkit.autodiff.recording.refusals import refuse

np: Any = numpy
"""NumPy, without its types: those know no traced values."""


def _pythons(number: Any) -> Any:
    """A number as one of Python's, which divide by zero, and round, in their own way."""
    inside = number
    while hasattr(type(inside), "concrete"):
        inside = inside.value
    kind: Any = PYTHONS.get(inside.dtype.kind) if isinstance(inside, numpy.generic | numpy.ndarray) else None
    if kind is None or inside is number:
        return number if kind is None else number.item()
    return Primitive.apply(ASTYPE, (number, kind), NO_KWARGS, sys._getframe(2))


class Flat:
    """``x.flat``: the elements in C's order, which can be gone through, read and written by their places."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __iter__(self) -> Any:
        return iter(np.ravel(self.array))

    def __len__(self) -> int:
        return int(self.array.size)

    def __getitem__(self, index: Any) -> Any:
        return np.ravel(self.array)[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        def write(here: Any, there: Any) -> None:
            here.flat[index] = there

        if not self.array.write_as(write, value):
            np.put(self.array, np.arange(len(self))[index], value)


class ArrayMethods:
    """The attributes and methods of ``numpy.ndarray`` that a traced value has."""

    __slots__ = ()

    data: Any
    __getitem__: Any
    __setitem__: Any
    __iter__: Any
    write_as: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a float."""
        shape: tuple[int, ...] = getattr(self.data, "shape", ())
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the value; float64 for a Python float."""
        value = self.data
        return value.dtype if hasattr(value, "dtype") else np.result_type(value)

    @property
    def T(self) -> Any:
        """The transpose."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        """The real part, a view."""
        return np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        np.real(self)[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary part, a view."""
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        np.imag(self)[...] = value

    @property
    def flat(self) -> Any:
        """The elements one after the other, to be read and written."""
        return Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        def write(here: Any, there: Any) -> None:
            here.flat = there

        if not self.write_as(write, value):
            np.put(self, np.arange(self.size), value)

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """``np.reshape``; the shape as one tuple or as several integers."""
        given: Any = shape[0] if len(shape) == 1 else shape
        return np.reshape(self, given, order=order)

    def transpose(self, *axes: Any) -> Any:
        """``np.transpose``; the axes as one tuple or as several integers."""
        given: Sequence[int] | None = axes[0] if len(axes) == 1 else (axes or None)
        return np.transpose(self, given)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """A copy with another dtype."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return Primitive.apply(ASTYPE, (self, np.dtype(dtype)), NO_KWARGS, sys._getframe(1))

    def copy(self, order: str = "C") -> Any:
        """``np.copy``."""
        return np.copy(self) if order == "C" else np.copy(self, order)

    def view(self, *kind: Any) -> Any:
        """The same memory, seen once more; as another dtype or class it is refused."""
        if kind and kind != (self.dtype,):
            refuse(
                "a traced array was to be seen as another dtype or class (np.matrix, for one)",
                "convert what it meets to a plain array (np.asarray), or use .astype",
                sys._getframe(1),
            )
        return self[...]

    def conj(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    def conjugate(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    def flatten(self, order: str = "C") -> Any:
        """``np.ravel``, in memory of its own."""
        flat = np.ravel(self, order)
        return flat.alias() if hasattr(type(flat), "alias") else flat

    def item(self, *index: Any) -> Any:
        """One element as a number of Python's, still traced."""
        if not index:
            if self.size != 1:
                raise ValueError(f"item() needs an array with one element; this one has {self.size}")
            index = (0,) * self.ndim
        if len(index) == 1 and self.ndim != 1:
            return _pythons(np.ravel(self)[index[0]])
        return _pythons(self[index] if hasattr(type(self), "memory") else self)

    def tolist(self) -> Any:
        """The elements in nested lists, as numbers of Python's, still traced."""
        return [part.tolist() for part in self] if self.ndim else _pythons(self)

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> Any:
        """``np.clip``, whose limits have had these names from NumPy 2.1 on."""
        return np.clip(self, min, max, out=out)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """``np.compress``, which has the condition first."""
        return np.compress(condition, self, axis=axis)

    def fill(self, value: Any) -> None:
        """Makes all elements the same."""
        self[...] = value

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Sorts in place; ``np.sort`` gives a sorted copy."""
        self[...] = np.sort(self, *args, **kwargs)

    def partition(self, *args: Any, **kwargs: Any) -> None:
        """Partitions in place; ``np.partition`` gives a partitioned copy."""
        self[...] = np.partition(self, *args, **kwargs)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """``np.put``."""
        np.put(self, indices, values, mode)


def _method(name: str) -> Any:
    function = getattr(np, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"``np.{name}``."
    return method


for _name in (
    "all any argmax argmin argsort choose cumprod cumsum diagonal dot max mean min nonzero "
    "prod ptp ravel repeat round searchsorted squeeze std sum swapaxes take trace var"
).split():
    if hasattr(numpy.ndarray, _name):  # NumPy 2's arrays have no ptp
        setattr(ArrayMethods, _name, _method(_name))
