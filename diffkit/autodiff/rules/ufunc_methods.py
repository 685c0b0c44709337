"""The methods of ufuncs: ``np.maximum.accumulate``, ``np.add.reduceat``, ``np.subtract.outer``, ...

NumPy says what they are by the ufunc itself: a running answer is the ufunc of the last one and the next
element. So here each is that program, for every ufunc of two arguments that has a rule. Those that are
functions of their own as well (``np.add.reduce`` is ``np.sum``) stand with these, and have one row.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.refusals import raise_no_rule, refuse_keyword
from diffkit.autodiff.recording.tracer import FUNCTIONS, UFUNCS, Primitive, is_traced, plain_index
from diffkit.autodiff.rules.call_forms import as_array, plain
from diffkit.autodiff.rules.indexing import along, placed
from diffkit.autodiff.rules.register import LINEAR, define

_NOT_IN_TURN = frozenset({np.power, np.float_power, np.arctan2})
"""Of these, NumPy's own reductions are not what it says they are: with AVX-512, its loops read elements
of the answer before they have been written (NumPy 2.4: ``np.arctan2.reduce`` of 5 numbers is off by 0.3)."""


def _by_method(method: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers what stands for a method of every ufunc."""

    def register(program: Callable[..., Any]) -> Callable[..., Any]:
        def run(ufunc: np.ufunc, *args: Any, **kwargs: Any) -> Any:
            turns = method != "outer" and ufunc in _NOT_IN_TURN
            if ufunc not in UFUNCS or ufunc.nin != 2 or ufunc.nout != 1 or turns:
                raise_no_rule(f"np.{ufunc.__name__}.{method}", sys._getframe(1))
            if kwargs.get("initial") is not None:
                refuse_keyword(f"np.{ufunc.__name__}.{method}", "initial", sys._getframe(1))
            return program(ufunc, *args, **{k: v for k, v in kwargs.items() if k not in ("initial", "where")})

        run.__name__ = method
        FUNCTIONS[getattr(np.ufunc, method)] = run
        return program

    return register


def _typed(array: Any, dtype: Any) -> Any:
    array = as_array(array)
    return array if dtype is None else array.astype(dtype)


def _running(ufunc: np.ufunc, rows: Any) -> list[Any]:
    """The answers for the first row, the first two, ..."""
    first = rows[0]
    is_logical = np.result_type(ufunc(plain(first), plain(first))).kind == "b"
    answers = [np.not_equal(first, 0) if is_logical else first]
    for k in range(1, len(rows)):
        answers.append(ufunc(answers[-1], rows[k]))
    return answers


@_by_method("reduce")
def _reduce(ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, *, keepdims: bool = False) -> Any:
    array = _typed(array, dtype)
    ndim = array.ndim
    axes = range(ndim) if axis is None else sorted({int(k) % ndim for k in np.ravel(axis)})
    if len(axes) > 1 and ufunc in (np.subtract, np.divide):
        raise ValueError(f"reduction operation '{ufunc.__name__}' is not reorderable")
    shape = [1 if k in axes else n for k, n in enumerate(array.shape)]
    if len(axes) == ndim > 1:
        array, axes = np.ravel(array), range(1)
    for k in reversed(axes):
        rows = np.moveaxis(array, k, 0)
        if not len(rows):
            raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
        array = _running(ufunc, rows)[-1]
    return np.reshape(array, shape) if keepdims else array


@_by_method("accumulate")
def _accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    array = _typed(array, dtype)
    return np.stack(_running(ufunc, np.moveaxis(array, axis, 0)), axis) if array.shape[axis] else array.copy()


def _segments(indices: Any, n: int) -> list[slice]:
    """What is reduced to each answer: from an index up to the next; where that is no later, one element."""
    starts = [int(k) for k in np.asarray(plain_index(indices))]
    if any(not 0 <= k < n for k in starts):
        wrong = next(k for k in starts if not 0 <= k < n)
        raise IndexError(f"index {wrong} out-of-bounds in ufunc.reduceat [0, {n})")
    return [slice(a, b if b > a else a + 1) for a, b in zip(starts, [*starts[1:], n], strict=True)]


@_by_method("reduceat")
def _reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    array = _typed(array, dtype)
    rows = np.moveaxis(array, axis, 0)
    return np.stack([_running(ufunc, rows[part])[-1] for part in _segments(indices, len(rows))], axis)


@_by_method("outer")
def _outer(ufunc: np.ufunc, A: Any, B: Any) -> Any:
    A, B = (v if is_traced(v) else np.asarray(v) for v in (as_array(A), as_array(B)))
    if np.ndim(A) and np.ndim(B):
        A = np.reshape(A, (*np.shape(A), *[1] * np.ndim(B)))
    return ufunc(A, B)


# -- sums between indices: NumPy adds them in an order of its own ------------------------------------------


def _sums_vjp(g: Any, ans: Any, x: Any, *, indices: Any, axis: int = 0) -> Any:
    n, axis = np.shape(x)[axis], axis % np.ndim(x)
    segments = [range(n)[part] for part in _segments(indices, n)]
    whose = np.repeat(np.arange(len(segments)), [len(part) for part in segments])
    where = np.concatenate([np.array(part, int) for part in segments])
    return placed(g[along(np.ndim(x), axis, whose)], along(np.ndim(x), axis, where), plain(x))


def sums_between(x: Any, indices: Any, axis: int = 0) -> Any:
    """``np.add.reduceat``, with all but x by keyword."""
    return np.add.reduceat(x, indices, axis)


def _entry(fun: Primitive) -> Callable[..., Any]:
    def reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
        return fun(_typed(array, dtype), indices=plain_index(indices), axis=axis)

    return reduceat


define(np.add.reduceat, [_sums_vjp], [LINEAR], name="sums_between", compute=sums_between, entry=_entry)
