"""What opens the files that students hand in: a process with limits, and in it one for each file.

Started by :mod:`diffkit.grading.wall.opener` as a program of its own (``python opening.py``). Archives and
notebooks may be made so that whoever unpacks or parses them runs out of memory or time; here that ends
a process that was forked for the one file, and nothing else. It imports the standard library only.

A job is a frame of JSON and a frame of bytes; the answer is a frame of JSON, empty if the process has ended.
"""

from __future__ import annotations

import ast
import io
import json
import os
import re
import sys
import tokenize
import types
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

if __name__ == "__main__":
    for _name in ("diffkit", "diffkit.grading", "diffkit.grading.inside"):
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = []
    sys.modules["diffkit.grading.inside"].__path__ = [os.path.dirname(os.path.abspath(__file__))]

from diffkit.grading.inside.edits import edits
from diffkit.grading.inside.frames import as_bytes, read_frame, write_frame

LARGEST = 1 << 20
"""Bytes of a submission's code that are read."""

LARGEST_NOTEBOOK = 32 << 20
"""Bytes of a notebook, which holds its figures."""

SUFFIXES = (".py", ".ipynb")

MEMORY, SECONDS = 1 << 30, 5
"""Bytes of address space and seconds of processor time for one file."""

MOST_MENTIONS = 50_000


class Unreadable(Exception):
    """Why a file is no submission."""


# -- files ------------------------------------------------------------------------------------------------


def opened(name: str, data: bytes) -> dict[str, Any]:
    """The code in a script, a notebook, or a zip with one of these: its name, its text, and its cells.

    >>> opened("ann.py", b"x = 1")
    {'name': 'ann.py', 'code': 'x = 1', 'cells': []}
    >>> opened("ann.py", b"'\\xff'")
    {'problem': 'the file is not UTF-8 text'}
    """
    try:
        if name.endswith(".zip"):
            name, data = _zipped(data)
        if len(data) > (LARGEST_NOTEBOOK if name.endswith(".ipynb") else LARGEST):
            raise Unreadable(f"the file is larger than {LARGEST:,} bytes")
        cells = _cells(data) if name.endswith(".ipynb") else []
        code = "\n\n".join(cells) + "\n" if name.endswith(".ipynb") else _script(data)
        if len(code) > LARGEST:
            raise Unreadable(f"the code is larger than {LARGEST:,} bytes")
    except Unreadable as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "the file takes more memory to read than there is for one"}
    return {"name": name, "code": code, "cells": cells}


def _zipped(data: bytes) -> tuple[str, bytes]:
    """The one script or notebook in a zip, of which no more is unpacked than will be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = [n for n in archive.namelist() if n.endswith(SUFFIXES) and not _hidden(n)]
            if len(wanted) != 1:
                raise Unreadable(f"the zip holds {how_many(wanted)}; one file is needed")
            with archive.open(wanted[0]) as stream:
                return PurePosixPath(wanted[0]).name, stream.read(LARGEST_NOTEBOOK + 1)
    except (Unreadable, MemoryError):
        raise
    except Exception:  # each way of packing has errors of its own
        raise Unreadable("the zip is damaged, encrypted, or packed in an unknown way") from None


def _hidden(path: str) -> bool:
    """Whether any part of a path is what systems leave behind: .ipynb_checkpoints, __MACOSX."""
    return any(part.startswith((".", "_")) for part in PurePosixPath(path).parts)


def how_many(files: Sequence[object]) -> str:
    """How many there are, where one is needed."""
    return f"{len(files) or 'no'} scripts or notebooks"


def _script(data: bytes) -> str:
    """Text as Python reads it: UTF-8 or what its first lines declare, with one kind of newline."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (UnicodeDecodeError, SyntaxError, LookupError):
        raise Unreadable("the file is not UTF-8 text") from None


def _cells(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the file is not UTF-8 text") from None
    try:
        found = json.loads(text)["cells"]
        code = ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]
        return [_python_of(cell) for cell in code if cell.strip()]
    except MemoryError:
        raise
    except Exception:
        raise Unreadable("the file is not a Jupyter notebook") from None


_RUNS_THE_CELL = ("%%time", "%%timeit", "%%capture", "%%prun")


def _python_of(cell: str) -> str:
    """A notebook's cell without what only IPython understands."""
    lines = cell.splitlines()
    if lines and lines[0].startswith("%%"):
        if lines[0].split()[0] not in _RUNS_THE_CELL:
            return ""
        lines[0] = ""
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        lines = [_MAGIC.sub(r"\1pass", line) for line in lines]
    return "\n".join(lines)


# A remainder, as in (7 % 4), may begin a line as well; but a space follows it.
_MAGIC = re.compile(r"^(\s*)(?:!.*|%\w.*|\w+\s*=\s*(?:!|%\w).*|\?\S+|[\w.]+\?{1,2})$")


# -- what can be seen of code without running it ------------------------------------------------------------


def _nodes(parts: Sequence[str]) -> Iterator[tuple[str, ast.AST]]:
    """All nodes of the syntax trees, with their places; of what can't be parsed, loading it will say so."""
    for number, code in enumerate(parts, start=1):
        prefix = f"cell {number}, " if len(parts) > 1 else ""
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            yield f"{prefix}line {getattr(node, 'lineno', 0)}", node


