"""How a compiled program checks the arguments of a call, and takes them apart.

Containers are opened one level at a time. The types, shapes and dtypes of all that was traced are
compared in one go; what was constant is compared by value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.code.program import CodeRow
from diffkit.autodiff.code.row_expressions import Writer
from diffkit.autodiff.compiled.dependencies import Watch, is_users_object
from diffkit.autodiff.compiled.snapshots import snapshot
from diffkit.containers import Structure

OWN_NAMES = ("args", "kwargs", "run", "MISS")
"""What an emitted function calls its own."""


class _Miss:
    def __repr__(self) -> str:
        return "MISS"


MISS: Any = _Miss()
"""What an emitted function returns if a call is not one that it is for."""


class Entry:
    """Writes the checks of the arguments, and takes them apart."""

    def __init__(self, writer: Writer, mentioned: frozenset[str]) -> None:
        self.writer = writer
        self.mentioned = mentioned
        self.lines: list[str] = []
        self.kinds: list[str] = []
        self.expected: list[Any] = []
        self.spare = 0

    def check(self, leaves: Sequence[Any], structure: Structure, keywords: bool) -> list[str]:
        """The statements that take ``args`` and ``kwargs`` apart."""
        positional = len(structure.children) - keywords
        self.lines.append(f"if {'not ' * keywords}kwargs or len(args) != {positional}: return MISS")
        self._take("*args, kwargs" if keywords else "args", structure, iter(leaves), check=False)
        if len(self.kinds) == 1:
            kind = self.writer.bind(self.expected[0].__name__, self.expected[0])
            self.lines.append(f"if {self.kinds[0]} is not {kind}: return MISS")
        elif self.kinds:
            expected = self.writer.bind("kinds", tuple(self.expected))
            self.lines.append(f"if ({', '.join(self.kinds)}) != {expected}: return MISS")
        return self.lines

    def miss_unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    def _fresh(self) -> str:
        self.spare += 1
        name = f"_{self.spare}"
        while name in self.writer.taken:
            self.spare += 1
            name = f"_{self.spare}"
        return name

    def _take(self, name: str, structure: Structure, leaves: Any, check: bool = True) -> None:
        """Takes a container apart, one level at a time."""
        kind = structure.container
        if check:
            bound = self.writer.bind(kind.__name__, kind)
            self.miss_unless(f"type({name}) is {bound} and len({name}) == {len(structure.children)}")
        if not structure.children:
            return
        targets = []
        pending = []
        for child in structure.children:
            if child.is_leaf:
                leaf = next(leaves)
                own = type(leaf) is CodeRow
                target = self.writer.names[id(leaf)] if own else self._fresh()
                pending.append((target, child, leaf))
            else:
                target = self._fresh()
                inner = [next(leaves) for _ in range(child.size)]
                pending.append((target, child, inner))
            targets.append(target)
        given = name
        if issubclass(kind, dict):
            keys = self.writer.bind("K", list(structure.keys))
            self.miss_unless(f"list({name}) == {keys}")
            given = f"{name}.values()"
        self.lines.append(f"{', '.join(targets)}, = {given}")
        for target, child, leaf in pending:
            if not child.is_leaf:
                self._take(target, child, iter(leaf))
            elif type(leaf) is CodeRow:
                self._input(target, leaf.value)
            else:
                self._constant(target, leaf)

    def _input(self, name: str, value: object) -> None:
        """Notes what an input must be; all are compared at once."""
        self.kinds.append(f"type({name})")
        self.expected.append(type(value))
        if isinstance(value, np.ndarray):
            self.kinds += [f"{name}.shape", f"{name}.dtype"]
            self.expected += [value.shape, value.dtype]

    def _constant(self, name: str, value: object) -> None:
        kind = type(value)
        if kind in (int, bool, str):
            kind_name = self.writer.bind(kind.__name__, kind)
            self.miss_unless(f"type({name}) is {kind_name} and {name} == {value!r}")
        elif value is None:
            self.miss_unless(f"{name} is None")
        else:
            check = snapshot(value, self.mentioned)
            if is_users_object(value):
                check = functools.partial(_same_object, check, Watch(value, self.mentioned))
            self.miss_unless(f"{self.writer.bind('unchanged', check)}({name})")


def _same_object(check: Callable[[Any], bool], watch: Watch, value: object) -> bool:
    return check(value) and watch.unchanged()
