"""Values of a trace in a few characters: numbers, short vectors, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable, zeros_like
from diffkit.autodiff.notation.formulas import ATOM, Piece, number_piece, number_text, shown_digits, visible
from diffkit.autodiff.recording.tracer import plain
from diffkit.tables import latex_escape


def short(value: object, most: int = 24) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def index_text(index: object) -> str:
    """An index as a program writes it: ``0``, ``:, 1``, ``mask``."""
    if isinstance(index, tuple):
        return ", ".join(map(index_text, index))
    if isinstance(index, slice):
        parts = ["" if p is None else str(p) for p in (index.start, index.stop)]
        return ":".join(parts + ([str(index.step)] if index.step is not None else []))
    if index is Ellipsis:
        return "..."
    if isinstance(index, np.ndarray):
        return "mask" if index.dtype.kind == "b" else short(str(index.tolist()))
    return short(str(index))


def constant_piece(value: object, digits: int | None = None) -> Piece:
    """A constant as an argument: a number, a short vector, or the shape of a larger array."""
    value = plain(value)
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        value = np.asarray(value).item()
    if isinstance(value, bool | int | float | complex):
        return number_piece(value, digits)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        if value.ndim == 1 and value.size <= 3:
            parts = [number_piece(v) for v in value.tolist()]
            return Piece(
                f"[{', '.join(p.text for p in parts)}]", f"[{', '.join(p.latex for p in parts)}]", ATOM, True
            )
        text, latex = ("×".join(map(str, value.shape)), r" \times ".join(map(str, value.shape)))
        return Piece(f"const[{text}]", rf"\mathrm{{const}}_{{{latex}}}", ATOM, True)
    text = visible(short(value))
    return Piece(text, rf"\texttt{{{latex_escape(text)}}}", ATOM)


def value_text(value: Any, digits: int | None = None) -> str:
    """A value in a node: a number, a short vector, or nothing where only its shape can be told.

    Args:
        value: the value.
        digits: of numbers; by default as many as ``with_digits`` says, or four.

    >>> value_text(0.5), value_text(np.array([1.0, -2.0])), value_text(np.zeros((3, 2)))
    ('0.5', '[1, −2]', '')
    """
    value = plain(value)
    if isinstance(value, tuple | list):
        return f"{len(value)} parts"
    if np.ndim(value) == 0:
        return number_text(value, digits)
    if np.ndim(value) == 1 and np.size(value) <= 4:
        each = digits or (3 if shown_digits() == 4 else shown_digits())
        return f"[{', '.join(number_text(v, each) for v in value)}]"
    return ""


def type_text(value: Any) -> str:
    """``(3, 2) float64`` for an array; "" for a float."""
    value = plain(value)
    if isinstance(value, tuple | list) or np.ndim(value) == 0:
        return ""
    return f"({', '.join(map(str, np.shape(value)))}{',' * (np.ndim(value) == 1)}) {value.dtype}"


def absent(value: object) -> str:
    """What is shown for a derivative that no path leads to: 0; a dash where there can be none.

    >>> absent(2.0), absent(True)
    ('0', '–')
    """
    if not isinstance(plain(value), tuple | list) and not is_differentiable(value):
        return "–"
    return value_text(zeros_like(value)) or type_text(value)


def dimensions(value: Any) -> int:
    """The number of axes of a value; 1 for the several answers of an svd.

    >>> dimensions(2.0), dimensions(np.zeros((3, 2))), dimensions((np.zeros(2), 1.0))
    (0, 2, 1)
    """
    value = plain(value)
    return 1 if isinstance(value, tuple | list) else np.ndim(value)


def size(value: Any) -> float:
    """The number of elements, more than can be shown for several answers."""
    value = plain(value)
    return float("inf") if isinstance(value, tuple | list) else np.size(value)
