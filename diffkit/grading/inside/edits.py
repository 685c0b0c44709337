"""Small changes of single statements: what a student may have meant in place of what stands there.

It reads code and runs none, in the process with limits that parses what students hand in
(:mod:`diffkit.grading.inside.opening`). Each change touches one statement and leaves all line breaks where
they are, so that line numbers stay. The first rank has slips (a sign, an operator, an axis, a transpose, one
variable for another); the second a factor forgotten or a term; the third what is rarer.

>>> found = edits(["def f(g, y):\\n    return g * y"], [[0, 2]], [], rank=1)["edits"]
>>> ("g / y" in [e["text"].replace("(", "").replace(")", "") for e in found], {e["line"] for e in found})
(True, {2})
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from diffkit.grading.inside.changes import changes
from diffkit.grading.inside.statements import Scope, Source, last_line, statements

MOST = 700
"""Changes of one statement, of each rank."""


def edits(
    parts: Sequence[str], lines: Sequence[Sequence[int]], seen: Sequence[Sequence[Any]], rank: int
) -> dict[str, Any]:
    """The changes of the statements that stand in some lines.

    Args:
        parts: the texts of the submission: a script's, or those of a notebook's cells.
        lines: which lines were run, as [part, line].
        seen: what was seen of their variables: [part, line, name, shape].
        rank: of which rank the changes are.

    Returns:
        "statements", one for each that was run: [part, first line, last line, the name of the function,
        [variable, start, end] of what is assigned to one, first and last line of the top-level statement].
        "edits", each with the number of its "statement", its first "line", the place of the top-level
        statement ("part", "top", as first and last line), "start" and "end" of what is replaced, in bytes of
        the part, the "text" for it, its "rank", and "what" it is.
    """
    found: list[dict[str, Any]] = []
    stand: list[list[Any]] = []
    for number, text in enumerate(parts):
        wanted = {line for part, line in lines if part == number}
        source = Source(text)
        for top in source.tree.body:
            for owner, statement in statements(top, top):
                span = statement.lineno, last_line(statement)
                if not wanted.intersection(range(span[0], span[1] + 1)):
                    continue
                name = getattr(owner, "name", "")
                stand.append([number, *span, name, source.assigned(statement), source.lines_of(top)])
                within = range(owner.lineno, owner.end_lineno + 1)
                shapes = {n: shape for part, at, n, shape in seen if part == number and at in within}
                scope = Scope(owner, shapes)
                scope.items = sorted({source.of(n) for n in ast.walk(owner) if _is_item(n)})[:30]
                scope.used = {
                    source.of(n) for n in ast.walk(statement) if isinstance(n, ast.Name | ast.Attribute)
                }
                at = {"statement": len(stand) - 1, "line": span[0], "part": number}
                at["top"] = source.lines_of(top)
                found += [{**at, **change} for change in _of_statement(source, statement, scope, rank)]
    counts: Counter[int] = Counter()
    for each in found:  # the first of each statement come first, for when there are too many
        each["number"] = counts[each["statement"]]
        counts[each["statement"]] += 1
    return {"statements": stand, "edits": sorted(found, key=lambda each: int(each["number"]))}


def _is_item(node: Any) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)


def _of_statement(source: Source, statement: Any, scope: Scope, wanted: int) -> Iterator[dict[str, Any]]:
    made: set[tuple[int, int, str]] = set()
    for node, text, rank, what in changes(source, statement, scope):
        if rank != wanted or len(made) >= MOST:
            continue
        start, end = source.span(node)
        lost = source.encoded[start:end].count(b"\n")
        if "\n" in text:
            text = " ".join(text.split("\n"))
        if lost:  # line breaks stay, inside of brackets
            text = f"({text}" + "\n" * lost + ")"
        key = start, end, text
        if key in made:
            continue
        made.add(key)
        yield {"start": start, "end": end, "text": text, "rank": rank, "what": what}
