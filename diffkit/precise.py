"""Numbers without round-off, on which ordinary NumPy code runs: the independent truth.

A :class:`Precise` number is an exact fraction for as long as a program only adds, subtracts,
multiplies, divides and takes integer powers (every float is a fraction whose denominator is a
power of two). After the first transcendental function it is an mpmath number of as many digits as
were asked for. Comparisons give real bools, so that branches and data-dependent loops run, and
NumPy's own protocols (NEP 13, NEP 18) carry its functions, so that the program is run unchanged.

>>> import numpy as np
>>> evaluate(lambda x: x * x + 1 / x, 0.5)
Precise(9/4)
>>> evaluate(lambda x: np.tanh(x) @ x, np.array([0.5, 1.0]), digits=30)
Precise(0.992652734585769...)

What derivative rules and difference formulas are measured against comes from here:
:func:`reference_derivative` knows no rule, only the definition of the derivative, a step of 1e-30
or less, and enough digits for the subtraction to lose half of them.
"""

from __future__ import annotations

import math
import operator
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.containers import Structure, flatten, paths
from diffkit.errors import DiffkitError, InputError

__all__ = ["Kink", "Precise", "PreciseArray", "Reference", "evaluate", "reference_derivative"]

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


# -- the functions on one number ------------------------------------------------------------------
#
# Each takes the mpmath context and mpmath numbers. A real argument outside a function's domain
# makes nan, as in NumPy, not a complex number.


def _cbrt(mp: Any, x: Any) -> Any:
    return -mp.cbrt(-x) if x < 0 else mp.cbrt(x)


def _logaddexp(mp: Any, x: Any, y: Any) -> Any:
    if mp.isinf(x) or mp.isinf(y):
        return max(x, y)
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def _gamma(mp: Any, x: Any) -> Any:
    return mp.nan if x <= 0 and mp.isint(x) else mp.gamma(x)


def _gammaln(mp: Any, x: Any) -> Any:
    if x <= 0 and mp.isint(x):
        return mp.inf
    # SciPy's gammaln is log|gamma(x)|, mpmath's loggamma the complex continuation.
    return mp.re(mp.loggamma(x))


_MPMATH: dict[str, Callable[..., Any]] = {
    "sqrt": lambda mp, x: mp.sqrt(x),
    "cbrt": _cbrt,
    "hypot": lambda mp, x, y: mp.hypot(x, y),
    "exp": lambda mp, x: mp.exp(x),
    "exp2": lambda mp, x: mp.power(2, x),
    "expm1": lambda mp, x: mp.expm1(x),
    "log": lambda mp, x: mp.log(x),
    "log2": lambda mp, x: mp.log(x) / mp.ln2,
    "log10": lambda mp, x: mp.log(x) / mp.ln10,
    "log1p": lambda mp, x: mp.log1p(x),
    "logaddexp": _logaddexp,
    "logaddexp2": lambda mp, x, y: _logaddexp(mp, x * mp.ln2, y * mp.ln2) / mp.ln2,
    "expit": lambda mp, x: 1 / (1 + mp.exp(-x)),
    "logit": lambda mp, x: mp.log(x / (1 - x)),
    "log_expit": lambda mp, x: -_logaddexp(mp, mp.zero, -x),
    "sin": lambda mp, x: mp.sin(x),
    "cos": lambda mp, x: mp.cos(x),
    "tan": lambda mp, x: mp.tan(x),
    "cot": lambda mp, x: mp.cot(x),
    "sec": lambda mp, x: mp.sec(x),
    "csc": lambda mp, x: mp.csc(x),
    "arcsin": lambda mp, x: mp.asin(x),
    "arccos": lambda mp, x: mp.acos(x),
    "arctan": lambda mp, x: mp.atan(x),
    "acot": lambda mp, x: mp.acot(x),
    "asec": lambda mp, x: mp.asec(x),
    "acsc": lambda mp, x: mp.acsc(x),
    "arctan2": lambda mp, y, x: mp.atan2(y, x),
    "deg2rad": lambda mp, x: x * mp.pi / 180,
    "rad2deg": lambda mp, x: x * 180 / mp.pi,
    "sinh": lambda mp, x: mp.sinh(x),
    "cosh": lambda mp, x: mp.cosh(x),
    "tanh": lambda mp, x: mp.tanh(x),
    "coth": lambda mp, x: mp.coth(x),
    "sech": lambda mp, x: mp.sech(x),
    "csch": lambda mp, x: mp.csch(x),
    "arcsinh": lambda mp, x: mp.asinh(x),
    "arccosh": lambda mp, x: mp.acosh(x),
    "arctanh": lambda mp, x: mp.atanh(x),
    "acoth": lambda mp, x: mp.acoth(x),
    "erf": lambda mp, x: mp.erf(x),
    "erfc": lambda mp, x: mp.erfc(x),
    "gamma": _gamma,
    "gammaln": _gammaln,
    "digamma": lambda mp, x: mp.digamma(x),
    "float_power": lambda mp, x, y: mp.power(x, y),
}


