"""Where Python needs the value of a traced array itself: as a bool, an index, a number, a text."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from diffkit.autodiff.recording.node import Node
from diffkit.autodiff.recording.refusals import refuse_conversion


class ArrayConversions:
    """What Python makes of a traced array; where the program goes by its numbers, a decision."""

    __slots__ = ()

    row: Any
    value: Any

    def concrete(self, kind: str = "index", frame: FrameType | None = None) -> Any:
        """The plain value, written down as a decision; for indices, masks and shapes."""
        row = self.row
        return row.concrete(kind, frame or sys._getframe(1)) if type(row) is Node else row.copy()

    def __bool__(self) -> bool:
        row = self.row
        return bool(row.decide(bool(row.value), "branch", sys._getframe(1)) if type(row) is Node else row)

    def __index__(self) -> int:
        row = self.row
        if type(row) is Node:
            return int(row.decide(operator.index(row.value), "index", sys._getframe(1)))
        return operator.index(row)

    def _number(self, kind: str, convert: Callable[[Any], Any], frame: FrameType) -> Any:
        row = self.row
        if type(row) is Node and not row.is_discrete():
            refuse_conversion(kind, frame)
        return convert(row.concrete("index", frame) if type(row) is Node else row)

    def __float__(self) -> float:
        return float(self._number("float", float, sys._getframe(1)))

    def __int__(self) -> int:
        return int(self._number("int", int, sys._getframe(1)))

    def __complex__(self) -> complex:
        return complex(self._number("complex", complex, sys._getframe(1)))

    def __repr__(self) -> str:
        row = self.row
        return f"Array({row.value!r}, {row.fun.name})" if type(row) is Node else repr(row)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)
