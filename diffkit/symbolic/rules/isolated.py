"""Piecewise with an isolated point: sin(x)/x, and 1 where x = 0.

What a piece is worth at one point says nothing of the slope there: that is the limit of the difference
quotient with the function around the point. Where that jumps to another value, there is no slope, and the
convention for jumps holds: that of the piece. Where no limit is found, the slope is nan.
"""

from __future__ import annotations

import sympy
from sympy import S

from diffkit.expressions import Expression, count_nodes, intern, piecewise, post_order, substitute
from diffkit.expressions.operations import ZERO
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule
from diffkit.time_limit import BudgetError, within

_SMALL = 2000  # nodes of an expression whose limit is looked for
_SECONDS = 5.0


def read_isolated(node: Expression, context: Context) -> Rule | None:
    """The rule of a Piecewise with a condition u = c, as a function of u and of the variables; else None.

    By the variables too, for on the line u = c the other pieces may have no derivatives to multiply by 0.
    """
    conditions = [a._args[1] for a in node._args]
    equations = [c for c in conditions if isinstance(c, sympy.Eq)]
    if not equations or count_nodes(node, _SMALL) == _SMALL:
        return None
    t = intern(sympy.Dummy("t", real=True, dummy_index=0))
    places = [live[0] for e in equations if len(live := context.of(e._args)) == 1]
    u = places[0] if places else None
    body = node if u is None else substitute(node, {u: t})
    pieces = [piece._args for piece in body._args]
    variables = [v for v in context.variables if v is not u and _occurs(v, [value for value, _ in pieces])]
    operands = variables if u is None else [*variables, u]

    def partial(k: int) -> Expression:
        if k < len(variables):
            slopes = _slopes([value for value, _ in pieces], variables[k], context)
            pairs = list(zip(slopes, (condition for _, condition in pieces), strict=True))
        else:
            pairs = _by_the_place(pieces, t, context)
        if all(slope is ZERO for slope, _ in pairs):
            return ZERO
        whole = piecewise(*pairs)
        return whole if u is None else substitute(whole, {t: u})

    return partials_rule("isolated point", node, tuple(operands), partial)


def _occurs(variable: Expression, exprs: list[Expression]) -> bool:
    return any(node is variable for node in post_order(*exprs))


def _slopes(exprs: list[Expression], by: Expression, context: Context) -> list[Expression]:
    inside = Context([by], context.slopes)
    return [context.slopes(e, inside)[0] for e in exprs]


def _by_the_place(
    pieces: list[tuple[Expression, Expression]], t: Expression, context: Context
) -> list[tuple[Expression, Expression]]:
    """The derivatives by t of the pieces; at the isolated points, the limits of the quotients."""
    values = [value for value, _ in pieces]
    away = {condition: sympy.false for _, condition in pieces if _is_at(condition, t)}
    values = [v if c in away else intern(v.xreplace(away)) for v, (_, c) in zip(values, pieces, strict=True)]
    slopes = _slopes(values, t, context)
    slopes = [s if c in away else intern(s.xreplace(away)) for s, (_, c) in zip(slopes, pieces, strict=True)]
    pairs = []
    for k, (_, condition) in enumerate(pieces):
        slope = slopes[k]
        if condition in away:
            c = next(side for side in condition._args if side is not t)
            around = _around(pieces, k, t, c)
            if around is None:
                slope = S.NaN
            else:
                rise = values[around] - values[k]
                found = _limit(rise / (t - c), t, c)
                if found is not None:
                    slope = intern(found)
                elif _limit(rise, t, c) == 0:
                    slope = S.NaN
        pairs.append((slope, condition))
    return pairs


def _is_at(condition: Expression, t: Expression) -> bool:
    return isinstance(condition, sympy.Eq) and any(side is t for side in condition._args)


def _around(pieces: list[tuple[Expression, Expression]], k: int, t: Expression, c: Expression) -> int | None:
    """The piece that holds on both sides of an isolated point, if the conditions tell."""
    for j, (_, condition) in enumerate(pieces):
        if j == k or _is_at(condition, t):
            continue
        there = condition if condition in (sympy.true, sympy.false) else condition.subs(t, c)
        inside = isinstance(condition, sympy.Rel) and condition.lhs.subs(t, c) != condition.rhs.subs(t, c)
        if there == sympy.true and (inside or condition == sympy.true):
            return j
        if not (there == sympy.false and inside):
            return None
    return None


def _limit(expr: Expression, t: Expression, c: Expression) -> Expression | None:
    """The limit from both sides, where SymPy finds one that is finite, and its numbers bear it out."""
    plain = expr.replace(sympy.sinc, lambda u: sympy.sin(u) / u)
    if any(piecewise.has(t) for piecewise in plain.atoms(sympy.Piecewise)):
        return None  # of these SymPy would take the piece that holds at the point itself
    try:
        found = within(_SECONDS, lambda: sympy.limit(plain, t, c, "+-"), "a limit", worked=True)
    except (BudgetError, NotImplementedError, ValueError, TypeError, AttributeError):
        return None
    if isinstance(found, sympy.AccumBounds) or found.has(sympy.Limit, S.NaN, S.ComplexInfinity, *_INFINITE):
        return None
    return found if _is_near(plain, t, c, found) else None


_INFINITE = (S.Infinity, S.NegativeInfinity)
_NEAR = sympy.Rational(1, 10**15)


def _is_near(expr: Expression, t: Expression, c: Expression, limit: Expression) -> bool:
    letters = (expr.free_symbols | limit.free_symbols | c.free_symbols) - {t}
    somewhere = {s: sympy.Rational(7 * k + 3, 11) for k, s in enumerate(sorted(letters, key=str))}
    near = (sympy.N((expr - limit).subs(t, c + h).subs(somewhere), 40) for h in (_NEAR, -_NEAR))
    return all(not v.is_comparable or abs(v) < 1e-6 for v in near)
