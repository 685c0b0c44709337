"""Integrals that stay unevaluated: Leibniz' rule, and with it the fundamental theorem of calculus."""

from __future__ import annotations

from sympy import S

from diffkit.errors import NoRuleError
from diffkit.expressions import Expression, count_nodes, intern, negative, rebuild, short
from diffkit.expressions.operations import ONE, ZERO
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule
from diffkit.symbolic.scopes import put_in


def read_integral(node: Expression, context: Context) -> Rule:
    """d int_a^b f(t, x) dt = f(b, x) db - f(a, x) da + (int_a^b f_x(t, x) dt) dx.

    An indefinite Integral is a function of its own variable, by which its derivative is the integrand. Of
    several integrals the last is the outermost, and what is within it is its integrand.
    """
    body, *inner, limit = node._args
    if inner:
        body = rebuild(node, [body, *inner])
    t, *ends = limit._args
    signs = {1: [ONE], 2: [negative(ONE), ONE]}.get(len(ends), [])  # Integral(f, (t, x)) is F(x)
    moving = [(end, sign) for end, sign in zip(ends, signs, strict=True) if id(end) in context.active]
    variables = [v for v in context.within(body) if v is not t]
    operands = [end for end, _ in moving] + variables
    if not ends and id(t) in context.active:
        operands.append(t)

    def partial(k: int) -> Expression:
        if k < len(moving):
            end, sign = moving[k]
            value = _at_an_end(body, t, end, node)
            return value if sign is ONE else negative(value)
        if operands[k] is t:
            return body
        (slope,) = context.slopes(body, Context([operands[k]], context.slopes))
        return ZERO if slope is ZERO else rebuild(node, [slope, limit])

    return partials_rule("integral", node, tuple(operands), partial, (body,) if variables else ())


_SMALL = 2000  # nodes of an integrand and an end that are looked at before one is put into the other


def _at_an_end(body: Expression, t: Expression, end: Expression, node: Expression) -> Expression:
    """The integrand at an end of the integral, where it has to have a value."""
    small = count_nodes(body, _SMALL) + count_nodes(end, _SMALL) < _SMALL
    if small and body.subs(t, end).has(S.ComplexInfinity, S.NaN, S.Infinity):
        raise NoRuleError(
            f"the integrand of {short(node)} has no value at the end {t} = {end}, where Leibniz' rule takes "
            "it; substitute first, so that the end is a constant or the integrand finite there"
        )
    return put_in(intern(body), t, end)
