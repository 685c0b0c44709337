"""Differences and what uses them: diff, gradient, trapezoid, interp, unwrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Primitive
from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.decisions import all_equal, interval, known_below
from diffkit.autodiff.rules.register import LINEAR, composite, define, fit
from diffkit.autodiff.rules.shaping import cast
from diffkit.typing import ArrayValue, Axis, Value

# -- differences ------------------------------------------------------------------------------------------


def _diff_vjp(g: Value, ans: ArrayValue, x: ArrayValue, *, n: int = 1, axis: int = -1) -> Any:
    # With zeros around, the transpose of a difference is the difference, of the other sign.
    if not ans.size:
        return np.zeros_like(x)
    widths = [(n, n) if k == axis % len(x.shape) else (0, 0) for k in range(len(x.shape))]
    return fit((-1) ** n * np.diff(np.pad(g, widths), n, axis), x)


def _diff_entry(fun: Primitive) -> Any:
    def diff(a: Value, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
        def edge(v: Value) -> Any:
            shape = [1 if k == axis % np.ndim(a) else m for k, m in enumerate(np.shape(a))]
            return np.broadcast_to(v, shape) if np.ndim(v) == 0 else v

        parts = [
            *([] if prepend is None or prepend is np._NoValue else [edge(as_array(prepend))]),
            a,
            *([] if append is None or append is np._NoValue else [edge(as_array(append))]),
        ]
        a = as_array(a) if len(parts) == 1 else np.concatenate(parts, axis=axis)
        return fun(a, n=n, axis=axis)

    return diff


define(np.diff, [_diff_vjp], [LINEAR], entry=_diff_entry)


@composite(np.ediff1d)
def _ediff1d(ary: Value, to_end: Any = None, to_begin: Any = None) -> Any:
    middle = np.diff(np.ravel(ary))
    parts = [
        *([] if to_begin is None else [np.ravel(as_array(to_begin))]),
        middle,
        *([] if to_end is None else [np.ravel(as_array(to_end))]),
    ]
    return middle if len(parts) == 1 else np.concatenate(parts)


# -- slopes of sampled functions --------------------------------------------------------------------------


@composite(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    ndim = np.ndim(f)
    axes = range(ndim) if axis is None else np.ravel(axis) % ndim
    steps = list(map(as_array, varargs)) or [1.0]
    if len(steps) == 1:
        steps *= len(axes)
    if len(steps) != len(axes):
        raise TypeError("gradient takes one spacing, or one for each axis")
    slopes = [_slope_along(f, step, int(k), edge_order) for step, k in zip(steps, axes, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope_along(f: Any, step: Value, axis: int, edge_order: int) -> Any:
    """One axis of np.gradient: central differences inside, one-sided ones of order 1 or 2 at the edges."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient needs {edge_order + 1} points or more along each axis, not {n}")

    def at(*bounds: int | None) -> Any:
        return f[(slice(None),) * axis + (slice(*bounds),)]

    if np.ndim(step) == 1:
        gaps = np.diff(step)
        step = gaps[0] if decided(all_equal, gaps) else gaps
    uniform = np.ndim(step) == 0
    if uniform:
        inside = (at(2, None) - at(0, -2)) / (2.0 * step)
    else:
        h = np.reshape(step, (1,) * axis + (n - 1,) + (1,) * (f.ndim - axis - 1))

    def gap(*bounds: int | None) -> Any:
        return step if uniform else h[(slice(None),) * axis + (slice(*bounds),)]

    if not uniform:
        h1, h2 = gap(0, -1), gap(1, None)
        a, b, c = -h2 / (h1 * (h1 + h2)), (h2 - h1) / (h1 * h2), h1 / (h2 * (h1 + h2))
        inside = a * at(0, -2) + b * at(1, -1) + c * at(2, None)
    if edge_order == 1:
        first = (at(1, 2) - at(0, 1)) / gap(0, 1)
        last = (at(-1, None) - at(-2, -1)) / gap(-1, None)
        return np.concatenate([first, inside, last], axis=axis)
    if uniform:  # the weights of three values, as NumPy has them
        weights: Any = ((-1.5 / step, 2.0 / step, -0.5 / step), (0.5 / step, -2.0 / step, 1.5 / step))
    else:
        h1, h2 = gap(0, 1), gap(1, 2)
        k1, k2 = gap(-2, -1), gap(-1, None)
        weights = (
            (-(2.0 * h1 + h2) / (h1 * (h1 + h2)), (h1 + h2) / (h1 * h2), -h1 / (h2 * (h1 + h2))),
            (k2 / (k1 * (k1 + k2)), -(k2 + k1) / (k1 * k2), (2.0 * k2 + k1) / (k2 * (k1 + k2))),
        )
    (a, b, c), (p, q, r) = weights
    first = a * at(0, 1) + b * at(1, 2) + c * at(2, 3)
    last = p * at(-3, -2) + q * at(-2, -1) + r * at(-1, None)
    return np.concatenate([first, inside, last], axis=axis)


@composite(getattr(np, "trapezoid", None))
def _trapezoid(y: Any, x: Value | None = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y, x = as_array(y), as_array(x)
    place = axis % np.ndim(y)

    def at(*bounds: int | None) -> Any:
        return y[(slice(None),) * place + (slice(*bounds),)]

    if x is None:
        d = dx
    elif np.ndim(x) == 1:
        d = np.reshape(np.diff(x), (-1,) + (1,) * (np.ndim(y) - place - 1))
    else:  # it broadcasts with y, so an axis is counted in each of them
        d = np.diff(x, axis=axis)
    return np.sum(d * (at(1, None) + at(0, -1)) / 2.0, axis=axis)


# -- interpolation ----------------------------------------------------------------------------------------


@composite(np.interp)
def _interp(
    x: ArrayValue,
    xp: Any,
    fp: Any,
    left: Value | None = None,
    right: Value | None = None,
    period: ArrayValue | None = None,
) -> Any:
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if period is not None:
        x, xp = x % period, xp % period
        order = decided(np.argsort, xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    x, xp, fp = cast(x, float), cast(xp, float), cast(fp, np.result_type(fp, float))
    n = len(xp)
    if n == 1:
        inside: Any = np.broadcast_to(fp[0], np.shape(x))
    else:
        k = decided(interval, xp, x)
        slope = (fp[k + 1] - fp[k]) / (xp[k + 1] - xp[k])
        base = decided(known_below, xp, x)  # at the last of xp that one itself, to the last bit
        inside = slope * (x - xp[base]) + fp[base]
    below = fp[0] if left is None else left
    above = fp[n - 1] if right is None else right
    before, after = decided(np.less, x, xp[0]), decided(np.greater, x, xp[-1])
    if np.any(before):
        inside = np.where(before, below, inside)
    if np.any(after):
        inside = np.where(after, above, inside)
    return inside


# -- angles without jumps ---------------------------------------------------------------------------------


def _unwrap_vjp(g: Value, ans: Value, p: Value, **_: Any) -> Any:
    return fit(g, p)


def _unwrap_jvp(t: Value, ans: Value, p: Value, **_: Any) -> Any:
    return t


define(np.unwrap, [_unwrap_vjp], [_unwrap_jvp])  # whole periods are added, which don't move with p
