"""Which rule differentiates which class: the user's, those written here, and the table's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.calculus import ELEMENTARY
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, derivative
from diffkit.expressions.operations import multiply
from diffkit.grammar import chain
from diffkit.symbolic.rules.advice import no_rule
from diffkit.symbolic.rules.arithmetic import read_add, read_mul, read_pow
from diffkit.symbolic.rules.by_fdiff import has_fdiff, read_by_fdiff
from diffkit.symbolic.rules.choices import PiecewiseRule, read_extremum
from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.formal import (
    read_derivative,
    read_element,
    read_indexed,
    read_subs,
    read_undefined,
    same_as,
)
from diffkit.symbolic.rules.integrals import read_integral
from diffkit.symbolic.rules.isolated import read_isolated
from diffkit.symbolic.rules.ranges import read_product, read_sum
from diffkit.symbolic.rules.rule import Rule, lines, table_rule

# -- the user's own rules -----------------------------------------------------------------------------

_Reading: TypeAlias = Callable[[Expression, Context], Rule]
_registered: dict[Any, _Reading] = {}


def defrule(head: Any, *partials: str | Callable[..., Any] | None) -> None:
    """Says what the partial derivatives of a SymPy function are.

    Args:
        head: the function's class: ``sympy.Si``, an undefined ``Function("f")``, or one's own.
        partials: one per argument. A text in the table's grammar, over the arguments ``x`` (of one),
            ``x, y`` (of two), ``x, y, z`` (of three), or ``x1, x2, ...``, and ``ans``, the function's
            value; or a callable ``partial(ans, *args)``; or None for an argument by which the
            function is never differentiated, such as the order of a Bessel function.

    Raises:
        InputError: for a head that is no SymPy class, or a text that does not parse.

    >>> import sympy
    >>> from diffkit.symbolic import diff
    >>> x = sympy.Symbol("x")
    >>> defrule(sympy.Si, "sin(x) / x")
    >>> diff(sympy.Si(x**2), x)
    ((2*x)*sin(x**2))/(x**2)
    """
    if not isinstance(head, type) or not issubclass(head, sympy.Basic):
        raise InputError(
            f"expected a SymPy function's class to define a rule for, such as sympy.Si, got {head!r}"
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

    _registered[head] = _by_partials(head, partials)


def _by_partials(head: Any, partials: Sequence[str | Callable[..., Any] | None]) -> _Reading:
    """The reading of a function with these partial derivatives."""
    names = _argument_names(len(partials))

    def reading(node: Expression, context: Context) -> Rule:
        args = node._args
        if len(args) != len(partials):
            raise NoRuleError(
                f"{head.__name__} has a rule for {len(partials)} argument{'s' * (len(partials) > 1)}, but is "
                f"used with {len(args)}"
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

    return reading


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
    if id(node) in context.hidden:
        raise NoRuleError(_hidden(node, context))
    rule = _read(node, context)
    if not rule.operands and id(node) in context.active and not isinstance(node, _MAY_BE_CONSTANT):
        raise NoRuleError(_hidden(node, context))
    return rule


_MAY_BE_CONSTANT = (sympy.Piecewise, sympy.Derivative, sympy.Subs)  # though the variable occurs in them


def _hidden(node: Expression, context: Context) -> str:
    name, variables = type(node).__name__, context.variables
    listed = ", ".join(map(str, variables[:5])) + (", ..." if len(variables) > 5 else "")
    return f"{name} depends on {listed}, but does not show where; write it in functions that do"


def _read(node: Expression, context: Context) -> Rule:
    cls = type(node)
    reading = _registered.get(cls) or _READINGS.get(cls)
    if reading is not None and not (cls is sympy.LambertW and len(node._args) == 2):
        return reading(node, context)
    line = lines().get(cls)
    if line is not None and len(line.arguments) == len(node._args):
        if cls in _REAL_ONLY:
            _check_real(node, context)
        return table_rule(line, node, node._args, context)
    for kind, reading in _KINDS:
        if isinstance(node, kind):
            return reading(node, context)
    if has_fdiff(node):
        return read_by_fdiff(node, context)
    raise NoRuleError(no_rule(node))


def _check_real(node: Expression, context: Context) -> None:
    if any(context.is_complex(a) for a in node._args):
        raise InputError(
            f"the derivative of {type(node).__name__} is that for real numbers, but its argument holds a "
            "symbol that is declared not real, or the imaginary unit; declare the symbols with real=True"
        )


_REAL_ONLY = frozenset({sympy.Abs, sympy.sign, sympy.floor, sympy.ceiling, sympy.Heaviside})


def _of_a_real(head: Any, partial: str) -> _Reading:
    reading = _by_partials(head, [partial])

    def checked(node: Expression, context: Context) -> Rule:
        _check_real(node, context)
        return reading(node, context)

    return checked


def _read_remainder(node: Expression, context: Context) -> Rule:
    _check_real(node, context)
    return table_rule(ELEMENTARY["remainder"], node, node._args, context)


_READINGS: dict[Any, _Reading] = {
    sympy.Add: read_add,
    sympy.Mul: read_mul,
    sympy.Pow: read_pow,
    sympy.Max: read_extremum,
    sympy.Min: read_extremum,
    sympy.Mod: _read_remainder,
    sympy.Piecewise: lambda node, context: read_isolated(node, context) or PiecewiseRule(node, context),
    sympy.Sum: read_sum,
    sympy.Product: read_product,
    sympy.Derivative: read_derivative,
    sympy.Subs: read_subs,
    sympy.UnevaluatedExpr: lambda node, context: same_as("unevaluated", node, node._args[0], context),
    MatrixElement: read_element,
    sympy.Indexed: read_indexed,
    sympy.sinc: _by_partials(sympy.sinc, ["where(x, (cos(x) - ans) / x, 0)"]),
    sympy.factorial: _by_partials(sympy.factorial, ["ans * digamma(x + 1)"]),
    sympy.LambertW: _by_partials(sympy.LambertW, ["exp(-ans) / (1 + ans)"]),
    sympy.frac: _of_a_real(sympy.frac, "1"),
    sympy.arg: _of_a_real(sympy.arg, "0"),
    sympy.RisingFactorial: _by_partials(
        sympy.RisingFactorial, ["ans * (digamma(x + y) - digamma(x))", "ans * digamma(x + y)"]
    ),
    sympy.FallingFactorial: _by_partials(
        sympy.FallingFactorial, ["ans * (digamma(x + 1) - digamma(x - y + 1))", "ans * digamma(x - y + 1)"]
    ),
    sympy.re: _of_a_real(sympy.re, "1"),
    sympy.im: _of_a_real(sympy.im, "0"),
    sympy.conjugate: _of_a_real(sympy.conjugate, "1"),
}

_KINDS: list[tuple[type, _Reading]] = [(AppliedUndef, read_undefined), (sympy.Integral, read_integral)]
