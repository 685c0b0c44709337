"""How each method differentiates a problem."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.jacobians import jacobian as traced_jacobian
from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.views import trace
from diffkit.comparison.problem import Problem
from diffkit.containers import flatten
from diffkit.errors import DiffkitError, InputError
from diffkit.programs import Program


@dataclass
class Outcome:
    """What a method gives.

    Attributes:
        value: the Jacobian (outputs, inputs).
        evaluations: how often f was run.
        size: what was built on the way.
        again: computes the value once more, for timing, with everything set up.
        formula: how many of the evaluations the formula itself has; the others chose its step.
        operations: how many the derivative takes, f's own among them: an element of an array is one;
            None where that is not counted.
        set_up: the seconds that were needed once.
        at_steps: the Jacobian with other steps, for a difference; shows whether a small error is luck.
    """

    value: np.ndarray[Any, Any]
    evaluations: int
    size: dict[str, int] | None
    again: Callable[[], Any]
    formula: int | None = None
    operations: int | None = None
    set_up: float | None = None
    at_steps: Callable[[Sequence[float]], list[np.ndarray[Any, Any]]] | None = None


def operations_of(t: WengertList) -> int:
    """The operations of a trace: one for each element that a row computes.

    >>> from diffkit.autodiff.views import trace
    >>> operations_of(trace(lambda x: np.sum(x * x))(np.ones(10)))
    20
    """
    count = 0
    for row in t.nodes:
        if row.args and row.fun.name not in ("input", *_MOVES):
            sizes = [np.size(v) for v in [row.value, *(plain(a) for a in row.args)] if not _nested(v)]
            count += max(sizes, default=1)
    return count


_MOVES = frozenset({"reshape", "ravel", "getitem", "transpose", "part", "broadcast_to", "squeeze", "stack"})
"""Functions that compute no number."""


def _nested(value: Any) -> bool:
    return isinstance(value, tuple | list | dict)


def _difference(form: str) -> Callable[[Problem], Outcome]:
    def method(problem: Problem) -> Outcome:
        from diffkit import finite

        def jacobian(h: float | None = None) -> np.ndarray[Any, Any]:
            steps = None
            if h is not None:  # powers of two, so that x + h is exact where it can be
                steps = 2.0 ** np.round(np.log2(h * np.maximum(np.abs(problem.x), 1e-3)))
            try:
                matrix = np.asarray(finite.jacobian(problem, problem.x, form=form, h=steps))
            except DiffkitError as error:
                raise InputError(_in_own_words(str(error), problem)) from error
            return matrix.reshape(len(problem.y), len(problem.x))

        if not np.all(np.isfinite(problem.y)):
            raise InputError(f"the values to subtract are {_bad(problem.y)} on floats")
        before = problem.evaluations
        value = jacobian()
        evaluations = problem.evaluations - before
        n = len(problem.x)
        formula = min(2 * n if form == "central" else n + 1, evaluations)
        return Outcome(
            value,
            evaluations,
            None,
            jacobian,
            formula=formula,
            at_steps=lambda steps: [jacobian(h) for h in steps],
        )

    return method


def _bad(y: np.ndarray[Any, Any]) -> str:
    return f"{y[~np.isfinite(y)][0]:g}"


def _in_own_words(text: str, problem: Problem) -> str:
    """A refusal of a difference with the inputs' own names, without advice that is for a call of its own."""
    text = re.sub(r"\bx\[(\d+)\]", lambda m: problem.inputs[int(m[1])], text.partition(": give bounds=")[0])
    return re.sub(r"-?\d+\.\d{6,}(e[-+]?\d+)?", lambda m: f"{float(m[0]):.3g}", text)


def _sweeps(mode: str) -> Callable[[Problem], Outcome]:
    def method(problem: Problem) -> Outcome:
        differentiable = tuple(
            k for k, a in enumerate(problem.args) if all(map(is_differentiable, flatten(a)[0]))
        )
        _refuse_mixed(problem, differentiable)
        jac = traced_jacobian(problem.f, differentiable, mode=mode)
        args = problem.arguments(problem.x)
        value = _matrix(jac(*args), problem)
        size, count = _counted(mode, problem, args)
        return Outcome(value, 1, size, lambda: jac(*args), formula=1, operations=count)

    return method


