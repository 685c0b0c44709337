"""Padding: np.pad in all its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Primitive, nodes_in
from diffkit.autodiff.rules.register import define, fit
from diffkit.errors import NoRuleError

__all__: list[str] = []


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis, from any form that np.pad takes."""
    if isinstance(pad_width, dict):
        given = {k % ndim: np.broadcast_to(w, 2) for k, w in pad_width.items()}
        return [(int(given[k][0]), int(given[k][1])) if k in given else (0, 0) for k in range(ndim)]
    return [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (ndim, 2))]


def _pad_vjp(g: Any, ans: Any, x: Any, *, pad_width: Any, **_: Any) -> Any:
    inner = zip(_widths(pad_width, len(x.shape)), x.shape, strict=True)
    return fit(g[tuple(slice(before, before + n) for (before, _), n in inner)], x)


def _pad_jvp(t: Any, ans: Any, x: Any, *, pad_width: Any, **_: Any) -> Any:
    return np.pad(t, pad_width)


_STATISTICS = {"maximum": np.max, "minimum": np.min, "median": np.median}


def _pad_entry(fun: Primitive) -> Any:
    def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
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
        if mode in ("mean", "linear_ramp") or kwargs.get("reflect_type") == "odd":
            return _linearly(array, widths, mode, kwargs)
        places = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode, **kwargs)
        return np.ravel(array)[places]

    return pad


def _linearly(x: Any, widths: list[tuple[int, int]], mode: Any, options: Mapping[str, Any]) -> Any:
    """By a matrix for each axis: an identity, its rows padded. The padding of zeros is the constant part."""
    for axis, width in enumerate(widths):
        n = x.shape[axis]
        own: Any = {
            name: value
            if isinstance(value, str) or value is None
            else ((1, 1), tuple(np.broadcast_to(value, (x.ndim, 2))[axis]))
            for name, value in options.items()
        }
        padded = np.pad(np.eye(n + 1, n, -1, dtype=x.dtype), ((0, 0), width), mode, **own)
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ (padded[1:] - padded[0]) + padded[0], -1, axis)
    return x


def _by_statistic(x: Any, widths: list[tuple[int, int]], statistic: Any, stat_length: Any = None) -> Any:
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
