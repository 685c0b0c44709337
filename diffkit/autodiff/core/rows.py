"""One row and its derivative rules: what it gives back to its arguments, and the tangent that it hands on.

This is all that a sweep asks of a row. The rules are made of operators and NumPy calls, so where the values
are nodes of an outer trace, what is done here is itself recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.fit import fit
from diffkit.autodiff.core.leaves import copied, same_container
from diffkit.autodiff.core.scatter import Scatter
from diffkit.autodiff.recording.node import plain_number
from diffkit.autodiff.recording.primitive import Primitive
from diffkit.autodiff.recording.tracer import INPUT, Node, Recording, is_traced, plain
from diffkit.errors import NoRuleError, TraceError


def pulled_back(row: Node, recording: Recording, g: Any) -> Iterator[tuple[int, int, Any]]:
    """What a row whose adjoint is g gives to its arguments: the argument's place, its row, the VJP."""
    fun = row.fun
    if fun.constant or fun is INPUT:
        return
    values = _values(row, recording)
    together: Any = None
    if fun.joint:
        together = _rules(fun, "vjp", row.value)[0](g, row.value, *values, **row.kwargs)
    for k, a in enumerate(row.args):
        if type(a) is Node and a.recording is recording:
            c = together[k] if fun.joint else _term("vjp", k, g, row, values)
            if c is not None:
                recorded = type(c) is Scatter and is_traced(c.g)  # a row to be shown
                yield k, a.index, c.dense() if recorded else c


def pushed_forward(row: Node, recording: Recording, tangents: Sequence[Any]) -> Any:
    """The tangent of a row, given those of the rows above it; None if it has none."""
    fun, value = row.fun, row.value
    given = [tangents[a.index] if type(a) is Node and a.recording is recording else None for a in row.args]
    if fun.constant or all(t is None for t in given):
        return None
    values = _values(row, recording)
    total = None
    if fun.joint:
        total = _rules(fun, "jvp", value)[0](tuple(given), value, *values, **row.kwargs)
    else:
        for k, t in enumerate(given):
            if t is not None:
                total = add(total, _term("jvp", k, t, row, values))
    return total if total is None or type(value) is float else like_answer(total, value)


def add(a: Any, b: Any) -> Any:
    """The sum of two derivatives, where None stands for a zero."""
    if a is None or b is None:
        return b if a is None else a
    return same_container(a, map(add, a, b)) if isinstance(a, tuple | list) else a + b


def like_answer(tangent: Any, value: Any) -> Any:
    """A tangent in its answer's shape and dtype: x + 0.0 for x of float32 may be wider than x."""
    arrays = type(tangent) is type(value) is np.ndarray
    if arrays and tangent.shape == value.shape and tangent.dtype == value.dtype:
        return tangent  # as it mostly is
    if isinstance(value, tuple | list):
        return same_container(value, map(like_answer, tangent, value))
    if type(plain_number(tangent)) is type(plain_number(value)) is float:
        return tangent
    shape = getattr(value, "shape", ())
    if getattr(tangent, "shape", ()) != shape:
        tangent = np.broadcast_to(tangent, shape)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(tangent, "dtype", dtype) != dtype and dtype.kind in "fc":
        tangent = tangent.astype(dtype)
    return tangent


def _values(row: Node, recording: Recording) -> list[Any]:
    """A row's arguments, with the values of those that are rows."""
    return [a.value if type(a) is Node and a.recording is recording else a for a in row.args]


def _rules(fun: Primitive, mode: str, value: Any) -> Sequence[Any]:
    """A primitive's rules, "vjp" or "jvp", for an answer like ``value``: floats have their own."""
    if not fun.direct:
        fun.complete_rules()
    if mode == "vjp":
        return fun.float_vjps if type(value) is float else fun.vjps
    return fun.float_jvps if type(value) is float else fun.jvps


def _term(mode: str, k: int, u: Any, row: Node, values: list[Any]) -> Any:
    """The rule of argument k: of u, the answer's cotangent ("vjp") or the argument's tangent ("jvp")."""
    fun, value = row.fun, row.value
    rules = _rules(fun, mode, value)
    if fun.variadic:
        return rules[0](k, u, value, *values, **row.kwargs)
    if k >= len(rules):
        raise NoRuleError(
            f"{fun.name} has no {mode} rule for its argument {k} ({row.site}). Give it one with "
            f"dk.def{mode}({fun.name}, ...), or pass a value there that is not differentiated."
        )
    if rules[k] is None:
        return None
    try:
        c = rules[k](u if fun.builtin else copied(u), value, *values, **row.kwargs)
    except (ArithmeticError, ValueError):
        if type(value) is not float:
            raise
        c = _as_numpy_would(_rules(fun, mode, None)[k], u, value, values)
    if fun.builtin:
        return c
    return _checked(
        c, values[k] if mode == "vjp" else value, f"the {mode} rule of argument {k} of {fun.name}", row
    )


def _as_numpy_would(rule: Any, u: Any, value: Any, values: list[Any]) -> Any:
    """A rule for floats again, on NumPy's numbers, which have inf and nan for an answer."""
    with np.errstate(all="ignore"):
        c = rule(u, np.float64(value), *[np.float64(v) if isinstance(v, float | int) else v for v in values])
    return c if is_traced(c) else float(c)


def _checked(c: Any, like: Any, what: str, row: Node) -> Any:
    """The answer of a user's rule, which must look like ``like``, in the dtype of that."""
    if isinstance(like, tuple | list):
        if not isinstance(c, tuple | list) or len(c) != len(like):
            raise TraceError(f"{what} must return {len(like)} parts, one per answer, not {c!r} ({row.site})")
        return same_container(like, [_checked(p, q, what, row) for p, q in zip(c, like, strict=True)])
    if callable(c):
        raise TraceError(
            f"{what} returned a function ({row.site}): autograd's rules make one of g, "
            "but here g comes first, as in lambda g, ans, x: g * x"
        )
    if c is None or isinstance(c, str | dict | tuple | list):
        raise TraceError(f"{what} returned {c!r}, not a number or an array ({row.site})")
    given, expected = np.shape(plain(c)), np.shape(plain(like))
    if given != expected:
        raise TraceError(
            f"{what} returned shape {given}, but what it belongs to has shape {expected} "
            f"({row.site}). A rule sums over the axes along which its argument was broadcast."
        )
    return fit(c, like)
