"""Products of matrices and vectors, and linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.rules.register import LINEAR, Primitive, define, fit
from diffkit.autodiff.tracer import UFUNCS

__all__: list[str] = []


def _matmul_vjp_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if x.ndim == 1 and y.ndim == 1:
        return g * y
    if y.ndim == 1:
        return fit(g[..., None] * y, x)
    if x.ndim == 1:
        return fit((y @ g[..., None])[..., 0], x)
    return fit(g @ y.mT, x)


def _matmul_vjp_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if x.ndim == 1 and y.ndim == 1:
        return g * x
    if x.ndim == 1:
        return fit(x[:, None] * g[..., None, :], y)
    if y.ndim == 1:
        return fit((x.mT @ g[..., None])[..., 0], y)
    return fit(x.mT @ g, y)


UFUNCS[np.matmul].vjps = (_matmul_vjp_x, _matmul_vjp_y)
UFUNCS[np.matmul].jvps = (lambda t, ans, x, y: t @ y, lambda t, ans, x, y: x @ t)
