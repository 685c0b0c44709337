"""Matrices: the gradient in one line, not element by element

Goals: differentiate a formula in matrices without its elements; know the three layouts of one derivative;
turn a differential into a gradient by rotating a trace; read a network's backward pass as formulas.
Before: 01_by_hand, 07_reverse_mode. 30 minutes.
"""

# %% [markdown]
# # Matrices
#
# **Problem.** For z = W y + b and a divergence D(z), with v = ∂D/∂z: what is ∂D/∂W? By elements it takes four
# indices and a page. The answer is one line.

# %%
import numpy as np
from sympy import Determinant, Identity, MatrixSymbol, OneMatrix, Q, Trace, exp, log, symbols

import diffkit as dk
from diffkit.lessons import predict, save

m, n, N = symbols("m n N", integer=True, positive=True)
W, y = MatrixSymbol("W", m, n), MatrixSymbol("y", n, 1)
b, v = MatrixSymbol("b", m, 1), MatrixSymbol("v", m, 1)
D = v.T * (W * y + b)
by_W = dk.symbolic.diff(D, W)
predict("D = vᵀ (W y + b). What is its gradient by W?", by_W, "v y^T", "v@y.T", "v yᵀ")
assert by_W == v * y.T
assert dk.symbolic.gradient(D, [b, y]) == [v, W.T * v]

# %% [markdown]
# **Idea.** Differentials have the shapes of what they are differentials of, so products stay products:
# d(W y) = dW y + W dy. At the end a trace is turned until dW stands last: dD = vᵀ dW y = tr(y vᵀ dW), and
# tr(Gᵀ dW) is the inner product of G with dW. So G = v yᵀ.

# %%
derivation = dk.symbolic.steps(D, W)
print(derivation)
assert derivation.check()  # every step, at random matrices, against a difference quotient
assert derivation.result == v * y.T

# %% [markdown]
# **The wrong guess.** "Take W for a row vector w: by w, the derivative of w y is y, and with the chain rule
# ∂D/∂W = vᵀ y." For a W of one row it is right. For m ≠ n the shapes don't fit, before any number is wrong.

# %%
try:
    dk.symbolic.diff(v.T * W * v, W)  # what has to fit for vᵀ y to mean something: y as long as v
except dk.InputError as error:
    print(error)
assert by_W.shape == W.shape
assert (y * v.T).shape == (n, m)  # the transpose: another layout, not another answer

# %% [markdown]
# ## Three layouts of one derivative
#
# The lectures write ∂z/∂W for z = W y in three ways: as an l × n × m block of numbers, as a matrix d × mn
# with W's elements in a row, and, under a scalar, as y ∇_z D: the transpose of v yᵀ. None is wrong. diffkit
# says which it means: a gradient has the variable's shape, unless numerator layout is asked for.

# %%
turned = dk.symbolic.diff(D, W, layout="numerator")
predict(
    "The same derivative in numerator layout, where vᵀ = ∇_z D is a row?", turned, "y v^T", "y@v.T", "y vᵀ"
)
assert turned == y * v.T
print(dk.symbolic.steps(D, W, layout="numerator").layout_text)

rng = np.random.default_rng(10)
W_, y_, v_ = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)
block = dk.jacobian(lambda W: W @ y_)(W_)
flat = block.reshape(3, 6)
predict("z = W y, W of 3 × 2: the shapes of the block and of the d × mn matrix?", (block.shape, flat.shape))
under_v = (v_ @ flat).reshape(3, 2)
assert abs(under_v - v_[:, None] * y_[None, :]).max() < 1e-14
assert abs(dk.grad(lambda W: v_ @ (W @ y_))(W_) - under_v).max() < 1e-14


def affine(W, y, b, v):
    z = W @ y + b
    return v @ z


save(dk.draw(affine, W_, y_, rng.normal(size=3), v_, view="both"), "10b_affine_both.svg")

# %% [markdown]
# ## Rules
#
# **Rules.** Six carry nearly everything; each but the last is a line of one table.
#
# | of | differential |
# | --- | --- |
# | X Y | dX Y + X dY |
# | Xᵀ | dXᵀ |
# | X⁻¹ | -X⁻¹ dX X⁻¹ |
# | tr X | tr dX |
# | log det X | tr(X⁻¹ dX) |
# | f(X), elementwise | f'(X) ⊙ dX |

