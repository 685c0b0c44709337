"""The two sweeps: tangents down a trace, adjoints up it.

Both walk the rows in the order in which they stand, forward or backward, and keep their results in
a list by row. Nothing recurses, nothing is sorted. The rules that they apply are made of operators
and NumPy calls, so a sweep whose values are nodes of an outer trace is itself recorded: that is how
the adjoint program comes about, and every higher derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.rules.elementwise import complete_rules
from diffkit.autodiff.rules.register import fit
from diffkit.autodiff.tracer import INPUT, PART, Node, Primitive, Recording
from diffkit.errors import NoRuleError, TraceError

__all__ = ["Scatter", "forward_sweep", "reverse_sweep", "zeros_like"]


def zeros_like(value: Any) -> Any:
    """A zero of the same shape and dtype: 0.0 for a float, an array for an array.

    >>> zeros_like(2.5), zeros_like(np.ones(2, np.float32))
    (0.0, array([0., 0.], dtype=float32))
    """
    while type(value) is Node:
        value = value.value
    if isinstance(value, tuple | list):
        return type(value)(map(zeros_like, value))
    return np.zeros_like(value) if isinstance(value, np.ndarray | np.generic) else type(value)(0)


def reverse_sweep(
    rows: Sequence[Node],
    recording: Recording,
    cotangents: Mapping[int, Any],
    watch: Callable[[int, int, int, Any, Any], None] | None = None,
) -> list[Any]:
    """The adjoint of every row, given those of some.

    Going up from the last row, a row whose adjoint is g gives to each of its arguments the
    contribution vjp(g), and the contributions to one row add up. When the sweep reaches a row, all
    the rows that use it have been passed, so its adjoint is complete.

    Args:
        rows: the rows of a closed recording.
        recording: that recording, by which a row's arguments are told from constants.
        cotangents: the seeds, by row.
        watch: called as ``watch(row, k, parent, contribution, total)`` for each contribution, in
            order; ``total`` is the parent's adjoint with it added.

    Returns:
        The adjoints by row; None where no seed depends on the row.
    """
    adjoints: list[Any] = [None] * len(rows)
    for index, seed in cotangents.items():
        adjoints[index] = seed
    for index in range(max(cotangents, default=-1), -1, -1):
        g = adjoints[index]
        if g is None:
            continue
        row = rows[index]
        fun = row.fun
        if fun.constant or fun is INPUT:
            continue
        value = row.value
        args = row.args
        if type(value) is float:
            vjps = fun.float_vjps or fun.vjps or complete_rules(fun).float_vjps or fun.vjps
        else:
            if type(g) is Scatter or type(g) is Accumulator:
                g = adjoints[index] = g.dense()
            elif type(g) is list:
                g = adjoints[index] = _parts(g, value)
            vjps = fun.vjps or complete_rules(fun).vjps
        if fun is PART:
            _add_part(adjoints, args[0], args[1], g)
            if watch:
                watch(index, 0, args[0].index, g, g)
            continue
        values = [a.value if type(a) is Node and a.recording is recording else a for a in args]
        for k, a in enumerate(args):
            if type(a) is not Node or a.recording is not recording:
                continue
            try:
                rule = vjps[0] if fun.variadic else vjps[k]
            except IndexError:
                raise _no_rule(fun, k, row, "vjp") from None
            if rule is None:
                continue
            try:
                if fun.variadic:
                    c = rule(k, g, value, *values, **row.kwargs)
                elif row.kwargs:
                    c = rule(g, value, *values, **row.kwargs)
                else:
                    c = rule(g, value, *values)
            except (ArithmeticError, ValueError):
                # math.log(0.0) and 1 / 0.0 raise where NumPy has an answer: inf or nan.
                if type(value) is not float:
                    raise
                c = _as_numpy_would(fun, k, g, value, values)
            if not fun.builtin:
                c = checked(c, a.value, fun, f"the vjp rule of argument {k}", row)
            j = a.index
            previous = adjoints[j]
            adjoints[j] = total = c if previous is None else previous + c
            if watch:
                watch(index, k, j, c, total)
    for index, g in enumerate(adjoints):
        if type(g) is Scatter or type(g) is Accumulator:
            adjoints[index] = g.dense()
    return adjoints


def forward_sweep(rows: Sequence[Node], recording: Recording, tangents: Mapping[int, Any]) -> list[Any]:
    """The tangent of every row, given those of the inputs.

    Returns:
        The tangents by row; None where the row does not depend on an input with a tangent.
    """
    swept: list[Any] = [None] * len(rows)
    for index, tangent in tangents.items():
        swept[index] = tangent
    for index, row in enumerate(rows):
        fun = row.fun
        if fun.constant or fun is INPUT:
            continue
        args = row.args
        if fun is PART:
            whole = swept[args[0].index]
            swept[index] = None if whole is None else whole[args[1]]
            continue
        total = None
        values: list[Any] | None = None
        value = row.value
        for k, a in enumerate(args):
            if type(a) is not Node or a.recording is not recording:
                continue
            t = swept[a.index]
            if t is None:
                continue
            if values is None:
                values = [b.value if type(b) is Node and b.recording is recording else b for b in args]
            c = _tangent_term(fun, k, t, value, values, row)
            if c is not None:
                total = c if total is None else _add(total, c)
        if total is not None and type(value) is not float:
            total = _like_answer(total, value)
        swept[index] = total
    return swept


def _tangent_term(fun: Primitive, k: int, t: Any, value: Any, values: list[Any], row: Node) -> Any:
    if type(value) is float:
        jvps = fun.float_jvps or fun.jvps or complete_rules(fun).float_jvps or fun.jvps
    else:
        jvps = fun.jvps or complete_rules(fun).jvps
    try:
        rule = jvps[0] if fun.variadic else jvps[k]
    except IndexError:
        raise _no_rule(fun, k, row, "jvp") from None
    if rule is None:
        return None
    try:
        if fun.variadic:
            c = rule(k, t, value, *values, **row.kwargs)
        else:
            c = rule(t, value, *values, **row.kwargs)
    except (ArithmeticError, ValueError):
        if type(value) is not float:
            raise
        with np.errstate(all="ignore"):
            c = float(fun.jvps[k](t, np.float64(value), *map(_float64, values)))  # type: ignore[misc]
    return c if fun.builtin else checked(c, value, fun, f"the jvp rule of argument {k}", row)


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, tuple | list):
        return type(a)(map(_add, a, b))
    return a + b


def _like_answer(tangent: Any, value: Any) -> Any:
    """A tangent in its answer's shape and dtype: x + 0.0 for x of float32 may be wider than x."""
    if isinstance(value, tuple | list):
        return (
            type(value)(*map(_like_answer, tangent, value))
            if hasattr(value, "_fields")
            else type(value)(map(_like_answer, tangent, value))
        )
    shape = getattr(value, "shape", ())
    if getattr(tangent, "shape", ()) != shape:
        tangent = np.broadcast_to(tangent, shape)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(tangent, "dtype", dtype) != dtype and dtype.kind in "fc":
        tangent = tangent.astype(dtype)
    return tangent


