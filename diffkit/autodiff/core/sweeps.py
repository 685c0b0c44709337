"""The two sweeps: tangents down a trace, adjoints up it.

Both walk the rows in the order in which they stand, forward or backward, and keep their results in
a list by row. Nothing recurses, nothing is sorted. The rules that they apply are made of operators
and NumPy calls, so a sweep whose values are nodes of an outer trace is itself recorded: that is how
the adjoint program comes about, and every higher derivative.

Most rows are calls of a function with one or two arguments whose rules can be called as they are
(``Primitive.direct``). Each sweep has these two cases written out, since scalar programs consist of
nothing else; all other rows go through :func:`contributions` or :func:`tangent_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.scatter import Accumulator, Scatter
from diffkit.autodiff.recording.tracer import INPUT, PART, Node, Primitive, Recording, plain
from diffkit.autodiff.rules.elementwise import complete_rules
from diffkit.autodiff.rules.register import fit
from diffkit.errors import NoRuleError, TraceError

__all__ = ["Scatter", "copied", "forward_sweep", "reverse_sweep", "zeros_like"]

Watch = Callable[[int, int, int, Any, Any], None]

_NEEDS_CARE = (ArithmeticError, ValueError, IndexError)
"""What a direct call of a rule may raise where the careful way has an answer, or a better message.

math.log(0.0) and 1 / 0.0 raise where NumPy has an answer, inf or nan.
"""


def zeros_like(value: Any) -> Any:
    """A zero of the same shape and dtype: 0.0 for a float, an array for an array.

    >>> zeros_like(2.5), zeros_like(np.ones(2, np.float32))
    (0.0, array([0., 0.], dtype=float32))
    """
    value = plain(value)
    if isinstance(value, tuple | list):
        return _like_container(value, map(zeros_like, value))
    return np.zeros_like(value) if isinstance(value, np.ndarray) else type(value)(0)


def copied(value: Any) -> Any:
    """The value, in arrays of its own."""
    if type(value) is tuple or type(value) is list:
        return _like_container(value, map(copied, value))
    return value.copy() if type(value) is np.ndarray else value


def _like_container(value: Any, parts: Any) -> Any:
    """A tuple, list or named tuple of the same kind as ``value``."""
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


# -- reverse ----------------------------------------------------------------------------------------------


def reverse_sweep(
    rows: Sequence[Node],
    recording: Recording,
    cotangents: Mapping[int, Any],
    watch: Watch | None = None,
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
        value = row.value
        args = row.args
        vjps: Sequence[Any]
        if type(value) is float:
            vjps = fun.float_vjps
        else:
            vjps = fun.vjps
            if type(g) in _UNFINISHED:
                g = adjoints[index] = _finished(g, value)
        kwargs = row.kwargs
        arity = len(args)
        if fun.direct and watch is None and (arity == 1 or (arity == 2 and not kwargs)):
            try:
                if arity == 1:
                    x = args[0]
                    rule = vjps[0]
                    if rule is None:
                        continue
                    c = rule(g, value, x.value, **kwargs) if kwargs else rule(g, value, x.value)
                    j = x.index
                    previous = adjoints[j]
                    adjoints[j] = c if previous is None else previous + c
                    continue
                x, y = args
                of_x = type(x) is Node and x.recording is recording
                of_y = type(y) is Node and y.recording is recording
                x_value = x.value if of_x else x
                y_value = y.value if of_y else y
                c_x = vjps[0](g, value, x_value, y_value) if of_x and vjps[0] else None
                c_y = vjps[1](g, value, x_value, y_value) if of_y and vjps[1] else None
            except _NEEDS_CARE:
                pass
            else:
                if c_x is not None:
                    j = x.index
                    previous = adjoints[j]
                    adjoints[j] = c_x if previous is None else previous + c_x
                if c_y is not None:
                    j = y.index
                    previous = adjoints[j]
                    adjoints[j] = c_y if previous is None else previous + c_y
                continue
        if fun is PART:
            _add_part(adjoints, args[0], args[1], g)
            if watch:
                watch(index, 0, args[0].index, g, g)
            continue
        for k, parent, c in contributions(row, recording, g):
            previous = adjoints[parent]
            adjoints[parent] = total = c if previous is None else previous + c
            if watch:
                watch(index, k, parent, c, total)
    for index, g in enumerate(adjoints):
        if type(g) is Scatter or type(g) is Accumulator:
            adjoints[index] = g.dense()
    return adjoints


def contributions(row: Node, recording: Recording, g: Any) -> Iterator[tuple[int, int, Any]]:
    """What a row whose adjoint is g gives to its arguments: the argument's place, its row, the VJP."""
    fun = row.fun
    if fun.constant or fun is INPUT:
        return
    if not fun.direct:
        complete_rules(fun)
    value = row.value
    vjps = fun.float_vjps if type(value) is float else fun.vjps
    values = [a.value if type(a) is Node and a.recording is recording else a for a in row.args]
    together = vjps[0](g, value, *values, **row.kwargs) if fun.joint else None  # type: ignore[misc]
    for k, a in enumerate(row.args):
        if type(a) is not Node or a.recording is not recording:
            continue
        if together is not None:
            c = together[k]
        elif fun.variadic:
            c = vjps[0](k, g, value, *values, **row.kwargs)  # type: ignore[misc]
        elif k >= len(vjps):
            raise _no_rule(fun, k, row, "vjp")
        else:
            rule = vjps[k]
            if rule is None:
                continue
            try:
                c = rule(g if fun.builtin else copied(g), value, *values, **row.kwargs)
            except (ArithmeticError, ValueError):
                if type(value) is not float:
                    raise
                c = _as_numpy_would(fun.vjps[k], g, value, values)
        if not fun.builtin:
            c = _checked(c, a.value, fun, f"the vjp rule of argument {k}", row)
        if c is not None:
            yield k, a.index, c


