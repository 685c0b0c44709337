"""Expressions as the text of a Python function, which is compiled and run in an arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.expressions import Expression, post_order
from diffkit.symbolic.budget import Terms
from diffkit.symbolic.code.parameters import Vector, flat
from diffkit.symbolic.code.writer import Names, Text, Writer
from diffkit.symbolic.values.arithmetics import Arithmetic, implementation


class FunctionText:
    """The text of a function, and what has to be known to run it.

    Args:
        arguments: the function's parameters.
        roots: what it computes.
        ending: the end of its last line, ``return [{}]`` for a list of them.
        constants: arrays, by the symbols for them; None to find matrices in long sums.

    Attributes:
        source: the text.
        constants: the arrays in it, by name.
    """

    def __init__(
        self,
        arguments: Sequence[Expression | Vector],
        roots: Sequence[Expression],
        ending: str,
        constants: Mapping[Expression, Any] | None = None,
    ) -> None:
        names = Names(type(node).__name__ for node in post_order(*roots))
        texts = {id(symbol): Text(names.like(symbol)) for symbol in flat(arguments)}
        self.constants: dict[str, Any] = {}
        for symbol, value in (constants or {}).items():
            texts[id(symbol)] = Text(names.fresh("c"))
            self.constants[texts[id(symbol)].text] = value
        self.heads: dict[str, Any] = {}
        matrices = self.constants if constants is None else None
        writer = Writer(names, texts, self.heads, matrices)
        parameters = []
        for argument in arguments:
            if isinstance(argument, Vector):
                parameters.append(names.like(argument.symbol))
                writer.lines.append(f"[{', '.join(texts[id(s)].text for s in argument)}] = {parameters[-1]}")
            else:
                parameters.append(texts[id(argument)].text)
        results = ", ".join(r.text for r in writer.write(roots))
        self.has_loops = any("integers(" in line for line in [*writer.lines, results])
        body = "\n    ".join([*writer.lines, ending.format(results)])
        self.source = f"def program({', '.join(parameters)}):\n    {body}\n"
        self.code = compile(self.source, "<diffkit.symbolic.lambdify>", "exec")

    def function(
        self,
        arithmetic: Arithmetic,
        functions: Mapping[str, Callable[..., Any]],
        basics: Mapping[str, Any],
    ) -> Callable[..., Any]:
        """The function in an arithmetic, ``functions`` being those that the user gives."""
        space = {**arithmetic.functions, **_CONSTANTS, **basics, **self.constants}
        space |= {name: implementation(head, arithmetic, functions) for name, head in self.heads.items()}
        terms = Terms(arithmetic.terms)
        number = np.float64 if arithmetic.takes_arrays else float
        space["integers"] = lambda low, high: map(number, terms.integers(low, high))
        exec(self.code, space)
        program: Callable[..., Any] = space["program"]
        return _counted(program, terms) if self.has_loops else program


def _counted(program: Callable[..., Any], terms: Terms) -> Callable[..., Any]:
    """The program with a count of the terms of its Sums and Products, which begins at each call."""

    def counted(*values: Any) -> Any:
        terms.start()
        return program(*values)

    return counted


_CONSTANTS = {
    "pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "prod": math.prod,
}  # fmt: skip
