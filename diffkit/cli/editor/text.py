"""A program as the text that the editor begins with: its source, and its inputs as in a call."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import programs
from diffkit.errors import InputError
from diffkit.programs import Program

BEGINNING = (
    """import numpy as np


def f(x, y):
    a = x * y
    return np.sin(a) + np.log(y)
""",
    "2, 3",
)
"""What stands in an editor that was started with no program."""

_MOST_NUMBERS = 60
"""Numbers of the inputs that are written out; of a lecture's program with more the inputs are named."""


def text_of(program: Program, args: tuple[Any, ...]) -> tuple[str, str]:
    """The source of a program, and its inputs as in a call.

    Args:
        program: of a user's file the whole text is given; of the lectures' the function and what it calls.
        args: its inputs.

    Raises:
        InputError: if the source is not to be had, or there are too many inputs to write out.

    >>> source, inputs = text_of(programs.sum_times, (1.0, 2.0, 3.0))
    >>> source.splitlines()[3:], inputs
    (['', 'def sum_times(x: Any, y: Any, z: Any) -> Any:', ...], '1.0, 2.0, 3.0')
    """
    function = program.function
    lecture = getattr(function, "__module__", None) == programs.__name__
    try:
        source = (
            _lectures(function) if lecture else inspect.getsource(inspect.getmodule(function) or function)
        )
    except (OSError, TypeError):
        raise InputError(f"the source of {program.name} is not to be had: type it in the editor") from None
    if sum(np.size(a) for a in args) <= _MOST_NUMBERS:
        written = [f"np.array({a.tolist()})" if isinstance(a, np.ndarray) else repr(a) for a in args]
    elif lecture:
        source = f"from diffkit import programs\n{source}"
        written = [f"*programs.{program.name}.args"]
    else:
        raise InputError(
            f"the inputs of {program.name} are too many numbers for the editor's line: make them in the "
            "file, as a parameter's default; or write the page alone with -o page.html"
        )
    written += [f"{name}={value!r}" for name, value in program.keywords.items()]
    return source, ", ".join(written)


def _lectures(function: Callable[..., Any]) -> str:
    """A lecture's function without its decorator, after the functions that it calls and their imports."""
    imports: dict[str, None] = {}
    texts: dict[str, str] = {}

    def add(f: Any) -> None:
        for name in f.__code__.co_names:
            value = f.__globals__.get(name)
            if inspect.isfunction(value) and value.__module__ == programs.__name__:
                if value.__name__ not in texts:
                    add(value)
            elif inspect.isclass(value):
                imports[f"from {value.__module__} import {name}"] = None
            elif inspect.ismodule(value) and value is not np:
                imports[f"import {value.__name__}"] = None
        lines = textwrap.dedent(inspect.getsource(f)).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("def "))
        texts[f.__name__] = "\n".join(lines[start:])
        for default in (f.__kwdefaults__ or {}).values():
            if inspect.isfunction(default) and default.__name__ not in texts:
                add(default)
                texts[f.__name__] = texts.pop(f.__name__)  # after what it names

    add(function)
    used = "\n".join(texts.values())
    head = ["import numpy as np", *imports]
    for name, module in (("Any", "typing"), ("Callable", "collections.abc")):
        if name in used:
            head.append(f"from {module} import {name}")
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join(texts.values()) + "\n"
