"""Forward mode: tangents beside primals

Goals: sweep a trace downward with a tangent beside each value; see that one sweep gives one directional
derivative; meet dual numbers.
Before: 05_wengert_list. 20 minutes.
"""

# %% [markdown]
# # Forward mode
#
# **Problem.** We have the list of operations of (sin(x1 x2), x1 x2 + log x2) at (2, 3). We want its
# derivatives without a formula and without a step h: exact but for the rounding of each row, which is mostly
# harmless and sometimes fatal (lesson 15 measures where).

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

program = dk.programs.two_outputs
x1, x2 = program.args
t = dk.trace(program)(x1, x2)

# %% [markdown]
# **Idea.** Beside each value v keep its *tangent*: how fast v changes as the inputs move in a chosen
# direction. Start with the direction itself, the **seed**, and go down the list, a chain rule a row.

# %%
predict(f"a = x1 x2 at ({x1:g}, {x2:g}), seed (1, 0). The tangent of a?", t.tangents(1.0, 0.0)[2])
print(t.tangent_table(1.0, 0.0))
assert t.tangents(1.0, 0.0)[2] == x2

# %% [markdown]
# **Rule.** For a row v = φ(u, w) the tangent is φ_u times the tangent of u plus φ_w times that of w. The
# derivatives of the primitives are all that must be known beforehand.
#
# $$\dot v = \frac{\partial \varphi}{\partial u} \dot u + \frac{\partial \varphi}{\partial w} \dot w$$

# %%
by_x1 = t.push_forward(1.0, 0.0)
by_x2 = t.push_forward(0.0, 1.0)
assert np.allclose(by_x1, (x2 * np.cos(x1 * x2), x2), rtol=1e-15)
assert np.allclose(by_x2, (x1 * np.cos(x1 * x2), x1 + 1 / x2), rtol=1e-15)
predict("Two inputs, two outputs. How many forward sweeps for the whole Jacobian?", len(t.inputs))
print(t.tangent_table(0.0, 1.0))  # the other seed
J = np.column_stack([by_x1, by_x2])
print(J)
assert np.allclose(J, np.array(dk.jacobian(lambda x: np.stack(program(x[0], x[1])))(np.array([x1, x2]))))

# %% [markdown]
# Any direction costs one sweep: the tangent is *linear* in the seed.

# %%
direction = t.push_forward(0.6, -0.8)
assert np.allclose(direction, J @ [0.6, -0.8], rtol=1e-14)
save(dk.draw(t, view="tangent"), "06_tangents.svg")
save(dk.stepper(program, x1, x2, mode="forward"), "06_two_outputs.html")

# %% [markdown]
# ## Dual numbers
#
# The same sweep in one pass with the program: compute with pairs (value, tangent), where
# (a, a')(b, b') = (ab, a'b + ab'). It is arithmetic with a number ε whose square is zero.


# %%
class Dual:
    """a + a' ε with ε² = 0."""

    def __init__(self, value, tangent=0.0):
        self.value, self.tangent = value, tangent

    def __add__(self, other):
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __mul__(self, other):
        return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)

    def sin(self):
        """NumPy's sin of an object calls this."""
        return Dual(np.sin(self.value), self.tangent * np.cos(self.value))

    def log(self):
        """NumPy's log of an object calls this."""
        return Dual(np.log(self.value), self.tangent / self.value)


y1, y2 = program(Dual(x1, 1.0), Dual(x2, 0.0))
print(f"dual numbers: ({y1.tangent:.6f}, {y2.tangent:.6f})")
assert np.allclose((y1.tangent, y2.tangent), by_x1, rtol=1e-15)

# %% [markdown]
# **Subtlety.** A nested derivative has two epsilons, and they must not be confused: d/dx [x · d/dy (x +
# y)] is 1, since the inner derivative is 1 whatever x is. A tool that keeps one epsilon for both says 2
# (Siskind and Pearlmutter, 2005).

# %%
nested = dk.deriv(lambda x: x * dk.deriv(lambda y: x + y)(1.0))(3.0)
predict("d/dx [x · d/dy (x + y)] at x = 3, y = 1?", nested)
assert nested == 1.0

# %% [markdown]
# ## Exercises
#
# Copy `exercises/06_forward_mode_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/06_forward_mode.py YOUR_FILE`:
#
# 1. `two_outputs`: its JVP, a row for each row of the trace.
# 2. `normal_log_density`: the tangent of a loss, elementwise.
