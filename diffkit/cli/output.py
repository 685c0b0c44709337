"""How commands show their results, and where they may write them."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

import click

from diffkit.errors import InputError
from diffkit.progress import ends_waiting
from diffkit.tables import to_json

TABLE_ENDINGS = (".txt", ".md", ".tex", ".html", ".csv", ".json")

FORMATS = ("text", "markdown", "latex", "html", "csv", "json")

Command = TypeVar("Command", bound=Callable[..., Any])


class Shown(Protocol):
    """What can be shown: a table, or a comparison."""

    def text(self, width: int | None = None) -> str: ...

    def save(self, path: str) -> Path: ...


def format_option(command: Command) -> Command:
    """``--format``, and ``--json`` for the commonest of its values."""
    named = click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        callback=lambda ctx, _, value: "json" if ctx.params.pop("as_json") else value,
        help="How to print the table.",
    )
    # Not a second flag of the same name: without either, some versions of click take that one's None.
    short = click.option("--json", "as_json", is_flag=True, is_eager=True, help="The same as --format json.")
    return named(short(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for another program.")
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
    if output is not None:
        if len(shown) != 1:
            raise InputError(
                f"-o takes one table, but there are {len(shown)}; name a program, or leave -o out"
            )
        echo(f"wrote {shown[0].save(output)}")
    elif format_ == "text":
        width = terminal_width()
        echo("\n\n".join(s.text(width).rstrip("\n") for s in shown))
    elif format_ == "json":
        texts = [getattr(s, "json")() for s in shown]  # noqa: B009  (a Shown of any kind)
        echo(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    else:
        echo("\n\n".join(getattr(s, format_)().rstrip("\n") for s in shown))


def wrote(path: Any, as_json: bool = False) -> None:
    """Says which file was written."""
    echo(to_json({"wrote": str(path)}) if as_json else f"wrote {path}")


def terminal_width() -> int:
    """The columns of the terminal; 80 where the output goes into a pipe or a file."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


# -- what f prints, and what NumPy warns of ---------------------------------------------------------

_out: TextIO | None = None
"""Where results go while a program's own prints are kept apart."""


def echo(text: str) -> None:
    """Prints a result."""
    ends_waiting()
    click.echo(text, file=_out, color=False if "NO_COLOR" in os.environ else None)


def note(text: str) -> None:
    """Prints a sentence about a result beside it, on standard error."""
    ends_waiting()
    click.echo(f"note: {text}", err=True)


_LINES = 5
_LONGEST = 200
"""Lines, and characters of one, that a program's own output is shown of."""


class _Heard:
    """Takes what a program prints, keeps its first lines and counts the others."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self._line = ""

    def write(self, text: str) -> int:
        *whole, rest = text.split("\n")
        for part in whole:
            self._end(self._line + part)
            self._line = ""
        self._line = (self._line + rest)[: _LONGEST + 1]
        return len(text)

    def _end(self, line: str) -> None:
        self.count += 1
        if len(self.lines) < _LINES:
            self.lines.append(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}...")

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return False

    def text(self) -> str:
        if self._line:
            self._end(self._line)
            self._line = ""
        more = self.count - len(self.lines)
        return "\n".join([*self.lines, *([f"... and {more:,} more lines"] if more else [])])


@contextlib.contextmanager
def what_f_prints_is_cut() -> Iterator[None]:
    """Keeps a program's prints out of the results; their first lines go to standard error at the end."""
    global _out
    heard, before = _Heard(), _out
    _out = sys.stdout
    try:
        with contextlib.redirect_stdout(heard):
            yield
    finally:
        _out = before
        if text := heard.text():
            click.echo(f"the program printed:\n{text}", err=True)


@contextlib.contextmanager
def plain_terminal() -> Iterator[None]:
    """Output in whatever encoding there is, and each warning once, as one line without a path."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="diffkit")
    said: set[str] = set()

    def show_warning(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        line = " ".join(str(message).split())
        if line not in said:
            said.add(line)
            ends_waiting()
            click.echo(f"warning: {line}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        yield


# -- encodings without the glyphs -------------------------------------------------------------------

_NAMES = {
    "─": "-", "│": "|", "–": "-", "—": "-", "−": "-", "×": "x", "·": "*", "⊙": "*", "∘": "o", "√": "sqrt",
    "∂": "d", "∞": "inf", "≈": "~", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "←": "<-", "↦": "|->",
    "⇐": "<=", "⇒": "=>", "µ": "u", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "✓": "+", "✗": "x",
    "∑": "sum", "∏": "prod", "∫": "int", "∇": "grad", "°": "deg", "ᵀ": "^T", "\u0304": "_bar",
    "\u0307": "_dot", "\u0308": "_ddot", "\u0302": "_hat", "\u0303": "_tilde", "█": "#",
}  # fmt: skip


def _spelled(character: str) -> str:
    """A character in ASCII: a rule as hyphens, a Greek letter by its name, a subscript as a digit.

    >>> [_spelled(c) for c in "σ₁²é–"]
    ['sigma', '1', '^2', 'e', '-']
    """
    if character in _NAMES:
        return _NAMES[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if plain:
        return f"^{plain}" if "SUPERSCRIPT" in unicodedata.name(character, "") else plain
    words = unicodedata.name(character, "").split()
    if words[:1] == ["GREEK"]:
        return words[-1].capitalize() if "CAPITAL" in words else words[-1].lower()
    return "?"


def _respell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_spelled(c) for c in error.object[error.start : error.end]), error.end


codecs.register_error("diffkit", _respell)
