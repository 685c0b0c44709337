"""Where commands print: tables to standard output, progress and complaints to standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from diffkit.errors import InputError

__all__ = ["FORMATS", "Shown", "format_option", "output_option", "progress", "show", "stderr"]

stderr = Console(stderr=True, soft_wrap=True)

FORMATS = ("text", "markdown", "latex", "html", "csv")


class Shown(Protocol):
    """What can be shown: a table, or a comparison."""

    def text(self) -> str: ...

    def save(self, path: str) -> Path: ...


format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How to print the table.",
)
output_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write to FILE instead, in the format that its ending names.",
)


def show(shown: Sequence[Shown], format_: str, output: str | None) -> None:
    """Prints tables, or writes one to a file."""
    if output is None:
        click.echo("\n\n".join(getattr(s, format_)().rstrip("\n") for s in shown))
        return
    if len(shown) != 1:
        raise InputError(f"-o takes one table, but there are {len(shown)}; name a program, or leave -o out")
    click.echo(f"wrote {shown[0].save(output)}")


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Any]:
    """A progress bar on standard error, where that is a terminal: ``bar(description)`` moves it on."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as bars:
        task = bars.add_task(what, total=total)

        def advance(description: str, steps: int = 0) -> None:
            bars.update(task, description=description, advance=steps)

        yield advance
