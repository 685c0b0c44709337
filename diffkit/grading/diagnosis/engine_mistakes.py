"""Whole engines: the reverse sweep simulated with one thing wrong in it, on every program.

A mistake in an engine shows in all programs at once: contributions that overwrite each other, nodes that
pass on what they have before it is all there, one operation whose local derivative is wrong. Each is tried
with subtraction and division as operations of their own and as made of others (``x + y * -1``,
``x * y ** -1``), as most engines have them.
"""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation
from diffkit.grading.inside.programs_for_engines import PROGRAMS

Array = np.ndarray[Any, Any]

ORDERS = ("last use first", "last operand first", "latest first")
"""Orders in which each node comes after everything that was computed from it."""

MOST_STEPS = 5_000
"""A sweep that takes more than this is not simulated: it walks every path."""


CALLS_OF_A_STEP = 12
"""What a step of a simulated sweep is charged for, and the operation that it belongs to."""


@dataclass(eq=False)
class Number:
    """A number of a program that was run: by which operation, of what, and when."""

    value: float
    fun: str = ""
    args: tuple[Any, ...] = ()
    split: frozenset[str] = frozenset()

    made: int = field(default_factory=itertools.count().__next__)

    @property
    def values(self) -> tuple[float, ...]:
        """What the operation was performed on."""
        return tuple(_value(a) for a in self.args)


def _value(x: Any) -> float:
    return x.value if isinstance(x, Number) else float(x)


_OPERATORS: dict[str, tuple[str, Callable[..., float], Callable[[float, float], tuple[float, float]]]] = {
    "add": ("x + y", operator.add, lambda x, y: (1.0, 1.0)),
    "sub": ("x - y", operator.sub, lambda x, y: (1.0, -1.0)),
    "mul": ("x * y", operator.mul, lambda x, y: (y, x)),
    "truediv": ("x / y", operator.truediv, lambda x, y: (1 / y, -x / (y * y))),
    "pow": ("x ** n", operator.pow, lambda x, n: (n * x ** (n - 1), 0.0)),
}


def _apply(fun: str, x: Any, y: Any) -> Number:
    if fun in ("add", "mul") and not isinstance(x, Number):
        x, y = y, x  # __radd__ = __add__, as everyone has it
    split = frozenset[str]().union(*(a.split for a in (x, y) if isinstance(a, Number)))
    if fun == "sub" and "sub" in split:
        return _apply("add", x, _apply("mul", y, -1.0) if isinstance(y, Number) else -y)
    if fun == "truediv" and "truediv" in split:
        return _apply("mul", x, _apply("pow", y, -1.0) if isinstance(y, Number) else 1.0 / y)
    return Number(_OPERATORS[fun][1](_value(x), _value(y)), fun, (x, y), split)


for _fun in _OPERATORS:
    setattr(Number, f"__{_fun}__", lambda self, other, fun=_fun: _apply(fun, self, other))
    setattr(Number, f"__r{_fun}__", lambda self, other, fun=_fun: _apply(fun, other, self))
setattr(Number, "__neg__", lambda self: _apply("mul", self, -1.0))  # noqa: B010

Local = Callable[[float, float, float, float], float]
"""The right partial derivative, the operand, the other one, the value: to the partial that is used."""


@dataclass(frozen=True)
class Sweep:
    """A reverse sweep, right by default.

    Attributes:
        order: "last use first", "last operand first" and "latest first" are right; "first come" (a node
            passes on what it has when it is first met), "from the start", and "again each time"
            (whenever something comes, all that is there goes on) are not.
        overwrites: the operations whose contributions replace what is there.
        forgets: the operations and operands for which the partial derivative alone is passed on.
        once: an operand that stands twice in an operation is counted once.
        at: the operations, each with the number of an operand, whose partial derivative is another.
        local: that other.
        split: of subtraction and division, those that are made of other operations.
        shuffled: if not None, the number of a random order of every node's operands: an engine that keeps
            them in a set has another order each time.
    """

    order: str = "last use first"
    overwrites: frozenset[str] = frozenset()
    forgets: frozenset[tuple[str, int]] = frozenset()
    once: bool = False
    at: frozenset[tuple[str, int]] = frozenset()
    local: Local = lambda p, a, b, v: p
    split: frozenset[str] = frozenset()
    shuffled: int | None = None

    def __call__(self, o: Observation) -> Array | None:
        """The derivative that it gives for the observation's program."""
        by_one = o.exercise.defines[0] != "Value"  # grad and backward_pass: the others are plain numbers
        leaves: list[Any] = [
            float(a) if by_one and k != o.part else Number(float(a), split=self.split)
            for k, a in enumerate(o.args)
        ]
        end = PROGRAMS[o.truth.kwargs["program"]](*leaves)
        if not isinstance(end, Number):
            return np.asarray(0.0)
        adjoints: dict[int, float] = {id(end): float(o.g)}
        for step, node in enumerate(self._nodes(end)):
            if step > MOST_STEPS:
                return None
            o.budget.spend(CALLS_OF_A_STEP)
            for parent, contribution in self._contributions(node, adjoints.get(id(node), 0.0)):
                replaced = node.fun in self.overwrites
                adjoints[id(parent)] = contribution + (0.0 if replaced else adjoints.get(id(parent), 0.0))
        return np.asarray(adjoints.get(id(leaves[o.part]), 0.0))

    def _contributions(self, node: Number, adjoint: float) -> Iterator[tuple[Number, float]]:
        if not node.args:
            return
        values = node.values
        partials = _OPERATORS[node.fun][2](*values)
        seen: set[int] = set()
        for k, parent in reversed([*enumerate(node.args)]) if self.once else enumerate(node.args):
            if not isinstance(parent, Number) or (self.once and id(parent) in seen):
                continue
            seen.add(id(parent))
            partial = partials[k]
            if (node.fun, k) in self.at:
                partial = self.local(partial, values[k], values[1 - k], node.value)
            yield parent, partial if (node.fun, k) in self.forgets else partial * adjoint

    def _operands(self, node: Number, rng: random.Random) -> list[Any]:
        return [*node.args] if self.shuffled is None else rng.sample(node.args, len(node.args))

    def _nodes(self, end: Number) -> Iterator[Number]:
        rng = random.Random(self.shuffled)
        if self.order == "again each time":
            stack = [end]
            while stack:
                node = stack.pop()
                yield node
                stack.extend(a for a in reversed(node.args) if isinstance(a, Number))
            return
        if self.order == "first come":
            met, queue = {id(end)}, [end]
            while queue:
                node = queue.pop(0)
                yield node
                for a in self._operands(node, rng):
                    if isinstance(a, Number) and id(a) not in met:
                        met.add(id(a))
                        queue.append(a)
            return
        order = _leaves_first(end, self.order == "last operand first", lambda node: self._operands(node, rng))
        if self.order == "latest first":
            order.sort(key=lambda node: node.made)
        yield from order if self.order == "from the start" else reversed(order)


