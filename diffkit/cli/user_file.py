"""A function of the user's own, named on the command line as ``FILE.py:NAME``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from diffkit.autodiff.core.trace import parameter_names
from diffkit.errors import InputError
from diffkit.programs import Program

__all__ = ["finite", "is_user_file", "read_own", "where_it_failed"]

_loaded: set[str] = set()
"""The files that were run for the user, by their full paths."""


def is_user_file(name: str) -> bool:
    """Whether a program's name is that of a file, or of a function in one.

    >>> is_user_file("mine.py:f"), is_user_file("mine.py"), is_user_file("two_outputs")
    (True, True, False)
    """
    return name.partition(":")[0].endswith(".py")


def read_own(
    name: str, given: Sequence[str], literal: Callable[[str], Any]
) -> tuple[Program, tuple[Any, ...]]:
    """The function as a program, and its inputs: as given, else the parameters' defaults.

    Integers are read as floats, unless the parameter's default is an integer (a length, a count);
    lists as arrays. A keyword-only parameter keeps what it is given.

    Raises:
        InputError: for a file or function that is not there, and inputs that do not fit.
    """
    function = _function(*_split(name))
    label = getattr(function, "__name__", name)
    positional = [g for g in given if not _is_named(g)]
    named = dict(g.split("=", 1) for g in given if _is_named(g))
    parameters = _parameters(function)
    names = parameter_names(function, len(positional))
    values: dict[str, Any] = {}
    keywords: dict[str, Any] = {}
    for p in parameters:
        if p.kind is not p.VAR_POSITIONAL and p.default is not p.empty:
            (keywords if p.kind is p.KEYWORD_ONLY else values)[p.name] = p.default
    in_order = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    spread = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(positional) > len(in_order) and not spread:
        raise InputError(
            f"{label} takes {len(in_order)} inputs ({', '.join(in_order)}), but {len(positional)} were "
            f"given: {' '.join(positional)}"
        )
    for key, text in zip(names, positional, strict=True):
        values[key] = _value(literal(text), values.get(key), f"{key} of {label}")
    by_name = {p.name: p for p in parameters}
    for key, text in named.items():
        parameter = by_name.get(key)
        if parameter is None or parameter.kind is parameter.VAR_POSITIONAL:
            raise InputError(f"{label} has no input {key!r}; it has {', '.join(by_name) or 'none'}")
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[key] = literal(text)
        else:
            values[key] = _value(literal(text), values.get(key), f"{key} of {label}")
    missing = [n for n in in_order if n not in values]
    if missing:
        raise InputError(
            f"{label} needs {', '.join(missing)}: give its inputs in order, or by name, as in "
            f"{name} {' '.join(f'{n}=1.5' for n in missing)}; an array is written as a list, "
            f'"{missing[0]}=[0.5, -1]"'
        )
    ordered = {n: values[n] for n in [*in_order, *(n for n in names if n not in in_order)]}
    return Program(function, ordered, None, keywords), tuple(ordered.values())


def where_it_failed(error: BaseException) -> str | None:
    """``mine.py, line 3, in f: ZeroDivisionError: ...`` if an error came out of a user's file, else None."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in _loaded]
    if isinstance(error, SyntaxError) and error.filename in _loaded:
        return f"{Path(error.filename).name}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    if not frames:
        return None
    last = frames[-1]
    if isinstance(error, SystemExit):
        return f"{Path(last.filename).name}, line {last.lineno}: it ends the program (exit {error.code})"
    place = f", in {last.name}" if not last.name.startswith("<module") else ""
    return f"{Path(last.filename).name}, line {last.lineno}{place}: {type(error).__name__}: {error}"


def _split(name: str) -> tuple[Path, str]:
    path, _, function = name.partition(":")
    return Path(path), function


def _is_named(text: str) -> bool:
    key, equals, _ = text.partition("=")
    return bool(equals) and key.strip().isidentifier()


def _function(path: Path, name: str) -> Callable[..., Any]:
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    module = _run(path.resolve())
    own = {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    if not name:
        if len(own) == 1:
            return next(iter(own.values()))
        if not own:
            raise InputError(f"{path} defines no function that could be differentiated")
        known = ", ".join(f"{path}:{key}" for key in own)
        raise InputError(f"name a function of {path}, as in {path}:f; it has {known}")
    found = getattr(module, name, None)
    if not callable(found) or isinstance(found, type):
        wrong = f"there is no {name!r} in {path}" if found is None else f"{name} of {path} is no function"
        raise InputError(
            f"{wrong}; " + (f"its functions are {', '.join(own)}" if own else "it has no functions")
        )
    result: Callable[..., Any] = found
    return result


def _run(path: Path) -> ModuleType:
    """Imports the file as a module of its own name; what it imports from its folder is found."""
    _loaded.add(str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    # Not in sys.modules: a file named numpy.py or random.py must not become that module for all.
    try:
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


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C that tells no signature takes what it is given
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
    return [p for p in parameters if p.kind is not p.VAR_KEYWORD]


def _value(value: Any, default: Any, what: str) -> Any:
    if isinstance(value, str):
        raise InputError(f"{what} is a finite number, or a list, tuple or dictionary of them; got {value!r}")
    if type(value) is int:
        return value if type(default) is int else finite(float(value), what)
    if isinstance(value, list):
        try:
            array = np.array(value, dtype=complex if _has_complex(value) else float)
        except (ValueError, TypeError):
            return [_value(v, None, what) for v in value]
        return finite(array, what)
    if isinstance(value, tuple):
        return tuple(_value(v, None, what) for v in value)
    if isinstance(value, dict):
        return {key: _value(v, None, what) for key, v in value.items()}
    return finite(value, what) if isinstance(value, float | complex) else value


def finite(value: Any, what: str) -> Any:
    """A number or an array, if it is finite: 1e400 is no number that a derivative could be taken at.

    Raises:
        InputError: if it is not.
    """
    if not np.all(np.isfinite(value)):
        raise InputError(f"{what} must be finite, and {value} is not")
    return value


def _has_complex(value: Any) -> bool:
    return any(map(_has_complex, value)) if isinstance(value, list) else isinstance(value, complex)