def _counted(mode: str, problem: Problem, args: tuple[Any, ...]) -> tuple[dict[str, int], int | None]:
    """The rows that a sweep reads and makes, and the operations of the whole Jacobian."""
    t = trace(problem.f)(*args)
    own, size = operations_of(t), {"rows": len(t)}
    try:
        if mode == "reverse":
            adjoint = t.adjoint(*t.unit_cotangents())
            size["adjoint rows"] = len(adjoint) - len(t)
            return size, own + (operations_of(adjoint) - own) * len(problem.y)
        tangents = trace(lambda *args: record(problem.f, args, {}).push_forward(*t.unit_tangents()))(*args)
        return size, own + (operations_of(tangents) - own) * len(problem.x)
    except Exception:  # a sweep over numbers of which a recorded one divides by zero: nothing to count
        return size, None


def _refuse_mixed(problem: Problem, differentiable: tuple[int, ...]) -> None:
    for k, a in enumerate(problem.args):
        if k not in differentiable and any(map(is_differentiable, flatten(a)[0])):
            raise InputError(
                f"argument {k + 1} of {problem.name} mixes floats with other values; give the others "
                "as an argument of their own"
            )


def _matrix(nested: Any, problem: Problem) -> np.ndarray[Any, Any]:
    """Blocks by output and input as one (outputs, inputs) matrix."""
    blocks, _ = flatten(nested)
    sizes = [int(np.size(problem.leaves[k])) for k in problem.places]
    rows = []
    for start in range(0, len(blocks), len(sizes)):
        row = [
            np.reshape(block, (-1, size))
            for block, size in zip(blocks[start : start + len(sizes)], sizes, strict=True)
        ]
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows, axis=0)


def _symbolic(problem: Problem) -> Outcome:
    from diffkit import symbolic

    start = time.perf_counter()
    runs = 0
    expressions, symbols = _own_expression(problem)
    if expressions is None:
        expressions, symbols = _expression_of_trace(problem)
        runs = 1
    entries = symbolic.jacobian(expressions, symbols)
    evaluate = symbolic.lambdify(symbols, entries)
    values = [float(v) for v in problem.x]
    value = np.asarray(evaluate(*values), dtype=float).reshape(len(problem.y), len(problem.x))
    set_up = time.perf_counter() - start
    flat = [e for row in entries for e in row] if isinstance(entries, list) else list(entries)
    size = symbolic.size(flat)
    return Outcome(
        value,
        runs,
        {"tree": size.tree, "dag": size.dag},
        lambda: evaluate(*values),
        formula=runs,
        operations=size.operations,
        set_up=set_up,
    )


def _own_expression(problem: Problem) -> tuple[list[Any] | None, list[Any]]:
    """The program's own SymPy expression, if the lecture gives one."""
    expression = problem.f.expression if isinstance(problem.f, Program) else None
    if expression is None:
        return None, []
    import sympy

    exprs = list(expression) if isinstance(expression, tuple | sympy.Tuple) else [expression]
    return exprs, [sympy.Symbol(name, real=True) for name in problem.inputs]


def _expression_of_trace(problem: Problem) -> tuple[list[Any], list[Any]]:
    """The program run on symbols, an array of them for an array."""
    import sympy

    symbols = [sympy.Symbol(name, real=True) for name in problem.inputs]
    leaves = list(problem.leaves)
    start = 0
    for k in problem.places:
        shape = np.shape(problem.leaves[k])
        size = int(np.prod(shape))
        part = symbols[start : start + size]
        if shape:
            array = np.empty(size, dtype=object)
            array[:] = part
            leaves[k] = array.reshape(shape)
        else:
            leaves[k] = part[0]
        start += size
    t = trace(problem.f)(*problem.arguments(problem.x))
    answer = t.to_sympy(*problem.structure.unflatten(leaves))
    return [e for leaf in flatten(answer)[0] for e in np.ravel(np.asarray(leaf, dtype=object))], symbols


METHODS: dict[str, Callable[[Problem], Outcome]] = {
    "symbolic": _symbolic,
    "forward difference": _difference("forward"),
    "backward difference": _difference("backward"),
    "central difference": _difference("central"),
    "forward mode": _sweeps("forward"),
    "reverse mode": _sweeps("reverse"),
}
"""The methods by name, in the order of the table."""
