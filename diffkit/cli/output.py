"""How commands show their tables, and where they may write them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import click

from diffkit.errors import InputError

__all__ = ["FORMATS", "TABLE_ENDINGS", "Shown", "check_output", "format_option", "output_option", "show"]

TABLE_ENDINGS = (".txt", ".md", ".tex", ".html", ".csv")

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


def check_output(output: str | None, endings: Sequence[str]) -> None:
    """Refuses a file that could not be written, before any work is done for it.

    Raises:
        InputError: for an ending other than ``endings``, or a folder that does not exist or can't be
            written.
    """
    if output is None:
        return
    path = Path(output)
    if path.suffix not in endings:
        raise InputError(f"can't tell the format of {output!r}: expected one of {', '.join(endings)}")
    if not path.parent.is_dir():
        raise InputError(f"can't write {output!r}: there is no folder {str(path.parent)!r}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(
            f"can't write {output!r}: {'it is a folder' if path.is_dir() else 'permission denied'}"
        )


def show(shown: Sequence[Shown], format_: str, output: str | None) -> None:
    """Prints tables, or writes one to a file."""
    if output is None:
        click.echo("\n\n".join(getattr(s, format_)().rstrip("\n") for s in shown))
        return
    if len(shown) != 1:
        raise InputError(f"-o takes one table, but there are {len(shown)}; name a program, or leave -o out")
    click.echo(f"wrote {shown[0].save(output)}")