def _as_numpy_would(rule: Any, g: Any, value: Any, values: list[Any]) -> Any:
    """A rule for floats again, on NumPy's numbers, which have inf and nan for an answer."""
    with np.errstate(all="ignore"):
        c = rule(g, np.float64(value), *[np.float64(v) if isinstance(v, float | int) else v for v in values])
    return c if type(c) is Node else float(c)


# -- forward ----------------------------------------------------------------------------------------------


def forward_sweep(rows: Sequence[Node], recording: Recording, tangents: Mapping[int, Any]) -> list[Any]:
    """The tangent of every row, given those of the inputs.

    Returns:
        The tangents by row; None where the row does not depend on an input with a tangent.
    """
    swept: list[Any] = [None] * len(rows)
    for index, tangent in tangents.items():
        swept[index] = tangent
    for index in range(min(tangents, default=len(rows)), len(rows)):
        row = rows[index]
        fun = row.fun
        value = row.value
        args = row.args
        jvps: Sequence[Any] = fun.float_jvps if type(value) is float else fun.jvps
        t: Any = None
        if not fun.direct or len(args) > 2 or row.kwargs:
            if fun is INPUT:
                continue
            t = tangent_of(row, recording, swept)
        else:
            try:
                if len(args) == 1:
                    x = args[0]
                    t_x = swept[x.index]
                    if t_x is not None and jvps[0]:
                        t = jvps[0](t_x, value, x.value)
                else:
                    x, y = args
                    of_x = type(x) is Node and x.recording is recording
                    of_y = type(y) is Node and y.recording is recording
                    t_x = swept[x.index] if of_x else None
                    t_y = swept[y.index] if of_y else None
                    x_value = x.value if of_x else x
                    y_value = y.value if of_y else y
                    if t_x is not None and jvps[0]:
                        t = jvps[0](t_x, value, x_value, y_value)
                    if t_y is not None and jvps[1]:
                        c = jvps[1](t_y, value, x_value, y_value)
                        t = c if t is None else t + c
            except _NEEDS_CARE:
                t = tangent_of(row, recording, swept)
        if t is not None and type(value) is not float:
            t = _like_answer(t, value)
        swept[index] = t
    return swept


