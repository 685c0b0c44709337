"""One part of the answers (the cotangent of x): the hypotheses, simplest first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.agreement import LEAST, reproduced
from diffkit.grading.diagnosis.evidence import Family, Hypothesis, Observation
from diffkit.grading.diagnosis.experiments import ENGINES, EXPERIMENTS, LATER
from diffkit.grading.diagnosis.messages import located, named
from diffkit.grading.diagnosis.missing_factor import constant_ratio, factors, fitted_factors
from diffkit.grading.diagnosis.numerics import epsilons, error_size, nearly, not_finite, quotients
from diffkit.grading.diagnosis.paths import paths
from diffkit.grading.diagnosis.where import by_where_it_fails
from diffkit.grading.diagnosis.words import products
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.results import Diagnosis

Array = np.ndarray[Any, Any]

NEARLY = 1e-2
"""Errors smaller than this, relative to the largest entry, are looked at as errors of the numbers."""


def one_part(names: tuple[str, ...], seen: list[Observation]) -> Diagnosis | None:
    """The mistake in one part, from all that was seen of it; None if no hypothesis holds.

    Args:
        names: what the part is the derivative by, for the messages.
        seen: the observations of it, right ones included.
    """
    wrong = [o for o in seen if o.wrong]
    unbounded = not_finite(wrong, names)
    if unbounded is not None:
        return unbounded
    if all(any(problem.kind == "float32" for problem in o.answer.problems) for o in seen):
        return named("float32", names, "", len(wrong))
    if any(np.isfinite(o.given).all() for o in wrong):
        seen = [o for o in seen if not o.wrong or np.isfinite(o.given).all()]
        wrong = [o for o in seen if o.wrong]
    firsts = _representatives(wrong)
    if all(error_size(o) < NEARLY for o in wrong):
        rounded = nearly(firsts, wrong, names)
        if rounded is not None:
            return rounded
    exercise = seen[0].exercise
    if exercise.style == "engine":
        of_engine = _first_that_holds(ENGINES, firsts, seen, names)
        return None if of_engine is None else located(of_engine)
    families = (*EXPERIMENTS, _known(exercise), products, *LATER, paths, epsilons, quotients)
    return _first_that_holds(families, firsts, seen, names) or _by_search(firsts, seen, wrong, names)


def _first_that_holds(
    families: Sequence[Family],
    firsts: Sequence[Observation],
    seen: Sequence[Observation],
    names: tuple[str, ...],
) -> Diagnosis | None:
    for family in families:
        for first in firsts:
            for name, detail, hypothesis in _tried(family, first):
                count = reproduced(hypothesis, first, seen)
                if count >= LEAST:
                    return named(name, names, detail, count)
    return None


def _tried(family: Family, first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """The hypotheses of a family, as far as it has any to say on an observation."""
    with contextlib.suppress(ValueError, TypeError, IndexError, ArithmeticError):
        yield from family(first)


def _representatives(wrong: list[Observation]) -> list[Observation]:
    """One wrong observation of each case: the ordinary ones first, no empty ones."""
    found: dict[str, Observation] = {}
    for o in sorted(wrong, key=lambda o: o.given.size < 2):
        if o.given.size and o.case not in found:
            found[o.case] = o
    return list(found.values())[:6]


def _known(exercise: Exercise) -> Family:
    """The misconceptions that the exercise comes with."""

    def family(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
        for known in exercise.misconceptions:

            def predict(o: Observation, rule: Any = known.rule) -> Array | None:
                try:
                    with np.errstate(all="ignore"):
                        return _forwards(rule, o) if o.exercise.style == "jvp" else _backwards(rule, o, o.g)
                except Exception:
                    return None

            yield known.name, known.message, predict

    return family


def _backwards(rule: Any, o: Observation, g: Array, part: int | None = None) -> Array:
    given = rule(g, o.ans, *o.args, **o.truth.kwargs)
    parts = given if isinstance(given, tuple | list) else (given,)
    return np.asarray(parts[o.part if part is None else part])


def _forwards(rule: Any, o: Observation) -> Array | None:
    """The tangent that a reverse rule stands for: row by row of the Jacobian, times the tangents."""
    if o.ans.size > 64:
        return None
    of_parts = [(o.part, o.g)] if len(o.seeds) == 1 else list(enumerate(o.seeds))
    tangent = np.zeros(o.ans.shape)
    for k in range(o.ans.size):
        row = np.zeros(o.ans.shape)
        row.flat[k] = 1.0
        tangent.flat[k] = sum(np.sum(_backwards(rule, o, row, part) * seed) for part, seed in of_parts)
    return tangent


def _by_search(
    firsts: Sequence[Observation],
    seen: Sequence[Observation],
    wrong: Sequence[Observation],
    names: tuple[str, ...],
) -> Diagnosis | None:
    ratios = {constant_ratio(o) for o in wrong if np.any(o.right)}
    numbers = [r for r in ratios if r is not None]
    one = None not in ratios and bool(numbers) and max(numbers) - min(numbers) <= 1e-9 * abs(numbers[0])
    if one and len(wrong) >= LEAST:
        return named("constant factor", names, f"{numbers[0]:.6g} times", len(wrong))
    formula = _first_that_holds((factors, fitted_factors), firsts[:3], seen, names)
    if formula is not None:
        return formula
    telling = [o for o in wrong if np.count_nonzero(o.right) > 1]  # any two numbers have a ratio
    if None not in ratios and len(telling) >= LEAST:
        return named("size factor", names, "times a number that changes with the shapes", len(numbers))
    return by_where_it_fails(seen, wrong, names)
