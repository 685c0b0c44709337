"""Elementwise functions: their rules are the calculus table, compiled.

A line of the table gives four rules: the VJP and the JVP of each argument, for arrays (in terms of
NumPy, so that they can be traced) and for Python floats (in terms of ``math``, several times as fast
as NumPy on a scalar). Both modes multiply by the same text. They are compiled when first needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import UFUNCS, Primitive
from diffkit.autodiff.rules.register import fit
from diffkit.calculus import ALIASES, ELEMENTARY, Elementary
from diffkit.grammar import chain, compile_text, folded
from diffkit.typing import ArrayValue, Value


def _float_where(c: Value, a: Value, b: Value) -> Any:
    return a if c else b


def _float_above(x: ArrayValue, y: ArrayValue) -> Any:
    return 1.0 if x > y else 0.5 if x == y else 0.0


_FLOAT64 = np.dtype(float)


def above(x: Value, y: Any) -> Any:
    """1 where x > y, 1/2 where x == y, else 0, in a floating dtype of x and y. NaN may stay NaN.

    >>> above(np.array([1.0, 2.0, 3.0]), 2.0)
    array([0. , 0.5, 1. ])
    """
    if type(y) is float and y == 0.0 and getattr(x, "dtype", _FLOAT64).kind == "f":
        return np.heaviside(x, 0.5)  # the derivative of a rectified unit: worth being quick
    # The three values are exact in any floating dtype, so either argument's will do.
    dtype = getattr(x, "dtype", getattr(y, "dtype", _FLOAT64))
    if dtype.kind != "f":
        dtype = _FLOAT64
    weight = np.greater(x, y).astype(dtype)
    weight += np.greater_equal(x, y).astype(dtype)
    weight *= 0.5
    return weight


def where(c: Value, a: Value, b: Value) -> Any:
    """a where c is not zero, else b. Chosen at once by a plain number: np.where would make an array of
    it, and an array's dtype is not given up for float32's.

    >>> where(2, 1, 0), where(np.array([0.0, 2.0]), 1.0, 3.0)
    (1, array([3., 1.]))
    """
    return (a if c else b) if isinstance(c, float | int) else np.where(c, a, b)


def lowered(x: Value, y: Value) -> Any:
    """x**(y - 1), or x**1 where y is 0. A first power is not written: the derivative of x**2 is 2 * x.

    >>> lowered(np.array([3.0, 0.0]), 2), lowered(np.array([3.0, 0.0]), 0)
    (array([3., 0.]), array([3., 0.]))
    """
    n = where(y, y - 1, 1)
    return x if isinstance(n, float | int) and n == 1 else x**n


def _sign(x: float) -> float:
    return float(x > 0) - float(x < 0) if x == x else x


def _floor(x: float) -> float:
    return float(np.floor(x))  # math.floor gives an int, which is another type and has no -0.0


def _ceil(x: float) -> float:
    return float(np.ceil(x))


_FLOAT_NAMES: dict[str, Any] = {
    name: getattr(math, name)
    for name in (
        "sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p sqrt cbrt hypot copysign "
        "erf erfc gamma pi"
    ).split()
} | {
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "arctan2": math.atan2,
    "absolute": abs,
    "floor": _floor,
    "ceil": _ceil,
    "sign": _sign,
    "where": _float_where,
    "above": _float_above,
    "lowered": lowered,
}
"""What the names in a text mean on Python floats."""


_HELPERS = {"above": above, "fit": fit, "lowered": lowered, "where": where}
_VARIABLES = frozenset({"g", "t", "ans"} | {a for line in ELEMENTARY.values() for a in line.arguments})


def _array_names(text: str) -> dict[str, Any]:
    """What the names in a text mean on arrays: NumPy's functions, but for a few of our own."""
    names = set(compile(text, "<calculus>", "eval").co_names) - _VARIABLES
    return {name: _HELPERS.get(name) or getattr(np, name) for name in names}