def _apply(name: str, *arguments: Any) -> Any:
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
        result = _MPMATH[name](mp, *values)
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


def _arithmetic_method(apply: Callable[..., Any], *, swapped: bool = False, context: bool = False) -> Any:
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
        if (type(a) is Fraction) is not (type(b) is Fraction) and apply is not _power:
            a, b = home.inexact(a), home.inexact(b)
        if swapped:
            a, b = b, a
        return precise(apply(a, b, home) if context else apply(a, b), home)

    return method


def _comparison_method(apply: Callable[[Any, Any], Any]) -> Any:
    def method(self: Precise, other: Any) -> Any:
        a, b = self.value, self.arithmetic.lift(other)
        if b is None:
            return NotImplemented
        if (type(a) is Fraction) is not (type(b) is Fraction):
            a, b = self.arithmetic.inexact(a), self.arithmetic.inexact(b)
        return bool(apply(a, b))

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

    __slots__ = ("arithmetic", "value")

    arithmetic: Arithmetic
    value: Any
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

    # -- NumPy's protocols -------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _run_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _unwrapped(function(*_as_arrays(args), **_as_arrays(kwargs)))


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
        return _apply(name, self, *others)

    method.__name__ = name
    method.__doc__ = f"{name}, to the digits of the number."
    setattr(Precise, name, method)


for _name in _MPMATH:
    _add_method(_name)
Precise.radians = Precise.deg2rad  # type: ignore[attr-defined]
Precise.degrees = Precise.rad2deg  # type: ignore[attr-defined]


# -- arrays of numbers, and NumPy's functions on them -----------------------------------------------


class PreciseArray(np.ndarray[Any, Any]):
    """An object array of Precise numbers, which NumPy's functions take as they take floats.

    Plain object arrays do arithmetic already, and call methods for one-argument functions; this
    adds the functions for which NumPy has no object loop (``logaddexp``, ``isfinite``), SciPy's,
    and the commonest linear algebra.
    """

    __array_priority__ = 10.0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _run_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        ours = _LINEAR_ALGEBRA.get(function)
        if ours is not None:
            return ours(*args, **kwargs)
        # Scalars become arrays first, so that all the arguments are ndarrays and NumPy goes ahead.
        return _unwrapped(
            super().__array_function__(
                function,
                [kind for kind in types if kind is not Precise],
                _as_arrays(args),
                _as_arrays(kwargs),
            )
        )


def _as_arrays(value: Any) -> Any:
    """The same nesting of arguments with each Precise number as an array without axes."""
    if type(value) is Precise:
        return _array_of(value)
    if type(value) in (list, tuple):
        return type(value)(_as_arrays(entry) for entry in value)
    if type(value) is dict:
        return {key: _as_arrays(entry) for key, entry in value.items()}
    return value


def _array_of(number: Precise) -> PreciseArray:
    array = np.empty((), dtype=object)
    array[()] = number
    return array.view(PreciseArray)


def _plain(value: Any) -> Any:
    if type(value) is Precise:
        return _array_of(value).view(np.ndarray)
    return value.view(np.ndarray) if isinstance(value, PreciseArray) else value


