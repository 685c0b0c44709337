"""What every derivative here shares: a formula and a step for each coordinate, and the columns of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import DomainError, InputError
from diffkit.finite.choosing.complex_step import complex_columns
from diffkit.finite.choosing.ladder import Ladder
from diffkit.finite.choosing.measuring import LONGEST, Measured, measure_function
from diffkit.finite.choosing.step_sizes import exact_steps, given_steps
from diffkit.finite.choosing.warnings import warn_if_random, warn_if_staircase, warn_if_unsettled
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.columns import Columns, differences
from diffkit.finite.evaluating.function import Function, Move
from diffkit.finite.stencils import Stencil, stencil

Form = str | Sequence[Any]
Bounds = tuple[Any, Any]


@dataclass(frozen=True)
class Estimate:
    """A derivative with what it cost and how far it may be off.

    Attributes:
        value: the derivative, as the plain call returns it.
        error: an estimate of its size of error, shaped like ``value``: truncation and round-off
            together, from the measured noise of f and the measured derivative that leads the
            truncation. (For several variables, the largest along three lines stands for all, and the
            error is rather too large; but see :mod:`~diffkit.finite.choosing.ladder`.) Infinite where the
            differences do not settle, as at a kink.
        h: the steps that were used, shaped like x; or like ``value``, where outputs have steps of
            their own. For a step that was given, what x moved by.
        form: the form asked for.
        order: its order of accuracy.
        n: which derivative.
        evaluations: how many evaluations of f it took in all.
        measuring: how many of those went into choosing h and estimating the error.
        noise: the size of the errors in f's values, the largest of the outputs'.
        switched: the coordinates for which bounds made another form necessary, with that form.

    >>> import numpy as np
    >>> from diffkit.finite import derivative
    >>> estimate = derivative(np.exp, 1.0, full=True)
    >>> abs(estimate.value - np.e) <= estimate.error < 1e-8, estimate.form, estimate.order
    (True, 'central', 2)
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
class Plan:
    """What is evaluated: a formula and a step for each coordinate."""

    function: Function
    argument: Argument
    formula: Stencil
    formulas: list[Stencil]
    steps: np.ndarray[Any, Any]
    measured: Measured | None
    box: tuple[Any, Any] | None = None
    chosen: bool = False
    measuring: int = 0

    @property
    def switched(self) -> dict[str, str]:
        return {
            self.argument.coordinate_name(i): each.form
            for i, each in enumerate(self.formulas)
            if each is not self.formula
        }

    def estimate(self, value: Any, error: Any, form: Any, h: Any = None) -> Estimate:
        measured = self.measured
        return Estimate(
            value=value,
            error=error,
            h=self.argument.shaped(self.steps) if h is None else h,
            form=form if isinstance(form, str) else tuple(form),
            order=self.formula.order,
            n=self.formula.n,
            evaluations=self.function.evaluations,
            measuring=self.measuring,
            noise=float(measured.noise.max()) if measured else None,
            switched=self.switched,
        )

    def errors(self, sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An error for each coordinate and output, ``sizes`` being |f| at the points of its stencil."""
        found = self.measured
        if found is None:
            return np.full(sizes.shape, np.nan)
        errors = np.empty(sizes.shape)
        for formula in set(self.formulas):
            chosen = [i for i, each in enumerate(self.formulas) if each is formula]
            scale, steps = found.scale[chosen, None], self.steps[chosen, None]
            errors[chosen] = found.error(formula, scale, steps, sizes[chosen])
        return errors

    def sides(self) -> np.ndarray[Any, Any]:
        """For each coordinate 1 or -1: a way in which its formula goes."""
        return np.array([1.0 if max(each.points) > 0 else -1.0 for each in self.formulas])

    def reach(self) -> np.ndarray[Any, Any]:
        """The largest step for each coordinate: a quarter of its size, within the bounds."""
        assert self.measured is not None
        widest = LONGEST * self.measured.scale
        if self.box is None:
            return widest
        x, (low, high) = self.argument.flat, self.box
        for i, formula in enumerate(self.formulas):
            for k in formula.points:
                room = (high[i] - x[i] if k > 0 else x[i] - low[i]) / abs(k) if k else widest[i]
                widest[i] = min(widest[i], room / 2)  # half, since steps are rounded to powers of two
        return widest


def make_plan(
    function: Function,
    formula: Stencil,
    h: Any,
    bounds: Bounds | None,
    *,
    full: bool,
    separate: bool = False,
) -> Plan:
    argument = function.argument
    box = limits(argument, bounds)
    measured = None
    if h is None or full:
        measured = measure_function(function, formula, bounds=box, separate=separate)
        warn_if_random(function.f, measured.noise, measured.repeat)
    if h is None:
        assert measured is not None
        relative: Any
        if separate and measured.noise.size == argument.flat.size:
            relative = measured.relative_steps(formula)
        else:
            relative = measured.relative_step(formula)
        # Where f is constant, or so flat that nothing shows, or has a kink, any step will do.
        thumb = float(argument.epsilon.max()) ** (1 / (formula.n + formula.order))
        relative = np.where(np.isfinite(relative) & (relative > 0), relative, thumb)
        longest = LONGEST * measured.scale
        if box is not None:  # where a bound is near, all of the room there is
            room = np.fmax(argument.flat - box[0], box[1] - argument.flat)
            near = measured.scale < np.fmax(np.abs(argument.flat), 1.0)
            longest = np.where(near, room / max(map(abs, formula.points)), longest)
        steps = exact_steps(argument, np.fmin(relative * measured.scale, longest))
    else:
        steps = given_steps(argument, h, formula.points)
    formulas = [formula] * len(steps)
    if box is not None:
        formulas = [_fitted(argument, i, formula, steps, box, h is None) for i in range(len(steps))]
    spent = measured.evaluations if measured else 0
    return Plan(function, argument, formula, formulas, steps, measured, box, h is None, spent)


def limits(argument: Argument, bounds: Bounds | None) -> tuple[Any, Any] | None:
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
    box: tuple[Any, Any],
    shrink: bool,
) -> Stencil:
    """The formula itself if it stays within the bounds, else one-sided of the same order."""
    x, low, high = argument.flat[i], box[0][i], box[1][i]
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


def columns_of(plan: Plan) -> Columns:
    """d^n f / dx_i^n for each coordinate and output; improved where the step was chosen here and is poor."""
    values, sizes = differences(plan.function, plan.formulas, plan.steps)
    steps = np.broadcast_to(plan.steps[:, None], values.shape)
    errors = plan.errors(sizes)
    columns = Columns(values, errors, steps)
    if plan.chosen and plan.measured is not None:
        before = plan.function.evaluations
        if values.size > 1:
            Ladder(plan.function, plan.formulas, plan.formula, plan.measured, plan.reach(), columns).climb()
        if (columns.values == 0).all(axis=0).any():
            warn_if_staircase(plan.function, plan.reach() * plan.sides())
        plan.measuring += plan.function.evaluations - before
        scale = plan.measured.scale[:, None]
        columns.errors = warn_if_unsettled(
            plan.argument, plan.formula, plan.measured, columns.values, columns.errors, sizes, scale
        )
    return columns


def check_holomorphic(plan: Plan, columns: Columns) -> None:
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
    along = (1j * plan.steps) ** n @ columns.values
    size = np.abs(plan.steps) ** n @ np.abs(columns.values)
    eps = float(argument.epsilon.max())
    slack = 1e-2 * size + 1e2 * eps * float(formula.magnification) * np.abs(values).max(axis=0)
    own = (columns.steps == plan.steps[:, None]).all(axis=0)  # others have steps that suit them better
    if (own & (np.abs(sideways - along) > slack)).any():
        raise InputError(
            "f is not holomorphic at x: a step along the imaginary axis gives another derivative than one "
            "along the real axis. Take the real and imaginary parts as separate real variables"
        )


def by_output(function: Function, numbers: np.ndarray[Any, Any]) -> Any:
    """Derivatives by one variable in the containers and shapes that f returns."""
    argument = function.argument
    assert function.structure is not None
    wanted = np.result_type(argument.dtypes[0], np.complex64) if numbers.dtype.kind == "c" else None
    numbers = numbers.astype(wanted or argument.dtypes[0], copy=False)
    leaves = []
    inner = argument.shapes[0]
    for part, shape in zip(cut(numbers, function.shapes), function.shapes, strict=True):
        # x may be an array with one element: f's result has that shape then, not that one too
        array = part.reshape(shape or inner if argument.is_scalar or shape == inner else shape + inner)
        if array.ndim == 0 and argument.kinds[0] != "array":
            leaves.append(array.item() if argument.kinds[0] == "python" else array[()])
        else:
            leaves.append(array)
    return function.structure.unflatten(leaves)


def cut(numbers: np.ndarray[Any, Any], shapes: list[tuple[int, ...]]) -> list[np.ndarray[Any, Any]]:
    return np.split(numbers, np.cumsum([math.prod(shape) for shape in shapes])[:-1])


def require_scalar(function: Function, name: str) -> None:
    if not function.is_scalar:
        assert function.structure is not None
        zeros = [np.zeros(s, d) for s, d in zip(function.shapes, function.dtypes, strict=True)]
        raise InputError(
            f"{name} needs a function with one number as result; f returns "
            f"{describe(function.structure.unflatten(zeros))}: use jacobian, or reduce it in f with np.sum"
        )


def complex_plan(
    function: Function,
    h: Any,
    order: int | None,
    n: int,
    bounds: Bounds | None,
    *,
    full: bool,
    separate: bool = False,
) -> tuple[Plan, Columns]:
    """Plan and columns by the complex step; with one row of columns if f is elementwise."""
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
    values, steps, noise = complex_columns(function, wanted, full=full, separate=separate)
    formula = stencil("central")
    plan = Plan(function, argument, formula, [formula] * len(steps), steps, None)
    # No subtraction, so only h**2 beside 1 and the rounding within f are left.
    relative = steps.astype(float) / np.where(argument.flat == 0, 1.0, np.abs(argument.flat))
    off = 4 * argument.epsilon.astype(float) + relative**2
    # Below the smallest normal number f's imaginary part is rounded to the spacing there.
    spacing = float(np.finfo(steps.dtype).smallest_subnormal) / steps.astype(float)
    off, spacing = (off, spacing) if separate else (off[:, None], spacing[:, None])
    errors = np.abs(values) * off + spacing + noise
    return plan, Columns(values, errors, np.broadcast_to(steps if separate else steps[:, None], values.shape))
