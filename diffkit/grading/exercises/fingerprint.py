"""What an exercise consists of, as a digest: by it a journal knows which exercises have been changed.

All that a verdict may depend on goes in: the exercise's fields, the code of its functions, what that code
names in the assignment's file and in the modules beside it, what it encloses, and the defaults. Of what
is installed the names go in. Where something can't be told apart, the digest is another one each time,
and the exercise is graded again: that is the safe side.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.grading.exercises.assignment import Assignment


def fingerprints(assignment: Assignment) -> dict[str, str]:
    """A digest for each exercise of an assignment, by its name."""
    folder = assignment.path.resolve().parent
    common = (assignment.limits, assignment.packages)
    return {
        e.name: hashlib.sha256("\n".join(_Parts(folder).of((common, e))).encode()).hexdigest()[:16]
        for e in assignment.exercises
    }


class _Parts:
    """The parts of a value as lines of text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[int, tuple[int, Any]] = {}

    def of(self, value: Any) -> Iterator[str]:
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, str, bytes):
            yield f"{kind.__name__} {value!r}"
            return
        if id(value) in self.seen:
            yield f"again {self.seen[id(value)][0]}"
            return
        self.seen[id(value)] = len(self.seen), value
        yield f"{kind.__module__}.{kind.__qualname__}"
        if kind is not type:
            yield from self._class(kind)
        if isinstance(value, np.ndarray):
            yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
        elif isinstance(value, Mapping):
            for key, part in value.items():
                yield from self.of(key)
                yield from self.of(part)
        elif isinstance(value, tuple | list):
            for part in value:
                yield from self.of(part)
        elif isinstance(value, set | frozenset):
            yield from sorted("\n".join(_Parts(self.folder).of(part)) for part in value)
        elif isinstance(value, types.FunctionType):
            yield from self._function(value)
        elif isinstance(value, types.CodeType):
            yield value.co_code.hex()
            yield from self.of((value.co_consts, value.co_names, value.co_varnames))
        elif isinstance(value, types.MethodType):
            yield from self.of((value.__func__, value.__self__))
        elif isinstance(value, types.ModuleType):
            yield from self._module(value)
        elif isinstance(value, type):
            yield value.__qualname__
            yield from self._class(value)
        elif isinstance(value, staticmethod | classmethod):
            yield from self.of(value.__func__)
        elif isinstance(value, property):
            yield from self.of((value.fget, value.fset))
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield field.name
                yield from self.of(getattr(value, field.name))
        elif getattr(value, "__dict__", None):
            yield from self.of(vars(value))
        else:
            yield repr(value)  # with its address, if it has nothing better to say of itself

    def _function(self, value: types.FunctionType) -> Iterator[str]:
        yield f"{value.__module__}.{value.__qualname__}"
        yield from self.of((value.__defaults__, value.__kwdefaults__))
        for cell in value.__closure__ or ():
            yield from self.of(cell.cell_contents)
        if self._ours(value.__code__.co_filename):
            yield from self.of(value.__code__)
            for name in _names(value.__code__):
                if name in value.__globals__:
                    yield name
                    yield from self.of(value.__globals__[name])

    def _module(self, value: types.ModuleType) -> Iterator[str]:
        yield value.__name__
        file = getattr(value, "__file__", None)
        if isinstance(file, str) and self._ours(file):
            yield Path(file).read_text(encoding="utf-8")

    def _class(self, value: type) -> Iterator[str]:
        """What a class of the team's is made of; its place in the file is no part of that."""
        file = getattr(sys.modules.get(value.__module__), "__file__", None)
        if not isinstance(file, str) or not self._ours(file):
            return
        for name, part in vars(value).items():
            if name not in ("__module__", "__dict__", "__weakref__", "__doc__", "__firstlineno__"):
                yield name
                yield from self.of(part)
        yield from self.of(value.__bases__)

    def _ours(self, file: str) -> bool:
        """Whether a file is the team's: the assignment, or beside it or below, and not installed there."""
        path = Path(file).resolve()
        return path.is_relative_to(self.folder) and "site-packages" not in path.parts


def _names(code: types.CodeType) -> list[str]:
    """The names that a function's code looks up, those of functions within it included."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return sorted({*code.co_names, *(name for c in inner for name in _names(c))})