def _unwrapped(result: Any) -> Any:
    """Object arrays as PreciseArrays, those without axes as the number inside."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        return result[()] if result.ndim == 0 else result.view(PreciseArray)
    if isinstance(result, (tuple, list)) and not isinstance(result, str):
        parts, kind = [_unwrapped(part) for part in result], type(result)
        return kind(*parts) if hasattr(kind, "_make") else kind(parts)
    return result


def _heaviside(x: Any, y: Any) -> Any:
    return y * 0 + (x > 0) if x != 0 else y


def _copysign(x: Any, y: Any) -> Any:
    return abs(x) if y >= 0 else -abs(x)


_PREDICATES = frozenset({"isnan", "isinf", "isfinite", "signbit"})
_METHODS = frozenset({*_MPMATH, *_PREDICATES, "rint", "trunc", "floor", "ceil", "sign", "reciprocal"})


@cache
def _elementwise(name: str, arity: int) -> Any:
    """NumPy's function by its name, as a function on objects; None if NumPy's own object loop serves."""
    if name == "heaviside":
        return np.frompyfunc(_heaviside, 2, 1)
    if name == "copysign":
        return np.frompyfunc(_copysign, 2, 1)
    name = {"degrees": "rad2deg", "radians": "deg2rad", "psi": "digamma", "loggamma": "gammaln"}.get(
        name, name
    )
    if name not in _METHODS:
        return None

    def call(*arguments: Any) -> Any:
        if any(type(a) is Precise for a in arguments):
            if name in _MPMATH:
                return _apply(name, *arguments)
            return getattr(arguments[0], name)()
        # An array may hold plain numbers between the precise ones: the zeros of np.zeros_like.
        return getattr(Precise(arguments[0]), name)(*arguments[1:])

    return np.frompyfunc(call, arity, 1)


def _run_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = ufunc.__name__
    run = _elementwise(name, ufunc.nin) or ufunc
    if "out" in kwargs:
        kwargs["out"] = tuple(_plain(each) for each in kwargs["out"])
    result = getattr(run, method)(*[_plain(each) for each in inputs], **kwargs)
    if name in _PREDICATES:
        return np.asarray(result, dtype=bool)[()]
    if "out" in kwargs and result is not None:
        return _unwrapped(np.asarray(result)) if isinstance(result, np.ndarray) else result
    return _unwrapped(result)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm for the vector norms 1, 2, inf and the Frobenius norm."""
    x = np.asarray(x)
    if ord in (None, 2, "fro") and not (ord == 2 and x.ndim != 1 and axis is None):
        return np.sqrt(np.sum(np.abs(x).view(PreciseArray) ** 2, axis=axis, keepdims=keepdims))
    if x.ndim == 1 or isinstance(axis, int):
        if ord == 1:
            return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        if ord == np.inf:
            return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    raise NotImplementedError(f"np.linalg.norm with ord={ord!r} of an array {x.shape} at high precision")


def _eliminate(a: Any, b: Any) -> tuple[Any, Any, list[Any]]:
    """Gauss-Jordan elimination: the identity, the solution of a x = b, and the signed pivots."""
    a, b = np.array(a, dtype=object), np.array(b, dtype=object)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise NotImplementedError(f"linear algebra at high precision takes one square matrix, got {a.shape}")
    pivots: list[Any] = []
    for k in range(len(a)):
        p = k + int(np.argmax(np.abs(a[k:, k])))
        if a[p, k] == 0:
            return a, None, [*pivots, a[p, k]]
        pivots.append(a[p, k] if p == k else -a[p, k])
        if p != k:
            a[[k, p]], b[[k, p]] = a[[p, k]], b[[p, k]]
        b[k], a[k] = b[k] / a[k, k], a[k] / a[k, k]
        for i in range(len(a)):
            if i != k:
                b[i], a[i] = b[i] - a[i, k] * b[k], a[i] - a[i, k] * a[k]
    return a, b, pivots


def _solve(a: Any, b: Any) -> Any:
    solution = _eliminate(a, b)[1]
    if solution is None:
        raise np.linalg.LinAlgError("Singular matrix")
    return _unwrapped(solution)


