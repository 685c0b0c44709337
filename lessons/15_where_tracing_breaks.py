"""Where tracing breaks: the digits that a program loses, and derivatives of the wrong function

Goals: see which row of a program loses the digits; write it so that it does not; know the programs whose
derivative by tracing is exact, and still not the one that was meant.
Before: 04_finite_differences, 05_wengert_list, 07_reverse_mode. 30 minutes.
"""

# %% [markdown]
# # Where tracing breaks
#
# **Problem.** "Automatic differentiation is exact and numerically stable", says a slide. It has no step h and
# no truncation error. But it runs on floats, and it differentiates the *program*, row by row.

# %%
import numpy as np

import diffkit as dk
from diffkit.lessons import predict, save


def quotient(x):
    """(1 - cos x) / x², which is near 1/2 for small x."""
    return (1 - np.cos(x)) / x**2


x = 1e-8
comparison = dk.compare(quotient, x, times=False)
reverse, central = comparison["reverse mode"].error, comparison["central difference"].error
predict(
    "d/dx (1 - cos x)/x² at 1e-8 by reverse mode. How many digits are right?",
    comparison["reverse mode"].digits,
)
print(f"reverse mode: {comparison['reverse mode'].value[0, 0]:.3g}, truth: {comparison.reference[0, 0]:.3g}")
assert reverse > 1e16
assert reverse > 1e6 * central  # the difference that we were warned of is better here, by luck of its step

# %% [markdown]
# **Idea.** Beside each row put the value that it would have without any rounding. A row *makes* an error by
# rounding its own answer, it *receives* errors with its arguments, and it *passes them on*, larger by its
# **condition number**. A subtraction of nearly equal numbers makes no error at all, but its condition number
# is their size over the size of the difference.

# %%
result = dk.accuracy(quotient, x)
print(result.table.select("row", "operation", "value", "digits", "made", "received", "condition", "effect"))
made, passed = result.value.named, result.value.amplifier
predict("Which operation's rounding loses the digits?", made.operation)
predict("Which operation makes that error large?", passed.operation)
assert (made.operation, passed.operation) == ("cos", "subtract")
assert made.made < 2.0**-53  # half a unit in the last place: cos did all it could
assert passed.made == 0.0
assert passed.condition > 1e16
save(result.draw(), "15_digits_lost.svg")

# %% [markdown]
# **Rule.** Which row costs the result its digits is found in two ways. By experiment: leave out the rounding
# of one row after the other, and see how far the result moves (the column "effect"). By one reverse sweep: it
# moves by the row's adjoint times what the row made. They agree, and the sweep costs as much as a gradient.

# %%
assert result.value.named_to_first_order.index == made.index
assert np.isclose(made.first_order, made.effect, rtol=1e-6)


def half_angles(x):
    """The same function: 1 - cos x = 2 sin²(x/2) has no subtraction."""
    return 0.5 * (np.sin(x / 2) / (x / 2)) ** 2


stable = dk.accuracy(half_angles, x)
print(f"value: error {result.value_error:.0e} as written first, {stable.value_error:.0e} by half angles")
assert result.value_error == 1.0
assert stable.value_error < 1e-15

# %% [markdown]
# A stable program for the value is not yet one for the derivative, which is a program of its own. Here the
# adjoint program subtracts: (cos u)/u - (sin u)/u² with u = x/2.

# %%
row = stable.derivative.amplifier
print(f"derivative by half angles: error {stable.errors[0, 0]:.0e}")
if row is not None:
    print(f"{row.operation} has the condition number {row.condition:.0e}")
assert stable.errors[0, 0] > 1e3 * stable.value_error
assert stable.errors[0, 0] < result.errors[0, 0]

# %% [markdown]
# ## Overflow
#
# The sigmoid, the soft ReLU and logsumexp are finite everywhere, their programs are not: at 1000, exp is inf,
# and the sweep divides inf by inf. In fifty digits there is no overflow, and the derivative is 1.

# %%
plain = dk.accuracy(lambda z: np.log(1 + np.exp(z)), 1000.0)
careful = dk.accuracy(lambda z: np.logaddexp(0.0, z), 1000.0)
print(plain.notes[0])
predict("d/dz log(1 + exp z) at 1000 by tracing?", float(plain.jacobian[0, 0]))
assert np.isnan(plain.jacobian[0, 0])
assert plain.reference[0, 0] == careful.jacobian[0, 0] == 1.0


# %% [markdown]
# ## Exact, and not what was meant
#
# The trace holds the rows of one run. A branch that is taken at one point only, the rule at a tie, and a loop
# that stops when the *value* has settled are in no row.


# %%
def identity_but(x):
    """x, with a special case that agrees with it."""
    return 0.0 if x == 0 else x


def root(a):
    """The root of a by an iteration that halves the error, until the square is near."""
    y = 1.0
    while abs(y * y - a) > 1e-5:
        y = y - (y * y - a) / 4
    return y


branch, tie, loop = dk.accuracy(identity_but, 0.0), dk.accuracy(np.abs, 0.0), dk.accuracy(root, 2.0)
predict("The derivative of identity_but at 0 by tracing? It is the function x.", float(branch.jacobian[0, 0]))
print(*branch.notes, *tie.notes, *loop.notes, sep="\n")
assert branch.jacobian[0, 0] == 0.0
assert branch.reference[0, 0] == 1.0
assert tie.jacobian[0, 0] == 0.0
assert np.isnan(tie.reference[0, 0])

value, slope = root(2.0), loop.jacobian[0, 0]
value_error, slope_error = abs(value / np.sqrt(2) - 1), abs(slope * 2 * np.sqrt(2) - 1)
print(f"root: value off by {value_error:.0e}, derivative by {slope_error:.0e}")
assert slope_error > 3 * value_error  # it converges too, but later

# %% [markdown]
# **Subtlety.** Fifty digits can't see the last one: the derivative of the *program* is right to the last bit,
# in floats as in fifty digits; the program is not the root. What shows it is the tangent of the quantity
# that the loop looks at. And a function may be ill-conditioned itself: then no program saves the digits.

# %%
steep = dk.accuracy(lambda x: np.tan(x), 1.5707963)
print(f"tan near pi/2: condition number {steep.conditions[0, 0]:.1e}, error {steep.value_error:.0e}")
assert steep.conditions[0, 0] > 1e7
assert steep.value_error < 1e-15  # of tan at this float; another float in its last place is far away

# %% [markdown]
# ## Exercises
#
# Copy `exercises/15_where_tracing_breaks_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/15_where_tracing_breaks.py YOUR_FILE`:
#
# 1. `soft_plus`: its VJP, which must hold at z = 800, too.
# 2. `root`: the VJP of the root itself, from the answer, with no loop.
