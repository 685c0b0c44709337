"""SKKU, backpropagation and automatic differentiation: circuits, tensors, and both sweeps with shapes

What stands on the slides under these names: q = x + y and f = q z, the staged sigmoid, the three difference
forms, the n-mode product and the block matrix, VJPs, three times the computation, t0 ... c.
"""

# %% [markdown]
# # SKKU: the chain rule, in numbers and in shapes
#
# The names and numbers are the deck's, the lines are ours. What a slide shows can be typed in below.

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

rng = np.random.default_rng(2)

# %% [markdown]
# ## The simple example, and the sigmoid in stages


# %%
def f(x, y, z):
    q = x + y
    f = q * z
    return f


t = dk.trace(f)(-2.0, 5.0, -4.0)
print(t.adjoint_table())
assert t.pull_back(1.0) == (-4.0, -4.0, 3.0)  # ∂f/∂x = ∂f/∂f ∂f/∂q ∂q/∂x, and so on


def sigma(w0, x0, w1, x1, w2):
    """f(g(h(i))), with f = 1/x, g = 1 + x, h = e^-x and i the weighted sum."""
    i = w0 * x0 + w1 * x1 + w2
    h = np.exp(-i)
    g = 1 + h
    f = 1 / g
    return f


t = dk.trace(sigma)(2.0, -1.0, -3.0, -2.0, -3.0)
print(t.adjoint_table())
gradient = t.pull_back(1.0)
s = t.value
predict("In one step: σ'(i) at σ = 0.7311?", round(s * (1 - s), 4))
assert np.allclose(gradient, np.array([-1.0, 2.0, -2.0, -3.0, 1.0]) * s * (1 - s), rtol=1e-14)

# %% [markdown]
# ## Matrix calculus: the shapes of the slides
#
# A scalar by a matrix has the matrix's shape; a vector of l by a matrix n × m is a block l × n × m.

# %%
X = rng.normal(size=(3, 2))
assert dk.grad(lambda X: np.sum(np.sin(X)))(X).shape == (3, 2)
assert dk.jacobian(lambda X: np.sum(X**2, axis=1)[:2])(X).shape == (2, 3, 2)

# %% [markdown]
# ## Three forms of a difference. What's wrong with this approach?
#
# Truncation if h is large, rounding if it is small, and an evaluation (or two) for every input.

# %%
program, x = (lambda x: np.exp(np.sin(x))), 1.0
exact = np.cos(x) * np.exp(np.sin(x))
for h in (1e-2, 1e-5, 1e-8, 1e-11, 1e-14):
    forward = (program(x + h) - program(x)) / h
    backward = (program(x) - program(x - h)) / h
    central = (program(x + h) - program(x - h)) / (2 * h)
    errors = [abs(v - exact) for v in (forward, backward, central)]
    print(f"h = {h:.0e}: errors of the forward, backward and central form", *(f"{e:.0e}" for e in errors))
best = min((abs((program(x + h) - program(x)) / h - exact), h) for h in 10.0 ** np.arange(-12, -1.0))
predict("The best power of ten for the forward form's h?", f"{best[1]:.0e}")
assert 1e-9 <= best[1] <= 1e-7

# %% [markdown]
# ## Two layers: y = W x, z = v · y
#
# ∂y/∂W is a block m × m × n of which almost everything is zero. Matricised, m × mn, it is a block matrix with
# xᵀ on its diagonal; the n-mode product with the row ∂z/∂y is then a product of matrices.

# %%
m, n = 3, 2
W, x, v = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
block = dk.jacobian(lambda W: W @ x)(W)
predict("y = W x, W of 3 × 2. How many of the numbers in ∂y/∂W are not zero?", np.count_nonzero(block))
assert block.shape == (m, m, n)
assert np.count_nonzero(block) == m * n
matricised = block.reshape(m, m * n)
print(matricised.round(3))
assert np.array_equal(matricised, np.kron(np.eye(m), x))
row = v[None, :]  # ∂z/∂y, 1 × m
mode_product = np.tensordot(row, block, axes=(1, 0))[0]
vjp = row.T @ x[None, :]  # (∂z/∂y)ᵀ xᵀ: no block is made
assert np.allclose((row @ matricised).reshape(m, n), mode_product, rtol=1e-15)
assert np.allclose(vjp, mode_product, rtol=1e-15)
assert np.allclose(dk.grad(lambda W: v @ (W @ x))(W), vjp, rtol=1e-15)

# %% [markdown]
# Elementwise activations have a diagonal Jacobian, so the VJP multiplies by element.

# %%
sigmoid = lambda y: 1 / (1 + np.exp(-y))  # noqa: E731
y = W @ x
s = sigmoid(y)
assert np.allclose(dk.jacobian(sigmoid)(y), np.diag(s * (1 - s)), rtol=1e-14)
assert np.allclose(dk.grad(lambda y: v @ sigmoid(y))(y), v * s * (1 - s), rtol=1e-14)

# %% [markdown]
# ## b = f(a), c = g(b), d = h(c), e = i(d): which mode?
#
# In reverse mode every factor is a row times a Jacobian. With three outputs there are three rows: three
# times the computation. Forward is the mirror image: three inputs, three columns.

# %%
n1, n2, n3, n4 = 6, 5, 4, 3
F, G, H = rng.normal(size=(n2, n1)), rng.normal(size=(n3, n2)), rng.normal(size=(n4, n3))


def chain(a):
    b = np.tanh(F @ a)
    c = np.tanh(G @ b)
    d = np.tanh(H @ c)
    return d


a = rng.normal(size=n1)
t = dk.trace(chain)(a)
J = dk.jacobian(chain)(a)
rows = np.stack([t.pull_back(e) for e in np.eye(n4)])
columns = np.stack([t.push_forward(e) for e in np.eye(n1)], axis=1)
predict(
    "6 inputs, 3 outputs: how many reverse sweeps, and how many forward ones, for the Jacobian?",
    (len(rows), columns.shape[1]),
)
assert np.allclose(rows, J, rtol=1e-12)
assert np.allclose(columns, J, rtol=1e-12)

# %% [markdown]
# ## The graph of t0 ... c
#
# The negative log density of a normal distribution, in the slide's lines.


# %%
def density(x, m, s):
    t0 = x - m
    t1 = t0 / s
    t2 = np.log(s)
    t3 = t1**2
    t4 = t2 + np.log(2 * np.pi) / 2
    t5 = t3 / 2
    c = t4 + t5
    return c


t = dk.trace(density)(1.5, 1.0, 0.8)
print(t.primal_table())
assert [t.names[row.index] for row in t.nodes[3:]] == ["t0", "t1", "t2", "t3", "t4", "t5", "c"]
save(dk.draw(density, 1.5, 1.0, 0.8, view="both"), "skku_density.svg")
z = (1.5 - 1.0) / 0.8
assert np.allclose(t.pull_back(1.0), (z / 0.8, -z / 0.8, (1 - z**2) / 0.8), rtol=1e-14)

# %% [markdown]
# ## References
#
# The deck sends its students to a pedagogical implementation of autograd, which `coms4776.py` rebuilds on
# diffkit's rows, and to a survey: Baydin, Pearlmutter, Radul and Siskind, "Automatic differentiation in
# machine learning: a survey", JMLR 18 (2018), arXiv:1502.05767.
