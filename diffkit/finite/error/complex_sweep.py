"""The error of the complex step over a range of steps: no V, for there is nothing to cancel.

Im f(x + i h) / h has the truncation error -h**2 f'''/6, like a central difference's turned round, and that
is all that depends on h. The point x + i h is what it should be however small h is, so that the step has no
rounding; f's imaginary part is rounded in proportion to itself; and there is no subtraction, only a
division. So the error falls to the machine epsilon, and stays there down to h = 1e-200.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.containers import describe
from diffkit.errors import DomainError, InputError
from diffkit.finite.derivatives import derivative
from diffkit.finite.error.floats import noise_near, one_float, steps_of
from diffkit.finite.error.parts import Parts, as_arrays, derivative_in_digits, exact_values, true_derivative
from diffkit.finite.error.regimes import Fit, fit_line
from diffkit.finite.error.result import ErrorSweep, largest_by
from diffkit.finite.stencils import Stencil
from diffkit.precise import Precise


class _ComplexStep(Stencil):
    """The formula of the complex step, with what is said of stencils."""

    leading = Fraction(-1, 6)
    remainder = Fraction(1, 6)

    def __str__(self) -> str:
        return "Im f(x + i h) / h"


FORMULA = _ComplexStep((Fraction(1),), (Fraction(1),), 1, 2, "complex")
"""One point, h off x along the imaginary axis."""


@dataclass(frozen=True, repr=False)
class ComplexSweep(ErrorSweep):
    """An :class:`~diffkit.finite.ErrorSweep` of the complex step.

    The part ``step`` is zero, and ``rounding`` and ``arithmetic`` don't grow as h shrinks: there is no best
    step, but a largest one that loses nothing.
    """

    @cached_property
    def best_h(self) -> float:
        """The largest step with an error, by the running median, of no more than twice the least."""
        return float(self.h[self.median_error <= 2 * self.best_error].max())

    @cached_property
    def roundoff_fit(self) -> Fit | None:
        """The line through the errors up to the best h: level, its slope nearly zero."""
        left = (self.h < self.best_h / 2) & (self.error != 0)
        return fit_line(self.h[left], np.abs(self.error[left]))

    @property
    def _level(self) -> float:
        """The rounding of a result: the machine epsilon times the derivative."""
        return float(np.finfo(self.value.dtype).eps) * abs(float(self.exact))

    @cached_property
    def predicted_h(self) -> float:
        """Where the truncation error comes down to the rounding of the result; inf if there is none."""
        if not self.leading:
            return math.inf
        return math.sqrt(self._level / abs(float(self.stencil.leading) * self.leading))

    @cached_property
    def predicted_error(self) -> float:
        """The error predicted for that step: both together."""
        return 2 * self._level

    @cached_property
    def bound(self) -> np.ndarray[Any, Any]:
        """h**2 / 6 max |f'''| for each h, the maximum being taken between x and x + i h."""
        x = Fraction(*self.x.as_integer_ratio())
        return largest_by(self, lambda t: derivative_in_digits(self.f, (x, Fraction(t)), 3, 20), 1.0)


def complex_sweep(
    f: Callable[[Any], Any], x: Any, exact: Any, hs: Iterable[float] | None, order: int | None, n: int
) -> ComplexSweep:
    """The error of the complex step for each of many steps: see :func:`~diffkit.finite.error_sweep`."""
    point = one_float(x)
    derivative(f, point, "complex", order=order, n=n)  # refuses what is not given by a power series
    steps, _ = steps_of(point, hs)
    kind = type(point)
    ys = [_value(f, point, h) for h in steps]
    computed = [kind(y.imag) / h for y, h in zip(ys, steps, strict=True)]
    truth = true_derivative(f, point, FORMULA, exact, float(min(steps)))
    parts = tuple(
        _parts(f, point, h, y, total, truth) for h, y, total in zip(steps, ys, computed, strict=True)
    )
    estimate, noise = noise_near(f, point)
    at = Fraction(*point.as_integer_ratio())
    return ComplexSweep(
        f=f,
        h=np.array([float(h) for h in steps]),
        value=np.array(computed),
        **as_arrays(parts),
        parts=parts,
        stencil=FORMULA,
        x=point,
        exact=truth,
        leading=float(derivative_in_digits(f, at, 3, 30)),
        noise=noise,
        noise_estimate=estimate,
        evaluations=len(steps) + estimate.evaluations + 1,
    )


def _value(f: Callable[[Any], Any], x: Any, h: Any) -> Any:
    """f at x + i h, in the arithmetic of x."""
    kind = complex if type(x) is float else np.result_type(type(x), np.complex64).type
    # the sum 1j * h would make nan of an infinite part, and lose the sign of a zero
    z = complex(x, h) if kind is complex else np.array([x, h]).view(kind)[0]
    try:
        with np.errstate(all="ignore"):
            y = f(z)
    except (ArithmeticError, ValueError) as error:
        raise DomainError(f"f fails at x = {z}: {type(error).__name__}: {error}") from error
    if np.ndim(y) != 0 or not isinstance(y, (complex, np.complexfloating)):
        raise InputError(f"the complex step needs one complex number as result; f returns {describe(y)}")
    if not np.isfinite(y):
        raise DomainError(f"f is {y} at x = {z}: leave out steps as large as {h:g}")
    return y


def _parts(f: Callable[[Any], Any], x: Any, h: Any, y: Any, computed: Any, truth: Precise) -> Parts:
    """The telescope of :mod:`~diffkit.finite.error.parts`: that of the step has no length."""
    at, step = Fraction(*x.as_integer_ratio()), Fraction(*h.as_integer_ratio())
    digits = 25 * math.ceil((40 + 3 * max(0.0, -math.log10(h))) / 25)
    ideal = exact_values(f, [(at, step)], digits)[0].imag / step
    rounded = Precise(Fraction(*y.imag.as_integer_ratio()), digits) / step
    returned = Precise(Fraction(*computed.as_integer_ratio()), digits)
    return Parts(
        error=returned - truth,
        truncation=ideal - truth,
        step=Precise(0, digits),
        rounding=rounded - ideal,
        arithmetic=returned - rounded,
    )
