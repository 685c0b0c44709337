"""Inside autograd: a tracer in under 100 lines

Goals: write node, primitive, defvjp, topological sort and backward pass, step by step; see that they are
enough to differentiate Python; meet the two other styles, gates and numbers with a tangent.
Before: 05_wengert_list, 07_reverse_mode, 11_vjps_not_jacobians. 45 minutes.
"""

# %% [markdown]
# # Inside autograd
#
# **Problem.** `dk.grad` looks like magic: it takes a function and returns another. We build one like it.

# %%
import inspect

import numpy as np

import diffkit as dk
from diffkit.autodiff.core.sweeps import reverse_sweep
from diffkit.lessons import predict, save

# %% [markdown]
# ## 1. A node, and primitives that make them
#
# **Idea.** Run the function on a stand-in for the number, which remembers how it was made. (What `level` is
# for, step 5 says; until then it is 1.) **Rule.** A primitive takes the values out of its arguments,
# computes, and wraps the answer in a node.


# %%
class Node:
    """A value, and what computed it."""

    def __init__(self, value, level=1, fun=None, args=(), parents=()):
        self.value, self.level = value, level
        self.fun, self.args, self.parents = fun, args, parents

    __add__ = __radd__ = lambda self, other: add(self, other)
    __mul__ = __rmul__ = lambda self, other: mul(self, other)


def primitive(function):
    """Makes ``function`` record itself when an argument is a node."""

    def recorded(*args):
        level = max((a.level for a in args if isinstance(a, Node)), default=0)
        if level == 0:
            return function(*args)
        parents = [(k, a) for k, a in enumerate(args) if isinstance(a, Node) and a.level == level]
        values = list(args)
        for k, a in parents:
            values[k] = a.value
        return Node(recorded(*values), level, recorded, values, parents)

    return recorded


add, mul = primitive(lambda x, y: x + y), primitive(lambda x, y: x * y)
sin, cos = primitive(np.sin), primitive(np.cos)

x, y, z = Node(-2.0), Node(5.0), Node(-4.0)
f = dk.programs.sum_times(x, y, z)  # (x + y) z, the program itself, run on nodes
predict("Which values are the parents of f = (x + y) z at (-2, 5, -4)?", [a.value for _, a in f.parents])
assert (f.value, [a.value for _, a in f.parents]) == (-12.0, [3.0, -4.0])

# %% [markdown]
# ## 2. A rule per primitive: the vector-Jacobian product by each argument

