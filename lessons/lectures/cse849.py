"""CSE 849, backpropagation and automatic differentiation: the deck's layers, programs and tables

What stands on the slides under these names: z = W y + b and the transposing trick, N layers, 2 or not 2, ten
and eleven outputs, the logistic map as a formula and as the loop f(x, n), soft ReLU, log(ab), two outputs.
"""

# %% [markdown]
# # CSE 849: derivatives as code
#
# The names and numbers are the deck's, the lines are ours. What a slide shows can be typed in below.

# %%
import itertools

import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import digits, fast, predict, save

rng = np.random.default_rng(849)

# %% [markdown]
# ## Scalar functions of affine functions
#
# z = W y + b, and a scalar D(z). By matching dimensions ΔD = α Δy needs a row α = ∇_y D. The same guess for
# W fails: there is no row by which a matrix ΔW becomes a number. What does it is the Frobenius inner product.

# %%
W, y, b = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=2)
D = lambda z: np.log(np.sum(np.exp(z)))  # noqa: E731
row = dk.grad(D)(W @ y + b)[None, :]  # ∇_z D, 1 × 2
dy, dW = 1e-6 * rng.normal(size=y.shape), 1e-6 * rng.normal(size=W.shape)
assert np.isclose(D(W @ (y + dy) + b) - D(W @ y + b), (row @ W @ dy).item(), rtol=1e-4)
try:
    row @ dW @ y[:2]  # as if W were a row vector with "z = W y" a number
except ValueError:
    print("the guess α ΔW: the shapes", row.shape, dW.shape, y[:2].shape, "don't fit")
by_W = (y[:, None] @ row).T  # the trick: zᵀ = yᵀ Wᵀ + bᵀ, so ∇_W D = y ∇_z D, here turned into W's shape
change = D((W + dW) @ y + b) - D(W @ y + b)
predict("y ∇_z D is a column times a row. Its shape, for W of 2 × 3?", (y[:, None] @ row).shape)
assert np.isclose(change, np.sum(by_W * dW), rtol=1e-4)  # the Frobenius inner product of ∇_W D and ΔW
assert np.allclose(dk.grad(lambda W: D(W @ y + b))(W), by_W, rtol=1e-13)

m, n = sympy.symbols("m n", integer=True, positive=True)
W_, y_ = sympy.MatrixSymbol("W", m, n), sympy.MatrixSymbol("y", n, 1)
b_, v_ = sympy.MatrixSymbol("b", m, 1), sympy.MatrixSymbol("v", m, 1)
print(dk.symbolic.steps(v_.T * (W_ * y_ + b_), W_, layout="numerator"))
assert dk.symbolic.diff(v_.T * (W_ * y_ + b_), W_, layout="numerator") == y_ * v_.T

# %% [markdown]
# ## N layers
#
# From the divergence backwards: a Jacobian of the activation, diagonal where it works by element, then W.


# %%
def activation(z):
    return np.tanh(z)


sizes = [4, 5, 3, 2]
weights = [rng.normal(size=(k, j)) for j, k in itertools.pairwise(sizes)]
biases = [rng.normal(size=k) for k in sizes[1:]]
x, target = rng.normal(size=4), np.array([0.5, -0.5])


def Div(weights, biases):
    """Half the squared distance of the last layer from the target."""
    y = x
    for W, b in zip(weights, biases, strict=True):
        y = activation(W @ y + b)
    return np.sum((y - target) ** 2) / 2


ys = [x]
for W, b in zip(weights, biases, strict=True):
    ys.append(activation(W @ ys[-1] + b))
gradient_y = (ys[-1] - target)[None, :]  # ∇_Y Div
by_hand = []
for k in reversed(range(3)):
    J = dk.jacobian(activation)(weights[k] @ ys[k] + biases[k])
    assert np.array_equal(J, np.diag(np.diag(J)))
    gradient_z = gradient_y @ J  # ∇_z Div = ∇_y Div J_y(z)
    by_hand.append((ys[k][:, None] @ gradient_z, gradient_z))  # ∇_W Div = y ∇_z Div, ∇_b Div = ∇_z Div
    gradient_y = gradient_z @ weights[k]
