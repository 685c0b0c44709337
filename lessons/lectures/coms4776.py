"""COMS 4776, automatic differentiation: the tutorial's own library, on diffkit's rows

What stands on the slides under these names: the training program, logistic and logistic2, defvjp, toposort,
backward_pass, add_outgrads, make_vjp, grad and subval.
"""

# %% [markdown]
# # COMS 4776: how an autodiff library is built
#
# The names and numbers are the deck's, the lines are ours. What a slide shows can be typed in below.

# %%
import numpy as np

import diffkit as dk
from diffkit import grad

# %% [markdown]
# ## The program to differentiate
#
# Four labelled points, logistic predictions, gradient descent. The deck imports another package's `numpy`;
# here it is NumPy's own. Its `print "..."` and `xrange` are Python 2: `print(...)` and `range` today.


# %%
inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
targets = np.array([True, True, False, True])


def sigmoid(x):
    return 0.5 * (np.tanh(x) + 1)


def logistic_predictions(weights, inputs):
    """The probability that each label is true."""
    return sigmoid(np.dot(inputs, weights))


def training_loss(weights):
    """The negative log likelihood of the training labels."""
    predictions = logistic_predictions(weights, inputs)
    label_probabilities = predictions * targets + (1 - predictions) * (1 - targets)
    return -np.sum(np.log(label_probabilities))


training_gradient_fun = grad(training_loss)
weights = np.array([0.0, 0.0, 0.0])
print("Initial loss:", round(float(training_loss(weights)), 4))
for _ in range(100):
    weights -= training_gradient_fun(weights) * 0.01
print("Trained loss:", round(float(training_loss(weights)), 4))
assert round(float(training_loss(np.zeros(3))), 4) == 2.7726  # 4 log 2
assert round(float(training_loss(weights)), 4) == 0.3890

# %% [markdown]
# ## Building the graph
#
# A row of a trace has what the slide's `Node` has: value, fun, args, kwargs, parents. `logistic`, written
# with operators, and `logistic2`, written with calls, make the same rows but for the last.


# %%
def logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


def logistic2(z):
    return np.reciprocal(np.add(1, np.exp(np.negative(z))))


z = 1.5
y = logistic(z)
first, second = dk.trace(logistic)(z), dk.trace(logistic2)(z)
print([row.fun.name for row in first.nodes], [row.fun.name for row in second.nodes])
assert [row.fun.name for row in second.nodes] == ["input", "negative", "exp", "add", "reciprocal"]
assert [row.fun.name for row in first.nodes[:-1]] == [row.fun.name for row in second.nodes[:-1]]
assert first.value == second.value == y
end = second.nodes[-1]
print(end.value, end.fun.name, end.parents, end.recipe)

# %% [markdown]
# ## Rules
#
# `defvjp` puts a function per argument into a dictionary. Each is given the answer's gradient g, the answer
# and the arguments. (Elsewhere they are curried, `lambda ans, x: lambda g: ...`; the slides' twelve lines
# call them with g first.) By hand for a few; what is not there is taken from diffkit's own table.


# %%
class PrimitiveVJPs(dict):
    """The rules by primitive; diffkit's own where none was defined here."""

    def __missing__(self, fun):
        fun.complete_rules()
        return fun.vjps


primitive_vjps = PrimitiveVJPs()


def defvjp(name, *vjps):
    """Registers a rule per argument, for the NumPy function of that name."""
    (fun,) = {row.fun for row in [*first.nodes, *second.nodes] if row.fun.name == name}
    primitive_vjps[fun] = vjps


defvjp("negative", lambda g, ans, x: -g)
defvjp("exp", lambda g, ans, x: ans * g)
defvjp("reciprocal", lambda g, ans, x: -g / x**2)
defvjp("add", lambda g, ans, x, y: g, lambda g, ans, x, y: g)
defvjp("divide", lambda g, ans, x, y: g / y, lambda g, ans, x, y: -g * x / y**2)