# %%
rules = {}
defvjp = lambda fun, *vjps: rules.update({fun: vjps})  # noqa: E731
defvjp(add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
defvjp(mul, lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x)
defvjp(sin, lambda g, ans, x: g * cos(x))
defvjp(cos, lambda g, ans, x: -1.0 * g * sin(x))

# %% [markdown]
# ## 3. The order of the backward pass
#
# **Subtlety.** An adjoint is complete when *every* node that uses it has been passed. A plain recursion
# walks every path, and there are 2^n of them where n rungs each use the last one twice. So count the
# users first, and take a node when the last of them is done.


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


paths = lambda node: sum(paths(p) for _, p in node.parents) if node.parents else 1  # noqa: E731

ladder = Node(1.0)
for _ in range(12):
    ladder = ladder + ladder
predict("A ladder of 12 rungs, each using the one below twice: how many paths?", paths(ladder))
assert paths(ladder) == 2**12
assert len(list(toposort(ladder))) == 13
save(dk.draw(lambda x: [x := x + x for _ in range(4)][-1], 1.0), "12_ladder.svg")

# %% [markdown]
# ## 4. The backward pass
#
# Contributions to one node **add up** (lesson 08). On f from above:


# %%
def backward_pass(g, end):
    """The adjoints of all nodes that ``end`` depends on."""
    adjoints = {end: g}
    for node in toposort(end):
        for k, parent in node.parents:
            contribution = rules[node.fun][k](adjoints[node], node.value, *node.args)
            adjoints[parent] = adjoints.get(parent, 0.0) + contribution
    return adjoints


found = [backward_pass(1.0, f)[v] for v in (x, y, z)]
predict("f = (x + y) z at (-2, 5, -4): what are the adjoints of x, y and z?", found)
assert found == [-4.0, -4.0, 3.0]

# %% [markdown]
# ## 5. grad, to any order
#
# Rules are made of primitives, so a second layer of nodes around the first can record the backward pass.
# Layers must not be mixed up: each `grad` opens a new **level**, and a primitive unwraps only the newest.

# %%
depth = 0


def grad(f):
    """The derivative of a scalar function of one variable; ``grad(grad(f))`` works."""

    def gradient(x):
        global depth
        depth += 1
        start = Node(x, depth)
        end = f(start)
        depth -= 1
        return backward_pass(1.0, end).get(start, 0.0) if isinstance(end, Node) else 0.0

    return gradient


ours, numpys = lambda x: x * sin(x) + x, lambda x: x * np.sin(x) + x
for order in (1, 2, 3):
    ours, numpys = grad(ours), dk.grad(numpys)
    print(f"derivative {order}: {ours(0.7):.15f}, dk.grad {numpys(0.7):.15f}")
    assert np.isclose(ours(0.7), numpys(0.7), rtol=1e-13)
confusion = grad(lambda x: x * grad(lambda y: x + y)(1.0))(3.0)
predict("d/dx [x · d/dy (x + y)] at x = 3, y = 1: 1, 2 or 3?", confusion)
assert confusion == 1.0

# %% [markdown]
# ## 6. Two other styles
#
# A **gate** keeps what its backward pass needs from its last forward pass. It breaks when it is used twice
# before the backward pass: the second use overwrites what the first kept. A **number with a tangent**,
# `Dual` in lesson 06, carries its derivative along: no graph, no backward pass, one sweep per input.


# %%
class MultiplyGate:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, g):
        return g * self.y, g * self.x


gate = MultiplyGate()
gate.forward(-2.0 + 5.0, -4.0)
assert gate.backward(1.0) == (-4.0, 3.0)
gate.forward(1.0, 7.0)
predict("The gate's backward pass was (-4, 3). After another forward(1, 7)?", gate.backward(1.0))
assert gate.backward(1.0) == (7.0, 1.0)

# %% [markdown]
# ## 7. Now open the real one
#
# `diffkit/autodiff/core/sweeps.py` is the backward pass of diffkit. It is yours, with four differences:
#
# 1. **Nothing is sorted.** Rows stand in the order of computing: backwards, a row's users all come before it.
# 2. **Rows, not nodes.** Adjoints stand in a list, by the row's place, not in a dictionary.
# 3. **Sparse adjoints.** What `x[k]` gives back is zero but at k: kept so until the sweep is there (`dense`).
# 4. **One row has a file of its own**, `core/rows.py`: keywords, several answers, checks of users' rules.
#
# `core/quick.py` has the same sweep again with the commonest rows written out, for speed: same bits, tested.

# %%
print(inspect.getsource(reverse_sweep))
t = dk.trace(dk.programs.sum_times)(-2.0, 5.0, -4.0)
adjoints = reverse_sweep(t.nodes, t.recording, {4: 1.0})
predict("f = (x + y) z again: which adjoints do the rows x, y, z, x + y and f get?", adjoints)
assert adjoints == [-4.0, -4.0, 3.0, -4.0, 1.0]

# %% [markdown]
# ## Exercises
#
# Copy `exercises/12_inside_autograd_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/12_inside_autograd.py YOUR_FILE`:
#
# 1. `backward_pass`: over nodes that carry their own rules.
# 2. `Value`: the whole tracer as one class, with operators and `backward()`.
# 3. `Affine`: a gate that works however often it was used before.
