"""The operators of a traced number: ``x + y``, ``x < y``, ``-x``."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.ieee import OPERATORS, answer
from diffkit.autodiff.recording.primitive import NO_KWARGS, UFUNCS, Primitive

PENDING: set[type] = set()
"""Types that know themselves how to take a traced number as an operand: traced arrays, and adjoints that
are not written out yet (``scatter.py``)."""

NUMBERS: set[type] = {float, int, complex, bool, np.float64, np.bool_, np.int64, np.float32, np.complex128}
"""Types of values that a row stands in for itself; traced numbers of an outer recording are another."""


def _infix(
    name: str, compute: Callable[[Any, Any], Any], *, constant: bool = False
) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator with two operands, as it stands and reflected.

    This is the hot path of every scalar program: it does what ``apply`` does, unrolled for two arguments.
    """
    fun = Primitive(name, compute, constant=constant)
    UFUNCS[getattr(np, name)] = fun
    OPERATORS.add(fun)
    may_be_complex = compute is operator.pow

    def forward(self: Any, other: Any, modulus: Any = None) -> Any:
        node = type(self)
        if modulus is not None:
            raise TypeError("pow() 3rd argument not allowed unless all arguments are integers")
        recording = self.recording
        kind = type(other)
        try:
            if kind is float or kind is int:
                value = compute(self.value, other)
            elif kind is not node:
                if kind in PENDING:
                    return NotImplemented
                value = compute(self.value, other)
                other = recording.constants.keep_any(other)
            elif other.recording is recording:
                value = compute(self.value, other.value)
            elif other.recording.level > recording.level:
                recording = other.recording
                value = compute(self, other.value)
            else:
                value = compute(self.value, other)
        except ArithmeticError as error:
            return answer(fun, (self, other), NO_KWARGS, sys._getframe(1), error)
        frame = sys._getframe(1)
        if may_be_complex and is_complex(value) and not (is_complex(self) or is_complex(other)):
            numpys = answer(fun, (self, other), NO_KWARGS, frame, None)
            if numpys is not NotImplemented:
                return numpys
        row = node(recording, fun, (self, other), NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return row if type(value) in NUMBERS else Primitive.stand_in(row)

    def reflected(self: Any, other: Any) -> Any:
        frame = sys._getframe(1)
        try:
            value = compute(other, self.value)
        except ArithmeticError as error:
            return answer(fun, (other, self), NO_KWARGS, frame, error)
        if may_be_complex and is_complex(value) and not (is_complex(self) or is_complex(other)):
            numpys = answer(fun, (other, self), NO_KWARGS, frame, None)
            if numpys is not NotImplemented:
                return numpys
        if type(other) is not float:
            other = self.recording.constants.keep_any(other)
        row = type(self)(self.recording, fun, (other, self), NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return row if type(value) in NUMBERS else Primitive.stand_in(row)

    return forward, reflected


def is_complex(value: Any) -> bool:
    """Whether a number, traced or not, is a complex one of Python's."""
    while type(value) is not float and type(value) in NUMBERS and hasattr(value, "fun"):
        value = value.value
    return type(value) is complex


def _comparison(name: str, compute: Callable[[Any, Any], Any]) -> Any:
    return _infix(name, compute, constant=True)[0]


def _prefix(name: str, compute: Callable[[Any], Any], *, constant: bool = False) -> Callable[[Any], Any]:
    """An operator with one operand."""
    fun = Primitive(name, compute, constant=constant)
    UFUNCS[getattr(np, name)] = fun
    OPERATORS.add(fun)

    def prefix(self: Any) -> Any:
        frame = sys._getframe(1)
        value = compute(self.value)
        row = type(self)(self.recording, fun, (self,), NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return row if type(value) in NUMBERS else Primitive.stand_in(row)

    return prefix


class NumberOperators:
    """Python's operators on a traced number: each appends a row."""

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

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return np.divmod(self, other)  # type: ignore[call-overload, no-any-return]

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return np.divmod(other, self)  # type: ignore[call-overload, no-any-return]
