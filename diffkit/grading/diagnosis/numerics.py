"""Right formula, wrong numbers: difference quotients, single precision, epsilons, overflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.agreement import LEAST, nearer
from diffkit.grading.diagnosis.evidence import Hypothesis, Observation
from diffkit.grading.diagnosis.messages import named
from diffkit.grading.judging.results import Diagnosis

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
    if o.exercise.style == "jvp":
        return _difference_along(o, steps, h)
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


def _difference_along(o: Observation, steps: tuple[float, float], h: float) -> Array | None:
    """The difference quotient along the tangents."""
    values = []
    places = o.exercise.differentiated if len(o.seeds) > 1 else (o.place,)
    for sign in steps:
        moved = list(o.args)
        for place, tangent in zip(places, o.seeds, strict=True):
            moved[place] = moved[place] + sign * h * tangent
        values.append(o.forward(moved))
    up, down = values
    return None if up is None or down is None else (up - down) / ((steps[0] - steps[1]) * h)


def quotients(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Difference quotients of every form and the usual steps, if the error is of a size that fits."""
    if not 1e-13 < error_size(first) < 0.2:
        return
    for form in ("forward", "backward", "central"):
        for h in STEPS:
            predicted = _difference(first, form, h)
            if predicted is None:
                continue
            error, left = first.given - first.right, first.given - predicted
            if np.abs(left).max(initial=0) <= 0.3 * np.abs(error).max(initial=0):
                yield "finite differences", f"{form}, h = {h:g}", lambda o, f=form, h=h: _difference(o, f, h)  # type: ignore[misc]


def _looks_single(o: Observation) -> bool:
    """Whether the numbers are those of single precision: off by some 1e-7, whatever the instance."""
    rounded = o.given.astype(np.float32).astype(float)
    return 1e-9 < error_size(o) < 1e-5 and (bool(np.all(rounded == o.given)) or error_size(o) < 2e-6)


def epsilons(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """An epsilon added to a denominator: to an argument, to the answer, to the square or below the root."""
    if first.given.shape != first.right.shape:
        return
    for name in first.quantities:
        if name == "g":
            continue
        for inner, outer in ((1, 1.0), (2, 1.0), (1, 0.5), (2, 0.5)):
            v = first.quantities[name] ** inner
            with np.errstate(all="ignore"):
                implied = v * ((first.right / first.given) ** (1 / outer) - 1)
            found = implied[np.isfinite(implied) & (implied != 0)]
            if not found.size:
                continue
            epsilon = _rounded(float(np.median(found)))
            if not 1e-14 < abs(epsilon) < 0.5:
                continue

            def predict(
                o: Observation,
                name: str = name,
                inner: int = inner,
                outer: float = outer,
                epsilon: float = epsilon,
            ) -> Array | None:
                v = o.quantities.get(name)
                return None if v is None else o.right * (v**inner / (v**inner + epsilon)) ** outer

            yield "epsilon misplaced", f"{epsilon:g} beside {name}", predict


def _rounded(epsilon: float) -> float:
    """A number to one digit: students' epsilons are powers of ten, or a half or twice one."""
    return float(f"{epsilon:.0e}")


def not_finite(wrong: Sequence[Observation], names: tuple[str, ...]) -> Diagnosis | None:
    """Wrong only where it is not finite: overflow, or a division by zero."""
    if not wrong or any(np.isfinite(o.given).all() for o in wrong):
        return None
    with_zero = sum(any(np.any(np.asarray(a) == 0) for a in (*o.numbers.values(), o.ans)) for o in wrong)
    large = sum(any(np.any(np.abs(a.astype(float)) > 80) for a in o.numbers.values()) for o in wrong)
    if large >= min(LEAST, len(wrong)):
        return named("overflow", names, "", len(wrong))
    if with_zero >= min(LEAST, len(wrong)):
        return named("division by zero", names, "", len(wrong))
    return named("not finite", names, "", len(wrong)) if len(wrong) >= LEAST else None


def nearly(
    firsts: Sequence[Observation],
    wrong: Sequence[Observation],
    names: tuple[str, ...],
) -> Diagnosis | None:
    """Numbers that are right but for their last digits."""
    if len(wrong) >= LEAST and all(_looks_single(o) for o in wrong):
        rounded = [np.all(o.given.astype(np.float32) == o.given) for o in wrong]
        if all(rounded):
            return named("float32", names, "", len(wrong))
    for family in (quotients, epsilons):
        for first in firsts:
            for name, detail, hypothesis in family(first):
                count = sum(nearer(hypothesis, o) for o in wrong)
                if count >= LEAST and count >= 0.8 * len(wrong):
                    return named(name, names, detail, count)
    if len(wrong) >= LEAST and all(_looks_single(o) for o in wrong):
        return named("float32", names, "", len(wrong))
    return None
