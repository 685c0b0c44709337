"""Operands and axes: interchanged, transposed, replaced, left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, negated
from diffkit.grading.exercises.styles import STYLES

Array = np.ndarray[Any, Any]


def operands(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    names = first.exercise.arguments
    places = first.exercise.differentiated
    if first.exercise.style != "jvp":
        for other, place in enumerate(places):
            if other != first.part:

                def of_other(o: Observation, other: int = other) -> Array | None:
                    return o.pull(part=other)

                yield "outputs swapped", f"what belongs to {names[place]}", of_other
                yield "outputs swapped", "with the sign turned", lambda o, f=of_other: negated(f(o))  # type: ignore[misc]

    for i, j in itertools.combinations(range(len(names)), 2):

        def swapped(o: Observation, i: int = i, j: int = j) -> Array | None:
            if np.shape(o.args[i]) != np.shape(o.args[j]):
                return None
            args = list(o.args)
            args[i], args[j] = args[j], args[i]
            return o.pull(args)

        yield "operands swapped", f"{names[i]} and {names[j]}", swapped
    for i, j in itertools.permutations(range(len(names)), 2):

        def replaced(o: Observation, i: int = i, j: int = j) -> Array | None:
            if np.shape(o.args[i]) != np.shape(o.args[j]):
                return None
            args = list(o.args)
            args[i] = args[j]
            return o.pull(args)

        yield "operands swapped", f"{names[j]} used for {names[i]}", replaced
    for i, name in enumerate(names):

        def minus(o: Observation, i: int = i) -> Array | None:
            return o.pull([-np.asarray(a) if k == i else a for k, a in enumerate(o.args)])

        yield "sign", f"-{name} used for {name}", minus

        def size_of(o: Observation, i: int = i) -> Array | None:
            return o.pull([np.abs(a) if k == i else a for k, a in enumerate(o.args)])

        yield "sign", f"the sign of {name} ignored", size_of

        def answer_for(o: Observation, i: int = i) -> Array | None:
            if np.shape(o.args[i]) != o.ans.shape:
                return None
            return o.pull([o.ans if k == i else a for k, a in enumerate(o.args)])

        yield "ans for x", f"ans used for {name}", answer_for

        def as_one(o: Observation, i: int = i) -> Array | None:
            return o.pull([np.ones_like(a) if k == i else a for k, a in enumerate(o.args)])

        if len(names) > 1:
            yield "factor dropped", f"{name} left out", as_one

        def turned(o: Observation, i: int = i) -> Array | None:
            if not np.ndim(o.args[i]):
                return None
            return o.pull([np.flip(a, -1) if k == i else a for k, a in enumerate(o.args)])

        yield "entries in reverse order", f"{name} read backwards", turned


def transposes(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    if STYLES[first.exercise.style].seed == "ones":
        return
    count = len(first.args)
    choices = [(False, True)] * (count + 2)
    for turned in itertools.product(*choices):
        if not any(turned):
            continue
        *of_args, of_g, of_result = turned

        def predict(
            o: Observation, of_args: Any = of_args, of_g: bool = of_g, of_result: bool = of_result
        ) -> Array | None:
            if any(t and np.ndim(a) != 2 for t, a in zip(of_args, o.args, strict=True)):
                return None
            if (of_g and o.g.ndim != 2) or (of_result and o.right.ndim != 2):
                return None
            args = [np.transpose(a) if t else a for t, a in zip(of_args, o.args, strict=True)]
            g = o.g.T if of_g else o.g
            value = o.forward(args)
            if value is None or value.shape != g.shape:
                return None
            answer = o.pull(args, (g,))
            if answer is None:
                return None
            return answer.T if of_result else answer

        names = [n for n, t in zip(first.exercise.arguments, of_args, strict=True) if t]
        yield (
            "missing transpose",
            ", ".join([*names, *(["g"] if of_g else []), *(["the result"] if of_result else [])]),
            predict,
        )


def permutations(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """The axes of the result in another order, or the entries in reverse."""
    for axes in itertools.permutations(range(first.right.ndim)):
        if first.right.ndim < 2 or axes == tuple(range(first.right.ndim)):
            continue

        def predict(o: Observation, axes: tuple[int, ...] = axes) -> Array | None:
            return np.transpose(o.right, axes) if o.right.ndim == len(axes) else None

        yield "axes in another order", "", predict

    def same_axes(o: Observation) -> Array | None:
        """The permutation of the forward function applied once more, in place of its inverse."""
        axes = o.truth.kwargs.get("axes")
        return np.transpose(o.g, axes) if isinstance(axes, tuple) and len(axes) == o.g.ndim else None

    yield "axes in another order", "the same permutation, not its inverse", same_axes
    yield "axes in another order", "all axes reversed", lambda o: o.g.T if o.g.ndim > 1 else None

    def flipped_along(o: Observation) -> Array | None:
        axis = o.truth.kwargs.get("axis", 0)
        return np.flip(o.right, axis) if isinstance(axis, int) and o.right.ndim else None

    yield "entries in reverse order", "", flipped_along
    for axis in range(-1, first.right.ndim):

        def flipped(o: Observation, axis: int = axis) -> Array | None:
            try:
                return np.flip(o.right, axis if axis >= 0 else None)
            except ValueError:
                return None

        yield "entries in reverse order", "", flipped


def order(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Entries read in another order than they were written in."""

    def fortran(o: Observation) -> Array | None:
        return o.g.reshape(o.x.shape, order="F") if o.g.size == o.x.size else None

    def row_by_row(o: Observation) -> Array | None:
        return o.g.reshape(o.x.shape) if o.g.size == o.x.size else None

    def transposed_first(o: Observation) -> Array | None:
        return o.g.T.reshape(o.x.shape) if o.g.size == o.x.size else None

    yield "axes in another order", "read column by column", fortran
    yield "axes in another order", "read row by row", row_by_row
    yield "axes in another order", "transposed and read row by row", transposed_first
