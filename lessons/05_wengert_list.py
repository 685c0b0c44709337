"""The Wengert list: a program as a sequence of primitive operations

Goals: trace a neuron; read its evaluation table and its graph; replay the list on other inputs and on
symbols.
Before: 03_programs_not_formulas. 20 minutes.
"""

# %% [markdown]
# # The Wengert list
#
# **Problem.** The chain rule is about compositions of functions that we know how to differentiate. A
# program is text. What, exactly, is composed?

# %%
import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import predict, save

logarithm = dk.programs.log_product
t = dk.trace(logarithm)(*logarithm.args)
steps = [row.fun.name for row in t.nodes[2:]]
predict("log(a b) at (2, 3): which operations, in which order?", steps)
assert steps == ["multiply", "log"]
assert t.value == np.log(6.0)

# %% [markdown]
# **Idea.** Run it once on given numbers and write down every primitive operation in the order in which it
# happens: one row, one operation, one new name (Wengert, 1964). Loops and branches are gone: what is left
# is straight-line. A neuron with five inputs:

# %%
neuron = dk.programs.sigmoid_neuron
t = dk.trace(neuron)(*neuron.args)
predict(f"{neuron.summary}: how many operations?", len(t) - len(t.inputs))
print(t.primal_table())
assert len(t) - len(t.inputs) == 8
assert [row.fun.name for row in t.nodes[5:]] == [
    "multiply", "multiply", "add", "add", "negative", "exp", "add", "divide",
]  # fmt: skip
assert np.isclose(t.value, 0.7310585786300049, rtol=1e-15)

# %% [markdown]
# The graph is the same list, drawn: a node a row, an edge for each use of a value.

# %%
save(dk.draw(t), "05_sigmoid_neuron.svg")

# %% [markdown]
# **Rule.** A row has `value, fun, args, kwargs, parents`. The rows are in the order of computation, so
# every row stands after what it needs. That is a *topological order*, and nobody had to sort.

# %%
for row in t.nodes:
    assert all(parent.index < row.index for parent in row.parents)
last = t.nodes[-1]
print(f"{last.fun.name} of {[p.value for p in last.parents]} is {last.value:.6f}; written at {last.site}")

# %% [markdown]
# ## The list is a program
#
# It can be replayed: on other numbers, and on symbols. The SymPy expression is a trace replayed on
# symbols.

# %%
others = (1.0, 2.0, -0.5, 1.0, 0.25)
assert t.replay(*others) == neuron(*others)
symbols = sympy.symbols("w0 x0 w1 x1 w2", real=True)
expression = t.to_sympy(*symbols)
print(expression)
assert sympy.simplify(expression - neuron.expression) == 0

# %% [markdown]
# Printed as source, it runs as it stands.

# %%
source = t.source()
print(source)
namespace = {}
exec(source, namespace)
function = next(v for k, v in namespace.items() if callable(v) and not k.startswith("_"))
assert function(*neuron.args) == t.value

# %% [markdown]
# **Subtlety.** The list belongs to one run. Where the program asked for a value (`if`, `while`, an index)
# the trace took one path, and says so in `decisions`. And it belongs to its inputs' shapes, not to their
# values.

# %%
clipped = dk.trace(lambda x: x if x < 1 else x * 0 + 1)(0.5)
assert [d.value for d in clipped.decisions] == [True]
assert t.decisions == []

# %% [markdown]
# ## Exercises
#
# Copy `exercises/05_wengert_list_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/05_wengert_list.py YOUR_FILE`:
#
# 1. `Divide` and `Maximum`: what a row must know, its local partial derivatives.
# 2. `neuron`: the program above, a row a line, and its way back.
