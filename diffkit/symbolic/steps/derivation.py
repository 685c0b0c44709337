"""Derivations: the rules that lead to a derivative, one by one, as a proof that can be checked.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> print(steps(x * sympy.sin(x**2), x).text())
d/dx (x*sin(x**2)) = x*((2*x)*cos(x**2)) + sin(x**2)
1 product: d(u * v) = du * v + u * dv, with u = x, v = sin(x**2)
  d/dx (x*sin(x**2)) = x*((2*x)*cos(x**2)) + sin(x**2)   (6 -> 15 nodes)
  2 variable: d(x) = 1
    d/dx x = 1
  3 chain: d(sin(u)) = cos(u) * du, with u = x**2
    d/dx sin(x**2) = (2*x)*cos(x**2)   (4 -> 8 nodes)
    4 power: d(u ** n) = n * u ** (n - 1) * du, with u = x, n = 2
      d/dx (x**2) = 2*x
      already done in step 2: d/dx x = 1
simplified: 2*x**2*cos(x**2) + sin(x**2)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy
from sympy import S

from diffkit.expressions import Expression, count_nodes, intern
from diffkit.symbolic.arguments import expression, variable
from diffkit.symbolic.budget import within
from diffkit.symbolic.rules import Rule
from diffkit.symbolic.scopes import set_apart
from diffkit.symbolic.steps import showing
from diffkit.symbolic.steps.schemas import CONSTANT, Schema, schema_of, variable_schema
from diffkit.symbolic.sweeps import context_of, forward_sweep, rules_in_order
from diffkit.symbolic.swell.sizes import size

__all__ = ["Derivation", "Step", "steps"]

_ZERO, _ONE = intern(S.Zero), intern(S.One)


@dataclass(eq=False)
class Step:
    """One application of a rule.

    Attributes:
        reading: how the rule reads: its name, what it says, and what its letters stand for here.
        before: the expression that it differentiates.
        after: the derivative as the rule gives it.
        parts: the steps for the operands, in order; for a Sum or Product, that for its body.
        number: its place in the derivation, from 1, where it is first met.
    """

    reading: Schema
    before: Expression
    after: Expression
    parts: list[Step] = field(default_factory=list)
    number: int = 0
    _rule: Rule | None = None

    @property
    def rule(self) -> str:
        """The rule's name: constant, variable, sum, constant multiple, product, quotient, power,
        exponential, logarithm, chain, generalised power, piecewise, or the function's name."""
        return self.reading.title

    @property
    def schema(self) -> str:
        """What the rule says, as text: ``d(u * v) = du * v + u * dv``."""
        return str(self.reading)

    @property
    def bindings(self) -> dict[str, Expression]:
        """What the schema's letters stand for here."""
        return self.reading.bindings

    @cached_property
    def simplified(self) -> Expression | None:
        """``after``, simplified by SymPy; None if that fails or takes more than two seconds."""
        if count_nodes(self.after, showing.FAR) == showing.FAR:
            return None
        try:
            return within(2.0, lambda: sympy.simplify(self.after.doit()), "simplifying")
        except Exception:  # what SymPy can't simplify is an error of whatever kind
            return None

    @cached_property
    def nodes_before(self) -> int:
        """The nodes of ``before``, as a tree."""
        return size(self.before).tree

    @cached_property
    def nodes_after(self) -> int:
        """The nodes of ``after``, as a tree: which rule made the expression swell."""
        return size(self.after).tree

    def evaluate(self) -> Expression:
        """The rule applied once more to the results of its parts: ``after``, if the step is right."""
        if self._rule is None:
            return self.after
        of = {id(part.before): part.after for part in self.parts}
        return self._rule.pushforward([of.get(id(operand), _ONE) for operand in self._rule.operands])


