"""Finding the function that a command names: ``mine.py:f``, ``mine.py:model.predict``, ``package:f``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import json
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from diffkit.errors import InputError

_loaded: set[str] = set()
"""The files that were run for the user, by the names that their code has."""

_FEW = 6
"""So many names are listed where none is near; of more, their number is told."""


def is_user_file(name: str) -> bool:
    """Whether a program's name is that of a file or module, or of a function in one.

    >>> [is_user_file(n) for n in ("mine.py:f", "mine.py", "nb.ipynb:f", "numpy:sin", "two_outputs")]
    [True, True, True, True, False]
    """
    place, colon, _ = name.rpartition(":")
    return bool(colon and place) or name.endswith((".py", ".ipynb"))


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean ...?`` for the nearest of some names, else the names if they are few.

    >>> suggestion("sine", ["sin", "cos"]), suggestion("q", ["sin", "cos"])
    ('did you mean sin?', 'there are sin, cos')
    """
    known = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    near = near or [k for k in known if name and name.casefold() in k.casefold()][:2]
    if near:
        return f"did you mean {' or '.join(near)}?"
    if len(known) <= _FEW:
        return f"there are {', '.join(known)}" if known else "there are none"
    return f"there are {len(known)}, such as {', '.join(known[:3])}"


def find_function(name: str) -> Callable[..., Any]:
    """The function of that name, its file or module run first.

    Raises:
        InputError: for a file, module or function that is not there.
    """
    if name.endswith((".py", ".ipynb")):
        place, function = name, ""
    else:
        place, _, function = name.rpartition(":")
    path = Path(place)
    if path.suffix in (".py", ".ipynb"):
        if not path.is_file():
            raise InputError(f"there is no file {place!r}{_file_beside(path)}")
        return _in_module(_run(path.resolve()), place, function)
    return _in_module(_import(place), place, function)


def where_it_failed(error: BaseException) -> str | None:
    """``mine.py, line 3, in f: ZeroDivisionError: ...`` if an error came out of a user's file, else None."""
    if isinstance(error, SyntaxError) and error.filename in _loaded:
        return f"{_short(error.filename)}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in _loaded]
    if not frames:
        return None
    last = frames[-1]
    if isinstance(error, SystemExit):
        return f"{_short(last.filename)}, line {last.lineno}: it ends the program (exit {error.code})"
    place = f", in {last.name}" if not last.name.startswith("<module") else ""
    text = str(error).strip().partition("\n")[0]
    return f"{_short(last.filename)}, line {last.lineno}{place}: {type(error).__name__}: {text}"


def _short(filename: Any) -> str:
    return Path(str(filename)).name


def _file_beside(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    near = difflib.get_close_matches(
        path.name, [n for n in os.listdir(path.parent) if n.endswith(path.suffix)], n=1
    )
    return f"; did you mean {near[0]}?" if near else ""


def _in_module(module: ModuleType, place: str, name: str) -> Callable[..., Any]:
    own = {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    if not name:
        if len(own) == 1:
            return next(iter(own.values()))
        if not own:
            raise InputError(f"{place} defines no function that could be differentiated")
        raise InputError(f"name a function of {place}, as in {place}:{next(iter(own))}; {_listed(own)}")
    found: Any = module
    for k, part in enumerate(name.split(".")):
        if isinstance(found, type):  # of a class, an instance is meant
            found = _instance(found, ".".join(name.split(".")[:k]), place)
        if not hasattr(found, part):
            near = [n for n in dir(found) if not n.startswith("_") and callable(getattr(found, n, None))]
            near = [*own, *near] if found is module else near
            whose = place if found is module else f"{'.'.join(name.split('.')[:k])} of {place}"
            what = suggestion(part, near) if near else _listed(near)
            raise InputError(f"there is no {part!r} in {whose}; {what}")
        found = getattr(found, part)
    if isinstance(found, type):
        raise InputError(
            f"{name} of {place} is a class; name a method of it, {place}:{name}.METHOD, or a function; "
            f"{_listed(own)}"
        )
    if not callable(found):
        raise InputError(f"{name} of {place} is no function but {type(found).__name__}; {_listed(own)}")
    result: Callable[..., Any] = found
    return result


def _listed(own: Iterable[str]) -> str:
    names = list(own)
    if not names:
        return "it has no functions"
    return f"it has {', '.join(names[:_FEW])}" + (
        f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    )


def _instance(kind: type, name: str, place: str) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise InputError(
            f"{name} of {place} is a class that can't be made without arguments ({error}): make an object of "
            "it in the file, and name that object's method"
        ) from None


def _import(name: str) -> ModuleType:
    """A module by its name, found as ``python -c`` would find it: from the current folder too."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{name!r} is no module; a function of your own is named FILE.py:FUNCTION")
    sys.path.insert(0, str(Path.cwd()))
    try:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if name != missing and not name.startswith(f"{missing}."):
                raise  # the module is there, and imports one that isn't
            beside = f"; is {name}.py meant?" if Path(f"{name}.py").exists() else ""
            raise InputError(
                f"there is no module {name!r}{beside}; a function of your own is named FILE.py:FUNCTION"
            ) from None
    finally:
        sys.path.pop(0)
    if getattr(module, "__file__", None):
        _loaded.add(str(module.__file__))
    return module


def _run(path: Path) -> ModuleType:
    """Runs the file as a module of its own name; what it imports from its folder is found."""
    # Not in sys.modules: a file named numpy.py or random.py must not become that module for all.
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.path.insert(0, str(path.parent))
    try:
        if path.suffix == ".ipynb":
            _run_cells(path, module)
        else:
            _loaded.add(str(path))
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    except (SyntaxError, ValueError) as error:  # of text that is no Python, Python may not say where
        if where_it_failed(error) is None:
            raise InputError(f"{path.name} is no Python file: {error}") from None
        raise
    except OSError as error:
        if where_it_failed(error) is None:
            raise InputError(f"can't read {str(path)!r}: {(error.strerror or str(error)).lower()}") from None
        raise
    return module


def _run_cells(path: Path, module: ModuleType) -> None:
    """Runs a notebook's cells of code, without their lines for IPython."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} is no notebook: {type(error).__name__}: {error}") from None
    for number, source in enumerate(sources, 1):
        if source.startswith("%%"):
            continue
        text = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
        file = f"{path.name} cell {number}"
        _loaded.add(file)
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), vars(module))
