"""The four parts of one difference formula's error, each computed and not modelled.

What a computer makes of a formula differs from the derivative for four reasons, one after another:

    f'(x)
      | truncation: the formula is not the derivative, even in exact arithmetic
    sum w f(x + k h) / h
      | step: x + k h is rounded to a float, and f is evaluated somewhere else
    sum w f(fl(x + k h)) / h
      | rounding: the program's value of f is not f's
    sum w fl(f(fl(x + k h))) / h
      | arithmetic: the subtraction and the division are rounded
    what the program returns

Each line is computed, not modelled: every float is a fraction, so that for a rational f all of them
are exact, and for other functions they hold to as many digits as it takes. Each part is the
difference of two lines, so that the parts add up to the total because they telescope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffkit import precise
from diffkit.containers import describe
from diffkit.errors import InputError
from diffkit.finite.stencils import Stencil, stencil
from diffkit.precise import Precise

Point = Fraction | tuple[Fraction, Fraction]
"""A real number, or the two parts of a complex one."""

PARTS = ("truncation", "step", "rounding", "arithmetic")
"""The four parts of the error, in the order in which they come about."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One step's error and its parts, as exact fractions or numbers of many digits."""

    error: Precise
    truncation: Precise
    step: Precise
    rounding: Precise
    arithmetic: Precise


def as_arrays(parts: Sequence[Parts]) -> dict[str, np.ndarray[Any, Any]]:
    """The errors of several steps and their parts, in floats, by name."""
    return {name: np.array([float(getattr(p, name)) for p in parts]) for name in ("error", *PARTS)}


def _digits(formula: Stencil, h: float) -> int:
    """Digits that leave thirty in the truncation error after the cancellation in the formula."""
    decades = max(0.0, -math.log10(h))
    return 25 * math.ceil((30 + (formula.n + formula.order) * decades) / 25)


def exact_values(f: Callable[[Any], Any], points: Iterable[Point], digits: int) -> list[Precise]:
    """f at fractions: fractions if f is rational and they are real, else numbers of so many digits."""
    sealed, released = precise.arithmetic(digits, True, True), precise.arithmetic(digits)
    values = []
    for point in points:
        if isinstance(point, tuple):
            given = precise.precise(sealed.mp.mpc(*map(sealed.inexact, point)), sealed)
        else:
            given = precise.lift(point, sealed)
        y = precise.run(f, [given], sealed)
        if isinstance(y, np.ndarray) and y.shape == ():
            y = y[()]
        number = released.lift(y)
        if number is None:
            raise InputError(f"error_sweep needs one real number as result; f returns {describe(y)}")
        values.append(precise.precise(number, released))
    return values


def derivative_in_digits(f: Callable[[Any], Any], x: Point, n: int, digits: int) -> Precise:
    """The n-th derivative of f at a point, to so many digits.

    A central stencil of order eight with a step of 10**-(digits/8 + 4), in an arithmetic that has
    the digits to spare which the division by h**n takes.
    """
    formula = stencil("central", n, 8)
    k = digits // 8 + 4
    real, imaginary = x if isinstance(x, tuple) else (x, Fraction(0))
    size = max(abs(real), abs(imaginary))
    decades = math.ceil(abs(math.log10(size))) if size else 0
    if size < 1:
        k += decades  # the step goes with a small input; a large one may be many periods of a sine
    h = Fraction(1, 10**k)
    moved = [real + offset * h for offset in formula.offsets]
    points: list[Point] = [(each, imaginary) for each in moved] if isinstance(x, tuple) else [*moved]
    lost = n * (k if size < 1 else k + decades)
    ys = exact_values(f, points, digits + lost + 30)
    total = ys[0] * 0
    for w, y in zip(formula.weights, ys, strict=True):
        total = total + w * y
    result: Precise = total / h**n
    return result


def true_derivative(
    f: Callable[[Any], Any], x: Any, formula: Stencil, exact: Any, smallest: float
) -> Precise:
    at = Fraction(*x.as_integer_ratio())
    digits = _digits(formula, smallest)
    if callable(exact):
        return exact_values(exact, [at], digits)[0]
    if exact is not None:
        return Precise(exact, digits)
    return derivative_in_digits(f, at, formula.n, digits + 20)


def parts_of(
    f: Callable[[Any], Any],
    x: Any,
    formula: Stencil,
    h: Any,
    points: Sequence[Any],
    values: Sequence[Any],
    computed: Any,
    truth: Precise,
) -> Parts:
    """The telescope: each part is the difference of two lines of the module's docstring."""
    at, step = Fraction(*x.as_integer_ratio()), Fraction(*h.as_integer_ratio())
    ideal = [at + k * step for k in formula.offsets]
    floats = [Fraction(*p.as_integer_ratio()) for p in points]
    needed = {*ideal, *floats}
    exact = dict(zip(needed, exact_values(f, needed, _digits(formula, float(h))), strict=True))
    home = exact[ideal[0]].arithmetic

    def combine(ys: Iterable[Any]) -> Precise:
        total = Precise(0, home.digits)
        for w, y in zip(formula.weights, ys, strict=True):
            total = total + w * y
        result: Precise = total / step**formula.n
        return result

    in_exact_arithmetic = combine(exact[p] for p in ideal)
    at_rounded_points = combine(exact[p] for p in floats)
    of_rounded_values = combine(Fraction(*y.as_integer_ratio()) for y in values)
    returned = Precise(Fraction(*computed.as_integer_ratio()), home.digits)
    return Parts(
        error=returned - truth,
        truncation=in_exact_arithmetic - truth,
        step=at_rounded_points - in_exact_arithmetic,
        rounding=of_rounded_values - at_rounded_points,
        arithmetic=returned - of_rounded_values,
    )
