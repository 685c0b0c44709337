"""Submissions made from a rule, in every style: what the self-test hands in.

>>> import numpy as np
>>> from diffkit.grading import catalogue
>>> gate = submission(catalogue.exercise("square", style="gate"), lambda g, ans, x: 2 * g * x).Square()
>>> gate.forward(np.array([3.0])), gate.backward(np.array([0.5]))
(array([9.]), array([3.]))
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.trials import linearization

__all__ = ["model_answer", "submission"]

Rule = Callable[..., Any]


def model_answer(exercise: Exercise) -> Any:
    """A submission that gives the reference's own answers."""
    if exercise.style == "engine":
        return types.SimpleNamespace(**{exercise.defines[0]: ENGINES[exercise.defines[0]]})
    linearize = linearization(exercise)

    def rule(g: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
        seeds = tuple(map(np.asarray, g)) if isinstance(g, tuple) else (np.asarray(g),)
        answer = linearize(args, kwargs)(seeds)
        return answer if len(answer) > 1 else answer[0]

    return submission(exercise, rule)


def submission(exercise: Exercise, rule: Rule) -> Any:
    """A submission in the exercise's style that answers by ``rule(g, ans, *args, **kwargs)``."""
    return _MAKERS[exercise.style](exercise, rule)


def _plain_rule(exercise: Exercise, rule: Rule) -> Any:
    return types.SimpleNamespace(**{exercise.defines[0]: rule})


def _partials(exercise: Exercise, rule: Rule) -> Any:
    class Operation:
        def func(self, *args: Any, **kwargs: Any) -> Any:
            return exercise.function(*args, **kwargs)

        def grads(self, *args: Any, **kwargs: Any) -> Any:
            ans = np.asarray(exercise.function(*args, **kwargs))
            return rule(np.ones_like(ans), ans, *args, **kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Operation})


def _gate(exercise: Exercise, rule: Rule) -> Any:
    class Gate:
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            self.args, self.kwargs = args, kwargs
            self.ans = exercise.function(*args, **kwargs)
            return self.ans

        def backward(self, g: Any) -> Any:
            return rule(g, self.ans, *self.args, **self.kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Gate})


def _pair(exercise: Exercise, rule: Rule) -> Any:
    def forward(*args: Any, **kwargs: Any) -> Any:
        ans = exercise.function(*args, **kwargs)
        return ans, (ans, args, kwargs)

    def backward(dout: Any, cache: Any) -> Any:
        ans, args, kwargs = cache
        return rule(dout, ans, *args, **kwargs)

    return types.SimpleNamespace(**dict(zip(exercise.defines, (forward, backward), strict=True)))


def _context(exercise: Exercise, rule: Rule) -> Any:
    class Function:
        @staticmethod
        def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
            ans = exercise.function(*args, **kwargs)
            ctx.save_for_backward(ans, *args)
            ctx.kwargs = kwargs
            return ans

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return rule(g, *ctx.saved_tensors, **ctx.kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Function})


def _registered(exercise: Exercise, rule: Rule) -> Any:
    def one(part: int) -> Rule:
        def rule_of_part(g: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
            answer = rule(g, ans, *args, **kwargs)
            return answer[part] if isinstance(answer, tuple | list) else answer

        return rule_of_part

    rules = tuple(one(part) for part in range(len(exercise.differentiated)))
    name, table = exercise.defines
    return types.SimpleNamespace(**{name: exercise.function, table: {name: rules}})


_MAKERS: dict[str, Callable[[Exercise, Rule], Any]] = {
    "vjp": _plain_rule,
    "jvp": _plain_rule,
    "partials": _partials,
    "gate": _gate,
    "pair": _pair,
    "context": _context,
    "defvjp": _registered,
}


# -- engines ----------------------------------------------------------------------------------------------


class Value:
    """A number that remembers how it was computed; the sweep goes by the order of creation."""

    def __init__(self, data: float, parents: tuple[tuple[Value, float], ...] = ()) -> None:
        self.data, self.grad, self.parents = data, 0.0, parents

    def __add__(self, other: Any) -> Value:
        other = _value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Any) -> Value:
        other = _value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, n: float) -> Value:
        return Value(self.data**n, ((self, n * self.data ** (n - 1)),))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Any) -> Value:
        return self + -_value(other)

    def __rsub__(self, other: Any) -> Value:
        return _value(other) - self

    def __truediv__(self, other: Any) -> Value:
        return self * _value(other) ** -1.0

    def __rtruediv__(self, other: Any) -> Value:
        return _value(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Sets ``grad`` of everything that self was computed from."""
        order = _sorted(self, lambda node: [parent for parent, _ in node.parents])
        self.grad = 1.0
        for node in order:
            for parent, partial in node.parents:
                parent.grad += node.grad * partial


def _value(x: Any) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _sorted(end: Any, parents: Callable[[Any], Any]) -> list[Any]:
    """Every node before its parents, without recursion."""
    waiting: dict[int, int] = {}
    seen, stack = {id(end): end}, [end]
    while stack:
        for parent in parents(stack.pop()):
            waiting[id(parent)] = waiting.get(id(parent), 0) + 1
            if id(parent) not in seen:
                seen[id(parent)] = parent
                stack.append(parent)
    order, ready = [], [end]
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in parents(node):
            waiting[id(parent)] -= 1
            if not waiting[id(parent)]:
                ready.append(parent)
    return order


def _backward_pass(g: Any, end_node: Any) -> Any:
    adjoints = {id(end_node): g}
    for node in _sorted(end_node, lambda node: node.parents):
        adjoint = adjoints.pop(id(node))
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            adjoints[id(parent)] = adjoints.get(id(parent), 0.0) + vjp(adjoint)
    return adjoint


def _grad(f: Callable[[Any], Any]) -> Callable[[float], Any]:
    def gradient(x: float) -> Any:
        leaf = Value(x)
        f(leaf).backward()
        return leaf.grad

    return gradient


ENGINES: dict[str, Any] = {"Value": Value, "grad": _grad, "backward_pass": _backward_pass}
"""Right engines, by the name that a submission gives them."""