by_trace = dk.grad(Div, argnum=(0, 1))(weights, biases)
for (of_W, of_b), gW, gb in zip(reversed(by_hand), *by_trace, strict=True):
    assert np.allclose(of_W.T, gW, rtol=1e-12)
    assert np.allclose(of_b[0], gb, rtol=1e-12)

# %% [markdown]
# ## 2, or not 2: one sigmoid output, trained on real digits
#
# d is 0 or 1, the output is in (0, 1), the divergence is KL(d || Y), learned by gradient descent.

# %%
pictures, labels = digits()
pictures, d = pictures[:600] / 16.0, (labels[:600] == 2).astype(float)


def kl(d, Y):
    """KL(d || Y) of a yes-or-no answer, the mean over the pictures; 0 log 0 is 0."""
    return -np.mean(d * np.log(Y) + (1 - d) * np.log(1 - Y))


def two_or_not_two(w, b):
    return kl(d, 1 / (1 + np.exp(-(pictures @ w + b))))


w, b = np.zeros(64), 0.0
assert np.isclose(two_or_not_two(w, b), np.log(2))
for _ in range(150):
    gw, gb = dk.grad(two_or_not_two, argnum=(0, 1))(w, b)
    w, b = w - 2.0 * gw, b - 2.0 * gb
right = np.mean((pictures @ w + b > 0) == (d == 1))
predict("150 steps of gradient descent from zero: what percentage is right?", round(100 * right))
print(f"divergence {np.log(2):.4f} -> {two_or_not_two(w, b):.4f}, {100 * right:.1f} % right")
assert right > 0.97
two = dk.plots.image_grid(w.reshape(1, 8, 8), title="2, or not 2: the weights", columns=3, scale="weight")
save(two, "cse849_two.svg")

# %% [markdown]
# ## Ten outputs, and an eleventh
#
# Softmax over the digits, KL between two distributions; the eleventh output stands for none of the above.


# %%
def divergence(outputs, p):
    """KL(p || softmax(outputs)), the mean over the pictures; p log p is 0 where p is 0."""
    log_q = outputs - np.log(np.sum(np.exp(outputs), axis=1, keepdims=True))
    entropy = np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=1)
    return np.mean(entropy - np.sum(p * log_q, axis=1))


nothing = rng.uniform(0.0, 1.0, size=(60, 64))  # pictures of no digit
shown = np.concatenate([pictures, nothing])
for outputs in (10, 11):
    X, kind = (pictures, labels[:600]) if outputs == 10 else (shown, np.append(labels[:600], [10] * 60))
    ideal = np.eye(outputs)[kind]
    loss = lambda V: divergence(X @ V.T, ideal)  # noqa: E731, B023
    V = np.zeros((outputs, 64))
    assert np.isclose(loss(V), np.log(outputs))  # by one certain answer, the cross entropy
    for _ in range(30 if fast() else 100):
        V = V - 1.0 * dk.grad(loss)(V)
    right = np.mean(np.argmax(X @ V.T, axis=1) == kind)
    print(f"{outputs} outputs: divergence {loss(V):.3f}, {100 * right:.1f} % right")
    assert right > 0.9
    G = (np.exp(X @ V.T) / np.sum(np.exp(X @ V.T), axis=1, keepdims=True) - ideal).T @ X / len(X)
    assert np.allclose(dk.grad(loss)(V), G, rtol=1e-9, atol=1e-12)  # softmax with KL: p - d, again

# %% [markdown]
# ## Symbolic: the table, row 4 and all
#
# The lecture's four forms of l_n, and SymPy's derivatives of them, the fourth as the wall that it is.

# %%
X_ = sympy.Symbol("x")
forms = [
    X_,
    4 * X_ * (1 - X_),
    16 * X_ * (1 - X_) * (1 - 2 * X_) ** 2,
    64 * X_ * (1 - X_) * (1 - 2 * X_) ** 2 * (1 - 8 * X_ + 8 * X_**2) ** 2,
]
for k, form in enumerate(forms, start=1):
    print(f"{k}   {form}\n    {sympy.diff(form, X_)}")


# %%
def f(x):
    """The slide's closed form, which lacks its factor x, and has ^ for **."""
    return 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x * x) ** 2


