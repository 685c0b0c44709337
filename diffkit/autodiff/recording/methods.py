"""What a traced value has in common with an array: attributes of its value, and methods.

Every method is the NumPy function of the same name, so the rules are written once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from diffkit.autodiff.recording.primitive import ASTYPE

__all__ = ["ArrayMethods"]

np: Any = numpy
"""NumPy, without its types: those know no traced values."""


class ArrayMethods:
    """The attributes and methods of ``numpy.ndarray`` that a traced value has."""

    __slots__ = ()

    value: Any
    __getitem__: Any
    __setitem__: Any
    __iter__: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a float."""
        shape: tuple[int, ...] = getattr(self.value, "shape", ())
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
        value = self.value
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
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    @property
    def flat(self) -> Any:
        """The elements one after the other."""
        return iter(np.ravel(self))

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
        return ASTYPE(self, np.dtype(dtype))

    def copy(self) -> Any:
        """``np.copy``."""
        return np.copy(self)

    def conj(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    def conjugate(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    def flatten(self, order: str = "C") -> Any:
        """``np.ravel``."""
        return np.ravel(self, order)

    def item(self, *index: Any) -> Any:
        """One element, still traced."""
        flat: Any = np.ravel(self)
        if not index:
            if self.size != 1:
                raise ValueError(f"item() needs an array with one element; this one has {self.size}")
            return flat[0]
        return self[index if len(index) > 1 else index[0]] if self.ndim == len(index) else flat[index[0]]

    def tolist(self) -> Any:
        """The elements in nested lists, still traced."""
        return [part.tolist() for part in self] if self.ndim else self

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """``np.clip``, whose limits have had these names from NumPy 2.1 on."""
        return np.clip(self, min, max)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """``np.compress``, which has the condition first."""
        return np.compress(condition, self, axis=axis)

    def fill(self, value: Any) -> None:
        """Refused, as every change in place is."""
        self[...] = value

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Refused, as every change in place is; ``np.sort`` gives a sorted copy."""
        self[...] = None


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
    setattr(ArrayMethods, _name, _method(_name))
