"""What the inputs of an exercise are drawn from: shapes with named sizes, values in short decimals.

A shape is written as text, a letter for each axis: ``normal("nm")`` has two axes. In one instance a
letter stands for one size, and different letters for different sizes from 2 to 5, so that a
mistaken axis shows. Digits are sizes as they stand: ``normal("n1")``, ``normal("0")`` (empty),
``normal("")`` (no axes).

>>> import numpy as np
>>> sizes, rng = Sizes(np.random.default_rng(5)), np.random.default_rng(5)
>>> x, y = normal("nm")(rng, sizes), normal("m")(rng, sizes)
>>> x.shape[1] == y.shape[0], x.shape[0] != x.shape[1]
(True, True)
>>> at(0.0, -1.5)(rng, sizes)
array([ 0. , -1.5])
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffkit.errors import InputError

Generator = np.random.Generator
Array = np.ndarray[Any, Any]


class Sizes:
    """The sizes that the letters of one instance stand for, chosen as they come up."""

    def __init__(self, rng: Generator, **fixed: int) -> None:
        self._free = [int(n) for n in rng.permutation([2, 3, 4, 5])]
        self._sizes = dict(fixed)
        self._rng = rng

    def size(self, letter: str) -> int:
        """The size of an axis."""
        if letter.isdigit():
            return int(letter)
        if letter not in self._sizes:
            self._sizes[letter] = self._free.pop() if self._free else int(self._rng.integers(2, 6))
        return self._sizes[letter]

    def shape(self, axes: str) -> tuple[int, ...]:
        """The shape that a text stands for."""
        if not isinstance(axes, str) or not all(letter.isalnum() for letter in axes):
            raise InputError(
                f"axes are a text of a letter or digit for each axis, such as 'nm', not {axes!r}"
            )
        return tuple(map(self.size, axes))


@dataclass(frozen=True)
class Draw:
    """What one argument is drawn from.

    Attributes:
        values: takes a random generator and the instance's sizes to an array.
        differentiable: whether the argument is one to differentiate by. Labels, indices and masks
            are not.

    >>> rng = np.random.default_rng(0)
    >>> Draw(lambda rng, sizes: np.ones(sizes.shape("3")))(rng, Sizes(rng))
    array([1., 1., 1.])
    """

    values: Callable[[Generator, Sizes], Any]
    differentiable: bool = True

    def __call__(self, rng: Generator, sizes: Sizes) -> Any:
        return self.values(rng, sizes)


def _from_grid(rng: Generator, shape: tuple[int, ...], grid: Array) -> Array:
    """Different values where there are enough of them, so that ties come by intention only."""
    size = int(np.prod(shape))
    return rng.choice(grid, size=size, replace=size > len(grid)).reshape(shape)


def _steps(low: float, high: float, count: int) -> Array:
    grid: Array = np.linspace(low, high, count).round(6)
    return grid


def _numbers(values: Any) -> Array:
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"these are no numbers: {values!r}") from None


def _draw(value: Any) -> Draw:
    if not isinstance(value, Draw):
        raise InputError(f"a draw is wanted, such as normal('nm'), not {value!r}")
    return value


def normal(axes: str) -> Draw:
    """Numbers of both signs between -3 and 3, never 0, in steps of 0.05.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> normal("34")(rng, Sizes(rng)).shape
    (3, 4)
    """
    grid = np.concatenate([_steps(-3, -0.05, 60), _steps(0.05, 3, 60)])
    return Draw(lambda rng, sizes: _from_grid(rng, sizes.shape(axes), grid))


def positive(axes: str) -> Draw:
    """Numbers between 0.1 and 4.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> bool(positive("55")(rng, Sizes(rng)).min() >= 0.1)
    True
    """
    return between(0.1, 4.0, axes)


def between(low: float, high: float, axes: str) -> Draw:
    """Numbers between two bounds, 79 of them and in even steps.

    Args:
        low, high: the bounds.
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> bool(between(-1.0, 1.0, "9")(rng, Sizes(rng)).max() <= 1.0)
    True
    """
    return Draw(lambda rng, sizes: _from_grid(rng, sizes.shape(axes), _steps(low, high, 79)))


def away_from_zero(axes: str) -> Draw:
    """Numbers of both signs, of size 0.5 to 3: what one can divide by.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> bool(np.abs(away_from_zero("9")(rng, Sizes(rng))).min() >= 0.5)
    True
    """
    grid = np.concatenate([_steps(-3, -0.5, 51), _steps(0.5, 3, 51)])
    return Draw(lambda rng, sizes: _from_grid(rng, sizes.shape(axes), grid))


def at(*values: Any) -> Draw:
    """These values, in a random order along the last axis, whichever is drawn.

    Args:
        *values: numbers, or rows of them. A number alone stands for an array without axes.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the values are no numbers.

    >>> rng = np.random.default_rng(5)
    >>> sorted(at(0.0, -1.5)(rng, Sizes(rng)).tolist())
    [-1.5, 0.0]
    """
    array = _numbers(values[0] if len(values) == 1 else values)

    def shuffled(rng: Generator, sizes: Sizes) -> Array:
        return rng.permutation(array, axis=-1) if array.ndim else array.copy()

    return Draw(shuffled)


def scaled(draw: Draw, factor: float) -> Draw:
    """The values of another draw times a factor: very large, or very small.

    Args:
        draw: the other draw.
        factor: what its values are multiplied by.

    Returns:
        a :class:`Draw`, differentiated by if the other is.

    Raises:
        InputError: if the other is no draw.

    >>> rng = np.random.default_rng(5)
    >>> scaled(at(2.0), 1e6)(rng, Sizes(rng))
    np.float64(2000000.0)
    """
    return replace(_draw(draw), values=lambda rng, sizes: draw(rng, sizes) * factor)


def invertible(axes: str) -> Draw:
    """Square matrices that are far from singular: random ones with a dominant diagonal.

    Diagonally dominant by rows, so invertible (Gershgorin; Horn and Johnson, Matrix Analysis, 6.1);
    the diagonal has both signs.

    Args:
        axes: two or more, of which the last two have one size: ``"nn"``.

    Returns:
        a :class:`Draw` of arrays of float64, differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> bool(abs(np.linalg.det(invertible("33")(rng, Sizes(rng)))) > 1)
    True
    """

    def values(rng: Generator, sizes: Sizes) -> Array:
        a: Array = rng.integers(-20, 21, sizes.shape(axes)) / 20
        n = a.shape[-1]
        a += np.eye(n) * rng.choice([-1, 1], n) * (n + 0.5)
        return a

    return Draw(values)


def integers(low: int, high: int, axes: str) -> Draw:
    """Whole numbers; not differentiated by.

    Args:
        low: the least.
        high: one more than the largest.
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of int64 that is not differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> set(integers(0, 2, "9")(rng, Sizes(rng)).tolist()) <= {0, 1}
    True
    """
    return Draw(lambda rng, sizes: rng.integers(low, high, sizes.shape(axes)), differentiable=False)


def labels(axes: str, below: str, *, repeated: bool = False) -> Draw:
    """Indices into an axis; not differentiated by.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.
        below: the letter of the axis that they go into.
        repeated: whether at least two of them are the same.

    Returns:
        a :class:`Draw` of arrays of int64 that is not differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> bool(labels("n", "3")(rng, Sizes(rng)).max() < 3)
    True
    """

    def values(rng: Generator, sizes: Sizes) -> Array:
        found = rng.integers(0, sizes.size(below), sizes.shape(axes))
        if repeated:
            found.flat[-1] = found.flat[0]
        return found

    return Draw(values, differentiable=False)


def one_hot(axes: str) -> Draw:
    """Rows with a single 1 in them, as targets; not differentiated by.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.

    Returns:
        a :class:`Draw` of arrays of float64 that is not differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> one_hot("43")(rng, Sizes(rng)).sum(axis=1)
    array([1., 1., 1., 1.])
    """

    def values(rng: Generator, sizes: Sizes) -> Array:
        *rows, n = sizes.shape(axes)
        return np.eye(n)[rng.integers(0, n, rows)]

    return Draw(values, differentiable=False)


def random_mask(axes: str, keep: float = 0.6) -> Draw:
    """Zeros and ones, with at least one of each if there is room; not differentiated by.

    Args:
        axes: a letter or a digit for each axis: ``"nm"``, ``"n1"``, ``""`` for none.
        keep: the share of ones.

    Returns:
        a :class:`Draw` of arrays of float64 that is not differentiated by.

    Raises:
        InputError: if the axes are not letters and digits.

    >>> rng = np.random.default_rng(5)
    >>> sorted(set(random_mask("44")(rng, Sizes(rng)).ravel().tolist()))
    [0.0, 1.0]
    """

    def values(rng: Generator, sizes: Sizes) -> Array:
        kept: Array = (rng.random(sizes.shape(axes)) < keep).astype(float)
        if kept.size > 1:
            first, second = rng.permutation(kept.size)[:2]
            kept.flat[first], kept.flat[second] = 0.0, 1.0
        return kept

    return Draw(values, differentiable=False)


def mask(*values: float) -> Draw:
    """These values, not differentiated by.

    Args:
        *values: numbers.

    Returns:
        a :class:`Draw` of one array that is not differentiated by.

    Raises:
        InputError: if the values are no numbers.

    >>> rng = np.random.default_rng(5)
    >>> mask(1.0, 0.0)(rng, Sizes(rng))
    array([1., 0.])
    """
    return constant(_numbers(values))


def fixed(draw: Draw) -> Draw:
    """The values of another draw, not differentiated by: targets, weights that stay.

    Args:
        draw: the other draw.

    Returns:
        a :class:`Draw` of the same values.

    Raises:
        InputError: if the other is no draw.

    >>> rng = np.random.default_rng(5)
    >>> fixed(at(2.0)).differentiable
    False
    """
    return replace(_draw(draw), differentiable=False)


def constant(value: Any) -> Draw:
    """This array, not differentiated by; or, if it holds no numbers, this dict, text, slice ... as it is.

    Args:
        value: a number, an array, or lists of numbers, which become one; or whatever else a submission can
            be handed: None, a text, a slice, a tuple or dict of parameters.

    >>> rng = np.random.default_rng(0)
    >>> constant({"stride": 2})(rng, Sizes(rng)), constant([1.0, 2.0])(rng, Sizes(rng))
    ({'stride': 2}, array([1., 2.]))
    """
    numeric = isinstance(value, int | float | complex | list | np.ndarray | np.generic)
    if numeric and np.asarray(value).dtype.kind in "biufc":
        return Draw(lambda rng, sizes: np.array(value), differentiable=False)
    return Draw(lambda rng, sizes: copy.deepcopy(value), differentiable=False)


def drawn(draws: Sequence[Draw], rng: Generator, sizes: Sizes) -> tuple[Any, ...]:
    """One value from each."""
    return tuple(draw(rng, sizes) for draw in draws)
