"""Derivatives by difference formulas: of one variable, gradients, Jacobians, Hessians.

>>> import numpy as np
>>> derivative(np.exp, 1.0)
2.71828182...
>>> gradient(lambda p: p["a"] ** 2 * p["b"], {"a": 3.0, "b": 2.0}, form="forward", h=2.0**-20)
{'a': 12.000001..., 'b': 9.0}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.containers import describe, flatten
from diffkit.errors import DomainError, InputError
from diffkit.finite.complex_step import complex_columns
from diffkit.finite.evaluation import Argument, Function, Move
from diffkit.finite.noise import warn_if_random
from diffkit.finite.stencils import Stencil, stencil
from diffkit.finite.steps import Measured, exact_steps, given_steps, least_error, measure_function

__all__ = ["Estimate", "derivative", "directional", "gradient", "hessian", "jacobian"]

Form = str | Sequence[Any]
Bounds = tuple[Any, Any]


@dataclass(frozen=True)
class Estimate:
    """A derivative with what it cost and how far it may be off.

    Attributes:
        value: the derivative, as the plain call returns it.
        error: an estimate of its size of error, shaped like ``value``: truncation and round-off
            together, from the measured noise of f and the measured derivative that leads the
            truncation. (For several variables, one measurement along a line stands for all.)
        h: the steps that were used, shaped like x. For a step that was given, what x moved by.
        form: the form asked for.
        order: its order of accuracy.
        n: which derivative.
        evaluations: how many evaluations of f it took in all.
        measuring: how many of those went into choosing h and estimating the error.
        noise: the size of the errors in f's values, the largest of the outputs'.
        switched: the coordinates for which bounds made another form necessary, with that form.
    """

    value: Any
    error: Any
    h: Any
    form: Any
    order: int
    n: int
    evaluations: int
    measuring: int
    noise: float | None
    switched: dict[str, str]


@dataclass
class _Plan:
    """What is evaluated: a formula and a step for each coordinate."""

    function: Function
    argument: Argument
    formula: Stencil
    formulas: list[Stencil]
    steps: np.ndarray[Any, Any]
    measured: Measured | None

    @property
    def switched(self) -> dict[str, str]:
        return {
            self.argument.coordinate_name(i): each.form
            for i, each in enumerate(self.formulas)
            if each is not self.formula
        }

    def estimate(self, value: Any, error: Any, form: Any) -> Estimate:
        measured = self.measured
        return Estimate(
            value=value,
            error=error,
            h=self.argument.shaped(self.steps),
            form=form if isinstance(form, str) else tuple(form),
            order=self.formula.order,
            n=self.formula.n,
            evaluations=self.function.evaluations,
            measuring=measured.evaluations if measured else 0,
            noise=float(measured.noise.max()) if measured else None,
            switched=self.switched,
        )

    def errors(self, outputs: int) -> np.ndarray[Any, Any]:
        """An error for each coordinate and output."""
        found = self.measured
        if found is None:
            return np.full((len(self.steps), outputs), np.nan)
        m = self.formula.n + self.formula.order
        rows = [
            least_error(formula, found.noise, found.leading / s**m, h)
            for formula, s, h in zip(self.formulas, found.scale, self.steps.astype(float), strict=True)
        ]
        return np.array(rows)


def _plan(
    function: Function,
    formula: Stencil,
    h: Any,
    bounds: Bounds | None,
    *,
    full: bool,
    separate: bool = False,
) -> _Plan:
    argument = function.argument
    limits = _limits(argument, bounds)
    measured = None
    if h is None or full:
        measured = measure_function(function, formula, bounds=limits, separate=separate)
        warn_if_random(function.f, measured.noise, measured.repeat)
    if h is None:
        assert measured is not None
        relative: Any
        if separate and measured.noise.size == argument.flat.size:
            relative = measured.relative_steps(formula)
        else:
            relative = measured.relative_step(formula)
        # Where f is constant, or so flat that nothing shows, any step will do.
        thumb = float(argument.epsilon.max()) ** (1 / (formula.n + formula.order))
        relative = np.where(np.isfinite(relative) & (relative > 0), relative, thumb)
        steps = exact_steps(argument, np.fmin(relative, 0.25) * measured.scale)
    else:
        steps = given_steps(argument, h, formula.offsets)
    formulas = [formula] * len(steps)
    if limits is not None:
        formulas = [_fitted(argument, i, formula, steps, limits, h is None) for i in range(len(steps))]
    return _Plan(function, argument, formula, formulas, steps, measured)


def _limits(argument: Argument, bounds: Bounds | None) -> tuple[Any, Any] | None:
    """Lower and upper bounds for each coordinate."""
    if bounds is None:
        return None
    if argument.is_complex:
        raise InputError("bounds= needs a real x: complex numbers have no order")
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise InputError(f"bounds must be a pair (lower, upper), got {describe(bounds)}") from None
    lower = argument.like(-math.inf if low is None else low, "the lower bound")
    upper = argument.like(math.inf if high is None else high, "the upper bound")
    x = argument.flat
    outside = (x < lower) | (x > upper) | (lower >= upper)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise DomainError(
            f"{argument.coordinate_name(at)} = {x[at]:g} is not inside its bounds, "
            f"{lower[at]:g} to {upper[at]:g}"
        )
    return lower, upper


def _fitted(
    argument: Argument,
    i: int,
    formula: Stencil,
    steps: np.ndarray[Any, Any],
    limits: tuple[Any, Any],
    shrink: bool,
) -> Stencil:
    """The formula itself if it stays within the bounds, else one-sided of the same order."""
    x, low, high = argument.flat[i], limits[0][i], limits[1][i]
    choices = [formula]
    if formula.form != "custom":
        sides = ("forward", "backward") if high - x >= x - low else ("backward", "forward")
        choices += [stencil(side, formula.n, formula.order) for side in sides]
    for _ in range(64 if shrink else 1):
        for choice in choices:
            if all(low <= x + float(k) * steps[i] <= high for k in choice.offsets):
                return choice
        if shrink:
            steps[i] /= 2
    raise DomainError(
        f"h = {steps[i]:g} is too large at {argument.coordinate_name(i)} = {x:g}: no form of this stencil "
        f"stays within the bounds, {low:g} to {high:g}"
    )


# -- one column for each coordinate ---------------------------------------------------------------


def _columns(plan: _Plan) -> np.ndarray[Any, Any]:
    """d^n f / dx_i^n as (coordinates, outputs)."""
    # Coordinates with the same formula together; without bounds, that is all of them.
    groups: dict[Stencil, list[int]] = {}
    for i, formula in enumerate(plan.formulas):
        groups.setdefault(formula, []).append(i)
    needs_x = any(0 in formula.offsets for formula in groups)
    moves: list[Move] = [None] if needs_x else []
    for formula, chosen in groups.items():
        offsets = np.array([float(k) for k in formula.offsets if k], dtype=plan.steps.dtype)
        points = plan.argument.flat[chosen, None] + offsets * plan.steps[chosen, None]
        moves += [(i, value) for i, row in zip(chosen, points.tolist(), strict=True) for value in row]
    values = plan.function(moves)
    columns = np.empty((len(plan.formulas), values.shape[1]), dtype=values.dtype)
    start = int(needs_x)
    for formula, chosen in groups.items():
        beside = len(formula.offsets) - (0 in formula.offsets)
        block = values[start : start + beside * len(chosen)].reshape(len(chosen), beside, -1)
        start += beside * len(chosen)
        numerators, denominator = formula.integers
        total: Any = 0
        j = 0
        for k, w in zip(formula.offsets, numerators, strict=True):
            total = total + w * (block[:, j] if k else values[0])
            j += k != 0
        steps = plan.steps[chosen, None].astype(values.real.dtype)
        columns[chosen] = total / (denominator * steps**formula.n)
    return columns


def _check_holomorphic(plan: _Plan, columns: np.ndarray[Any, Any]) -> None:
    """For complex x: whether a step along i gives i times the derivative (Cauchy and Riemann)."""
    argument, n = plan.argument, plan.formula.n
    direction = plan.steps * (1j if argument.is_complex else 1)
    if n > 1 and len(plan.steps) > 1:
        return
    formula = plan.formula
    moves: list[Move] = [
        (slice(None), (argument.flat + float(k) * direction).astype(argument.flat.dtype)) if k else None
        for k in formula.offsets
    ]
    values = plan.function(moves)
    sideways = np.tensordot([float(w) for w in formula.weights], values, axes=1)
    along = (1j * plan.steps) ** n @ columns
    size = np.abs(plan.steps) ** n @ np.abs(columns)
    eps = float(argument.epsilon.max())
    slack = 1e-2 * size + 1e2 * eps * float(formula.magnification) * np.abs(values).max(axis=0)
    if (np.abs(sideways - along) > slack).any():
        raise InputError(
            "f is not holomorphic at x: a step along the imaginary axis gives another derivative than one "
            "along the real axis. Take the real and imaginary parts as separate real variables"
        )


def _differentiated(
    f: Callable[[Any], Any],
    x: Any,
    form: Form,
    h: Any,
    order: int | None,
    n: int,
    *,
    full: bool,
    bounds: Bounds | None,
    vectorized: bool,
    workers: Any,
) -> tuple[_Plan, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Plan, columns and errors: what derivative, gradient and jacobian share."""
    argument = Argument(x)
    function = Function(f, argument, vectorized=vectorized, workers=workers)
    if isinstance(form, str) and form == "complex":
        return _complex_differentiated(function, h, order, n, bounds)
    formula = stencil(form, n, order)
    plan = _plan(function, formula, h, bounds, full=full)
    columns = _columns(plan)
    if argument.is_complex:
        _check_holomorphic(plan, columns)
    return plan, columns, plan.errors(columns.shape[1])


