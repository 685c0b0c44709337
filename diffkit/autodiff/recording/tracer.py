"""How a NumPy function is recorded: what happens when NumPy is called on traced values.

A function is run once on stand-ins for its floats and arrays: a :class:`Node` for a number, an :class:`Array`
for an array. They look like the values that they carry. Whatever is done to them (an operator, a ufunc, a
NumPy function) goes through :func:`apply`, which computes the value and appends a row to the
:class:`Recording`. The rows come out in the order in which they were computed, which is already a
topological order: no sorting, no recursion, and a place in the list is a stable name.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from sys import _getframe
from types import FrameType
from typing import Any

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording import methods
from diffkit.autodiff.recording.arrays import (
    GETITEM,
    READ,
    SETITEM,
    TRACED,
    Array,
    is_traced,
    own,
    plain,
    plain_index,
    stand_in,
    wrapped,
)
from diffkit.autodiff.recording.ieee import answer, by_numpy
from diffkit.autodiff.recording.infix import NUMBERS, is_complex
from diffkit.autodiff.recording.node import INPUT, PART, Decision, Node, Recording, is_deferred
from diffkit.autodiff.recording.primitive import (
    ASTYPE,
    BY_UFUNC,
    FUNCTIONS,
    NO_KWARGS,
    UFUNCS,
    InPlace,
    Primitive,
)
from diffkit.autodiff.recording.refusals import (
    qualified_name,
    raise_closed,
    raise_no_rule,
    refuse,
    refuse_array,
    refuse_assignment,
    refuse_keyword,
    refuse_plain_output,
    site_of,
)
from diffkit.autodiff.recording.scipy_calls import advice, load_rules
from diffkit.sites import users_frame

__all__ = [
    "FUNCTIONS",
    "GETITEM",
    "HANDING_ON",
    "INPUT",
    "PART",
    "READ",
    "SETITEM",
    "TRACED",
    "UFUNCS",
    "Array",
    "Decision",
    "InPlace",
    "Node",
    "Primitive",
    "Recording",
    "apply",
    "is_deferred",
    "is_traced",
    "nodes_in",
    "own",
    "plain",
    "plain_index",
    "refuse_keyword",
    "row_of",
    "stand_in",
    "wrapped",
]

HANDING_ON = {id(vars(methods))}
"""The variables of modules, by ``id``, whose functions hand a call on: x.sum() calls np.sum(x)."""
_SEVERAL = (tuple, list)
"""What a function with several answers returns them in."""
POWER = UFUNCS[np.power]
_new = object.__new__


def row_of(value: Any) -> Any:
    """The row that a traced value stands for now, or the plain value."""
    return value.row if type(value) is Array else value


def apply(fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Any:
    """Computes ``fun(*args, **kwargs)`` and, if an argument is traced, records it.

    ``frame`` is the user's: it tells the line and, later, the variable that the answer was given to.
    """
    if len(args) == 1 and type(args[0]) is Array:
        return _apply_to_one(fun, args[0], kwargs, frame)
    recording: Recording | None = None
    values = list(args)
    given = args
    for k, a in enumerate(args):
        kind = type(a)
        if kind is Array:
            if given is args:
                given = list(args)  # type: ignore[assignment]
            a = a.node if a.memory is None else a.row
            given[k] = values[k] = a  # type: ignore[index]
            kind = type(a)
        if kind is Node:
            if recording is None:
                recording = a.recording
            elif a.recording is not recording:
                return _apply_to_mixed(fun, args, kwargs, frame)
            values[k] = a.value
    try:
        value = fun.compute(*values, **kwargs)
    except ArithmeticError as error:
        return answer(fun, args, kwargs, frame, error)
    if recording is None:
        return value if given is args else _from_untraced(value, fun, args, kwargs)
    if given is not args:
        given = tuple(given)
    if len(given) > 1 or kwargs:
        given, kwargs = recording.constants.keep_all(given, kwargs)
    node = Node(recording, fun, given, kwargs, value, frame.f_code, frame.f_lasti)
    kind = type(value)
    if kind in NUMBERS:
        return node
    if kind is ndarray or kind is Array:
        if type(args[0]) is Array and (kind is Array or value.base is not None):
            return _view_or_new(args[0], node, values[0], fun, args, kwargs)
        return stand_in(node)
    return unpack(node, frame) if isinstance(value, _SEVERAL) else stand_in(node)


def _apply_to_one(fun: Primitive, array: Array, kwargs: dict[str, Any], frame: FrameType) -> Any:
    """``apply``, where the only argument is an array."""
    memory = array.memory
    row = array.node if memory is None or memory.version == array.seen else array.row
    if type(row) is not Node:
        return _from_untraced(fun.compute(row, **kwargs), fun, (array,), kwargs)
    data = row.value
    value = fun.compute(data, **kwargs)
    recording = row.recording
    if kwargs:
        _, kwargs = recording.constants.keep_all((), kwargs)
    node = Node(recording, fun, (row,), kwargs, value, frame.f_code, frame.f_lasti)
    kind = type(value)
    if kind is ndarray:
        base = value.base
        if base is None and value is not data:
            return Array(node)
        shares = value is data or base is data or base is data.base
        return array.view_by(fun, (), kwargs, node) if shares else stand_in(node)
    if kind in NUMBERS:
        return node
    if kind is Array:
        return _view_or_new(array, node, data, fun, (array,), kwargs)
    return unpack(node, frame) if isinstance(value, _SEVERAL) else stand_in(node)


def _view_or_new(
    whole: Array, node: Node, data: Any, fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Array:
    """The stand-in for an answer that may share the memory of the first argument, as NumPy has it."""
    value = node.value
    if type(value) is ndarray:
        base = value.base
        shares = value is data or (base is not None and (base is data or base is data.base))
    else:
        shares = value.memory is not None and value.memory is data.memory
    return whole.view_by(fun, args[1:], kwargs, node) if shares else stand_in(node)


def _from_untraced(value: Any, fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The answer for arrays that are not traced, but may be written traced values into."""
    if type(value) is ndarray and type(args[0]) is Array and value.base is not None:
        data = args[0].data
        if value.base is data or value.base is data.base:
            return args[0].view_by(fun, args[1:], kwargs, value)
    if isinstance(value, _SEVERAL):
        kind = type(value)
        return kind(*map(wrapped, value)) if hasattr(kind, "_fields") else kind(map(wrapped, value))
    return wrapped(value)