def _inv(a: Any) -> Any:
    return _solve(a, np.eye(len(a), dtype=int).astype(object))


def _det(a: Any) -> Any:
    return math.prod(_eliminate(a, np.zeros(len(a), dtype=object))[2])


def _slogdet(a: Any) -> Any:
    determinant = _det(a)
    return np.sign(determinant), np.log(abs(determinant))


_LINEAR_ALGEBRA: dict[Any, Callable[..., Any]] = {
    np.linalg.norm: _norm,
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
}


# -- running a program ------------------------------------------------------------------------------


def lift(value: Any, home: Arithmetic) -> Any:
    """A leaf with its floats as Precise numbers; whole numbers stay, since they count and index."""
    if isinstance(value, np.ndarray):
        if value.dtype == object or np.issubdtype(value.dtype, np.inexact):
            out = np.empty(value.shape, dtype=object)
            # ndarray.tolist would turn float32 into float, and longdouble into itself: go by element
            out.reshape(-1)[:] = [_lifted(entry, home) for entry in value.reshape(-1)]
            return out.view(PreciseArray)
        return value
    return _lifted(value, home)


def _lifted(value: Any, home: Arithmetic) -> Any:
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return value
    number = home.lift(value)
    return value if number is None else precise(number, home)


def _released(value: Any, home: Arithmetic) -> Any:
    """A result as Precise numbers that may become floats again."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufcO":
            return value
        out = np.empty(value.shape, dtype=object)
        out.reshape(-1)[:] = [_released(entry, home) for entry in value.reshape(-1)]
        return out.view(PreciseArray)
    number = home.lift(value)
    return value if number is None else precise(number, home)


def run(f: Callable[..., Any], arguments: Sequence[Any], home: Arithmetic) -> Any:
    """f on arguments that are Precise already, with what goes wrong explained.

    Raises:
        InputError: if f raises, or does something that needs a machine float.
    """
    try:
        with np.errstate(all="ignore"):
            return f(*arguments)
    except DiffkitError:
        raise
    except Exception as error:
        name = getattr(f, "__name__", "f")
        raise InputError(
            f"{name} can't be run on numbers of {home.digits} digits: {type(error).__name__}: {error}"
            f"{_place(error)}"
        ) from error


def _place(error: BaseException) -> str:
    """The last line of the user's own code that an error came through."""
    ours = (str(Path(__file__).parent), str(Path(np.__file__).parent))
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)
    ]
    return f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""


def evaluate(f: Callable[..., Any], *args: Any, digits: int = 60, exact: bool = True) -> Any:
    """f at the given arguments, without round-off.

    Args:
        f: a program of NumPy functions and Python operators, with any branches and loops.
        *args: floats, float arrays, complex numbers, Fractions, or containers of them. A float
            stands for exactly the binary fraction that it is. Integers, texts and None are handed
            on as they are.
        digits: the decimal digits kept after a transcendental function. What is lost by
            cancellation inside f comes off them.
        exact: whether to keep rational results as fractions; without, all is mpmath, which is
            quicker in long programs.

    Returns:
        f's result with :class:`Precise` numbers in place of floats; ``float(...)`` and
        ``.astype(float)`` round them correctly.

    Raises:
        InputError: if f can't be run on such numbers, with the reason: it uses ``math``, stores
            into a float array, or raises an error of its own.

    >>> from fractions import Fraction
    >>> evaluate(lambda x: 4 * x * (1 - x), Fraction(1, 5))
    Precise(16/25)
    >>> import math
    >>> evaluate(lambda x: math.sin(x), 1.0)
    Traceback (most recent call last):
    diffkit.errors.InputError: <lambda> can't be run on numbers of 60 digits: TypeError: ...
    """
    sealed, released = arithmetic(digits, exact, True), arithmetic(digits, exact)
    leaves, structure = flatten(args)
    result = run(f, structure.unflatten([lift(leaf, sealed) for leaf in leaves]), sealed)
    leaves, structure = flatten(result)
    return structure.unflatten([_released(leaf, released) for leaf in leaves])


