"""Finite-difference stencils: which points, with which weights, and how far off the result is.

A stencil approximates a derivative by a weighted sum of values beside the point,

    f^(n)(x)  ≈  sum_j w_j f(x + k_j h) / h**n.

Expanding each value in its Taylor series shows what the sum really is: f^(n)(x), plus
sum_j w_j k_j**m / m! times f^(m)(x) h**(m-n) for each m. The weights make all of these vanish up
to some m; the first that stays gives the order of accuracy and the leading error.

>>> print(stencil("central"))
(f(x + h) - f(x - h)) / (2 h)
>>> print(stencil("forward", order=2))
(-3 f(x) + 4 f(x + h) - f(x + 2 h)) / (2 h)
>>> stencil("central").order, stencil("central").leading  # h**2 / 6 times f'''
(2, Fraction(1, 6))
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

from diffkit.errors import InputError

FORMS = ("forward", "backward", "central")
"""The forms that have a stencil; ``"complex"`` is a form too, with one imaginary step."""


def weights(offsets: Sequence[Any], n: int = 1) -> tuple[Fraction, ...]:
    """The weights that make a stencil exact on polynomials of the highest possible degree.

    The recursion of B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced
    grids", Mathematics of Computation 51 (1988), 699-706, in exact rational arithmetic: it adds one
    point at a time, and updates the weights of all derivatives at the points before it.

    Args:
        offsets: the points, in units of h: ints, Fractions, or floats taken exactly; all different.
        n: which derivative.

    Returns:
        One Fraction for each offset. For a polynomial q of degree below ``len(offsets)``,
        ``sum(w * q(k))`` is the n-th derivative of q at 0.

    Raises:
        InputError: if two offsets are the same, or there are too few for the n-th derivative.

    >>> weights([-1, 0, 1], 2)
    (Fraction(1, 1), Fraction(-2, 1), Fraction(1, 1))
    """
    return _weights(_checked_offsets(offsets, _checked_count(n, "n", 0)), n)


@cache
def _weights(points: tuple[Fraction, ...], n: int) -> tuple[Fraction, ...]:
    # table[m][j]: the weight of the j-th point so far in the m-th derivative at 0
    table = [[Fraction(int(m == 0))] for m in range(n + 1)]
    before = Fraction(1)  # the product of (last point - each point before it)
    for i in range(1, len(points)):
        product = math.prod((points[i] - points[j] for j in range(i)), start=Fraction(1))
        new = []
        for m in range(n + 1):
            last, lower = table[m][i - 1], table[m - 1][i - 1] if m else Fraction(0)
            new.append((m * lower - points[i - 1] * last) * before / product)
        for m in range(n, -1, -1):
            for j in range(i):
                lower = table[m - 1][j] if m else Fraction(0)
                table[m][j] = (points[i] * table[m][j] - m * lower) / (points[i] - points[j])
            table[m].append(new[m])
        before = product
    return tuple(table[n])


def _checked_count(value: Any, name: str, least: int) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if count < least:
        raise InputError(f"{name} must be a whole number from {least} up, got {value!r}")
    return count


def _checked_offsets(offsets: Sequence[Any], n: int) -> tuple[Fraction, ...]:
    try:
        points = tuple(Fraction(k) for k in offsets)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"a stencil's offsets are numbers, in units of h; got {offsets!r}") from None
    if len(set(points)) != len(points):
        raise InputError(f"a stencil's offsets must all be different, got {_listed(points)}")
    if len(points) <= n:
        raise InputError(
            f"derivative {n} needs at least {n + 1} points; the stencil {_listed(points)} has {len(points)}"
        )
    return points


def _listed(points: Sequence[Fraction]) -> str:
    return "[" + ", ".join(map(str, points)) + "]"


@dataclass(frozen=True, eq=False)
class Stencil:
    """A difference formula: f^(n)(x) ≈ sum of w f(x + k h) / h**n. The same one is made only once.

    Attributes:
        offsets: the points k, in units of h; those of weight zero are left out.
        weights: the weights w, exact.
        n: which derivative it approximates.
        order: the order of accuracy p, so that the truncation error falls like h**p.
        form: "forward", "backward", "central", or "custom" for offsets of one's own.

    >>> central = stencil()
    >>> print(central)
    (f(x + h) - f(x - h)) / (2 h)
    >>> central.order, central.leading, central.magnification
    (2, Fraction(1, 6), Fraction(1, 1))
    """

    offsets: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    n: int
    order: int
    form: str

    @cached_property
    def points(self) -> tuple[float, ...]:
        """The offsets as floats."""
        return tuple(map(float, self.offsets))

    @cached_property
    def leading(self) -> Fraction:
        """The truncation error is ``leading * f^(n + order)(x) * h**order`` plus higher orders."""
        return self._moment(self.n + self.order)

    @cached_property
    def remainder(self) -> Fraction:
        """The truncation error is at most ``remainder * h**order * max |f^(n + order)|``.

        The maximum is over the stencil's extent; this is Taylor's theorem with Lagrange's
        remainder, term by term, so the bound holds for every h and not just small ones.
        """
        m = self.n + self.order
        return sum(
            (abs(w * k**m) for w, k in zip(self.weights, self.offsets, strict=True)), Fraction(0)
        ) / math.factorial(m)

    @cached_property
    def magnification(self) -> Fraction:
        """The sum of |w|: round-off of size e in f's values makes up to this times e / h**n."""
        return sum(map(abs, self.weights), Fraction(0))

    @cached_property
    def error_factors(self) -> tuple[float, float]:
        """|leading| and magnification as floats: what truncation and round-off are multiplied by."""
        return abs(float(self.leading)), float(self.magnification)

    @cached_property
    def integers(self) -> tuple[tuple[int, ...], int]:
        """The weights as whole numbers over one denominator, as the formula is usually written."""
        denominator = math.lcm(*(w.denominator for w in self.weights))
        return tuple(int(w * denominator) for w in self.weights), denominator

    def _moment(self, m: int) -> Fraction:
        """The factor of f^(m) in the Taylor expansion of the sum."""
        return sum(
            (w * k**m for w, k in zip(self.weights, self.offsets, strict=True)), Fraction(0)
        ) / math.factorial(m)

    def __str__(self) -> str:
        numerators, denominator = self.integers
        # the value ahead of x first where that reads better: f(x + h) - f(x)
        terms = sorted(zip(self.offsets, numerators, strict=True))
        if len(terms) == 2:
            terms.reverse()
        text = ""
        for k, w in terms:
            sign = (" - " if w < 0 else " + ") if text else ("-" if w < 0 else "")
            text += sign + ("" if abs(w) == 1 else f"{abs(w)} ") + f"f({_point(k)})"
        step = "h" if self.n == 1 else f"h**{self.n}"
        return f"({text}) / " + (step if denominator == 1 else f"({denominator} {step})")


