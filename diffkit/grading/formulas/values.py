"""The value of a formula's tree at a point, to eighty digits, and never of a number too large.

>>> from diffkit.grading.formulas.reading import read
>>> mpmath.nstr(at(read("x^2/4", ["x"]), {"x": Fraction(1, 2)}), 5)
'0.0625'
>>> at(read("9^9^9", ["x"]), {}) is None
True
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath

from diffkit.grammar import ARITHMETIC

DIGITS = 80
LARGEST = 10**30
"""What lies beyond has no value here: no text can make the grader compute for long."""

_FUNCTIONS = {"Abs": "fabs"}


def at(tree: ast.expr, point: Mapping[str, Fraction]) -> Any | None:
    """The value, or None where it is not real, not finite, or passes by way of more than ``LARGEST``."""
    with mpmath.workdps(DIGITS):
        try:
            return _value(tree, point)
        except (ArithmeticError, ValueError):
            return None


def _value(tree: ast.expr, point: Mapping[str, Fraction]) -> Any:
    match tree:
        case ast.Constant(value=int() | float() as number):
            value = _number(Fraction(str(number)))
        case ast.Name(id=name) if name in point:
            value = _number(point[name])
        case ast.Name(id=name):
            value = +(mpmath.pi if name == "pi" else mpmath.e)
        case ast.UnaryOp(op=op, operand=inner):
            value = _value(inner, point) * (-1 if isinstance(op, ast.USub) else 1)
        case ast.BinOp(left=left, op=op, right=right):
            value = _combined(op, _value(left, point), _value(right, point))
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            value = _applied(name, _value(inner, point))
        case _:
            raise ValueError("no part of a formula")
    if not mpmath.isfinite(value) or not isinstance(value, mpmath.mpf) or abs(value) > LARGEST:
        raise ValueError("no real number of moderate size")
    return value


def _number(number: Fraction) -> Any:
    return mpmath.mpf(number.numerator) / number.denominator


def _combined(op: ast.operator, a: Any, b: Any) -> Any:
    if isinstance(op, ast.Pow) and (abs(b) > 1000 or (a != 0 and abs(b * mpmath.log(abs(a))) > 100)):
        raise ValueError("a power too large or too small")
    return ARITHMETIC[type(op)](a, b)


def _applied(name: str, x: Any) -> Any:
    if name in ("exp", "sinh", "cosh") and abs(x) > 100:
        raise ValueError("an exponential too large or too small")
    if name == "log2":
        return mpmath.log(x) / mpmath.log(2)
    if name == "cbrt":
        return mpmath.sign(x) * mpmath.cbrt(abs(x))
    return getattr(mpmath, _FUNCTIONS.get(name, name))(x)
