"""Adjoints that are zero in most places: of an array that is read element by element, of several answers.

Reading ``x[k]`` gives back an adjoint that is zero but at k. Written out, n such arrays would take n^2
steps and n^2 memory; kept as :class:`Scatter` and gathered in one :class:`Accumulator`, they take n. A
function with several answers is one row, and each answer a row that takes its part: what they give back
is gathered in :class:`Parts`. :func:`dense` writes such an adjoint out, once all has been added to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import same_container, zeros_like
from diffkit.autodiff.recording.infix import PENDING
from diffkit.autodiff.recording.places import is_basic
from diffkit.autodiff.recording.tracer import PART, Array, Primitive, is_traced, plain


def scattered(g: Any, index: Any, like: Any) -> Any:
    """Zeros like an array, with g added at an index; where that repeats itself, all adds up."""
    array = np.zeros_like(like)
    of_view = (int, np.integer, slice, type(None), type(...))
    parts = index if type(index) is tuple else (index,)
    if all(isinstance(part, of_view) for part in parts):
        array[index] += g
    else:
        np.add.at(array, index, g)
    return array


def _scattered_or_recorded(g: Any, index: Any, like: Any) -> Any:
    return (scatter if is_traced(g) else scattered)(g, index, like)


_scattered_or_recorded.__wrapped__ = scattered  # type: ignore[attr-defined]  # what it does to plain values
scatter = Primitive("scatter", _scattered_or_recorded)
"""The transpose of reading ``x[index]``: zeros like x, with g added at the index."""


_MANY = 16
"""An array of so many times the places is added to by place, in a recorded sweep: that takes several rows."""


class Scatter:
    """An adjoint that is zero but for ``g`` at ``index``: what reading ``x[index]`` gives back.

    >>> Scatter(2.0, 1, np.zeros(3)).dense()
    array([0., 2., 0.])
    """

    __slots__ = ("g", "index", "like")
    __array_ufunc__ = None  # so that array + Scatter asks us

    def __init__(self, g: Any, index: Any, like: Any) -> None:
        self.g, self.index, self.like = g, index, like

    def add_to(self, array: Any) -> None:
        """Adds itself in place; a repeated index adds up."""
        if is_basic(self.index):
            array[self.index] += self.g
        elif type(array) is Array and np.size(plain(self.g)) * _MANY > array.size:
            array += self.dense()
        else:
            np.add.at(array, self.index, self.g)

    def dense(self) -> Any:
        """The array that it stands for."""
        array: Any = np.zeros(self.like.shape, self.like.dtype)
        if is_traced(self.g):
            return scatter(self.g, self.index, array)
        self.add_to(array)
        return array

    def __add__(self, other: Any) -> Any:
        return other + self if type(other) is Accumulator else Accumulator(self.dense()) + other

    __radd__ = __add__


class Accumulator:
    """A sum of adjoints that owns its array, so that it can grow in place."""

    __slots__ = ("array",)
    __array_ufunc__ = None

    def __init__(self, array: Any) -> None:
        self.array = array

    def dense(self) -> Any:
        """The sum."""
        return self.array

    def __add__(self, other: Any) -> Any:
        if type(other) is Scatter:
            self.to_be_given(other.g)
            other.add_to(self.array)
            return self
        given = other.array if type(other) is Accumulator else other
        self.to_be_given(given)
        self.array += given
        return self

    __radd__ = __add__

    def to_be_given(self, value: Any) -> None:
        """Makes the array one that can hold a value, if that is traced."""
        if is_traced(value) and type(self.array) is np.ndarray:
            self.array = Array(self.array)


class Parts:
    """The adjoint of a row with several answers: those of the answers that were used, by place.

    >>> Parts((1.0, 2.0, 3.0), {1: 5.0}).dense()
    (0.0, 5.0, 0.0)
    """

    __slots__ = ("answers", "by_place")

    def __init__(self, answers: Any, by_place: dict[int, Any]) -> None:
        self.answers, self.by_place = answers, by_place

    def __add__(self, other: Parts) -> Parts:
        for k, g in other.by_place.items():
            self.by_place[k] = self.by_place[k] + g if k in self.by_place else g
        return self

    def dense(self) -> Any:
        """One for each answer, a zero where there is none, in the container that the answers came in."""
        found = (self.by_place.get(k) for k in range(len(self.answers)))
        return same_container(
            self.answers,
            [zeros_like(y) if g is None else g for g, y in zip(found, self.answers, strict=True)],
        )


SPARSE = frozenset({Scatter, Accumulator, Parts})

PENDING.update((Scatter, Accumulator))
PART.vjps = (lambda g, ans, answers, k: Parts(answers, {k: g}),)
PART.jvps = (lambda t, ans, answers, k: t[k],)


def dense(adjoint: Any) -> Any:
    """An adjoint written out, now that nothing will be added to it."""
    return adjoint.dense() if type(adjoint) in SPARSE else adjoint
