"""Higher order: derivatives of derivatives

Goals: nest modes; compute a Hessian-vector product forward over reverse, at the cost of a few gradients;
compare symbolic and traced Hessians.
Before: 06_forward_mode, 07_reverse_mode, 09_forward_or_reverse. 25 minutes.
"""

# %% [markdown]
# # Higher order
#
# **Problem.** Newton's method, curvature and sensitivity need second derivatives. A Hessian in n
# variables has n² entries. Must they be computed, and how?

# %%
import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import predict, save, seconds

# %% [markdown]
# **Idea.** The adjoint program is a program, made of the same primitives. So it can be differentiated
# again, in either mode: `grad(grad(f))`, `deriv(grad(f))`, to any depth.

# %%
f = lambda x: np.sin(x) * np.exp(-(x**2))  # noqa: E731
s = sympy.Symbol("s")
symbolic = sympy.sin(s) * sympy.exp(-(s**2))
derivative = f
for order in range(1, 5):
    derivative = dk.grad(derivative) if order % 2 else dk.deriv(derivative)
    exact = float(symbolic.diff(s, order).subs(s, sympy.Rational(7, 10)).evalf(30))
    print(f"order {order}: {derivative(0.7):+.12f}, exact {exact:+.12f}")
    assert np.isclose(derivative(0.7), exact, rtol=1e-10)

# %% [markdown]
# **Rule.** The Hessian times a vector is a directional derivative of the gradient: one *forward* sweep
# over the trace of a *reverse* sweep. No n² anywhere.
#
# $$H v = \frac{d}{d\varepsilon} \nabla f(x + \varepsilon v)$$

# %%
helmholtz = dk.programs.helmholtz
x = np.array(helmholtz.args[0])
v = np.array([1.0, -0.5, 0.25, 2.0])
H = dk.hessian(helmholtz)(x)
assert np.allclose(H, H.T, rtol=1e-12)
Hv = dk.hessian_vector_product(helmholtz)(x, v)
assert np.allclose(Hv, H @ v, rtol=1e-12)

# %%
rows, lengths = [], set()
for n in (4, 16, 64):
    x, v = np.full(n, 0.5 / n), np.ones(n)
    gradient = seconds(lambda x=x: dk.grad(helmholtz)(x))
    product = seconds(lambda x=x, v=v: dk.hessian_vector_product(helmholtz)(x, v))
    full = seconds(lambda x=x: dk.hessian(helmholtz)(x), 1)
    rows.append([n, round(product / gradient, 1), round(full / gradient, 1)])
    along_v = lambda x, v=v: dk.hessian_vector_product(helmholtz)(x, v)  # noqa: E731
    lengths.add((len(dk.trace(dk.grad(helmholtz))(x)), len(dk.trace(along_v)(x))))
predict("H v takes about as long whatever n is. And H?", "grows with n", "n", "longer", "more", "grows")
print(f"in 64 variables H took {full / product:.0f} times as long as H v")
print(dk.Table(["n", "H v", "H"], rows, caption="Time as a multiple of a gradient's"))
assert rows[-1][1] < rows[-1][2]
assert len(lengths) == 1
once, again = lengths.pop()
print(f"in rows of a trace: a gradient {once}, H v {again}, for every n")
assert again < 5 * once

# %% [markdown]
# All four mixtures give the same matrix. A network's loss has a Hessian for each pair of its parameters;
# the product by one of them needs no more than before.

# %%
network = dk.programs.one_hidden_layer_nll
w, V, X, y = network.args
direction = np.array([1.0, -1.0])
by_product = dk.hessian_vector_product(network)(w, V, X, y, direction)
assert np.allclose(by_product, dk.hessian(network)(w, V, X, y) @ direction, rtol=1e-12)
x = np.array(helmholtz.args[0])
for outer in ("forward", "reverse"):
    for inner in ("forward", "reverse"):
        mixed = dk.jacobian(dk.jacobian(helmholtz, mode=inner), mode=outer)(x)
        assert np.allclose(mixed, H, rtol=1e-11), (outer, inner)