# -- the reference derivative -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kink:
    """A coordinate along which the one-sided derivatives differ.

    Attributes:
        coordinate: its number among the floats of the arguments.
        name: what the user would write: ``x[2]``.
        output: the number of the output that has the kink.
        left: the derivative from the left; nan where f has no value there.
        right: the derivative from the right.
    """

    coordinate: int
    name: str
    output: int
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Reference:
    """Derivatives to many digits.

    Attributes:
        partials: Precise numbers (outputs, coordinates): the Jacobian's chosen columns, outputs and
            inputs each counted flat. At a kink, the mean of the one-sided derivatives.
        value: f's result, in its own structure, as Precise numbers.
        coordinates: the chosen coordinates' numbers among all the floats of the arguments.
        names: what the user would call them: ``x``, ``x[1, 2]``, ``args[0]['w'][3]``.
        kinks: where the one-sided derivatives differ.
        digits: how many digits of ``partials`` hold.
        evaluations: how many times f was run.
    """

    partials: Any
    value: Any
    coordinates: tuple[int, ...]
    names: tuple[str, ...]
    kinks: tuple[Kink, ...]
    digits: int
    evaluations: int

    def floats(self) -> Any:
        """``partials`` correctly rounded: an array (outputs, coordinates), complex if any of it is."""
        kind = complex if any(p._complex for p in self.partials.flat) else float
        return self.partials.astype(kind)


