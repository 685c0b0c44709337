"""What can be differentiated: the list in ``COVERAGE.md``, made from the rules that are registered.

``python -m diffkit.autodiff.coverage`` writes it anew; a test says when it is out of date.

>>> [row.forward for row in coverage("numpy") if row.name == "interp"]
['yes']
>>> [row.reverse for row in coverage("numpy") if row.name == "hypot"]
['x1, x2']
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import FUNCTIONS, UFUNCS, Primitive
from diffkit.autodiff.rules.register import DEFINED, KINDS
from diffkit.files import write_atomically

NAMESPACES = (
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "scipy.special",
    "scipy.linalg",
    "scipy.stats",
    "scipy.signal",
    "scipy.integrate",
)

_OURS = {"array", "asarray", "asanyarray", "ascontiguousarray", "full", "logcumsumexp"}
"""Functions of dk.numpy that plain NumPy does not have, or cannot hand over."""


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One function of a namespace.

    Attributes:
        name: its public name.
        reverse, forward: the arguments that it can be differentiated by in that mode; "yes" for a program
            of other functions, by whatever they can be; "0" where the derivative is zero; "–" where there
            is no rule.
        how: "rule", "composite", "constant" or "structural".
    """

    name: str
    reverse: str
    forward: str
    how: str


def coverage(namespace: str) -> list[CoverageRow]:
    """The functions of a namespace that can be called on traced values, by name.

    Args:
        namespace: one of :data:`NAMESPACES`.

    Raises:
        ImportError: for a namespace of SciPy, if that is not installed.
    """
    rows = {row.name: row for row in _rows(namespace)}
    return [rows[name] for name in sorted(rows)]


def _rows(namespace: str) -> Iterator[CoverageRow]:
    if namespace.startswith("scipy"):
        yield from _mirrored_rows(importlib.import_module(f"diffkit.{namespace}"))
    module = importlib.import_module(namespace)
    for name in sorted(set(dir(module)) - {"test"}):
        function = getattr(module, name)
        if name.startswith("_") or isinstance(function, type) or not callable(function):
            continue
        if isinstance(function, np.ufunc) and function in UFUNCS:
            yield _row_of_primitive(name, UFUNCS[function], _names_of_ufunc(function))
        elif function in DEFINED:
            yield _row_of_primitive(name, DEFINED[function], _parameters(function))
        elif function in FUNCTIONS:
            yield _row_of_kind(name, KINDS.get(function, "composite"))
    if namespace == "numpy":
        for name in _OURS:
            yield _row_of_kind(name, "composite")


def _mirrored_rows(module: Any) -> Iterator[CoverageRow]:
    """The functions of a ``diffkit.scipy`` module that stand for SciPy's own."""
    for name in dir(module):
        mirror: Any = getattr(module, name, None)
        if getattr(mirror, "is_mirror", False):
            fun = getattr(mirror, "primitive", None)
            yield (
                _row_of_primitive(name, fun, _parameters(mirror)) if fun else _row_of_kind(name, "composite")
            )
        elif getattr(type(mirror), "is_distribution", False):  # with its densities
            for method in dir(mirror):
                if callable(getattr(mirror, method)) and not method.startswith("_"):
                    yield _row_of_kind(f"{name}.{method}", "composite")


def _row_of_kind(name: str, kind: str) -> CoverageRow:
    answer = {"composite": "yes", "constant": "0", "structural": "0"}[kind]
    return CoverageRow(name, answer, answer, kind)


def _row_of_primitive(name: str, fun: Primitive, parameters: Sequence[str]) -> CoverageRow:
    fun.complete_rules()
    if fun.constant:
        return CoverageRow(name, "0", "0", "constant")
    if fun.variadic or fun.joint:
        return CoverageRow(name, "yes" if fun.vjps else "–", "yes" if fun.jvps else "–", "rule")

    def covered(rules: Sequence[Callable[..., Any] | None]) -> str:
        names = [
            parameters[k] if k < len(parameters) else f"x{k + 1}"
            for k, r in enumerate(rules)
            if r and not hasattr(r, "refuses")
        ]
        return ", ".join(names) or "–"

    return CoverageRow(name, covered(fun.vjps), covered(fun.jvps), "rule")


def _names_of_ufunc(ufunc: np.ufunc) -> list[str]:
    return ["x"] if ufunc.nin == 1 else [f"x{k + 1}" for k in range(ufunc.nin)]


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:
        return []


# -- the document -----------------------------------------------------------------------------------------

_INTRODUCTION = """\
# What can be differentiated

This list is made from the rules that are registered: `python -m diffkit.autodiff.coverage` writes it anew.

A program that calls these functions on traced values differentiates in forward mode, in reverse mode, and in
any mixture of them to any order. The two columns name the arguments by which each function can be
differentiated, as NumPy and SciPy call them (`x1`, `x2` for a ufunc); "yes" stands for all that come
into question, "0" for a derivative that is zero wherever it exists, "–" for a rule that there is not.

How it is done:

- **rule**: the function is one row of the trace, with a VJP and a JVP of its own.
- **composite**: it is a program of functions that have rules, a row for each of its steps.
- **constant**: comparisons, rounding, sorting orders: a row whose derivative is zero wherever it exists.
- **structural**: its answer depends on shapes and dtypes only, and is a plain value.

Operators, indexing of every kind and the methods of arrays (`x.sum()`, `x.T`, `x.reshape(...)`) are covered
like the functions of the same name. `array`, `asarray` and `full` of traced values, and `logcumsumexp`,
are in `dk.numpy`; `dk.numpy` is otherwise NumPy itself. SciPy's ufuncs take traced values as they are; its
other functions are in `diffkit.scipy`, under SciPy's names.
"""


DOCUMENT = Path(__file__).with_name("COVERAGE.md")
"""Where the list is kept."""


def document() -> str:
    """The text of ``COVERAGE.md``."""
    parts = [_INTRODUCTION]
    for namespace in NAMESPACES:
        rows = coverage(namespace)
        differentiable = sum(row.how in ("rule", "composite") for row in rows)
        parts.append(f"## {namespace}\n\n{differentiable} functions to differentiate, {len(rows)} in all.\n")
        lines = ["| function | reverse mode | forward mode | how |", "| --- | --- | --- | --- |"]
        lines += [f"| `{r.name}` | {r.reverse} | {r.forward} | {r.how} |" for r in rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Writes ``COVERAGE.md``, beside this file."""
    path = DOCUMENT
    write_atomically(path, document())
    sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    main()