def mentions(parts: Sequence[str]) -> list[tuple[str, str, str]]:
    """The modules that code imports and the names that it uses: each with its place.

    >>> mentions(["import numpy as np", "np.sin"])
    [('cell 1, line 1', 'imports', 'numpy'), ('cell 1, line 1', 'uses', 'numpy'),
     ('cell 2, line 1', 'uses', 'sin'), ('cell 2, line 1', 'uses', 'np')]
    """
    found: dict[tuple[str, str, str], None] = {}
    for place, node in _nodes(parts):
        modules: list[str] = []
        names: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
            names = [part for alias in node.names for part in alias.name.split(".")]
        elif isinstance(node, ast.ImportFrom):
            modules, names = [node.module or "."], [alias.name for alias in node.names]
        elif isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        found |= dict.fromkeys([(place, "imports", m) for m in modules] + [(place, "uses", n) for n in names])
        if len(found) > MOST_MENTIONS:
            break
    return list(found)


_DIFFERENTIATES = frozenset(
    "autograd autodiff casadi diffkit jax micrograd numdifftools sympy tensorflow tinygrad torch".split()
)
_BY_DIFFERENCES = frozenset("approx_fprime approx_derivative check_grad jacobian complex_step".split())
_LOOKS_AROUND = frozenset("_getframe get_objects get_referrers settrace setprofile as_strided".split())


def looks(parts: Sequence[str]) -> list[str]:
    """What a team may want to look at by hand: derivatives by differences, or by a library, and the like.

    None of it proves anything, and code can be written so that nothing is seen.

    >>> looks(["def f_vjp(g, ans, x):\\n    return g * (f(x + h) - f(x - h)) / (2 * h)"])
    ['line 2: a difference quotient of f']
    >>> looks(["import torch", "getattr(np, 'c' + 'osh')"])
    ['cell 1, line 1: imports torch', 'cell 2, line 1: a name put together at run time']
    """
    found: dict[str, None] = {}
    steps = uses_imaginary = False
    place_of_part = ""
    for place, node in _nodes(parts):
        what = _look(node)
        if what:
            found[f"{place}: {what}"] = None
        if isinstance(node, ast.Constant) and isinstance(node.value, complex):
            steps = True
        if isinstance(node, ast.Attribute) and node.attr == "imag":
            uses_imaginary, place_of_part = True, place_of_part or place
        if len(found) >= 20:
            break
    if steps and uses_imaginary:
        found[f"{place_of_part}: an imaginary part, beside an imaginary number (a complex step?)"] = None
    return list(found)


def _look(node: ast.AST) -> str:
    if isinstance(node, ast.Import):
        return next((f"imports {a.name}" for a in node.names if a.name.split(".")[0] in _DIFFERENTIATES), "")
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return f"imports {module}" if module.split(".")[0] in _DIFFERENTIATES else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _quotient(node.left)
    if isinstance(node, ast.Attribute) and node.attr in _LOOKS_AROUND:
        return f"uses {node.attr}, which shows what runs it"
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return f"uses {name}" if name in _BY_DIFFERENCES else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("eval", "exec", "__import__", "compile"):
            return f"calls {node.func.id}"
        if node.func.id == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            return "a name put together at run time"
    return ""


def _quotient(node: ast.AST) -> str:
    """Of f(...) - f(...), perhaps times something, the name of f."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        node = node.right if isinstance(node.right, ast.BinOp) else node.left
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
        return ""
    called = [n.func for n in (node.left, node.right) if isinstance(n, ast.Call)]
    if len(called) == 2 and ast.dump(called[0]) == ast.dump(called[1]):
        return f"a difference quotient of {ast.unparse(called[0])[:60]}"
    return ""


# -- the process ------------------------------------------------------------------------------------------

_JOBS: dict[str, Callable[[dict[str, Any], bytes], Any]] = {
    "opened": lambda job, data: opened(job["name"], data),
    "mentions": lambda job, data: mentions(json.loads(data)),
    "looks": lambda job, data: looks(json.loads(data)),
    "edits": lambda job, data: edits(*json.loads(data)),
}


def _answer(job: dict[str, Any], data: bytes) -> bytes:
    """The answer from a process of its own; b"" if that ended without one."""
    if not hasattr(os, "fork"):  # Windows: this process itself is what may be lost
        return json.dumps(_JOBS[job["do"]](job, data)).encode()
    import resource

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            try:
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            except (OSError, ValueError):  # macOS refuses it, whatever the value
                if sys.platform == "linux":
                    raise
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            write_frame(writing, json.dumps(_JOBS[job["do"]](job, data)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    answer = read_frame(reading) or b""
    os.close(reading)
    os.waitpid(child, 0)
    return answer


def main() -> None:
    """Opens what it is sent until standard input ends."""
    as_bytes(0)
    as_bytes(1)
    while (job := read_frame(0)) is not None:
        write_frame(1, _answer(json.loads(job), read_frame(0) or b""))
    os._exit(0)


if __name__ == "__main__":
    main()
