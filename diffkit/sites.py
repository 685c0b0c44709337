"""Where in the user's program a row was made: its file and line, and the variable it was given to.

A row keeps only the running code object and the offset of its instruction, which costs almost
nothing. All else is worked out from these when somebody asks.
"""

from __future__ import annotations

import ast
import dis
import itertools
import linecache
import os
import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Literal

import numpy as np

_PACKAGE = Path(os.path.realpath(__file__)).parent
_USERS_THERE = (_PACKAGE / "programs.py", _PACKAGE / "lessons" / "scripts")
"""What lies in the package and is read as the user's: its variables are what a lesson talks about."""

_SITE_FOLDERS = ("site-packages", "dist-packages")


@lru_cache(maxsize=4096)
def owner(filename: str) -> Literal["user", "diffkit", "library"]:
    """Whose code a file is: decided here for all rooms.

    diffkit's own is what lies in its folder, but for the lectures' programs and the lessons' scripts, and
    what is generated from the calculus table. A library's is what lies in Python's own installation or in a
    folder that packages are installed in, and Cython's code, which has no path. All else is the user's:
    scripts, notebooks, what is typed in, a project's own packages, wherever its folder lies.

    Args:
        filename: as a code object has it.

    >>> owner(np.__file__), owner(__file__), owner("<stdin>")
    ('library', 'diffkit', 'user')
    """
    if filename.startswith("<calculus"):
        return "diffkit"
    if filename.startswith(("<frozen", "<__array_function__")) or filename.endswith(".pyx"):
        return "library"
    if filename.startswith("<"):
        return "user"
    path = Path(os.path.realpath(filename))
    if path.is_relative_to(_PACKAGE):
        return "user" if any(path.is_relative_to(each) for each in _USERS_THERE) else "diffkit"
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is not None and path == Path(os.path.realpath(script)):
        return "user"
    return "library" if any(path.is_relative_to(each) for each in _libraries(tuple(sys.path))) else "user"


@lru_cache(maxsize=8)
def _libraries(search_path: tuple[str, ...]) -> tuple[Path, ...]:
    """The folders that libraries lie in: Python's own, those for packages, and packages put elsewhere.

    ``pip install --target FOLDER`` puts packages beside what else is in that folder, so there each package
    is a folder by itself, told by the record that the installer leaves.
    """
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {site.getusersitepackages(), *site.getsitepackages(), str(Path(np.__file__).parent)}
    for entry in search_path:
        if Path(entry).name in _SITE_FOLDERS:
            folders.add(entry)
        else:
            folders |= _installed_in(Path(entry or "."))
    return tuple(Path(os.path.realpath(folder)) for folder in folders)


def _installed_in(folder: Path) -> set[str]:
    """The packages and modules that an installer has put into a folder, each with its full path."""
    installed = set()
    for record in folder.glob("*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
            top = line.partition(",")[0].partition("/")[0]
            if top and not top.startswith(".") and not top.endswith((".dist-info", ".pth")):
                installed.add(str(folder / top))
    return installed


def belongs_to_diffkit(code: CodeType) -> bool:
    """Whether the code is diffkit's own, and not one of the lectures' programs."""
    return owner(code.co_filename) == "diffkit"


def belongs_to_libraries(code: CodeType) -> bool:
    """Whether the code is diffkit's, Python's or an installed package's, and not the user's own."""
    return owner(code.co_filename) != "user"


def users_frame(frame: FrameType) -> FrameType:
    """The innermost frame of the user's own code, from this one outwards; if there is none, this one."""
    here = frame
    while belongs_to_libraries(here.f_code) and here.f_back is not None:
        here = here.f_back
    return frame if belongs_to_libraries(here.f_code) else here


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
        # While a call of a Python function is under way, a frame stands in the cache behind the instruction.
        offsets = range(before.offset, after.offset, 2)
        if after.opname in ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"):
            names.update(dict.fromkeys(offsets, after.argval))
        elif after.opname in ("STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"):
            names.update(dict.fromkeys(offsets, after.argval[0]))
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
