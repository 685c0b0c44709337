"""The arithmetics in which an expression is evaluated: Python's, NumPy's, mpmath's, and fractions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import S
from sympy.core.function import Application

from diffkit.errors import InputError, NoRuleError, how_to_get
from diffkit.expressions import Expression, short
from diffkit.symbolic.budget import BudgetError


class Arithmetic:
    """Numbers and functions of one kind.

    Attributes:
        functions: what SymPy's classes mean, by the class's name.
        convert: a value that the user gives, as a number of this kind.
        constant: a SymPy number or constant (2/3, 0.1, pi, E) as a number of this kind.
        takes_arrays: whether the functions work on arrays, elementwise.
        terms: how many terms Sums and Products may have in one computation.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        convert: Callable[[Any], Any],
        constant: Callable[[Expression], Any],
        *,
        takes_arrays: bool = False,
        terms: int = 100_000,
    ) -> None:
        self.functions = functions
        self.convert = convert
        self.constant = constant
        self.takes_arrays = takes_arrays
        self.terms = terms


def special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, which is imported when it is first called."""

    def function(*args: Any) -> Any:
        try:
            import scipy.special
        except ImportError:
            raise InputError(f"evaluating {name} in floats needs SciPy: {how_to_get('scipy')}") from None
        return getattr(scipy.special, name)(*args)

    return function


def _chosen(*pieces: Any) -> Any:
    """The value of the first piece whose condition holds, elementwise; nan where none does."""
    values, conditions = pieces[0::2], pieces[1::2]
    shape = np.broadcast_shapes(*(np.shape(p) for p in pieces))
    if shape == ():
        return next((v for v, c in zip(values, conditions, strict=True) if c), math.nan)
    broadcast = [np.broadcast_to(p, shape) for p in pieces]
    return np.select(
        [np.asarray(c, bool) for c in broadcast[1::2]], [np.asarray(v) for v in broadcast[0::2]], np.nan
    )


_RECIPROCALS = {"cot": "tan", "sec": "cos", "csc": "sin"}


def _circular(named: Callable[[str], Callable[..., Any]], arc: str) -> dict[str, Callable[..., Any]]:
    """The trigonometric and hyperbolic functions and their inverses, by SymPy's names.

    Args:
        named: the library's function of a name: sine, cosine, tangent and what derives from them.
        arc: how the library starts the names of the inverse functions.
    """

    def inverted(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: 1 / f(x)

    def of_inverse(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: f(1 / x)

    functions: dict[str, Callable[..., Any]] = {}
    for end in ("", "h"):
        for reciprocal, name in _RECIPROCALS.items():
            f, inverse = named(name + end), named(arc + name + end)
            functions |= {
                name + end: f,
                f"a{name}{end}": inverse,
                reciprocal + end: inverted(f),
                f"a{reciprocal}{end}": of_inverse(inverse),
            }
    return functions


_BESSEL = {"besselj": "jv", "bessely": "yv", "besseli": "iv", "besselk": "kv"}

NUMPY: dict[str, Callable[..., Any]] = {
    **_circular(lambda name: getattr(np, name), "arc"),
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "sign", "floor")},
    "atan2": np.arctan2,
    "Abs": np.abs,
    "ceiling": np.ceil,
    "Max": lambda *args: reduce(np.maximum, args),
    "Min": lambda *args: reduce(np.minimum, args),
    "Heaviside": lambda x, at_zero=0.5: np.heaviside(x, at_zero),
    "Mod": np.mod,
    "KroneckerDelta": lambda i, j: np.where(np.equal(i, j), 1.0, 0.0),
    **{name: special(name) for name in ("erf", "erfc", "erfi", "erfinv", "erfcinv", "gamma", "digamma")},
    "loggamma": special("gammaln"),
    "factorial": lambda x: special("gamma")(x + 1.0),
    "sinc": lambda x: np.sinc(x / np.pi),
    **{name: special(short) for name, short in _BESSEL.items()},
    "conjugate": np.conjugate,
    "re": np.real,
    "im": np.imag,
    "polygamma": lambda n, x: special("polygamma")(np.asarray(n).astype(int), x),
    "Piecewise": _chosen,
    "Equality": np.equal,
    "Unequality": np.not_equal,
    "StrictLessThan": np.less,
    "LessThan": np.less_equal,
    "StrictGreaterThan": np.greater,
    "GreaterThan": np.greater_equal,
    "And": lambda *args: reduce(np.logical_and, args),
    "Or": lambda *args: reduce(np.logical_or, args),
    "Not": np.logical_not,
    "Xor": lambda *args: reduce(np.logical_xor, args),
    "ITE": np.where,
    "UnevaluatedExpr": lambda x: x,
}

_SCALAR: dict[str, Callable[..., Any]] = {
    "Piecewise": lambda *p: next((v for v, c in zip(p[0::2], p[1::2], strict=True) if c), math.nan),
    "Equality": operator.eq,
    "Unequality": operator.ne,
    "StrictLessThan": operator.lt,
    "LessThan": operator.le,
    "StrictGreaterThan": operator.gt,
    "GreaterThan": operator.ge,
    "And": lambda *args: all(args),
    "Or": lambda *args: any(args),
    "Not": operator.not_,
    "Xor": lambda *args: reduce(operator.xor, map(bool, args)),
    "ITE": lambda condition, then, otherwise: then if condition else otherwise,
    "Max": max,
    "Min": min,
    "Abs": abs,
    "KroneckerDelta": lambda i, j: 1 if i == j else 0,
    "UnevaluatedExpr": lambda x: x,
    "sign": lambda x: (x > 0) - (x < 0),
    "Heaviside": lambda x, at_zero: 1 if x > 0 else at_zero if x == 0 else 0,
    "Mod": lambda x, y: x - y * math.floor(x / y),
}


def within_reach(value: Any, what: str) -> Any:
    """A number that mpmath can compute with: for sin(x) it needs all digits of x before the point.

    Raises:
        BudgetError: for a number of more than some nine hundred of them.
    """
    if abs(value) > _FARTHEST and not mpmath.isinf(value):
        raise BudgetError(
            f"{what} of a number with more than {_FARTHEST_DIGITS} digits before the point is not computed "
            "to a given precision; evaluate in floats, or at another point"
        )
    return value


_FARTHEST_DIGITS = 900
_FARTHEST = 10**_FARTHEST_DIGITS


def _by_mpmath(name: str) -> Callable[..., Any]:
    compute = getattr(mpmath, name)
    return lambda *args: compute(*[within_reach(a, name) for a in args])


MPMATH: dict[str, Callable[..., Any]] = {
    **_SCALAR,
    **{name: getattr(mpmath, name) for name in ("log", "sqrt", "atan2", "floor")},
    **{name: _by_mpmath(name) for name in ("exp", "gamma", "loggamma", "digamma")},
    **{name: _by_mpmath(name) for name in ("erf", "erfc", "erfi", "erfinv")},
    **{
        start + name + end: _by_mpmath(start + name + end)
        for start in ("", "a")
        for name in ("sin", "cos", "tan", "cot", "sec", "csc")
        for end in ("", "h")
    },
    **{name: getattr(mpmath, name) for name in ("re", "im")},
    "conjugate": mpmath.conj,
    **{name: _by_mpmath(name) for name in ("sinc", "factorial", *_BESSEL)},
    "erfcinv": lambda x: mpmath.erfinv(1 - x),
    "polygamma": lambda n, x: mpmath.psi(int(n), x),
    "ceiling": mpmath.ceil,
    "Mod": lambda x, y: x - y * mpmath.floor(x / y),
}

FRACTIONS: dict[str, Callable[..., Any]] = {
    **_SCALAR,
    "floor": lambda x: Fraction(math.floor(x)),
    "ceiling": lambda x: Fraction(math.ceil(x)),
}


def _to_float(value: Any) -> Any:
    if isinstance(value, sympy.Basic) and not value.is_number:
        raise InputError(f"expected a number or an array of numbers, got the expression {short(value)}")
    if isinstance(value, Fraction | sympy.Basic | mpmath.mpf):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind in "bui":
        array = array.astype(float)
    if array.dtype.kind not in "fc":
        raise InputError(f"expected a number or an array of numbers, got {short(value)}")
    if array.ndim:
        return array
    return array.item() if not isinstance(value, np.generic) else array[()]


def float_of(constant: Expression) -> Any:
    """A SymPy number or constant in floats; what is too large is infinite, as in IEEE arithmetic.

    Raises:
        InputError: for zoo, SymPy's infinity without a direction.
    """
    if constant.is_Rational:
        try:
            return constant.p / constant.q
        except OverflowError:
            return math.inf if constant.p > 0 else -math.inf
    _refuse_zoo(constant)
    return 1j if constant is S.ImaginaryUnit else float(constant)


def _refuse_zoo(constant: Expression) -> None:
    if constant is S.ComplexInfinity:
        raise InputError(
            "zoo, SymPy's infinity without a direction (1/0), has no value; find where the expression got it"
        )


def _to_fraction(value: Any) -> Fraction:
    if isinstance(value, sympy.Rational):
        return Fraction(value.p, value.q)
    try:
        return Fraction(value.item() if isinstance(value, np.generic) else value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"expected a finite number for exact evaluation, got {short(value)}") from None


def _fraction_constant(constant: Expression) -> Fraction:
    if constant.is_Rational:
        return Fraction(constant.p, constant.q)
    if constant.is_Float:
        sign, mantissa, exponent, _ = constant._mpf_
        power_of_two = Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)
        return (-int(mantissa) if sign else int(mantissa)) * power_of_two
    raise InputError(f"{constant} is not rational, so the expression has no exact value; use precision=")


def _to_mpf(value: Any) -> Any:
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    if isinstance(value, sympy.Basic):
        return _mpf_constant(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        raise InputError(
            f"expected a number, got the text {value!r}; write Fraction({value!r}) for a decimal"
        )
    return mpmath.mpf(value)


def _mpf_constant(constant: Expression) -> Any:
    if constant.is_Rational:
        return mpmath.mpf(constant.p) / constant.q
    if constant.is_Float:
        return mpmath.mpf(constant._mpf_)
    _refuse_zoo(constant)
    return mpmath.mpmathify(constant._to_mpmath(mpmath.mp.prec))


def _floating(name: str) -> Callable[..., Any]:
    """A function of NumPy's for floats: Python divides by 0.0 with an error, NumPy with a warning."""
    compute = NUMPY[name]
    return lambda *args: float(compute(*args))


