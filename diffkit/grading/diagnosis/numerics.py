"""Right formula, wrong numbers: difference quotients, single precision, epsilons, overflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation

__all__ = ["error_size", "looks_single", "quotients"]

Array = np.ndarray[Any, Any]

STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1.5e-8, 1.4901161193847656e-08, 6e-6, 1e-9, 1e-10)


def error_size(o: Observation) -> float:
    """The largest error relative to the largest entry; infinite for another shape."""
    if o.given.shape != o.right.shape or not o.right.size:
        return np.inf if o.given.shape != o.right.shape else 0.0
    size = np.abs(o.right).max()
    with np.errstate(all="ignore"):
        error = np.abs(o.given - o.right).max()
    return float(error / size) if size else (0.0 if not error else np.inf)


def _difference(o: Observation, form: str, h: float) -> Array | None:
    """The cotangent that difference quotients give."""
    steps = {"forward": (1.0, 0.0), "backward": (0.0, -1.0), "central": (1.0, -1.0)}[form]
    x = o.x
    given = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        values = []
        for sign in steps:
            moved = x.copy()
            moved[index] += sign * h
            value = o.forward([moved if k == o.place else a for k, a in enumerate(o.args)])
            if value is None:
                return None
            values.append(value)
        given[index] = np.sum(o.g * (values[0] - values[1])) / ((steps[0] - steps[1]) * h)
    return given


def quotients(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Difference quotients of every form and the usual steps, if the error is of a size that fits."""
    if not 1e-13 < error_size(first) < 0.2 or first.exercise.style == "jvp":
        return
    for form in ("forward", "backward", "central"):
        for h in STEPS:
            predicted = _difference(first, form, h)
            if predicted is None:
                continue
            error, left = first.given - first.right, first.given - predicted
            if np.abs(left).max(initial=0) <= 0.3 * np.abs(error).max(initial=0):
                yield "finite differences", f"{form}, h = {h:g}", lambda o, f=form, h=h: _difference(o, f, h)  # type: ignore[misc]


def looks_single(o: Observation) -> bool:
    """Whether the numbers are those of single precision: off by some 1e-7, whatever the instance."""
    rounded = o.given.astype(np.float32).astype(float)
    return 1e-9 < error_size(o) < 1e-5 and (bool(np.all(rounded == o.given)) or error_size(o) < 2e-6)
