"""The function as difference formulas need it: run at points beside x.

A formula asks for values at many points that differ from x in one coordinate or along one
direction. :class:`Function` runs f there: one after another, all in one call, or in a worker pool. It
counts the evaluations and refuses what would make the result wrong without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.containers import Structure, describe, flatten, paths
from diffkit.errors import DomainError, InputError
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.workers import Caught, mapper

Move = tuple[Any, Any] | None
"""One point: (index into the flat vector, the values there); None for x itself."""

LARGEST_BATCH = 1 << 23
"""How many numbers a vectorised f is given at once: 64 MB of them."""


CHANGES = (
    "f changes its argument: the numbers in it are not the same after the call. Take a copy in f first, "
    "x = x.copy(), or write y = x + 1 instead of x += 1"
)


class Function:
    """f, run at moved points, counted and checked.

    Args:
        f: the user's function.
        argument: the point.
        vectorized: whether f takes many points at once, stacked on a first axis.
        workers: how many processes to use, -1 for one per core, or a function like ``map``.
    """

    def __init__(
        self,
        f: Callable[[Any], Any],
        argument: Argument,
        *,
        vectorized: bool = False,
        workers: int | Callable[..., Any] | None = None,
    ) -> None:
        if not callable(f):
            raise InputError(f"f must be a function, got {describe(f)}")
        if vectorized and workers is not None:
            raise InputError(
                "vectorized=True makes one call of f, which workers= can't share: give one of them"
            )
        self.f = f
        self.argument = argument
        self.vectorized = vectorized
        self.map = mapper(workers)
        self.evaluations = 0
        self.structure: Structure | None = None
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: list[np.dtype[Any]] = []

    @property
    def is_scalar(self) -> bool:
        """Whether f returns one number."""
        return self.structure is not None and self.structure.is_leaf and self.shapes == [()]

    @cached_property
    def epsilon(self) -> np.ndarray[Any, Any]:
        """The machine epsilon of each number that f returns."""
        eps = [float(np.finfo(dtype).eps) for dtype in self.dtypes]
        return np.repeat(np.array(eps), [math.prod(shape) for shape in self.shapes])

    @property
    def size(self) -> int:
        """How many numbers f returns."""
        return sum(math.prod(shape) for shape in self.shapes)

    def __call__(self, moves: Sequence[Move]) -> np.ndarray[Any, Any]:
        """f's values at each point, flat: (points, outputs).

        Raises:
            DomainError: if f is not finite at a point, naming the point.
            InputError: if f returns something else than numbers, or another shape at one point
                than at another, or changes its argument.
        """
        values = self._run(moves)
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
            value = values[at][~np.isfinite(values[at])][0]
            raise DomainError(
                f"f is {value} at {self.point_name(moves[at])}: give bounds=, a smaller h, or a form that "
                "stays where f is defined"
            )
        return values

    def attempt(self, moves: Sequence[Move]) -> np.ndarray[Any, Any]:
        """The same where f may leave its domain: nan there."""
        with np.errstate(all="ignore"):
            return self._run(moves, strict=False)

    def point_name(self, move: Move) -> str:
        """A point as an error should name it: ``x[1] = 0.5``."""
        argument = self.argument
        if move is None:
            return argument.name if not argument.is_scalar else f"{argument.name} = {argument.flat[0]}"
        index, value = move
        if np.ndim(index) == 0 and not isinstance(index, slice):
            return f"{argument.coordinate_name(int(index))} = {value}"
        moved = argument.flat.copy()
        moved[index] = value
        places = np.flatnonzero(moved != argument.flat)
        if len(places) > 3:
            return f"{argument.name} moved in {len(places)} coordinates"
        return ", ".join(f"{argument.coordinate_name(int(i))} = {moved[i]}" for i in places)

    def _run(self, moves: Sequence[Move], strict: bool = True) -> np.ndarray[Any, Any]:
        self.evaluations += len(moves)
        if self.vectorized:
            width = max(1, LARGEST_BATCH // self.argument.flat.size)
            batches = [self._batch(moves[i : i + width]) for i in range(0, len(moves), width)]
            return np.concatenate(batches)
        if self.structure is None and len(moves):  # the first time, look closely
            first = self._first(moves[0], strict)
            if self.structure is None:
                return np.full((len(moves), 1), np.nan)
            return np.concatenate([first, self._rest(moves[1:], strict)]) if len(moves) > 1 else first
        return self._rest(moves, strict)

    def _point(self, move: Move) -> Any:
        flat = self.argument.flat.copy()
        if move is not None:
            flat[move[0]] = move[1]
        return self.argument.build(flat)

    def _first(self, move: Move, strict: bool) -> np.ndarray[Any, Any]:
        point, kept = self._point(move), self._point(move)
        out = self._call(point, move, strict)
        if not _same(point, kept):
            raise InputError(CHANGES)
        if out is None and not strict:
            return np.full((1, 1), np.nan)
        self._learn(out)
        return self._row(out, move)[None]

    def _call(self, point: Any, move: Move, strict: bool) -> Any:
        try:
            return self.f(point)
        except (ArithmeticError, ValueError) as error:
            if not strict and not isinstance(error, InputError):
                return None
            self._explain(error, move)
            raise

    def _explain(self, error: Exception, move: Move) -> None:
        """Arithmetic that fails, math.log(-1) or 1 / 0, is a matter of f's domain."""
        if not isinstance(error, InputError):
            raise DomainError(
                f"f fails at {self.point_name(move)}: {type(error).__name__}: {error}. Give bounds=, a "
                "smaller h, or a form that stays where f is defined"
            ) from error

    def _rest(self, moves: Sequence[Move], strict: bool) -> np.ndarray[Any, Any]:
        if self.map is not None:
            outs = list(self.map(Caught(self.f), [self._point(move) for move in moves]))
            rows = [self._result(out, move, strict) for out, move in zip(outs, moves, strict=True)]
        else:
            rows = self._loop(moves, strict)
        return np.array(rows).reshape(len(rows), self.size)

    def _loop(self, moves: Sequence[Move], strict: bool) -> list[Any]:
        """One evaluation after another: nothing in the loop that could be outside."""
        f, build, x, result, scalar = (
            self.f,
            self.argument.build,
            self.argument.flat,
            self._result,
            self.is_scalar,
        )
        rows = []
        for move in moves:
            flat = x.copy()
            if move is not None:
                flat[move[0]] = move[1]
            try:
                out = f(build(flat))
            except (ArithmeticError, ValueError) as error:
                out = error
            kind = type(out)
            plain = scalar and (kind is float or kind is np.float64)
            rows.append(out if plain else result(out, move, strict))
        return rows

    def _result(self, out: Any, move: Move, strict: bool) -> Any:
        """One result as a row, or the error in its place as nan or as what it means; a bare number if f
        returns one."""
        if isinstance(out, (ArithmeticError, ValueError)):
            if strict or isinstance(out, InputError):
                self._explain(out, move)
                raise out
            row = np.full(self.size, np.nan)
        else:
            row = self._row(out, move)
        return row[0] if self.is_scalar else row

    def _learn(self, out: Any) -> None:
        """What f returns: its nesting, shapes and dtypes."""
        leaves, structure = flatten(out)
        arrays = [
            _output_array(leaf, path) for leaf, path in zip(leaves, paths(structure, "f(x)"), strict=True)
        ]
        if not arrays:
            raise InputError(f"f returns {describe(out)}: expected a number, an array, or containers of them")
        self.structure = structure
        self.shapes = [a.shape for a in arrays]
        self.dtypes = [a.dtype for a in arrays]

    def _row(self, out: Any, move: Move) -> np.ndarray[Any, Any]:
        """One result, flat, in an array of its own (f may hand out the same buffer each time)."""
        if type(out) is np.ndarray and self.structure is not None and self.structure.is_leaf:
            if out.shape == self.shapes[0] and out.dtype.kind in ("f", self.dtypes[0].kind):
                return out.flatten()
            leaves, structure = [out], self.structure
        else:
            leaves, structure = flatten(out)
        arrays = [_output_array(leaf, "f(x)") for leaf in leaves]
        if structure != self.structure or [a.shape for a in arrays] != self.shapes:
            assert self.structure is not None
            expected = describe(
                self.structure.unflatten(
                    [np.zeros(s, d) for s, d in zip(self.shapes, self.dtypes, strict=True)]
                )
            )
            raise InputError(
                f"f returns {describe(out)} at {self.point_name(move)}, but {expected} at another point: "
                "its result must have one shape"
            )
        if any(a.dtype.kind == "c" and d.kind != "c" for a, d in zip(arrays, self.dtypes, strict=True)):
            return np.full(self.size, np.nan)  # (-1.0) ** 0.5 is complex in Python: outside of f's domain
        return np.concatenate([a.flatten() for a in arrays])

    def _batch(self, moves: Sequence[Move]) -> np.ndarray[Any, Any]:
        points = np.repeat(self.argument.flat[None], len(moves), axis=0)
        for row, move in zip(points, moves, strict=True):
            if move is not None:
                row[move[0]] = move[1]
        given = self.argument.build_batch(points)
        kept = self.argument.build_batch(points.copy())
        out = self.f(given)
        if not _same(given, kept):
            raise InputError(CHANGES)
        leaves, structure = flatten(out)
        arrays = [
            _output_array(leaf, path) for leaf, path in zip(leaves, paths(structure, "f(x)"), strict=True)
        ]
        for array in arrays:
            if array.shape[:1] != (len(moves),):
                raise InputError(
                    f"with vectorized=True, f gets {len(moves)} points stacked on a first axis, "
                    f"{describe(given)}, and must return as many results on its first axis; "
                    f"it returned {describe(out)}"
                )
        if self.structure is None:
            self.structure = structure
            self.shapes = [a.shape[1:] for a in arrays]
            self.dtypes = [a.dtype for a in arrays]
        return np.concatenate([a.reshape(len(moves), -1) for a in arrays], axis=1)


def _output_array(leaf: Any, path: str) -> np.ndarray[Any, Any]:
    array = np.asarray(leaf)
    if array.dtype.kind not in "fciu":
        hint = ": does it lack a return?" if leaf is None else ""
        raise InputError(f"{path} is {describe(leaf)}, where a number or an array was expected{hint}")
    return array if array.dtype.kind in "fc" else array.astype(float)


def _same(a: Any, b: Any) -> bool:
    """Whether two arguments have the same nesting and the same numbers."""
    (left, one), (right, other) = flatten(a), flatten(b)
    return one == other and all(np.array_equal(p, q) for p, q in zip(left, right, strict=True))
