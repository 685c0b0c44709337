"""VJPs, not Jacobians: multiply by the Jacobian without ever building it

Goals: see the three-dimensional Jacobian of y = W x by W and how sparse it is; derive VJPs for affine
layers, activations and broadcasting; have one's own rules checked.
Before: 01_by_hand, 07_reverse_mode. 30 minutes.
"""

# %% [markdown]
# # VJPs, not Jacobians
#
# **Problem.** y = W x with W of shape (m, n). The Jacobian of y by W has three axes: (m, m, n). For a
# modest layer of 1000 by 1000 that is 10^9 numbers.

# %%
import numpy as np

import diffkit as dk
from diffkit.grading import check_vjp
from diffkit.lessons import predict, save

rng = np.random.default_rng(11)
m, n = 4, 3
W, x, g = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
J = dk.jacobian(lambda W: W @ x)(W)
predict("W is (4, 3). How many of the Jacobian's 48 entries are not zero?", np.count_nonzero(J))
assert J.shape == (m, m, n)
assert np.count_nonzero(J) == m * n
save(
    dk.draw_matrix(J.reshape(m, m * n), title="y = W x: ∂y/∂W, with the elements of W in a row"),
    "11_sparse.svg",
)

# %% [markdown]
# **Idea.** The reverse sweep never needs J. It needs g^T J, for one g: the **vector-Jacobian product**.
# In J[i, j, k] = x_k where i = j, the sum over i leaves g_j x_k: an outer product, of W's own shape.
#
# $$\bar x = J^\top \bar y$$

# %%
by_jacobian = np.einsum("i,ijk->jk", g, J)
by_rule = np.outer(g, x)
assert np.allclose(by_jacobian, by_rule, rtol=1e-14)
predict("W is 1000 by 1000. How many GiB has the Jacobian, in doubles?", round(1000**3 * 8 / 2**30, 1))
assert by_rule.shape == W.shape

# %% [markdown]
# ## Rules
#
# **Rule.** A VJP is a function `vjp(g, ans, *args)`: g has the shape of the answer, the result has the
# shape of the argument. For an affine layer:


# %%
def affine(W, x, b):
    """W x + b."""
    return W @ x + b


def affine_vjp(g, ans, W, x, b):
    """The cotangents of W, x and b."""
    return np.outer(g, x), W.T @ g, g


b = rng.normal(size=m)
report = check_vjp(affine_vjp, affine, W, x, b)
print(report)
assert report.passed

# %% [markdown]
# **Elementwise activations** have diagonal Jacobians; the product with a diagonal matrix is a product
# entry by entry. Using the answer saves computing it again: tanh' = 1 - tanh².


# %%
def tanh_vjp(g, ans, x):
    """g times 1 - tanh²."""
    return g * (1 - ans**2)


assert check_vjp(tanh_vjp, np.tanh, x).passed

# %% [markdown]
# **Broadcasting** repeats an argument, so its VJP sums over the repeats. This is the commonest thing to
# forget:


# %%
def add_row(X, row):
    """Adds a row to every row of X."""
    return X + row


X, row = rng.normal(size=(5, 3)), rng.normal(size=3)
predict("X is (5, 3), row is (3,). What is the shape of the row's cotangent?", row.shape)
assert check_vjp(lambda g, ans, X, row: (g, g.sum(axis=0)), add_row, X, row).passed
forgotten = check_vjp(lambda g, ans, X, row: (g, g), add_row, X, row)
print(forgotten)
assert not forgotten.passed

# %% [markdown]
# Rules compose. The lecture's a = X w, b = y - a, c = b², L = sum(c) / N, with a line for each line:


# %%
def mean_squared_error_vjp(g, ans, X, w, y):
    """Read upward: from c, from b, from a."""
    b = y - X @ w
    b_bar = np.full(len(y), g / len(y)) * 2 * b  # c_bar is g / N everywhere: the sum repeats it
    a_bar = -b_bar
    return np.outer(a_bar, w), X.T @ a_bar, b_bar


error = dk.programs.mean_squared_error
assert check_vjp(mean_squared_error_vjp, error.function, *error.args).passed

# %% [markdown]
# **Subtlety.** The checker does not compare with a finite difference alone: a difference can't tell an
# answer that is a little wrong from its own error, and fails right answers at a kink. Any subgradient
# of a ReLU at 0 is right.


# %%
def relu(x):
    """max(x, 0)."""
    return np.maximum(x, 0.0)


at_kink = np.array([-1.0, 0.0, 2.0])
for convention in (0.0, 0.5, 1.0):
    vjp = lambda g, ans, x, c=convention: g * np.where(x > 0, 1.0, np.where(x == 0, c, 0.0))  # noqa: E731
    assert check_vjp(vjp, relu, at_kink).passed

# %% [markdown]
# A rule that is right is a rule that diffkit can use: `primitive` and `defvjp` make it part of a trace.

# %%
layer = dk.primitive(affine)
dk.defvjp(
    layer,
    lambda g, ans, W, x, b: np.outer(g, x),
    lambda g, ans, W, x, b: W.T @ g,
    lambda g, ans, W, x, b: g,
)
loss = lambda W, x, b: np.sum(np.tanh(layer(W, x, b)) ** 2)  # noqa: E731
plain = lambda W, x, b: np.sum(np.tanh(W @ x + b) ** 2)  # noqa: E731
for argnum in range(3):
    assert np.allclose(dk.grad(loss, argnum)(W, x, b), dk.grad(plain, argnum)(W, x, b), rtol=1e-13)
rows = [row.fun.name for row in dk.trace(loss)(W, x, b).nodes[3:]]
predict("tanh(W x + b)², summed: which rows has the trace, with the layer as a primitive?", rows)
assert rows[:2] == ["affine", "tanh"]
assert rows[-1] == "sum"

# %% [markdown]
# ## Exercises
#
# Copy `exercises/11_vjps_not_jacobians_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/11_vjps_not_jacobians.py YOUR_FILE`:
#
# 1. `matmul`: both factors.
# 2. `add`, `mean`: with broadcasting, along axes.
# 3. `relu`, `softmax`: one Jacobian is diagonal, the other is not.
# 4. `mean_squared_error`: the rule above, without looking.
