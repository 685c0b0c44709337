"""Finding a class's submissions, having them opened, and the rules that can be seen without running them.

Nothing of a student's is parsed in this process: see :mod:`diffkit.grading.wall.opener`.
"""

from __future__ import annotations

import builtins
import hashlib
import itertools
import keyword
import os
import re
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffkit.errors import InputError
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.inside.opening import LARGEST, LARGEST_NOTEBOOK, SUFFIXES, how_many
from diffkit.grading.wall.opener import opener

MOST_VIOLATIONS = 5
"""Broken rules of an exercise that are listed."""

MOST_ENTRIES = 10_000
"""Entries of a student's folder that are looked at."""


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

    @property
    def outline(self) -> str:
        """A hash of the code but for names, comments and spaces; "" of so little that many write the same."""
        return outline(self.code)


_WORDS = re.compile(  # a text that is not closed ends with its line or file, so that no sign is read twice
    r"""(?P<long>\"{3}(?s:.*?)(?:\"{3}|\Z)|'{3}(?s:.*?)(?:'{3}|\Z))"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)"""
    r"""|(?P<note>\#[^\n]*)|(?P<name>(?<!\d)[^\W\d]\w*)|(?P<other>\d[\w.]*|\S)"""
)
_KEPT = {*keyword.kwlist, *dir(builtins)}
LEAST_WORDS = 120
"""Names, numbers and signs that code must have for its outline to tell anything."""


def outline(code: str) -> str:
    """A hash of code but for the student's own names, for comments, docstrings and spaces.

    Python's words and what is taken from a module keep their names. It reads text and parses nothing.

    >>> one = "def f(g, x):\\n    y = np.exp(x)  # mine\\n    return g * y\\n" * 8
    >>> outline(one) == outline(one.replace("y", "why").replace("# mine", "")) != ""
    True
    >>> outline(one) == outline(one.replace("exp", "log")), outline("x = 1")
    (False, '')
    """
    names: dict[str, str] = {}
    words: list[str] = []
    last = before = ""
    for found in _WORDS.finditer(code):
        word, kind = found[0], found.lastgroup
        if kind in ("long", "note"):
            continue
        own = kind == "name" and word not in _KEPT and (last != "." or before == "self")
        words.append(names.setdefault(word, f"name {len(names)}") if own else word)
        before, last = last, word
    if len(words) < LEAST_WORDS:
        return ""
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def read_submission(path: str | os.PathLike[str], student: str = "") -> Submission:
    """Reads a script or a notebook, or a zip with one; what is wrong with it becomes its ``problem``.

    A script is text as Python reads it: UTF-8, or what its first lines declare. Of a notebook, lines for
    the shell and IPython's magic (``!pip``, ``%matplotlib``) are left out.

    Args:
        path: the file. A script has at most 1 MiB, and what is in a notebook or zip is limited too.
        student: the name; by default that of the file, without its ending.

    Returns:
        The Submission; also of a file that is not there or can't be read.

    Raises:
        TypeError, ValueError: only if ``path`` is no path: no text, or text with a zero character.

    >>> read_submission("nobody.py").problem
    'there is no such file'
    """
    file = Path(path)
    name = student or file.stem
    try:
        data = _bytes(file)
    except OSError as error:
        return Submission(name, file, "", f"the file can't be read: {(error.strerror or '').lower()}")
    if data is None:
        return Submission(name, file, "", "there is no such file")
    most = LARGEST if file.suffix == ".py" else LARGEST_NOTEBOOK
    if len(data) > most:
        return Submission(name, file, "", f"the file is larger than {most:,} bytes")
    found = opener().opened(file.name, data)
    if "problem" in found:
        return Submission(name, file, "", found["problem"])
    at = file / found["name"] if file.suffix == ".zip" else file
    return Submission(name, at, found["code"], "", tuple(found["cells"]))


def _bytes(file: Path) -> bytes | None:
    """The bytes of a file, and a few more than are wanted of a large one; None if it is no file at all.

    It is looked at after it was opened, so that it is the same then; and opened without waiting, since a
    FIFO would have us wait for ever.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(LARGEST_NOTEBOOK + 1)
    finally:
        os.close(descriptor)


def find_submissions(folder: str | os.PathLike[str]) -> list[Submission]:
    """The submissions in a folder: a file or a zip for each student, or a folder with one file in it.

    Links are not followed, since a link's target may be another student's work, or the assignment.
    Each has a name of its own: of two files that differ in their ending only, the ending is part of it.

    Args:
        folder: where they lie; names that begin with a dot or an underscore are passed over.

    Returns:
        The submissions, in the order of their file names; what is wrong with one is its ``problem``.

    Raises:
        InputError: if there is no such folder, it can't be read, or nothing is in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ada.py").write_text("def multiply_vjp(g, answer, x, y): return g * y, g * x")
    ...     _ = Path(folder, "alan.py").write_bytes(bytes([255]))
    ...     [(s.student, s.problem) for s in find_submissions(folder)]
    [('ada', ''), ('alan', 'the file is not UTF-8 text')]
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
    names = {e: e.name if e.is_dir() else e.stem for e in entries}
    # A name that several have, or that is another's whole name, is made longer until each has its own.
    while shared := {name for name, count in Counter(names.values()).items() if count > 1}:
        names = {e: e.name if name in shared else name for e, name in names.items()}
    return [_found(e, student) for e, student in names.items()]


def _found(entry: Path, student: str) -> Submission:
    if entry.is_symlink():
        return Submission(student, entry, "", "it is a link, and links are not followed")
    return folder_submission(entry, student) if entry.is_dir() else read_submission(entry, student)


def folder_submission(entry: Path, student: str) -> Submission:
    """The submission of one student in a folder of its own: the one script, notebook or zip in it."""
    try:
        with os.scandir(entry) as listing:
            names = [e.name for e in itertools.islice(listing, MOST_ENTRIES)]
        inside = [entry / n for n in sorted(names) if not n.startswith((".", "_"))]
    except OSError:
        return Submission(student, entry, "", "the folder can't be read")
    files = [p for p in inside if p.suffix in SUFFIXES] or [p for p in inside if p.suffix == ".zip"]
    if len(files) != 1:
        return Submission(student, entry, "", f"the folder holds {how_many(files)}; one file is needed")
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
    with_rules = [e for e in exercises if e.allowed_imports is not None or e.forbidden]
    if not with_rules:
        return found
    seen = opener().mentions([source] if isinstance(source, str) else source)
    for exercise in with_rules:
        if seen is None:
            found[exercise.name].append("it takes too much memory or time to parse")
            continue
        lines = (f"{place} {what}" for place, verb, name in seen if (what := _broken(exercise, verb, name)))
        found[exercise.name] += itertools.islice(lines, MOST_VIOLATIONS)
    return found


def _broken(exercise: Exercise, verb: str, name: str) -> str:
    """The rule of an exercise that an import or a name breaks, or ""."""
    allowed = exercise.allowed_imports
    if verb == "imports":
        if allowed is None or name.partition(".")[0] in allowed:
            return ""
        return f"imports {name}; allowed is {', '.join(allowed) or 'nothing'}"
    return f"uses {name}, which is not allowed" if name in exercise.forbidden else ""
