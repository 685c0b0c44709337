"""Elementwise functions that have no line in the calculus table: clip, sinc, fmax, ldexp, modf, ..."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import UFUNCS, Primitive
from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.decisions import exponent
from diffkit.autodiff.rules.elementwise import above
from diffkit.autodiff.rules.register import composite, constant, define, fit, reentrant
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayValue, Value

# -- clip: the smaller of upper and the larger of x and lower, ties shared as there -----------------------


def _share_of_x(x: Value, lower: Value, upper: Value) -> Any:
    if lower is None:
        return above(upper, x)
    inside = above(x, lower)
    return inside if upper is None else inside * above(upper, np.maximum(x, lower))


def _share_of_lower(x: Value, lower: Value, upper: Value) -> Any:
    share = above(lower, x)
    return share if upper is None else share * above(upper, np.maximum(x, lower))


def _share_of_upper(x: Value, lower: Value, upper: Value) -> Any:
    return above(x if lower is None else np.maximum(x, lower), upper)


def _clip_entry(fun: Primitive) -> Any:
    missing = np._NoValue

    def clip(
        a: Value,
        a_min: Any = missing,
        a_max: Any = missing,
        out: None = None,
        *,
        min: Any = None,
        max: Any = None,
        **_: Any,
    ) -> Any:
        lower = min if a_min is missing else a_min
        upper = max if a_max is missing else a_max
        if lower is missing:
            lower = None
        if upper is missing:
            upper = None
        if lower is None and upper is None:
            return np.copy(a)
        return fun(as_array(a), as_array(lower), as_array(upper))

    return clip


define(
    np.clip,
    [
        lambda g, ans, x, lower, upper: fit(g * _share_of_x(x, lower, upper), x),
        lambda g, ans, x, lower, upper: fit(g * _share_of_lower(x, lower, upper), lower),
        lambda g, ans, x, lower, upper: fit(g * _share_of_upper(x, lower, upper), upper),
    ],
    [
        lambda t, ans, x, lower, upper: t * _share_of_x(x, lower, upper),
        lambda t, ans, x, lower, upper: t * _share_of_lower(x, lower, upper),
        lambda t, ans, x, lower, upper: t * _share_of_upper(x, lower, upper),
    ],
    entry=_clip_entry,
)


# -- sinc, with all its derivatives -----------------------------------------------------------------------

_TERMS = 24


def _sinc_derivative(x: ArrayValue, k: int) -> Any:
    """The k-th derivative of sin(pi x) / (pi x), to full precision also near 0.

    With f(z) = sin(z) / z: from (z f)' and so on, z f^(k) + k f^(k-1) = sin(z + k pi / 2), which gives each
    derivative from the one before but loses digits for small z; there the power series is summed.
    """
    x = np.asarray(x)
    z = np.pi * x.astype(np.result_type(x, float))
    near = np.abs(z) <= k + 2
    near_z = np.where(near, z, 0.0)
    series = np.zeros_like(z)
    for j in range((k + 1) // 2 + _TERMS, (k + 1) // 2 - 1, -1):
        power = 2 * j - k
        falling = math.prod(range(power + 1, 2 * j + 1))
        weight = (-1) ** j * falling / math.factorial(2 * j + 1)
        series = series + weight * near_z**power
    far_z = np.where(near, 1.0, z)
    far = np.sin(far_z) / far_z
    for i in range(1, k + 1):
        far = (np.sin(far_z + i * (np.pi / 2)) - i * far) / far_z
    derivative = np.pi**k * np.where(near, series, far)
    return derivative.astype(np.result_type(x, np.float16))[()]


sinc_derivative = reentrant(Primitive("sinc_derivative", _sinc_derivative))
sinc_derivative.vjps = (lambda g, ans, x, k: g * sinc_derivative(x, k + 1), None)
sinc_derivative.jvps = (lambda t, ans, x, k: t * sinc_derivative(x, k + 1), None)

define(
    np.sinc,
    [lambda g, ans, x: fit(g * sinc_derivative(x, 1), x)],
    [lambda t, ans, x: t * sinc_derivative(x, 1)],
)


# -- ufuncs -----------------------------------------------------------------------------------------------


def _ufunc(ufunc: Any, vjps: list[Any], jvps: list[Any]) -> None:
    fun = UFUNCS[ufunc] = Primitive(ufunc.__name__, ufunc)
    fun.line = None  # the table's line of the same name, if any, does not say how NaNs are passed over
    fun.vjps, fun.jvps = tuple(vjps), tuple(jvps)


def _ahead(x: Value, y: Value) -> Any:
    """1 where x is the larger, 1/2 at a tie, 0 where y is; a NaN is never the larger."""
    x_known, y_known = ~np.isnan(x), ~np.isnan(y)
    return np.where(x_known & y_known, above(x, y), x_known * 1.0)


_ufunc(
    np.fmax,
    [lambda g, ans, x, y: fit(g * _ahead(x, y), x), lambda g, ans, x, y: fit(g * _ahead(y, x), y)],
    [lambda t, ans, x, y: t * _ahead(x, y), lambda t, ans, x, y: t * _ahead(y, x)],
)
_ufunc(
    np.fmin,
    [lambda g, ans, x, y: fit(g * _ahead(-x, -y), x), lambda g, ans, x, y: fit(g * _ahead(-y, -x), y)],
    [lambda t, ans, x, y: t * _ahead(-x, -y), lambda t, ans, x, y: t * _ahead(-y, -x)],
)
_ufunc(
    np.fmod,
    [lambda g, ans, x, y: fit(g, x), lambda g, ans, x, y: fit(-g * np.trunc(x / y), y)],
    [lambda t, ans, x, y: t, lambda t, ans, x, y: -t * np.trunc(x / y)],
)
_ufunc(
    np.ldexp,
    [lambda g, ans, x, n: fit(np.ldexp(g, n), x), None],
    [lambda t, ans, x, n: np.ldexp(t, n), None],
)

_ufunc(  # the neighbour of x, which goes where x goes
    np.nextafter,
    [lambda g, ans, x, y: fit(g, x), None],
    [lambda t, ans, x, y: t, None],
)


def _i1(x: Value) -> Any:
    try:
        from scipy.special import i1
    except ImportError as error:
        raise NoRuleError("the derivative of np.i0 is SciPy's i1: install SciPy") from error
    return i1(x)


define(np.i0, [lambda g, ans, x: fit(g * _i1(x), x)], [lambda t, ans, x: t * _i1(x)])


@composite(np.modf)
def _modf(x: Value, /) -> Any:
    whole = np.trunc(x)
    return x - whole, whole


@composite(np.frexp)
def _frexp(x: Value, /) -> Any:
    power = decided(exponent, x)
    return np.ldexp(x, -power), power


@composite(np.divmod)
def _divmod(x: Value, y: Value, /) -> Any:
    return np.floor_divide(x, y), np.remainder(x, y)


constant(np.round, np.around, np.fix, np.isneginf, np.isposinf, np.iscomplex, np.isreal)
for _integer in "bitwise_and bitwise_or bitwise_xor bitwise_count gcd lcm left_shift right_shift".split():
    _function = getattr(np, _integer, None)
    if _function is not None:
        UFUNCS[_function] = Primitive(_integer, _function, constant=True)


# -- functions of functions -------------------------------------------------------------------------------


@composite(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    rows = np.moveaxis(arr, axis, -1)
    outer = rows.shape[:-1]
    answers = [as_array(func1d(rows[index], *args, **kwargs)) for index in np.ndindex(*outer)]
    inner = np.shape(answers[0])
    whole = np.reshape(np.stack(answers), (*outer, *inner))
    sources = tuple(range(len(outer), len(outer) + len(inner)))
    return np.moveaxis(whole, sources, tuple(axis % np.ndim(arr) + k for k in range(len(inner))))


@composite(np.apply_over_axes)
def _apply_over_axes(func: Any, a: Value, axes: Any) -> Any:
    for axis in np.ravel(axes):
        reduced = func(a, int(axis))
        a = reduced if np.ndim(reduced) == np.ndim(a) else np.expand_dims(reduced, int(axis))
    return a
