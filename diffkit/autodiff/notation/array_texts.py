"""How functions of arrays are written, and their pullbacks: what the calculus table is for numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from diffkit.autodiff.notation.values import dimensions
from diffkit.autodiff.recording.tracer import Node


class ArrayText(NamedTuple):
    """How a function of arrays is written, and its pullback by each argument.

    The arguments are x, y, z in order, g is the cotangent, ans the answer.

    Attributes:
        form: the function.
        vjps: one text per argument.
    """

    form: str
    vjps: tuple[str, ...]


def _product(row: Node) -> ArrayText:
    """Matrix products by the dimensions of their operands; numerator layout."""
    a, b = (dimensions(v) for v in row.args[:2])
    if a == 1 and b == 1:
        return ArrayText("inner(x, y)", ("g * y", "g * x"))
    if a == 0 or b == 0:
        return ArrayText("x * y", ("g * y", "g * x"))
    if b == 1:
        return ArrayText("x @ y", ("g @ T(y)", "T(x) @ g"))
    if a == 1:
        return ArrayText("x @ y", ("y @ g", "x @ T(g)"))
    return ArrayText("x @ y", ("g @ T(y)", "T(x) @ g"))


ARRAY_TEXTS: dict[str, ArrayText | Callable[[Node], ArrayText]] = {
    "matmul": _product,
    "dot": _product,
    "inner": ArrayText("inner(x, y)", ("g @ y", "g @ x")),
    "outer": ArrayText("x @ T(y)", ("g @ y", "T(g) @ x")),
    "sum": ArrayText("total(x)", ("spread(g)",)),
    "mean": ArrayText("mean(x)", ("spread(g / n)",)),
    "max": ArrayText("Max(x)", ("g_where_attained",)),
    "min": ArrayText("Min(x)", ("g_where_attained",)),
    "transpose": ArrayText("T(x)", ("T(g)",)),
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