# %% [markdown]
# ## The backward pass, as messages
#
# A node adds up the messages from those who use it, and sends each parent one: a vector-Jacobian product.
# It is the slides' function of twelve lines, and reads diffkit's rows as they are.


# %%
def toposort(end_node):
    """The nodes that ``end_node`` depends on, each after all its users."""
    users, stack = {}, [end_node]
    while stack:
        node = stack.pop()
        users[node] = users.get(node, 0) + 1
        if users[node] == 1:
            stack.extend(node.parents)
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in node.parents:
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)


def add_outgrads(prev_g, g):
    """A message, added to what has come before; None before the first."""
    return g if prev_g is None else prev_g + g


def backward_pass(g, end_node):
    """The gradient of the input on which ``end_node`` depends, g being that of ``end_node``."""
    outgrads = {end_node: g}
    for node in toposort(end_node):
        outgrad = outgrads.pop(node)
        fun, value, args, kwargs, argnums = node.recipe
        for argnum, parent in zip(argnums, node.parents, strict=True):
            message = primitive_vjps[fun][argnum](outgrad, value, *args, **kwargs)
            outgrads[parent] = add_outgrads(outgrads.get(parent), message)
    return outgrad


slope = y * (1 - y)
print(backward_pass(1.0, first.nodes[-1]), backward_pass(1.0, end), slope)
assert np.isclose(backward_pass(1.0, first.nodes[-1]), slope, rtol=1e-15)
assert np.isclose(backward_pass(1.0, end), slope, rtol=1e-15)

# %% [markdown]
# ## make_vjp and grad


# %%
def subval(x, i, v):
    """``x`` with ``v`` in place ``i``."""
    return (*x[:i], v, *x[i + 1 :])


def make_vjp(fun, x):
    """Traces ``fun`` at ``x``; returns its backward pass, and its value."""
    (end_node,) = dk.trace(fun)(x).outputs
    return lambda g: backward_pass(g, end_node), end_node.value


def our_grad(fun, argnum=0):
    """The gradient by one argument: a VJP of a function whose Jacobian has one row."""

    def gradfun(*args, **kwargs):
        def unary_fun(x):
            return fun(*subval(args, argnum, x), **kwargs)

        vjp, ans = make_vjp(unary_fun, args[argnum])
        return vjp(np.ones_like(ans))

    return gradfun


ours = our_grad(training_loss)(weights)
print(ours, "and by diffkit", training_gradient_fun(weights))
assert np.allclose(ours, training_gradient_fun(weights), rtol=1e-14)
assert our_grad(lambda x, y: x * y**2, argnum=1)(3.0, 2.0) == 12.0

# %% [markdown]
# ## Three users of z: r, s and t
#
# z need not know who uses it: three messages, added up.


# %%
def three_users(z):
    r, s, t = np.sin(z), z**2, np.exp(z)
    return r * s + t


by_messages = np.cos(0.5) * 0.5**2 + 2 * 0.5 * np.sin(0.5) + np.exp(0.5)
assert np.isclose(our_grad(three_users)(0.5), by_messages, rtol=1e-15)
print(dk.trace(three_users)(0.5).adjoint_table())

# %% [markdown]
# The deck's two examples of VJPs: z = W x gives x̄ = Wᵀ z̄, and y = exp(z) gives z̄ = exp(z) ∘ ȳ.

# %%
W, x = np.array([[1.0, 2.0, 0.5], [-1.0, 0.0, 3.0]]), np.array([0.3, -0.2, 0.7])
z_bar = np.array([1.0, -2.0])
assert np.allclose(dk.trace(lambda x: W @ x)(x).pull_back(z_bar), W.T @ z_bar, rtol=1e-15)
assert np.allclose(dk.trace(np.exp)(x[:2]).pull_back(z_bar), np.exp(x[:2]) * z_bar, rtol=1e-15)
