"""A path left out, or counted with the wrong sign: experiments on the trace of the forward function.

The trace is replayed with one of its edges changed: the value that flows along it stays, its
derivative is multiplied by 0, -1 or 2. If the derivative of that program is what the student gave, the
mistake is at that edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import Node
from diffkit.grading.diagnosis.evidence import Hypothesis, Observation
from diffkit.grading.judging.replay import is_row, recorded, replayed

Array = np.ndarray[Any, Any]
Edge = tuple[int, int]
"""A row of the trace and the number of one of its arguments."""

LONGEST = 60
"""Traces longer than this are not experimented with."""


def _trace(o: Observation) -> WengertList:
    return recorded(o.exercise.function, o.args, o.truth.kwargs, o.exercise.differentiated)


def _fans(t: WengertList) -> list[list[list[Edge]]]:
    """For each row with several uses, its uses: all edges to one later row together are one use."""
    uses: dict[int, dict[int, list[Edge]]] = {}
    for row in t.nodes:
        for k, a in enumerate(row.args):
            if is_row(a, t):
                uses.setdefault(a.index, {}).setdefault(row.index, []).append((row.index, k))
    return [list(fan.values()) for fan in uses.values() if len(fan) > 1 or len(next(iter(fan.values()))) > 1]


def _shifts(t: WengertList) -> dict[Edge, float]:
    """The edges into a maximum that only keeps exp from overflowing: nobody differentiates along them."""
    return {
        (row.index, k): 0.0
        for row in t.nodes
        if row.fun.name in ("max", "amax")
        for k, a in enumerate(row.args)
        if is_row(a, t)
    }


def _replayed(o: Observation, weights: dict[Edge, float]) -> Array | None:
    """The derivative of the program whose edges count with these weights."""
    from diffkit.autodiff.operators import make_jvp, make_vjp

    o.budget.spend(o.cost)
    t = _trace(o)

    def weigh(row: Node, k: int, value: Any) -> Any:
        weight = weights.get((row.index, k), 1.0)
        if weight == 1.0:
            return value
        plain = row.args[k].value
        return plain if weight == 0.0 else _weighted(value, plain, weight)

    try:
        with np.errstate(all="ignore"):
            argnums = tuple(range(len(t.inputs)))
            values = [n.value for n in t.inputs]
            if o.exercise.style == "jvp":
                _, tangent = make_jvp(replayed(t, weigh), argnums)(*values)(_tangents(o, values))
                return np.asarray(tangent)
            vjp, _ = make_vjp(replayed(t, weigh), argnums)(*values)
            return np.asarray(vjp(o.g[()])[o.part])
    except Exception:  # an experiment that can't be made says nothing
        return None


def _tangents(o: Observation, values: list[Any]) -> tuple[Any, ...]:
    """The tangents of all inputs; where one argument's term is looked at, the others' are 0."""
    if len(o.seeds) == len(values):
        return tuple(seed[()] for seed in o.seeds)
    return tuple(o.g[()] if k == o.part else np.zeros_like(v)[()] for k, v in enumerate(values))


def _weighted(node: Any, value: Any, weight: float) -> Any:
    """The value as it is, with its derivative times ``weight``."""
    return weight * node + (1 - weight) * value


def paths(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Each edge of a fan-out left out, turned in sign, or doubled; all but one left out."""
    if first.exercise.reference is not None:
        return
    first.budget.spend(first.cost)
    try:
        t = _trace(first)
        length, fans, shifts = len(t.nodes), _fans(t), _shifts(t)
    except Exception:
        return
    if length > LONGEST:
        return

    def hypothesis(weights: dict[Edge, float]) -> Hypothesis:
        def predict(o: Observation) -> Array | None:
            try:
                alike = len(_trace(o).nodes) == length
            except Exception:
                return None
            return _replayed(o, weights) if alike else None

        return predict

    changes: Sequence[tuple[str, str, float]] = (
        ("path dropped", "", 0.0),
        ("sign", "along one path", -1.0),
        ("path counted twice", "", 2.0),
        ("constant factor", "half along one path", 0.5),
    )
    uses = [use for fan in fans for use in fan]
    for base in ({}, shifts) if shifts else ({},):
        for name, detail, weight in changes:
            for use in uses:
                yield name, detail, hypothesis({**base, **dict.fromkeys(use, weight)})
        for use in uses:
            if len(use) > 1:
                yield "constant factor", "half along one path", hypothesis({**base, use[0]: 0.0})
        for fan in fans:
            if len(fan) > 2:
                for kept in fan:
                    dropped = {edge: 0.0 for use in fan if use is not kept for edge in use}
                    yield "path dropped", "", hypothesis({**base, **dropped})
        if len(uses) <= 12:
            for one, two in itertools.combinations(uses, 2):
                yield "path dropped", "", hypothesis({**base, **dict.fromkeys(one + two, 0.0)})