_MATH: dict[str, Callable[..., Any]] = {
    **NUMPY,
    **_SCALAR,
    **_circular(lambda name: getattr(math, name), "a"),
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "erf", "erfc", "gamma", "atan2")},
    "loggamma": math.lgamma,
    "factorial": lambda x: math.gamma(x + 1),
    "sinc": lambda x: math.sin(x) / x if x else 1.0,
    **{name: _floating(name) for name in ("erfi", "erfinv", "erfcinv", "digamma", "polygamma", *_BESSEL)},
    **{name: _floating(name) for name in ("re", "im", "conjugate")},
    "floor": math.floor,
    "ceiling": math.ceil,
    "Heaviside": lambda x, at_zero: 1.0 if x > 0 else at_zero if x == 0 else 0.0,
    "KroneckerDelta": lambda i, j: 1.0 if i == j else 0.0,
}

FLOATS = Arithmetic(NUMPY, _to_float, float_of, takes_arrays=True, terms=10_000_000)
IEEE = Arithmetic(
    NUMPY,
    lambda v: np.asarray(_to_float(v))[()],
    lambda c: np.asarray(float_of(c))[()],
    takes_arrays=True,
    terms=10_000_000,
)
SCALARS = Arithmetic(_MATH, _to_float, float_of, terms=10_000_000)
DIGITS = Arithmetic(MPMATH, _to_mpf, _mpf_constant)
EXACT = Arithmetic(FRACTIONS, _to_fraction, _fraction_constant)


