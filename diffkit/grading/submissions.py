"""Finding a class's submissions, reading their code, and the rules that can be seen without running it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from diffkit.errors import InputError
from diffkit.grading.exercises import Exercise

__all__ = ["Submission", "find_submissions", "read_submission", "violations"]

LARGEST = 1 << 20
"""Bytes of a submission's file that are read."""


@dataclass(frozen=True)
class Submission:
    """One student's code.

    Attributes:
        student: who handed it in: the file's name without its ending, or its folder's name.
        path: the file.
        code: its text; a notebook's code cells one after the other.
        problem: why it could not be read, or "".
    """

    student: str
    path: Path
    code: str
    problem: str = ""

    @property
    def digest(self) -> str:
        """A hash of the code, by which a journal knows what it has graded."""
        return hashlib.sha256((self.code + self.problem).encode("utf-8", "surrogatepass")).hexdigest()


def read_submission(path: str | os.PathLike[str], student: str = "") -> Submission:
    """Reads a script or a notebook; what is wrong with it becomes its ``problem``.

    Notebook lines for the shell and IPython's magic (``!pip``, ``%matplotlib``) are left out.
    """
    file = Path(path)
    name = student or file.stem
    try:
        if not file.is_file():
            return Submission(name, file, "", "there is no such file")
        if file.stat().st_size > LARGEST:
            return Submission(name, file, "", f"the file is larger than {LARGEST:,} bytes")
        text = file.read_bytes().decode("utf-8-sig")
        return Submission(name, file, _notebook_code(text) if file.suffix == ".ipynb" else text)
    except UnicodeDecodeError:
        return Submission(name, file, "", "the file is not UTF-8 text")
    except OSError as error:
        return Submission(name, file, "", f"the file can't be read: {(error.strerror or '').lower()}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Submission(name, file, "", "the file is not a Jupyter notebook")


def _notebook_code(text: str) -> str:
    cells = json.loads(text)["cells"]
    code = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        lines = "".join(cell["source"]).splitlines()
        if lines and lines[0].startswith("%%"):
            continue
        code.append("\n".join("pass" if line.lstrip().startswith(("%", "!")) else line for line in lines))
    return "\n\n".join(code) + "\n"


def find_submissions(folder: str | os.PathLike[str]) -> list[Submission]:
    """The submissions in a folder: a file for each student, or a folder with one file in it.

    Links are not followed, since a link's target may be another student's work, or the assignment.

    Raises:
        InputError: if there is no such folder, or nothing in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"there is no folder {str(folder)!r} with submissions")
    found = []
    for entry in sorted(root.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_symlink():
            found.append(Submission(entry.stem, entry, "", "it is a link, and links are not followed"))
        elif entry.is_dir():
            found.append(_from_folder(entry))
        elif entry.suffix in (".py", ".ipynb"):
            found.append(read_submission(entry))
    if not found:
        raise InputError(
            f"the folder {str(folder)!r} has no submissions: scripts, notebooks, or a folder each"
        )
    return found


def _from_folder(folder: Path) -> Submission:
    files = sorted(
        p for p in folder.iterdir() if p.suffix in (".py", ".ipynb") and not p.name.startswith((".", "_"))
    )
    if len(files) != 1 or files[0].is_symlink():
        what = (
            "a link, and links are not followed" if len(files) == 1 else f"{len(files)} scripts or notebooks"
        )
        return Submission(folder.name, folder, "", f"the folder holds {what}; one file is needed")
    return read_submission(files[0], folder.name)


def violations(code: str, exercise: Exercise) -> list[str]:
    """Where a submission breaks an exercise's rules on imports and names, seen without running it.

    What can't be seen this way (a name put together at run time) is the isolation's business.

    >>> import numpy as np
    >>> from diffkit.grading.exercises import Case, Exercise
    >>> from diffkit.grading.draws import normal
    >>> strict = Exercise(np.sin, [Case("a", normal("n"))], arguments=("x",), allowed_imports=("numpy",))
    >>> violations("import numpy, torch", strict)
    ['line 1 imports torch; allowed is numpy']
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # loading it will say so
    found = []
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        allowed = exercise.allowed_imports
        if allowed is not None:
            for module in modules:
                if module.partition(".")[0] not in allowed:
                    listed = ", ".join(allowed) or "nothing"
                    found.append(f"line {node.lineno} imports {module}; allowed is {listed}")  # type: ignore[attr-defined]
        names: list[str] = []
        if isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        found += [
            f"line {node.lineno} uses {name}, which is not allowed"
            for name in names
            if name in exercise.forbidden
        ]  # type: ignore[attr-defined]
    return found
