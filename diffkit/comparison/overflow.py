"""Which row of a program overflowed, where its value or derivative is inf or nan and f's own is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import plain
from diffkit.comparison.failures import Failed, attempt
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import Truth


def overflow_sentence(problem: Problem, truth: Truth) -> list[str]:
    """One sentence if the program overflows at a point where f is finite, else none."""
    try:
        t = attempt(lambda: record(problem.f, problem.arguments(problem.x), {}), "tracing", 10.0)
    except Failed:
        return _without_trace(problem, truth)
    row = next((row for row in t.nodes if not _finite(row.value)), None)
    if row is None:
        return _without_trace(problem, truth)
    if np.all(np.isfinite(problem.y)) and _has_finite_gradient(t):
        return []  # of a branch that is not taken, which does no harm
    if truth.value is not None and not np.all(np.isfinite(truth.value)):
        return [f"f is larger than floats go: {truth.shown}, in {truth.how}"]
    if np.isnan(_bad(row.value)) and all(_finite(a) for a in row.args):
        return [
            f"a branch that is not taken spoils the derivative: {t.names[row.index]} = "
            f"{row.fun.name}({_arguments(t, row)}) is nan ({row.site}); keep its argument away from there "
            "with np.where before the call"
        ]
    what = f"{t.names[row.index]} = {row.fun.name}({_arguments(t, row)}) is {_worst(row.value)}"
    return [
        f"the program overflows, f does not: {what} on floats ({row.site}); f itself is {truth.shown} there, "
        f"in {truth.how}"
    ]


def _without_trace(problem: Problem, truth: Truth) -> list[str]:
    if truth.value is None or (np.all(np.isfinite(problem.y)) and not problem.why):
        return []
    if not np.all(np.isfinite(truth.value)):
        return [f"f is larger than floats go: {truth.shown}, in {truth.how}"]
    does = "overflows" if np.all(np.isinf(problem.y)) else "underflows"
    what = f"raises {problem.why}" if problem.why else f"is {problem.y[~np.isfinite(problem.y)][0]:g}"
    return [
        f"the program {does}, f does not: it {what} on floats; f itself is {truth.shown} there, in "
        f"{truth.how}"
    ]


def _finite(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_finite, value))
    array = np.asarray(plain(value))
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _arguments(t: WengertList, row: Any) -> str:
    return ", ".join(_number(plain(a)) for a in row.args)


def _number(value: Any) -> str:
    array = np.asarray(value)
    return f"{array[()]:.6g}" if array.ndim == 0 and array.dtype.kind in "biuf" else f"an array {array.shape}"


def _bad(value: Any) -> float:
    """The first number of a value that is not finite."""
    array = np.asarray(plain(value), dtype=float)
    return float(array[~np.isfinite(array)][0])


def _worst(value: Any) -> str:
    return f"{_bad(value):g}" + (" in places" if np.ndim(plain(value)) else "")


def _has_finite_gradient(t: WengertList) -> bool:
    with np.errstate(all="ignore"):
        return all(map(_finite, t.input_adjoints(t.seeds(t.unit_cotangents()))))
