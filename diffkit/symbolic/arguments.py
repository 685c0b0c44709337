"""Checking what is given to differentiate, and by what; errors say what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import chain, repeat
from typing import Any

import numpy as np
import sympy
from sympy import S
from sympy.logic.boolalg import Boolean

from diffkit.errors import InputError
from diffkit.expressions import Expression, SymbolicNumber, intern, number, short


def expression(expr: Any) -> Expression:
    """What has a value, and so a derivative: no condition, no list, no text."""
    if isinstance(expr, Boolean | bool) and not isinstance(expr, sympy.Symbol):
        sides = "; differentiate its sides, expr.lhs and expr.rhs" if hasattr(expr, "lhs") else ""
        raise InputError(f"expected an expression with a value, got the condition {short(expr)}{sides}")
    if isinstance(expr, list | tuple | np.ndarray):
        raise InputError(f"expected one expression, got {len(expr)} of them; use jacobian(exprs, xs)")
    expr = intern(expr)
    if isinstance(expr, sympy.Tuple | sympy.NDimArray):
        raise InputError(
            f"expected one expression, got a {type(expr).__name__}; use jacobian(list(expr), xs)"
        )
    if isinstance(expr, sympy.Lambda):
        raise InputError(
            f"expected an expression with a value, got the function {short(expr)}; call it, f(x)"
        )
    if not isinstance(expr, sympy.Expr):
        poly = "; write expr.as_expr()" if isinstance(expr, sympy.Poly) else ""
        raise InputError(f"expected an expression with a value, got {type(expr).__name__}{poly}")
    if expr in (S.NaN, S.ComplexInfinity):
        raise InputError(f"{expr} has no derivative: find where the expression came to be undefined")
    return expr


def expressions(exprs: Any) -> list[Expression]:
    """Several expressions, in a list."""
    return [expression(e) for e in _several(exprs, "expressions")]


def seeds(values: Any) -> list[Expression]:
    """Several tangents or cotangents, in a list."""
    return [seed(value) for value in _several(values, "tangents or cotangents")]


def _several(given: Any, what: str) -> Iterable[Any]:
    if isinstance(given, sympy.MatrixBase):
        return list(given)
    if isinstance(given, sympy.Expr | SymbolicNumber | str) or not isinstance(given, Iterable):
        raise InputError(f"expected a list of {what}, got {given!s}; write [{given!s}]")
    return given


def variable(x: Any) -> Expression:
    """What can be differentiated by: a symbol, x[i], an element of a matrix, f(t), a Derivative.

    Raises:
        InputError: for anything else, with what to write instead.
    """
    if isinstance(x, SymbolicNumber):
        x = x.expr
    if isinstance(x, str):
        raise InputError(f"expected a symbol to differentiate by, got the text {x!r}; write Symbol({x!r})")
    if not isinstance(x, sympy.Expr) or not getattr(x, "_diff_wrt", False):
        raise InputError(
            f"expected a symbol to differentiate by, got {short(x)}; put a symbol u in its place first, "
            "as in expr.subs(x**2, u), and differentiate by that"
        )
    if isinstance(x, sympy.MatrixExpr):
        raise InputError(
            f"expected a scalar to differentiate by, got the matrix {short(x)}; use its elements"
        )
    return intern(x)


def variables(xs: Any) -> list[Expression]:
    """Different symbols, in a list."""
    if isinstance(xs, sympy.MatrixBase):
        xs = list(xs)
    if isinstance(xs, sympy.Basic | SymbolicNumber | str):
        raise InputError(f"expected a list of symbols, got {xs!s}; write [{xs!s}]")
    if isinstance(xs, Set | Mapping) or not isinstance(xs, Iterable):
        raise InputError(f"expected symbols in an order, as in [x, y], got {short(xs)}")
    variables = [variable(x) for x in xs]
    if len(set(variables)) < len(variables):
        raise InputError(f"expected different symbols, got {variables}")
    return variables


def checked_mode(mode: str) -> str:
    if mode not in ("forward", "reverse"):
        raise InputError(f"expected mode='forward' or mode='reverse', got {mode!r}")
    return mode


def orders(given: tuple[Any, ...], variable: Callable[[Any], Expression] = variable) -> Iterator[Expression]:
    """The variables in turn: x, 3, y and (x, 3), y both mean x three times, then y.

    Args:
        given: as ``diff`` takes them.
        variable: checks one of them.
    """
    if not given:
        raise InputError("expected the symbol to differentiate by, as in diff(expr, x)")
    turns: list[tuple[Expression, int]] = []
    for item in given:
        pair = item if isinstance(item, tuple | sympy.Tuple) and len(item) == 2 else None
        if pair is not None:
            turns.append((variable(pair[0]), _count(pair[1])))
        elif isinstance(item, int | sympy.Integer) and not isinstance(item, bool):
            if not turns:
                raise InputError(f"expected a symbol before the order {item}, as in diff(expr, x, {item})")
            x, before = turns.pop()
            turns.append((x, before - 1 + _count(item)))
        else:
            turns.append((variable(item), 1))
    return chain.from_iterable(repeat(x, count) for x, count in turns)


def _count(order: Any) -> int:
    if not isinstance(order, int | sympy.Integer) or isinstance(order, bool) or order < 0:
        raise InputError(f"expected the order of a derivative, an integer of at least 0, got {order}")
    return int(order)


def seed(value: Any) -> Expression:
    """A tangent or cotangent to start from: a number, or an expression that stands for it."""
    return number(value) if not isinstance(value, SymbolicNumber) else value.expr
