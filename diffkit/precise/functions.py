"""Elementary functions by mpmath, under NumPy's names.

Each takes the mpmath context and mpmath numbers. A real argument outside a function's domain makes
nan in :mod:`~diffkit.precise.number`, as in NumPy, not a complex number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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


MPMATH: dict[str, Callable[..., Any]] = {
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
    "asech": lambda mp, x: mp.asech(x),
    "acsch": lambda mp, x: mp.acsch(x),
    "erf": lambda mp, x: mp.erf(x),
    "erfc": lambda mp, x: mp.erfc(x),
    "gamma": _gamma,
    "gammaln": _gammaln,
    "digamma": lambda mp, x: mp.digamma(x),
    "rgamma": lambda mp, x: mp.rgamma(x),
    "beta": lambda mp, x, y: mp.beta(x, y),
    "betaln": lambda mp, x, y: _gammaln(mp, x) + _gammaln(mp, y) - _gammaln(mp, x + y),
    "gammainc": lambda mp, a, x: mp.gammainc(a, 0, x, regularized=True),
    "gammaincc": lambda mp, a, x: mp.gammainc(a, x, mp.inf, regularized=True),
    "ndtr": lambda mp, x: mp.erfc(-x / mp.sqrt(2)) / 2,
    "log_ndtr": lambda mp, x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
    "erfinv": lambda mp, x: mp.erfinv(x),
    "xlogy": lambda mp, x, y: mp.zero if x == 0 else x * mp.log(y),
    "xlog1py": lambda mp, x, y: mp.zero if x == 0 else x * mp.log1p(y),
    "entr": lambda mp, x: mp.zero if x == 0 else -x * mp.log(x) if x > 0 else mp.ninf,
    "rel_entr": lambda mp, x, y: mp.zero if x == 0 else x * mp.log(x / y),
    "i0": lambda mp, x: mp.besseli(0, x),
    "i1": lambda mp, x: mp.besseli(1, x),
    "iv": lambda mp, v, x: mp.besseli(v, x),
    "j0": lambda mp, x: mp.besselj(0, x),
    "j1": lambda mp, x: mp.besselj(1, x),
    "jv": lambda mp, v, x: mp.besselj(v, x),
    "float_power": lambda mp, x, y: mp.power(x, y),
}