# %%
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
x, c = MatrixSymbol("x", n, 1), MatrixSymbol("c", n, 1)
predict(
    "The gradient of log det A by A?", dk.symbolic.diff(log(Determinant(A)), A), "A^-T", "inv(A).T", "A⁻ᵀ"
)
assert dk.symbolic.diff(log(Determinant(A)), A) == A.T.I
assert dk.symbolic.diff(x.T * A.I * c, A) == -A.T.I * x * c.T * A.T.I
assert dk.symbolic.diff(Trace(A * B), A) == B.T

# %% [markdown]
# ## The lectures' losses
#
# The mean squared error; softmax with cross entropy, whose gradient is p - y; the error of a projection.

# %%
X, w, t = MatrixSymbol("X", N, n), MatrixSymbol("w", n, 1), MatrixSymbol("t", N, 1)
mse = (t - X * w).T * (t - X * w) / N
derivation = dk.symbolic.steps(mse, w)
print(derivation)
assert "df/dw = -2/N Xᵀ (t - X w)" in str(derivation)
assert derivation.check()

z, one = MatrixSymbol("z", n, 1), OneMatrix(1, n)
p = z.applyfunc(exp) / Trace(one * z.applyfunc(exp))
cross_entropy = log(one * z.applyfunc(exp)) - Trace(y.T * z)  # -Σ y log p, where the y sum to 1
derivation = dk.symbolic.steps(cross_entropy, z)
predict("Softmax with cross entropy: the gradient by the logits z?", str(derivation).splitlines()[-2])
assert dk.symbolic.steps(Trace(y.T * p), z).check()
assert derivation.check()

U = MatrixSymbol("U", n, m)
Z = MatrixSymbol("Z", n, N)
residual = Z - U * U.T * Z
by_U = dk.symbolic.diff(Trace(residual.T * residual), U)
print(by_U)  # U stands in it twice, so there are two terms
assert dk.symbolic.steps(Trace(residual.T * residual), U).check()

# %% [markdown]
# **Subtlety.** What is known of a matrix changes its formula: for a symmetric A, xᵀ A x has the gradient
# 2 A x. By a matrix that is itself symmetric, the gradient is the one among symmetric matrices.

# %%
assert dk.symbolic.diff(x.T * A * x, x) == (A + A.T) * x
assert dk.symbolic.diff(x.T * A * x, x, assumptions=Q.symmetric(A)) == 2 * A * x
assert dk.symbolic.hessian(x.T * A * x, x) == A + A.T
assert dk.symbolic.jacobian(x, x) == Identity(n)

# %% [markdown]
# ## A chain of layers
#
# The backward pass of a network, layer by layer, as formulas; of a NumPy program, with its own names. Each is
# held against the traced gradient before it is shown.


# %%
def network(x, W1, b1, W2, b2, t):
    """Two layers and half the squared distance."""
    h = np.tanh(W1 @ x + b1)
    r = W2 @ h + b2 - t
    return r @ r / 2


shapes = [(3,), (4, 3), (4,), (2, 4), (2,), (2,)]
found = dk.formula(network, *[rng.normal(size=shape) for shape in shapes])
print(found)
predict(
    "With h and r as the program has them: the gradient by W2?",
    next(line for line in found.text().splitlines() if "dW2" in line),
)
assert "dnetwork/dW2 = r hᵀ" in found.text()
assert found.error < 1e-12

# %% [markdown]
# On the command line: `diffkit formula "v.T @ (W @ y + b)" --by W`, and `diffkit formula FILE.py:f`.
#
# ## Exercises
#
# Copy `exercises/10b_matrices_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/10b_matrices.py YOUR_FILE`:
#
# 1. `bilinear`: vᵀ W y, by all three.
# 2. `quadratic`: xᵀ A x, where A need not be symmetric.
# 3. `log_determinant`: log det A.
# 4. `projection_error`: |X - W Wᵀ X|²; W stands in it twice.
