"""scipy.signal: convolution and correlation in any number of dimensions.

A convolution is linear in each of its two arguments. Every mode is a cut of the full one, so the VJP puts the
cotangent back in its place there and convolves it with the other argument, turned about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal

from diffkit.autodiff.rules.indexing import scatter
from diffkit.autodiff.rules.matrices import conj
from diffkit.autodiff.rules.mirror import mirrored, program
from diffkit.autodiff.rules.register import fit

__all__ = ["FUNCTIONS"]


def _in_full(g: Any, mode: str, in1: Any, in2: Any) -> Any:
    """The cotangent in its place in the full convolution, among zeros."""
    full = tuple(n + m - 1 for n, m in zip(in1.shape, in2.shape, strict=True))
    starts = {
        "full": (0 for _ in full),
        "same": ((m - 1) // 2 for m in in2.shape),
        "valid": (min(n, m) - 1 for n, m in zip(in1.shape, in2.shape, strict=True)),
    }[mode]
    place = tuple(slice(start, start + n) for start, n in zip(starts, g.shape, strict=True))
    return scatter(g, place, np.zeros(full, dtype=g.dtype))


def _turned(x: Any) -> Any:
    return x[(slice(None, None, -1),) * x.ndim]


def _vjp(g: Any, mode: str, method: str, this: Any, other: Any, in1: Any, in2: Any) -> Any:
    return fit(convolve(_in_full(g, mode, in1, in2), _turned(other), "valid", method), this)


convolve: Callable[..., Any] = mirrored(
    scipy.signal.convolve,
    [
        lambda g, ans, a, b, mode="full", method="auto": _vjp(g, mode, method, a, b, a, b),
        lambda g, ans, a, b, mode="full", method="auto": _vjp(g, mode, method, b, a, a, b),
    ],
    [
        lambda t, ans, a, b, mode="full", method="auto": convolve(t, b, mode, method),
        lambda t, ans, a, b, mode="full", method="auto": convolve(a, t, mode, method),
    ],
)


@program(scipy.signal.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    return convolve(in1, in2, mode, "fft")


@program(scipy.signal.correlate)
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    return convolve(in1, conj(_turned(in2)), mode, method)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "correlate": correlate,
    "fftconvolve": fftconvolve,
}
"""What stands for functions of scipy.signal, by name."""
