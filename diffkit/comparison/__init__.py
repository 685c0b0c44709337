"""One function, every method, one table.

>>> import diffkit as dk
>>> result = dk.compare(dk.programs.log_product)
>>> [row.method for row in result]
['symbolic', 'forward difference', 'backward difference', 'central difference',
 'forward mode', 'reverse mode']
>>> result["reverse mode"].value
array([[0.5       , 0.33333333]])
>>> result["central difference"].evaluations >= 4
True

Every method gives the whole Jacobian: a row per number that the function returns, a column per number
that it takes. Its error is measured against a reference of fifty digits which uses no derivative rule
at all: central differences of the program itself, run in an arithmetic of two hundred digits.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.comparison.methods import METHODS
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import reference as exact_reference
from diffkit.comparison.result import Comparison, Row
from diffkit.errors import DiffkitError, InputError
from diffkit.programs import Program

__all__ = ["METHODS", "Comparison", "Row", "compare"]


def compare(
    f: Callable[..., Any],
    *args: Any,
    methods: Sequence[str] | None = None,
    digits: int = 50,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Differentiates one function by every method, and measures each.

    Args:
        f: a function of floats, arrays and nested containers of them, or one of ``dk.programs``.
        args: its arguments; for one of ``dk.programs``, its sample inputs by default. Floats and
            arrays of floats are differentiated by, other values are constants.
        methods: some of :data:`METHODS`; all by default.
        digits: how many digits the reference has.
        progress: called with the name of each step before it begins.

    Raises:
        InputError: for an unknown method or arguments with no float among them.
        DomainError: if f is not finite at the arguments.
    """
    from diffkit.finite import DifferenceWarning

    chosen = list(METHODS if methods is None else methods)
    for method in chosen:
        if method not in METHODS:
            raise InputError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if isinstance(f, Program) and not args:
        args = f.args
    note = progress or (lambda step: None)
    problem = Problem(f, args)
    note("reference")
    reference, how, kinks = exact_reference(problem, digits)
    arguments = problem.arguments(problem.x)
    seconds_f = _seconds(lambda: problem.f(*arguments), 0.02)
    rows = []
    for method in chosen:
        note(method)
        with warnings.catch_warnings():
            if kinks:  # of which the table has a note
                warnings.simplefilter("ignore", DifferenceWarning)
            rows.append(_row(method, problem, reference, seconds_f))
    return Comparison(problem.name, rows, problem.inputs, reference, how, seconds_f, kinks)


def _row(method: str, problem: Problem, reference: np.ndarray[Any, Any], seconds_f: float) -> Row:
    try:
        outcome = METHODS[method](problem)
        seconds = _seconds(outcome.again)
    except DiffkitError as reason:
        return Row(method, why=str(reason))
    known = np.isfinite(reference)
    error = None
    if np.any(known):
        scale = np.max(np.abs(reference[known])) or 1.0
        error = float(np.max(np.abs(outcome.value - reference)[known]) / scale)
    return Row(
        method,
        value=outcome.value,
        error=error,
        evaluations=outcome.evaluations,
        seconds=seconds,
        times_f=seconds / seconds_f,
        set_up=outcome.set_up,
        size=outcome.size,
    )


def _seconds(run: Callable[[], Any], budget: float = 0.05) -> float:
    """The least time of several runs: what the work takes when nothing else disturbs it."""
    best, spent = np.inf, 0.0
    for count in itertools.count(1):
        start = time.perf_counter()
        run()
        elapsed = time.perf_counter() - start
        best, spent = min(best, elapsed), spent + elapsed
        if spent > budget or count >= 200:
            return float(best)
    raise AssertionError("unreachable")
