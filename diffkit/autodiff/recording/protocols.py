"""What NumPy asks of a stand-in: ``__array_ufunc__``, ``__array_function__`` and ``__array__``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from sys import _getframe
from typing import Any

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.arrays import Array, plain, stand_in
from diffkit.autodiff.recording.ieee import by_numpy
from diffkit.autodiff.recording.infix import NUMBERS, is_complex
from diffkit.autodiff.recording.node import Node
from diffkit.autodiff.recording.primitive import ASTYPE, BY_UFUNC, FUNCTIONS, NO_KWARGS, UFUNCS, Primitive
from diffkit.autodiff.recording.refusals import (
    qualified_name,
    raise_closed,
    raise_no_rule,
    refuse,
    refuse_array,
    refuse_assignment,
    site_of,
)
from diffkit.autodiff.recording.scipy_calls import advice
from diffkit.autodiff.recording.tracer import HANDING_ON, apply, call_handler, row_of, unpack
from diffkit.autodiff.recording.unusual_calls import (
    all_untraced,
    to_output,
    untraced,
    unusual_ufunc,
    without_out,
    wrapped_all,
)
from diffkit.sites import users_frame

_new = object.__new__
_POWER = UFUNCS[np.power]


def _array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    fun = UFUNCS.get(ufunc)
    frame = _getframe(1)
    if id(frame.f_globals) in HANDING_ON:
        frame = frame.f_back or frame
    if fun is None or kwargs or method != "__call__":
        return unusual_ufunc(ufunc, method, inputs, kwargs, frame)
    # One array, or two operands of which this is one, mostly: what apply does, at once.
    memory = self.memory
    row = self.node if memory is None or memory.version == self.seen else self.row
    if type(row) is not Node or len(inputs) > 2:
        return apply(fun, inputs, NO_KWARGS, frame)
    recording = row.recording
    given: tuple[Any, ...]
    if len(inputs) == 1:
        value = fun.compute(row.value)
        given = (row,)
    else:
        x, y = inputs
        other = y if x is self else x
        kind = type(other)
        if kind is Array:
            other = other.row
            kind = type(other)
            operand = other.value if kind is Node and other.recording is recording else None
        elif kind is float or kind is int:
            operand = other
        elif kind is ndarray:
            operand, other = other, recording.constants.keep(other)
        else:
            operand = None
        if operand is None:
            return apply(fun, inputs, NO_KWARGS, frame)
        if x is self:
            value, given = fun.compute(row.value, operand), (row, other)
        else:
            value, given = fun.compute(operand, row.value), (other, row)
    rows = recording.rows
    if rows is None:
        raise_closed(recording.owner, site_of(frame))
    node = _new(Node)
    node.recording, node.fun, node.args, node.kwargs = recording, fun, given, NO_KWARGS
    node.value, node.code, node.at, node.index = value, frame.f_code, frame.f_lasti, len(rows)
    rows.append(node)
    if type(value) is ndarray:
        stand = _new(Array)
        stand.node, stand.memory = node, None
        return stand
    return unpack(node, frame) if type(value) is tuple else stand_in(node)


def _number_ufunc(self: Node, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """The same for a number: a call with one argument is what ``apply`` does, at once."""
    fun = UFUNCS.get(ufunc)
    frame = _getframe(1)
    if id(frame.f_globals) in HANDING_ON:
        frame = frame.f_back or frame
    if fun is None or kwargs or method != "__call__":
        return unusual_ufunc(ufunc, method, inputs, kwargs, frame)
    if len(inputs) != 1:
        if fun is _POWER and not any(map(is_complex, inputs)):  # Python's may be complex, NumPy's is nan
            base = plain(inputs[0])
            fun = by_numpy(fun) if isinstance(base, float | int) and base < 0 else fun
        return apply(fun, inputs, BY_UFUNC, frame)
    value = fun.compute(self.value)
    node = Node(self.recording, fun, inputs, BY_UFUNC, value, frame.f_code, frame.f_lasti)
    if type(value) in NUMBERS:
        return node
    return unpack(node, frame) if type(value) is tuple else stand_in(node)


def _array_function(
    self: Any, function: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    handler = FUNCTIONS.get(function)
    frame = sys._getframe(1)
    if id(frame.f_globals) in HANDING_ON:
        frame = frame.f_back or frame
    if handler is None:
        if all_untraced(args, kwargs):
            return wrapped_all(function(*untraced(args), **untraced(kwargs)))
        raise_no_rule(qualified_name(function), frame)
    if len(args) == 1 and not kwargs and type(handler) is Primitive:
        return apply(handler, tuple(args), kwargs, frame)
    if len(args) > 2 or "out" in kwargs or (len(args) == 2 and function in _OUT_IS_SECOND):
        out, args, kwargs = without_out(function, args, kwargs)
        if out is not None:
            new = call_handler(handler, tuple(args), kwargs, frame)
            return to_output(out, new, qualified_name(function), frame)
    return call_handler(handler, tuple(args), kwargs, frame)


_OUT_IS_SECOND = frozenset({np.fix, np.isposinf, np.isneginf})


def _array(self: Any, dtype: Any = None, copy: Any = None) -> Any:
    """What NumPy asks for where it needs a plain array: of integers and bools, by which the program goes."""
    frame = sys._getframe(1)
    row = row_of(self)
    if type(row) is not Node:
        given = np.array(row, dtype)
        given.flags.writeable = False  # what is written to a copy would not be seen here
        return given
    if row.is_discrete():
        return np.array(row.concrete("index", frame), dtype)
    if dtype is not None and np.dtype(dtype).kind in "iub":  # np.int64(x), which moves in jumps
        refuse_assignment(users_frame(frame))
        return np.array(
            row_of(apply(ASTYPE, (self, np.dtype(dtype)), NO_KWARGS, frame)).concrete("index", frame)
        )
    from_scipy = advice(frame)
    if from_scipy is None:
        refuse_array(frame)
    called, instead, frame = from_scipy
    return refuse(f"{called} was called on a traced value, which SciPy makes a plain array", instead, frame)


_stand_ins: tuple[Any, Any] = (Node, Array)
for _kind in _stand_ins:
    _kind.__array_ufunc__ = _number_ufunc if _kind is Node else _array_ufunc
    _kind.__array_function__ = _array_function
    _kind.__array__ = _array