Primitive.apply = apply


def _apply_to_mixed(fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Any:
    """``apply`` for values of several recordings: the innermost records, the others are its constants."""
    rows = [row_of(a) for a in args]
    recording = max((a.recording for a in rows if type(a) is Node), key=lambda r: r.level)
    own = [type(a) is Node and a.recording is recording for a in rows]
    # A constant is a stand-in of its own: whoever holds the other may write to it.
    given = tuple(
        stand_in(a) if type(a) is Node and not mine else a for a, mine in zip(rows, own, strict=True)
    )
    try:
        value = fun.compute(*[a.value if mine else a for a, mine in zip(given, own, strict=True)], **kwargs)
    except ArithmeticError as error:
        return answer(fun, args, kwargs, frame, error)
    given, kwargs = recording.constants.keep_all(given, kwargs)
    node = Node(recording, fun, given, kwargs, value, frame.f_code, frame.f_lasti)
    several = type(value) not in TRACED and isinstance(value, _SEVERAL)
    return unpack(node, frame) if several else stand_in(node)


def unpack(node: Node, frame: FrameType) -> Any:
    """The parts of a row with several answers (svd, split), each a row of its own."""
    parts = [
        stand_in(Node(node.recording, PART, (node, k), NO_KWARGS, part, frame.f_code, frame.f_lasti))
        for k, part in enumerate(node.value)
    ]
    kind = type(node.value)
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def call_handler(
    handler: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Calls what stands for a NumPy function. Rows made inside it are given the user's line."""
    if type(handler) is Primitive:
        if (kwargs or len(args) > 1) and handler.arrange:
            args, kwargs = handler.arrange(args, kwargs, frame)
        return apply(handler, args, kwargs, frame)
    if (
        kwargs.get("where") is not None
        and kwargs["where"] is not True
        and handler.__name__ not in _TAKES_WHERE
    ):
        refuse_keyword(handler.__name__.lstrip("_"), "where", frame)
    recordings = {
        id(n.recording): n.recording
        for n in nodes_in((args, tuple(kwargs.values())))
        if n.recording is not None
    }
    starts = [(r, len(r.rows)) for r in recordings.values() if r.rows is not None]
    answer = handler(*args, **kwargs)
    for recording, start in starts:
        for node in (recording.rows or ())[start:]:
            node.code, node.at = frame.f_code, frame.f_lasti
    return answer


_TAKES_WHERE = ("copyto",)


def nodes_in(value: Any) -> Iterator[Any]:
    """The traced values among a call's arguments, inside lists and tuples too."""
    if type(value) in TRACED:
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from nodes_in(item)


# -- NumPy's protocols ------------------------------------------------------------------------------------


def _array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    fun = UFUNCS.get(ufunc)
    frame = _getframe(1)
    if id(frame.f_globals) in HANDING_ON:
        frame = frame.f_back or frame
    if fun is None or kwargs or method != "__call__":
        return _unusual_ufunc(ufunc, method, inputs, kwargs, frame)
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
        return _unusual_ufunc(ufunc, method, inputs, kwargs, frame)
    if len(inputs) != 1:
        if fun is POWER and not any(map(is_complex, inputs)):  # Python's may be complex, NumPy's is nan
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
        if _all_untraced(args, kwargs):
            return _wrapped_all(function(*_untraced(args), **_untraced(kwargs)))
        raise_no_rule(qualified_name(function), frame)
    if len(args) == 1 and not kwargs and type(handler) is Primitive:
        return apply(handler, tuple(args), kwargs, frame)
    if len(args) > 2 or "out" in kwargs or (len(args) == 2 and function in _OUT_IS_SECOND):
        out, args, kwargs = _without_out(function, args, kwargs)
        if out is not None:
            new = call_handler(handler, tuple(args), kwargs, frame)
            return _to_output(out, new, qualified_name(function), frame)
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


# -- arrays that are not traced, but may come to be -------------------------------------------------------


def _all_untraced(args: Any, kwargs: dict[str, Any]) -> bool:
    return all(n.recording is None for n in nodes_in((tuple(args), tuple(kwargs.values()))))


def _untraced(value: Any) -> Any:
    if type(value) is Array:
        return value.row
    if isinstance(value, dict):
        return {k: _untraced(v) for k, v in value.items()}
    return type(value)(map(_untraced, value)) if type(value) in _SEVERAL else value


def _wrapped_all(value: Any) -> Any:
    return type(value)(map(_wrapped_all, value)) if type(value) in _SEVERAL else wrapped(value)


# -- the unusual calls ------------------------------------------------------------------------------------


def _ufunc_name(ufunc: np.ufunc) -> str:
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return f"np.{name}"
    special = sys.modules.get("scipy.special")
    return f"scipy.special.{name}" if getattr(special, name, None) is ufunc else name


def _unusual_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """The calls of a ufunc that are not plain: its methods, its keywords, and those without a rule."""
    fun = UFUNCS.get(ufunc)
    if fun is None and load_rules():
        fun = UFUNCS.get(ufunc)
    name = _ufunc_name(ufunc)
    if method == "at":
        return FUNCTIONS[np.ufunc.at](ufunc, *inputs)
    out = kwargs.pop("out", None)
    where = kwargs.pop("where", True)
    if where is not True and method == "__call__" and fun is not None:
        return _where(fun, inputs, out, where, name, frame)
    if where is not True:
        refuse_keyword(name, "where", frame)
    called = ufunc if method == "__call__" else getattr(ufunc, method)
    if called in FUNCTIONS and (fun is None or called is not ufunc or kwargs):
        answer = call_handler(FUNCTIONS[called], inputs, kwargs, frame)
    elif fun is None and _all_untraced(inputs, kwargs):
        answer = _wrapped_all(called(*_untraced(inputs), **_untraced(kwargs)))
    elif fun is None:
        raise_no_rule(name + ("" if called is ufunc else f".{method}"), frame)
    elif called is not ufunc:
        if _all_untraced(inputs, kwargs):
            answer = _wrapped_all(called(*_untraced(inputs), **_untraced(kwargs)))
        else:
            answer = call_handler(FUNCTIONS[getattr(np.ufunc, method)], (ufunc, *inputs), kwargs, frame)
    else:
        dtype = kwargs.pop("dtype", None)
        rest = [k for k, v in kwargs.items() if (k, v) != ("casting", "same_kind") and v is not None]
        if rest:
            refuse(
                f"{name} was called with {', '.join(rest)}= on traced values", "leave the keyword out", frame
            )
        answer = apply(fun, inputs, NO_KWARGS, frame)
        if dtype is not None:
            answer = answer.astype(dtype)
    return answer if out is None else _to_output(out, answer, name, frame)


def _where(fun: Primitive, inputs: tuple[Any, ...], out: Any, where: Any, name: str, frame: FrameType) -> Any:
    """``np.divide(a, b, out=y, where=mask)``: only where the mask holds is anything computed, and written."""
    target = out[0] if type(out) is tuple else out
    if target is None:
        refuse_keyword(name, "where", frame)
    if type(target) is not Array:
        refuse_plain_output(name, frame)
    mask = np.broadcast_to(plain_index(where), target.shape)
    parts = [np.broadcast_to(a, target.shape)[mask] if np.ndim(a) else a for a in inputs]
    target.write(mask, apply(fun, tuple(parts), NO_KWARGS, frame), frame.f_code, frame.f_lasti)
    return target


@functools.cache
def _place_of_out(function: Callable[..., Any]) -> int | None:
    """Where among the positional parameters of a NumPy function ``out`` stands; None if nowhere."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return {"dot": 2, "concatenate": 2}.get(function.__name__)
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    return names.index("out") if "out" in names else None


def _without_out(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Sequence[Any], dict[str, Any]]:
    """The array that a call is to write its answer to, and the call without it."""
    if "out" in kwargs:
        out = kwargs["out"]
        return out, args, {k: v for k, v in kwargs.items() if k != "out"}
    place = _place_of_out(function)
    if place is None or len(args) <= place:
        return None, args, kwargs
    names = [p.name for p in inspect.signature(function).parameters.values()] if len(args) > place + 1 else []
    rest = dict(zip(names[place + 1 :], args[place + 1 :], strict=False))
    return args[place], args[:place], {**rest, **kwargs}


def _to_output(out: Any, answer: Any, name: str, frame: FrameType) -> Any:
    """Writes an answer to where it was asked for, and returns that."""
    if type(out) is tuple:
        if len(out) == 1:
            return _to_output(out[0], answer, name, frame)
        shape = np.broadcast_shapes(*(o.shape for o in out if o is not None))
        return tuple(
            (a if np.shape(a) == shape else np.broadcast_to(a, shape))
            if o is None
            else _to_output(o, a, name, frame)
            for o, a in zip(out, answer, strict=True)
        )
    if out is None:
        return answer
    if type(out) is not Array:
        if type(answer) in TRACED and answer.recording is not None:
            refuse_plain_output(name, frame)
        out[...] = plain(answer)
        return out
    out.update(answer, name.removeprefix("np."), frame)
    return out
