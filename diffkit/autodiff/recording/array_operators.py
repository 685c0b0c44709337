"""The operators of a traced array: ``x + y``, ``x < y``, ``-x``, and ``x += y``, which changes it."""

from __future__ import annotations

from collections.abc import Callable
from sys import _getframe
from typing import Any

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.infix import PENDING
from diffkit.autodiff.recording.node import Node
from diffkit.autodiff.recording.primitive import NO_KWARGS, UFUNCS, Primitive
from diffkit.autodiff.recording.refusals import raise_closed, site_of

_new = object.__new__


def _infix(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator with two operands, as it stands and reflected: what ``apply`` does, unrolled."""
    fun = UFUNCS[getattr(np, name)]
    compute = fun.compute

    def forward(self: Any, other: Any) -> Any:
        array = type(self)
        memory = self.memory
        row = self.node if memory is None or memory.version == self.seen else self.row
        frame = _getframe(1)
        kind = type(other)
        operand = other
        if kind is array:
            operand = other.node if other.memory is None else other.row
            kind = type(operand)
        elif kind in PENDING:
            return NotImplemented
        if type(row) is not Node:
            return Primitive.apply(fun, (self, other), NO_KWARGS, frame)
        recording = row.recording
        if kind is Node and operand.recording is recording:
            value = compute(row.value, operand.value)
        elif kind is float or kind is int:
            value = compute(row.value, operand)
        elif kind is ndarray:
            value = compute(row.value, operand)
            operand = recording.constants.keep(operand)
        else:
            return Primitive.apply(fun, (self, other), NO_KWARGS, frame)
        rows = recording.rows
        if rows is None:
            raise_closed(recording.owner, site_of(frame))
        node = _new(Node)
        node.recording, node.fun, node.args, node.kwargs = recording, fun, (row, operand), NO_KWARGS
        node.value, node.code, node.at, node.index = value, frame.f_code, frame.f_lasti, len(rows)
        rows.append(node)
        if type(value) is ndarray:
            stand = _new(array)
            stand.node, stand.memory = node, None
            return stand
        return Primitive.stand_in(node)

    def reflected(self: Any, other: Any) -> Any:
        memory = self.memory
        row = self.node if memory is None or memory.version == self.seen else self.row
        frame = _getframe(1)
        kind = type(other)
        if type(row) is not Node or (kind is not float and kind is not int):
            return Primitive.apply(fun, (other, self), NO_KWARGS, frame)
        value = compute(other, row.value)
        node = Node(row.recording, fun, (other, row), NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return type(self)(node) if type(value) is ndarray else Primitive.stand_in(node)

    return forward, reflected


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    """``y += v``, which all that share y's memory see."""
    fun = UFUNCS[getattr(np, name)]

    def augmented(self: Any, other: Any) -> Any:
        frame = _getframe(1)
        self.update(Primitive.apply(fun, (self, other), NO_KWARGS, frame), name, frame)
        return self

    return augmented


def _prefix(name: str) -> Callable[[Any], Any]:
    fun = UFUNCS[getattr(np, name)]
    compute = fun.compute

    def prefix(self: Any) -> Any:
        memory = self.memory
        row = self.node if memory is None or memory.version == self.seen else self.row
        frame = _getframe(1)
        if type(row) is not Node:
            return Primitive.apply(fun, (self,), NO_KWARGS, frame)
        value = compute(row.value)
        node = Node(row.recording, fun, (row,), NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return type(self)(node) if type(value) is ndarray else Primitive.stand_in(node)

    return prefix


class ArrayOperators:
    """Python's operators on a traced array: each appends a row."""

    __slots__ = ()

    __add__, __radd__, __iadd__ = *_infix("add"), _in_place("add")
    __sub__, __rsub__, __isub__ = *_infix("subtract"), _in_place("subtract")
    __mul__, __rmul__, __imul__ = *_infix("multiply"), _in_place("multiply")
    __truediv__, __rtruediv__, __itruediv__ = *_infix("divide"), _in_place("divide")
    __floordiv__, __rfloordiv__ = _infix("floor_divide")
    __mod__, __rmod__, __imod__ = *_infix("remainder"), _in_place("remainder")
    __pow__, __rpow__, __ipow__ = *_infix("power"), _in_place("power")
    __matmul__, __rmatmul__, __imatmul__ = *_infix("matmul"), _in_place("matmul")
    __and__, __rand__, __iand__ = *_infix("logical_and"), _in_place("logical_and")
    __or__, __ror__, __ior__ = *_infix("logical_or"), _in_place("logical_or")
    __xor__, __rxor__, __ixor__ = *_infix("logical_xor"), _in_place("logical_xor")
    __ifloordiv__ = _in_place("floor_divide")

    __lt__, __le__, __gt__, __ge__, __eq__, __ne__ = (
        _infix(name)[0] for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
    )

    __neg__, __pos__, __abs__, __invert__ = map(_prefix, ("negative", "positive", "absolute", "logical_not"))

    def __divmod__(self, other: Any) -> Any:
        return np.divmod(self, other)  # type: ignore[call-overload]

    def __rdivmod__(self, other: Any) -> Any:
        return np.divmod(other, self)  # type: ignore[call-overload]