def _leaves_first(
    end: Number, last_operand_first: bool, operands_of: Callable[[Number], list[Any]]
) -> list[Number]:
    order: list[Number] = []
    seen: set[int] = set()
    stack = [(end, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            found = operands_of(node)
            operands = found if last_operand_first else reversed(found)
            stack.extend((a, False) for a in operands if isinstance(a, Number))
    return order


_LOCALS: tuple[tuple[str, Local], ...] = (
    ("sign", lambda p, a, b, v: -p),
    ("path dropped", lambda p, a, b, v: 0.0),
    ("operands swapped", lambda p, a, b, v: a),
    ("local derivative forgotten", lambda p, a, b, v: 1.0),
    ("ans for x", lambda p, a, b, v: v),
    ("constant factor", lambda p, a, b, v: 2 * p),
    ("constant factor", lambda p, a, b, v: p / 2),
    ("missing factor", lambda p, a, b, v: p * a),
    ("missing factor", lambda p, a, b, v: p / a),
    ("missing factor", lambda p, a, b, v: p * b),
    ("missing factor", lambda p, a, b, v: p / b),
    ("missing factor", lambda p, a, b, v: -p * b),
    ("missing factor", lambda p, a, b, v: -p / a),
    ("missing factor", lambda p, a, b, v: -p * a),
)


def sweeps(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Every sweep with one thing wrong; simplest first."""
    if first.exercise.style != "engine":
        return
    every = frozenset(_OPERATORS)
    found: list[tuple[str, str, Sweep]] = [
        *(("overwritten", "", Sweep(order, overwrites=every)) for order in ORDERS),
        ("upstream forgotten", "", Sweep(forgets=frozenset(itertools.product(every, (0, 1))))),
        ("path dropped", "an operand that stands twice counts once", Sweep(once=True)),
    ]
    found += [("sweep out of order", "", Sweep(order)) for order in ("first come", "from the start")]
    found += [("sweep out of order", "", Sweep("again each time"))]
    for fun, (text, *_) in _OPERATORS.items():
        for order in ORDERS:
            found.append(("overwritten", f"in {text}", Sweep(order, overwrites=frozenset([fun]))))
        for places in ([0, 1], [0], [1]):
            forgotten = frozenset((fun, k) for k in places)
            found.append(("upstream forgotten", f"in {text}", Sweep(forgets=forgotten)))
        for k in (0,) if fun == "pow" else (0, 1):
            letter = text.split()[2 * k]
            for name, local in _LOCALS:
                found.append((name, f"in {text}, for {letter}", Sweep(at=frozenset([(fun, k)]), local=local)))
        if fun != "pow":
            both = frozenset([(fun, 0), (fun, 1)])
            found += [(name, f"in {text}", Sweep(at=both, local=local)) for name, local in _LOCALS]
    for name, detail, sweep in found:
        for split in ([], ["sub", "truediv"], ["truediv"], ["sub"]):
            yield name, detail, replace(sweep, split=frozenset(split))


SHUFFLES = 24
"""Random orders that are tried where operands come in any: the programs have few outcomes."""


def in_any_order(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """A mistake whose numbers go by the order of the operands, where that is another each time.

    Of the outcomes of several orders, the one is looked at that is nearest to what was given.
    """
    if first.exercise.style != "engine":
        return
    every = frozenset(_OPERATORS)
    for name, sweep in (
        ("overwritten", Sweep(overwrites=every)),
        ("sweep out of order", Sweep("first come")),
        ("sweep out of order", Sweep("from the start")),
    ):
        for split in ([], ["sub", "truediv"], ["truediv"], ["sub"]):
            any_order = replace(sweep, split=frozenset(split))

            def nearest(o: Observation, sweep: Sweep = any_order) -> Array | None:
                outcomes = (replace(sweep, shuffled=k)(o) for k in range(SHUFFLES))
                known = [outcome for outcome in outcomes if outcome is not None]
                return min(known, key=lambda outcome: float(np.abs(outcome - o.given)), default=None)

            yield name, "", nearest
