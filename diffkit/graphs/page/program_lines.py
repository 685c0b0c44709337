"""The user's own lines that made a trace: which of them are shown, and which one each row stands on."""

from __future__ import annotations

import ast
import functools
import linecache
import re
from types import CodeType

from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.views import Trace
from diffkit.sites import belongs_to_libraries, line_of

_MOST = 120
"""Lines beyond which only those that made rows are shown, and what stands around them."""


def program_lines(t: Trace) -> tuple[list[str], list[int]]:
    """The text of the functions that made the rows, and for each row the place of its line in it.

    The functions stand in the order in which they are first met, the longest of those that contain one
    another; an empty line stands between two. What was typed where no text is kept is left out, as are
    diffkit's and libraries' lines, annotations by ``Any``, and remarks to a linter.

    Args:
        t: the trace.

    Returns:
        The lines, with their common indentation removed, and one place per row: -1 for a row without one.
        An input's line is that of the first function's head.

    >>> from diffkit import programs
    >>> from diffkit.autodiff.views import trace
    >>> lines, places = program_lines(trace(programs.two_outputs)(2.0, 3.0))
    >>> [lines[k].strip() for k in places[1:]]  # doctest: +NORMALIZE_WHITESPACE
    ['def two_outputs(x1, x2):', 'a = x1 * x2', 'y1 = np.sin(a)', 'y2 = a + np.log(x2)',
     'y2 = a + np.log(x2)']
    """
    spans: list[tuple[str, int, int]] = []
    for row in t.nodes:
        if row.fun is INPUT or belongs_to_libraries(row.code):
            continue
        span = _span(row.code, line_of(row.code, row.at))
        if span is None or any(_within(span, other) for other in spans):
            continue
        at = next((k for k, other in enumerate(spans) if _within(other, span)), len(spans))
        spans = [other for other in spans if not _within(other, span)]
        spans.insert(at, span)
    lines: list[str] = []
    place: dict[tuple[str, int], int] = {}
    for file, first, last in spans:
        text = [linecache.getline(file, n).rstrip() for n in range(first, last + 1)]
        indent = min((len(line) - len(line.lstrip()) for line in text if line), default=0)
        if lines:
            lines.append("")
        place |= {(file, n): len(lines) + n - first for n in range(first, last + 1)}
        lines += [_readable(line[indent:].expandtabs(4)) for line in text]
    head = next((k for k, line in enumerate(lines) if line.startswith("def ")), 0) if lines else -1
    places = [
        head if row.fun is INPUT else place.get((row.code.co_filename, line_of(row.code, row.at)), -1)
        for row in t.nodes
    ]
    return _shortened(lines, places)


def _readable(line: str) -> str:
    """A line without what says nothing to a reader: annotations by Any, remarks to a linter."""
    line = re.sub(r"\s*# noqa\b.*", "", line)
    return re.sub(r": Any\b|\s*-> Any\b", "", line) if line.lstrip().startswith("def ") else line


def _within(a: tuple[str, int, int], b: tuple[str, int, int]) -> bool:
    return a[0] == b[0] and b[1] <= a[1] and a[2] <= b[2]


def _span(code: CodeType, line: int) -> tuple[str, int, int] | None:
    """The file, and the first and last line of the innermost function around a line; None without its text.

    Outside a function (a lambda, a script) it is the statement.
    """
    file = code.co_filename
    text = "".join(linecache.getlines(file))
    around = [(d, a, b) for d, a, b in _blocks(text) if a <= line <= b]
    if not text:
        return None
    _, first, last = max(around, default=(True, line, line))
    return file, first, last


@functools.lru_cache(maxsize=16)
def _blocks(text: str) -> tuple[tuple[bool, int, int], ...]:
    """The functions and simple statements of a text: whether it is a function, its first and last line."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:  # a notebook's magic, or a file that has been changed since
        return ()
    return tuple(
        (isinstance(n, ast.FunctionDef), n.lineno, n.end_lineno or n.lineno)
        for n in nodes
        if isinstance(n, ast.FunctionDef) or (isinstance(n, ast.stmt) and not hasattr(n, "body"))
    )


def _shortened(lines: list[str], places: list[int]) -> tuple[list[str], list[int]]:
    """At most so many lines: of a longer text those with rows, two around each, and a mark for the rest."""
    if len(lines) <= _MOST:
        return lines, places
    kept = sorted({n for k in places if k >= 0 for n in range(k - 2, k + 3) if 0 <= n < len(lines)})[:_MOST]
    short: list[str] = []
    new: dict[int, int] = {}
    for before, k in zip([-1, *kept], kept, strict=False):
        if k > before + 1:
            short.append("…")
        new[k] = len(short)
        short.append(lines[k])
    return short, [new.get(k, -1) for k in places]
