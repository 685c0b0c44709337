"""The right numbers in another shape, and arguments that were broadcast."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, close

Array = np.ndarray[Any, Any]


def reshaped(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    def same_numbers(o: Observation) -> Array | None:
        return o.right.reshape(o.given.shape) if o.given.size == o.right.size else o.right

    yield "shape", "", same_numbers


def unsummed(o: Observation) -> Array | None:
    """The contributions to a broadcast argument, before they are summed.

    The argument is broadcast to the answer's shape, or (for stacks of matrices) to its leading axes.
    """
    if o.x.ndim > o.ans.ndim:
        return None
    shapes = [o.ans.shape]
    if o.x.ndim >= 2 and o.ans.ndim >= 2:
        shapes.append(o.ans.shape[:-2] + o.x.shape[-2:])
    for shape in shapes:
        try:
            wide = np.array(np.broadcast_to(o.x, shape))
        except ValueError:
            continue
        args = [wide if k == o.place else a for k, a in enumerate(o.args)]
        value = o.forward(args)
        if value is not None and value.shape == o.ans.shape:
            return o.pull(args)
    return None


def broadcasting(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    def not_summed(o: Observation) -> Array | None:
        full = unsummed(o)
        return full if full is not None else o.right

    def averaged(o: Observation) -> Array | None:
        full = unsummed(o)
        return o.right * (o.x.size / full.size) if full is not None and full.size else o.right

    yield "broadcast not summed", "", not_summed
    yield "broadcast averaged", "", averaged

    def first_only(o: Observation) -> Array | None:
        full = unsummed(o)
        if full is None or full.shape == o.x.shape:
            return o.right
        extra = full.ndim - o.x.ndim
        full = full[(0,) * extra]
        stretched = tuple(slice(0, 1) if n == 1 else slice(None) for n in o.x.shape)
        taken: Array = full[stretched]
        return taken

    yield "broadcast not summed", "one of them taken", first_only

    def over_everything(o: Observation) -> Array | None:
        full = unsummed(o)
        return None if full is None else np.full(o.x.shape, full.sum())

    yield "summed over the wrong axis", "over all of them", over_everything
    for keepdims in (False, True):
        for axes in ((0,), (-1,), (1,), (0, 1), None):

            def over(o: Observation, axes: Any = axes, keepdims: bool = keepdims) -> Array | None:
                full = unsummed(o)
                if full is None or full.shape == o.x.shape:
                    return o.right
                try:
                    return np.asarray(np.sum(full, axis=axes, keepdims=keepdims))
                except (ValueError, IndexError):
                    return None

            yield "summed over the wrong axis", "", over

    def leading_only(o: Observation) -> Array | None:
        """Axes that were added are summed, axes that were stretched from 1 are not."""
        full = unsummed(o)
        if full is None:
            return o.right
        return np.asarray(np.sum(full, axis=tuple(range(full.ndim - o.x.ndim))))

    yield "broadcast not summed", "a stretched axis of length 1", leading_only

    def stretched_only(o: Observation) -> Array | None:
        full = unsummed(o)
        if full is None:
            return o.right
        extra = full.ndim - o.x.ndim
        axes = tuple(k + extra for k, n in enumerate(o.x.shape) if n == 1 and full.shape[k + extra] != 1)
        return np.asarray(np.sum(full, axis=axes, keepdims=True)) if axes else full

    yield "broadcast not summed", "an added axis", stretched_only

    def sum_left_out(o: Observation) -> Array | None:
        """The numbers as they came, if summing them over some axes gives the right answer."""
        extra = o.given.ndim - o.right.ndim
        for axes in itertools.combinations(range(o.given.ndim), max(extra, 0)):
            if axes and close(np.sum(o.given, axis=axes), o.right):
                return o.given
        return o.right

    yield "broadcast not summed", "", sum_left_out
