"""What the slides get wrong: fourteen claims of the five decks, each measured

Good slides, written by people who know better, and shown to thousands: a slip on a slide is believed. Each
claim below is put beside what a computer says; where the deck is known by a course, its file here is named.
"""

# %% [markdown]
# # What the slides get wrong
#
# | | the slide | what is so |
# | --- | --- | --- |
# | 1 | `sigmoid(x) = 0.5 * (tanh(x) + 1)` | that is σ(2x) |
# | 2 | soft ReLU by w: e^(b+wx) **w** / (1 + e^(b+wx)) | it is x where the slide has w |
# | 3 | soft ReLU as an example of exponential swell | its derivative grows like k² |
# | 4 | l4 = 64 (1-x) (1-2x)² (1-8x+8x²)², with `^` | a factor x is missing; `^` is Python's xor |
# | 5 | symbolic differentiation swells | the tree does; the graph grows by nine nodes |
# | 6 | SymPy's `diff` is slow: the derivative is large | most steps are one walk in `Derivative` |
# | 7 | a difference loses its digits in the subtraction | that is exact; f was rounded before |
# | 8 | h = sqrt(eps) | below, the best is some 700 times as large |
# | 9 | higher orders never eliminate the error | no; but order 6 leaves only rounding |
# | 10 | autodiff is exact, and numerically stable | it has the program's errors: 1e8 for -8e-10 |
# | 11 | `MultiplyGate.forward(x, y)` | it lacks `self`, and forgets its first use |
# | 12 | hinge for a one-hot target: max(0, δ - b_c a_c) | δ more for every other class |
# | 13 | ∂z/∂W | three layouts in three decks |
# | 14 | x̄_j = Σ_i ȳ_i ∂y_j/∂x_j; diag(1, 1, 0); A32 | ∂y_i/∂x_j; diag(1, 1, 1); A23 |

# %%
import cProfile
import pstats
from fractions import Fraction

import numpy as np
import sympy

import diffkit as dk


def tree_size(expr):
    """The nodes of an expression, written out as a tree."""
    return sum(1 for _ in sympy.preorder_traversal(expr))


# %% [markdown]
# ## 1. The sigmoid that is twice as steep
#
# (COMS 4776 and CSE 849.) The training program works all the same: it learns half the weights.

# %%
points = np.linspace(-3.0, 3.0, 13)
slide = 0.5 * (np.tanh(points) + 1)
sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
print(f"1  at 1: {slide[8]:.4f} on the slide; σ(1) = {sigmoid(1.0):.4f}, σ(2) = {sigmoid(2.0):.4f}")
assert np.allclose(slide, sigmoid(2 * points), rtol=1e-14)
assert abs(dk.grad(lambda x: 0.5 * (np.tanh(x) + 1))(0.0) - 0.5) < 1e-15  # σ'(0) would be 1/4

# %% [markdown]
# ## 2 and 3. Soft ReLU
#
# (CSE 849.) log(1 + e^(wx + b)) by w; and the tree of the derivative of k layers, counted.

# %%
w, x, b = sympy.symbols("w x b")
by_w = sympy.diff(sympy.log(1 + sympy.exp(w * x + b)), w)
assert sympy.simplify(by_w - x * sympy.exp(b + w * x) / (1 + sympy.exp(b + w * x))) == 0
print("2  by w:", by_w)
layer, sizes = x, []
for _ in range(12):
    layer = sympy.log(1 + sympy.exp(w * layer + b))
    sizes.append(tree_size(sympy.diff(layer, x)))
second_differences = np.diff(sizes, n=2)
print("3  nodes of the derivative for 1, 2, 3, ... layers:", sizes)
assert set(second_differences[1:].tolist()) == {int(second_differences[-1])}  # quadratic, not 2^k

# %% [markdown]
# ## 4 and 5. The logistic map
#
# (CSE 849.) The closed form as it stands, at x = 0.2; and what swells.


# %%
def loop(x, n):
    v = x
    for _ in range(1, n):
        v = 4 * v * (1 - v)
    return v


