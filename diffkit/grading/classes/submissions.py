"""Finding a class's submissions, reading their code, and the rules that can be seen without running it."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffkit.errors import InputError
from diffkit.grading.exercises.exercise import Exercise

__all__ = ["Submission", "find_submissions", "folder_submission", "read_submission", "violations"]

LARGEST = 1 << 20
"""Bytes of a submission's file that are read."""
SUFFIXES = (".py", ".ipynb")
MOST_VIOLATIONS = 5
"""Broken rules of an exercise that are listed."""


@dataclass(frozen=True)
class Submission:
    """One student's code.

    Attributes:
        student: who handed it in: the file's name without its ending, or its folder's name.
        path: the file.
        code: its text; a notebook's code cells one after the other.
        problem: why it could not be read, or "".
        cells: the code cells of a notebook, without empty ones: so counted, as Jupyter does in running all.
    """

    student: str
    path: Path
    code: str
    problem: str = ""
    cells: tuple[str, ...] = ()

    @property
    def source(self) -> str | tuple[str, ...]:
        """What is run: a script's text, or the texts of a notebook's cells."""
        return self.cells or self.code

    @property
    def digest(self) -> str:
        """A hash of the code, by which a journal knows what it has graded."""
        text = "\0".join(self.cells) or self.code
        return hashlib.sha256((text + self.problem).encode("utf-8", "surrogatepass")).hexdigest()


def read_submission(path: str | os.PathLike[str], student: str = "") -> Submission:
    """Reads a script or a notebook, or a zip with one; what is wrong with it becomes its ``problem``.

    A script is text as Python reads it: UTF-8, or what its first lines declare. Of a notebook, lines for
    the shell and IPython's magic (``!pip``, ``%matplotlib``) are left out.
    """
    file = Path(path)
    name = student or file.stem
    try:
        if not file.is_file():
            return Submission(name, file, "", "there is no such file")
        if file.suffix == ".zip":
            file, data = _zipped(file)
        else:
            with file.open("rb") as stream:
                data = stream.read(LARGEST + 1)
    except OSError as error:
        return Submission(name, file, "", f"the file can't be read: {(error.strerror or '').lower()}")
    except InputError as error:
        return Submission(name, file, "", str(error))
    if len(data) > LARGEST:
        return Submission(name, file, "", f"the file is larger than {LARGEST:,} bytes")
    try:
        if file.suffix == ".ipynb":
            cells = _notebook_cells(data.decode("utf-8-sig"))
            return Submission(name, file, "\n\n".join(cells) + "\n", "", cells)
        return Submission(name, file, _script_code(data))
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        if file.suffix == ".ipynb" and not isinstance(error, UnicodeDecodeError):
            return Submission(name, file, "", "the file is not a Jupyter notebook")
        return Submission(name, file, "", "the file is not UTF-8 text")
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Submission(name, file, "", "the file is not a Jupyter notebook")


def _zipped(file: Path) -> tuple[Path, bytes]:
    """The one script or notebook in a zip, of which no more is unpacked than will be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [n for n in archive.namelist() if not _hidden(Path(n))]
            wanted = [n for n in names if n.endswith(SUFFIXES)]
            if len(wanted) == 1:
                with archive.open(wanted[0]) as stream:
                    return file / Path(wanted[0]).name, stream.read(LARGEST + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, EOFError, zlib.error):
        raise InputError("the zip is damaged, encrypted, or packed in an unknown way") from None
    raise InputError(f"the zip holds {_how_many(wanted)}; one file is needed")


def _hidden(path: Path) -> bool:
    """Whether any part of a path is what systems leave behind: .ipynb_checkpoints, __MACOSX."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _how_many(files: Sequence[object]) -> str:
    return f"{len(files) or 'no'} scripts or notebooks"


