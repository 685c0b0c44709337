"""Where a program failed: the operation that was under way, its operands, and the user's line.

Nothing is noted while a program runs, for that would cost every program something: all of this is read
from the traceback.

>>> import diffkit as dk
>>> t = dk.trace(lambda x: np.ones((2, 3)) @ np.sin(x), partial=True)(np.ones(2))
>>> len(t), t.failure.operation, t.failure.shapes
(2, 'matmul', '(2, 3) and (2,)')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, ModuleType, TracebackType
from typing import Any

import numpy as np

from diffkit.autodiff.recording.ieee import is_recording
from diffkit.autodiff.recording.primitive import Primitive
from diffkit.autodiff.recording.tracer import TRACED, plain, row_of
from diffkit.errors import DiffkitError, InputError, TraceError
from diffkit.sites import belongs_to_libraries, describe_site


@dataclass(frozen=True, slots=True)
class Failure:
    """What a program was doing when it failed.

    Attributes:
        error: what was raised.
        operation: the name of the operation that failed; "" where the program failed between two.
        operands: of that operation: rows of traces, and plain values.
        names: the user's variables that hold them; "" for one that none holds.
        code, at: the user's code and the instruction in it.
    """

    error: Exception
    operation: str
    operands: tuple[Any, ...]
    names: tuple[str, ...]
    code: CodeType
    at: int

    @property
    def site(self) -> str:
        """``file.py:12: z = W @ h``."""
        return describe_site(self.code, self.at)

    @property
    def shapes(self) -> str:
        """``(3, 4) and (3,)``: the shapes of the operands that are arrays or numbers."""
        return " and ".join(str(np.shape(plain(a))) for a in self._numeric())

    @property
    def message(self) -> str:
        """The error's kind and its text, in one line."""
        text = " ".join(str(self.error).split())
        return f"{type(self.error).__name__}: {text}" if text else type(self.error).__name__

    def _numeric(self) -> list[Any]:
        return [a for a in self.operands if isinstance(plain(a), _NUMERIC)]

    def described(self) -> str:
        """``matmul of W, of shape (3, 4), and h, of shape (3,)``: operands by name where they have one."""
        parts = []
        for name, a in zip(self.names, self.operands, strict=True):
            if isinstance(plain(a), _NUMERIC):
                shape = np.shape(plain(a))
                what = name or ("an array" if shape else "a number")
                parts.append(f"{what}, of shape {shape}" if shape else what)
        return f"{self.operation} of {', and '.join(parts)}" if parts else self.operation


_NUMERIC = (np.ndarray, np.generic, float, complex)


def failure_of(error: Exception) -> Failure | None:
    """Where an error comes from; None for one that no line of a user's code has raised."""
    frames = list(_frames(error.__traceback__))
    users = [k for k, tb in enumerate(frames) if not belongs_to_libraries(tb.tb_frame.f_code)]
    if not users:
        return None
    place = frames[users[-1]]
    operation, given = "", tuple[Any, ...]()
    for tb in frames[users[-1] + 1 :]:
        operation, given = _under_way(tb) or (operation, given)
    variables = {**place.tb_frame.f_globals, **place.tb_frame.f_locals}.items()
    names = tuple(next((name for name, value in variables if value is a), "") for a in given)
    rows = tuple(row_of(a) for a in given)
    return Failure(error, operation, rows, names, place.tb_frame.f_code, place.tb_lasti)


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _under_way(tb: TracebackType) -> tuple[str, tuple[Any, ...]] | None:
    """The operation that one of the recorder's functions was doing, and its operands."""
    if not is_recording(tb.tb_frame):
        return None
    held = tb.tb_frame.f_locals
    fun = held.get("fun")
    if not isinstance(fun, Primitive):  # what Python calls for x[k] and the like
        name = tb.tb_frame.f_code.co_name
        special = name.startswith("__") and "self" in held
        return (name.strip("_"), (held["self"],)) if special else None
    places = next((p for p in _OPERANDS if p[0] in held), ())
    given = [held[p] for p in places if p in held]
    given = list(given[0]) if places in (("args",), ("inputs",)) else given
    return fun.name, tuple(given[::-1] if tb.tb_frame.f_code.co_name == "reflected" else given)


_OPERANDS = (("args",), ("inputs",), ("self", "other"), ("array",))
"""What the recorder's functions call what they were given."""


def misfit_error(error: Exception) -> Exception:
    """What a traced value was asked that its shape or its kind does not have, with its name and the line.

    NumPy's complaints about shapes name no operand, and those about an object's kind name the stand-in's.
    Any other error is handed back as it is.
    """
    told = isinstance(error, DiffkitError) or not isinstance(error, TypeError | ValueError)
    failure = None if told else failure_of(error)
    if failure is None:
        return error
    text = " ".join(str(error).split())
    kind = _KIND.search(text)
    if isinstance(error, TypeError) and kind and not _has_its_own(kind[1] or kind[2], error):
        if kind[2]:
            return TraceError(
                f"a NumPy function was called on an object array of traced values ({failure.site}): build "
                "the array with np.stack or dk.numpy.array, and without dtype=object."
            )
        text = text.replace(kind[0], f"'{_STANDS_FOR[kind[1]]}'")
        return TypeError(f"{text} ({failure.site})")
    shapes = [np.shape(plain(a)) for a in failure._numeric()]
    number = failure.operation == "matmul" and () in shapes
    if not failure.operation or (not number and (type(error) is not ValueError or not any(shapes))):
        return error
    if number or "gufunc" in text:  # NumPy's own words for matmul name neither operand
        text = "they do not fit"
        if number:
            text = "a number has no axis to multiply along; write * for it"
        elif failure.operation == "matmul" and len(shapes) == 2:
            (a, b), axis = shapes, -2 if len(shapes[1]) > 1 else -1
            text = f"the last axis of the first, {a[-1]}, must be as long as the {_NTH[axis]} of the second, "
            text += str(b[axis])
    return InputError(f"{failure.described()}: {text} ({failure.site})")


def _has_its_own(name: str, error: Exception) -> bool:
    """Whether the program knows another class by a stand-in's name, which the error may be about."""
    for tb in _frames(error.__traceback__):
        if belongs_to_libraries(tb.tb_frame.f_code):
            continue
        for value in (*tb.tb_frame.f_locals.values(), *tb.tb_frame.f_globals.values()):
            found = getattr(value, name, None) if isinstance(value, ModuleType) else value
            kind = found if isinstance(found, type) else type(found)
            if kind.__name__ == name and kind not in TRACED:
                return True
    return False


_STANDS_FOR = {"Node": "float", "Array": "numpy.ndarray"}
"""What the program would see in the place of a stand-in."""
_KIND = re.compile(r"'(Node|Array)'|of type (Node|Array) which has no callable")
"""A stand-in's name in what Python says, and in what NumPy says of an array of objects."""
_NTH = {-1: "only axis", -2: "last but one"}
