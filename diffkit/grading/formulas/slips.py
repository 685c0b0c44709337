"""The derivatives that one slip makes of a formula: what a wrong answer is held against.

>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> [str(wrong) for name, _, wrong in slips(sympy.sin(x**2), x) if name == "inner derivative forgotten"]
['cos(x**2)']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from diffkit.symbolic import diff

Slip = tuple[str, Any, Any]
"""Its name, the part of the formula at which it happened, and the whole derivative that it makes."""


def slips(expr: Any, x: Any) -> Iterator[Slip]:
    """Every derivative of ``expr`` by ``x`` with one slip, at one place."""
    yield "not differentiated", expr, expr
    yield "sign", expr, -diff(expr, x)
    for other in sorted(expr.free_symbols - {x}, key=str):
        yield f"differentiated by {other}", expr, diff(expr, other)
    yield from _at(expr, x)


def _at(expr: Any, x: Any) -> Iterator[Slip]:
    if not expr.has(x) or expr == x:
        return
    right = diff(expr, x)
    yield from ((name, expr, wrong) for name, wrong in _here(expr, x))
    for k, inner in enumerate(expr.args):
        u = sympy.Dummy("u", real=True)
        outer = diff(expr.func(*expr.args[:k], u, *expr.args[k + 1 :]), u).subs(u, inner)
        for name, place, wrong in _at(inner, x):
            yield name, place, right + outer * (wrong - diff(inner, x))


def _here(expr: Any, x: Any) -> Iterator[tuple[str, Any]]:
    moving = [arg for arg in expr.args if arg.has(x)]
    if expr.is_Mul:
        yield from _of_product(expr, moving, x)
    elif expr.is_Add:
        for term in expr.args:
            yield "a term forgotten", diff(expr - term, x)
            if not term.has(x):
                yield "a constant kept", diff(expr, x) + term
            else:
                yield "sign", diff(expr - 2 * term, x)
    elif expr.is_Pow and not expr.exp.has(x):
        u, n, du = expr.base, expr.exp, diff(expr.base, x)
        if du != 1:
            yield "inner derivative forgotten", n * u ** (n - 1)
            yield "inner derivative at the wrong place", n * du ** (n - 1)
        yield "exponent not lowered", n * u**n * du
        yield "factor of the exponent forgotten", u ** (n - 1) * du
        yield "exponent raised, as in an integral", u ** (n + 1) / (n + 1)
    elif len(expr.args) == 1:
        (inner,) = expr.args
        u = sympy.Dummy("u", real=True)
        outer, change = diff(expr.func(u), u), diff(inner, x)
        if change != 1:
            yield "inner derivative forgotten", outer.subs(u, inner)
            yield "inner derivative at the wrong place", outer.subs(u, change)
        yield "outer function not differentiated", expr * change
        yield "sign", -diff(expr, x)


def _of_product(expr: Any, moving: list[Any], x: Any) -> Iterator[tuple[str, Any]]:
    top, bottom = sympy.fraction(expr)
    if bottom.has(x):
        dt, db = diff(top, x), diff(bottom, x)
        yield "quotient rule with a plus", (dt * bottom + top * db) / bottom**2
        yield "quotient rule the other way round", (top * db - dt * bottom) / bottom**2
        yield "quotient rule with the denominator not squared", (dt * bottom - top * db) / bottom
        yield "quotient rule without its denominator", dt * bottom - top * db
        if top.has(x):
            yield "quotient of the derivatives", dt / db if db != 0 else sympy.nan
    if len(moving) > 1:
        for factor in moving:
            yield "product rule with one term", expr / factor * diff(factor, x)
        constant = expr / sympy.Mul(*moving)
        yield "product of the derivatives", constant * sympy.Mul(*(diff(factor, x) for factor in moving))
    for factor in expr.args:
        if not factor.has(x) and factor != -1:
            yield "constant factor forgotten", diff(expr / factor, x)
