"""The misconceptions as experiments: each predicts what a student who has it would have given.

The order is that of simplicity: the first that reproduces the student's numbers on every instance
is the one that is named.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation

__all__ = ["EXPERIMENTS", "Family"]

Array = np.ndarray[Any, Any]
Family = Callable[[Observation], Iterator[tuple[str, str, Hypothesis]]]
"""Takes a first observation to hypotheses worth trying: the mistake's name, a detail, the hypothesis."""


# -- factors and signs -------------------------------------------------------------------------------------


def whole_answer(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    yield "sign", "", lambda o: -o.right
    yield "zero returned", "", lambda o: np.zeros(o.given.shape) if np.any(o.right) else None
    for factor, words in ((2.0, "twice"), (0.5, "half"), (-2.0, "minus twice"), (-0.5, "minus half of")):
        yield "constant factor", words, lambda o, factor=factor: factor * o.right  # type: ignore[misc]


def _counts(o: Observation) -> dict[str, float]:
    """The numbers of things by which one might divide."""
    found: dict[str, float] = {
        f"the number of entries of {o.exercise.arguments[o.place]}": o.x.size,
        "the number of entries of the answer": o.ans.size,
        "the number of entries summed": o.x.size / o.ans.size if o.ans.size else 0,
        "the number of entries averaged": o.right.size / max(1, o.ans.size),
    }
    for k, a in enumerate(o.args):
        for axis, n in enumerate(np.shape(a)):
            found[f"the length of axis {axis} of {o.exercise.arguments[k]}"] = n
    return {words: n for words, n in found.items() if n > 0}


def size_factors(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    forms: dict[str, Callable[[float], float]] = {
        "times {n}": lambda n: n,
        "divided by {n}": lambda n: 1 / n,
        "times n / (n - 1), with n {n}": lambda n: n / (n - 1),
        "times (n - 1) / n, with n {n}": lambda n: (n - 1) / n,
        "times half of {n}": lambda n: n / 2,
        "divided by twice {n}": lambda n: 0.5 / n,
        "times twice {n}": lambda n: 2 * n,
        "times 2 over {n}": lambda n: 2 / n,
        "times the square of {n}": lambda n: n * n,
        "divided by the square of {n}": lambda n: 1 / (n * n),
        "times the root of {n}": lambda n: n**0.5,
        "divided by the root of {n}": lambda n: n**-0.5,
        "times {n} minus 1": lambda n: n - 1,
        "divided by {n} minus 1": lambda n: 1 / (n - 1),
    }
    for words in _counts(first):
        for text, form in forms.items():

            def predict(
                o: Observation, words: str = words, form: Callable[[float], float] = form
            ) -> Array | None:
                n = _counts(o).get(words)
                if n is None:
                    return None
                try:
                    return o.right * form(n)
                except ZeroDivisionError:
                    return None

            yield "size factor", text.format(n=words), predict


# -- shape and broadcasting --------------------------------------------------------------------------------


def reshaped(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    def same_numbers(o: Observation) -> Array | None:
        return o.right.reshape(o.given.shape) if o.given.size == o.right.size else None

    yield "shape", "", same_numbers


def _unsummed(o: Observation) -> Array | None:
    """The contributions to a broadcast argument, before they are summed."""
    if o.x.ndim > o.ans.ndim:
        return None
    try:
        wide = np.array(np.broadcast_to(o.x, o.ans.shape))
    except ValueError:
        return None
    args = [wide if k == o.place else a for k, a in enumerate(o.args)]
    value = o.forward(args)
    return o.pull(args) if value is not None and value.shape == o.ans.shape else None


def broadcasting(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    def unsummed(o: Observation) -> Array | None:
        full = _unsummed(o)
        return full if full is not None else o.right

    def averaged(o: Observation) -> Array | None:
        full = _unsummed(o)
        return o.right * (o.x.size / full.size) if full is not None and full.size else o.right

    yield "broadcast not summed", "", unsummed
    yield "broadcast averaged", "", averaged

    def first_only(o: Observation) -> Array | None:
        full = _unsummed(o)
        if full is None or full.shape == o.x.shape:
            return o.right
        extra = full.ndim - o.x.ndim
        full = full[(0,) * extra]
        stretched = tuple(slice(0, 1) if n == 1 else slice(None) for n in o.x.shape)
        return full[stretched]

    yield "broadcast not summed", "one of them taken", first_only
    for keepdims in (False, True):
        for axes in ((0,), (-1,), (1,), (0, 1), None):

            def over(o: Observation, axes: Any = axes, keepdims: bool = keepdims) -> Array | None:
                full = _unsummed(o)
                if full is None or full.shape == o.x.shape:
                    return o.right
                try:
                    return np.asarray(np.sum(full, axis=axes, keepdims=keepdims))
                except (ValueError, IndexError):
                    return None

            yield "summed over the wrong axis", "", over

    def leading_only(o: Observation) -> Array | None:
        """Axes that were added are summed, axes that were stretched from 1 are not."""
        full = _unsummed(o)
        if full is None:
            return o.right
        return np.asarray(np.sum(full, axis=tuple(range(full.ndim - o.x.ndim))))

    yield "broadcast not summed", "a stretched axis of length 1", leading_only

    def stretched_only(o: Observation) -> Array | None:
        full = _unsummed(o)
        if full is None:
            return o.right
        extra = full.ndim - o.x.ndim
        axes = tuple(k + extra for k, n in enumerate(o.x.shape) if n == 1 and full.shape[k + extra] != 1)
        return np.asarray(np.sum(full, axis=axes, keepdims=True)) if axes else full

    yield "broadcast not summed", "an added axis", stretched_only


# -- the cotangent ----------------------------------------------------------------------------------------


def cotangent(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    if first.exercise.style == "partials":
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

    def averaged(o: Observation) -> Array | None:
        return o.pull(seeds=tuple(np.full_like(s, s.mean()) if s.size else s for s in o.seeds))

    def summed(o: Observation) -> Array | None:
        return o.pull(seeds=tuple(np.full_like(s, s.sum()) for s in o.seeds))

    def forgotten_wide(o: Observation) -> Array | None:
        """The local derivative alone, before it is spread and summed with g."""
        ones = o.pull(seeds=tuple(np.ones_like(s) for s in o.seeds))
        return None if ones is None else ones

    yield "upstream summed or averaged", "averaged", averaged
    yield "upstream summed or averaged", "summed", summed
    yield "upstream forgotten", "", forgotten_wide

    def twice(o: Observation) -> Array | None:
        return o.right * o.g if o.g.shape in (o.right.shape, ()) else None

    yield "upstream squared", "", twice

    def alone(o: Observation) -> Array | None:
        try:
            return np.array(np.broadcast_to(o.g, o.x.shape))
        except ValueError:
            return None

    yield "local derivative forgotten", "", alone
    yield "local derivative forgotten", "with the sign turned", lambda o: _negated(alone(o))


def _negated(a: Array | None) -> Array | None:
    return None if a is None else -a


# -- Jacobians --------------------------------------------------------------------------------------------


def jacobians(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    def whole(o: Observation) -> Array | None:
        return o.jacobian

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
        return o.g * np.diagonal(jac.reshape(o.ans.size, o.x.size)).reshape(o.x.shape)

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


def _repeats(o: Observation) -> bool:
    """Whether the function looks entries up, so that an entry can go into several outputs unchanged."""
    return any(np.asarray(a).dtype.kind in "iu" for a in o.args)


# -- operands ---------------------------------------------------------------------------------------------


def operands(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    names = first.exercise.arguments
    places = first.exercise.differentiated
    if first.exercise.style != "jvp":
        for other, place in enumerate(places):
            if other != first.part:

                def of_other(o: Observation, other: int = other) -> Array | None:
                    return o.pull(part=other)

                yield "outputs swapped", f"what belongs to {names[place]}", of_other
                yield "outputs swapped", "with the sign turned", lambda o, f=of_other: _negated(f(o))  # type: ignore[misc]

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

        def answer_for(o: Observation, i: int = i) -> Array | None:
            if np.shape(o.args[i]) != o.ans.shape:
                return None
            return o.pull([o.ans if k == i else a for k, a in enumerate(o.args)])

        yield "ans for x", f"ans used for {name}", answer_for

        def minus(o: Observation, i: int = i) -> Array | None:
            return o.pull([-np.asarray(a) if k == i else a for k, a in enumerate(o.args)])

        yield "sign", f"-{name} used for {name}", minus

        def size_of(o: Observation, i: int = i) -> Array | None:
            return o.pull([np.abs(a) if k == i else a for k, a in enumerate(o.args)])

        yield "sign", f"the sign of {name} ignored", size_of


def transposes(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    if first.exercise.style == "partials":
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

    yield "axes in another order", "read column by column", fortran


# -- keyword arguments ------------------------------------------------------------------------------------


def keywords(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    defaults: dict[str, Any] = {}
    try:
        parameters = inspect.signature(first.exercise.function).parameters
        defaults = {key: p.default for key, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
    except (TypeError, ValueError):
        pass
    keys = sorted(
        {*first.truth.kwargs, *(k for k, d in defaults.items() if d is not inspect.Parameter.empty)}
    )
    for key in keys:
        default = defaults.get(key)

        def ignored(o: Observation, key: str = key, default: Any = default) -> Array | None:
            return _with(o, key, default) if o.truth.kwargs.get(key, default) != default else o.right

        name = "wrong axis or keepdims" if key in ("axis", "axes", "keepdims") else "keyword ignored"
        yield name, f"{key} ignored", ignored
        if key == "axis":
            for axis in (0, 1, -1, None):
                yield name, "", lambda o, key=key, axis=axis: _with(o, key, axis)  # type: ignore[misc]
        elif key == "eps":
            yield "epsilon misplaced", "left out", lambda o, key=key: _with(o, key, 0.0)  # type: ignore[misc]
            yield (
                "epsilon misplaced",
                "squared",
                lambda o, key=key, d=default: _with(o, key, o.truth.kwargs.get(key, d) ** 2),
            )  # type: ignore[misc]
            yield (
                "epsilon misplaced",
                "its root",
                lambda o, key=key, d=default: _with(o, key, o.truth.kwargs.get(key, d) ** 0.5),
            )  # type: ignore[misc]
        elif isinstance(default, bool):
            continue
        elif isinstance(default, int | float):
            for shift in (-1, 1):
                yield (
                    "keyword ignored",
                    f"{key} off by one",
                    lambda o, key=key, shift=shift, d=default: _with(
                        o, key, o.truth.kwargs.get(key, d) + shift
                    ),  # type: ignore[misc]
                )


def _with(o: Observation, key: str, value: Any) -> Array | None:
    kwargs = {**o.truth.kwargs, key: value}
    ans = o.forward(o.args, kwargs)
    if ans is None:
        return None
    if ans.shape == o.g.shape:
        return o.pull(kwargs=kwargs)
    try:
        g = np.array(np.broadcast_to(o.g, ans.shape))
    except ValueError:
        return None
    return o.pull(seeds=(g,), kwargs=kwargs)


# -- numbers ----------------------------------------------------------------------------------------------


def truncation(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    for cut in (np.trunc, np.floor, np.rint):

        def of_result(o: Observation, cut: Any = cut) -> Array | None:
            return np.asarray(cut(o.right))

        def of_terms(o: Observation, cut: Any = cut) -> Array | None:
            """Each contribution to a broadcast argument made whole, and then summed."""
            full = _unsummed(o)
            if full is None:
                return None
            full = cut(full)
            extra = full.ndim - o.x.ndim
            axes = tuple(range(extra)) + tuple(
                k + extra for k, n in enumerate(o.x.shape) if n == 1 and full.shape[k + extra] != 1
            )
            return np.asarray(np.sum(full, axis=axes, keepdims=True)).reshape(o.x.shape)

        yield "integer truncation", "the result", of_result
        yield "integer truncation", "the result", of_terms
    yield "integer truncation", "the cotangent", lambda o: o.pull(seeds=tuple(map(np.trunc, o.seeds)))

    def of_arguments(o: Observation) -> Array | None:
        return o.pull([np.trunc(a) if k in o.exercise.differentiated else a for k, a in enumerate(o.args)])

    yield "integer truncation", "the arguments", of_arguments


EXPERIMENTS: tuple[Family, ...] = (
    whole_answer,
    reshaped,
    broadcasting,
    cotangent,
    operands,
    size_factors,
    truncation,
    keywords,
    transposes,
    permutations,
    order,
    jacobians,
)
"""Simplest first."""
