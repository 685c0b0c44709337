"""Keyword arguments: ignored, or taken for something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation
from diffkit.grading.exercises.exercise import defaults, same_value

Array = np.ndarray[Any, Any]


def keywords(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    usual = defaults(first.exercise.function)
    keys = sorted({*first.truth.kwargs, *usual})

    def all_ignored(o: Observation) -> Array | None:
        left = {key: usual[key] for key in o.truth.kwargs if key in usual}
        return o.right if same_value(left, dict(o.truth.kwargs)) else o.pull(kwargs=left)

    if len(keys) > 1:
        yield "keyword ignored", ", ".join(keys), all_ignored
    for key in keys:
        default = usual.get(key)

        def ignored(o: Observation, key: str = key, default: Any = default) -> Array | None:
            same = same_value(o.truth.kwargs.get(key, default), default)
            return o.right if same else _with(o, key, default)

        name = "wrong axis or keepdims" if key in ("axis", "axes", "keepdims") else "keyword ignored"
        yield name, f"{key} ignored", ignored
        if key == "axis":
            for axis in (0, 1, -1, None):
                yield name, "", _keyword(key, axis)
        elif key == "eps":
            yield "epsilon misplaced", "left out", _keyword(key, 0.0)
            yield "epsilon misplaced", "squared", _changed_keyword(key, default, lambda eps: eps**2)
            yield "epsilon misplaced", "its root", _changed_keyword(key, default, lambda eps: eps**0.5)
        elif isinstance(default, int | float) and not isinstance(default, bool):
            for value in (1e9, -1e9, 0.0, 1.0):
                yield "keyword ignored", f"{key} left out", _keyword(key, value)
            yield "keyword ignored", f"{key} off by one", _changed_keyword(key, default, lambda n: n - 1)
            yield "keyword ignored", f"{key} off by one", _changed_keyword(key, default, lambda n: n + 1)


def _with(o: Observation, key: str, value: Any) -> Array | None:
    kwargs = {**o.truth.kwargs, key: value}
    ans = o.forward(o.args, kwargs)
    if ans is None:
        return None
    if ans.shape == o.g.shape:
        return o.pull(kwargs=kwargs)
    if not ans.ndim:
        return o.pull(seeds=(np.sum(o.g),), kwargs=kwargs)
    try:
        g = np.array(np.broadcast_to(o.g, ans.shape))
    except ValueError:
        return None
    return o.pull(seeds=(g,), kwargs=kwargs)


def _keyword(key: str, value: Any) -> Hypothesis:
    return lambda o: _with(o, key, value)


def _changed_keyword(key: str, default: Any, change: Callable[[Any], Any]) -> Hypothesis:
    return lambda o: _with(o, key, change(o.truth.kwargs.get(key, default)))
