"""By hand: the chain rule, layer by layer

Goals: derive the derivatives of an affine layer and see that the dimensions dictate them; write a
network's backward pass out; read Jacobians in numerator layout.
Before: partial derivatives, matrix products. 30 minutes.
"""

# %% [markdown]
# # By hand
#
# **Problem.** A picture of 20 pixels is a 2, or it is not a 2. One sigmoid output says how sure the
# network is; a divergence D says how wrong that was. Which way should each weight move?

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

w, b, x, t = dk.programs.two_or_not_two.args
print("\n".join("".join(".#"[int(p)] for p in row) for row in x.reshape(5, 4)))
print(f"divergence {dk.programs.two_or_not_two(w, b, x, t):.4f}")

# %% [markdown]
# ## Layout
#
# **Rule.** We write Jacobians in *numerator layout*: output axes first, then input axes. For f: R^n ->
# R^m the Jacobian is (m, n), and the chain rule is a matrix product in the order of composition.

# %%
A = np.array([[1.0, -2.0, 0.5], [0.25, 1.5, -1.0]])
J = dk.jacobian(lambda v: A @ v)(np.zeros(3))
predict("f maps R^3 to R^2. What is the shape of its Jacobian?", J.shape)
assert J.shape == (2, 3)
assert np.array_equal(J, A)

# %% [markdown]
# ## An affine layer
#
# **Idea.** z = W y + b, then some scalar D(z). We know the row dD/dz, of shape (1, m). The derivatives
# by b and by y follow from the chain rule:
#
# - dD/db = dD/dz, since dz/db is the identity;
# - dD/dy = dD/dz W, of shape (1, m)(m, n) = (1, n).
#
# For W, look at one entry: z_i = sum_j W_ij y_j + b_i, so dz_i/dW_ij = y_j and dD/dW_ij = dD/dz_i y_j.
# Collected in numerator layout, dD/dW = y dD/dz: a column times a row, (n, 1)(1, m) = (n, m). **The
# dimensions leave no other choice.** A gradient in the shape of W is its transpose.
#
# $$\frac{dD}{dy} = \frac{dD}{dz} W \quad \frac{dD}{dW} = y \frac{dD}{dz}$$

# %%
W, y, bias = dk.programs.affine.args


def divergence(z):
    """Any scalar function of z will do; this one is not symmetric."""
    return np.sum(np.exp(z) - 2.0 * z * np.arange(1.0, 3.0))


z = W @ y + bias
dD_dz = dk.grad(divergence)(z)[None, :]  # (1, m)
dD_dy = dD_dz @ W  # (1, n)
dD_dW = y[:, None] @ dD_dz  # (n, m), numerator layout of a scalar by a matrix
predict("W is (2, 3). What is the shape of dD/dW in numerator layout?", dD_dW.shape)
assert dD_dW.shape == (3, 2)
gW, gy, gb = dk.grad(dk.programs.affine, argnum=(0, 1, 2))(W, y, bias, divergence=divergence)
assert np.allclose(gy, dD_dy[0])
assert np.allclose(gb, dD_dz[0])
assert np.allclose(gW, dD_dW.T)
print("dD/dW, transposed into the shape of W:")
print(dD_dW.T)

# %% [markdown]
# Check one weight by moving it: D changes by about dD/dW_ij times the move.

# %%
nudged = W.copy()
nudged[1, 2] += 1e-6
change = dk.programs.affine(nudged, y, bias, divergence=divergence) - divergence(z)
print(f"predicted {gW[1, 2] * 1e-6:.6e}, measured {change:.6e}")
assert np.isclose(change, gW[1, 2] * 1e-6, rtol=1e-4)

# %% [markdown]
# ## The recogniser's backward pass
#
# z = w . x + b, p = sigma(z), D = KL(t || p). Backward, a line for each line of the program:

# %%
z = w @ x + b
p = 1 / (1 + np.exp(-z))

