"""The cotangent forgotten, changed or passed on; the Jacobian used in another way than from the left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, negated
from diffkit.grading.exercises.styles import STYLES

Array = np.ndarray[Any, Any]


def cotangent(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    if STYLES[first.exercise.style].seed == "ones":
        return
    changed: list[tuple[str, str, Callable[[Array], Array]]] = [
        ("upstream forgotten", "", lambda g: np.ones_like(g)),
        ("upstream squared", "", lambda g: g * g),
        ("upstream masked", "", lambda g: g * (g > 0)),
        ("upstream masked", "|g| is used", np.abs),
        ("upstream masked", "only the sign of g is used", np.sign),
        ("upstream masked", "g is clipped", lambda g: np.clip(g, -1, 1)),
        ("upstream masked", "g as true or false", lambda g: (g > 0).astype(float)),
    ]
    for name, detail, change in changed:

        def predict(o: Observation, change: Callable[[Array], Array] = change) -> Array | None:
            return o.pull(seeds=tuple(change(s) for s in o.seeds))

        yield name, detail, predict

    def left_as_it_came(o: Observation) -> Array | None:
        """g where g with its axes turned belongs: of a function that only moves entries."""
        return o.g if o.g.ndim == 2 and np.array_equal(o.right, o.g.T) else None

    yield "missing transpose", "", left_as_it_came

    def averaged(o: Observation) -> Array | None:
        return o.pull(seeds=tuple(np.full_like(s, s.mean()) if s.size else s for s in o.seeds))

    def summed(o: Observation) -> Array | None:
        return o.pull(seeds=tuple(np.full_like(s, s.sum()) for s in o.seeds))

    yield "upstream summed or averaged", "averaged", averaged
    yield "upstream summed or averaged", "summed", summed

    def twice(o: Observation) -> Array | None:
        return o.right * o.g if o.g.shape in (o.right.shape, ()) else None

    yield "upstream squared", "", twice

    yield "local derivative forgotten", "", _spread
    yield "local derivative forgotten", "with the sign turned", lambda o: negated(_spread(o))
    for name, detail, change in changed[2:]:

        def masked_alone(o: Observation, change: Callable[[Array], Array] = change) -> Array | None:
            spread = _spread(o)
            return None if spread is None else change(spread)

        yield name, detail, masked_alone
    yield "local derivative forgotten", "", lambda o: o.g


def _spread(o: Observation) -> Array | None:
    """g alone, with reduced axes put back."""
    g, axis = o.g, o.truth.kwargs.get("axis")
    if isinstance(axis, int | tuple) and g.ndim < o.x.ndim:
        g = np.expand_dims(g, axis)
    try:
        return np.array(np.broadcast_to(g, o.x.shape))
    except ValueError:
        return None


def tangents(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """In forward mode: tangents exchanged, the Jacobian's diagonal only, or its transpose."""
    if first.exercise.style != "jvp":
        return

    def diagonal(o: Observation) -> Array | None:
        jac = o.jacobian
        if jac is None or o.ans.shape != o.x.shape:
            return None
        return np.asarray(o.g * np.diagonal(jac.reshape(o.ans.size, o.x.size)).reshape(o.x.shape))

    def backward(o: Observation) -> Array | None:
        jac = o.jacobian
        if jac is None or o.ans.shape != o.x.shape:
            return None
        return np.asarray((jac.reshape(o.ans.size, o.x.size).T @ o.g.ravel()).reshape(o.x.shape))

    def exchanged(o: Observation) -> Array | None:
        return o.pull(seeds=o.seeds[::-1]) if len(o.seeds) == 2 else None

    def both_exchanged(o: Observation) -> Array | None:
        if len(o.seeds) != 2 or len(o.args) != 2:
            return None
        return o.pull(o.args[::-1], seeds=o.seeds[::-1])

    yield "operands swapped", "the two tangents", exchanged
    yield "operands swapped", "the two arguments and their tangents", both_exchanged
    yield "diagonal only", "", diagonal
    yield "VJP for JVP", "", backward


