"""Reuse: total against partial derivatives, and the bug of = for +=

Goals: tell a total from a partial derivative; see why contributions add up where a value fans out; recognise
the commonest bug of hand-written backpropagation by its numbers.
Before: 07_reverse_mode. 20 minutes.
"""

# %% [markdown]
# # Reuse
#
# **Problem.** a = x², b = 5a, c = a b. What is the derivative of c by a?

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save

x = 1.5
a = x**2
b = 5 * a

# %% [markdown]
# **Idea.** Two answers, for two questions. Hold b still: the *partial* derivative is b = 5a. Let b follow
# a, as in the program it does: the *total* derivative is 10a. An adjoint is a total derivative.

# %%
program = dk.programs.reuse.with_(last="product")
t = dk.trace(program)(x)
total = t.adjoints(1.0)[t.names.index("a")]
predict(f"a = {a}, and c = a b with b = 5a. What is the adjoint of a?", total)
assert np.isclose(total, 10 * a)
partial = dk.grad(lambda a, b: a * b)(a, b)
assert np.isclose(partial, 5 * a)
print(f"partial {partial}, total {total}")
save(dk.draw(program, x, view="both"), "08_product_both.svg")

# %% [markdown]
# **Rule.** The multivariable chain rule sums over all paths: f(y, z) with y = 2x and z = exp x has df/dx
# = f_y y' + f_z z'. In the graph, each use of x sends a message back along its edge, and x adds them up.
#
# $$\frac{df}{dx} = \frac{\partial f}{\partial y} y' + \frac{\partial f}{\partial z} z'$$

# %%
total_derivative = dk.programs.total_derivative
(x0,) = total_derivative.args
t = dk.trace(total_derivative)(x0)
y, z = 2 * x0, np.exp(x0)
messages = [z**2 * 2, 2 * y * z * np.exp(x0)]
print(f"messages to x: {messages[0]:.6f} and {messages[1]:.6f}, sum {sum(messages):.6f}")
assert np.isclose(t.pull_back(1.0), sum(messages), rtol=1e-14)
adjoint = t.adjoint()
to_x = [c for c in adjoint.contributions if c.target == 0]
assert len(to_x) == 2
assert np.allclose(sorted(c.value.value for c in to_x), sorted(messages))

# %% [markdown]
# ## A longer chain of reuse
#
# a = x², b = 5a, c = log a, g = b c, L = -g: a is used twice.

# %%
program = dk.programs.reuse
t = dk.trace(program)(x)
to_a = [c for c in t.adjoint().contributions if c.target == t.names.index("a")]
predict("How many messages come to a = x², when everything after it is known?", len(to_a))
assert len(to_a) == 2
print(t.adjoint_table())
c, g_bar = np.log(a), -1.0
a_bar = g_bar * c * 5 + g_bar * b / a
assert np.isclose(t.adjoints(1.0)[t.names.index("a")], a_bar)
assert np.isclose(t.pull_back(1.0), a_bar * 2 * x)
save(dk.draw(program, x, view="both"), "08_reuse_both.svg")

# %% [markdown]
# ## The bug
#
# Written by hand, the backward pass has a line for each use. Two assignments to one adjoint, with `=`
# where `+=` is meant, keep only the last message.


# %%
def backward(x, accumulate: bool):
    """The backward pass of a = x², b = 5a, c = a b, with the bug or without."""
    a = x**2
    b = 5 * a
    c_bar = 1.0
    a_bar = c_bar * b  # from c = a b
    b_bar = c_bar * a
    if accumulate:
        a_bar += 5 * b_bar  # from b = 5a
    else:
        a_bar = 5 * b_bar  # the bug: the first message is lost
    return a_bar * 2 * x


right, wrong = backward(x, True), backward(x, False)
expected = dk.grad(dk.programs.reuse.with_(last="product"))(x)
predict("With the bug, the gradient is what fraction of the right one here?", wrong / right)
assert np.isclose(right, expected)
assert np.isclose(wrong / right, 0.5)

# %% [markdown]
# **Subtlety.** Where nothing is reused the bug does not show, so a test on a chain of layers passes. A
# test must have fan-out; `dk.grading` puts it into every check of a student's engine. A repeated operand
# is fan-out too: x * x has two edges from x.

# %%
assert dk.grad(lambda x: x * x)(3.0) == 6.0
assert len(dk.trace(lambda x: x * x)(3.0).nodes[-1].parents) == 2

# %% [markdown]
# ## Exercises
#
# Copy `exercises/08_reuse_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/08_reuse.py YOUR_FILE`:
#
# 1. `reuse`: the chain above, forward and backward.
# 2. `total_derivative`: two messages to x.
# 3. `gram`: XᵀX, the same matrix as both operands.
# 4. `gather`: x[indices], where indices may repeat.