def _rules_of_line(fun: Primitive, line: Elementary) -> None:
    """Gives a primitive those rules of a line of the table that it does not have."""
    # A function with one argument keeps shape and dtype, so only the others need a fit.
    wide = len(line.arguments) > 1
    if not fun.vjps:
        fun.vjps = tuple(_vjp(line, k, wide) for k in range(len(line.arguments)))
    if not fun.jvps:
        fun.jvps = tuple(_array_rule(line, k, "t") for k in range(len(line.arguments)))
    fun.float_vjps = fun.float_vjps or _float_rules(line, "g")
    fun.float_jvps = fun.float_jvps or _float_rules(line, "t")


Primitive.rules_of_line = _rules_of_line


def with_rules(ufunc: np.ufunc) -> Primitive:
    """The primitive of an elementwise function, its rules made ready."""
    fun = UFUNCS[ufunc]
    fun.complete_rules()
    return fun


def _vjp(line: Elementary, k: int, wide: bool) -> Callable[..., Any] | None:
    if line.stable[k] == "0":
        return None
    text = folded(chain("g", line.stable[k]))
    if wide:
        text = f"fit({text}, {line.arguments[k]})"
    return compile_text(text, ["g", "ans", *line.arguments], _array_names(text))


def _array_rule(line: Elementary, k: int, factor: str) -> Callable[..., Any] | None:
    if line.stable[k] == "0":
        return None
    text = folded(chain(factor, line.stable[k]))
    return compile_text(text, [factor, "ans", *line.arguments], _array_names(text))


def _float_rules(line: Elementary, factor: str) -> tuple[Callable[..., Any] | None, ...]:
    texts = [None if p == "0" else chain(factor, p) for p in line.stable]
    needed = {n for t in texts if t for n in compile(t, "", "eval").co_names} - _VARIABLES
    if not needed <= _FLOAT_NAMES.keys():
        return ()
    return tuple(t and compile_text(t, [factor, "ans", *line.arguments], _FLOAT_NAMES) for t in texts)  # type: ignore[misc]


# -- the primitives ---------------------------------------------------------------------------------------


def _unary_compute(
    ufunc: Callable[..., Any], on_float: Callable[[float], Any] | None
) -> Callable[[Any], Any]:
    """The function on values: a Python float stays one, everything else is NumPy's."""
    if on_float is None:

        def compute(x: Any) -> Any:
            y = ufunc(x)
            return float(y) if type(x) is float and type(y) is np.float64 else y

    else:

        def compute(x: Any) -> Any:
            if type(x) is float:
                try:
                    return on_float(x)
                except (ValueError, OverflowError, ZeroDivisionError):
                    return float(ufunc(x))  # nan or inf, with NumPy's warning
            return ufunc(x)

    return compute


def _binary_compute(ufunc: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def compute(x: Any, y: Any) -> Any:
        z = ufunc(x, y)
        if type(z) is np.float64 and isinstance(x, float | int) and isinstance(y, float | int):
            plain = type(x) is not np.float64 and type(y) is not np.float64
            return float(z) if plain else z
        return z

    return compute


def _register_ufunc(name: str, line: Elementary) -> None:
    ufunc = getattr(np, name, None)
    if not isinstance(ufunc, np.ufunc) or ufunc in UFUNCS:
        return
    if len(line.arguments) == 1:
        compute: Callable[..., Any] = _unary_compute(ufunc, _FLOAT_NAMES.get(line.name))
    else:
        compute = _binary_compute(ufunc)
    fun = Primitive(name, compute, constant=line.piecewise_constant)
    UFUNCS[ufunc] = fun


for _name, _line in ELEMENTARY.items():
    _register_ufunc(_name, _line)
for _alias, _name in ALIASES.items():
    _register_ufunc(_alias, ELEMENTARY[_name])

for _constant in ("rint trunc fix signbit isnan isinf isfinite logical_not invert spacing").split():
    _ufunc = getattr(np, _constant, None)
    if isinstance(_ufunc, np.ufunc) and _ufunc not in UFUNCS:
        UFUNCS[_ufunc] = Primitive(_constant, _ufunc, constant=True)
