"""How many digits a value is shown with: four, and more where the arithmetic shown would be false with four.

>>> from diffkit.autodiff.views import trace
>>> digits_by_row(trace(lambda x: 2.0 * (x - 1.0))(1 + 1e-9))
[10, 4, 4]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.notation.formulas import shown_digits
from diffkit.autodiff.recording.tracer import INPUT, Node, plain

_CLOSE = 0.01
"""How far, relatively, what a reader computes from the digits shown may be from the answer shown."""

_MOST = 17
"""Digits that tell any two floats apart."""

_LONGEST = 2000
"""Rows beyond which nobody computes after."""


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def enough_digits(values: Sequence[float], answer: float, compute: Callable[[Sequence[float]], Any]) -> int:
    """Digits of values at which what is computed from them is the answer, to a hundredth.

    Args:
        values: what is computed from.
        answer: what came.
        compute: how.

    >>> enough_digits([1000.0001, -1000.0], 0.0001, sum)
    8
    """
    least = shown_digits()
    if not all(map(math.isfinite, (*values, answer))):
        return least
    for digits in range(least, _MOST + 1):
        try:
            with np.errstate(all="ignore"):
                found = float(compute([_rounded(v, digits) for v in values]))
        except (ArithmeticError, ValueError, TypeError):
            continue
        if abs(found - answer) <= _CLOSE * abs(answer):
            return digits
    return least if answer == 0.0 else _MOST


def digits_by_row(t: WengertList) -> list[int]:
    """For each row the digits at which every row that reads it can be computed after."""
    digits = [shown_digits()] * len(t.nodes)
    if len(t.nodes) > _LONGEST:
        return digits
    for row in t.nodes:
        if row.fun is INPUT or row.fun.line is None or row.fun.constant:
            continue
        args = [plain(a) for a in row.args]
        if not all(
            type(v) is not bool and isinstance(v, float | int | np.floating) for v in (*args, row.value)
        ):
            continue
        used = {a.index: float(plain(a)) for a in row.args if t.owns(a)}
        places = list(used)

        def again(values: Sequence[float], row: Node = row, places: list[int] = places) -> Any:
            given = dict(zip(places, values, strict=True))
            return row.fun(*(given[a.index] if t.owns(a) else a for a in row.args), **row.kwargs)

        needed = enough_digits(list(used.values()), float(plain(row.value)), again)
        for index in used:
            digits[index] = max(digits[index], needed)
    return digits
