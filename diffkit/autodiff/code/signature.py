"""The parameters of an emitted function: one for each argument that was traced, then the cotangents.

An argument that is a container is taken apart in the function's first lines: its leaves have names of their
own, as the rows have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.code.identifiers import identifier
from diffkit.autodiff.code.lines import WIDTH, filled
from diffkit.autodiff.code.literals import literal
from diffkit.autodiff.code.program import CodeProgram, CodeRow
from diffkit.autodiff.code.row_expressions import Writer
from diffkit.autodiff.core.adjoint import AdjointProgram
from diffkit.autodiff.core.trace import WengertList
from diffkit.containers import Structure, paths

Steps = tuple[tuple[type, int, Any], ...]
"""The way to a leaf of a nested argument: at each step the container, the position and the key."""


def _steps(structure: Structure) -> list[Steps]:
    """The way to each leaf."""
    if structure.container is None:
        return [()]
    return [
        ((structure.container, k, key), *further)
        for k, (key, child) in enumerate(zip(structure.keys, structure.children, strict=True))
        for further in _steps(child)
    ]


def way_to(steps: Steps, writer: Writer) -> str:
    """The text that goes there. A key is written as a literal or bound by name: its repr is anyone's."""
    return "".join(
        f"[{writer.constant(key)}]"
        if issubclass(container, dict)
        else f".{key}"
        if hasattr(container, "_make") and identifier(key) == key
        else f"[{k}]"
        for container, k, key in steps
    )


class Parameters:
    """The function's parameters: one per argument that was traced, then the cotangents."""

    def __init__(self, program: CodeProgram, t: WengertList) -> None:
        primal = t.primal if isinstance(t, AdjointProgram) else t
        self.inputs: list[list[tuple[CodeRow, Steps]]] = []  # per parameter: its leaves, and the way to each
        self.roots: list[str] = []
        rows = iter(program.inputs)
        arguments = iter(primal.arguments)
        for child in primal.in_structure.children:
            ways = zip(_steps(child), paths(child, ""), strict=True)
            leaves = [(next(rows), *way) for way in ways if primal.owns(next(arguments))]
            if leaves:
                row, _, called = leaves[0]
                self.roots.append(row.name.removesuffix(called))
                self.inputs.append([(row, steps) for row, steps, _ in leaves])
        self.seeds = [s for s in rows if s in program.seeds]
        self.roots += [s.name for s in self.seeds]

    def name_inputs(
        self, found: list[str], taken: set[str], names: dict[int, str]
    ) -> list[tuple[str, str, Steps]]:
        """Names for the inputs' rows; for those in nested arguments also which argument, and the way."""
        nested = []
        alone: list[list[tuple[CodeRow, Steps]]] = [[(s, ())] for s in self.seeds]
        for root, leaves in zip(found, [*self.inputs, *alone], strict=False):
            for row, steps in leaves:
                if not steps:
                    names[id(row)] = root
                    continue
                plain = base = identifier(row.name)
                number = 1
                while plain in taken:
                    number += 1
                    plain = f"{base}_{number}"
                taken.add(plain)
                names[id(row)] = plain
                nested.append((plain, root, steps))
        return nested

    def signature(self, found: list[str], names: dict[int, str], writer: Writer) -> str:
        """The parameters as text; a cotangent has the one that was traced for a default."""
        given = found[: len(self.inputs)]
        for seed in self.seeds:
            value = seed.value
            plain = float(value) if type(value) is np.float64 else value
            default = literal(plain) if type(plain) in (float, complex) else writer.bind("K", value)
            given.append(f"{names[id(seed)]}={default}")
        text = ", ".join(given)
        if len(text) <= WIDTH - 30:
            return text
        return "\n" + "\n".join(filled(text + ",")) + "\n"