def reference_derivative(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    coordinates: Sequence[int] | None = None,
    digits: int = 50,
    names: Sequence[str] | None = None,
) -> Reference:
    """The Jacobian of f, correct to ``digits`` digits and independent of any derivative rule.

    Central differences with a step h of 10**-(digits/2 + 5) or less leave a truncation error of
    h**2 f'''/6; the arithmetic has so many digits more that subtraction and division lose none of
    those asked for.

    Args:
        f: the program.
        args: its arguments, as a sequence; integers and texts among them are held fixed.
        coordinates: which floats to differentiate by, counted through all the arguments in order;
            all of them by default. The cost is two runs of f for each, and one more.
        digits: how many digits to deliver, if f's first three derivatives are of like size.
        names: what to call the arguments in ``Reference.names``.

    Raises:
        InputError: if f can't be run on Precise numbers (with the reason), has no float argument,
            or ``coordinates`` names one that isn't there.

    >>> import numpy as np
    >>> reference_derivative(lambda x: np.sin(x), [1.0], digits=30).partials[0, 0]
    Precise(0.540302305868139717400936607...)
    >>> reference_derivative(lambda x: np.maximum(x, 0.0), [0.0]).kinks
    (Kink(coordinate=0, name='x0', output=0, left=0.0, right=1.0),)
    """
    leaves, structure = flatten(tuple(args))
    if names is None:
        names = [f"x{k}" for k in range(len(args))]
    places, labels = _coordinates(leaves, structure, names)
    chosen = tuple(range(len(places)) if coordinates is None else [operator.index(c) for c in coordinates])
    if not places or any(not 0 <= c < len(places) for c in chosen):
        raise InputError(
            f"the arguments have {len(places)} floats to differentiate by; coordinates are numbers from 0 to "
            f"{len(places) - 1}, got {list(chosen)}"
            if places
            else "none of the arguments is a float or has floats in it: nothing to differentiate by"
        )
    k = digits // 2 + 5

    def outputs_at(home: Arithmetic, place: tuple[int, Any] | None, shift: Any) -> tuple[Any, list[Any]]:
        lifted = [lift(leaf, home) for leaf in leaves]
        if place is not None:
            leaf, index = place
            if isinstance(lifted[leaf], np.ndarray):
                lifted[leaf][index] = lifted[leaf][index] + shift
            else:
                lifted[leaf] = lifted[leaf] + shift
        result = run(f, structure.unflatten(lifted), home)
        return result, _flat_numbers(result, home)

    middles: dict[int, tuple[Any, list[Any]]] = {}
    columns, kinks, evaluations = [], [], 0
    for c in chosen:
        leaf, index = places[c]
        x = leaves[leaf][index] if isinstance(leaves[leaf], np.ndarray) else leaves[leaf]
        size = abs(complex(x))
        exponent = k + (max(0, math.ceil(-math.log10(size))) if 0 < size < 1 else 0)
        # Digits for h, for x beside h, and for the part that the subtraction takes.
        needed = digits + exponent + 35 + (math.ceil(2 * math.log10(size)) if size > 1 else 0)
        home = arithmetic(-(-needed // 25) * 25, False, True)
        if home.digits not in middles:
            middles[home.digits] = outputs_at(home, None, None)
        h = precise(home.mp.mpf(10) ** -exponent, home)
        middle = middles[home.digits][1]

        def one_sided(
            h: Any, home: Arithmetic = home, middle: list[Any] = middle, c: int = c
        ) -> list[tuple[Any, Any]]:
            above, below = (outputs_at(home, places[c], shift)[1] for shift in (h, -h))
            if not len(above) == len(below) == len(middle):
                raise InputError(f"f returns {len(middle)} numbers at the point, but another count beside it")
            return [((y - b) / h, (a - y) / h) for a, y, b in zip(above, middle, below, strict=True)]

        sides = one_sided(h)
        columns.append([(left + right) / 2 for left, right in sides])
        suspects = [m for m, (left, right) in enumerate(sides) if _differ(left, right, digits)]
        if suspects:  # where f is smooth, the difference is h f'' and goes away with h
            finer = one_sided(h / 2**40)
            evaluations += 2
        for m in suspects:
            left, right = finer[m]
            gap, before = abs(right - left), abs(sides[m][1] - sides[m][0])
            if not gap * 16 < before:
                kinks.append(Kink(c, labels[c], m, _as_float(left), _as_float(right)))
    value, middle = next(iter(middles.values())) if middles else outputs_at(arithmetic(digits), None, None)
    released = arithmetic(digits)
    partials = np.empty((len(middle), len(chosen)), dtype=object).view(PreciseArray)
    for j, column in enumerate(columns):
        partials[:, j] = [precise(released.mp.mpmathify(p.value), released) for p in column]
    out_leaves, out_structure = flatten(value)
    return Reference(
        partials=partials,
        value=out_structure.unflatten([_released(leaf, released) for leaf in out_leaves]),
        coordinates=chosen,
        names=tuple(labels[c] for c in chosen),
        kinks=tuple(kinks),
        digits=digits,
        evaluations=evaluations + 2 * len(chosen) + len(middles),
    )


def _coordinates(
    leaves: Sequence[Any], structure: Structure, names: Sequence[str]
) -> tuple[list[tuple[int, Any]], list[str]]:
    """Where each float of the arguments is, as (leaf, index in it), and its name."""
    places: list[tuple[int, Any]] = []
    labels: list[str] = []
    prefixes = [
        path for name, child in zip(names, structure.children, strict=True) for path in paths(child, name)
    ]
    for k, (leaf, prefix) in enumerate(zip(leaves, prefixes, strict=True)):
        if isinstance(leaf, np.ndarray):
            if leaf.dtype == object or np.issubdtype(leaf.dtype, np.inexact):
                for index in np.ndindex(leaf.shape):
                    places.append((k, index))
                    labels.append(prefix + (f"[{', '.join(map(str, index))}]" if index else ""))
        elif isinstance(leaf, (float, complex, np.inexact, Fraction, Precise)):
            places.append((k, ()))
            labels.append(prefix)
    return places, labels


def _flat_numbers(result: Any, home: Arithmetic) -> list[Any]:
    """All the numbers of a result, in order."""
    numbers: list[Any] = []
    for leaf in flatten(result)[0]:
        for entry in leaf.reshape(-1) if isinstance(leaf, np.ndarray) else [leaf]:
            number = home.lift(entry)
            if number is not None:
                numbers.append(precise(number, home))
    return numbers


def _differ(left: Any, right: Any, digits: int) -> bool:
    """Whether one-sided differences differ by more than the step explains."""
    if left.isnan() or right.isnan() or left.isinf() or right.isinf():
        return True
    scale = max(abs(left), abs(right))
    return bool(abs(right - left) > scale * Fraction(1, 10 ** (digits // 5)))


def _as_float(number: Precise) -> float:
    return number.real._nearest_float()