def jacobians(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """In reverse mode: the Jacobian itself, from the wrong side, or not all of it."""
    if first.exercise.style == "jvp":
        return

    def whole(o: Observation) -> Array | None:
        jac = o.jacobian
        return None if jac is None else jac.reshape(o.given.shape) if jac.size == o.given.size else jac

    def transposed(o: Observation) -> Array | None:
        jac = o.jacobian
        if jac is None:
            return None
        m = o.ans.ndim
        return np.transpose(jac, (*range(m, jac.ndim), *range(m)))

    def forward(o: Observation) -> Array | None:
        """J g where J^T g belongs, if the shapes let it pass."""
        jac = o.jacobian
        if jac is None or o.g.size != o.x.size:
            return None
        return (
            (jac.reshape(o.ans.size, o.x.size) @ o.g.ravel()).reshape(o.given.shape)
            if (o.given.size == o.ans.size)
            else None
        )

    def diagonal(o: Observation) -> Array | None:
        jac = o.jacobian
        if jac is None or o.ans.shape != o.x.shape:
            return None
        diagonal: Array = o.g * np.diagonal(jac.reshape(o.ans.size, o.x.size)).reshape(o.x.shape)
        return diagonal

    def last_step(o: Observation) -> Array | None:
        """Of several positions along the answer's last axis, only the last one's contribution."""
        jac = o.jacobian
        if jac is None or o.ans.ndim < 2:
            return None
        terms = jac.reshape(o.ans.size, o.x.size) * o.g.ravel()[:, None]
        steps = terms.reshape(-1, o.ans.shape[-1], o.x.size)
        reached = np.any(steps != 0, axis=0)
        kept = np.zeros(o.x.size)
        for k, row in enumerate(steps.sum(axis=0)):
            kept = np.where(reached[k], row, kept)
        return kept.reshape(o.x.shape)

    def averaged(o: Observation) -> Array | None:
        """The mean of the contributions where their sum belongs."""
        jac = o.jacobian
        if jac is None:
            return None
        terms = jac.reshape(o.ans.size, o.x.size) * o.g.ravel()[:, None]
        return np.asarray(terms.sum(axis=0) / np.maximum(1, (terms != 0).sum(axis=0))).reshape(o.x.shape)

    def last_only(o: Observation) -> Array | None:
        """Of several outputs that an entry goes into, only the last one's contribution."""
        jac = o.jacobian
        if jac is None:
            return None
        terms = jac.reshape(o.ans.size, o.x.size) * o.g.ravel()[:, None]
        kept = np.zeros(o.x.size)
        for row in terms:
            kept = np.where(row != 0, row, kept)
        return kept.reshape(o.x.shape)

    def first_only(o: Observation) -> Array | None:
        jac = o.jacobian
        if jac is None:
            return None
        terms = jac.reshape(o.ans.size, o.x.size) * o.g.ravel()[:, None]
        kept = np.zeros(o.x.size)
        for row in terms[::-1]:
            kept = np.where(row != 0, row, kept)
        return kept.reshape(o.x.shape)

    yield "Jacobian returned", "", whole
    yield "Jacobian returned", "transposed", transposed
    if (first.jacobian is not None and first.exercise.name in ("embedding", "gather")) or _repeats(first):
        yield "overwritten", "", last_only
        yield "overwritten", "the first is kept", first_only
    yield "diagonal only", "", diagonal
    yield "JVP for VJP", "", forward
    yield "overwritten", "", last_only
    yield "overwritten", "the first is kept", first_only
    yield "overwritten", "", last_step
    yield "contributions averaged", "", averaged


def _repeats(o: Observation) -> bool:
    """Whether the function looks entries up, so that an entry can go into several outputs unchanged."""
    return any(a.dtype.kind in "iu" for a in o.numbers.values())
