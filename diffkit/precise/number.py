"""One number: an exact fraction, or an mpmath number of so many digits."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.precise.functions import MPMATH

LARGEST_FRACTION = 1 << 15
"""Bits of a numerator or denominator above which a fraction is rounded to the working digits.

Each squaring doubles the length of a fraction, so that thirty of them would fill the memory. At
this size one multiplication takes about a millisecond.
"""


@dataclass(frozen=True, eq=False, slots=True)
class Arithmetic:
    """How numbers are computed with: to how many digits, and whether fractions stay exact.

    Attributes:
        digits: the decimal digits of inexact results.
        exact: whether rational results are kept as fractions.
        sealed: whether turning a number into a float is refused, since inside a program that would
            lose the precision without a word.
        mp: the mpmath context, private to this arithmetic.
    """

    digits: int
    exact: bool
    sealed: bool
    mp: Any

    def lift(self, value: Any) -> Any:
        """A number as this arithmetic holds it, unrounded if it is a float; None if it is no number."""
        kind = type(value)
        if kind is Precise:
            return value.value if value.arithmetic is self else self.lift(value.value)
        if kind is Fraction:
            return value if self.exact else self.mp.mpf(value.numerator) / value.denominator
        if isinstance(value, (bool, np.bool_, int, np.integer)):
            return Fraction(int(value)) if self.exact else self.mp.mpf(int(value))
        if isinstance(value, (float, np.floating)):
            if self.exact and np.isfinite(value):
                return Fraction(*value.as_integer_ratio())
            return self.mp.mpf(float(value)) if isinstance(value, float) else self._from_ratio(value)
        if isinstance(value, (complex, np.complexfloating)):
            return self.mp.mpc(complex(value))
        if hasattr(value, "_mpf_") or hasattr(value, "_mpc_"):
            return self.mp.convert(value)
        return None

    def _from_ratio(self, value: Any) -> Any:
        """A NumPy float of another width than Python's."""
        if not np.isfinite(value):
            return self.mp.mpf(float(value))
        numerator, denominator = value.as_integer_ratio()
        return self.mp.mpf(int(numerator)) / int(denominator)

    def inexact(self, value: Any) -> Any:
        """The same number as an mpmath number."""
        return self.mp.mpf(value.numerator) / value.denominator if type(value) is Fraction else value


@cache
def arithmetic(digits: int, exact: bool = True, sealed: bool = False) -> Arithmetic:
    """The arithmetic of so many digits."""
    import mpmath

    if digits < 1:
        raise InputError(f"digits must be at least 1, got {digits}")
    mp = mpmath.MPContext()
    mp.dps = digits
    return Arithmetic(digits, exact, sealed, mp)


def apply(name: str, *arguments: Any) -> Any:
    """A function of the table on Precise numbers (or what can be made one)."""
    first = next(a for a in arguments if type(a) is Precise)
    home: Arithmetic = first.arithmetic
    mp = home.mp
    values = [home.lift(a) for a in arguments]
    if any(v is None for v in values):
        return NotImplemented
    if name == "sqrt" and type(values[0]) is Fraction and (root := _exact_root(values[0])) is not None:
        return precise(root, home)
    values = [home.inexact(v) for v in values]
    try:
        result = MPMATH[name](mp, *values)
    except (ValueError, ZeroDivisionError, OverflowError, mp.NoConvergence):
        result = mp.nan
    if isinstance(result, mp.mpc) and not any(isinstance(v, mp.mpc) for v in values):
        result = mp.nan
    return precise(result, home)


def _exact_root(x: Fraction) -> Fraction | None:
    """The square root, if it is rational."""
    if x < 0:
        return None
    numerator, denominator = math.isqrt(x.numerator), math.isqrt(x.denominator)
    exact = numerator * numerator == x.numerator and denominator * denominator == x.denominator
    return Fraction(numerator, denominator) if exact else None


# -- the number -----------------------------------------------------------------------------------


def _divide(a: Any, b: Any, home: Arithmetic) -> Any:
    if b != 0:
        return a / b
    mp = home.mp
    if isinstance(a, mp.mpc) or isinstance(b, mp.mpc) or a == 0 or a != a:
        return mp.nan
    return mp.inf if a > 0 else mp.ninf


def _power(a: Any, b: Any, home: Arithmetic) -> Any:
    mp = home.mp
    whole = type(b) is Fraction and b.denominator == 1
    if b == 0:
        return a**0
    if a == 0 and not isinstance(b, mp.mpc):
        return a * 0 if b > 0 else mp.inf
    if whole:
        n = int(b)
        if type(a) is Fraction:
            bits = max(a.numerator.bit_length(), a.denominator.bit_length())
            if bits * abs(n) > LARGEST_FRACTION:
                a = home.inexact(a)
        return a**n
    if type(b) is Fraction and b == Fraction(1, 2) and type(a) is Fraction:
        root = _exact_root(a)
        if root is not None:
            return root
    a, b = home.inexact(a), home.inexact(b)
    if not isinstance(a, mp.mpc) and not isinstance(b, mp.mpc) and a < 0 and not mp.isint(b):
        return mp.nan
    return mp.power(a, b)


