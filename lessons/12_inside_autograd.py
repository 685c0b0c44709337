"""Inside autograd: a tracer in under 100 lines

Goals: write node, primitive, defvjp, topological sort and backward pass, step by step; see that they are
enough to differentiate Python; meet the two other styles, a gate class and a forward-value class.
Before: 05_wengert_list, 07_reverse_mode, 11_vjps_not_jacobians. 45 minutes.
"""

# %% [markdown]
# # Inside autograd
#
# **Problem.** `dk.grad` looks like magic: it takes a Python function and returns another. We build one
# that gives the same answers.

# %%
import time

import numpy as np

import diffkit as dk
from diffkit.lessons import fast, predict

# %% [markdown]
# ## 1. A node
#
# **Idea.** Run the function on a stand-in for the number, which remembers how it was made: its value, the
# function, the arguments, and which of them were nodes.


# %%
class Node:
    """A value, and what computed it."""

    def __init__(self, value, fun=None, args=(), parents=()):
        self.value, self.fun, self.args, self.parents = value, fun, args, parents


# %% [markdown]
# ## 2. A primitive
#
# **Rule.** A primitive takes the values out of its arguments, computes, and wraps the answer in a node.


# %%
def primitive(function):
    """Makes ``function`` record itself when an argument is a node."""

    def recorded(*args):
        parents = [(k, a) for k, a in enumerate(args) if isinstance(a, Node)]
        values = [a.value if isinstance(a, Node) else a for a in args]
        answer = function(*values)
        return Node(answer, recorded, values, parents) if parents else answer

    return recorded


add = primitive(lambda x, y: x + y)
mul = primitive(lambda x, y: x * y)
sin = primitive(np.sin)
log = primitive(np.log)

x1, x2 = Node(2.0), Node(3.0)
y = add(mul(x1, x2), log(x2))
print(y.value, [parent.value for _, parent in y.parents])
assert y.value == 6.0 + np.log(3.0)

# %% [markdown]
# ## 3. A rule per primitive
#
# A **vector-Jacobian product** takes the cotangent g of the answer to the cotangent of one argument.

# %%
rules = {}


def defvjp(fun, *vjps):
    """The rules of ``fun``, one per argument: ``vjp(g, ans, *args)``."""
    rules[fun] = vjps


defvjp(add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
defvjp(mul, lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x)
defvjp(sin, lambda g, ans, x: g * np.cos(x))
defvjp(log, lambda g, ans, x: g / x)

# %% [markdown]
# ## 4. The order of the backward pass
#
# **Subtlety.** A node's adjoint is complete only when *every* node that uses it has been passed. A
# plain recursion from the output walks every path: on a ladder where each rung uses the last one twice,
# there are 2^n paths. Count the users first, and take a node when the last of them is done.


# %%
def toposort(end):
    """The nodes that ``end`` depends on, each after all its users; no recursion."""
    users, stack = {}, [end]
    while stack:
        node = stack.pop()
        users[node] = users.get(node, 0) + 1
        if users[node] == 1:
            stack.extend(parent for _, parent in node.parents)
    ready = [end]
    while ready:
        node = ready.pop()
        yield node
        for _, parent in node.parents:
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)


def paths(node):
    """How many paths lead from a node down to the inputs: what a naive recursion would walk."""
    return sum(paths(parent) for _, parent in node.parents) if node.parents else 1


ladder = Node(1.0)
for _ in range(12):
    ladder = add(ladder, ladder)
predict("A ladder of 12 rungs, each using the one below twice: how many paths?", paths(ladder))
print(f"{len(list(toposort(ladder)))} nodes, {paths(ladder):,} paths")
assert len(list(toposort(ladder))) == 13
assert paths(ladder) == 4096

# %% [markdown]
# ## 5. The backward pass
#
# Contributions to one node **add up**. (Write `=` for `+=` below and see `grad(lambda x: mul(x, x))` go
# wrong: lesson 08 is about that bug.)


# %%
def backward_pass(g, end):
    """The adjoints of all nodes that ``end`` depends on."""
    adjoints = {end: g}
    for node in toposort(end):
        for k, parent in node.parents:
            contribution = rules[node.fun][k](adjoints[node], node.value, *node.args)
            adjoints[parent] = adjoints.get(parent, 0.0) + contribution
    return adjoints


def grad(f):
    """The derivative of a scalar function of one variable."""

    def gradient(x):
        start = Node(x)
        end = f(start)
        return backward_pass(1.0, end).get(start, 0.0)

    return gradient


f = lambda x: mul(sin(x), add(x, log(x)))  # noqa: E731
print(grad(f)(2.0))
assert np.isclose(grad(f)(2.0), dk.grad(lambda x: np.sin(x) * (x + np.log(x)))(2.0), rtol=1e-15)
assert grad(lambda x: mul(x, x))(3.0) == 6.0

