"""Reverse mode: the same program, read upward

Goals: sweep a trace upward; read adjoints as sensitivities of the output; draw primal and adjoint graph;
step through the pass.
Before: 06_forward_mode. 25 minutes.
"""

# %% [markdown]
# # Reverse mode
#
# **Problem.** Forward mode costs a sweep per *input*. A loss has one output and a million inputs.

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

program = dk.programs.two_outputs
x1, x2 = program.args
t = dk.trace(program)(x1, x2)

# %% [markdown]
# **Idea.** Ask the other question. Not "how does each value react to this input?" but "how does this
# output react to each value?" That number is the value's **adjoint**, written with a bar. The output's
# own adjoint is 1: the seed. Go *up* the list.

# %%
a = x1 * x2
predict(f"y1 = sin(a), a = {a:g}. What is the adjoint of a, for the output y1?", round(float(np.cos(a)), 4))
assert np.isclose(t.adjoints((1.0, 0.0))[2], np.cos(a))
print(t.adjoint_table(1.0, 0.0))

# %% [markdown]
# **Rule.** A row v = φ(u, w) with adjoint v̄ gives v̄ φ_u to ū and v̄ φ_w to w̄. What several rows give
# to one value **adds up**. When the sweep comes to a row, everything that uses it has been passed: its
# adjoint is complete.
#
# $$\bar u = \sum_v \bar v \frac{\partial v}{\partial u}$$

# %%
of_y1 = t.pull_back((1.0, 0.0))
of_y2 = t.pull_back((0.0, 1.0))
assert np.allclose(of_y1, (x2 * np.cos(x1 * x2), x1 * np.cos(x1 * x2)), rtol=1e-15)
assert np.allclose(of_y2, (x2, x1 + 1 / x2), rtol=1e-15)
J = dk.jacobian(lambda x: np.stack(program(x[0], x[1])))(np.array([x1, x2]))
predict("One reverse sweep gives a row of the Jacobian, or a column?", "a row")
assert np.allclose(J[0], of_y1, rtol=1e-15)
assert np.allclose(J[1], of_y2, rtol=1e-15)

# %% [markdown]
# Forward and reverse mode are transposes of each other: for any cotangent u and tangent v,
# u · (J v) = (Jᵀ u) · v.

# %%
rng = np.random.default_rng(7)
u, v = rng.normal(size=2), rng.normal(size=2)
left, right = np.dot(u, t.push_forward(*v)), np.dot(t.pull_back(tuple(u)), v)
print(f"{left:.15f} {right:.15f}")
assert np.isclose(left, right, rtol=1e-14)

# %% [markdown]
# ## The adjoint program
#
# The reverse sweep is itself a sequence of operations. Recorded, it is a trace: it can be drawn beside
# the primal one, printed, and swept again.

# %%
adjoint = t.adjoint((1.0, 0.0))
print(adjoint.source())
kept = [adjoint.names[row.index] for row in adjoint.kept()]
print("the reverse sweep reads, and so must keep:", ", ".join(kept))
assert kept == ["x1", "x2", "a"]
save(dk.draw(program, x1, x2, view="both", cotangents=(1.0, 0.0)), "07_two_outputs_both.svg")
save(dk.stepper(program, x1, x2, cotangents=(1.0, 0.0)), "07_two_outputs.html")

# %% [markdown]
# ## Two circuits
#
# (x + y) z at (-2, 5, -4): a sum hands its adjoint on, a product swaps, a maximum routes.

# %%
circuit = dk.programs.sum_times
t = dk.trace(circuit)(*circuit.args)
predict("(x + y) z at (-2, 5, -4): the derivatives by x, y and z?", t.pull_back(1.0))
assert t.value == -12.0
assert t.pull_back(1.0) == (-4.0, -4.0, 3.0)
save(dk.draw(circuit, *circuit.args, view="both"), "07_sum_times_both.svg")

routing = dk.programs.log_sin_max
t = dk.trace(routing)(*routing.args)
d1, d2, d3 = t.pull_back(1.0)
a1, a2, a3 = routing.args
predict("max(x2, x3) at (3, 1): what is the derivative by x3?", d3)
print(t.adjoint_table())
assert d3 == 0.0
assert np.isclose(d2, 2 * np.log(a1 + np.sin(a1)))
assert np.isclose(d1, 2 * a2 * (1 + np.cos(a1)) / (a1 + np.sin(a1)))
save(dk.draw(routing, *routing.args, view="both"), "07_log_sin_max_both.svg")

# %% [markdown]
# **Subtlety.** The sweep goes up, so it needs values from the way down: memory grows with the length of
# the program, where forward mode can drop a row after its last use. Lesson 09 trades that memory for time.

# %% [markdown]
# ## Exercises
#
# Copy `exercises/07_reverse_mode_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/07_reverse_mode.py YOUR_FILE`:
#
# 1. `two_outputs`: its VJP; the product has two users.
# 2. `log_sin_max`: the circuit above, by all three inputs.
