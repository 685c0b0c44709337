"""Programs, not formulas: where symbolic differentiation stops and a trace goes on

Goals: differentiate a loop of any length and a branch; see why a program is not one formula; know what a
trace holds, and for which inputs it holds.
Before: 02_expression_swell. 25 minutes.
"""

# %% [markdown]
# # Programs, not formulas
#
# **Problem.** Symbolic differentiation needs a formula. Programs have loops whose length comes as an
# argument, branches, and loops that end when a value says so.

# %%
import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import predict, save

# %% [markdown]
# ## A loop with n
#
# **Idea.** For each n the logistic map is another polynomial, of degree 2^(n-1). The program is three
# lines for all n, and its trace has three rows for each turn of the loop.


# %%
def logistic(x, *, n):
    """The n-th iterate."""
    for _ in range(n - 1):
        x = 4 * x * (1 - x)
    return x


for n in (2, 5, 50, 1000):
    t = dk.trace(logistic)(0.2, n=n)
    if n == 1000:
        predict("How many rows has the trace for n = 1000?", len(t))
    print(f"n = {n}: {len(t)} rows, derivative {t.pull_back(1.0):.6g}")
    assert len(t) == 1 + 3 * (n - 1)
assert np.isclose(dk.grad(logistic)(0.2, n=4), 708288 / 78125, rtol=1e-14)

# %% [markdown]
# ## A branch
#
# **Rule.** A trace holds the *path* that the program took. On that path there is a formula, and the trace
# can give it. For other inputs there is another.


# %%
def huber(r):
    """Quadratic near zero, linear outside."""
    if abs(r) <= 1.0:
        return r**2 / 2
    return abs(r) - 0.5


x = sympy.Symbol("x", real=True)
for r in (0.5, 3.0):
    t = dk.trace(huber)(r)
    print(f"at {r}: {t.to_sympy(x, path=True)}, derivative {t.pull_back(1.0)}")
    print(f"  decided: {t.decisions[0].node.site} -> {t.decisions[0].value}")
assert dk.grad(huber)(0.5) == 0.5
assert dk.grad(huber)(3.0) == 1.0

# %% [markdown]
# Asked for *the* expression, diffkit refuses, and names the line.

# %%
try:
    dk.trace(huber)(0.5).to_sympy(x)
except dk.TraceError as error:
    refusal = str(error)
print(refusal)
assert "if abs(r) <= 1.0" in refusal

# %% [markdown]
# Written with `np.where` both sides are computed and one is selected, so nothing is decided and the
# expression holds for all inputs. The lecture's losses are written like that.

# %%
losses = dk.programs.losses
t = dk.trace(losses)(*losses.args)
predict("Five losses, with |y - t|, a maximum and a np.where. How many decisions?", len(t.decisions))
assert t.decisions == []
prediction, target = sympy.symbols("y t", real=True)
print(t.to_sympy(prediction, target)[2])
derivative = losses.expression[2].diff(prediction)  # Huber's, with both pieces in it
for goal in (1.0, 3.0):  # the error is -0.7, inside, and -2.7, outside
    by_trace = dk.grad(lambda y, t: losses(y, t)[2])(0.3, goal)
    assert np.isclose(by_trace, float(derivative.subs({prediction: 0.3, target: goal})), rtol=1e-14)

# %% [markdown]
# ## A loop that ends when a value says so
#
# Newton's method for the square root runs until it is close enough. There is no formula with a fixed
# number of operations, yet the derivative is right: that of the turns that it took.


# %%
def root(a):
    """The square root by Newton's method."""
    y = a
    while abs(y * y - a) > 1e-12 * a:
        y = (y + a / y) / 2
    return y


for a in (2.0, 1e6):
    t = dk.trace(root)(a)
    turns = sum(d.value is True for d in t.decisions)
    exact = 0.5 / np.sqrt(a)
    print(f"a = {a:g}: {turns} turns, derivative {t.pull_back(1.0):.12g}, exact {exact:.12g}")
    assert np.isclose(t.pull_back(1.0), exact, rtol=1e-9)

# %% [markdown]
# The comparison says which methods can do it, and why one can't. That is its lesson, not an error.

# %%
result = dk.compare(root, 2.0)
predict("Symbolic, differences, forward, reverse: which can't differentiate the loop?", "symbolic")
print(result)
assert result["symbolic"].value is None
assert result["reverse mode"].error < 1e-9

# %% [markdown]
# **Subtlety.** The derivative of the path is not always the derivative of the function. On the boundary
# of a branch there may be none; and a program that *looks at* a value may compute the right function by a
# formula whose derivative is wrong.


# %%
def identity_but(x):
    """This is x, for every x. Its derivative is 1, for every x."""
    return 0.0 if x == 0.0 else x


predict(
    "identity_but(x) = x everywhere. What does tracing say of its derivative at 0?",
    dk.grad(identity_but)(0.0),
)
assert dk.grad(identity_but)(0.0) == 0.0
assert dk.grad(identity_but)(0.5) == 1.0
print("central difference at 0:", dk.finite.derivative(identity_but, 0.0))
assert np.isclose(dk.finite.derivative(identity_but, 0.0), 1.0)

# %% [markdown]
# A trace is one path, and its picture says which: at -2 the comparison is false, and the other branch is not
# there at all.


# %%
def leaky(x):
    """tanh of what is positive, a tenth of what is not."""
    if x > 0:
        return np.tanh(x)
    return x / 10


t = dk.trace(leaky)(-2.0)
assert [decision.value for decision in t.decisions] == [False]
assert "tanh" not in [row.fun.name for row in t.nodes]
save(dk.draw(t), "03_branch.svg")

# %% [markdown]
# ## Exercises
#
# Copy `exercises/03_programs_not_formulas_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/03_programs_not_formulas.py YOUR_FILE`:
#
# 1. `huber`: a rule with a branch in it, for arrays.
# 2. `Root`: the square root by Newton's loop, and its derivative by the same loop.
