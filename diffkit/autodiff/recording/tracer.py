"""How a NumPy function is recorded: what happens when NumPy is called on traced values.

A function is run once on stand-ins for its floats and arrays: a :class:`Node` for a number, an :class:`Array`
for an array. They look like the values that they carry. Whatever is done to them (an operator, a ufunc, a
NumPy function) goes through :func:`apply`, which computes the value and appends a row to the
:class:`Recording`. The rows come out in the order in which they were computed, which is already a
topological order: no sorting, no recursion, and a place in the list is a stable name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from numpy import ndarray

from diffkit.autodiff.recording import array_methods
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
from diffkit.autodiff.recording.ieee import answer
from diffkit.autodiff.recording.infix import NUMBERS
from diffkit.autodiff.recording.node import INPUT, PART, Decision, Node, Recording, is_deferred
from diffkit.autodiff.recording.primitive import FUNCTIONS, NO_KWARGS, UFUNCS, InPlace, Primitive
from diffkit.autodiff.recording.refusals import refuse_keyword

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

HANDING_ON = {id(vars(array_methods))}
"""The variables of modules, by ``id``, whose functions hand a call on: x.sum() calls np.sum(x)."""
SEVERAL = (tuple, list)
"""What a function with several answers returns them in."""


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
    return unpack(node, frame) if isinstance(value, SEVERAL) else stand_in(node)


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
    return unpack(node, frame) if isinstance(value, SEVERAL) else stand_in(node)


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
    if isinstance(value, SEVERAL):
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
    several = type(value) not in TRACED and isinstance(value, SEVERAL)
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
