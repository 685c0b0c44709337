"""Functions whose derivative SymPy knows and the table has no line for: their own ``fdiff``.

SymPy is asked once, for the function of letters, and what it answers is a rule as good as a line of the
table: the operands are put in for the letters, however long they are.
"""

from __future__ import annotations

from functools import cache

import sympy
from sympy.core.function import AppliedUndef, ArgumentIndexError

from diffkit.errors import NoRuleError
from diffkit.expressions import Expression, intern, rebuild, substitute
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.rule import Rule, partials_rule


def has_fdiff(node: Expression) -> bool:
    """Whether a function says itself what its derivative is."""
    cls = type(node)
    return (
        issubclass(cls, sympy.Function)
        and not issubclass(cls, AppliedUndef)
        and cls.fdiff is not sympy.Function.fdiff
    )


def read_by_fdiff(node: Expression, context: Context) -> Rule:
    places = [k for k, a in enumerate(node._args) if id(a) in context.active]
    letters = letters_of(node)
    plain = rebuild(node, letters)

    def partial(k: int) -> Expression:
        known = dict(zip(letters, node._args, strict=True))
        return substitute(slope(plain, places[k]), known)

    for k in places:
        slope(plain, k)  # where there is none, this says so
    return partials_rule(type(node).__name__, node, tuple(node._args[k] for k in places), partial)


def letters_of(node: Expression) -> tuple[Expression, ...]:
    """A letter for each argument; integers, and lists of parameters, stand for themselves."""
    letters = []
    for k, a in enumerate(node._args):
        stays = a.is_Integer if isinstance(a, sympy.Expr) else True
        letters.append(a if stays else intern(sympy.Dummy(f"x{k + 1}", dummy_index=k)))
    return tuple(letters)


@cache
def slope(function: Expression, k: int) -> Expression:
    """The derivative of a function of letters by its k-th argument, counted from 0.

    Raises:
        NoRuleError: if SymPy has no closed form for it.

    >>> u = sympy.Symbol("u")
    >>> slope(sympy.airyai(u), 0), slope(sympy.Si(u), 0)
    (airyaiprime(u), sin(u)/u)
    """
    try:
        found = function.fdiff(k + 1)
    except (ArgumentIndexError, AttributeError, NotImplementedError, TypeError):
        found = None
    if found is None or not isinstance(found, sympy.Expr) or found.has(sympy.Derivative, sympy.Subs):
        raise NoRuleError(
            f"{type(function).__name__} has no rule for the derivative by its argument number {k + 1}"
        )
    return intern(found)
