"""Reading a program and its inputs from the command line.

``two_outputs`` alone takes the sample inputs; ``two_outputs 2 3`` and ``two_outputs x2=3`` replace
them; keyword parameters go by name (``logistic_map length=8``). An array is written as a list:
``"w=[0.5, -1]"``. A function of one's own is ``mine.py:f 2 3`` (:mod:`diffkit.cli.user_file`).
"""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from diffkit import programs
from diffkit.cli.named_function import is_user_file, suggestion
from diffkit.cli.numbers import read_value
from diffkit.cli.output import note, what_f_prints_is_cut
from diffkit.cli.user_file import as_float, assigned, finite, read_own
from diffkit.comparison.point import sentences_at
from diffkit.comparison.problem import Problem
from diffkit.errors import InputError
from diffkit.programs import Program
from diffkit.progress import waiting
from diffkit.time_limit import BudgetError, within


class ProgramCommand(click.Command):
    """A command on a program and its inputs, which may be negative: -2 is a number, not an option.

    Whatever the program does, the command ends: it is stopped after ``--limit`` seconds, which are counted
    on the terminal, and what the program prints is cut after a few lines.
    """

    limits_itself = False
    """Whether the command stops its own parts, each after that time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--limit"],
                type=click.FloatRange(0, min_open=True),
                default=60.0,
                show_default=True,
                metavar="SECONDS",
                help="Stop what takes longer.",
            )
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # After a space it does not look like an option, and reads as the same number.
        return super().parse_args(
            ctx, [f" {a}" if re.match(r"-(\.?\d|pi\b|e\b|tau\b|\()", a) else a for a in args]
        )

    def invoke(self, ctx: click.Context) -> Any:
        limit = ctx.params["limit"] if self.limits_itself else ctx.params.pop("limit")
        with what_f_prints_is_cut():
            if self.limits_itself:
                return super().invoke(ctx)
            try:
                with waiting(f"diffkit {self.name}", limit):
                    return within(
                        limit, lambda: super(ProgramCommand, self).invoke(ctx), f"diffkit {self.name}"
                    )
            except BudgetError as error:
                raise InputError(f"{error}; --limit SECONDS gives it more") from None


class LimitingCommand(ProgramCommand):
    """A command that stops its own parts, and goes on with the others."""

    limits_itself = True


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
        return read_own(name, given)
    if name not in programs.names():
        raise InputError(_unknown(name))
    program = programs.get(name)
    values = dict(program.inputs)
    positional = [g for g in given if "=" not in g]
    if positional and len(positional) != len(values) and len(positional) == len(given):
        raise InputError(
            f"{name} takes {len(values)} input{'s' * (len(values) != 1)} ({', '.join(values)}), but got "
            f"{len(positional)}: {' '.join(positional)}"
        )
    keywords: dict[str, Any] = {}
    parameters = list(inspect.signature(program.function).parameters)
    named = [g for g in given if "=" in g]
    for key, text in assigned(name, list(values), positional, named, parameters, list(values)).items():
        if key in values:
            values[key] = _read_like(values[key], text, f"{key} of {name}")
        else:
            keywords[key] = _read_keyword(program, key, text)
    return program.with_(**keywords), tuple(values.values())


def _unknown(name: str) -> str:
    path = Path(name)
    if path.exists():
        what = "a folder" if path.is_dir() else "no Python file"
        return f"{name!r} is {what}. A function of your own is named FILE.py:FUNCTION"
    near = suggestion(name, programs.names())
    end = near if near.startswith("did") else "`diffkit compare --list` lists them."
    return f"there is no program {name!r}; {end} A function of your own is named FILE.py:FUNCTION"


def checked(program: Program, args: tuple[Any, ...]) -> contextlib.AbstractContextManager[list[str]]:
    """Says what there is to say of the point, the same in every command, after what is done there.

    Raises:
        InputError: if f returns no numbers, or other ones when it is run again; or if the work within
            divides by zero or overflows, for the reason that is known of the point.
    """
    with np.errstate(all="ignore"):
        problem = Problem(program, args, real=False)
        return _saying(sentences_at(problem))


@contextlib.contextmanager
def _saying(sentences: list[str]) -> Iterator[list[str]]:
    try:
        yield sentences
    except ArithmeticError as error:
        if not sentences:
            raise
        raise InputError(sentences[0]) from error
    for sentence in sentences:
        note(sentence)


def _read_like(sample: Any, text: str, what: str) -> Any:
    value = read_value(text, what)
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
    return finite(as_float(value, what), what)


def _read_keyword(program: Program, key: str, text: str) -> Any:
    parameter = inspect.signature(program.function).parameters[key]
    value = read_value(text, f"{key} of {program.name}")
    default = parameter.default
    if isinstance(default, int) and (not isinstance(value, int) or isinstance(value, bool)):
        raise InputError(f"{key} of {program.name} is a whole number; got {text!r}")
    if isinstance(default, str):
        return text
    if callable(default):
        raise InputError(f"{key} of {program.name} is a function; set it from Python")
    return np.array(value, dtype=float) if isinstance(value, list) else value
