"""Right engines, by the names that submissions give them: what the self-test hands in as whole engines.

This file is handed in as it stands, so it imports the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


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

    def exp(self) -> Value:
        y = math.exp(self.data)
        return Value(y, ((self, y),))

    def log(self) -> Value:
        return Value(math.log(self.data), ((self, 1.0 / self.data),))

    def tanh(self) -> Value:
        y = math.tanh(self.data)
        return Value(y, ((self, 1.0 - y * y),))

    def relu(self) -> Value:
        return Value(max(self.data, 0.0), ((self, float(self.data > 0.0)),))

    def sigmoid(self) -> Value:
        y = 1.0 / (1.0 + math.exp(-self.data))
        return Value(y, ((self, y * (1.0 - y)),))

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


def backward_pass(g: Any, end_node: Any) -> Any:
    """The adjoint of the start node."""
    adjoints = {id(end_node): g}
    for node in _sorted(end_node, lambda node: node.parents):
        adjoint = adjoints.pop(id(node))
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            adjoints[id(parent)] = adjoints.get(id(parent), 0.0) + vjp(adjoint)
    return adjoint


def grad(f: Callable[[Any], Any]) -> Callable[[float], Any]:
    """The function that takes x to the derivative of f at x."""

    def gradient(x: float) -> Any:
        leaf = Value(x)
        f(leaf).backward()
        return leaf.grad

    return gradient
