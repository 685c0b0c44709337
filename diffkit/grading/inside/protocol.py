"""What is said between the grader, which knows the answers, and the side that runs a student's code.

The grader sends a :class:`Request`: points (inputs), cotangents, and the steps to perform. It gets a
:class:`Response`: what every step gave, as raw bytes. Both are plain data, so that they can cross a
pipe without pickle, and neither holds a reference answer. One request is one instance of one exercise.

>>> import numpy as np
>>> a = pack_array(np.array([1.0, 2.0]))
>>> a.dtype, a.shape, len(a.data)
('<f8', (2,), 16)
>>> unpack_array(a)
array([1., 2.])
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LARGEST_ANSWER = 1 << 24
"""Bytes of one array that are sent back. The largest right answer of an exercise has a few hundred."""

_KINDS = "biufc"
_DTYPES = {
    text: np.dtype(text)
    for text in (
        *"|b1 |i1 |u1 <i2 <u2 <f2 <i4 <u4 <f4 <i8 <u8 <f8 <c8 <c16".split(),
        *(np.dtype(kind).str for kind in (np.longdouble, np.clongdouble)),
    )
}
"""All the dtypes of plain numbers, as :func:`pack_array` writes them."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array as dtype text (``"<f8"``), shape and C-ordered bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Scalar:
    """A NumPy scalar, which is no array of no axes: NumPy's own functions return it, and it has no items."""

    array: Array


@dataclass(frozen=True, slots=True)
class Target:
    """What to look for in the submission.

    Attributes:
        name: the exercise's name; what a student must define follows from it and from the style.
        style: a name of :data:`diffkit.grading.exercises.styles.STYLES`.
        defines: the names that the submission must define, in the order that the style says.
        constructor: the keyword arguments that go to a class when an object is made of it, in their order.
        arguments: the names of the arguments.
        parameters: those of them that the object holds, and keeps the gradients of.
    """

    name: str
    style: str
    defines: tuple[str, ...]
    constructor: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """Inputs at which the student's code is run.

    Attributes:
        args: the positional arguments, packed (:func:`pack`).
        kwargs: the keyword arguments, by name; the values packed.
        ans: the forward function's value there, packed, for the styles in which the rule is given it.
        differentiated: which of the arguments are differentiated by.
    """

    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    ans: Any
    differentiated: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        label: what the grader calls it: "g", "again", "minus g", ...
        action: "forward" runs the student's forward function, and keeps what it leaves behind
            (object, cache, context) under ``handle``; "backward" asks for the derivative.
        handle: the object that is used; a new number means a fresh one. Styles without a forward
            function of the student's own have no state, and ignore it.
        point: the number of the point. For "backward", the point of that handle's last "forward".
        seed: the number of the cotangent (tangents, for JVP rules); -1 for "forward".
    """

    label: str
    action: str
    handle: int
    point: int
    seed: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One statement of a file, a function for example, in another form for the time of a request.

    Attributes:
        part: the number of the part of the submission that it stands in.
        line: the line there that it begins at.
        text: what is run in its place.
        was: what stands there.
    """

    part: int
    line: int
    text: str
    was: str


@dataclass(frozen=True, slots=True)
class Written:
    """A value that a line of the submission's wrote.

    Attributes:
        part, line: where.
        frame: the number of the call that it was in.
        name: the variable, with item or attribute: ``self.h``, ``grads['W']``; ``return`` for an answer.
        value: the value.
    """

    part: int
    line: int
    frame: int
    name: str
    value: Array


