"""How a derivative is written at the end: the shortest of several forms, each of which equals it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.functions.elementary.hyperbolic import HyperbolicFunction

from diffkit.expressions import Expression, count_nodes, post_order
from diffkit.time_limit import within

_SECONDS = 2.0  # for each way


def shortest(expr: Expression) -> Expression | None:
    """The shortest of the ways in which SymPy simplifies an expression; None if none can be written.

    >>> x = sympy.Symbol("x")
    >>> shortest(2 * x * sympy.exp(x) * sympy.sin(x) + x**2 * sympy.exp(x) * (sympy.sin(x) + sympy.cos(x)))
    x*(x*(sin(x) + cos(x)) + 2*sin(x))*exp(x)
    """
    if _is_beyond_a_page(expr):
        return None
    done = _tried(lambda: expr.doit())
    if done is None:
        return None
    found = [done]
    for way in _WAYS:
        form = _tried(lambda: way(done))  # noqa: B023
        if form is not None and form not in found and _equal(form, done):
            found.append(form)
    return min(found, key=_length)


_WAYS: list[Callable[[Any], Any]] = [
    sympy.simplify,
    sympy.factor,
    sympy.together,
    lambda e: sympy.factor_terms(sympy.together(e)),
    lambda e: sympy.factor(sympy.trigsimp(e)),
    sympy.cancel,
    sympy.expand,
    lambda e: sympy.powsimp(sympy.factor(e)),
]


_HUGE, _HIGH, _MANY = 10**100, 10_000, 500


def _is_beyond_a_page(expr: Expression) -> bool:
    """Whether it has more nodes than a line holds, numbers that nobody writes, or powers beyond computing."""
    if count_nodes(expr, _MANY) == _MANY:
        return True
    for node in post_order(expr):
        if node.is_Rational and (abs(node.p) > _HUGE or node.q > _HUGE):
            return True
        if node.is_Pow and node.exp.is_Integer and abs(node.exp.p) > _HIGH:
            return True
    return False


def _length(expr: Expression) -> tuple[int, int]:
    """Characters as they are written; a sine of x + pi/4, or a cosh for exponentials, is no shorter."""
    shifted = sum(f.has(sympy.pi) for f in expr.atoms(sympy.sin, sympy.cos))
    strange = shifted + len(expr.atoms(HyperbolicFunction))
    return len(str(expr)) + 15 * strange, sympy.count_ops(expr)


def _tried(compute: Callable[[], Any]) -> Any:
    try:
        return within(_SECONDS, compute, "simplifying", worked=True)
    except Exception:  # what SymPy can't simplify is an error of whatever kind
        return None


def _equal(form: Expression, expr: Expression) -> bool:
    return bool(_tried(lambda: form == expr or (form - expr).equals(0)))


def in_terms_of_itself(function: Expression, derivative: Expression) -> str | None:
    """The derivative as a polynomial of the function, where it is one of second degree: y*(1 - y).

    >>> x = sympy.Symbol("x")
    >>> f = 1 / (1 + sympy.exp(-x))
    >>> in_terms_of_itself(f, sympy.diff(f, x))
    'y*(1 - y)'
    """
    if len(function._args) < 2 or _is_beyond_a_page(function) or _is_beyond_a_page(derivative):
        return None
    symbols = function.free_symbols
    if len(symbols) != 1:
        return None
    (x,) = symbols
    y = sympy.Symbol("y")
    points = [sympy.Rational(k, 7) for k in (2, 5, 9)]
    both = (function, derivative)
    rows = _tried(lambda: [[sympy.N(e.subs(x, p), 30) for e in both] for p in points])
    if rows is None or not all(v.is_Float for row in rows for v in row):
        return None
    system = sympy.Matrix([[v**2, v, 1] for v, _ in rows])
    solution = _tried(lambda: system.LUsolve(sympy.Matrix([w for _, w in rows])))
    if solution is None:
        return None
    a, b, c = (sympy.nsimplify(v, rational=True, tolerance=1e-18) for v in solution)
    if not a or max(abs(v.p) + v.q for v in (a, b, c)) > 20 or not function.has(sympy.exp):
        return None
    if not _equal(a * function**2 + b * function + c, derivative):
        return None
    return str(sympy.factor(a * y**2 + b * y + c)) if c else f"y*({b + a * y})".replace("-y + 1", "1 - y")
