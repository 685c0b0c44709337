"""Which rule differentiates which class: the user's, those written here, and the table's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from diffkit.calculus import ELEMENTARY
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, derivative
from diffkit.expressions.operations import multiply
from diffkit.grammar import chain
from diffkit.symbolic.rules.arithmetic import read_add, read_mul, read_pow
from diffkit.symbolic.rules.choices import PiecewiseRule, read_extremum
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.formal import read_formal, read_indexed, read_polygamma, read_undefined
from diffkit.symbolic.rules.ranges import read_product, read_sum
from diffkit.symbolic.rules.rule import Rule, lines, table_rule

__all__ = ["defrule", "read"]

# -- the user's own rules -----------------------------------------------------------------------------

_registered: dict[Any, Callable[[Expression, Context], Rule]] = {}


def defrule(head: Any, *partials: str | Callable[..., Any] | None) -> None:
    """Says what the partial derivatives of a SymPy function are.

    Args:
        head: the function's class: ``sympy.LambertW``, an undefined ``Function("f")``, or one's own.
        partials: one per argument. A text in the table's grammar, over the arguments ``x`` (of one),
            ``x, y`` (of two), ``x, y, z`` (of three), or ``x1, x2, ...``, and ``ans``, the function's
            value; or a callable ``partial(ans, *args)``; or None for an argument by which the
            function is never differentiated, such as the order of a Bessel function.

    Raises:
        InputError: for a head that is no SymPy class, or a text that does not parse.

    >>> import sympy
    >>> from diffkit.symbolic import diff
    >>> x = sympy.Symbol("x")
    >>> defrule(sympy.LambertW, "ans / (x * (1 + ans))")
    >>> diff(sympy.LambertW(x**2), x)
    ((2*x)*LambertW(x**2))/((x**2*(LambertW(x**2) + 1)))
    """
    if not isinstance(head, type) or not issubclass(head, sympy.Basic):
        raise InputError(
            f"expected a SymPy function's class to define a rule for, such as sympy.LambertW, got {head!r}"
        )
    if not partials:
        raise InputError(f"expected one partial derivative per argument of {head.__name__}, got none")
    names = _argument_names(len(partials))
    for text in partials:
        if isinstance(text, str):
            try:
                derivative(text, ("g", "ans", *names))
            except (SyntaxError, KeyError) as error:
                raise InputError(f"{text!r} is not an expression in {', '.join(names)}, ans") from error

    def reading(node: Expression, context: Context) -> Rule:
        args = node._args
        if len(args) != len(partials):
            raise NoRuleError(
                f"{head.__name__} has a rule for {len(partials)} arguments, but is used with {len(args)}"
            )

        def term(k: int, factor: Expression) -> Expression:
            partial = partials[places[k]]
            if partial is None:
                raise NoRuleError(
                    f"{head.__name__} has no rule for the derivative by its argument number {places[k] + 1}"
                )
            if isinstance(partial, str):
                read_text = derivative(chain("g", partial), ("g", "ans", *names))
                return read_text(factor, node, *args)
            return multiply(factor, partial(node, *args))

        places = [k for k, a in enumerate(args) if id(a) in context.active]
        return Rule(head.__name__, node, tuple(args[k] for k in places), term)

    _registered[head] = reading


def _argument_names(count: int) -> tuple[str, ...]:
    return tuple("xyz"[:count]) if count <= 3 else tuple(f"x{k}" for k in range(1, count + 1))


# -- reading ------------------------------------------------------------------------------------------


def read(node: Expression, context: Context) -> Rule:
    """The rule that differentiates a node (interned, and active in ``context``).

    Raises:
        NoRuleError: for a head without a rule, by name.
        InputError: where the rule needs real numbers and the expression says otherwise.
    """
    if id(node) not in context.known:
        context.explore(node)
    cls = type(node)
    reading = _registered.get(cls) or _READINGS.get(cls)
    if reading is not None:
        return reading(node, context)
    line = lines().get(cls)
    if line is not None:
        if cls in _REAL_ONLY and context.is_complex(node):
            raise InputError(
                f"the derivative of {cls.__name__} is that for real numbers, but its argument holds a symbol "
                "that is declared not real, or the imaginary unit; declare the symbols with real=True"
            )
        return table_rule(line, node, node._args, context)
    for kind, reading in _KINDS:
        if isinstance(node, kind):
            return reading(node, context)
    raise NoRuleError(_no_rule(node))


def _no_rule(node: Expression) -> str:
    name = type(node).__name__
    if isinstance(node, sympy.Integral):
        return (
            f"the expression holds an unevaluated {name}, which has no rule; "
            "evaluate it with .doit() first, or define a rule with diffkit.symbolic.defrule"
        )
    if isinstance(node, sympy.MatrixExpr):
        return (
            f"{name} is a matrix expression, which has no rule; write the matrix out with .as_explicit(), "
            "and it is differentiated element by element"
        )
    return (
        f"there is no rule for the derivative of {name}; define one with "
        f"diffkit.symbolic.defrule({name}, partial, ...), one partial derivative per argument"
    )


_REAL_ONLY = frozenset(
    {sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling, sympy.Heaviside}
)

_READINGS: dict[Any, Callable[[Expression, Context], Rule]] = {
    sympy.Add: read_add,
    sympy.Mul: read_mul,
    sympy.Pow: read_pow,
    sympy.Max: read_extremum,
    sympy.Min: read_extremum,
    sympy.Mod: lambda node, context: table_rule(ELEMENTARY["remainder"], node, node._args, context),
    sympy.Piecewise: PiecewiseRule,
    sympy.Sum: read_sum,
    sympy.Product: read_product,
    sympy.Derivative: read_formal,
    sympy.Subs: read_formal,
    sympy.Indexed: read_indexed,
    sympy.polygamma: read_polygamma,
}

_KINDS: list[tuple[type, Callable[[Expression, Context], Rule]]] = [(AppliedUndef, read_undefined)]
