"""scipy.signal: convolution and correlation in any number of dimensions.

A convolution is linear in each of its two arguments. Every mode is a cut of the full one, so the VJP puts the
cotangent back in its place there and convolves it with the other argument, turned about.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal

from diffkit.autodiff.recording.tracer import call_handler
from diffkit.autodiff.rules.indexing import scatter
from diffkit.autodiff.rules.matrices import conj
from diffkit.autodiff.rules.register import fit
from diffkit.autodiff.rules.scipy.mirror import mirrored, program
from diffkit.typing import ArrayValue, Axis, Value


def _in_full(g: ArrayValue, mode: str, in1: ArrayValue, in2: ArrayValue) -> Any:
    """The cotangent in its place in the full convolution, among zeros."""
    sizes = list(zip(in1.shape, in2.shape, strict=True))
    place = tuple(_cut(mode, n, m) for n, m in sizes)
    return scatter(g, place, np.zeros([n + m - 1 for n, m in sizes], dtype=g.dtype))


def _turned(x: ArrayValue) -> Any:
    return x[(slice(None, None, -1),) * x.ndim]


def _vjp(
    g: ArrayValue, mode: str, method: str, this: Any, other: ArrayValue, in1: ArrayValue, in2: ArrayValue
) -> Any:
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


def _along_axes(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", *, axes: Any = None, dot_axes: Any = None
) -> Any:
    """The sum over the kernel's places of products with a shifted window, cut to the mode."""
    dot1, dot2 = (tuple(a) for a in dot_axes or ((), ()))
    along1, along2 = (tuple(a) for a in axes or (range(in1.ndim), range(in2.ndim)))
    reach = [in2.shape[a] - 1 for a in along2]
    sizes = [in1.shape[a] for a in along1]
    shape, place = list(in1.shape), [slice(None)] * in1.ndim
    for a, n, m in zip(along1, sizes, reach, strict=True):
        shape[a], place[a] = n + 2 * m, slice(m, m + n)
    wide = scatter(in1, tuple(place), np.zeros(shape, dtype=in1.dtype))
    left2 = [a for a in range(in2.ndim) if a not in along2]
    total: Any = None
    for offset in itertools.product(*(range(m + 1) for m in reach)):
        window, point = [slice(None)] * in1.ndim, [slice(None)] * in2.ndim
        for a, b, k, n, m in zip(along1, along2, offset, sizes, reach, strict=True):
            window[a], point[b] = slice(m - k, m - k + n + m), k  # type: ignore[call-overload]
        term = np.tensordot(
            wide[tuple(window)], in2[tuple(point)], axes=(dot1, [left2.index(a) for a in dot2])
        )
        total = term if total is None else total + term
    left1 = [a for a in range(in1.ndim) if a not in dot1]
    apart = [k for k, a in enumerate(left1) if a not in along1]
    full: Any = np.transpose(
        total, [*apart, *range(len(left1), total.ndim), *(left1.index(a) for a in along1)]
    )
    cuts = [_cut(mode, n, m + 1) for n, m in zip(sizes, reach, strict=True)]
    return full[(Ellipsis, *cuts)]


def _cut(mode: str, n: int, m: int) -> slice:
    """Which part of the full convolution of n with m a mode keeps."""
    start = {"full": 0, "same": (m - 1) // 2, "valid": min(n, m) - 1}[mode]
    return slice(start, start + {"full": n + m - 1, "same": n, "valid": abs(n - m) + 1}[mode])


@functools.wraps(scipy.signal.convolve)
def convolve_along(*args: Any, axes: Axis = None, dot_axes: Any = None, **kwargs: Any) -> Any:
    """SciPy's convolve, and autograd's, which has two more arguments.

    ``axes`` are the two arrays' axes to convolve along, ``dot_axes`` those to sum over after multiplying;
    by the others all pairs are taken. The answer's axes: the first array's others, the second's, those
    of the convolution.
    """
    plainly = axes is None and dot_axes is None
    run = convolve if plainly else functools.partial(_along_axes, axes=axes, dot_axes=dot_axes)
    return call_handler(run, args, kwargs, sys._getframe(1))


@program(scipy.signal.fftconvolve)
def fftconvolve(in1: Value, in2: Value, mode: str = "full") -> Any:
    return convolve(in1, in2, mode, "fft")


@program(scipy.signal.correlate)
def correlate(in1: ArrayValue, in2: ArrayValue, mode: str = "full", method: str = "auto") -> Any:
    return convolve(in1, conj(_turned(in2)), mode, method)


convolve_along.is_mirror = True  # type: ignore[attr-defined]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "convolve": convolve_along,
    "correlate": correlate,
    "fftconvolve": fftconvolve,
}
"""What stands for functions of scipy.signal, by name."""