def _floor_divide(a: Any, b: Any, home: Arithmetic) -> Any:
    quotient = _divide(a, b, home)
    if type(quotient) is Fraction:
        return Fraction(math.floor(quotient))
    return home.mp.floor(quotient) if home.mp.isfinite(quotient) else home.mp.nan


def _remainder(a: Any, b: Any, home: Arithmetic) -> Any:
    quotient = _floor_divide(a, b, home)
    return home.mp.nan if quotient != quotient else a - b * home.lift(quotient)


def _arithmetic_method(operation: Callable[..., Any], *, swapped: bool = False, context: bool = False) -> Any:
    def method(self: Precise, other: Any) -> Any:
        home, a = self.arithmetic, self.value
        if type(other) is Precise:
            b = other.value
            if other.arithmetic is not home:  # the answer is as good as the worse of the two
                home = min(home, other.arithmetic, key=lambda each: each.digits)
                a, b = home.lift(a), home.lift(b)
        else:
            b = home.lift(other)
            if b is None:
                return NotImplemented
        if (type(a) is Fraction) is not (type(b) is Fraction) and operation is not _power:
            a, b = home.inexact(a), home.inexact(b)
        if swapped:
            a, b = b, a
        return precise(operation(a, b, home) if context else operation(a, b), home)

    return method


def _comparison_method(operation: Callable[[Any, Any], Any]) -> Any:
    def method(self: Precise, other: Any) -> Any:
        a, b = self.value, self.arithmetic.lift(other)
        if b is None:
            return NotImplemented
        if (type(a) is Fraction) is not (type(b) is Fraction):
            a, b = self.arithmetic.inexact(a), self.arithmetic.inexact(b)
        return bool(operation(a, b))

    return method


