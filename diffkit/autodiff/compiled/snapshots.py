"""What a value is now, to be compared with what it is later: how a change is noticed.

>>> weights = np.ones(2)
>>> same = snapshot({"w": weights})
>>> same({"w": np.ones(2)})
True
>>> weights[0] = 5.0
>>> same({"w": weights})
False
"""

from __future__ import annotations

import array
import collections
import io
import random
import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.recording.tracer import Primitive
from diffkit.errors import TraceError

Check = Callable[[Any], bool]

_BY_IDENTITY = (type, ModuleType, BuiltinFunctionType, WrapperDescriptorType, np.ufunc, np.dtype, Primitive)

_DEPTH = 8
"""How deep containers and objects are looked into."""

_REFLECTIVE = frozenset({"vars", "__dict__", "asdict", "astuple"})
"""What code mentions that reads all attributes of an object, whatever their names."""


def snapshot(value: Any, mentioned: frozenset[str] = frozenset(), within: tuple[int, ...] = ()) -> Check:
    """A check whether a value is what this one is now, to the last bit.

    Arrays and containers are compared by what is in them; of objects, the attributes in ``mentioned``;
    functions, classes and modules by identity.

    Args:
        value: what is to be compared.
        mentioned: names of attributes; with ``vars`` or ``__dict__`` among them, they all count.
        within: the ids of the containers and objects that the value is in, outermost first.

    Raises:
        TraceError: for what is used up by being used: a generator, an open file.

    >>> check = snapshot({"a": np.zeros(2)})
    >>> check({"a": np.zeros(2)}), check({"a": np.ones(2)}), check({})
    (True, False, False)
    """
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes, float, complex):
        return lambda v: type(v) is kind and same_bits(v, value)
    if isinstance(value, np.generic):
        return lambda v: same_bits(v, value)
    if kind is np.ndarray and not value.dtype.hasobject:
        return _array_check(value)
    if isinstance(value, np.random.Generator | np.random.RandomState | random.Random):
        state = _state_of(value)
        return lambda v: v is value and _state_of(v) == state
    if isinstance(value, GeneratorType | io.IOBase) or (
        hasattr(kind, "__next__") and hasattr(kind, "__iter__")
    ):
        raise TraceError(
            f"the function to compile uses a {kind.__name__}, which is used up by being used: what it gave "
            "while the function was traced would be given for ever. Read it first, and pass what it gave as "
            "an argument."
        )
    if len(within) < _DEPTH and id(value) not in within:
        within += (id(value),)
        if isinstance(value, list | tuple):
            return _sequence_check(value, [snapshot(v, mentioned, within) for v in value])
        if isinstance(value, dict):
            return _dict_check(value, {k: snapshot(v, mentioned, within) for k, v in value.items()})
        if isinstance(value, collections.deque | array.array | bytearray):
            parts = _sequence_check(list(value), [snapshot(v, mentioned, within) for v in value])
            return lambda v: type(v) is kind and parts(list(v))
        if isinstance(value, set | frozenset):
            members = frozenset(value)
            each = [(part, snapshot(part, mentioned, within)) for part in members]
            return lambda v: type(v) is kind and v == members and all(same(part) for part, same in each)
        if isinstance(value, Primitive):
            vjps, jvps = value.vjps, value.jvps
            return lambda v: v is value and v.vjps is vjps and v.jvps is jvps
        if not isinstance(value, (*_BY_IDENTITY, FunctionType, MethodType)):
            return _object_check(value, mentioned, within)
    if isinstance(value, MethodType):
        owner, function = value.__self__, value.__func__
        return lambda v: type(v) is MethodType and v.__self__ is owner and v.__func__ is function
    return lambda v: v is value


def _array_check(array: np.ndarray) -> Check:
    dtype, shape, data = array.dtype, array.shape, array.tobytes()
    if not array.flags.writeable and array.flags.owndata:
        return lambda v: (
            v is array
            or (type(v) is np.ndarray and v.dtype == dtype and v.shape == shape and v.tobytes() == data)
        )
    return lambda v: type(v) is np.ndarray and v.dtype == dtype and v.shape == shape and v.tobytes() == data


def _sequence_check(value: Any, checks: list[Check]) -> Check:
    kind, n = type(value), len(value)
    return lambda v: (
        type(v) is kind and len(v) == n and all(c(part) for c, part in zip(checks, v, strict=True))
    )


def _dict_check(value: Any, checks: dict[Any, Check]) -> Check:
    kind, keys = type(value), list(value)  # the order counts: a program may go through it
    return lambda v: type(v) is kind and list(v) == keys and all(c(v[k]) for k, c in checks.items())


def _object_check(value: object, mentioned: frozenset[str], within: tuple[int, ...]) -> Check:
    checks = {k: snapshot(v, mentioned, within) for k, v in attributes(value, mentioned).items()}
    own = getattr(value, "__dict__", {})
    absent = mentioned.difference(own)
    number = None if mentioned.isdisjoint(_REFLECTIVE) else len(own)

    def check(v: object) -> bool:
        if v is not value:
            return False
        own = getattr(v, "__dict__", ())
        if not absent.isdisjoint(own) or (number is not None and len(own) != number):
            return False
        return all(hasattr(v, k) and c(getattr(v, k)) for k, c in checks.items())

    return check


def _state_of(generator: np.random.Generator | np.random.RandomState | random.Random) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    bits = getattr(generator, "bit_generator", None) or generator._bit_generator  # type: ignore[union-attr]
    with np.printoptions(threshold=sys.maxsize):
        return repr(bits.state)


def attributes(value: object, mentioned: frozenset[str]) -> dict[str, Any]:
    """An object's own attributes among those mentioned, in its dictionary or in slots."""
    own = getattr(value, "__dict__", {})
    kind = type(value)
    if not mentioned.isdisjoint(_REFLECTIVE):
        mentioned = mentioned.union(own)
    return {
        name: getattr(value, name)
        for name in sorted(mentioned)
        if (name in own or isinstance(getattr(kind, name, None), MemberDescriptorType))
        and hasattr(value, name)
    }