without_x = 64 * (1 - 0.2) * (1 - 2 * 0.2) ** 2 * (1 - 8 * 0.2 + 8 * 0.2**2) ** 2
print(f"4  on the slide {without_x:.5f}; l4 = {loop(0.2, 4):.5f}, which is 0.2 times that; 2 ^ 3 is {2 ^ 3}")
assert np.isclose(0.2 * without_x, loop(0.2, 4), rtol=1e-13)
table = dk.symbolic.swell("logistic map", 12, measures=["forward"])
trees, graphs = table["forward tree"], table["forward DAG"]
print(f"5  l12's derivative: {trees[-1]:,} nodes as a tree, {graphs[-1]} as a graph")
assert set(np.diff(graphs[1:]).tolist()) == {9}
assert trees[-1] > 2 * trees[-2]

# %% [markdown]
# ## 6. Where SymPy's time goes
#
# Not into the derivative: after it, `Derivative` looks through the whole tree for something to replace.

# %%
ln = sympy.Symbol("x")
for _ in range(9):
    ln = 4 * ln * (1 - ln)
profile = cProfile.Profile()
profile.runcall(sympy.diff, ln, sympy.Symbol("x"))
calls: dict[str, int] = {}
for (_, _, name), (_, count, *_) in pstats.Stats(profile).stats.items():
    calls[name] = calls.get(name, 0) + count
walked, differentiated = calls["walk"], calls["_eval_derivative"]
print(f"6  l10 has {differentiated:,} calls that differentiate, and {walked:,} of the walk afterwards")
assert walked > 10 * differentiated

# %% [markdown]
# ## 7 and 8. The difference
#
# (CSE 849 and SKKU.) In exact fractions: subtracting neighbouring floats makes no error at all; what is
# lost was lost when f was rounded. And the best h is about 2 sqrt(eps |f / f''|), not sqrt(eps).

# %%
f, at, h = np.exp, 1.0, 2.0**-26
high, low = float(f(at + h)), float(f(at))
assert Fraction(high - low) == Fraction(high) - Fraction(low)
print("7  the subtraction of f(x + h) and f(x): error 0, in fractions")


def flat(x):
    """1 + 1e-6 x²: a curvature of 2e-6 under values of 1."""
    return 1.0 + 1e-6 * x**2


def error(h):
    return abs((flat(1.0 + h) - flat(1.0)) / h - 2e-6) / 2e-6


steps = 10.0 ** np.arange(-12.0, 0.0, 0.25)
eps = np.finfo(float).eps
best = steps[np.argmin([error(h) for h in steps])]
rule, found = eps**0.5, error(best)
print(f"8  sqrt(eps) = {rule:.1e}: relative error {error(rule):.0e}; best h {best:.0e}: {found:.0e}")
assert best > 100 * rule
assert found < 0.01 * error(rule)

# %% [markdown]
# ## 9. Higher orders
#
# (CSE 849.) "These increase rapidly in complexity and never completely eliminate the error": two evaluations
# more for every two orders; and what is left at order 6 is rounding. The complex step leaves nothing else.

# %%
exact, errors = np.cos(1.0), {}
for order in (2, 4, 6):
    found = dk.finite.derivative(np.sin, 1.0, order=order, full=True)
    points = len(dk.finite.stencil("central", order=order).offsets)
    errors[order] = abs(found.value - exact)
    print(f"9  order {order}: {points} evaluations, error {errors[order]:.0e}")
by_complex_step = dk.finite.derivative(np.sin, 1.0, form="complex")
assert errors[6] < errors[4] < errors[2]
assert abs(by_complex_step - exact) < 2e-16

# %% [markdown]
# ## 10. Exact and stable?
#
# (CSE 849.) The derivative of a *program* is exact up to rounding. Where the program is unstable, so is its
# derivative, and here a difference does better. Lesson 15 is about this.


# %%
def ratio(x):
    return (1 - np.cos(x)) / x**2


