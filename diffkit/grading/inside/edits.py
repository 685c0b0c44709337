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
from diffkit.grading.inside.statements import Scope, Source, is_module, last_line, statements

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
                inner: list[Any] = list(ast.walk(owner))
                scope.items += sorted({f"({source.of(n)})" for n in inner if _is_difference(n)})[:8]
                scope.items += sorted({source.of(n) for n in inner if _is_plain_call(n)})[:8]
                scope.callees = {source.of(n.func) for n in inner if _is_own_call(n)}
                at_index = {_index_name(n) for n in ast.walk(statement)} - {""}
                scope.elements = [
                    f"{n}[{i}]" for i in sorted(at_index) for n in scope.names if scope.shapes.get(n)
                ][:30]
                scope.used = {
                    source.of(n) for n in ast.walk(statement) if isinstance(n, ast.Name | ast.Attribute)
                }
                at = {"statement": len(stand) - 1, "line": span[0], "part": number}
                at["top"] = source.lines_of(top)
                found += [{**at, **change} for change in _of_statement(source, statement, scope, rank)]
    counts: Counter[tuple[int, str]] = Counter()
    for each in found:  # the first of each statement and kind come first, for when there are too many
        kind = "swap" if " in place of " in each["what"] else "term" if "missing" in each["what"] else ""
        each["number"] = counts[each["statement"], kind]
        counts[each["statement"], kind] += 1
    return {"statements": stand, "edits": sorted(found, key=lambda each: int(each["number"]))}


def _is_item(node: Any) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)


def _is_difference(node: Any) -> bool:
    plain = ast.Name | ast.Attribute
    difference = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    return difference and isinstance(node.left, plain) and isinstance(node.right, plain)


def _is_plain_call(node: Any) -> bool:
    """Whether it is a function of NumPy of one variable."""
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_module(node.func.value)
    return named and len(node.args) == 1 and isinstance(node.args[0], ast.Name) and not node.keywords


def _is_own_call(node: Any) -> bool:
    own = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return own and isinstance(node.func.value, ast.Attribute) and not is_module(node.func.value.value)


def _index_name(node: Any) -> str:
    """The variable that is an index, or ""."""
    if not isinstance(node, ast.Subscript):
        return ""
    first = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    return first.id if isinstance(first, ast.Name) else ""


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