# %% [markdown]
# ## 6. Operators, and derivatives of derivatives
#
# Operators are methods of the node. If the rules are themselves made of primitives, the backward pass can
# be recorded by a second layer of nodes. For that, values may be nodes, and a primitive unwraps only the
# newest layer: each call of `grad` opens a new `level`.


# %%
class Layered(Node):
    """A node that knows how many derivatives deep it is."""

    def __init__(self, value, level, fun=None, args=(), parents=()):
        super().__init__(value, fun, args, parents)
        self.level = level

    __add__ = __radd__ = lambda self, other: add(self, other)
    __mul__ = __rmul__ = lambda self, other: mul(self, other)


def primitive(function):  # the same idea as above, for the newest level only
    """Makes ``function`` record itself on the newest level among its arguments."""

    def recorded(*args):
        level = max((a.level for a in args if isinstance(a, Layered)), default=0)
        if level == 0:
            return function(*args)
        parents = [(k, a) for k, a in enumerate(args) if isinstance(a, Layered) and a.level == level]
        values = list(args)
        for k, a in parents:
            values[k] = a.value
        return Layered(recorded(*values), level, recorded, values, parents)

    return recorded


add, mul = primitive(lambda x, y: x + y), primitive(lambda x, y: x * y)
sin, cos = primitive(np.sin), primitive(np.cos)
defvjp(add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
defvjp(mul, lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x)
defvjp(sin, lambda g, ans, x: g * cos(x))
defvjp(cos, lambda g, ans, x: -1.0 * g * sin(x))
depth = 0


def grad(f):
    """The derivative, of any order: ``grad(grad(f))`` works."""

    def gradient(x):
        global depth
        depth += 1
        try:
            start = Layered(x, depth)
            end = f(start)
        finally:
            depth -= 1
        return backward_pass(1.0, end).get(start, 0.0) if isinstance(end, Node) else 0.0

    return gradient


g = lambda x: x * sin(x)  # noqa: E731
h = lambda x: x * np.sin(x)  # noqa: E731
for ours, theirs in ((g, h), (grad(g), dk.grad(h)), (grad(grad(g)), dk.grad(dk.grad(h)))):
    assert np.isclose(grad(ours)(0.7), dk.grad(theirs)(0.7), rtol=1e-14)
confusion = grad(lambda x: x * grad(lambda y: x + y)(1.0))(3.0)
predict("d/dx [x · d/dy (x + y)] at x = 3, y = 1: the inner derivative is 1, so the answer is?", confusion)
assert confusion == 1.0

# %% [markdown]
# ## 7. Two other styles
#
# A **gate** keeps what its backward pass needs from its last forward pass. It is quick to write, and
# breaks when one gate is used twice before the backward pass: the second use overwrites what the first
# kept.


# %%
class MultiplyGate:
    """A gate as in many courses: ``forward`` caches its inputs, ``backward`` uses them."""

    def forward(self, x, y):
        """The product."""
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        """The cotangents of both factors."""
        return dz * self.y, dz * self.x


gate = MultiplyGate()
q = gate.forward(-2.0 + 5.0, -4.0)
assert gate.backward(1.0) == (-4.0, 3.0)
gate.forward(1.0, 1.0)
assert gate.backward(1.0) == (1.0, 1.0)  # no longer that of q


# %% [markdown]
# A **forward value** (a dual number) carries its tangent along: no graph, no backward pass, one sweep per
# input.


# %%
class Dual:
    """A value with its tangent."""

    def __init__(self, value, tangent=0.0):
        self.value, self.tangent = value, tangent

    def __add__(self, other):
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __mul__(self, other):
        return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)


z = (Dual(-2.0, 1.0) + Dual(5.0)) * Dual(-4.0)
assert (z.value, z.tangent) == (-12.0, -4.0)

# %% [markdown]
# ## What diffkit does beyond this
#
# Rows in one list in place of a graph that must be sorted; one scan of the arguments; rules looked up in
# the primitive; Python floats kept as Python floats. How much that gives is measured here, on a chain.


# %%
def chain(sine):
    """999 operations, with either kind of sine."""

    def program(x):
        for _ in range(333):
            x = sine(x) * 1.01 + 0.1
        return x

    return program


def seconds(run, repeats: int = 3 if fast() else 15) -> float:
    """The least time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


assert np.isclose(grad(chain(sin))(0.3), dk.grad(chain(np.sin))(0.3), rtol=1e-12)
ratio = seconds(lambda: grad(chain(sin))(0.3)) / seconds(lambda: dk.grad(chain(np.sin))(0.3))
print(f"this lesson's tracer takes {ratio:.1f} times as long as dk.grad")
