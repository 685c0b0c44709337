"""Hessians by difference formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.finite.choosing.plan import Bounds, Form, columns_of, make_plan, require_scalar
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move
from diffkit.finite.stencils import stencil


def hessian(
    f: Callable[[Any], Any],
    x: Any,
    form: Form = "central",
    h: Any = None,
    order: int | None = None,
    *,
    full: bool = False,
    bounds: Bounds | None = None,
    vectorized: bool = False,
    workers: Any = None,
) -> Any:
    """The Hessian of a function with one number as result; it is symmetric by construction.

    The diagonal comes from the stencil of the second derivative, a mixed derivative from the
    product of two stencils of the first; values that several of them need are evaluated once. With
    h given and the default orders, that is 2 n**2 + 1 evaluations in central form, and
    1 + 2 n + n (n - 1) / 2 in forward and backward form.

    Args:
        f: a function with one number as result.
        x, form, h, order, full, bounds, vectorized, workers: as in :func:`gradient`.

    Returns:
        For an array, an array of shape ``x.shape + x.shape``; for a container, containers within
        containers of such blocks. With ``full``, an Estimate.

    Raises:
        InputError, DomainError: as :func:`gradient`; InputError also for the complex step.

    >>> import numpy as np
    >>> hessian(lambda v: v[0] ** 2 * v[1], np.array([1.0, 3.0]), h=0.25)
    array([[6., 2.],
           [2., 0.]])
    """
    if isinstance(form, str) and form == "complex":
        raise InputError("the complex step gives the first derivative only: take form='central'")
    argument = Argument(x)
    function = Function(f, argument, vectorized=vectorized, workers=workers)
    second = stencil(form, 2, order)
    # A custom stencil of three points may reach another order for the first derivative: its own.
    plan = make_plan(function, second, h, bounds, full=full)
    diagonal = None
    if plan.chosen:  # the second derivatives by each variable first: they settle its step
        require_scalar(function, "hessian")
        diagonal = columns_of(plan)
        plan.steps = diagonal.steps[:, 0]
    firsts = [
        stencil(each.offsets if each.form == "custom" else each.form, 1, None if order is None else order)
        for each in plan.formulas
    ]
    size = len(plan.steps)
    kind = plan.steps.dtype.type
    where: dict[Any, int] = {}
    moves: list[Move] = []

    def place(*shifts: tuple[int, Any]) -> int:
        """The number of the point with these coordinates moved by so many steps."""
        key = tuple(s for s in shifts if s[1])
        if key not in where:
            where[key] = len(moves)
            index = [i for i, _ in key]
            values = [argument.flat[i] + kind(k) * plan.steps[i] for i, k in key]
            moves.append((index if len(index) != 1 else index[0], values if len(index) != 1 else values[0]))
            if not key:
                moves[-1] = None
        return where[key]

    sums: dict[tuple[int, int], list[tuple[Any, int]]] = {}
    for i in range(size):
        if diagonal is None:
            offsets, (numerators, _) = plan.formulas[i].offsets, plan.formulas[i].integers
            sums[i, i] = [(w, place((i, k))) for k, w in zip(offsets, numerators, strict=True)]
        for j in range(i):
            sums[j, i] = [
                (u * w, place((j, a), (i, b)))
                for a, u in zip(firsts[j].offsets, firsts[j].integers[0], strict=True)
                for b, w in zip(firsts[i].offsets, firsts[i].integers[0], strict=True)
            ]
    values = function(moves) if moves else np.empty((0, 1))
    require_scalar(function, "hessian")
    column = values[:, 0]
    matrix = np.diag(diagonal.values[:, 0]) if diagonal else np.empty((size, size), dtype=values.dtype)
    steps = plan.steps.astype(matrix.real.dtype)
    for (j, i), terms in sums.items():
        same = i == j
        denominator = plan.formulas[i].integers[1] if same else firsts[j].integers[1] * firsts[i].integers[1]
        total = sum(w * column[at] for w, at in terms)
        matrix[j, i] = matrix[i, j] = total / (denominator * (steps[j] * steps[i]))
    value = _square(argument, matrix)
    if not full:
        return value
    along = diagonal.errors[:, 0] if diagonal else plan.errors(np.full((size, 1), np.abs(column).max()))[:, 0]
    errors = np.sqrt(np.outer(along, along))
    return plan.estimate(value, _square(argument, errors), form)


def _square(argument: Argument, matrix: np.ndarray[Any, Any]) -> Any:
    """A matrix over the coordinates as blocks: x's containers twice over."""
    rows = [
        argument.shaped(part.reshape(*shape, argument.flat.size))
        for part, shape in zip(np.split(matrix, np.cumsum(argument.sizes)[:-1]), argument.shapes, strict=True)
    ]
    return argument.structure.unflatten(rows)