def _complex_differentiated(
    function: Function, h: Any, order: int | None, n: int, bounds: Bounds | None
) -> tuple[_Plan, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if n != 1:
        raise InputError(f"the complex step gives the first derivative only, not n={n}: take form='central'")
    if order not in (None, 2):
        raise InputError(
            f"the complex step has order 2, got order={order}; its h is so small that 2 is enough"
        )
    if bounds is not None:
        raise InputError("the complex step leaves the real axis and stays above x: it takes no bounds=")
    argument = function.argument
    wanted = None if h is None else argument.like(h, "h").astype(argument.flat.real.dtype)
    if wanted is not None and not (np.isfinite(wanted).all() and (wanted > 0).all()):
        raise InputError(f"the step h must be positive and finite, got {h!r}")
    columns, steps = complex_columns(function, wanted)
    formula = stencil("central")
    plan = _Plan(function, argument, formula, [formula] * len(steps), steps, None)
    # No subtraction, so only the rounding of f' itself and h**2 beside 1 are left.
    eps = argument.epsilon[:, None].astype(float)
    relative = steps[:, None].astype(float) / np.fmax(np.abs(argument.flat), 1.0)[:, None]
    return plan, columns, np.abs(columns) * (4 * eps + relative**2)


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
        form: "forward", "backward", "central", "complex" (the complex step), or the stencil's
            offsets in units of h, such as ``[0, 1, 3]``.
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
        DomainError: if f is not finite at a point of the stencil, or x is out of bounds.

    Warns:
        NoiseWarning: if f is not deterministic; noticed whenever h is chosen.

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
    if isinstance(x, np.ndarray) and x.size > 1:
        return _elementwise(
            f, x, form, h, order, n, full=full, bounds=bounds, vectorized=vectorized, workers=workers
        )
    plan, columns, errors = _differentiated(
        f, x, form, h, order, n, full=full, bounds=bounds, vectorized=vectorized, workers=workers
    )
    if len(plan.steps) != 1:
        raise InputError(
            f"derivative is for functions of one variable; x is {describe(x)}: use gradient for a function "
            "with one number as result, else jacobian"
        )
    value = by_output(plan.function, columns[0])
    return plan.estimate(value, by_output(plan.function, errors[0]), form) if full else value


def by_output(function: Function, numbers: np.ndarray[Any, Any]) -> Any:
    """Derivatives by one variable in the containers and shapes that f returns."""
    argument = function.argument
    assert function.structure is not None
    wanted = np.result_type(argument.dtypes[0], np.complex64) if numbers.dtype.kind == "c" else None
    numbers = numbers.astype(wanted or argument.dtypes[0], copy=False)
    leaves = []
    inner = argument.shapes[0]
    for part, shape in zip(_cut(numbers, function.shapes), function.shapes, strict=True):
        # x may be an array with one element: f's result has that shape then, not that one too
        array = part.reshape(shape or inner if argument.is_scalar or shape == inner else shape + inner)
        if array.ndim == 0 and argument.kinds[0] != "array":
            leaves.append(array.item() if argument.kinds[0] == "python" else array[()])
        else:
            leaves.append(array)
    return function.structure.unflatten(leaves)


def _cut(numbers: np.ndarray[Any, Any], shapes: list[tuple[int, ...]]) -> list[np.ndarray[Any, Any]]:
    return np.split(numbers, np.cumsum([math.prod(shape) for shape in shapes])[:-1])


def _elementwise(
    f: Callable[[Any], Any],
    x: np.ndarray[Any, Any],
    form: Form,
    h: Any,
    order: int | None,
    n: int,
    *,
    full: bool,
    bounds: Bounds | None,
    vectorized: bool,
    workers: Any,
) -> Any:
    """The derivative of an elementwise function at all elements of an array at once."""
    argument = Argument(x)
    function = Function(f, argument, vectorized=vectorized, workers=workers)
    if isinstance(form, str) and form == "complex":
        raise InputError("for the complex step at many points, use jacobian or one point at a time")
    formula = stencil(form, n, order)
    half = np.arange(x.size) % 2 == 0
    plan = _plan(function, formula, h, bounds, full=full, separate=True)
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
    if function.shapes != [x.shape]:
        raise InputError(
            f"derivative at an array is for elementwise functions; f maps {describe(x)} to another shape: "
            "use jacobian, or gradient if it returns one number"
        )
    if not np.array_equal(values[-1], np.where(half, values[count - 1], values[0])):
        eps = np.finfo(values.real.dtype).eps
        if not np.allclose(values[-1], np.where(half, values[count - 1], values[0]), rtol=8 * eps, atol=0):
            raise InputError(
                "derivative at an array is for elementwise functions; an element of f's result depends on "
                "other elements of x: use jacobian"
            )
    numbers = (weights * values[:-1]).sum(axis=0) / (denominators * plan.steps**n)
    value = argument.shaped(numbers)
    if not full:
        return value
    errors = np.diagonal(plan.errors(values.shape[1])) if plan.measured else np.full(x.size, np.nan)
    return plan.estimate(value, argument.shaped(errors, dtypes=False), form)


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
    central form. Choosing h takes some twenty more, however many variables there are.

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

    >>> import numpy as np
    >>> gradient(lambda v: v @ v, np.array([1.0, 2.0, 3.0]), h=0.5)
    array([2., 4., 6.])
    >>> gradient(lambda V: np.sum(V**2, axis=1), np.array([1.0, 2.0]), h=0.5, vectorized=True)
    array([2., 4.])
    """
    plan, columns, errors = _differentiated(
        f, x, form, h, order, 1, full=full, bounds=bounds, vectorized=vectorized, workers=workers
    )
    _require_scalar(plan.function, "gradient")
    value = plan.argument.shaped(columns[:, 0])
    return plan.estimate(value, plan.argument.shaped(errors[:, 0], dtypes=False), form) if full else value


def _require_scalar(function: Function, name: str) -> None:
    if not function.is_scalar:
        assert function.structure is not None
        zeros = [np.zeros(s, d) for s, d in zip(function.shapes, function.dtypes, strict=True)]
        raise InputError(
            f"{name} needs a function with one number as result; f returns "
            f"{describe(function.structure.unflatten(zeros))}: use jacobian, or reduce it in f with np.sum"
        )


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

    >>> import numpy as np
    >>> jacobian(lambda v: np.array([v[0] * v[1], v[1]]), np.array([2.0, 3.0]), h=0.25)
    array([[3., 2.],
           [0., 1.]])
    >>> jacobian(lambda p: {"product": p[0] * p[1]}, (2.0, 3.0), h=0.25)
    {'product': (3.0, 2.0)}
    """
    plan, columns, errors = _differentiated(
        f, x, form, h, order, 1, full=full, bounds=bounds, vectorized=vectorized, workers=workers
    )
    value = _blocks(plan, columns)
    return plan.estimate(value, _blocks(plan, errors, dtypes=False), form) if full else value


def _blocks(plan: _Plan, columns: np.ndarray[Any, Any], dtypes: bool = True) -> Any:
    function = plan.function
    assert function.structure is not None
    rows = np.ascontiguousarray(columns.T)
    blocks = [
        plan.argument.shaped(part.reshape(*shape, -1), dtypes)
        for part, shape in zip(_cut(rows, function.shapes), function.shapes, strict=True)
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
        form, order, n, full, vectorized, workers: as in :func:`derivative`.

    Returns:
        The derivative, nested and shaped like f's result; with ``full``, an Estimate.

    Raises:
        InputError: as :func:`derivative`; also if v is not shaped like x, or is zero.

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

    def line(t: Any) -> Any:
        if not vectorized:
            return f(argument.build(argument.rounded(argument.flat + t * direction)))
        return f(argument.build_batch(argument.flat + t[:, None] * direction))

    start = argument.flat.dtype.type(0)
    if start.dtype == np.float64:
        start = 0.0
    if h is None or isinstance(form, str):
        return derivative(line, start, form, h, order, n=n, full=full, vectorized=vectorized, workers=workers)
    return derivative(line, start, form, h, order, n=n, full=full, vectorized=vectorized, workers=workers)


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
    plan = _plan(function, second, h, bounds, full=full)
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
        numerators, _ = plan.formulas[i].integers
        sums[i, i] = [(w, place((i, k))) for k, w in zip(plan.formulas[i].offsets, numerators, strict=True)]
        for j in range(i):
            sums[j, i] = [
                (u * w, place((j, a), (i, b)))
                for a, u in zip(firsts[j].offsets, firsts[j].integers[0], strict=True)
                for b, w in zip(firsts[i].offsets, firsts[i].integers[0], strict=True)
            ]
    values = function(moves)
    _require_scalar(function, "hessian")
    column = values[:, 0]
    matrix = np.empty((size, size), dtype=values.dtype)
    steps = plan.steps.astype(values.real.dtype)
    for (j, i), terms in sums.items():
        same = i == j
        denominator = plan.formulas[i].integers[1] if same else firsts[j].integers[1] * firsts[i].integers[1]
        total = sum(w * column[at] for w, at in terms)
        matrix[j, i] = matrix[i, j] = total / (denominator * (steps[j] * steps[i]))
    value = _square(argument, matrix)
    if not full:
        return value
    diagonal = plan.errors(1)[:, 0]
    errors = np.sqrt(np.outer(diagonal, diagonal))
    return plan.estimate(value, _square(argument, errors), form)


def _square(argument: Argument, matrix: np.ndarray[Any, Any]) -> Any:
    """A matrix over the coordinates as blocks: x's containers twice over."""
    rows = [
        argument.shaped(part.reshape(*shape, -1))
        for part, shape in zip(np.split(matrix, np.cumsum(argument.sizes)[:-1]), argument.shapes, strict=True)
    ]
    return argument.structure.unflatten(rows)
