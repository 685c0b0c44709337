"""How emitted code is laid out: the width of its lines, and where a long statement is broken."""

from __future__ import annotations

import re
import textwrap

WIDTH = 84
"""Characters in a statement; with its indentation, a line has at most 88."""
INDENT = "    "


def wrapped(statement: str) -> list[str]:
    """A statement on one line, or on several between its last brackets, or between some of its own."""
    if len(statement) <= WIDTH or "'" in statement or '"' in statement:
        return [statement]
    head, text = re.fullmatch(r"(\w+(?:\[.*?\])? = |return )(.*)", statement, re.DOTALL).groups()  # type: ignore[union-attr]
    opening = re.search(r"[(\[{]", text)
    if opening and _closes(text[opening.start() :]):
        return [head + text[: opening.end()], *filled(text[opening.end() : -1]), text[-1]]
    return [f"{head}(", *filled(text), ")"]


def _closes(text: str) -> bool:
    """Whether the bracket that opens the text is closed by its last character."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return k == len(text) - 1
    return False


def filled(text: str) -> list[str]:
    """Text on as many lines as it needs, indented."""
    return [
        INDENT + line
        for line in textwrap.wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    ]


def one_line(text: str) -> str:
    """Text without what could end a comment, or hide in one."""
    return "".join(c if c.isprintable() else " " for c in text)


def docstring(summary: str) -> list[str]:
    """The lines of a function's docstring, indented."""
    text = one_line(summary).replace('"', "'")
    lines = [line.replace("\\", "\\\\") for line in textwrap.wrap(text, WIDTH - 10)]
    if len(lines) == 1:
        return [f'{INDENT}"""{lines[0]}"""']
    return [f'{INDENT}"""{lines[0]}', *(INDENT + line for line in lines[1:]), f'{INDENT}"""']