def _point(k: Fraction) -> str:
    if k == 0:
        return "x"
    size = "" if abs(k) == 1 else f"{abs(k)} "
    return f"x {'+' if k > 0 else '-'} {size}h"


def stencil(form: str | Sequence[Any] = "central", n: int = 1, order: int | None = None) -> Stencil:
    """The stencil of a form, for any derivative and any order of accuracy.

    Args:
        form: "forward" (x, x + h, ...), "backward" (x, x - h, ...), "central" (symmetric about x),
            or the offsets themselves, in units of h: ``[-1, 0, 2]``.
        n: which derivative, from 1 up.
        order: the order of accuracy; by default 1 for forward and backward, 2 for central, and
            what they reach for offsets. Central stencils have even orders, by symmetry.

    Returns:
        The Stencil, its weights as exact fractions.

    Raises:
        InputError: for an unknown form, an odd order of a central stencil, offsets that are not different
            or too few for n, an order that they do not reach, or an n or order that is no whole number
            from 1 up.

    >>> stencil("central", order=4).weights
    (Fraction(1, 12), Fraction(-2, 3), Fraction(2, 3), Fraction(-1, 12))
    >>> print(stencil([-1, 0, 2]))
    (-4 f(x - h) + 3 f(x) + f(x + 2 h)) / (6 h)
    """
    n = _checked_count(n, "n, the derivative,", 1)
    if order is not None:
        order = _checked_count(order, "order, the order of accuracy,", 1)
    if isinstance(form, str):
        if form not in FORMS:
            raise InputError(
                f"unknown form {form!r}: expected one of {', '.join(FORMS)}, complex (the first derivative), "
                "richardson (of one variable), or a list of offsets"
            )
        return _named(form, n, order)
    made = _custom(_checked_offsets(form, n), n)
    if order is not None and order > made.order:
        raise InputError(
            f"the stencil {_listed(made.offsets)} reaches order {made.order} for derivative {n}, "
            f"not {order}: add at least {order - made.order} points"
        )
    return made


@cache
def _named(form: str, n: int, order: int | None) -> Stencil:
    if form == "central":
        order = 2 if order is None else order
        if order % 2:
            raise InputError(
                f"central stencils have even orders of accuracy, by symmetry: got order={order}, "
                f"take {order + 1} (or a forward or backward form)"
            )
        reach = (n + 1) // 2 + order // 2 - 1
        points = range(-reach, reach + 1)
    else:
        count = n + (1 if order is None else order)
        points = range(count) if form == "forward" else range(1 - count, 1)
    return _made(tuple(map(Fraction, points)), n, form)


@cache
def _custom(points: tuple[Fraction, ...], n: int) -> Stencil:
    return _made(points, n, "custom")


def _made(points: tuple[Fraction, ...], n: int, form: str) -> Stencil:
    pairs = [(k, w) for k, w in zip(points, _weights(points, n), strict=True) if w]
    offsets, chosen = tuple(k for k, _ in pairs), tuple(w for _, w in pairs)
    order = 1
    while not (made := Stencil(offsets, chosen, n, order, form)).leading:
        order += 1
    return made
