"""What stays formal: undefined functions, their derivatives, indexed symbols, polygamma."""

from __future__ import annotations

import sympy
from sympy.core.function import AppliedUndef

from diffkit.errors import NoRuleError
from diffkit.expressions import Expression, call, intern, post_order
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule
from diffkit.symbolic.scopes import agreements

__all__ = ["read_formal", "read_indexed", "read_polygamma", "read_undefined"]


def read_undefined(node: Expression, context: Context) -> Rule:
    """f(u): SymPy's Derivative(f(u), u), or Subs of it where u is no symbol."""
    places = [k for k, a in enumerate(node._args) if id(a) in context.active]

    def partial(k: int) -> Expression:
        try:
            return intern(node.fdiff(places[k] + 1))
        except RecursionError:
            raise NoRuleError(
                f"the argument of the undefined function {type(node).__name__} is nested too deeply for "
                "SymPy's Subs; define its derivative with diffkit.symbolic.defrule"
            ) from None

    return partials_rule("undefined function", node, tuple(node._args[k] for k in places), partial)


def read_formal(node: Expression, context: Context) -> Rule:
    """Derivative and Subs of undefined functions, which stay formal: SymPy raises the order."""
    for inner in post_order(node):
        if isinstance(inner, sympy.Derivative) and not isinstance(inner.expr, AppliedUndef):
            raise NoRuleError(
                "the expression holds an unevaluated Derivative; evaluate it with .doit() first "
                "(only derivatives of undefined functions such as f(x) stay formal)"
            )
    variables = context.within(node)
    return partials_rule("formal derivative", node, variables, lambda k: intern(node.diff(variables[k])))


def read_indexed(node: Expression, context: Context) -> Rule:
    operands, partials = agreements(node, context.variables)
    return partials_rule("indexed symbol", node, operands, partials.__getitem__)


def read_polygamma(node: Expression, context: Context) -> Rule:
    order, x = node._args
    if id(order) in context.active:
        raise NoRuleError("there is no rule for the derivative of polygamma by its order")
    return partials_rule("polygamma", node, (x,), lambda _: call("polygamma", order + 1, x))