class Precise:
    """A real or complex number: an exact fraction, or an mpmath number of so many digits.

    Args:
        value: a float (taken as exactly the binary fraction that it is), int, Fraction, complex,
            mpmath number, or text such as ``"0.1"`` or ``"1/3"``.
        digits: the decimal digits that results of transcendental functions have.

    Raises:
        InputError: if ``value`` is not a number.

    >>> Precise("0.1") * 3, Precise(0.1) * 3 == 0.3
    (Precise(3/10), False)
    >>> import numpy as np
    >>> np.exp(Precise(1, digits=20))
    Precise(2.7182818284590452354)
    >>> float(Precise("1/3"))
    0.3333333333333333
    """

    # NumPy's protocols and the methods of its scalars are given to this class by arrays.py, which holds
    # NumPy's functions on arrays of these numbers.

    __slots__ = ("arithmetic", "value")

    arithmetic: Arithmetic
    value: Any
    __array_ufunc__: Any
    __array_function__: Any
    __getattr__: Any
    shape = ()
    ndim = 0
    size = 1

    def __init__(self, value: Any, digits: int = 60) -> None:
        self.arithmetic = arithmetic(digits)
        try:
            lifted = Fraction(value) if isinstance(value, str) else self.arithmetic.lift(value)
        except ValueError:
            lifted = None
        if lifted is None:
            raise InputError(f"{value!r} is not a number: expected a float, int, Fraction or text like '1/3'")
        self.value = lifted

    @property
    def exact(self) -> bool:
        """Whether this is an exact fraction."""
        return type(self.value) is Fraction

    @property
    def _complex(self) -> bool:
        return isinstance(self.value, self.arithmetic.mp.mpc)

    __add__ = _arithmetic_method(operator.add)
    __radd__ = _arithmetic_method(operator.add, swapped=True)
    __sub__ = _arithmetic_method(operator.sub)
    __rsub__ = _arithmetic_method(operator.sub, swapped=True)
    __mul__ = _arithmetic_method(operator.mul)
    __rmul__ = _arithmetic_method(operator.mul, swapped=True)
    __truediv__ = _arithmetic_method(_divide, context=True)
    __rtruediv__ = _arithmetic_method(_divide, swapped=True, context=True)
    __pow__ = _arithmetic_method(_power, context=True)
    __rpow__ = _arithmetic_method(_power, swapped=True, context=True)
    __floordiv__ = _arithmetic_method(_floor_divide, context=True)
    __rfloordiv__ = _arithmetic_method(_floor_divide, swapped=True, context=True)
    __mod__ = _arithmetic_method(_remainder, context=True)
    __rmod__ = _arithmetic_method(_remainder, swapped=True, context=True)

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    __eq__ = _comparison_method(operator.eq)
    __ne__ = _comparison_method(operator.ne)
    __lt__ = _comparison_method(operator.lt)
    __le__ = _comparison_method(operator.le)
    __gt__ = _comparison_method(operator.gt)
    __ge__ = _comparison_method(operator.ge)

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return bool(self.value != 0)

    def __neg__(self) -> Precise:
        return precise(-self.value, self.arithmetic)

    def __pos__(self) -> Precise:
        return self

    def __abs__(self) -> Precise:
        return precise(abs(self.value), self.arithmetic)

    # -- to other kinds of number -------------------------------------------------------------------

    def _refuse_if_sealed(self, kind: str) -> None:
        if self.arithmetic.sealed:
            raise TypeError(
                f"the program turns a number into a {kind}, which would lose its precision. Use NumPy's "
                "functions instead of math's, and build arrays with np.stack or np.zeros_like(x) "
                "instead of storing into np.zeros(n)"
            )

    def __float__(self) -> float:
        self._refuse_if_sealed("float")
        return self._nearest_float()

    def _nearest_float(self) -> float:
        try:
            return float(self.value)
        except OverflowError:
            return math.inf if self.value > 0 else -math.inf

    def __complex__(self) -> complex:
        self._refuse_if_sealed("complex")
        return complex(self.value) if self._complex else complex(self._nearest_float())

    def __int__(self) -> int:
        return int(self.value)

    __trunc__ = __int__

    def __floor__(self) -> int:
        return math.floor(self.value) if self.exact else int(self.arithmetic.mp.floor(self.value))

    def __ceil__(self) -> int:
        return -math.floor(-self)

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None:
            return int(self.rint())
        scale = Fraction(10) ** digits
        return (self * precise(scale, self.arithmetic)).rint() / precise(scale, self.arithmetic)

    def item(self) -> Precise:
        """Itself, as NumPy's scalars have it."""
        return self

    @property
    def real(self) -> Precise:
        """The real part."""
        return precise(self.value.real, self.arithmetic) if self._complex else self

    @property
    def imag(self) -> Precise:
        """The imaginary part."""
        return precise(self.value.imag if self._complex else Fraction(0), self.arithmetic)

    def conjugate(self) -> Precise:
        """The complex conjugate."""
        return precise(self.arithmetic.mp.conj(self.value), self.arithmetic) if self._complex else self

    # -- functions that keep fractions exact; the transcendental ones are added below -----------------

    def absolute(self) -> Precise:
        """|x|; NumPy's object loops call methods by the function's name."""
        return abs(self)

    fabs = absolute

    def square(self) -> Precise:
        """x**2."""
        result: Precise = self * self
        return result

    def reciprocal(self) -> Precise:
        """1/x."""
        result: Precise = 1 / self
        return result

    def positive(self) -> Precise:
        """x."""
        return self

    def negative(self) -> Precise:
        """-x."""
        return -self

    def sign(self) -> Precise:
        """-1, 0 or 1."""
        if self.isnan():
            return self
        return precise(Fraction((self.value > 0) - (self.value < 0)), self.arithmetic)

    def floor(self) -> Precise:
        """The largest integer not above x."""
        return precise(Fraction(math.floor(self)), self.arithmetic) if self.isfinite() else self

    def ceil(self) -> Precise:
        """The smallest integer not below x."""
        return precise(Fraction(math.ceil(self)), self.arithmetic) if self.isfinite() else self

    def trunc(self) -> Precise:
        """The integer part."""
        return precise(Fraction(int(self)), self.arithmetic) if self.isfinite() else self

    def rint(self) -> Precise:
        """The nearest integer, ties to even."""
        if not self.isfinite():
            return self
        low = math.floor(self)
        rest = self - low
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1)
        return precise(Fraction(low + up), self.arithmetic)

    def isnan(self) -> bool:
        """Whether this is not a number."""
        return bool(self.value != self.value)

    def isinf(self) -> bool:
        """Whether this is infinite."""
        return not self.exact and bool(self.arithmetic.mp.isinf(self.value))

    def isfinite(self) -> bool:
        """Whether this is neither infinite nor nan."""
        return self.exact or bool(self.arithmetic.mp.isfinite(self.value))

    def signbit(self) -> bool:
        """Whether x < 0 (there is no negative zero here)."""
        return bool(self.value < 0)

    # -- showing -----------------------------------------------------------------------------------

    def __str__(self) -> str:
        if self.exact:
            return str(self.value)
        return str(self.arithmetic.mp.nstr(self.value, self.arithmetic.digits))

    def __repr__(self) -> str:
        return f"Precise({self})"

    def __format__(self, spec: str) -> str:
        return format(self._nearest_float(), spec) if spec else str(self)


def precise(value: Any, home: Arithmetic) -> Precise:
    """A Precise number around a value of the arithmetic; a fraction grown too long is rounded."""
    if (
        type(value) is Fraction
        and max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_FRACTION
    ):
        value = home.inexact(value)
    number = object.__new__(Precise)
    number.value = value
    number.arithmetic = home
    return number


def _add_method(name: str) -> None:
    def method(self: Precise, *others: Any) -> Any:
        return apply(name, self, *others)

    method.__name__ = name
    method.__doc__ = f"{name}, to the digits of the number."
    setattr(Precise, name, method)


for _name in MPMATH:
    _add_method(_name)
Precise.radians = Precise.deg2rad  # type: ignore[attr-defined]
Precise.degrees = Precise.rad2deg  # type: ignore[attr-defined]