by_trace, truth = dk.grad(ratio)(1e-8), -1e-8 / 12
by_difference = (ratio(1.0 + 1e-5) - ratio(1.0 - 1e-5)) / 2e-5
print(f"10 (1 - cos x)/x² at 1e-8: traced {by_trace:.3g}, and it is {truth:.3g}")
assert abs(by_trace - truth) > 1e7
assert np.isclose(dk.grad(ratio)(1.0), by_difference, rtol=1e-9)
with np.errstate(all="ignore"):
    overflowed = dk.grad(dk.programs.soft_relu)(1000.0, 1.0, 0.0)
print(f"   log(1 + e^x) at 1000: {overflowed}, and it is 1; with np.logaddexp", end=" ")
print(dk.grad(lambda x: np.logaddexp(0.0, x))(1000.0))
assert np.isnan(overflowed)
assert dk.grad(lambda x: np.logaddexp(0.0, x))(1000.0) == 1.0

# %% [markdown]
# ## 11 and 12. The gate, the hinge
#
# (CS 434.) Both are mended in `cs434.py`.


# %%
class MultiplyGate:
    """As on the slide, with self."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        return [self.y * dz, self.x * dz]


gate = MultiplyGate()
gate.forward(2.0, 3.0)
gate.forward(5.0, 7.0)
print("11 the gate, used at (2, 3) and then at (5, 7), gives its first use back", gate.backward(1.0))
assert gate.backward(1.0) != [3.0, 2.0]

scores, target, delta = np.array([0.2, 1.7, -0.4, 0.9]), np.array([0.0, 1.0, 0.0, 0.0]), 1.0
hinge = np.sum(np.maximum(0.0, delta - target * scores))
print(f"12 hinge over 4 classes: {hinge}; by the shortcut {max(0.0, delta - scores[1])}")
assert hinge - max(0.0, delta - scores[1]) == 3 * delta

# %% [markdown]
# ## 13. Three layouts of one derivative
#
# (CSE 849, CS 434, SKKU.) z = W y, under D = v · z.

# %%
rng = np.random.default_rng(0)
W, y, v = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=2)
block = dk.jacobian(lambda W: W @ y)(W)  # SKKU: l × n × m
flat_block = block.reshape(2, 6)  # CS 434: d × mn
column_by_row = y[:, None] @ v[None, :]  # CSE 849: y ∇_z D, and W's transpose in shape
print("13 shapes:", block.shape, flat_block.shape, column_by_row.shape, "and diffkit's gradient", W.shape)
gradient = dk.grad(lambda W: v @ (W @ y))(W)
assert np.allclose((v @ flat_block).reshape(2, 3), gradient, rtol=1e-14)
assert np.allclose(np.tensordot(v, block, axes=1), gradient, rtol=1e-14)
assert np.allclose(column_by_row.T, gradient, rtol=1e-14)

# %% [markdown]
# ## 14. Misprints that change the meaning
#
# CSE 849: x̄_j = Σ_i ȳ_i ∂y_**j**/∂x_j. SKKU: in forward mode with three inputs the seed is written
# diag(1, 1, **0**); the third column would be zero. The deck without a number: ∂y2/∂x3 = A**32** for y = A x.

# %%
A, x_ = rng.normal(size=(3, 3)), rng.normal(size=3)
y_bar = rng.normal(size=3)
t = dk.trace(lambda x: A @ x)(x_)
misprint = np.array([np.sum(y_bar * A[j, j]) for j in range(3)])
print("14 x̄ by the slide's indices", misprint.round(3), "and with ∂y_i/∂x_j", t.pull_back(y_bar).round(3))
assert np.allclose(t.pull_back(y_bar), A.T @ y_bar, rtol=1e-14)
assert not np.allclose(misprint, A.T @ y_bar)
seeds = np.diag([1.0, 1.0, 0.0])
lost = np.stack([t.push_forward(e) for e in seeds], axis=1)
assert np.array_equal(lost[:, 2], np.zeros(3))
assert dk.jacobian(lambda x: A @ x)(x_)[1, 2] == A[1, 2]
