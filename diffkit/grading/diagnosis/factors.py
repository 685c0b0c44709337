"""Signs, constant factors, and factors that depend on a size; decimals cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.broadcasting import unsummed
from diffkit.grading.diagnosis.evidence import Hypothesis, Observation

Array = np.ndarray[Any, Any]


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


def truncation(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    for cut in (np.trunc, np.floor, np.rint):

        def of_result(o: Observation, cut: Any = cut) -> Array | None:
            return np.asarray(cut(o.right))

        def of_terms(o: Observation, cut: Any = cut) -> Array | None:
            """Each contribution to a broadcast argument made whole, and then summed."""
            full = unsummed(o)
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