def _script_code(data: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return io.TextIOWrapper(io.BytesIO(data), encoding).read()  # one kind of newline, whatever it had


def _notebook_cells(text: str) -> tuple[str, ...]:
    cells = json.loads(text)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return tuple(_python_of(cell) for cell in code if cell.strip())


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
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = [_MAGIC.sub(r"\1pass", line) for line in lines]
    return "\n".join(lines)


# A remainder, as in (7 % 4), may begin a line as well; but a space follows it.
_MAGIC = re.compile(r"^(\s*)(?:!.*|%\w.*|\w+\s*=\s*(?:!|%\w).*|\?\S+|[\w.]+\?{1,2})$")


def find_submissions(folder: str | os.PathLike[str]) -> list[Submission]:
    """The submissions in a folder: a file or a zip for each student, or a folder with one file in it.

    Links are not followed, since a link's target may be another student's work, or the assignment.
    Each has a name of its own: of two files that differ in their ending only, the ending is part of it.

    Raises:
        InputError: if there is no such folder, or nothing in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"there is no folder {str(folder)!r} with submissions")
    try:
        entries = [e for e in sorted(root.iterdir()) if not e.name.startswith((".", "_"))]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"can't read the folder {str(folder)!r}: {reason}") from None
    entries = [e for e in entries if e.is_symlink() or e.is_dir() or e.suffix in (*SUFFIXES, ".zip")]
    if not entries:
        raise InputError(
            f"the folder {str(folder)!r} has no submissions: scripts, notebooks, or a folder each"
        )
    stems = Counter(e.name if e.is_dir() else e.stem for e in entries)
    return [_found(e, e.name if e.is_dir() or stems[e.stem] > 1 else e.stem) for e in entries]


def _found(entry: Path, student: str) -> Submission:
    if entry.is_symlink():
        return Submission(student, entry, "", "it is a link, and links are not followed")
    return folder_submission(entry, student) if entry.is_dir() else read_submission(entry, student)


def folder_submission(entry: Path, student: str) -> Submission:
    """The submission of one student in a folder of its own: the one script, notebook or zip in it."""
    try:
        inside = [p for p in sorted(entry.iterdir()) if not p.name.startswith((".", "_"))]
    except OSError:
        return Submission(student, entry, "", "the folder can't be read")
    files = [p for p in inside if p.suffix in SUFFIXES] or [p for p in inside if p.suffix == ".zip"]
    if len(files) != 1:
        return Submission(student, entry, "", f"the folder holds {_how_many(files)}; one file is needed")
    if files[0].is_symlink():
        return Submission(student, entry, "", "its file is a link, and links are not followed")
    return read_submission(files[0], student)


def violations(source: str | Sequence[str], exercises: Sequence[Exercise]) -> dict[str, list[str]]:
    """Where a submission breaks the exercises' rules on imports and names, seen without running it.

    What can't be seen this way (a name put together at run time) is the isolation's business.

    Args:
        source: a script's text, or those of a notebook's cells.
        exercises: the exercises.

    >>> import numpy as np
    >>> from diffkit.grading.exercises.exercise import Case, Exercise
    >>> from diffkit.grading.draws import normal
    >>> strict = Exercise(np.sin, [Case("a", normal("n"))], arguments=("x",), allowed_imports=("numpy",))
    >>> violations("import numpy, torch", [strict])
    {'sin': ['line 1 imports torch; allowed is numpy']}
    >>> violations(["import numpy", "x = 1\\nimport torch"], [strict])
    {'sin': ['cell 2, line 2 imports torch; allowed is numpy']}
    """
    found: dict[str, list[str]] = {exercise.name: [] for exercise in exercises}
    if isinstance(source, str):
        parts = [("", source)]
    else:
        parts = [(f"cell {k}, ", cell) for k, cell in enumerate(source, start=1)]
    for exercise in exercises:
        if exercise.allowed_imports is None and not exercise.forbidden:
            continue
        for prefix, code in parts:
            try:
                tree = ast.parse(code)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # loading it will say so
            for node in ast.walk(tree):
                place = f"{prefix}line {getattr(node, 'lineno', 0)}"
                found[exercise.name] += [f"{place} {what}" for what in _broken(exercise, node)]
    return {name: lines[:MOST_VIOLATIONS] for name, lines in found.items()}


def _broken(exercise: Exercise, node: ast.AST) -> Iterator[str]:
    """The rules of an exercise that a node of the syntax tree breaks."""
    modules, names = _mentions(node)
    allowed = exercise.allowed_imports
    if allowed is not None:
        listed = ", ".join(allowed) or "nothing"
        for module in modules:
            if module.partition(".")[0] not in allowed:
                yield f"imports {module}; allowed is {listed}"
    for name in names:
        if name in exercise.forbidden:
            yield f"uses {name}, which is not allowed"


def _mentions(node: ast.AST) -> tuple[list[str], list[str]]:
    """The modules that a node imports, and the names that it uses."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names], [p for a in node.names for p in a.name.split(".")]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."], [alias.name for alias in node.names]
    if isinstance(node, ast.Name):
        return [], [node.id]
    return [], [node.attr] if isinstance(node, ast.Attribute) else []
