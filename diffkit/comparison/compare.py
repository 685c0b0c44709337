"""Differentiates one function by every method, and holds them against fifty digits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.comparison.failures import Failed, attempt
from diffkit.comparison.lost_digits import accuracy
from diffkit.comparison.methods import METHODS, Outcome, operations_of
from diffkit.comparison.one_function import one_function
from diffkit.comparison.overflow import overflow_sentence
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import Truth, truth_at
from diffkit.comparison.result import Comparison, Row
from diffkit.comparison.timing import timings
from diffkit.errors import InputError
from diffkit.programs import Program

_USUAL = {
    "forward difference": (1e-8, 1),
    "backward difference": (1e-8, 1),
    "central difference": (6e-6, 2),
}
"""The best step of a difference for f and x of size 1, and its order."""

_FURTHER = 2.0**10
"""So many times that step, the truncation error rules, and tells what it is at the step itself."""


def compare(
    f: Callable[..., Any],
    *args: Any,
    methods: Sequence[str] | None = None,
    digits: int = 50,
    times: bool = True,
    limit: float = 30.0,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Differentiates one function by every method, and measures each.

    Args:
        f: a function of floats, arrays and nested containers of them, or one of ``dk.programs``.
        args: its arguments; for one of ``dk.programs``, its sample inputs by default. Floats and
            arrays of floats are differentiated by, other values are constants.
        methods: some of :data:`METHODS`; all by default.
        digits: how many digits the reference has.
        times: whether to measure times; without, the table is the same on every machine.
        limit: seconds after which a method, or the reference, is stopped, and its row says so.
        progress: called with the name of each step before it begins.

    Returns:
        A :class:`Comparison`: a row per method, with the Jacobian (outputs, inputs), its error, what it took.

    Raises:
        InputError: for an unknown method, arguments with no float among them, an f that returns no
            number, or one that gives other values when it is run again.
        DomainError: if f has no value at the arguments, in many digits either.

    >>> import numpy as np
    >>> compare(lambda x: np.log(1 + np.exp(x)), 1000.0, times=False)["reverse mode"].value
    array([[nan]])
    """
    chosen = list(METHODS if methods is None else methods)
    for method in chosen:
        if method not in METHODS:
            raise InputError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if isinstance(f, Program) and not args:
        args = f.args
    note = progress or (lambda step: None)
    note("reference")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the table says what happens, once
        problem = _within_limit(lambda: Problem(f, args), getattr(f, "__name__", "f"), limit)
        truth = truth_at(problem, digits, limit)
        differs = "" if truth.value is None else one_function(problem, digits, limit)
        rows, runs = [], {}
        for method in chosen:
            note(method)
            try:
                outcome, said = _run(method, problem, limit)
            except Failed as reason:
                rows.append(Row(method, why=str(reason)))
                continue
            if truth.value is not None:  # the table has the errors themselves
                said = []
            rows.append(_row(method, outcome, truth, differs, said))
            runs[method] = outcome.again
        problem.refuse_if_another_value()
        notes = [] if differs else overflow_sentence(problem, truth)
        if not differs and not notes:
            notes = _what_tracing_loses(problem, rows, limit)
        seconds_f = None
        if times:
            note("times")
            arguments = problem.arguments(problem.x)
            try:
                seconds_f, measured = attempt(
                    lambda: timings(lambda: problem.f(*arguments), runs), "timing", limit
                )
                for row in rows:
                    if row.method in measured:
                        row.take(measured[row.method])
            except Failed:  # such as an f that raises at the point: there is no time of f to tell
                pass
    return Comparison(
        problem.name,
        rows,
        problem.inputs,
        truth.partials,
        truth.how,
        seconds_f,
        truth.notes,
        notes=notes,
        differs=differs,
        operations=_operations(problem, limit),
    )


_LOSES = 1e-10
"""An error of a traced derivative that is no mere rounding: the row that makes it is looked for."""


def _what_tracing_loses(problem: Problem, rows: Sequence[Row], limit: float) -> list[str]:
    traced = [r.error for r in rows if r.method.endswith(" mode") and r.error is not None]
    if not any(error > _LOSES for error in traced):
        return []
    try:
        found = attempt(lambda: accuracy(problem.f, *problem.args, limit=limit), "its accuracy", limit)
    except Failed:  # it is too large to be taken apart, say
        return []
    return [*found.notes, *found.culprits()]


def _within_limit(make: Callable[[], Problem], name: str, limit: float) -> Problem:
    """f is run for the first time: what it raises is the user's, but for not coming back."""
    from diffkit.time_limit import within

    def quietly() -> Problem:
        with np.errstate(all="ignore"):
            return make()

    return within(limit, quietly, f"{name} itself")


def _run(method: str, problem: Problem, limit: float) -> tuple[Outcome, list[str]]:
    """What the method gives, and what it warned of, each once."""
    from diffkit.finite import DifferenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = attempt(lambda: METHODS[method](problem), method, limit)
    said = [str(w.message) for w in caught if issubclass(w.category, DifferenceWarning)]
    return outcome, list(dict.fromkeys(said))


def _row(method: str, outcome: Outcome, truth: Truth, differs: str, said: list[str]) -> Row:
    error = None if differs else _error(outcome.value, truth.partials)
    return Row(
        method,
        value=outcome.value,
        error=error,
        by_luck=error is not None and _is_luck(method, error, outcome, truth.partials),
        evaluations=outcome.evaluations,
        formula=outcome.formula,
        operations=outcome.operations,
        set_up=outcome.set_up,
        size=outcome.size,
        warned=tuple(said),
    )


def _error(value: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> float | None:
    """The largest error of an entry, relative to the largest entry; None where there is no reference."""
    known = np.isfinite(reference)
    if not np.any(known) or value.shape != reference.shape:
        return None
    scale = np.max(np.abs(reference[known])) or 1.0
    return float(np.max(np.abs(value - reference)[known]) / scale)


def _is_luck(method: str, error: float, outcome: Outcome, reference: np.ndarray[Any, Any]) -> bool:
    """Whether a difference is far more exact than its truncation error allows: its values are quantised."""
    usual, at_steps = _USUAL.get(method), outcome.at_steps
    if usual is None or at_steps is None or error > 1e-9 or reference.shape[1] > 40:
        return False
    step, order = usual
    try:
        (beside,) = attempt(lambda: at_steps([step * _FURTHER]), method, 5.0)
    except Failed:
        return False
    truncation = (_error(beside, reference) or 0.0) / _FURTHER**order
    return truncation > 1e-13 and error < 1e-2 * truncation


def _operations(problem: Problem, limit: float) -> int | None:
    try:
        t = attempt(lambda: record(problem.f, problem.arguments(problem.x), {}), "tracing", limit)
    except Failed:
        return None
    return operations_of(t)
