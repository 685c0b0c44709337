"""What the lines of a submission write while it runs: local values, by value, line by line.

For students who want to know which line is wrong. It is looked at in a run of its own, after everything has
been judged, on inputs that students may see; so whatever a submission does to it changes no verdict.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit.grading.inside.protocol import Array, Written, pack_array

MOST_WRITES = 2000
MOST_LINES = 40_000
"""Line events that are looked at; a loop that runs for longer is cut off there."""
LARGEST, ALL = 1 << 13, 1 << 19
"""Bytes of one value that are kept, and of all of them."""
DEEPEST = 3
MOST_PARTS = 40
_INNER = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Watch:
    """Follows the frames of some files from the ``with`` on to its end.

    Args:
        files: the names of the parts of the submission, as they were compiled.

    Attributes:
        lines: each line that was run, as (number of the part, line), in the order of the first time.
        written: what they wrote: a new value of a local variable, an item or attribute of one, or what is
            returned; and at the first line of a function what it is called with.
    """

    def __init__(self, files: list[str]) -> None:
        self.parts = {name: k for k, name in enumerate(files)}
        self.lines: dict[tuple[int, int], None] = {}
        self.written: list[Written] = []
        self._events = self._frames = self._size = 0
        self._before: Any = None

    def __enter__(self) -> Watch:
        self._before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: types.FrameType, event: str, _: Any) -> Any:
        part = self.parts.get(frame.f_code.co_filename)
        if part is None or frame.f_code.co_name in _INNER or self._events > MOST_LINES:
            return None
        self._frames += 1
        number, at = self._frames, frame.f_lineno
        known = dict(_parts_of(frame.f_locals))
        for name, array in known.items():
            self._write(part, at, number, name, array)

        def happened(frame: types.FrameType, event: str, value: Any) -> Any:
            nonlocal at
            self._events += 1
            if self._events > MOST_LINES:
                return None
            now = dict(_parts_of(frame.f_locals))
            for name, array in now.items():
                if known.get(name) != array:
                    known[name] = array
                    self._write(part, at, number, name, array)
            if event == "line":
                at = frame.f_lineno
                self.lines[part, at] = None
            elif event == "return":
                for name, array in _flat("return", value, 0):
                    self._write(part, at, number, name, array)
            return happened

        return happened

    def _write(self, part: int, line: int, frame: int, name: str, array: Array) -> None:
        self._size += len(array.data) + 50
        if len(self.written) < MOST_WRITES and self._size <= ALL:
            self.written.append(Written(part, line, frame, name, array))


def _parts_of(values: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    for name, value in list(values.items())[:MOST_PARTS]:
        yield from _flat(name, value, 0)


def _flat(name: str, value: Any, depth: int) -> Iterator[tuple[str, Array]]:
    """The arrays and numbers in a value, each with what it is called."""
    kind = type(value)
    if kind in (float, int, bool) or kind is np.ndarray or isinstance(value, np.generic):
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and array.nbytes <= LARGEST:
            yield name, pack_array(array)
    elif depth < DEEPEST:
        if kind in (list, tuple):
            for k, part in enumerate(value[:MOST_PARTS]):
                yield from _flat(f"{name}[{k}]", part, depth + 1)
        elif kind is dict:
            for key, part in list(value.items())[:MOST_PARTS]:
                if type(key) in (str, int):
                    yield from _flat(f"{name}[{key!r}]", part, depth + 1)
        elif not isinstance(value, type | types.ModuleType | types.FunctionType):
            try:
                held = object.__getattribute__(value, "__dict__")
            except AttributeError:
                return
            for key, part in list(held.items())[:MOST_PARTS]:
                yield from _flat(f"{name}.{key}", part, depth + 1)
