"""The statements of a submission's text, where each stands, and what can be named there. It runs none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any


class Source:
    """A text with its tree, and where the nodes stand in it."""

    def __init__(self, text: str) -> None:
        self.text, self.tree = text, ast.parse(text)
        self.encoded = text.encode()
        self.starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def lines_of(self, node: Any) -> list[int]:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return [first, node.end_lineno]

    def span(self, node: Any) -> tuple[int, int]:
        """Offsets in bytes."""
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def assigned(self, statement: Any) -> list[Any] | None:
        """Of a plain assignment, the variable and where the value stands."""
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            plain = isinstance(target, ast.Name) or (
                isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
            )
            return [self.of(target), *self.span(statement.value)] if plain else None
        return None

    def of(self, node: Any) -> str:
        start, end = self.span(node)
        return self.encoded[start:end].decode()


class Scope:
    """What can be named in a function: its variables, and what they hold that was seen."""

    def __init__(self, owner: Any, shapes: dict[str, list[int]]) -> None:
        names: dict[str, None] = {}
        for node in ast.walk(owner):
            if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)):
                names[node.arg if isinstance(node, ast.arg) else node.id] = None
        for name in shapes:
            if "." in name and "[" not in name and name.split(".")[0] in names:
                names[name] = None
        names.pop("self", None)
        self.names = [n for n in names if n in shapes] if shapes else list(names)
        self.shapes = shapes
        self.used: set[str] = set()
        self.items: list[str] = []
        """What stands somewhere in the function: ``w[t]``, ``(x - mu)``, ``np.tanh(c)``."""
        self.callees: set[str] = set()
        """The student's own functions that are called in it."""
        self.elements: list[str] = []
        """Elements of other arrays at an index that stands in the statement."""
        self.numbers = [n for n in self.names if shapes.get(n) == []][:6]

    def like(self, name: str) -> list[str]:
        """The other variables that could stand in a variable's place."""
        mine = self.shapes.get(name)
        return [n for n in self.names if n != name and (mine is None or self.shapes.get(n) == mine)]

    def beside(self, target: str) -> list[str]:
        """The variables that can be multiplied into a variable without making it larger."""
        mine = self.shapes.get(target)
        fitting = [n for n in self.names if mine is None or _fits(self.shapes.get(n), mine)]
        return sorted((n for n in fitting if n != target), key=lambda n: n not in self.used)


def _fits(shape: list[int] | None, whole: list[int]) -> bool:
    if shape is None:
        return True
    pairs = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) + 1 and all(a == b or 1 in (a, b) for a, b in pairs)


def last_line(statement: Any) -> int:
    """The last line of a statement, or of its header."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(int(statement.lineno), int(body[0].lineno) - 1)
    return int(statement.end_lineno)


def statements(node: Any, owner: Any) -> Iterator[tuple[Any, Any]]:
    """All statements below a top-level one, each with the function that it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        owner = node
    elif not isinstance(node, ast.ClassDef):
        yield owner, node
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        for child in inner if isinstance(inner, list) else []:
            yield from statements(child, owner)
    for handler in getattr(node, "handlers", []):
        for child in handler.body:
            yield from statements(child, owner)


def is_module(node: Any) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")