def _as_numpy_would(fun: Primitive, k: int, g: Any, value: Any, values: list[Any]) -> Any:
    rule = fun.vjps[k]
    assert rule is not None
    with np.errstate(all="ignore"):
        c = rule(g, np.float64(value), *map(_float64, values))
    return c if type(c) is Node else float(c)


def _float64(value: Any) -> Any:
    return np.float64(value) if isinstance(value, float | int) else value


# -- rows with several answers ---------------------------------------------------------------------------


def _add_part(adjoints: list[Any], whole: Node, k: int, g: Any) -> None:
    slots = adjoints[whole.index]
    if slots is None:
        slots = adjoints[whole.index] = [None] * len(whole.value)
    slots[k] = g if slots[k] is None else slots[k] + g


def _parts(slots: list[Any], value: Any) -> Any:
    parts = [zeros_like(v) if s is None else s for s, v in zip(slots, value, strict=True)]
    return type(value)(*parts) if hasattr(type(value), "_fields") else tuple(parts)


# -- the adjoint of an array that is read element by element ----------------------------------------------


class Scatter:
    """An adjoint that is zero but for ``g`` at ``index``: what reading ``x[index]`` gives back.

    Kept in this form so that reading all n elements of an array one by one costs n steps and not n^2.
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

    def dense(self) -> np.ndarray:
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


def _is_basic(index: Any) -> bool:
    """Whether an index only selects a view, so that no element can occur in it twice."""
    parts = index if type(index) is tuple else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, int | slice | np.integer) for p in parts)


# -- what goes wrong -------------------------------------------------------------------------------------


def _no_rule(fun: Primitive, k: int, row: Node, mode: str) -> NoRuleError:
    return NoRuleError(
        f"{fun.name} has no {mode} rule for its argument {k} ({row.site}). Give it one with "
        f"dk.def{mode}({fun.name}, ...), or pass a value there that is not differentiated."
    )


def checked(c: Any, like: Any, fun: Primitive, what: str, row: Node) -> Any:
    """The answer of a user's rule, which must look like ``like``."""
    if isinstance(like, tuple | list):
        if not isinstance(c, tuple | list) or len(c) != len(like):
            raise TraceError(
                f"{what} of {fun.name} must return {len(like)} parts, one per answer, not {c!r} ({row.site})"
            )
        return type(like)(checked(p, q, fun, what, row) for p, q in zip(c, like, strict=True))
    if callable(c):
        raise TraceError(
            f"{what} of {fun.name} returned a function ({row.site}): autograd's rules make one of g, "
            "but here g comes first, as in lambda g, ans, x: g * x"
        )
    if c is None or isinstance(c, str | dict | tuple | list):
        raise TraceError(f"{what} of {fun.name} returned {c!r}, not a number or an array ({row.site})")
    given, expected = np.shape(_plain(c)), np.shape(_plain(like))
    if given != expected:
        raise TraceError(
            f"{what} of {fun.name} returned shape {given}, but what it belongs to has shape {expected} "
            f"({row.site}). A rule sums over the axes along which its argument was broadcast."
        )
    return fit(c, like)


def _plain(value: Any) -> Any:
    while type(value) is Node:
        value = value.value
    return value
