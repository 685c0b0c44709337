import numpy as np


def backward_pass(g, end_node):
    users, stack = {}, [end_node]
    while stack:
        node = stack.pop()
        users[node] = users.get(node, 0) + 1
        if users[node] == 1:
            stack.extend(node.parents)
    adjoints, ready = {end_node: g}, [end_node]
    while ready:
        node = ready.pop()
        if not node.parents:
            start = node
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            adjoints[parent] = adjoints.get(parent, 0.0) + vjp(adjoints[node])
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)
    return adjoints[start]


class Value:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self._parents = parents  # (value, local derivative), one for each use

    @staticmethod
    def of(other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, exponent):
        return Value(self.data**exponent, ((self, exponent * self.data ** (exponent - 1)),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Value.of(other)

    def __rsub__(self, other):
        return Value.of(other) + -self

    def __truediv__(self, other):
        return self * Value.of(other) ** -1.0

    def __rtruediv__(self, other):
        return Value.of(other) * self**-1.0

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, passed = stack.pop()
            if passed:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent, _ in value._parents)
        self.grad = 1.0
        for value in reversed(order):
            for parent, local in value._parents:
                parent.grad += value.grad * local


class Affine:
    def forward(self, x, w, b):
        self.x, self.w = x, w
        return x @ w + b

    def backward(self, g):
        return g @ self.w.T, self.x.T @ g, np.sum(g, axis=0)
