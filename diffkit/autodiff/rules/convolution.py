"""Convolution and correlation of sequences: products, whose VJP is one with the other factor reversed."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.calls import as_array
from diffkit.autodiff.rules.matrices import conj
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit

__all__: list[str] = []


def _full(g: Any, x: Any, y: Any, mode: str) -> Any:
    """A cotangent of part of a convolution, with zeros where the rest of it would be."""
    n, m = np.size(x), np.size(y)
    shorter = min(n, m)
    start = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    return np.pad(g, (start, n + m - 1 - start - g.shape[0])) if mode != "full" else g


def _convolve_vjp_x(g: Any, ans: Any, x: Any, y: Any, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(y)[::-1], "valid"), np.shape(x)), x)


def _convolve_vjp_y(g: Any, ans: Any, x: Any, y: Any, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(x)[::-1], "valid"), np.shape(y)), y)


define(np.convolve, [_convolve_vjp_x, _convolve_vjp_y], [LINEAR, LINEAR])


@composite(np.correlate)
def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = as_array(a), as_array(v)
    both = np.convolve(a, conj(v)[::-1])
    n, m = a.size, v.size
    if mode == "full":
        return both
    if mode == "valid":
        return both[min(n, m) - 1 : max(n, m)]
    start = (m - 1) // 2 if n >= m else n // 2
    return both[start : start + max(n, m)]
