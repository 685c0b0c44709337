"""What a drawing says of a row by its looks: its sign, and where no derivative passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from diffkit.autodiff.core.adjoint import AdjointProgram
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import INPUT, Node, plain
from diffkit.calculus import Elementary
from diffkit.grammar import compile_text
from diffkit.sites import belongs_to_diffkit

_SYMBOLS = {
    "add": "+",
    "subtract": "−",
    "negative": "−",
    "positive": "+",
    "multiply": "×",
    "divide": "÷",
    "reciprocal": "1/x",
    "power": "xʸ",
    "square": "x²",
    "sqrt": "√",
    "absolute": "|x|",
    "maximum": "max",
    "minimum": "min",
    "matmul": "@",
    "dot": "·",
    "sum": "Σ",
    "mean": "μ",
    "prod": "Π",
    "transpose": "ᵀ",
    "getitem": "[ ]",
    "where": "?",
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
    "not_equal": "≠",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "expit": "σ",
    "logaddexp": "lae",
}


def symbol_of(row: Node) -> str:
    """The sign for a function: ``×``, ``sin``; ``ƒ`` for one whose name is long."""
    if row.fun is INPUT:
        return ""
    return _SYMBOLS.get(row.fun.name, row.fun.name if len(row.fun.name) <= 4 else "ƒ")


@cache
def _kink_test(line: Elementary) -> Callable[..., Any]:
    return compile_text(line.kink, line.arguments, vars(np))


def at_kink(row: Node) -> bool:
    """Whether the row stands at a point where its function has no derivative (in some element)."""
    line = row.fun.line
    if line is None or not line.kink:
        return False
    return bool(np.any(_kink_test(line)(*(np.asarray(plain(a)) for a in row.args))))


def passes_nothing(row: Node, k: int) -> bool:
    """Whether the row hands no derivative to its k-th argument, whatever the inputs."""
    fun = row.fun
    if fun.constant:
        return True
    if fun.line is not None and k < len(fun.line.partials):
        return fun.line.partials[k] == "0"
    rules = fun.vjps
    return not fun.variadic and k < len(rules) and rules[k] is None


def rows_of_sweeps(t: WengertList) -> set[int]:
    """The rows of a derivative's trace that belong to a sweep inside, and not to the function itself.

    Of these the first that a rule of the calculus table, or a sweep's own sum, has made begins the sweep; the
    function's rows stand before it, and after it those are its own that its code has made.
    """
    if isinstance(t, AdjointProgram):
        return {row.index for row in t.nodes if t.is_adjoint(row)}
    made_here = [row for row in t.nodes if row.fun is not INPUT and belongs_to_diffkit(row.code)]
    first = next((row.index for row in made_here if _SWEEPS.search(row.code.co_filename)), len(t.nodes))
    return {row.index for row in made_here if row.index >= first}


_SWEEPS = re.compile(r"^<calculus|autodiff[/\\]core[/\\]")