def tangent_of(row: Node, recording: Recording, swept: Sequence[Any]) -> Any:
    """The tangent of a row, given those of the rows above it; None if it has none."""
    fun = row.fun
    if fun.constant:
        return None
    if fun is PART:
        whole, k = row.args
        return None if swept[whole.index] is None else swept[whole.index][k]
    if not fun.direct:
        complete_rules(fun)
    traced = [type(a) is Node and a.recording is recording for a in row.args]
    values = [a.value if own else a for a, own in zip(row.args, traced, strict=True)]
    given = [swept[a.index] if own else None for a, own in zip(row.args, traced, strict=True)]
    value = row.value
    jvps = fun.float_jvps if type(value) is float else fun.jvps
    if fun.joint and any(t is not None for t in given):
        return jvps[0](tuple(given), value, *values, **row.kwargs)  # type: ignore[misc]
    total = None
    for k, t in enumerate(given):
        if t is None:
            continue
        if fun.variadic:
            c = jvps[0](k, t, value, *values, **row.kwargs)  # type: ignore[misc]
        elif k >= len(jvps):
            raise _no_rule(fun, k, row, "jvp")
        else:
            rule = jvps[k]
            if rule is None:
                continue
            try:
                c = rule(t if fun.builtin else copied(t), value, *values, **row.kwargs)
            except (ArithmeticError, ValueError):
                if type(value) is not float:
                    raise
                c = _as_numpy_would(fun.jvps[k], t, value, values)
        if not fun.builtin:
            c = _checked(c, value, fun, f"the jvp rule of argument {k}", row)
        if c is not None:
            total = c if total is None else _add(total, c)
    return total


def _add(a: Any, b: Any) -> Any:
    return _like_container(a, map(_add, a, b)) if isinstance(a, tuple | list) else a + b


def _like_answer(tangent: Any, value: Any) -> Any:
    """A tangent in its answer's shape and dtype: x + 0.0 for x of float32 may be wider than x."""
    if isinstance(value, tuple | list):
        return _like_container(value, map(_like_answer, tangent, value))
    shape = getattr(value, "shape", ())
    if getattr(tangent, "shape", ()) != shape:
        tangent = np.broadcast_to(tangent, shape)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(tangent, "dtype", dtype) != dtype and dtype.kind in "fc":
        tangent = tangent.astype(dtype)
    return tangent


# -- rows with several answers ----------------------------------------------------------------------------


def _add_part(adjoints: list[Any], whole: Node, k: int, g: Any) -> None:
    """The adjoint of a row with several answers is gathered in a list, one place for each."""
    slots = adjoints[whole.index]
    if slots is None:
        slots = adjoints[whole.index] = [None] * len(whole.value)
    slots[k] = g if slots[k] is None else slots[k] + g


_UNFINISHED = frozenset({Scatter, Accumulator, list})


def _finished(g: Any, value: Any) -> Any:
    """An adjoint in its final form, now that nothing will be added to it."""
    if type(g) is not list:
        return g.dense()
    return _like_container(value, [zeros_like(v) if s is None else s for s, v in zip(g, value, strict=True)])


# -- what goes wrong --------------------------------------------------------------------------------------


def _no_rule(fun: Primitive, k: int, row: Node, mode: str) -> NoRuleError:
    return NoRuleError(
        f"{fun.name} has no {mode} rule for its argument {k} ({row.site}). Give it one with "
        f"dk.def{mode}({fun.name}, ...), or pass a value there that is not differentiated."
    )


def _checked(c: Any, like: Any, fun: Primitive, what: str, row: Node) -> Any:
    """The answer of a user's rule, which must look like ``like``, in the dtype of that."""
    if isinstance(like, tuple | list):
        if not isinstance(c, tuple | list) or len(c) != len(like):
            raise TraceError(
                f"{what} of {fun.name} must return {len(like)} parts, one per answer, not {c!r} ({row.site})"
            )
        return _like_container(like, [_checked(p, q, fun, what, row) for p, q in zip(c, like, strict=True)])
    if callable(c):
        raise TraceError(
            f"{what} of {fun.name} returned a function ({row.site}): autograd's rules make one of g, "
            "but here g comes first, as in lambda g, ans, x: g * x"
        )
    if c is None or isinstance(c, str | dict | tuple | list):
        raise TraceError(f"{what} of {fun.name} returned {c!r}, not a number or an array ({row.site})")
    given, expected = np.shape(plain(c)), np.shape(plain(like))
    if given != expected:
        raise TraceError(
            f"{what} of {fun.name} returned shape {given}, but what it belongs to has shape {expected} "
            f"({row.site}). A rule sums over the axes along which its argument was broadcast."
        )
    return fit(c, like)
