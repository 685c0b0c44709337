"""The derivative of an elementwise function at all elements of an array at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import InputError
from diffkit.finite.choosing.plan import complex_plan, make_plan
from diffkit.finite.choosing.warnings import is_random, warn_if_unsettled
from diffkit.finite.evaluating.function import Function, Move
from diffkit.finite.request import Request
from diffkit.finite.stencils import stencil


def elementwise(asked: Request) -> Any:
    """The derivative of an elementwise function at all elements of an array at once."""
    x, form, h, order, n, full = asked.x, asked.form, asked.h, asked.order, asked.n, asked.full
    function, bounds = asked.function(), asked.bounds
    argument = function.argument
    if isinstance(form, str) and form == "complex":
        plan, columns = complex_plan(function, h, order, n, bounds, full=full, separate=True)
        _check_shape(function, x)
        value = argument.shaped(columns.values[0])
        errors = argument.shaped(columns.errors[0], dtypes=False)
        return plan.estimate(value, errors, form) if full else value
    formula = stencil(form, n, order)
    half = np.arange(x.size) % 2 == 0
    plan = make_plan(function, formula, h, bounds, full=full, separate=True)
    count = max(len(each.offsets) for each in plan.formulas)
    offsets, weights = np.zeros((2, count, x.size), dtype=plan.steps.dtype)
    for i, each in enumerate(plan.formulas):
        offsets[: len(each.offsets), i] = [float(k) for k in each.offsets]
        weights[: len(each.offsets), i] = [float(w) for w in each.integers[0]]
    denominators = np.array([each.integers[1] for each in plan.formulas], dtype=plan.steps.dtype)
    points = [argument.flat + k * plan.steps for k in offsets]
    moves: list[Move] = [(slice(None), p) for p in points]
    # One point more, with every second element left alone, tells whether f is elementwise.
    mixed = np.where(half, points[-1], points[0])
    values = function([*moves, (slice(None), mixed)])
    _check_shape(function, x)
    expected = np.where(half, values[count - 1], values[0])
    eps = np.finfo(values.real.dtype).eps
    if not np.allclose(values[-1], expected, rtol=8 * eps, atol=0):
        if is_random(function, values[0], moves[0]):
            raise InputError(
                "f is not deterministic: two runs at the same point differ. Fix the random seed inside f, "
                "or differentiate at one number at a time, with h=None: a step is chosen for the noise then"
            )
        raise InputError(
            "derivative at an array is for elementwise functions; an element of f's result depends on "
            "other elements of x: use jacobian"
        )
    numbers = (weights * values[:-1]).sum(axis=0) / (denominators * plan.steps**n)
    value = argument.shaped(numbers)
    found = plan.measured
    if found is None:
        return value
    sizes = np.abs(values[:-1]).max(axis=0)
    errors = found.error(formula, found.scale, plan.steps, sizes)
    errors = errors + argument.epsilon.astype(float) * np.abs(numbers)
    if plan.chosen:
        errors = warn_if_unsettled(argument, formula, found, numbers, errors, sizes, found.scale)
    if not full:
        return value
    return plan.estimate(value, argument.shaped(errors, dtypes=False), form)


def _check_shape(function: Function, x: np.ndarray[Any, Any]) -> None:
    if function.shapes != [x.shape]:
        raise InputError(
            f"derivative at an array is for elementwise functions; f maps {describe(x)} to another shape: "
            "use jacobian, or gradient if it returns one number"
        )
