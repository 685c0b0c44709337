"""The accuracy of a program and of its derivatives by tracing, against fifty digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.views import Trace, trace
from diffkit.comparison.lost_digits.path import path_sentences
from diffkit.comparison.lost_digits.report import Accuracy
from diffkit.comparison.lost_digits.row_errors import Analysis, analysed
from diffkit.comparison.one_function import one_output
from diffkit.comparison.overflow import overflow_sentence
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import truth_at
from diffkit.errors import InputError
from diffkit.programs import Program
from diffkit.time_limit import BudgetError

_MOST_NUMBERS = 20_000
"""Numbers in all rows of a trace, above which they are not computed to sixty digits one by one."""


def accuracy(f: Callable[..., Any], *args: Any, digits: int = 50, limit: float = 30.0) -> Accuracy:
    """The error of f's value and of each derivative by tracing, and the row that makes it.

    Args:
        f: a function of floats, arrays and nested containers of them, or one of ``dk.programs``.
        args: its arguments; for one of ``dk.programs``, its sample inputs by default.
        digits: how many digits the reference has; it knows no derivative rule.
        limit: seconds after which the reference is given up.

    Returns:
        An :class:`Accuracy`: ``.value_error``, ``.errors`` (outputs, inputs), the rows of the program and
        of its adjoint program with what each made, received and passed on, and the row that loses the
        digits; ``.draw()`` draws them.

    Raises:
        InputError: if f can't be traced or returns no real numbers, or has too many to take apart.
        DomainError: if f has no value there.

    >>> import numpy as np
    >>> result = accuracy(lambda x: (1 - np.cos(x)) / x**2, 1e-8)
    >>> f"{result.value_error:.1f}", result.value.named.operation, result.value.amplifier.operation
    ('1.0', 'cos', 'subtract')
    >>> accuracy(lambda x: 0.5 * (np.sin(x / 2) / (x / 2)) ** 2, 1e-8).value_error < 1e-15
    True
    """
    if isinstance(f, Program) and not args:
        args = f.args
    with np.errstate(all="ignore"):
        problem = Problem(f, args)
        truth = truth_at(problem, digits, limit)
        t = trace(f)(*problem.arguments(problem.x))
        size = sum(
            int(np.size(plain(row.value))) for row in t.nodes if not isinstance(row.value, tuple | list)
        )
        if size > _MOST_NUMBERS:
            raise InputError(
                f"{problem.name} computes {size:,} numbers, too many to follow each in sixty digits; take a "
                f"smaller case, of {_MOST_NUMBERS:,} at most"
            )
        jacobian = _jacobian(t, problem)
        errors = np.abs(jacobian - truth.partials) / _sizes(truth.partials)
        # a float that should be larger than floats go, or no number, is wrong in all digits
        errors[np.isfinite(truth.partials) & ~np.isfinite(jacobian)] = np.inf
        notes = [*truth.notes, *overflow_sentence(problem, truth)]
        broken = any("overflow" in n or "underflow" in n or "spoils" in n for n in notes)
        value = None if broken or not _has_output(t) else _analysis(t, _worst_output(problem, truth))
        derivative, where = None, None
        if not broken and np.any(np.isfinite(errors)):
            i, j = (
                int(k) for k in np.unravel_index(np.nanargmax(np.nan_to_num(errors, nan=-1.0)), errors.shape)
            )
            derivative, where = _of_derivative(t, problem, i, j), (i, problem.inputs[j])
        if truth.value is not None:
            notes += path_sentences(problem, t, jacobian, truth, derivative)
    return Accuracy(
        name=problem.name,
        inputs=problem.inputs,
        values=_values(problem, truth),
        value_error=_value_error(problem, truth),
        errors=errors,
        jacobian=jacobian,
        conditions=_conditions(problem, truth),
        reference=truth.partials,
        reference_method=truth.how,
        value=value,
        derivative=derivative,
        derivative_of=where,
        notes=notes,
    )


def _jacobian(t: Trace, problem: Problem) -> np.ndarray[Any, Any]:
    """By one reverse sweep for each output."""
    rows = []
    for i in range(len(problem.y)):
        swept = t.input_adjoints(t.seeds((one_output(t, i),)))
        rows.append(np.concatenate([np.ravel(np.asarray(plain(a), dtype=float)) for a in swept]))
    return np.array(rows)


def _sizes(partials: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What errors are relative to: each entry, or the largest of its row where it is zero."""
    largest = np.nanmax(np.abs(partials), axis=1, keepdims=True, initial=0.0)
    return np.asarray(np.where(partials == 0, np.where(largest == 0, 1.0, largest), np.abs(partials)))


def _value_error(problem: Problem, truth: Any) -> float:
    if truth.value is None:
        return float("nan")
    size = np.where(truth.value == 0, 1.0, np.abs(truth.value))
    errors = np.abs(problem.y - truth.value) / size
    return float(np.max(np.where(np.isfinite(problem.y), errors, np.inf)))


def _conditions(problem: Problem, truth: Any) -> np.ndarray[Any, Any]:
    if truth.value is None:
        return np.full(truth.partials.shape, np.nan)
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(problem.x * truth.partials / truth.value[:, None]))


def _values(problem: Problem, truth: Any) -> tuple[float, float]:
    k = _worst_output(problem, truth)
    return float(problem.y[k]), float("nan") if truth.value is None else float(truth.value[k])


def _worst_output(problem: Problem, truth: Any) -> int:
    if truth.value is None:
        return 0
    return int(
        np.argmax(np.abs(problem.y - truth.value) / np.where(truth.value == 0, 1.0, np.abs(truth.value)))
    )


def _has_output(t: Trace) -> bool:
    return any(t.owns(o) for o in t.outputs)


def _analysis(t: Trace, output: int) -> Analysis | None:
    try:
        return analysed(t, output)
    except (BudgetError, ArithmeticError, TypeError, ValueError, NotImplementedError):
        return None  # a row that has no high precision: there is no telling which one it is


def _of_derivative(t: Trace, problem: Problem, output: int, column: int) -> Analysis | None:
    """The adjoint program's rows, for the derivative of an output by an input."""
    if not _has_output(t):
        return None
    try:
        adjoint = t.adjoint(one_output(t, output))
    except ArithmeticError:
        return None
    return _analysis(adjoint, column)
