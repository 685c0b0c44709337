"""Fourier transforms: all of them are linear, so the JVP is the function itself.

The matrix of a transform is symmetric, so without a conjugate in the pairing (see matrices.py) the VJP of
``fft`` is ``fft``, cut or padded to the input's length. The real transforms know their half spectrum
only: each of its entries, but the first and for even lengths the last, stands for two.

A transform along several axes is one step per axis, and its transpose the steps in reverse order, which
holds for repeated axes and for odd lengths too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.rules.register import LINEAR, composite, define, fit

__all__: list[str] = []

Step = tuple[str, int, int, int]
"""The name of a transform along one axis, the axis, and the lengths of what it reads and returns."""


def _resize(x: Any, n: int, axis: int) -> Any:
    """x cut, or padded with zeros, to length n along an axis."""
    have = x.shape[axis]
    if n < have:
        return x[(slice(None),) * (axis % x.ndim) + (slice(n),)]
    if n > have:
        shape = list(x.shape)
        shape[axis] = n - have
        return np.concatenate([x, np.zeros(shape, dtype=x.dtype)], axis=axis)
    return x


def _half(n: int) -> int:
    return n // 2 + 1


def _fft_t(g: Any, axis: int, n_in: int, norm: Any) -> Any:
    return _resize(np.fft.fft(g, axis=axis, norm=norm), n_in, axis)


def _ifft_t(g: Any, axis: int, n_in: int, norm: Any) -> Any:
    return _resize(np.fft.ifft(g, axis=axis, norm=norm), n_in, axis)


def _rfft_t(g: Any, axis: int, n_in: int, norm: Any, n: int) -> Any:
    return _resize(np.real(np.fft.fft(_resize(g, n, axis), axis=axis, norm=norm)), n_in, axis)


def _irfft_t(g: Any, axis: int, n_in: int, norm: Any) -> Any:
    n = g.shape[axis]
    times = np.full(_half(n), 2.0, dtype=g.dtype)
    times[0] = 1.0
    if n % 2 == 0:
        times[-1] = 1.0
    half = _resize(np.fft.ifft(g, axis=axis, norm=norm), _half(n), axis)
    return _resize(half * times.reshape((-1,) + (1,) * (g.ndim - 1 - axis % g.ndim)), n_in, axis)


# -- the steps of each transform --------------------------------------------------------------------------


def _plan(kind: str, x: Any, s: Any, axes: Any) -> list[tuple[Callable[..., Any], int, int, int]]:
    """The steps of a transform, as NumPy takes them: (transpose, axis, length in, length of the signal)."""
    shape = list(x.shape)
    if s is None:
        axes = list(range(len(shape))) if axes is None else list(axes)
        s = [shape[a] for a in axes]
        if kind == "irfft":
            s[-1] = 2 * (s[-1] - 1)
    else:
        axes = list(range(-len(s), 0)) if axes is None else list(axes)
        s = [shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)]
    order = list(zip(axes, s, strict=True))
    if kind == "irfft":
        kinds = [(_ifft_t, *step) for step in order[:-1]] + [(_irfft_t, *order[-1])]
    else:
        last = {"fft": _fft_t, "ifft": _ifft_t, "rfft": _rfft_t}[kind]
        kinds = [(last, *order[-1])] + [(_ifft_t if kind == "ifft" else _fft_t, *p) for p in order[-2::-1]]
    steps = []
    for transposed, axis, n in kinds:
        steps.append((transposed, axis, shape[axis], n))
        shape[axis] = _half(n) if transposed is _rfft_t else n
    return steps


def _transposed(kind: str, g: Any, x: Any, s: Any, axes: Any, norm: Any) -> Any:
    for transposed, axis, n_in, n in reversed(_plan(kind, x, s, axes)):
        more = {"n": n} if transposed is _rfft_t else {}
        g = transposed(g, axis, n_in, norm, **more)
    return fit(g, x)


def _define_1d(kind: str) -> None:
    def vjp(g: Any, ans: Any, x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return _transposed(kind, g, x, None if n is None else (n,), (axis,), norm)

    define(getattr(np.fft, kind), [vjp], [LINEAR])


def _define_nd(name: str, default: tuple[int, int] | None) -> None:
    kind = name[:-1] if name[-1] == "n" else name[:-1]

    def vjp(g: Any, ans: Any, x: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Any:
        return _transposed(kind, g, x, s, axes, norm)

    define(getattr(np.fft, name), [vjp], [LINEAR])


for _kind in ("fft", "ifft", "rfft", "irfft"):
    _define_1d(_kind)
    _define_nd(_kind + "2", (-2, -1))
    _define_nd(_kind + "n", None)

define(np.fft.fftshift, [lambda g, ans, x, axes=None: np.fft.ifftshift(g, axes)], [LINEAR])
define(np.fft.ifftshift, [lambda g, ans, x, axes=None: np.fft.fftshift(g, axes)], [LINEAR])


# -- Hermitian signals: the real transforms with the roles of signal and spectrum exchanged ---------------

_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


@composite(np.fft.hfft)
def _hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    n = 2 * (a.shape[axis] - 1) if n is None else n
    return np.fft.irfft(np.conj(a), n, axis, norm=_SWAPPED[norm])


@composite(np.fft.ihfft)
def _ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return np.conj(np.fft.rfft(a, n, axis, norm=_SWAPPED[norm]))
