"""The operators of a traced value: ``x + y``, ``x < y``, ``-x``."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.aliasing import refuse_shared
from diffkit.autodiff.recording.primitive import NO_KWARGS, UFUNCS, Primitive

__all__ = ["PENDING", "InfixOperators"]

PENDING: set[type] = set()
"""Types of adjoints that are not written out yet (``scatter.py``): they know how to add a node."""


def _infix(
    name: str, compute: Callable[[Any, Any], Any], *, constant: bool = False
) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator with two operands, as it stands and reflected.

    This is the hot path of every scalar program: it does what ``apply`` does, unrolled for two arguments.
    """
    fun = Primitive(name, compute, constant=constant)
    UFUNCS[getattr(np, name)] = fun

    def forward(self: Any, other: Any) -> Any:
        node = type(self)
        recording = self.recording
        if type(other) is not node:
            if type(other) in PENDING:
                return NotImplemented
            value = compute(self.value, other)
            if type(other) is np.ndarray:
                other = recording.constants.keep(other)
        elif other.recording is recording:
            value = compute(self.value, other.value)
        elif other.recording.level > recording.level:
            recording = other.recording
            value = compute(self, other.value)
        else:
            value = compute(self.value, other)
        frame = sys._getframe(1)
        return node(recording, fun, (self, other), NO_KWARGS, value, frame.f_code, frame.f_lasti)

    def reflected(self: Any, other: Any) -> Any:
        frame = sys._getframe(1)
        value = compute(other, self.value)
        return type(self)(self.recording, fun, (other, self), NO_KWARGS, value, frame.f_code, frame.f_lasti)

    return forward, reflected


def _comparison(name: str, compute: Callable[[Any, Any], Any]) -> Any:
    return _infix(name, compute, constant=True)[0]


def _prefix(name: str, compute: Callable[[Any], Any], *, constant: bool = False) -> Callable[[Any], Any]:
    """An operator with one operand."""
    fun = Primitive(name, compute, constant=constant)
    UFUNCS[getattr(np, name)] = fun

    def prefix(self: Any) -> Any:
        frame = sys._getframe(1)
        value = compute(self.value)
        return type(self)(self.recording, fun, (self,), NO_KWARGS, value, frame.f_code, frame.f_lasti)

    return prefix


def _in_place(symbol: str) -> Callable[[Any, Any], Any]:
    """``x += y``, which Python does as ``x = x + y`` if this says that it has no way of its own."""

    def augmented(self: Any, other: Any) -> Any:
        if type(self.value) is not float:
            refuse_shared(self, symbol, sys._getframe(1))
        return NotImplemented

    return augmented


class InfixOperators:
    """Python's operators on a traced value: each appends a node of the value's own type."""

    __slots__ = ()

    value: Any

    __add__, __radd__ = _infix("add", operator.add)
    __sub__, __rsub__ = _infix("subtract", operator.sub)
    __mul__, __rmul__ = _infix("multiply", operator.mul)
    __truediv__, __rtruediv__ = _infix("divide", operator.truediv)
    __floordiv__, __rfloordiv__ = _infix("floor_divide", operator.floordiv, constant=True)
    __mod__, __rmod__ = _infix("remainder", operator.mod)
    __pow__, __rpow__ = _infix("power", operator.pow)
    __matmul__, __rmatmul__ = _infix("matmul", operator.matmul)

    __lt__ = _comparison("less", operator.lt)
    __le__ = _comparison("less_equal", operator.le)
    __gt__ = _comparison("greater", operator.gt)
    __ge__ = _comparison("greater_equal", operator.ge)
    __eq__ = _comparison("equal", operator.eq)
    __ne__ = _comparison("not_equal", operator.ne)
    __and__ = _comparison("logical_and", np.logical_and)
    __or__ = _comparison("logical_or", np.logical_or)
    __xor__ = _comparison("logical_xor", np.logical_xor)

    __neg__ = _prefix("negative", operator.neg)
    __pos__ = _prefix("positive", operator.pos)
    __abs__ = _prefix("absolute", operator.abs)
    __invert__ = _prefix("logical_not", np.logical_not, constant=True)

    __iadd__, __isub__, __imul__ = _in_place("+"), _in_place("-"), _in_place("*")
    __itruediv__, __ifloordiv__, __imod__ = _in_place("/"), _in_place("//"), _in_place("%")
    __ipow__, __imatmul__ = _in_place("**"), _in_place("@")
    __iand__, __ior__, __ixor__ = _in_place("&"), _in_place("|"), _in_place("^")

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return np.divmod(self, other)  # type: ignore[call-overload, no-any-return]

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return np.divmod(other, self)  # type: ignore[call-overload, no-any-return]
