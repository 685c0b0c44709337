"""Fourier transforms: all of them are linear, so the JVP is the function itself.

The matrix of a transform is symmetric, so without a conjugate in the pairing (see matrices.py) the VJP of
``fft`` is ``fft``, cut or padded to the input's length. The real transforms know their half spectrum
only: each of its entries, but the first and for even lengths the last, stands for two.

A transform along several axes is one step per axis, and its transpose the steps in reverse order, which
holds for repeated axes and for odd lengths too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.rules.register import LINEAR, composite, define, fit
from diffkit.typing import ArrayValue, Value


class Transform(NamedTuple):
    """A transform along one axis: of which kind, what length it reads, and the signal's length n."""

    kind: str
    axis: int
    n_in: int
    n: int


def _resize(x: ArrayValue, n: int, axis: int) -> Any:
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


def _fft_t(g: Value, step: Transform, norm: Any) -> Any:
    return np.fft.fft(g, axis=step.axis, norm=norm)


def _ifft_t(g: Value, step: Transform, norm: Any) -> Any:
    return np.fft.ifft(g, axis=step.axis, norm=norm)


def _rfft_t(g: ArrayValue, step: Transform, norm: Any) -> Any:
    return np.real(np.fft.fft(_resize(g, step.n, step.axis), axis=step.axis, norm=norm))


def _irfft_t(g: ArrayValue, step: Transform, norm: Any) -> Any:
    times = np.full(_half(step.n), 2.0, dtype=g.dtype)
    times[0] = 1.0
    if step.n % 2 == 0:
        times[-1] = 1.0
    half = _resize(np.fft.ifft(g, axis=step.axis, norm=norm), _half(step.n), step.axis)
    return half * times.reshape((-1,) + (1,) * (g.ndim - 1 - step.axis % g.ndim))


_TRANSPOSED = {"fft": _fft_t, "ifft": _ifft_t, "rfft": _rfft_t, "irfft": _irfft_t}


# -- the steps of each transform --------------------------------------------------------------------------


def _plan(kind: str, x: Value, s: Any, axes: Any) -> list[Transform]:
    """The steps of a transform, in NumPy's order."""
    shape = list(np.shape(x))
    if s is None:
        axes = list(range(len(shape))) if axes is None else list(axes)
        s = [shape[a] for a in axes]
        if kind == "irfft":
            s[-1] = 2 * (s[-1] - 1)
    else:
        axes = list(range(-len(s), 0)) if axes is None else list(axes)
        s = [shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)]
    order = list(zip(axes, s, strict=True))
    if not order:
        return []
    if kind == "irfft":
        kinds = ["ifft"] * (len(order) - 1) + ["irfft"]
    else:
        kinds = [kind] + ["ifft" if kind == "ifft" else "fft"] * (len(order) - 1)
        order.reverse()
    steps = []
    for name, (axis, n) in zip(kinds, order, strict=True):
        steps.append(Transform(name, axis, shape[axis], n))
        shape[axis] = _half(n) if name == "rfft" else n
    return steps


def _transposed(kind: str, g: ArrayValue, x: Value, s: Any, axes: Any, norm: Any) -> Any:
    for step in reversed(_plan(kind, x, s, axes)):
        g = _resize(_TRANSPOSED[step.kind](g, step, norm), step.n_in, step.axis)
    return fit(g, x)


def _define_1d(kind: str) -> None:
    def vjp(
        g: ArrayValue,
        ans: Value,
        x: ArrayValue,
        n: int | None = None,
        axis: int = -1,
        norm: Any = None,
    ) -> Any:
        return _transposed(kind, g, x, None if n is None else (n,), (axis,), norm)

    define(getattr(np.fft, kind), [vjp], [LINEAR])


def _define_nd(name: str, default: tuple[int, int] | None) -> None:
    kind = name[:-1]

    def vjp(
        g: ArrayValue, ans: Value, x: ArrayValue, s: Any = None, axes: Any = default, norm: Any = None
    ) -> Any:
        return _transposed(kind, g, x, s, axes, norm)

    define(getattr(np.fft, name), [vjp], [LINEAR])


for _kind in ("fft", "ifft", "rfft", "irfft"):
    _define_1d(_kind)
    _define_nd(_kind + "2", (-2, -1))
    _define_nd(_kind + "n", None)

define(np.fft.fftshift, [lambda g, ans, x, axes=None: np.fft.ifftshift(g, axes)], [LINEAR])
define(np.fft.ifftshift, [lambda g, ans, x, axes=None: np.fft.fftshift(g, axes)], [LINEAR])


# -- Hermitian signals: the real transforms with the roles of signal and spectrum exchanged ---------------

_SWAPPED: dict[str | None, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}


@composite(np.fft.hfft)
def _hfft(a: ArrayValue, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    n = 2 * (a.shape[axis] - 1) if n is None else n
    return np.fft.irfft(np.conj(a), n, axis, norm=_SWAPPED[norm])


@composite(np.fft.ihfft)
def _ihfft(a: Value, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return np.conj(np.fft.rfft(a, n, axis, norm=_SWAPPED[norm]))