@cache
def _by_sympy(head: Any) -> Callable[..., Any]:
    """A function that only SymPy can evaluate (a Lambert W, a Bessel function): its own ``evalf``."""

    def whole(a: Any) -> Any:  # which are a degree or an order, SymPy knows by their being integers
        return int(a) if float(a).is_integer() else a

    def at(*args: Any) -> Any:
        def one(*leaves: Any) -> float:
            values = iter(leaves)
            return float(head(*[_filled(a, values, whole) for a in args]).evalf())

        return np.vectorize(one, otypes=[float])(*[leaf for a in args for leaf in _leaves(a)])[()]

    return at


def _leaves(value: Any) -> list[Any]:
    """What stands in tuples within tuples, as the parameters of hypergeometric functions do."""
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, tuple) else [value]


def _filled(like: Any, leaves: Iterator[Any], whole: Callable[[Any], Any]) -> Any:
    if isinstance(like, tuple):
        return tuple(_filled(part, leaves, whole) for part in like)
    return whole(next(leaves))


def implementation(
    head: Any, arithmetic: Arithmetic, functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """What computes a SymPy function: the user's, the arithmetic's, or SymPy itself.

    Raises:
        NoRuleError: for an undefined function, by name.
    """
    name = head.__name__
    known = functions.get(name) or arithmetic.functions.get(name) or getattr(head, "_imp_", None)
    if known is not None:
        return known
    if isinstance(head, sympy.core.function.UndefinedFunction) or not issubclass(head, Application):
        raise NoRuleError(
            f"{name} has no value here; say what it computes, as in functions={{{name!r}: a Python function}}"
        )
    if arithmetic is EXACT:
        raise InputError(f"{name} has no exact rational value; use precision= for as many digits as you like")
    if arithmetic is DIGITS:
        return lambda *args: mpmath.mpf(head(*args).evalf(mpmath.mp.dps + 5)._to_mpmath(mpmath.mp.prec))
    compute = _by_sympy(head)
    return (lambda *args: float(compute(*args))) if arithmetic is SCALARS else compute
