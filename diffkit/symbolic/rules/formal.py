"""What stays formal: undefined functions, their derivatives, and indexed symbols."""

from __future__ import annotations

import sympy
from sympy.core.function import AppliedUndef

from diffkit.errors import NoRuleError
from diffkit.expressions import Expression, count_nodes, intern, post_order, short, substitute
from diffkit.symbolic.rules.advice import no_rule
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule

_FAR = 3000  # nodes, of a tree and so of its depth too, that SymPy may walk: it does so by recursion


def read_undefined(node: Expression, context: Context) -> Rule:
    """f(u): SymPy's Derivative(f(u), u), or Subs of it where u is no symbol."""
    operands, partials = context.free.agreements(node)
    if operands:
        return partials_rule("indexed symbol", node, operands, partials.__getitem__)
    places = [k for k, a in enumerate(node._args) if id(a) in context.active]

    def partial(k: int) -> Expression:
        if count_nodes(node, _FAR) == _FAR:
            raise NoRuleError(
                f"the argument of the undefined function {type(node).__name__} is an expression too large "
                "for SymPy's Subs; define its derivative with diffkit.symbolic.defrule"
            )
        return intern(node.fdiff(places[k] + 1))

    return partials_rule("undefined function", node, tuple(node._args[k] for k in places), partial)


def read_derivative(node: Expression, context: Context) -> Rule:
    """A Derivative: of an undefined function it stays formal, and SymPy raises the order; any other is
    evaluated, and that is differentiated."""
    body, *counts = node._args
    if isinstance(body, AppliedUndef | sympy.Subs):
        return _formal(node, context)
    value = body
    for x, count in (pair._args for pair in counts):
        if not count.is_Integer or isinstance(x, sympy.MatrixExpr):
            raise NoRuleError(
                f"the expression holds an unevaluated {short(node)}, whose order {count} is no number; "
                "give it one, with .subs, or differentiate by hand what it stands for"
            )
        for _ in range(int(count)):
            (value,) = context.slopes(value, Context([x], context.slopes))
    return same_as("unevaluated derivative", node, value, context)


def read_subs(node: Expression, context: Context) -> Rule:
    """A Subs: SymPy's way where it stands for a derivative, else what it stands for is differentiated."""
    body, letters, point = node._args
    derivatives = [inner for inner in post_order(body) if isinstance(inner, sympy.Derivative)]
    if not derivatives:
        value = substitute(body, dict(zip(letters._args, point._args, strict=True)))
        return same_as("substitution", node, value, context)
    if not all(isinstance(inner.expr, AppliedUndef) for inner in derivatives):
        raise NoRuleError(
            f"the expression holds {short(node)}, a Derivative at a point; evaluate it with .doit() first "
            "(only derivatives of undefined functions such as f(x) stay formal)"
        )
    return _formal(node, context)


def _formal(node: Expression, context: Context) -> Rule:
    variables = context.within(node)
    return partials_rule("formal derivative", node, variables, lambda k: intern(node.diff(variables[k])))


def same_as(name: str, node: Expression, value: Expression, context: Context) -> Rule:
    """The rule of a node that stands for another expression."""
    context.explore(value)
    return Rule(name, node, tuple(context.of([value])), lambda _, g: g)


def read_element(node: Expression, context: Context) -> Rule:
    """A[i, j]: 1 by A[m, n] where the indices agree; of another matrix than a symbol there is no rule."""
    if not isinstance(node._args[0], sympy.MatrixSymbol):
        raise NoRuleError(no_rule(node))
    return read_indexed(node, context)


def read_indexed(node: Expression, context: Context) -> Rule:
    if context.of(node._args[1:]):
        raise NoRuleError(
            f"the index of {short(node)} depends on the variable; which element it is jumps from integer to "
            "integer and has no derivative"
        )
    base, *indices = node._args
    if id(base) not in context.active:
        operands, partials = context.free.agreements(node)
        return partials_rule("indexed symbol", node, operands, partials.__getitem__)

    def partial(k: int) -> Expression:  # of an array of expressions
        by = Context([context.variables[k]], context.slopes)
        slopes = [slope for e in sympy.flatten(base) for slope in context.slopes(intern(e), by)]
        return intern(sympy.Indexed(type(base)(slopes, base.shape), *indices))

    return partials_rule("indexed symbol", node, context.variables, partial)
