"""An assignment: one Python file of the course team's, with a list of exercises.

The file is ordinary Python. Its docstring is the title, ``exercises`` the list; ``limits``, ``seed``,
``packages`` and ``differences`` may be set as well::

    '''Homework 3: derivative rules'''

    from diffkit.grading import Case, Exercise, catalogue, draws
    import numpy as np


    def gaussian(x, s):
        return np.exp(-((x / s) ** 2) / 2)


    exercises = [
        catalogue.exercise("multiply", points=2),
        Exercise(gaussian, [Case("ordinary", draws.normal("n"), draws.positive("n"))], points=3),
    ]
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
import types
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.limits import Limits


@dataclass(frozen=True)
class Assignment:
    """The exercises of an assignment, in order.

    Attributes:
        path: its file.
        title: the first line of the file's docstring, or the file's name.
        exercises: in the order in which they are graded and shown.
        limits: what one submission may use.
        seed: a fixed seed for the secret instances; None for a fresh one for every run.
        differences: "list" has what looks like a derivative by differences, by a library or in disguise
            listed for a look by hand; "allow" does not.
        adapter: the text of a file of the team's that stands before and behind each submission, run where
            submissions are: it may put modules in ``sys.modules`` that they import (and name a ``package``
            that their relative imports are from), and its ``adapt(submission)`` adds and wraps names.
            ``adapter = "adapter.py"``, beside the assignment.
        packages: what submissions may import beyond the standard library and NumPy: ``("scipy",)``.
        modules: the files beside it, or in folders beside it, that it has imported.
        digest: a hash of the file and of these, by which a journal knows whether anything has changed.

    :func:`load_assignment` makes one:

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "week.py")
    ...     text = "from diffkit.grading import catalogue; exercises = [catalogue.exercise('multiply')]"
    ...     _ = file.write_text(text)
    ...     week = load_assignment(file)
    >>> week.points, week.exercises[0].defines, week.limits.wall_time
    (1.0, ('multiply_vjp',), 10.0)
    """

    path: Path
    title: str
    exercises: tuple[Exercise, ...]
    limits: Limits
    seed: int | None
    packages: tuple[str, ...]
    differences: str
    modules: tuple[Path, ...]
    digest: str
    adapter: str = ""

    @property
    def points(self) -> float:
        """What the whole assignment is worth."""
        return sum(exercise.points for exercise in self.exercises)

    def only(self, names: tuple[str, ...]) -> Assignment:
        """The assignment with some of its exercises.

        Raises:
            InputError: if there is none of that name.
        """
        known = {exercise.name: exercise for exercise in self.exercises}
        for name in names:
            if name not in known:
                raise InputError(f"the assignment has no exercise {name!r}; there are {', '.join(known)}")
        chosen = tuple(known[name] for name in known if name in names)
        return replace(self, exercises=chosen)


def load_assignment(path: str | os.PathLike[str]) -> Assignment:
    """Runs an assignment's file, which is trusted, and takes its exercises.

    Args:
        path: a Python file with a list ``exercises``; its docstring is the title, and ``limits``, ``seed``,
            ``packages`` and ``differences`` are those of :class:`Assignment`.

    Returns:
        The Assignment, each of its exercises verified.

    Raises:
        InputError: if there is no such file, it fails, it has no list ``exercises``, a setting is none that
            there is, or a case holds what can't be handed to submissions.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "week.py")
    ...     text = "from diffkit.grading import catalogue; exercises = [catalogue.exercise('multiply')]"
    ...     _ = file.write_text(text)
    ...     week = load_assignment(file)
    >>> week.title, [exercise.name for exercise in week.exercises]
    ('week', ['multiply'])
    """
    file = Path(path)
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"can't read the assignment {str(path)!r}: {reason}") from None
    module = _run(file, source)
    exercises = getattr(module, "exercises", None)
    if not isinstance(exercises, list | tuple) or not exercises:
        raise InputError(
            f"the assignment {file.name} needs a list `exercises = [...]` with at least one exercise, "
            'such as Exercise(f, [Case("ordinary", draws.normal("n"))]) or catalogue.exercise("multiply"), '
            "from diffkit.grading"
        )
    for exercise in exercises:
        if not isinstance(exercise, Exercise):
            raise InputError(f"`exercises` of {file.name} holds {exercise!r}, which is no Exercise")
        exercise.verify()
    names = [exercise.name for exercise in exercises]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file.name} has several exercises called {', '.join(twice)}; give them a name=")
    title = (module.__doc__ or file.stem).strip().splitlines()[0].rstrip(".")
    limits = getattr(module, "limits", Limits())
    if not isinstance(limits, Limits):
        raise InputError(f"`limits` of {file.name} is a diffkit.grading.Limits(...), not {limits!r}")
    seed = getattr(module, "seed", None)
    if seed is not None and (type(seed) is not int or seed < 0):
        raise InputError(f"`seed` of {file.name} is an integer from 0 on, not {seed!r}")
    packages = tuple(getattr(module, "packages", ()))
    for package in packages:
        if not isinstance(package, str) or not package.isidentifier() or find_spec(package) is None:
            raise InputError(f"`packages` of {file.name} names {package!r}, which is not installed here")
    differences = getattr(module, "differences", "list")
    if differences not in ("list", "allow"):
        raise InputError(f"`differences` of {file.name} is 'list' or 'allow', not {differences!r}")
    modules = _beside(file)
    adapter, modules = _adapter(file, getattr(module, "adapter", None), modules)
    digest = hashlib.sha256(b"\0".join([source.encode(), *(m.read_bytes() for m in modules)])).hexdigest()
    return Assignment(
        file, title, tuple(exercises), limits, seed, packages, differences, modules, digest, adapter
    )


def _run(file: Path, source: str) -> types.ModuleType:
    """The file as a module, with the modules beside it importable."""
    module = types.ModuleType(f"diffkit_assignment_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # where dataclasses and the like look themselves up
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        exec(compile(source, str(file), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        if isinstance(error, SyntaxError):
            lines, error = [error.lineno], type(error)(error.msg)
        where = f" (line {lines[-1]})" if lines else ""
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise InputError(f"the assignment {file.name} fails{where}: {reason}") from error
    return module


def _adapter(file: Path, name: Any, modules: tuple[Path, ...]) -> tuple[str, tuple[Path, ...]]:
    """The text of the adapter that an assignment names, and the modules with it among them."""
    if name is None:
        return "", modules
    beside = file.resolve().parent / str(name)
    try:
        text = beside.read_text(encoding="utf-8")
        compile(text, str(beside), "exec")
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"`adapter` of {file.name} is {str(name)!r}, which can't be read: {error}") from None
    return text, tuple(sorted({*modules, beside}))


def _beside(file: Path) -> tuple[Path, ...]:
    """The modules below the file's folder that have been imported, other than installed ones."""
    folder, found = file.resolve().parent, set()
    for name, module in list(sys.modules.items()):
        source = getattr(module, "__file__", None)
        if name != "__main__" and isinstance(source, str) and source.endswith(".py"):
            found.add(Path(source).resolve())
    ours = Path(__file__).resolve().parents[2]
    below = {path for path in found if path.is_relative_to(folder)} - {file.resolve()}
    own = (p for p in below if "site-packages" not in p.parts and not p.is_relative_to(ours))
    return tuple(sorted(p for p in own if p.is_file()))  # a module may name a file that was never there