dD_dp = (p - t) / (p * (1 - p))
dp_dz = p * (1 - p)
dD_dz = dD_dp * dp_dz  # p - t: the two factors cancel
dD_dw, dD_db, dD_dx = dD_dz * x, dD_dz, dD_dz * w
predict(f"p = {p:.4f} and t = {t}. What is dD/dz?", round(float(dD_dz), 4))
assert np.isclose(dD_dz, p - t)

traced = dk.grad(dk.programs.two_or_not_two, argnum=(0, 1, 2))(w, b, x, t)
save(dk.draw(dk.programs.neuron_loss, *dk.programs.neuron_loss.args, view="both"), "01_neuron_loss.svg")
for by_hand, by_trace in zip((dD_dw, dD_db, dD_dx), traced, strict=True):
    assert np.allclose(by_hand, by_trace, rtol=1e-13)

# %% [markdown]
# **Subtlety.** The cancellation to p - t is why the sigmoid goes with this divergence. With the squared
# error, L = (p - t)² / 2, the factor p (1 - p) stays. Take a neuron that is *surely wrong*: z = -12, so p
# is near 0, and the target is 1.

# %%
z = -12.0
by_square = dk.grad(dk.programs.neuron_loss, argnum=2)(1.0, z, 0.0, 1.0)  # w = 1, x = z, b = 0, t = 1
by_divergence = 1 / (1 + np.exp(-z)) - 1.0
predict("p - t is nearly -1. By the squared error, does z move as fast?", "no: nearly not at all")
print(f"dD/dz is {by_divergence:.3g} by the divergence, {by_square:.3g} by the squared error")
assert abs(by_divergence) > 0.99
assert abs(by_square) < 1e-5

# %% [markdown]
# ## A second layer
#
# **Rule.** Backward through layers, the row is multiplied from the right by each layer's Jacobian, the
# last first. Elementwise activations have diagonal Jacobians, so they multiply entry by entry.

# %%
rng = np.random.default_rng(1)
W1, b1 = rng.normal(size=(3, 20)), rng.normal(size=3)
w2, b2 = rng.normal(size=3), 0.1


def network(W1, b1, w2, b2):
    """20 pixels, 3 hidden units, one output; the divergence from t."""
    h = 1 / (1 + np.exp(-(W1 @ x + b1)))
    p = 1 / (1 + np.exp(-(w2 @ h + b2)))
    return t * np.log(t / p) + (1 - t) * np.log((1 - t) / (1 - p))


h = 1 / (1 + np.exp(-(W1 @ x + b1)))
p = 1 / (1 + np.exp(-(w2 @ h + b2)))
d2 = p - t  # by the last z
d1 = d2 * w2 * h * (1 - h)  # by the first z: through w2, then through the sigmoids
by_hand = (np.outer(d1, x), d1, d2 * h, d2)
by_trace = dk.grad(network, argnum=(0, 1, 2, 3))(W1, b1, w2, b2)
for one, other in zip(by_hand, by_trace, strict=True):
    assert np.allclose(one, other, rtol=1e-12)

# %% [markdown]
# Moving every weight a little against its gradient makes the divergence smaller. That is all of training.

# %%
before = network(W1, b1, w2, b2)
parameters = [parameter - 0.1 * g for parameter, g in zip((W1, b1, w2, b2), by_trace, strict=True)]
after = network(*parameters)
predict("After a step of 0.1 against the gradient: is the divergence smaller or larger?", "smaller")
print(f"divergence {before:.4f} before, {after:.4f} after")
assert after < before

# %% [markdown]
# ## Exercises
#
# Copy `exercises/01_by_hand_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/01_by_hand.py YOUR_FILE`:
#
# 1. `affine`: z = W y + b for a vector y, by W, y and b.
# 2. `divergence`: KL(t || p) by p.
# 3. `sigmoid_divergence`: the same by z, where two factors cancel.
