"""The adjoint of an array that is read element by element.

Reading ``x[k]`` gives back an adjoint that is zero but at k. Written out, n such arrays would take n^2
steps and n^2 memory; kept as :class:`Scatter` and gathered in one :class:`Accumulator`, they take n.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.infix import PENDING
from diffkit.autodiff.recording.tracer import Node

__all__ = ["Accumulator", "Scatter"]


class Scatter:
    """An adjoint that is zero but for ``g`` at ``index``: what reading ``x[index]`` gives back.

    >>> Scatter(2.0, 1, np.zeros(3)).dense()
    array([0., 2., 0.])
    """

    __slots__ = ("g", "index", "like")
    __array_ufunc__ = None  # so that array + Scatter asks us

    def __init__(self, g: Any, index: Any, like: Any) -> None:
        self.g, self.index, self.like = g, index, like

    def add_to(self, array: np.ndarray) -> None:
        """Adds itself in place; a repeated index adds up."""
        if _is_basic(self.index):
            array[self.index] += self.g
        else:
            np.add.at(array, self.index, self.g)

    def dense(self) -> Any:
        """The array that it stands for."""
        array = np.zeros_like(self.like)
        self.add_to(array)
        return array

    def __add__(self, other: Any) -> Any:
        if type(other) is Node:
            return other + self.dense()
        return Accumulator(self.dense()) + other

    __radd__ = __add__


class Accumulator:
    """A sum of adjoints that owns its array, so that it can grow in place."""

    __slots__ = ("array",)
    __array_ufunc__ = None

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def dense(self) -> np.ndarray:
        """The sum."""
        return self.array

    def __add__(self, other: Any) -> Any:
        if type(other) is Scatter:
            other.add_to(self.array)
            return self
        if type(other) is Node:
            return other + self.array
        self.array += other.array if type(other) is Accumulator else other
        return self

    __radd__ = __add__


PENDING.update((Scatter, Accumulator))


def _is_basic(index: Any) -> bool:
    """Whether an index only selects a view, so that no element can occur in it twice."""
    parts = index if type(index) is tuple else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, int | slice | np.integer) for p in parts)