@dataclass(frozen=True, slots=True)
class Request:
    """The steps of one instance, in order.

    Attributes:
        seeds: cotangents of the answer, each a tuple of one array. For JVP rules, tangents of the
            differentiated arguments, each a tuple of as many arrays.
        steady: whether every forward pass is to draw the same random numbers.
        variant: what of the submission is to be otherwise.
        watched: whether what its lines write is to be told.
    """

    target: Target
    points: tuple[Point, ...]
    seeds: tuple[tuple[Array, ...], ...]
    steps: tuple[Step, ...]
    steady: bool = False
    variant: Variant | None = None
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception, as text.

    Attributes:
        kind: its class's name.
        message: its text, cut at a thousand characters.
        where: the student's own line, ``line 12: return g * y``, or "".
    """

    kind: str
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """One value that the student's code returned.

    Attributes:
        kind: "array" for a plain array or NumPy scalar, "number" for a number of Python's, which has no
            dtype; else what it is: "None", "list", "function", "matrix", ...
        array: the numbers, if there are any.
    """

    kind: str
    array: Array | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step gave.

    Attributes:
        values: the values returned, one for each of a tuple's or list's parts.
        grouped: whether they came as a tuple or list.
        failure: the exception, if there was one; ``values`` is then empty.
        left: the bytes of the arrays that the student's code was handed, as they were afterwards: of the
            arguments, the forward value and the cotangents, one after the other. Whether they have changed
            is for the grader to find.
    """

    values: tuple[Given, ...] = ()
    grouped: bool = False
    failure: Failure | None = None
    left: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What came of a request.

    Attributes:
        steps: one result for each step, in order; fewer if the worker ended before it was done.
        missing: names that the submission does not define, or defines as something else.
        failure: what kept the steps from being performed at all (time, memory, a dead worker).
        written: what the submission's lines wrote, if that was watched.
        lines: which lines ran, as (part, line), in the order of the first time.
    """

    steps: tuple[StepResult, ...] = ()
    missing: tuple[str, ...] = field(default=())
    failure: Failure | None = None
    written: tuple[Written, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()


def pack_array(value: Any) -> Array:
    """An array or number as bytes.

    Raises:
        TypeError: if it does not hold plain numbers.
    """
    array = np.asarray(value)
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"an array of dtype {array.dtype}, which holds no plain numbers")
    if array.dtype.str[0] == ">" or sys.byteorder == "big":
        array = array.astype(array.dtype.newbyteorder("<"))
    return Array(array.dtype.str, array.shape, array.tobytes())


_AS_THEY_ARE = (type(None), bool, int, float, complex, str, type(...))


def pack(value: Any, what: str = "it") -> Any:
    """A value of a team's as plain data: with :class:`Array` and :class:`Scalar` for what is NumPy's.

    Args:
        value: None, a number, a text, an array or NumPy scalar of numbers, a slice or ``...``; or a tuple,
            list or dict of these, nested.
        what: what to call it where it can't be carried: ``opt``.

    Raises:
        TypeError: for anything else, with the place in it: "opt['pad'] is a function".

    >>> unpack(pack({"pad": np.int64(1), "at": [slice(0, 2), None]}))
    {'pad': np.int64(1), 'at': [slice(0, 2, None), None]}
    >>> pack({"pad": len}, "opt")
    Traceback (most recent call last):
    TypeError: opt['pad'] is of type builtin_function_or_method
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is np.ndarray or isinstance(value, np.generic):
        try:
            return pack_array(value) if kind is np.ndarray else Scalar(pack_array(value))
        except TypeError as error:
            raise TypeError(f"{what} is {error}") from None
    try:
        if kind is slice:
            return slice(
                *(pack(part, f"a bound of {what}") for part in (value.start, value.stop, value.step))
            )
        if kind is dict:
            return {pack(k, f"a key of {what}"): pack(v, f"{what}[{k!r}]") for k, v in value.items()}
        if kind in (tuple, list):
            return kind(pack(part, f"{what}[{k}]") for k, part in enumerate(value))
    except RecursionError:
        raise TypeError(f"{what} holds itself, or is nested without end") from None
    raise TypeError(f"{what} is of type {kind.__name__}")


def unpack(value: Any) -> Any:
    """What :func:`pack` was given, made anew: nobody else has the arrays and containers in it."""
    kind = type(value)
    if kind is Array:
        return unpack_array(value)
    if kind is Scalar:
        return unpack_array(value.array)[()]
    if kind is slice:
        return slice(unpack(value.start), unpack(value.stop), unpack(value.step))
    if kind is dict:
        return {unpack(key): unpack(part) for key, part in value.items()}
    return kind(map(unpack, value)) if kind in (tuple, list) else value


def unpack_array(array: Array, largest: int = LARGEST_ANSWER) -> np.ndarray[Any, Any]:
    """The array, rebuilt from its bytes with every claim about it verified.

    Raises:
        ValueError: if dtype, shape and bytes do not fit together, or it is larger than ``largest``.
    """
    dtype = _DTYPES.get(array.dtype)
    if dtype is None:
        raise ValueError(f"{array.dtype[:20]!r} is not the dtype of plain numbers")
    shape = array.shape
    if len(shape) > 32 or (shape and min(shape) < 0):
        raise ValueError(f"{array.shape!r} is not a shape")
    size = math.prod(shape) * dtype.itemsize
    if size > largest:
        raise ValueError(f"an answer of {size} bytes is larger than the {largest} that are read")
    if len(array.data) != size:
        raise ValueError(f"{len(array.data)} bytes cannot be an array of shape {shape} and dtype {dtype}")
    return np.frombuffer(array.data, dtype=dtype).reshape(shape).copy()
