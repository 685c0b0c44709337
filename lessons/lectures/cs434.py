"""CS 434, neural networks: layers, losses, shapes, the order of products, gates and backward functions

What stands on the slides under these names: the layer in vectors, neurons over the plane, the losses, SGD,
784-16-16-10, the shapes of vector calculus, MultiplyGate, and PyTorch's list of backward functions.
"""

# %% [markdown]
# # CS 434: how a network is trained, and what a gate has to know
#
# The names and numbers are the deck's, the lines are ours. What a slide shows can be typed in below.

# %%
import itertools
import math

import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

rng = np.random.default_rng(434)
sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731

# %% [markdown]
# ## A layer, neuron by neuron and in vectors

# %%
x = rng.normal(size=4)
w11, w12, w13 = rng.normal(size=(3, 4))
b11, b12, b13 = rng.normal(size=3)
a11, a12, a13 = sigmoid(b11 + w11 @ x), sigmoid(b12 + w12 @ x), sigmoid(b13 + w13 @ x)
W, b = np.stack([w11, w12, w13]), np.array([b11, b12, b13])
assert np.allclose(sigmoid(b + W @ x), [a11, a12, a13], rtol=1e-15)

# %% [markdown]
# One neuron is not very expressive: over a plane of inputs it has one straight edge. A sigmoid neuron, a
# ReLU neuron, and three of them together:

# %%
u, v = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(3, -3, 61))
one_sigmoid = sigmoid(1.5 * u + v)
one_relu = np.maximum(1.5 * u + v, 0.0) / 6
edges = sigmoid(4 * u + 4), sigmoid(-2 * u + 3.5 * v + 4), sigmoid(-2 * u - 3.5 * v + 4)
together = sigmoid(12 * sum(edges) - 30)
save(
    dk.plots.image_grid(
        np.stack([one_sigmoid, one_relu, together]),
        title="Over the plane: a sigmoid neuron, a ReLU neuron, three sigmoids and a fourth",
        columns=3,
    ),
    "cs434_neurons.svg",
)

# %% [markdown]
# ## Losses
#
# Huber's with its δ, cross entropy over C classes, hinge over C classes; the slides' shortcuts for a
# one-hot target beside the sums. The hinge's shortcut drops a constant: δ for each other class.


# %%
def huber(a, b, delta):
    return np.where(abs(a - b) < delta, (a - b) ** 2 / 2, delta * abs(a - b) - delta**2 / 2)


def cross_entropy(a, b):
    return -np.sum(b * np.log(a))


def hinge(a, b, delta):
    return np.sum(np.maximum(0.0, delta - b * a))


for delta in (0.5, 1.0, 2.0):
    inside, outside = 0.7 * delta, 1.8 * delta
    assert np.isclose(dk.grad(huber)(inside, 0.0, delta), inside)
    assert np.isclose(dk.grad(huber)(-outside, 0.0, delta), -delta)
scores, target = np.array([0.2, 1.7, -0.4, 0.9]), np.array([0.0, 1.0, 0.0, 0.0])
p = np.exp(scores) / np.sum(np.exp(scores))
assert np.isclose(cross_entropy(p, target), -np.log(p[1]))
shortcut = max(0.0, 2.0 - scores[1])
predict(
    "Hinge with δ = 2 over 4 classes: how much more is the sum than its shortcut?",
    hinge(scores, target, 2.0) - shortcut,
)
assert np.isclose(hinge(scores, target, 2.0) - shortcut, 3 * 2.0)
assert np.array_equal(dk.grad(hinge)(scores, target, 2.0), [0.0, -1.0, 0.0, 0.0])  # the same gradient

# %% [markdown]
# ## Stochastic gradient descent, as on the slide
#
# θ from a random start; while the gradient is long or iterations remain: θ := θ - α ∇L(B; θ).

# %%
X = rng.normal(size=(60, 3))
truth = np.array([1.0, -2.0, 0.5])
Y = X @ truth
L = lambda theta, B: np.mean((X[B] @ theta - Y[B]) ** 2)  # noqa: E731
theta, alpha, epsilon = rng.normal(size=3), 0.1, 1e-6
for _ in range(400):  # iterations that remain
    B = rng.choice(60, size=16, replace=False)
    gradient = dk.grad(L)(theta, B)
    if np.linalg.norm(gradient) <= epsilon:
        break
    theta = theta - alpha * gradient
assert np.allclose(theta, truth, atol=1e-4)

# %% [markdown]
# ## The homework's network: 784 inputs, two ReLU layers of 16, ten scores

# %%
sizes = [784, 16, 16, 10]
parameters = []
for n, m in itertools.pairwise(sizes):
    parameters += [rng.normal(0.0, math.sqrt(2 / n), size=(m, n)), np.zeros(m)]
picture, label = rng.uniform(size=(1, 784)), np.array([5])
loss = dk.programs.digit_classifier
gradients = dk.grad(loss, argnum=tuple(range(6)))(*parameters, picture, label)
predict("How many derivatives does one reverse sweep of that network give?", sum(g.size for g in gradients))
assert sum(g.size for g in gradients) == 13_002
t = dk.trace(lambda *p: loss(*p, picture, label))(*parameters)
assert t.value > 0

# %% [markdown]
# ## Vector calculus: the numerator gives the rows, the denominator the columns
#
# The slides' shapes d × 1, 1 × c, d × c, d × mn, on the slides' functions.