def f_loop(x, n):
    """The slide's f(x, n): the same by a loop, for any n."""
    if n == 1:
        return x
    v = x
    for _ in range(1, n):
        v = 4 * v * (1 - v)
    return v


assert np.isclose(f(0.2), f_loop(0.2, 4), rtol=1e-14)
slope = dk.grad(f_loop)(0.2, 4)
predict("The derivative of the loop at x = 0.2, n = 4?", round(slope, 4))
assert np.isclose(slope, dk.grad(f)(0.2), rtol=1e-12)
assert np.isclose(slope, float(sympy.diff(forms[3], X_).subs(X_, 0.2)), rtol=1e-12)

# %% [markdown]
# Soft ReLU, in one layer and in two; every layer has its own weights. (By w, the derivative has x where
# the slide's Out[11] has w.)

# %%
w1, w2, b1, b2, w_, b_ = sympy.symbols("w1 w2 b1 b2 w b")
one = sympy.log(1 + sympy.exp(w_ * X_ + b_))
two = sympy.log(1 + sympy.exp(w2 * sympy.log(1 + sympy.exp(w1 * X_ + b1)) + b2))
print(dk.symbolic.diff(one, w_))
print(dk.symbolic.diff(two, w1))
assert sympy.simplify(sympy.diff(one, w_) - X_ * sympy.exp(w_ * X_ + b_) / (1 + sympy.exp(w_ * X_ + b_))) == 0
at = {X_: 0.7, w1: 0.4, b1: -0.2, w2: 1.3, b2: 0.1}
soft = lambda w1: np.log(1 + np.exp(1.3 * np.log(1 + np.exp(w1 * 0.7 - 0.2)) + 0.1))  # noqa: E731
assert np.isclose(float(sympy.diff(two, w1).subs(at)), dk.grad(soft)(0.4), rtol=1e-13)

# %% [markdown]
# ## Numerical: n evaluations more, and an h to select

# %%
g = lambda v: np.sum(np.sin(v) * v)  # noqa: E731
point = rng.normal(size=5)
calls = 0


def counted(v):
    global calls
    calls += 1
    return g(v)


base, h = counted(point), 1e-7
forward = np.array([(counted(point + h * e) - base) / h for e in np.eye(5)])
predict("A forward difference of the gradient of f: R^5 -> R. How many evaluations of f?", calls)
assert calls == 5 + 1
exact = np.cos(point) * point + np.sin(point)
central = np.array([(g(point + 1e-5 * e) - g(point - 1e-5 * e)) / 2e-5 for e in np.eye(5)])
errors = [float(np.max(np.abs(v - exact))) for v in (forward, central, dk.grad(g)(point))]
print("largest errors: forward {:.0e}, central {:.0e}, traced {:.0e}".format(*errors))
assert errors[2] < 1e-14 < errors[1] < errors[0]

# %% [markdown]
# ## The tables of the deck, printed by diffkit
#
# The neuron's loss as t1 ... t7, L; log(ab) with its gradient; two outputs in forward and reverse mode.

# %%
neuron = dk.programs.neuron_loss
t = dk.trace(neuron)(*neuron.args)
print(t.primal_table())
assert [t.names[row.index] for row in t.nodes[4:]] == ["t1", "z", "t3", "t4", "t5", "y", "t6", "t7", "L"]


def log_product(a, b):
    c = a * b
    d = np.log(c)
    return d


t = dk.trace(log_product)(2.0, 3.0)
print(t.adjoint_table())
assert np.isclose(t.value, 1.791, atol=1e-3)
assert np.allclose(t.pull_back(1.0), (1 / 2, 1 / 3), rtol=1e-15)


def f2(x1, x2):
    v1 = x1 * x2
    v2 = np.log(x2)
    y1 = np.sin(v1)
    y2 = v1 + v2
    return y1, y2


t = dk.trace(f2)(2.0, 3.0)
print(t.tangent_table(1.0, 0.0))
print(t.adjoint_table(1.0, 0.0))
assert np.allclose(t.push_forward(1.0, 0.0), (3 * np.cos(6.0), 3.0), rtol=1e-14)
assert np.allclose(t.pull_back((1.0, 0.0)), (3 * np.cos(6.0), 2 * np.cos(6.0)), rtol=1e-14)
