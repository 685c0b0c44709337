"""The texts of the table of elementary functions, read as expressions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import sympy
from sympy import S

from diffkit.calculus import ALIASES, ELEMENTARY, SPECIAL, Elementary
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import operations
from diffkit.expressions.building import call, piecewise
from diffkit.expressions.intern_table import Expression, leaf_of, node_of
from diffkit.expressions.interning import intern, number
from diffkit.grammar import compile_text, functions_in


def _head(cls: Any) -> Callable[..., Expression]:
    return lambda *args: node_of(cls, args)


def _above(x: Expression, y: Expression) -> Expression:
    """1 where x > y, 0 where x < y, 1/2 where they are equal."""
    return node_of(sympy.Heaviside, (operations.subtract(x, y), operations.HALF))


def _where(c: Expression, a: Expression, b: Expression) -> Expression:
    return piecewise((b, node_of(sympy.Eq, (c, operations.ZERO))), (a, True))


def _lowered(x: Expression, y: Expression) -> Expression:
    one = number(1)
    return operations.power(x, _where(y, operations.subtract(y, one), one))


def _extremum(cls: Any) -> Callable[..., Expression]:
    return lambda x, y: call(cls, x, y)


_CLASSES = {
    name: getattr(sympy, name)
    for name in [
        *("exp", "log", "sin", "cos", "tan", "cot", "sec", "csc"),
        *("asin", "acos", "atan", "acot", "asec", "acsc", "atan2"),
        *("sinh", "cosh", "tanh", "coth", "sech", "csch"),
        *("asinh", "acosh", "atanh", "acoth", "asech", "acsch"),
        *("Abs", "sign", "floor", "ceiling", "Heaviside"),
        *("erf", "erfc", "erfi", "erfinv", "erfcinv", "gamma", "loggamma", "digamma", "polygamma"),
        *("beta", "zeta"),
    ]
} | {
    "jv": sympy.besselj,
    "yv": sympy.bessely,
    "iv": sympy.besseli,
    "kv": sympy.besselk,
    "expi": sympy.Ei,
    "ellipk": sympy.elliptic_k,
    "ellipe": sympy.elliptic_e,
}

NAMES: dict[str, Any] = {
    "number": number,
    "add": operations.add,
    "subtract": operations.subtract,
    "multiply": operations.multiply,
    "divide": operations.divide,
    "power": operations.power,
    "negative": operations.negative,
    "total": operations.total,
    "sqrt": lambda x: operations.power(x, operations.HALF),
    "cbrt": lambda x: operations.power(x, number(Fraction(1, 3))),
    "above": _above,
    "where": _where,
    "lowered": _lowered,
    "Max": _extremum(sympy.Max),
    "Min": _extremum(sympy.Min),
    "pi": leaf_of(S.Pi),
    **{name: _head(cls) for name, cls in _CLASSES.items()},
}
"""What the names in the table's texts mean, as functions of expressions that are interned already."""


def line_of(name: str) -> Elementary:
    """The line of a function that has an expression.

    Raises:
        NoRuleError: if it has none.
    """
    line = ELEMENTARY.get(ALIASES.get(name, name)) or SPECIAL.get(name)
    if line is None or not has_expression(line):
        raise NoRuleError(
            f"{name} is not in the table of elementary functions, so it has no expression; "
            "the names are NumPy's, such as 'sin', 'arctan2', 'maximum'"
        )
    return line


@cache
def class_of(line: Elementary) -> Any:
    """The SymPy class of a line that is one SymPy function of the line's arguments, or None.

    >>> class_of(ELEMENTARY["arcsin"]), class_of(SPECIAL["jv"]), class_of(ELEMENTARY["log2"])
    (asin, besselj, None)
    """
    known = {**_CLASSES, "Max": sympy.Max, "Min": sympy.Min}
    return known.get(line.head or "")


@cache
def has_expression(line: Elementary) -> bool:
    """Whether SymPy can write a function of the table, by a head of its own or by others.

    >>> has_expression(SPECIAL["dawsn"]), has_expression(SPECIAL["spence"])
    (True, False)
    """
    return functions_in(line.form) <= NAMES.keys()


@cache
def _form(line: Elementary) -> Callable[..., Expression]:
    read: Callable[..., Expression] = compile_text(line.form, line.arguments, NAMES, operators=False)
    return read


def apply(name: str, *args: Any) -> Expression:
    """An elementary function, by its name in NumPy or scipy.special, applied to expressions.

    Raises:
        NoRuleError: for a name that is not in the table.
        InputError: for a wrong number of arguments.

    >>> x, y = sympy.symbols("x y")
    >>> apply("log2", x), apply("maximum", x, y), apply("arctan2", y, x), apply("expit", x)
    (log(x)/log(2), Max(x, y), atan2(y, x), 1/(1 + exp(-x)))
    """
    line = line_of(name)
    if len(args) != len(line.arguments):
        raise InputError(f"{name} takes {', '.join(line.arguments)}; got {len(args)} arguments")
    return _form(line)(*[intern(a) for a in args])


@cache
def derivative(text: str, parameters: tuple[str, ...]) -> Callable[..., Expression]:
    """A derivative text of the table as a function on interned expressions.

    >>> x, t = (intern(sympy.Symbol(name)) for name in "xt")
    >>> derivative("t * cos(x)", ("t", "x"))(t, x)
    t*cos(x)
    """
    read: Callable[..., Expression] = compile_text(text, parameters, NAMES, operators=False)
    return read
