"""What every derivative here shares: a formula and a step for each coordinate, and the columns of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import DomainError, InputError
from diffkit.finite.complex_step import complex_columns
from diffkit.finite.evaluation import Argument, Function, Move
from diffkit.finite.noise import warn_if_random
from diffkit.finite.stencils import Stencil, stencil
from diffkit.finite.steps import Measured, exact_steps, given_steps, measure_function

__all__ = [
    "Bounds",
    "Estimate",
    "Form",
    "Plan",
    "by_output",
    "check_holomorphic",
    "columns_of",
    "complex_plan",
    "cut",
    "limits",
    "make_plan",
    "require_scalar",
]

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
            Infinite where the differences do not settle, as at a kink.
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
class Plan:
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
        errors = np.empty((len(self.steps), outputs))
        for formula, chosen in self.groups().items():
            errors[chosen] = found.error(formula, found.scale[chosen, None], self.steps[chosen, None])
        return errors

    def groups(self) -> dict[Stencil, list[int]]:
        """The coordinates by their formula: without bounds, all of them have the same."""
        if all(each is self.formula for each in self.formulas):
            return {self.formula: list(range(len(self.formulas)))}
        groups: dict[Stencil, list[int]] = {}
        for i, formula in enumerate(self.formulas):
            groups.setdefault(formula, []).append(i)
        return groups


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
        steps = exact_steps(argument, np.fmin(relative, 0.25) * measured.scale)
    else:
        steps = given_steps(argument, h, formula.points)
    formulas = [formula] * len(steps)
    if box is not None:
        formulas = [_fitted(argument, i, formula, steps, box, h is None) for i in range(len(steps))]
    return Plan(function, argument, formula, formulas, steps, measured)


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


def columns_of(plan: Plan) -> np.ndarray[Any, Any]:
    """d^n f / dx_i^n as (coordinates, outputs)."""
    groups = plan.groups()
    needs_x = any(0.0 in formula.points for formula in groups)
    moves: list[Move] = [None] if needs_x else []
    for formula, chosen in groups.items():
        offsets = np.array([k for k in formula.points if k], dtype=plan.steps.dtype)
        points = plan.argument.flat[chosen, None] + offsets * plan.steps[chosen, None]
        moves += [(i, value) for i, row in zip(chosen, points.tolist(), strict=True) for value in row]
    values = plan.function(moves)
    columns = np.empty((len(plan.formulas), values.shape[1]), dtype=values.dtype)
    start = int(needs_x)
    for formula, chosen in groups.items():
        beside = len(formula.points) - (0.0 in formula.points)
        block = values[start : start + beside * len(chosen)].reshape(len(chosen), beside, -1)
        start += beside * len(chosen)
        numerators, denominator = formula.integers
        total: Any = 0
        j = 0
        for k, w in zip(formula.points, numerators, strict=True):
            total = total + w * (block[:, j] if k else values[0])
            j += k != 0
        steps = plan.steps[chosen, None].astype(values.real.dtype)
        columns[chosen] = total / (denominator * steps**formula.n)
    return columns


def check_holomorphic(plan: Plan, columns: np.ndarray[Any, Any]) -> None:
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
    function: Function, h: Any, order: int | None, n: int, bounds: Bounds | None, *, separate: bool = False
) -> tuple[Plan, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Plan, columns and errors by the complex step; with one row of columns if f is elementwise."""
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
    columns, steps = complex_columns(function, wanted, separate=separate)
    formula = stencil("central")
    plan = Plan(function, argument, formula, [formula] * len(steps), steps, None)
    # No subtraction, so only the rounding of f' itself and h**2 beside 1 are left.
    relative = steps.astype(float) / np.fmax(np.abs(argument.flat), 1.0)
    off = 4 * argument.epsilon.astype(float) + relative**2
    return plan, columns, np.abs(columns) * (off if separate else off[:, None])
