"""Padding: np.pad in all its modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Primitive, nodes_in
from diffkit.autodiff.rules.register import define, fit
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayValue, Value


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis, from any form that np.pad takes."""
    if isinstance(pad_width, dict):
        given = {k % ndim: np.broadcast_to(w, 2) for k, w in pad_width.items()}
        return [(int(given[k][0]), int(given[k][1])) if k in given else (0, 0) for k in range(ndim)]
    return [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (ndim, 2))]


def _pad_vjp(g: ArrayValue, ans: Value, x: ArrayValue, *, pad_width: Any, **_: Any) -> Any:
    inner = zip(_widths(pad_width, len(x.shape)), x.shape, strict=True)
    return fit(g[tuple(slice(before, before + n) for (before, _), n in inner)], x)


def _pad_jvp(t: Value, ans: Value, x: Value, *, pad_width: Any, **_: Any) -> Any:
    return np.pad(t, pad_width)


_STATISTICS = {"maximum": np.max, "minimum": np.min, "median": np.median, "mean": np.mean}


def _pad_entry(fun: Primitive) -> Any:
    def pad(array: ArrayValue, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
        for name, value in kwargs.items():
            if next(nodes_in(value), None) is not None:
                raise NoRuleError(f"np.pad is not differentiated by {name}: pad with np.concatenate")
        if mode in ("constant", "empty"):
            return fun(array, pad_width=pad_width, **kwargs)
        if callable(mode):
            raise NoRuleError(
                "np.pad has no derivative rule for a mode that is a function: join the parts with "
                "np.concatenate"
            )
        widths = _widths(pad_width, array.ndim)
        if mode in _STATISTICS:
            return _by_statistic(array, widths, _STATISTICS[mode], **kwargs)
        if mode == "linear_ramp":
            return _by_ramps(array, widths, **kwargs)
        if kwargs.get("reflect_type") == "odd":
            return _turned_round(array, widths, mode, **kwargs)
        places = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode, **kwargs)
        return np.ravel(array)[places]

    return pad


def _turned_round(x: ArrayValue, widths: list[tuple[int, int]], mode: str, reflect_type: str) -> Any:
    """Reflected in the edge's value too (``reflect_type="odd"``), piece by piece, as NumPy does."""
    with_edge = int(mode == "symmetric")
    for axis, (before, after) in enumerate(widths):
        n, across = x.shape[axis], (slice(None),) * axis
        if n == 1:
            x = np.repeat(x, before + 1 + after, axis)
            continue
        while before or after:
            period = n - 1 + with_edge  # a piece ends where the array that was given does, seen in its mirror
            longest = (x.shape[axis] - 1 + with_edge) // period * period
            left, right = min(longest, before), min(longest, after)
            start, stop = 1 - with_edge, x.shape[axis] - 1 + with_edge
            parts = [
                2 * x[(*across, slice(0, 1))] - np.flip(x[(*across, slice(start, start + left))], axis),
                x,
                2 * x[(*across, slice(-1, None))] - np.flip(x[(*across, slice(stop - right, stop))], axis),
            ]
            x = np.concatenate(parts, axis=axis)
            before, after = before - left, after - right
    return x


def _by_ramps(x: ArrayValue, widths: list[tuple[int, int]], end_values: Any = 0) -> Any:
    """Each side with evenly spaced numbers, from the value at the end to the edge."""
    for axis, (before, after) in enumerate(widths):
        first, last = np.broadcast_to(end_values, (x.ndim, 2))[axis]
        across = (slice(None),) * axis
        ramps = [
            np.linspace(end, x[(*across, edge)], width, endpoint=False, dtype=x.dtype, axis=axis)
            for end, edge, width in ((first, 0, before), (last, -1, after))
        ]
        x = np.concatenate([ramps[0], x, np.flip(ramps[1], axis)], axis=axis)
    return x


def _by_statistic(
    x: ArrayValue, widths: list[tuple[int, int]], statistic: Any, stat_length: Any = None
) -> Any:
    """Each side with the statistic of the elements next to it: ``stat_length`` of them, or all."""
    for axis, (before, after) in enumerate(widths):
        n = x.shape[axis]
        lengths = (n, n) if stat_length is None else np.broadcast_to(stat_length, (x.ndim, 2))[axis]
        across = (slice(None),) * axis
        parts = [x]
        if before:
            parts.insert(0, statistic(x[(*across, slice(lengths[0]))], axis=axis, keepdims=True))
        if after:
            start = max(n - lengths[1], 0)
            parts.append(statistic(x[(*across, slice(start, None))], axis=axis, keepdims=True))
        counts = [before] * bool(before) + [1] + [after] * bool(after)
        parts = [p if p is x else np.repeat(p, k, axis=axis) for p, k in zip(parts, counts, strict=True)]
        x = np.concatenate(parts, axis=axis)
    return x


define(np.pad, [_pad_vjp], [_pad_jvp], entry=_pad_entry)
