"""Reading a program and its inputs from the command line.

``two_outputs`` alone takes the sample inputs; ``two_outputs 2 3`` and ``two_outputs x2=3`` replace
them; keyword parameters go by name (``logistic_map length=8``). An array is written as a list:
``"w=[0.5, -1]"``. A function of one's own is ``mine.py:f 2 3`` (:mod:`diffkit.cli.user_file`).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from diffkit import programs
from diffkit.cli.user_file import finite, is_user_file, read_own
from diffkit.errors import InputError
from diffkit.programs import Program

__all__ = ["ProgramCommand", "inputs_argument", "program_argument", "read_program"]


class ProgramCommand(click.Command):
    """A command on a program and its inputs, which may be negative: -2 is a number, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # After a space it does not look like an option, and reads as the same number.
        return super().parse_args(ctx, [f" {a}" if re.match(r"-\.?\d", a) else a for a in args])


program_argument = click.argument("program", metavar="PROGRAM")
inputs_argument = click.argument("inputs", metavar="[INPUT]...", nargs=-1)


def read_program(name: str, given: Sequence[str]) -> tuple[Program, tuple[Any, ...]]:
    """The program of that name, with its keywords set, and its inputs.

    Raises:
        InputError: for an unknown program or input, a wrong number of inputs, or text where a number
            belongs.

    >>> program, args = read_program("logistic_map", ["0.3", "length=6"])
    >>> args, program.keywords
    ((0.3,), {'length': 6})
    """
    if is_user_file(name):
        return read_own(name, given, _literal)
    try:
        program = programs.get(name)
    except InputError as unknown:
        is_there = Path(name).exists()
        what = (
            f"{name!r} is {'a folder' if Path(name).is_dir() else 'no Python file'}" if is_there else unknown
        )
        end = "" if str(what).endswith("?") else "."
        raise InputError(f"{what}{end} A function of your own is named FILE.py:FUNCTION") from None
    values = dict(program.inputs)
    keywords: dict[str, Any] = {}
    positional = [g for g in given if "=" not in g]
    if positional and len(positional) != len(values):
        raise InputError(
            f"{name} takes {len(values)} inputs ({', '.join(values)}), but {len(positional)} were given: "
            f"{' '.join(positional)}"
        )
    for key, text in zip(values, positional, strict=False):
        values[key] = _read_like(values[key], text, f"{key} of {name}")
    for item in given:
        if "=" not in item:
            continue
        key, text = item.split("=", 1)
        if key in values:
            values[key] = _read_like(values[key], text, f"{key} of {name}")
        else:
            keywords[key] = _read_keyword(program, key, text)
    return program.with_(**keywords), tuple(values.values())


def _read_like(sample: Any, text: str, what: str) -> Any:
    value = _literal(text)
    if isinstance(sample, np.ndarray):
        try:
            array = np.array(value, dtype=sample.dtype)
        except (ValueError, TypeError):
            raise InputError(f"{what} is an array, written like [1, 2.5]; got {text!r}") from None
        if array.ndim != sample.ndim:
            raise InputError(
                f"{what} has {sample.ndim} axes (the sample's shape is {sample.shape}); got {text!r}"
            )
        return finite(array, what)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{what} is a finite number; got {text!r}")
    return finite(float(value), what)


def _read_keyword(program: Program, key: str, text: str) -> Any:
    parameter = inspect.signature(program.function).parameters.get(key)
    if parameter is None or parameter.kind is not parameter.KEYWORD_ONLY:
        known = [p.name for p in inspect.signature(program.function).parameters.values()]
        raise InputError(f"{program.name} has no input {key!r}; it has {', '.join(known)}")
    value = _literal(text)
    default = parameter.default
    if isinstance(default, int) and (not isinstance(value, int) or isinstance(value, bool)):
        raise InputError(f"{key} of {program.name} is a whole number; got {text!r}")
    if isinstance(default, str):
        return text
    if callable(default):
        raise InputError(f"{key} of {program.name} is a function; set it from Python")
    return np.array(value, dtype=float) if isinstance(value, list) else value


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
