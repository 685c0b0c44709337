"""Convolution and correlation of sequences: products, whose VJP is one with the other factor reversed."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.matrices import conj
from diffkit.autodiff.rules.register import LINEAR, define, fit
from diffkit.typing import ArrayValue, Value


def _full(g: ArrayValue, x: Value, y: Value, mode: str) -> Any:
    """A cotangent of part of a convolution, with zeros where the rest of it would be."""
    n, m = np.size(x), np.size(y)
    shorter = min(n, m)
    start = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    return np.pad(g, (start, n + m - 1 - start - g.shape[0])) if mode != "full" else g


def _convolve_vjp_x(g: ArrayValue, ans: Value, x: ArrayValue, y: ArrayValue, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(y)[::-1], "valid"), np.shape(x)), x)


def _convolve_vjp_y(g: ArrayValue, ans: Value, x: ArrayValue, y: ArrayValue, *, mode: str = "full") -> Any:
    return fit(np.reshape(np.convolve(_full(g, x, y, mode), np.ravel(x)[::-1], "valid"), np.shape(y)), y)


define(np.convolve, [_convolve_vjp_x, _convolve_vjp_y], [LINEAR, LINEAR])


def _correlated(g: ArrayValue, a: Value, v: Value, mode: str) -> Any:
    """The cotangent of a correlation as that of the full convolution with v conjugated and reversed."""
    n, m = np.size(a), np.size(v)
    start = {"full": 0, "same": (m - 1) // 2 if n >= m else n // 2, "valid": min(n, m) - 1}[mode]
    return np.pad(g, (start, n + m - 1 - start - g.shape[0])) if mode != "full" else g


def _correlate_vjp_a(
    g: ArrayValue, ans: ArrayValue, a: ArrayValue, v: ArrayValue, *, mode: str = "valid"
) -> Any:
    return _convolve_vjp_x(_correlated(g, a, v, mode), ans, a, conj(np.ravel(v))[::-1])


def _correlate_vjp_v(
    g: ArrayValue, ans: ArrayValue, a: ArrayValue, v: ArrayValue, *, mode: str = "valid"
) -> Any:
    c = _convolve_vjp_y(_correlated(g, a, v, mode), ans, a, conj(np.ravel(v))[::-1])
    return fit(np.reshape(conj(c)[::-1], np.shape(v)), v)


define(np.correlate, [_correlate_vjp_a, _correlate_vjp_v], [LINEAR, LINEAR])
