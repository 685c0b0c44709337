"""Where in the user's program a row was made: its file and line, and the variable it was given to.

A row keeps only the running code object and the offset of its instruction, which costs almost
nothing. All else is worked out from these when somebody asks.
"""

from __future__ import annotations

import ast
import dis
import itertools
import linecache
from functools import lru_cache
from pathlib import Path
from types import CodeType

import numpy as np

__all__ = [
    "assigned_name",
    "belongs_to_diffkit",
    "belongs_to_libraries",
    "called_text",
    "describe_site",
    "line_of",
    "source_line",
]

_PACKAGE = str(Path(__file__).parent)
_NUMPY = str(Path(np.__file__).parent)
_PROGRAMS = str(Path(__file__).parent / "programs.py")


def belongs_to_diffkit(code: CodeType) -> bool:
    """Whether the code is diffkit's own: of the package, or generated from the calculus table.

    The lectures' programs count as the user's: their variables are what a lesson talks about.
    """
    return code.co_filename.startswith((_PACKAGE, "<calculus")) and code.co_filename != _PROGRAMS


def belongs_to_libraries(code: CodeType) -> bool:
    """Whether the code is diffkit's, NumPy's or Cython's own, and not a line that a user would look at."""
    file = code.co_filename
    by_numpy = file.startswith((_NUMPY, "<__array_function__")) or file.endswith(".pyx")
    return by_numpy or belongs_to_diffkit(code)


@lru_cache(maxsize=4096)
def line_of(code: CodeType, at: int) -> int:
    """The line number of the instruction at offset ``at``."""
    for start, end, line in code.co_lines():
        if start <= at < end and line is not None:
            return line
    return code.co_firstlineno


def source_line(code: CodeType, at: int) -> str:
    """The text of that line, stripped; "" where the source is not to be had."""
    return linecache.getline(code.co_filename, line_of(code, at)).strip()


def called_text(code: CodeType, at: int) -> str:
    """What a call at this offset calls, as it is written there: ``np.array``; "" where that can't be told."""
    while at > 0 and dis.opname[code.co_code[at]] == "CACHE":  # Python 3.11: where a running call stands
        at -= 2
    place = next(itertools.islice(code.co_positions(), at // 2, None), (None, None, None, None))
    if not dis.opname[code.co_code[at]].startswith("CALL") or None in place:
        return ""
    first, last, start, end = place
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]  # type: ignore[operator, arg-type]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        call = ast.parse(b"".join(lines).decode(), mode="eval").body
    except (SyntaxError, UnicodeDecodeError):
        return ""
    if not isinstance(call, ast.Call):
        return ""
    called = call.func
    while isinstance(called, ast.Call):  # np.vectorize(f)(x)
        called = called.func
    return ast.unparse(called)


def describe_site(code: CodeType, at: int) -> str:
    """``file.py:12: y = x * x``, for messages; the text is left out where there is none."""
    if belongs_to_diffkit(code):
        return "inside diffkit"
    text = source_line(code, at)
    place = f"{Path(code.co_filename).name}:{line_of(code, at)}"
    return f"{place}: {text}" if text else place


@lru_cache(maxsize=1024)
def _assignments(code: CodeType) -> dict[int, str]:
    """The instructions whose answer is stored in a variable straight away, with its name."""
    names = {}
    instructions = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
    for before, after in itertools.pairwise(instructions):
        if after.opname in ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"):
            names[before.offset] = after.argval
        elif after.opname in ("STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"):
            names[before.offset] = after.argval[0]
    return names


def assigned_name(code: CodeType, at: int) -> str | None:
    """The variable that the instruction's answer was assigned to, or None.

    >>> def f(x):
    ...     y = x * x
    ...     return y + 1
    >>> [assigned_name(f.__code__, i.offset) for i in dis.get_instructions(f) if i.opname == "BINARY_OP"]
    ['y', None]
    """
    return _assignments(code).get(at)
