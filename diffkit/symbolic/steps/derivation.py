"""Derivations: the rules that lead to a derivative, one by one, as a proof that can be checked.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> print(steps(x * sympy.sin(x**2), x).text())
d/dx (x*sin(x**2)) = 2*x**2*cos(x**2) + sin(x**2)
1 product: d(u * v) = du * v + u * dv, with u = x, v = sin(x**2)
  d/dx (x*sin(x**2)) = 2*x*x*cos(x**2) + sin(x**2)
  2 chain: d(sin(u)) = cos(u) * du, with u = x**2
    d/dx sin(x**2) = 2*x*cos(x**2)
    3 power: d(u ** n) = n * u ** (n - 1) * du, with u = x, n = 2
      d/dx (x**2) = 2*x
simplified: 2*x**2*cos(x**2) + sin(x**2)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, intern
from diffkit.symbolic.arguments import expression, variable
from diffkit.symbolic.matrices.derivatives import Layout
from diffkit.symbolic.matrices.reading import is_about_matrices, is_matrix_expression
from diffkit.symbolic.matrices.steps import matrix_steps
from diffkit.symbolic.scopes import set_apart
from diffkit.symbolic.steps import showing
from diffkit.symbolic.steps.proof import Proof, Step
from diffkit.symbolic.steps.schemas import CONSTANT, line_of, schema_of, variable_schema
from diffkit.symbolic.steps.written import shown
from diffkit.symbolic.sweeps import context_of, forward_sweep, rules_in_order

__all__ = ["Derivation", "Step", "steps"]

_ZERO, _ONE = intern(S.Zero), intern(S.One)


class Derivation(Proof):
    """A proof that shows itself: as text, in LaTeX, and in a notebook as a folding list.

    Attributes:
        root: the first :class:`~diffkit.symbolic.Step`; its parts lead on.
        variable: the symbol that is differentiated by.
        result: the derivative, the very expression that :func:`~diffkit.symbolic.diff` returns.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> print(steps(x * sympy.exp(x), x).text(simplified=False))
    d/dx (x*exp(x)) = x*exp(x) + exp(x)
    1 product: d(u * v) = du * v + u * dv, with u = x, v = exp(x)
      d/dx (x*exp(x)) = x*exp(x) + exp(x)
      2 exponential: d(exp(u)) = exp(u) * du, with u = x
        d/dx exp(x) = exp(x)
    """

    # -- how it is shown ----------------------------------------------------------------------------

    def text(self, *, limit: int = 200, simplified: bool = True) -> str:
        """The steps as indented lines; at most ``limit`` of them."""
        return showing.text(self, limit, simplified)

    __str__ = text

    def __repr__(self) -> str:
        return f"<Derivation of {shown(self.root.before)} by {self.variable}: {len(self)} steps>"

    def latex(self, *, limit: int = 200) -> str:
        r"""The steps as the lines of an ``aligned`` environment, to be put between ``\[`` and ``\]``.

        >>> import sympy
        >>> x = sympy.Symbol("x")
        >>> print(steps(sympy.sin(x), x).latex())
        \begin{aligned}
        (1)\;\; \frac{d}{dx} \left[\sin{\left(x \right)}\right] &= \cos{\left(x \right)} && \text{sin: } ...
        \end{aligned}
        """
        return showing.latex(self, limit)

    def html(self, *, limit: int = 500) -> str:
        """The steps as nested ``<details>`` elements, which fold; the first two levels are open."""
        return showing.html(self, limit)

    _repr_html_ = html


# -- making one ---------------------------------------------------------------------------------------


def steps(expr: Any, x: Any, *, layout: Layout = "gradient", assumptions: Any = True) -> Any:
    """The derivation of an expression's derivative, step by step.

    By a MatrixSymbol, or of a matrix expression, it is a
    :class:`~diffkit.symbolic.matrices.steps.MatrixDerivation`, by differentials.

    The rules are those that :func:`~diffkit.symbolic.diff` applies in forward mode, so the result
    is the same expression, and a subexpression that occurs again is not derived again.

    Args:
        expr: a SymPy expression of any size; the derivation is as long as the shared graph.
        x: the symbol.
        layout: of a scalar's derivative by a matrix, as for :func:`~diffkit.symbolic.diff`.
        assumptions: what is known of the matrices, as for :func:`~diffkit.symbolic.diff`.

    Returns:
        A Derivation: the tree of steps, which shows itself and checks itself.

    Raises:
        InputError, NoRuleError: as :func:`~diffkit.symbolic.diff`.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> derivation = steps(x**x, x)
    >>> derivation.root.rule, derivation.result, derivation.check()
    ('generalised power', x*x**(x - 1) + x**x*log(x), True)
    """
    if is_matrix_expression(expr) or is_matrix_expression(x):
        return matrix_steps(expr, x, layout, assumptions)
    try:
        return _steps(expr, x)
    except (InputError, NoRuleError):
        if not is_about_matrices(expr) or isinstance(x, MatrixElement):
            raise
        return matrix_steps(expr, x, layout, assumptions)


def _steps(expr: Any, x: Any) -> Derivation:
    (root,), (symbol,) = set_apart([expression(expr)], [variable(x)])
    context = context_of([symbol])
    made: dict[int, Step] = {id(symbol): Step(variable_schema(symbol), symbol, _ONE, _ONE)}

    def constant(node: Expression) -> Step:
        if id(node) not in made:
            made[id(node)] = Step(replace(CONSTANT, bindings={"c": node}), node, _ZERO, _ZERO)
        return made[id(node)]

    for rule in rules_in_order([root], context, bodies=True):
        within = (
            [*rule.bodies, *(o for o in rule.operands if o is not symbol)] if rule.bodies else rule.operands
        )
        parts = [made[id(operand)] for operand in within]
        after = rule.pushforward([made[id(operand)].after for operand in rule.operands])
        if rule.name == "sum":  # its constant terms are steps too
            live = iter(parts)
            active = {id(o) for o in rule.operands}
            parts = [next(live) if id(a) in active else constant(a) for a in rule.node._args]
        reading = schema_of(rule)
        lines = [made[id(operand)].line for operand in rule.operands]
        line = line_of(reading, rule, lines, after)
        made[id(rule.node)] = Step(reading, rule.node, after, line, parts, _rule=rule)
    first = made[id(root)] if id(root) in made else constant(root)
    derivation = Derivation(first, symbol)
    (derivative,) = forward_sweep([root], [symbol], [_ONE])
    assert derivation.result is derivative, "a derivation that does not lead to the derivative"
    return derivation
