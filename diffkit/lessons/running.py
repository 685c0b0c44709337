"""Finding lessons, running one as it is, running all of them with a summary."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diffkit.errors import InputError
from diffkit.lessons.reading import read_aloud
from diffkit.lessons.support import FAST, FIGURES
from diffkit.progress import progress
from diffkit.tables import Table


@dataclass(frozen=True)
class Lesson:
    """A lesson script, with what its docstring says of it.

    Attributes:
        path: the script.
        name: ``NN_slug``.
        title: the first line of its docstring.
        minutes: how long it takes a student.
    """

    path: Path
    name: str
    title: str
    minutes: int | None

    @classmethod
    def read(cls, path: Path) -> Lesson:
        """Reads a script's docstring, without running it."""
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
        found = re.search(r"(\d+) minutes", text)
        return cls(path, path.stem, text.splitlines()[0].rstrip("."), int(found[1]) if found else None)


def folder() -> Path:
    """Where the lessons are: beside the package in a clone, inside it where it was installed."""
    clone = Path(__file__).parents[2] / "lessons"
    return clone if clone.is_dir() else Path(__file__).parent / "scripts"


def lessons() -> list[Lesson]:
    """All lessons, in order.

    Raises:
        InputError: if there are none: they come with a clone of the repository.
    """
    if not folder().is_dir():
        raise InputError("the lessons come with a clone of the repository; this installation has none")
    return [Lesson.read(path) for path in sorted(folder().glob("[0-9][0-9]*_*.py"))]


def lectures() -> list[Lesson]:
    """The lectures' own programs, a script a deck, beside the lessons."""
    return [Lesson.read(path) for path in sorted((folder() / "lectures").glob("*.py"))]


def find(name: str) -> Lesson:
    """The lesson of that number or name, or the only one with that text in its name.

    A lecture's script is found by its name, and a copy of any of them by its path.

    Raises:
        InputError: if there is none, or more than one.
    """
    copy, known = Path(name).resolve(), lessons()
    if copy.suffix == ".py" and copy.is_file():
        return Lesson.read(copy)
    number = f"{int(name):02d}_" if name.isdecimal() else None
    chosen = [x for x in known if x.name == Path(name).stem or (number and x.name.startswith(number))]
    chosen = chosen or [x for x in lectures() if x.name == Path(name).stem]
    chosen = chosen or [x for x in known if name and name in x.name]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(x.name for x in (chosen or known))
    raise InputError(
        f"{'several lessons are' if chosen else 'no lesson is'} called {name!r}: there are {names}"
    )


def listing() -> Table:
    """The lessons as a table."""
    rows = [[x.name, x.title, x.minutes] for x in lessons()]
    decks = ", ".join(x.name for x in lectures())
    notes = ["Run one with `diffkit lesson NAME`.", f"The lectures' own programs run likewise: {decks}."]
    return Table(["lesson", "about", "minutes"], rows, notes=notes)


def run(lesson: Lesson, *, fast: bool = False, figures: str | None = None) -> None:
    """Runs a lesson in this process, as a program, with its text between its results.

    Raises:
        BrokenClaim: if one of its claims does not hold: an AssertionError that says which, what is seen
            now, and what the lesson says of it.
    """
    with environment(fast, figures):
        read_aloud(lesson.path)


_STRICTLY = r"""
import runpy, sys, warnings
warnings.filterwarnings("error", module=r"__main__$|diffkit(\.|$)")
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a script; warnings of its own lines and of diffkit's are errors, those of other packages are not."""


def run_all(*, fast: bool = False, figures: str | None = None) -> int:
    """Runs every lesson in a process of its own, and prints a summary.

    Returns:
        0, or 1 if a lesson failed.
    """
    known = lessons()
    rows, failures, pictures = [], [], list[str]()
    with environment(fast, figures), progress(len(known), "lessons") as advance:
        for lesson in known:
            advance(lesson.name)
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-X", "utf8", "-c", _STRICTLY, str(lesson.path)],
                stdin=subprocess.DEVNULL,  # nobody is there to answer a `predict`
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            seconds = round(time.perf_counter() - start, 1)
            made = re.findall(r"^wrote (.+)", done.stdout, re.MULTILINE)
            pictures += made
            rows.append(
                [lesson.name, lesson.title, len(made), seconds, "failed" if done.returncode else "ok"]
            )
            if done.returncode:
                failures.append(f"{lesson.name} failed:\n{done.stderr.rstrip()}")
            advance(lesson.name, 1)
    print(Table(["lesson", "about", "figures", "seconds", "result"], rows).text())
    if pictures:
        print(f"One of the pictures: {pictures[0]}")
    print(f"Next, read one in this terminal: diffkit lesson {known[0].name[:2]}")
    print("or open a page in a browser: diffkit explore two_outputs -o page.html")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


@contextlib.contextmanager
def environment(fast: bool, figures: str | None) -> Iterator[None]:
    """Sets the variables by which a script learns of its options, and puts the old ones back."""
    new = {FAST: "1" if fast else "", "MPLBACKEND": os.environ.get("MPLBACKEND", "Agg")}
    if figures is not None:
        new[FIGURES] = os.path.abspath(figures)
    old = {name: os.environ.get(name) for name in new}
    os.environ.update(new)
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
