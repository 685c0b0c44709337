"""Higher order: derivatives of derivatives

Goals: nest modes; compute a Hessian-vector product forward over reverse, at the cost of a gradient; compare
symbolic and traced Hessians.
Before: 06_forward_mode, 07_reverse_mode, 09_forward_or_reverse. 25 minutes.
"""

# %% [markdown]
# # Higher order
#
# **Problem.** Newton's method, curvature and sensitivity need second derivatives. A Hessian in n
# variables has n² entries. Must they be computed, and how?

# %%
import time

import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import fast, predict

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

# %%
helmholtz = dk.programs.helmholtz
x = np.array(helmholtz.args[0])
v = np.array([1.0, -0.5, 0.25, 2.0])
H = dk.hessian(helmholtz)(x)
assert np.allclose(H, H.T, rtol=1e-12)
Hv = dk.hessian_vector_product(helmholtz)(x, v)
assert np.allclose(Hv, H @ v, rtol=1e-12)


# %%
def seconds(run, repeats: int = 3 if fast() else 9) -> float:
    """The least time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


rows = []
for n in (4, 16, 64) if fast() else (4, 16, 64, 256):
    x, v = np.full(n, 0.5 / n), np.ones(n)
    gradient = seconds(lambda x=x: dk.grad(helmholtz)(x))
    product = seconds(lambda x=x, v=v: dk.hessian_vector_product(helmholtz)(x, v))
    full = seconds(lambda x=x: dk.hessian(helmholtz)(x), 1)
    rows.append([n, round(product / gradient, 1), round(full / gradient, 1)])
print(dk.Table(["n", "H v", "H"], rows, caption="Time as a multiple of a gradient's"))
assert rows[-1][1] < rows[-1][2]

# %% [markdown]
# All four mixtures give the same matrix.

# %%
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
for n in (2, 4) if fast() else (2, 4, 6):
    x = np.full(n, 0.5 / n)
    symbols = np.array(sympy.symbols(f"x:{n}", positive=True), dtype=object)
    energy = dk.trace(helmholtz)(x).to_sympy(symbols)
    start = time.perf_counter()
    entries = dk.symbolic.hessian(energy, list(symbols))
    took = time.perf_counter() - start
    size = dk.symbolic.size(entries)
    values = dk.symbolic.lambdify(list(symbols), entries)(*x)
    assert np.allclose(np.array(values, dtype=float), dk.hessian(helmholtz)(x), rtol=1e-9)
    print(f"n = {n}: tree {size.tree:,} nodes, graph {size.dag:,}; differentiated in {took:.2f} s")
predict("Which grows the faster with n: the tree of the symbolic Hessian, or its graph?", "tree")
assert size.tree > 5 * size.dag

# %% [markdown]
# **Subtlety.** Finite differences of finite differences lose digits twice: about 1e-6 is left of 1e-16. A
# difference of *gradients* loses them once, and the traced product not at all.

# %%
x = np.array(helmholtz.args[0])
by_difference = dk.finite.hessian(helmholtz, x)
error = np.max(np.abs(by_difference - H)) / np.max(np.abs(H))
print(f"second differences: relative error {error:.1e}")
assert 1e-12 < error < 1e-3
