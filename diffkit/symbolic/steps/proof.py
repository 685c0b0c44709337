"""A derivation as data: the steps, what each says, and whether each follows from its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sympy import S

from diffkit.expressions import Expression, intern
from diffkit.symbolic.rules import Rule
from diffkit.symbolic.steps.endings import in_terms_of_itself, shortest
from diffkit.symbolic.steps.schemas import Schema
from diffkit.symbolic.swell.sizes import size

_ONE = intern(S.One)


@dataclass(eq=False)
class Step:
    """One application of a rule.

    Attributes:
        reading: how the rule reads: its name, what it says, and what its letters stand for here.
        before: the expression that it differentiates.
        after: the derivative as the rule gives it.
        parts: the steps for the operands, in order; for a Sum or Product, that for its body.
        line: the derivative as the schema says it, with the results of the parts put in.
        number: its place in the derivation, from 1, where it is first met.

    >>> import sympy
    >>> from diffkit.symbolic import steps
    >>> x = sympy.Symbol("x")
    >>> root = steps(x * sympy.exp(x), x).root
    >>> root.rule, root.bindings, [part.rule for part in root.parts]
    ('product', {'u': x, 'v': exp(x)}, ['variable', 'exponential'])
    """

    reading: Schema
    before: Expression
    after: Expression
    line: Expression
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

    @property
    def is_plain(self) -> bool:
        """Whether this is the derivative of a constant or of the variable, which nobody writes down."""
        return self.rule in ("constant", "variable")

    @cached_property
    def simplified(self) -> Expression | None:
        """``after`` as a textbook ends; None where SymPy fails or takes more than some seconds."""
        return shortest(self.after)

    @cached_property
    def by_itself(self) -> str | None:
        """The derivative in terms of the function y, as y*(1 - y); None if it is no such polynomial."""
        return in_terms_of_itself(self.before, self.after)

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


class Proof:
    """A tree of steps from an expression to its derivative.

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
        """Every step with its depth, from the root on; a step met again comes without its parts.

        Constants and the variable itself are left out, but where there is nothing else.
        """
        seen: set[int] = set()
        stack: list[tuple[Step, int]] = [(self.root, 0)]
        while stack:
            step, depth = stack.pop()
            first = id(step) not in seen
            seen.add(id(step))
            yield step, depth, first
            if first:
                stack.extend((part, depth + 1) for part in reversed(step.parts) if not part.is_plain)

    def check(self) -> bool:
        """Whether every step follows from its parts by its rule: the derivation as a proof."""
        return all(step.evaluate() is step.after for step in self)