# %%
y_of_scalar = lambda x: np.stack([-5 * x, x**2])  # noqa: E731
assert np.allclose(dk.deriv(y_of_scalar)(3.0), [-5.0, 6.0])  # d × 1
w = np.array([2.0, -1.0, 0.5])
assert np.array_equal(dk.grad(lambda x: w @ x)(np.zeros(3)), w)  # 1 × c: wᵀ
y_of_vector = lambda x: np.stack([-5 * x[0] + x[1], x[0] ** 2])  # noqa: E731
J = dk.jacobian(y_of_vector)(np.array([3.0, 1.0]))
predict("y = (-5 x1 + x2, x1²) at (3, 1): the Jacobian?", J.tolist())
assert np.array_equal(J, [[-5.0, 1.0], [6.0, 0.0]])  # d × c
M = rng.normal(size=(2, 3))
block = dk.jacobian(lambda M: M @ w)(M)
assert block.shape == (2, 2, 3)
assert block.reshape(2, 6).shape == (2, 2 * 3)  # d × mn: the matrix, as a vector

# %% [markdown]
# ## Left to right, or right to left?
#
# loss by W⁽¹⁾ is a row 1 × k₂ times k₂ × k₁ times k₁ × (d k₁). An a × b by a b × c matrix costs a b c.

# %%
d, k1, k2 = 784, 16, 16
left_to_right = k2 * k1 + k1 * (d * k1)
right_to_left = k2 * k1 * (d * k1) + k2 * (d * k1)
predict(
    "d = 784, k1 = k2 = 16: right to left costs how many times as much?",
    round(right_to_left / left_to_right, 1),
)
assert right_to_left > 15 * left_to_right

# %% [markdown]
# ## The graph of 2 log(x1 + sin x1) max(x2, x3)

# %%
program = dk.programs.log_sin_max
print(dk.trace(program)(*program.args).adjoint_table())

# %% [markdown]
# ## MultiplyGate
#
# The slide's methods lack `self`, so they can't be called; and a gate that keeps its last inputs forgets the
# ones before. Here with both mended: a stack holds what every use has kept.


# %%
class MultiplyGate:
    def __init__(self):
        self.kept = []

    def forward(self, x, y):
        self.kept.append((x, y))
        return x * y

    def backward(self, dz):
        x, y = self.kept.pop()
        return [y * dz, x * dz]


gate = MultiplyGate()
cube = gate.forward(gate.forward(2.0, 3.0), 5.0)
dq, dz = gate.backward(1.0)
dx, dy = gate.backward(dq)
assert (cube, dx, dy, dz) == (30.0, 15.0, 10.0, 6.0)
assert dk.grad(lambda x, y, z: x * y * z, argnum=(0, 1, 2))(2.0, 3.0, 5.0) == (15.0, 10.0, 6.0)

# %% [markdown]
# ## PyTorch's backward functions
#
# Each is a VJP: the gradient of the answer, and what it was computed from. The slide's `sum_backward`, which
# puts the summed axes back and expands; and the rest, under the functions that NumPy has for them (it has no
# multivariate log gamma, and `unsqueeze_multiple` and `reverse_list` are helpers).


# %%
def sum_backward(grad, sizes, dims, keepdim):
    """What sum(x, dims, keepdim), x of shape ``sizes``, gives back to x."""
    if not keepdim and sizes:
        for dim in sorted(dim % len(sizes) for dim in dims):
            grad = np.expand_dims(grad, dim)
    return np.broadcast_to(grad, sizes)


x = rng.uniform(0.5, 2.0, size=(2, 3, 4))
for dims in ((0,), (1,), (-1,), (0, 2), (0, 1, 2)):
    for keepdim in (False, True):
        t = dk.trace(lambda x: np.sum(x, axis=dims, keepdims=keepdim))(x)  # noqa: B023
        g = rng.normal(size=np.shape(t.value))
        assert np.array_equal(sum_backward(g, x.shape, dims, keepdim), t.pull_back(g))

A, other = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.uniform(0.5, 2.0, size=(3, 3))
positive = rng.uniform(0.5, 2.0, size=(3, 3))
BACKWARD = {
    "norm_backward": (np.linalg.norm, [A]),
    "pow_backward": (lambda a: a**3, [positive]),
    "pow_backward_self, pow_backward_exponent": (np.power, [positive, other]),
    "angle_backward": (lambda a: np.angle(a + 1j * other), [positive]),
    "mul_tensor_backward": (np.multiply, [A, other]),
    "div_tensor_self_backward, div_tensor_other_backward": (np.divide, [A, other]),
    "permute_backward": (lambda a: np.transpose(a, (2, 0, 1)), [x]),
    "rad2deg_backward": (np.rad2deg, [A]),
    "deg2rad_backward": (np.deg2rad, [A]),
    "sum_backward": (lambda a: np.sum(a, axis=1), [A]),
    "nansum_backward": (np.nansum, [A]),
    "reverse_dim": (lambda a: np.flip(a, 1), [A]),
    "prod_backward, prod_safe_zeros_backward": (np.prod, [A * np.array([1.0, 0.0, 1.0])]),
    "solve_backward_self, solve_backward_A": (np.linalg.solve, [A, other]),
    "cumsum_backward": (lambda a: np.cumsum(a, axis=0), [A]),
    "logsumexp_backward": (lambda a: np.log(np.sum(np.exp(a), axis=1)), [A]),
    "logcumsumexp_backward": (lambda a: np.logaddexp.accumulate(a, axis=0), [A]),
}
for name, (function, arguments) in BACKWARD.items():
    dk.check_grads(function)(*arguments)  # both modes, two orders, against differences
    print("checked:", name)
