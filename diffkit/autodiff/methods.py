"""What a traced value has in common with an array: attributes of its value, and methods.

Every method is the NumPy function of the same name, so the rules are written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """The attributes and methods of ``numpy.ndarray`` that a traced value has."""

    __slots__ = ()

    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a float."""
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.size(self.value))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value; float64 for a Python float."""
        value = self.value
        return value.dtype if hasattr(value, "dtype") else np.result_type(value)

    @property
    def T(self) -> Any:
        """The transpose."""
        return np.transpose(self)  # type: ignore[arg-type]

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return np.swapaxes(self, -1, -2)  # type: ignore[call-overload]

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)  # type: ignore[type-var]

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)  # type: ignore[type-var]

    @property
    def flat(self) -> Any:
        """The elements one after the other."""
        return iter(np.ravel(self))  # type: ignore[arg-type]

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """``np.reshape``; the shape as one tuple or as several integers."""
        given: Any = shape[0] if len(shape) == 1 else shape
        return np.reshape(self, given, order=order)  # type: ignore[call-overload]

    def transpose(self, *axes: Any) -> Any:
        """``np.transpose``; the axes as one tuple or as several integers."""
        given: Sequence[int] | None = axes[0] if len(axes) == 1 else (axes or None)
        return np.transpose(self, given)  # type: ignore[arg-type]

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """A copy with another dtype."""
        from diffkit.autodiff.rules.shaping import astype

        return astype(self, np.dtype(dtype))

    def copy(self) -> Any:
        """``np.copy``."""
        return np.copy(self)  # type: ignore[arg-type]

    def conj(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)  # type: ignore[call-overload]

    def conjugate(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)  # type: ignore[call-overload]

    def flatten(self, order: str = "C") -> Any:
        """``np.ravel``."""
        return np.ravel(self, order)  # type: ignore[call-overload]

    def item(self, *index: Any) -> Any:
        """One element, still traced."""
        flat: Any = np.ravel(self)  # type: ignore[arg-type]
        if not index:
            if self.size != 1:
                raise ValueError(f"item() needs an array with one element; this one has {self.size}")
            return flat[0]
        return self[index if len(index) > 1 else index[0]] if self.ndim == len(index) else flat[index[0]]  # type: ignore[index]

    def fill(self, value: Any) -> None:
        """Refused, as every change in place is."""
        self[...] = value  # type: ignore[index]

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Refused, as every change in place is; ``np.sort`` gives a sorted copy."""
        self[...] = None  # type: ignore[index]


def _method(name: str) -> Any:
    function = getattr(np, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"``np.{name}``."
    return method


for _name in (
    "all any argmax argmin argsort choose clip compress cumprod cumsum diagonal dot max mean min nonzero "
    "prod ptp ravel repeat round searchsorted squeeze std sum swapaxes take trace var"
).split():
    setattr(ArrayMethods, _name, _method(_name))
