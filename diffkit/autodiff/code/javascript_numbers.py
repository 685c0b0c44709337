"""Numbers in JavaScript: as literals, and the functions of one and two of them."""

from __future__ import annotations

import math

import numpy as np


def number(value: object) -> str:
    """The text of a number, exact to the last bit.

    Raises:
        ValueError: for what is no number of double precision.

    >>> number(0.1), number(float("inf")), number(np.True_), number(-0.0), number(1e22)
    ('0.1', 'Infinity', 'true', '-0.0', '1e+22')
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) <= 2**53:
        return str(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value).replace("inf", "Infinity")
    raise ValueError(f"{str(value)[:40]} is no number of double precision")


_FUNCTIONS = {
    "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "expm1": "expm1", "log": "log", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "absolute": "abs", "fabs": "abs", "sign": "sign",
    "floor": "floor", "ceil": "ceil", "trunc": "trunc",
}  # fmt: skip

ELEMENTWISE = {
    **{name: f"Math.{function}({{0}})" for name, function in _FUNCTIONS.items()},
    "positive": "+{0}",
    "negative": "-{0}",
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "reciprocal": "1 / {0}",
    "square": "{0} * {0}",
    "power": "{0} ** {1}",
    "hypot": "Math.hypot({0}, {1})",
    "exp2": "2 ** {0}",
    "logaddexp": "logaddexp({0}, {1})",
    "logaddexp2": "logaddexp({0} * Math.LN2, {1} * Math.LN2) / Math.LN2",
    "expit": "1 / (1 + Math.exp(-{0}))",
    "logit": "Math.log({0}) - Math.log1p(-{0})",
    "log_expit": "-logaddexp(0, -{0})",
    "arctan2": "Math.atan2({0}, {1})",
    "deg2rad": "{0} * (Math.PI / 180)",
    "radians": "{0} * (Math.PI / 180)",
    "rad2deg": "{0} * (180 / Math.PI)",
    "degrees": "{0} * (180 / Math.PI)",
    "maximum": "Math.max({0}, {1})",
    "minimum": "Math.min({0}, {1})",
    "heaviside": "{0} < 0 ? 0 : {0} > 0 ? 1 : {0} === 0 ? {1} : NaN",
    "remainder": "remainder({0}, {1})",
    "copysign": "negative({1}) ? -Math.abs({0}) : Math.abs({0})",
    "signbit": "negative({0})",
    "rint": "rint({0})",
    "where": "Number({0}) !== 0 ? {1} : {2}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "equal": "Number({0}) === Number({1})",
    "not_equal": "Number({0}) !== Number({1})",
    "logical_and": "Number({0}) !== 0 && Number({1}) !== 0",
    "logical_or": "Number({0}) !== 0 || Number({1}) !== 0",
    "logical_not": "Number({0}) === 0",
    "isnan": "Number.isNaN({0})",
    "isinf": "Math.abs({0}) === Infinity",
    "isfinite": "Number.isFinite({0})",
}
"""NumPy's functions of numbers, by name, with places for the operands.

What stands in a place is a name, or a number in brackets if it is negative."""
