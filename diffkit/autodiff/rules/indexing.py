"""Reading elements by index, and choosing between arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.register import define, fit, is_node, reentrant
from diffkit.autodiff.sweeps import Scatter
from diffkit.autodiff.tracer import GETITEM, Primitive

__all__ = ["scatter"]


def _scatter(g: Any, index: Any, like: Any) -> Any:
    return Scatter(g, index, like).dense()


scatter = reentrant(Primitive("scatter", _scatter))
"""The transpose of reading ``x[index]``: zeros like x, with g added at the index."""
scatter.vjps = (lambda h, ans, g, index, like: h[index], None, None)
scatter.jvps = (lambda t, ans, g, index, like: scatter(t, index, np.zeros_like(like)), None, None)


def _getitem_vjp(g: Any, ans: Any, x: Any, index: Any) -> Any:
    while is_node(x):
        x = x.value
    return scatter(g, index, x) if is_node(g) else Scatter(g, index, x)


GETITEM.vjps = (_getitem_vjp,)
GETITEM.jvps = (lambda t, ans, x, index: t[index],)

define(
    np.where,
    [
        None,
        lambda g, ans, c, x, y: fit(np.where(c, g, np.zeros_like(g)), x),
        lambda g, ans, c, x, y: fit(np.where(c, np.zeros_like(g), g), y),
    ],
    [
        None,
        lambda t, ans, c, x, y: np.where(c, t, np.zeros_like(t)),
        lambda t, ans, c, x, y: np.where(c, np.zeros_like(t), t),
    ],
)
