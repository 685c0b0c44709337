"""Operations that move entries about without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import enter
from diffkit.grading.draws import normal
from diffkit.grading.exercises.exercise import Case

Array = Any


def concatenate(x: Array, y: Array, axis: int = 0) -> Array:
    """x and then y, along an axis."""
    return np.concatenate([x, y], axis=axis)


def stack(x: Array, y: Array, axis: int = 0) -> Array:
    """x and then y, along a new axis."""
    return np.stack([x, y], axis=axis)


def reshape(x: Array, shape: tuple[int, ...] = (-1,)) -> Array:
    """The entries of x in another shape."""
    return np.reshape(x, shape)


def transpose(x: Array) -> Array:
    """The transpose of a matrix."""
    return np.transpose(x)


def permute(x: Array, axes: tuple[int, ...] = (1, 2, 0)) -> Array:
    """The axes of x in another order."""
    return np.transpose(x, axes)


def broadcast(x: Array, shape: tuple[int, ...] = (4, 3)) -> Array:
    """x, repeated to a larger shape by the rules of broadcasting."""
    return np.broadcast_to(x, shape)


def flip(x: Array, axis: int = 0) -> Array:
    """The entries in reverse order along an axis."""
    return np.flip(x, axis=axis)


enter(
    concatenate,
    [
        Case("vectors", normal("n"), normal("m")),
        Case("of equal length", normal("n"), normal("n")),
        Case("along axis 0", normal("nm"), normal("km"), axis=0),
        Case("along axis 1", normal("nm"), normal("nk"), axis=1),
        Case("squares along axis 1", normal("nn"), normal("nn"), axis=1),
        Case("negative axis", normal("nm"), normal("nk"), axis=-1),
        Case("empty", normal("0"), normal("n")),
    ],
)
enter(
    stack,
    [
        Case("vectors", normal("n"), normal("n")),
        Case("along axis 1", normal("n"), normal("n"), axis=1),
        Case("matrices", normal("nn"), normal("nn"), axis=2),
    ],
)
enter(
    reshape,
    [
        Case("to a vector", normal("nm")),
        Case("to a matrix", normal("6"), shape=(2, 3)),
        Case("to another matrix", normal("46"), shape=(8, 3)),
        Case("transposed shape", normal("34"), shape=(4, 3)),
        Case("an axis more", normal("23"), shape=(2, 1, 3)),
        Case("0-d", normal(""), shape=(1, 1)),
    ],
)
enter(
    transpose,
    [
        Case("rectangular", normal("nm")),
        Case("square", normal("nn")),
        Case("one row", normal("1m")),
        Case("empty", normal("0n")),
    ],
)
enter(
    permute,
    [
        Case("a cycle of three", normal("nmk"), axes=(1, 2, 0)),
        Case("the other cycle", normal("nmk"), axes=(2, 0, 1)),
        Case("two swapped", normal("nmk"), axes=(0, 2, 1)),
        Case("a cycle of three equal axes", normal("nnn"), axes=(1, 2, 0)),
        Case("four axes", normal("2345"), axes=(2, 0, 3, 1)),
    ],
)
enter(
    broadcast,
    [
        Case("a new axis", normal("3"), shape=(4, 3)),
        Case("a column", normal("41"), shape=(4, 3)),
        Case("0-d", normal(""), shape=(2, 3)),
        Case("square and a column", normal("31"), shape=(3, 3)),
        Case("square and a row", normal("3"), shape=(3, 3)),
        Case("both", normal("131"), shape=(2, 3, 4)),
        Case("nothing to repeat", normal("23"), shape=(2, 3)),
    ],
)
enter(
    flip,
    [
        Case("a vector", normal("n")),
        Case("along axis 0", normal("nm"), axis=0),
        Case("along axis 1", normal("nm"), axis=1),
        Case("square along axis 1", normal("nn"), axis=1),
    ],
)
