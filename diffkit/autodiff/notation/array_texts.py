"""How functions of arrays are written, and their pullbacks: the matrix table's lines, and what it has not.

Vectors have one axis here, sums and broadcasting are rows of their own, and stacks of matrices go by their
functions' names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from diffkit.autodiff.notation.values import dimensions
from diffkit.autodiff.recording.tracer import Node
from diffkit.matrix_calculus import MATRIX


class ArrayText(NamedTuple):
    """How a function of arrays is written, and its pullback by each argument.

    The arguments are x, y, z in order, g is the cotangent, ans the answer.

    Attributes:
        form: the function.
        vjps: one text per argument.
    """

    form: str
    vjps: tuple[str, ...]


def _line(name: str) -> ArrayText:
    return ArrayText(MATRIX[name].form, MATRIX[name].vjps)


def _product(row: Node) -> ArrayText:
    """Matrix products by the dimensions of their operands; numerator layout."""
    a, b = (dimensions(v) for v in row.args[:2])
    if a == 1 and b == 1:
        return _line("inner")
    if a == 0 or b == 0:
        return ArrayText("x * y", ("g * y", "g * x"))
    if a == 1:
        return ArrayText("x @ y", ("y @ g", "x @ T(g)"))
    return _line("matmul")


def _of_matrices(name: str) -> Callable[[Node], ArrayText | None]:
    """The table's line, of matrices alone."""
    return lambda row: _line(name) if all(dimensions(v) < 3 for v in row.args) else None


def _diag(row: Node) -> ArrayText | None:
    return (
        None
        if len(row.args) > 1 or row.kwargs
        else _line("diag" if dimensions(row.args[0]) == 1 else "diagonal")
    )


ARRAY_TEXTS: dict[str, ArrayText | Callable[[Node], ArrayText | None]] = {
    "matmul": _product,
    "dot": _product,
    "inner": _product,
    "vdot": _line("inner"),
    "outer": _line("outer"),
    "inv": _of_matrices("inv"),
    "det": _of_matrices("det"),
    "solve": _of_matrices("solve"),
    "trace": _of_matrices("trace"),
    "diag": _diag,
    "sum": ArrayText("total(x)", ("spread(g)",)),
    "mean": ArrayText("mean(x)", ("spread(g / n)",)),
    "max": ArrayText("Max(x)", ("g_where_attained",)),
    "min": ArrayText("Min(x)", ("g_where_attained",)),
    "transpose": _line("transpose"),
    "reshape": ArrayText("reshape(x)", ("reshape(g)",)),
    "ravel": ArrayText("ravel(x)", ("reshape(g)",)),
    "broadcast_to": ArrayText("broadcast(x)", ("total(g)",)),
    "astype": ArrayText("astype(x)", ("astype(g)",)),
    "where": ArrayText("where(x, y, z)", ("0", "g_where_true", "g_where_false")),
    "real": ArrayText("Re(x)", ("g",)),
    "conjugate": ArrayText("conj(x)", ("conj(g)",)),
}
"""The functions of arrays that the lectures use. Any other is written by its name."""


def array_text(row: Node) -> ArrayText | None:
    known = ARRAY_TEXTS.get(row.fun.name)
    return known(row) if callable(known) and not isinstance(known, ArrayText) else known