class Derivation:
    """A tree of steps from an expression to its derivative. In a notebook it shows as a folding list.

    Attributes:
        root: the first step; its parts lead on.
        variable: the symbol that is differentiated by.
        result: the derivative, the very expression that ``diff`` returns.
    """

    def __init__(self, root: Step, variable: Expression) -> None:
        self.root = root
        self.variable = variable
        for number, step in enumerate(self, start=1):
            step.number = number

    @property
    def result(self) -> Expression:
        return self.root.after

    def __iter__(self) -> Iterator[Step]:
        """The distinct steps, in the order of their numbers."""
        return (step for step, _, first in self.visits() if first)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def visits(self) -> Iterator[tuple[Step, int, bool]]:
        """Every step with its depth, from the root on; a step met again comes without its parts."""
        seen: set[int] = set()
        stack: list[tuple[Step, int]] = [(self.root, 0)]
        while stack:
            step, depth = stack.pop()
            first = id(step) not in seen
            seen.add(id(step))
            yield step, depth, first
            if first:
                stack.extend((part, depth + 1) for part in reversed(step.parts))

    def check(self) -> bool:
        """Whether every step follows from its parts by its rule: the derivation as a proof."""
        return all(step.evaluate() is step.after for step in self)

    # -- how it is shown ----------------------------------------------------------------------------

    def text(self, *, limit: int = 200, simplified: bool = True) -> str:
        """The steps as indented lines; at most ``limit`` of them."""
        return showing.text(self, limit, simplified)

    __str__ = text

    def __repr__(self) -> str:
        return f"<Derivation of {showing.shown(self.root.before)} by {self.variable}: {len(self)} steps>"

    def latex(self, *, limit: int = 200) -> str:
        r"""The steps as the lines of an ``aligned`` environment, to be put between ``\[`` and ``\]``.

        >>> x = sympy.Symbol("x")
        >>> print(steps(sympy.sin(x), x).latex())
        \begin{aligned}
        \frac{d}{dx} \left[\sin{\left(x \right)}\right] &= \cos{\left(x \right)} && \text{sin: } ...
        \frac{d}{dx} \left[x\right] &= 1 && \text{variable: } \left(x\right)' = 1
        \end{aligned}
        """
        return showing.latex(self, limit)

    def html(self, *, limit: int = 500) -> str:
        """The steps as nested ``<details>`` elements, which fold; the first two levels are open."""
        return showing.html(self, limit)

    _repr_html_ = html


# -- making one ---------------------------------------------------------------------------------------


def steps(expr: Any, x: Any) -> Derivation:
    """The derivation of an expression's derivative, step by step.

    The rules are those that :func:`~diffkit.symbolic.diff` applies in forward mode, so the result
    is the same expression, and a subexpression that occurs again is not derived again.

    Args:
        expr: a SymPy expression of any size; the derivation is as long as the shared graph.
        x: the symbol.

    Raises:
        InputError, NoRuleError: as :func:`~diffkit.symbolic.diff`.

    >>> x = sympy.Symbol("x")
    >>> derivation = steps(x**x, x)
    >>> derivation.root.rule, derivation.result, derivation.check()
    ('generalised power', x*x**(x - 1) + x**x*log(x), True)
    """
    (root,), (symbol,) = set_apart([expression(expr)], [variable(x)])
    context = context_of([symbol])
    made: dict[int, Step] = {id(symbol): Step(variable_schema(symbol), symbol, _ONE)}

    def constant(node: Expression) -> Step:
        if id(node) not in made:
            made[id(node)] = Step(replace(CONSTANT, bindings={"c": node}), node, _ZERO)
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
        made[id(rule.node)] = Step(schema_of(rule), rule.node, after, parts, _rule=rule)
    first = made[id(root)] if id(root) in made else constant(root)
    derivation = Derivation(first, symbol)
    (derivative,) = forward_sweep([root], [symbol], [_ONE])
    assert derivation.result is derivative, "a derivation that does not lead to the derivative"
    return derivation