# %% [markdown]
# ## Symbolic against traced
#
# The symbolic Hessian is one expression for all points; written out as a tree it swells, as a shared
# graph it does not. The trace has its numbers for one point.

# %%
trees = []
for n in (2, 4, 6):
    x = np.full(n, 0.5 / n)
    symbols = np.array(sympy.symbols(f"x:{n}", positive=True), dtype=object)
    energy = dk.trace(helmholtz)(x).to_sympy(symbols)
    entries = dk.symbolic.hessian(energy, list(symbols))
    size = dk.symbolic.size(entries)
    values = dk.symbolic.lambdify(list(symbols), entries)(*x)
    assert np.allclose(np.array(values, dtype=float), dk.hessian(helmholtz)(x), rtol=1e-9)
    symbolic = seconds(lambda energy=energy, by=symbols: dk.symbolic.hessian(energy, list(by)), 1)
    traced = seconds(lambda x=x: dk.hessian(helmholtz)(x), 1)
    trees.append(size.tree / size.dag)
    print(f"n = {n}: tree {size.tree:,} nodes, graph {size.dag:,}", end="; ")
    print(f"symbolic {1e3 * symbolic:.1f} ms once, traced {1e3 * traced:.1f} ms a point")
predict("The symbolic Hessian's tree over its graph: does that ratio grow with the variables?", "yes")
print(f"tree over graph, largest: {trees[-1]:.0f}")
assert trees[0] < trees[1] < trees[2]

# %% [markdown]
# ## Hessians that are mostly zeros
#
# In Rosenbrock's valley each term has two neighbours, so the Hessian is tridiagonal. The trace tells where it
# can be other than zero; columns that share no row are told by one sweep along their sum, so they get one
# colour (Curtis, Powell and Reid, 1974).


# %%
def valley(x):
    """The sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


x = np.linspace(-1.0, 1.0, 9)
pattern, full = dk.sparsity(dk.grad(valley))(x), dk.hessian(valley)(x)
picture = dk.draw_matrix(full, pattern=pattern, colours=True, title="Rosenbrock's Hessian")
save(picture, "13_colours.svg")
assert picture.notes[0].startswith("3 sweeps")
assert np.allclose(dk.hessian(valley, sparse=True)(x), full, rtol=1e-12)
x = np.linspace(-1.0, 1.0, 400)
sparse = seconds(lambda: dk.hessian(valley, sparse=True)(x), 1)
times = round(seconds(lambda: dk.hessian(valley)(x), 1) / sparse)
predict("In 400 variables there are three colours. The whole Hessian takes how many times as long?", times)

# %% [markdown]
# A slip in one's own is seen at once: an index that is off by one moves a whole band.

# %%
own = np.diag(np.diag(full)) + np.diag(np.diag(full, 1), 1) + np.diag(np.r_[0.0, np.diag(full, 1)[:-1]], -1)
print(dk.draw_matrix(full, own, pattern=pattern).notes[0])

# %% [markdown]
# **Subtlety.** Finite differences of finite differences lose digits twice. A difference of *gradients* loses
# them once, and the traced product not at all.

# %%
x = np.array(helmholtz.args[0])
by_difference = dk.finite.hessian(helmholtz, x)
error = np.max(np.abs(by_difference - H)) / np.max(np.abs(H))
gradient = dk.grad(helmholtz)
once = np.stack([(gradient(x + h) - gradient(x - h)) / 2e-6 for h in 1e-6 * np.eye(len(x))])
error_once = np.max(np.abs(once - H)) / np.max(np.abs(H))
print(f"relative error: second differences {error:.1e}, differences of gradients {error_once:.1e}")
assert 1e-12 < error < 1e-3
assert error_once < error

# %% [markdown]
# ## Exercises
#
# Copy `exercises/13_higher_order_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/13_higher_order.py YOUR_FILE`:
#
# 1. `softmax`: the Hessian of log-sum-exp times a vector, without a matrix.
# 2. `valley`: the Hessian of Rosenbrock's valley times a vector.
