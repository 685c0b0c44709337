"""Expression swell: what is wrong with symbolic differentiation

Goals: continue the lecture's table from 4 rows to 10,000; see that the swell lies in writing the tree out and
not in the calculus; tell exponential from quadratic growth.
Before: 01_by_hand. 30 minutes.
"""

# %% [markdown]
# # Expression swell
#
# **Problem.** The logistic map l(1) = x, l(n+1) = 4 l(n) (1 - l(n)) is three lines of code. Written
# out, its derivative fills pages.

# %%
import numpy as np
import sympy

import diffkit as dk
from diffkit.comparison.growth import growth
from diffkit.lessons import fast, predict, save

factored = dk.symbolic.swell(
    "logistic map, factored", 4, measures=["expression", "derivative", "simplified"], seconds=20
)
print(factored)

# %% [markdown]
# Those are the lecture's four rows. The fourth, as SymPy's `diff` writes it, with what is written more than
# once in colour; and the third iterate as the tree that it is on paper, beside the graph that shares.

# %%
symbol = sympy.Symbol("x", real=True)
row_4 = dk.draw_text(sympy.diff(dk.programs.logistic_map.with_(length=4).expression, symbol))
save(row_4, "02_row_4.svg")
save(dk.draw(dk.programs.logistic_map.with_(length=3).expression, view="both"), "02_tree_and_graph.svg")
print(f"row 4: {len(row_4.text)} characters; its repeated parts, the longest first: {row_4.repeated[:2]}")

# %% [markdown]
# How large is what SymPy's own `diff` writes of them, and of the next?

# %%
last = 6 if fast() else 10
table = growth("logistic_map", last, measures=["tree", "sympy", "forward", "reverse", "cse"])
by_sympy = dict(zip(table["n"], table["sympy.diff tree"], strict=True))
written = [by_sympy[n] for n in range(3, last + 1)]
times = round(written[2] / written[1], 1)
predict("sympy.diff writes 44 and 166 nodes for n = 3 and 4. How many times 166 for n = 5?", times)
assert written[:3] == [44, 166, 530]
print(table.select("n", "f tree", "sympy.diff tree", "forward tree", "forward DAG", "CSE after", "trace"))

# %% [markdown]
# **Idea.** Count the nodes of the *tree* and of the *graph* in which equal parts are shared. The tree more
# than doubles with every row. The graph grows by nine nodes a row, for ever. The calculus is the same;
# what swells is the writing out.

# %%
n = np.arange(2, last + 1)
tree, graph = np.array(table["forward tree"][1:]), np.array(table["forward DAG"][1:])
assert np.array_equal(tree, (4 * n - 5) * 2**n + 1)
assert np.array_equal(graph, 9 * n - 8)
print(f"forward mode: (4n - 5) 2^n + 1 nodes as a tree, 9n - 8 as a graph, for all n up to {last}")

# %% [markdown]
# ## To 10,000
#
# Over the graph nothing is written out, so counting goes on. The tree of the 10,000th derivative would
# have more than 10³⁰⁰⁰ nodes; there are about 10⁸⁰ atoms to write it with.

# %%
rows = [10, 100, 1000] if fast() else [10, 100, 1000, 10_000]
deep = growth("logistic_map", rows, measures=["tree", "forward", "reverse"])
predict(
    "As a graph: 10, 19, 28 nodes for n = 2, 3, 4. How many for 1000?", deep["forward DAG"][rows.index(1000)]
)
print(deep.select("n", "f tree", "forward tree", "forward DAG", "reverse tree", "reverse DAG", "trace"))
assert deep["forward tree"][-1] > (10**3000 if rows[-1] == 10_000 else 10**300)
assert deep["forward DAG"] == [9 * k - 8 for k in rows]
assert deep["forward tree"] == [(4 * k - 5) * 2**k + 1 for k in rows]
assert deep["trace"] == [3 * k - 2 for k in rows]
save(
    dk.plots.swell_curve(
        growth("logistic_map", 40, measures=["forward", "reverse"]),
        title="The derivative of the logistic map's n-th iterate",
        columns=["reverse tree", "forward tree", "forward DAG", "trace"],
    ),
    "02_logistic_map.svg",
)

# %% [markdown]
# **Rule.** Differentiating over the shared graph *is* automatic differentiation, forward or reverse (Laue,
# 2019): a trace is a graph that was never a tree. The trace's derivative and the formula's are equal.

# %%
program = dk.programs.logistic_map.with_(length=6)
formula = sympy.diff(program.expression, sympy.Symbol("x", real=True))
exact = formula.subs(sympy.Symbol("x", real=True), sympy.Rational(1, 5))
assert np.isclose(dk.grad(program)(0.2), float(exact), rtol=1e-12)

# %% [markdown]
# ## Soft ReLU: one layer, two, many
#
# log(1 + exp(w y + b)), nested. Slides show it as a second example of exponential swell. Is it?

# %%
layers = growth("soft_relu", 4 if fast() else 9, measures=["derivative", "sympy", "forward"])
predict("Soft ReLU nested k times: does the tree of its derivative grow exponentially?", "no, like k²")
print(layers)
k = np.array(layers["n"][1:]) - 1
assert np.array_equal(np.array(layers["sympy.diff tree"][1:]), 12 * k**2 + 8 * k - 2)

# %% [markdown]
# **Subtlety.** It is quadratic, since each layer uses the one below *once*. The logistic map uses l(n)
# twice, and that doubles the tree. Swell needs reuse. It is reuse, too, that makes sharing worth while.

# %%
x = sympy.Symbol("x")
once = dk.symbolic.swell(lambda f: f.sin(), [10, 20], measures=["forward"])
twice = dk.symbolic.swell(lambda f: f * f.sin(), [10, 20], measures=["forward"])
growth_once = once["forward tree"][1] / once["forward tree"][0]
growth_twice = twice["forward tree"][1] / twice["forward tree"][0]
print(f"from n = 10 to 20: sin f grows {growth_once:.1f} times, f sin f {growth_twice:,.0f} times")
assert growth_once < 5
assert growth_twice > 1000

# %% [markdown]
# ## Common subexpressions: after or before?
#
# A tool that swells can look for equal parts afterwards. It finds many, but not those that flattening
# tore apart; before differentiating, they are all still there.

# %%
cse = dk.symbolic.swell(
    "logistic map", 6 if fast() else 10, measures=["cse", "cse before", "forward"], seconds=20
)
print(cse)
after, before = cse["CSE after"][-1], cse["CSE before"][-1]
predict("CSE before differentiating: fewer operations, as many, or more than after it?", "fewer", "less")
print(f"operations at n = {cse['n'][-1]}: {after} with CSE after differentiating, {before} before")
assert before < after

# %% [markdown]
# ## Exercises
#
# Copy `exercises/02_expression_swell_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/02_expression_swell.py YOUR_FILE`:
#
# 1. `Logistic`: the map and its derivative by one loop, for any length, and no formula.
# 2. `soft_relu`: nested to any depth, by w (used in every layer) and by x.
