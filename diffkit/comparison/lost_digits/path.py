"""Where the path that a trace took is not the function: branches, ties, steps, loops with a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.views import Trace, trace
from diffkit.comparison.lost_digits.row_errors import Analysis
from diffkit.comparison.problem import Problem
from diffkit.comparison.reference import Truth

_WRONG = 1e-8
"""A derivative with a larger relative error than this is another one, unless rounding explains it."""

_LAGS = 1e-10
"""How far a loop's derivative may be from settled, relative to the answer's, before it is said."""


def path_sentences(
    problem: Problem, t: Trace, jacobian: np.ndarray[Any, Any], truth: Truth, derivative: Analysis | None
) -> list[str]:
    """Sentences on what the trace's path leaves out, each with the user's line."""
    sentences = _at_a_kink(problem, jacobian, truth)
    with np.errstate(all="ignore"):
        off = np.abs(jacobian - truth.partials) > _WRONG * np.maximum(np.abs(truth.partials), 1e-300)
    if np.any(off) and (derivative is None or derivative.error < _WRONG):
        i, j = (int(k) for k in np.argwhere(off)[0])
        sentences.append(
            f"tracing differentiates the path that was taken, exactly: {jacobian[i, j]:.6g}; the derivative "
            f"of f by {problem.inputs[j]} is {truth.partials[i, j]:.6g}{_deciding(problem, t, j)}"
        )
    return sentences + _lagging(t)


def _at_a_kink(problem: Problem, jacobian: np.ndarray[Any, Any], truth: Truth) -> list[str]:
    if not truth.notes:
        return []
    told = ", ".join(f"{v:.6g}" for v in jacobian.ravel()[:4]) + ", ..." * (jacobian.size > 4)
    return [f"where there is no derivative, tracing gives {told} all the same: a convention of its rules"]


def _deciding(problem: Problem, t: Trace, column: int) -> str:
    """The first decision that falls out otherwise beside the point."""
    for step in (1e-6, -1e-6):
        x = problem.x.copy()
        x[column] += step * max(abs(x[column]), 1.0)
        try:
            beside = trace(problem.f)(*problem.arguments(x))
        except Exception:  # it has no values there
            continue
        for here, there in zip(t.decisions, beside.decisions, strict=False):
            if not np.array_equal(here.value, there.value):
                return f". The branch holds at this point only: {here.site}"
    return ""


def _lagging(t: Trace) -> list[str]:
    """A loop that stops when something is small: its derivative by the input may not be small yet."""
    last = next((d for d in reversed(t.decisions) if _small(t, d) is not None), None)
    if last is None or sum(d.at == last.at and d.code is last.code for d in t.decisions) < 2:
        return []
    row, tolerance = _small(t, last)
    tangents = t.tangents(*t.unit_tangents())
    outputs = [_size(tangents[o.index]) for o in t.outputs if t.owns(o)]
    moved, answer = _size(tangents[row.index]), max(outputs, default=0.0)
    if not answer or not moved / answer > _LAGS:
        return []
    return [
        f"a loop stops when {abs(float(plain(row.value))):.1e} is below {tolerance:.1e} ({last.site}); what "
        f"it looks at still changes with {t.names[t.inputs[0].index]} by {moved:.1e}, so the derivative may "
        f"lag behind by as much, beside {answer:.3g}, though the value has settled"
    ]


def _small(t: Trace, decision: Any) -> Any:
    """The row that a decision found smaller than a constant, and the constant; None for other decisions."""
    node = decision.node
    smaller = {"less": True, "less_equal": True, "greater": False, "greater_equal": False}
    if node.fun.name not in smaller or len(node.args) != 2:
        return None
    left, right = node.args
    if bool(decision.value) is not smaller[node.fun.name] or not t.owns(left) or t.owns(right):
        return None
    if np.ndim(right) or not 0 < float(right) < 1e-2:
        return None
    return left, float(right)


def _size(tangent: Any) -> float:
    return 0.0 if tangent is None else float(np.max(np.abs(np.asarray(plain(tangent), dtype=float))))
