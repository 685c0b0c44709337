"""Derivatives by difference formulas: of one variable, gradients, Jacobians, Hessians.

>>> import numpy as np
>>> derivative(np.exp, 1.0)
2.71828182...
>>> gradient(lambda p: p["a"] ** 2 * p["b"], {"a": 3.0, "b": 2.0}, form="forward", h=2.0**-20)
{'a': 12.000001..., 'b': 9.0}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.containers import describe, flatten
from diffkit.errors import DomainError, InputError
from diffkit.finite.choosing.plan import (
    Bounds,
    Form,
    Plan,
    by_output,
    check_holomorphic,
    columns_of,
    complex_plan,
    cut,
    limits,
    make_plan,
    require_scalar,
)
from diffkit.finite.elementwise import elementwise
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.columns import Columns
from diffkit.finite.extrapolation import extrapolate
from diffkit.finite.quick import quick_derivative, quick_gradient, quick_jacobian
from diffkit.finite.request import Request
from diffkit.finite.stencils import stencil


def _differentiated(asked: Request) -> tuple[Plan, Columns]:
    """Plan and columns: what derivative, gradient and jacobian share."""
    function, form, order, n = asked.function(), asked.form, asked.order, asked.n
    if isinstance(form, str) and form == "complex":
        return complex_plan(function, asked.h, order, n, asked.bounds, full=asked.full)
    if isinstance(form, str) and form == "richardson":
        raise InputError(
            "form='richardson' extrapolates one derivative, by one variable: take derivative or directional"
        )
    formula = stencil(form, n, order)
    plan = make_plan(function, formula, asked.h, asked.bounds, full=asked.full)
    columns = columns_of(plan)
    if function.argument.is_complex:
        check_holomorphic(plan, columns)
    return plan, columns


def derivative(
    f: Callable[[Any], Any],
    x: Any,
    form: Form = "central",
    h: Any = None,
    order: int | None = None,
    *,
    n: int = 1,
    full: bool = False,
    bounds: Bounds | None = None,
    vectorized: bool = False,
    workers: Any = None,
) -> Any:
    """The n-th derivative of a function of one variable.

    Args:
        f: a function of one number. It may return a number, an array, or containers of them.
            If x is an array, f is applied to it elementwise (like ``np.sin``), and so is the
            derivative, with one call of f for each point of the stencil.
        x: where; a float or complex number (f must be holomorphic there), or an array.
        form: "forward", "backward", "central", "complex" (the complex step), "richardson" (central
            differences extrapolated to h = 0: see :func:`~diffkit.finite.extrapolate`), or the
            stencil's offsets in units of h, such as ``[0, 1, 3]``.
        h: the step, or None for the one at which truncation and round-off, both measured, are
            least together. Steps are made exactly representable: x + h - x == h.
        order: the order of accuracy; by default 1 for forward and backward, 2 for central.
        n: which derivative.
        full: return an :class:`Estimate`, with the step, the cost, and an estimate of the error.
        bounds: (lower, upper), between which f is defined; near one of them the form is switched.
        vectorized: f takes all points in one call, stacked on a first axis.
        workers: a number of processes to share the evaluations, or a function like ``map``.

    Returns:
        The derivative in the dtype of x, shaped like f's result; with ``full``, an Estimate.

    Raises:
        InputError: for a step that is zero or below the spacing of floats at x, an order that
            the stencil does not reach, a function that is not elementwise, changes its argument,
            returns different shapes, is not holomorphic, or does not allow the complex step.
        DomainError: if f is not finite at a point of the stencil, or x is out of bounds; where h is
            chosen, also if f jumps at x or is infinitely steep there.

    Warns:
        DifferenceWarning: where h is chosen, if the error may be as large as the derivative whatever the
            step: at a kink, or where f varies faster than the floats beside x are spaced; and if the
            derivative is zero because f is rounded, and so constant in pieces.
        NoiseWarning: if f is not deterministic. That takes a second run at x, so it is noticed where f
            is measured: whenever h is chosen, and with ``full``. A plain call with h given runs f once
            at each point of the formula and never again, so that its cost is what the formula says.

    >>> import numpy as np
    >>> derivative(np.sin, 1.0)
    0.540302305...
    >>> derivative(np.sin, np.array([0.0, np.pi]), form="forward", order=4).round(9)
    array([ 1., -1.])
    >>> derivative(lambda x: x**3, 2.0, n=2, h=0.5)
    12.0
    >>> derivative(np.sin, 1.0, form="complex") == float(np.cos(1.0))
    True
    >>> estimate = derivative(np.log, 1.0, form="forward", h=1e-4, full=True)
    >>> abs(estimate.value - 1) < 2 * estimate.error, estimate.h == (1.0 + 1e-4) - 1.0
    (True, True)
    """
    asked = Request(f, x, form, h, order, n, full, bounds, vectorized, workers)
    if asked.plain:
        value, f = quick_derivative(f, x, form, h, order, n)
        if value is not None:
            return value
        asked = replace(asked, f=f)
    if isinstance(form, str) and form == "richardson":
        if bounds is not None or vectorized or workers is not None:
            raise InputError(
                "form='richardson' chooses its points as it goes: it takes no bounds=, vectorized= or "
                "workers="
            )
        extrapolated = extrapolate(f, x, "central", h, order, n=n)
        return extrapolated if full else extrapolated.value
    if isinstance(x, np.ndarray) and x.size > 1:
        return elementwise(asked)
    plan, columns = _differentiated(asked)
    if len(plan.steps) != 1:
        raise InputError(
            f"derivative is for functions of one variable; x is {describe(x)}: use gradient for a function "
            "with one number as result, else jacobian"
        )
    value = by_output(plan.function, columns.values[0])
    if not full:
        return value
    h = by_output(plan.function, columns.steps[0]) if columns.unlike else None
    return plan.estimate(value, by_output(plan.function, columns.errors[0]), form, h)


def gradient(
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
    """The gradient of a function with one number as result.

    With h given, it costs n + 1 evaluations for n variables in forward and backward form, 2n in
    central form. Choosing h takes some forty more, however many variables there are; and a few for each
    variable whose derivative would have less than half of its digits by the step that suits the others,
    since it is of quite another scale or curvature, or its derivative is nearly zero.

    Args:
        f: a function with one number as result.
        x: a float, an array, or lists, tuples, dictionaries and named tuples of them.
        form, h, order, full, bounds, vectorized, workers: as in :func:`derivative`; h and the
            bounds may also be nested and shaped like x.

    Returns:
        The partial derivatives, nested, shaped and typed like x; with ``full``, an Estimate.

    Raises:
        InputError, DomainError: as :func:`derivative`; InputError also if f returns more than
            one number.

    Warns:
        DifferenceWarning, NoiseWarning: as :func:`derivative`.

    >>> import numpy as np
    >>> gradient(lambda v: v @ v, np.array([1.0, 2.0, 3.0]), h=0.5)
    array([2., 4., 6.])
    >>> gradient(lambda V: np.sum(V**2, axis=1), np.array([1.0, 2.0]), h=0.5, vectorized=True)
    array([2., 4.])
    """
    asked = Request(f, x, form, h, order, 1, full, bounds, vectorized, workers)
    if asked.plain:
        value, f = quick_gradient(f, x, form, h, order)
        if value is not None:
            return value
        asked = replace(asked, f=f)
    plan, columns = _differentiated(asked)
    require_scalar(plan.function, "gradient")
    value = plan.argument.shaped(columns.values[:, 0])
    if not full:
        return value
    error = plan.argument.shaped(columns.errors[:, 0], dtypes=False)
    return plan.estimate(value, error, form, plan.argument.shaped(columns.steps[:, 0]))


def jacobian(
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
    """The Jacobian of a function, in numerator layout: output axes first, then input axes.

    Args:
        f: a function that returns a number, an array, or containers of them.
        x, form, h, order, full, bounds, vectorized, workers: as in :func:`gradient`.

    Returns:
        For arrays, an array of shape ``f(x).shape + x.shape`` in the dtype of x. If f returns
        containers, or x is one, containers of such blocks: outputs outside, inputs inside. With
        ``full``, an Estimate.

    Raises:
        InputError, DomainError: as :func:`derivative`.

    Warns:
        DifferenceWarning, NoiseWarning: as :func:`derivative`.

    >>> import numpy as np
    >>> jacobian(lambda v: np.array([v[0] * v[1], v[1]]), np.array([2.0, 3.0]), h=0.25)
    array([[3., 2.],
           [0., 1.]])
    >>> jacobian(lambda p: {"product": p[0] * p[1]}, (2.0, 3.0), h=0.25)
    {'product': (3.0, 2.0)}
    """
    asked = Request(f, x, form, h, order, 1, full, bounds, vectorized, workers)
    if asked.plain:
        value, f = quick_jacobian(f, x, form, h, order)
        if value is not None:
            return value
        asked = replace(asked, f=f)
    plan, columns = _differentiated(asked)
    value = _blocks(plan, columns.values)
    if not full:
        return value
    h = _blocks(plan, columns.steps) if columns.unlike else plan.argument.shaped(columns.steps[:, 0])
    return plan.estimate(value, _blocks(plan, columns.errors, dtypes=False), form, h)


def _blocks(plan: Plan, columns: np.ndarray[Any, Any], dtypes: bool = True) -> Any:
    function = plan.function
    assert function.structure is not None
    rows = np.ascontiguousarray(columns.T)
    blocks = [
        plan.argument.shaped(part.reshape(*shape, plan.argument.flat.size), dtypes)
        for part, shape in zip(cut(rows, function.shapes), function.shapes, strict=True)
    ]
    return function.structure.unflatten(blocks)


def directional(
    f: Callable[[Any], Any],
    x: Any,
    v: Any,
    form: Form = "central",
    h: Any = None,
    order: int | None = None,
    *,
    n: int = 1,
    full: bool = False,
    bounds: Bounds | None = None,
    vectorized: bool = False,
    workers: Any = None,
) -> Any:
    """The n-th derivative of f along v: of t -> f(x + t v) at t = 0.

    It costs as much as a derivative by one variable, however many x has.

    Args:
        f: a function that returns a number, an array, or containers of them.
        x: as in :func:`gradient`.
        v: the direction, nested and shaped like x.
        h: the step in t, or None to have it chosen.
        bounds: (lower, upper) of x, as in :func:`gradient`: how far the line may go.
        form, order, n, full, vectorized, workers: as in :func:`derivative`.

    Returns:
        The derivative, nested and shaped like f's result; with ``full``, an Estimate.

    Raises:
        InputError: as :func:`derivative`; also if v is not shaped like x, or is zero.
        DomainError: as :func:`derivative`; also if the line leaves the bounds on both sides of x.

    >>> import numpy as np
    >>> directional(lambda x: x @ x, np.array([1.0, 2.0]), np.array([3.0, 4.0]), h=0.5)
    22.0
    """
    argument = Argument(x)
    direction = argument.like(v, "v").astype(argument.flat.real.dtype)
    if flatten(v)[1].is_leaf and np.ndim(v) == 0 and not argument.is_scalar:
        raise InputError(f"v must be nested and shaped like x, which is {describe(x)}; got {describe(v)}")
    if not direction.any():
        raise InputError("v is zero: there is no derivative along it")

    box = limits(argument, bounds)

    def inside(points: Any) -> Any:  # the ends of the line may be rounded to just beyond the bounds
        return points if box is None else np.clip(points, *box).astype(argument.flat.dtype)

    def line(t: Any) -> Any:
        if not vectorized:
            return f(argument.build(argument.rounded(inside(argument.flat + t * direction))))
        return f(argument.build_batch(inside(argument.flat + t[:, None] * direction)))

    start = argument.flat.dtype.type(0)
    if start.dtype == np.float64:
        start = 0.0
    return derivative(
        line,
        start,
        form,
        h,
        order,
        n=n,
        full=full,
        bounds=None if box is None else _extent(argument.flat, direction, box),
        vectorized=vectorized,
        workers=workers,
    )


def _extent(
    x: np.ndarray[Any, Any], direction: np.ndarray[Any, Any], box: tuple[Any, Any]
) -> tuple[float, float]:
    """The least and greatest t for which x + t * direction stays within the box."""
    moving = direction != 0
    ends = [(side[moving] - x[moving]) / direction[moving] for side in box]
    low, high = float(np.minimum(*ends).max()), float(np.maximum(*ends).min())
    if low >= high:
        raise DomainError(
            "the line x + t v leaves the bounds on both sides of x: there is no derivative along this v"
        )
    return low, high
