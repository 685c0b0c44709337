"""Forward or reverse: what a derivative costs, in operations, time and memory

Goals: count the operations of both sweeps; see cost grow with inputs in one mode and with outputs in the
other; see what the reverse sweep keeps, and trade it for time.
Before: 06_forward_mode, 07_reverse_mode. 25 minutes.
"""

# %% [markdown]
# # Forward or reverse
#
# **Problem.** Both modes have no error but that of rounding, which lesson 15 measures. Which should we take?

# %%
import tracemalloc

import numpy as np

import diffkit as dk
from diffkit.lessons import fast, predict, save, seconds

rng = np.random.default_rng(9)

# %% [markdown]
# **Idea.** One forward sweep gives a *column* of the Jacobian, one reverse sweep a *row*. For f: R^n ->
# R^m that is n sweeps against m. A sweep does a small multiple of the operations of f, whatever n and m
# are. A sweep can be traced like any program, so we can count what it does to tangents or adjoints; the
# local derivatives that it multiplies by are numbers by then.


# %%
def operations(t: dk.Trace) -> int:
    """The rows of a trace that compute something."""
    return len(t) - len(t.inputs)


def of_one_sweep(t: dk.Trace) -> dict[str, int]:
    """The operations of one sweep over a trace, beside those of the program."""
    down = dk.trace(lambda *tangents: t.push_forward(*tangents))(*np.ones(len(t.inputs)))
    up = dk.trace(lambda cotangent: t.pull_back(cotangent))(1.0)
    return {"forward": operations(down), "reverse": operations(up)}


for name in ("log_sigmoid", "log_sigmoid_sum", "normal_log_density"):
    program = dk.programs.get(name)
    t = dk.trace(program)(*program.args)
    sweep = of_one_sweep(t)
    print(f"{name}: {operations(t)} operations, a sweep: {sweep}, inputs: {len(t.inputs)}")
    assert max(sweep.values()) <= 4 * operations(t)

# %% [markdown]
# **Rule** (the cheap gradient principle, Baur and Strassen 1983). The operations for all derivatives of
# one output are at most a constant times those of the function, however many inputs it has. A neuron's
# loss with n weights:


# %%
def neuron(*weights):
    """-log sigma(w . x), written out in numbers."""
    z = 0.0
    for k, w in enumerate(weights, start=1):
        z = z + 0.01 * k * w
    return -np.log(1 / (1 + np.exp(-z)))


sizes = [1, 4, 16, 64, 256]
curves = {"central differences": [], "forward mode": [], "reverse mode": []}
for n in sizes:
    t = dk.trace(neuron)(*np.full(n, 0.1))
    sweep = of_one_sweep(t)
    curves["central differences"].append(1.0 + 2.0 * n)
    curves["forward mode"].append(1.0 + n * sweep["forward"] / operations(t))
    curves["reverse mode"].append(1.0 + sweep["reverse"] / operations(t))
times = round(curves["reverse mode"][-1], 2)
predict("256 weights: f and its gradient by reverse mode, as a multiple of f's operations?", times)
rows = [[n, *(round(curve[k], 2) for curve in curves.values())] for k, n in enumerate(sizes)]
print(dk.Table(["n", *curves], rows, caption="Operations for f and its gradient, as a multiple of f's"))
assert max(curves["reverse mode"]) <= 2
assert curves["forward mode"][-1] > 200
title, ylabel = "A neuron's loss and its gradient in n weights", "operations / operations of f"
save(dk.plots.cost_curve(sizes, curves, title=title, ylabel=ylabel), "09_cost.svg")

# %% [markdown]
# **Many outputs** turn the tables: a path of m points, each computed from the last, has one input. A reverse
# sweep from each point walks back to the start.


# %%
def path(s, m):
    """s, sin(s + 0.1), sin(sin(s + 0.1) + 0.1), ...: m points after the start."""
    points = []
    for _ in range(m):
        s = np.sin(s + 0.1)
        points.append(s)
    return points


m = 100
t = dk.trace(path)(0.3, m=m)
forward = operations(dk.trace(lambda tangent: t.push_forward(tangent))(1.0))
ends = [dk.trace(lambda s, k=k: path(s, k)[-1])(0.3) for k in range(1, m + 1)]
reverse = sum(of_one_sweep(end)["reverse"] for end in ends)
predict("One input, 100 points: forward takes 100 operations. And reverse?", reverse)
assert forward == m
assert reverse == m * (m + 1) // 2

# %% [markdown]
# **Measured.** In time, too, with the Helmholtz energy, whose operations are on whole vectors. A sweep in
# Python costs more than its operations: each has to be looked up and called.

# %%
f = dk.programs.helmholtz
methods = [lambda x: dk.finite.gradient(f, x, h=1e-6), dk.jacobian(f, mode="forward"), dk.grad(f)]
rows = []
for n in [4, 16, 64]:
    x = np.full(n, 0.5 / n)
    one, *times = [seconds(lambda g=g, x=x: g(x)) for g in [f, *methods]]
    rows.append([n, *(round(t / one, 1) for t in times)])
print(dk.Table(["n", *curves], rows, caption="Time of the Helmholtz gradient, as a multiple of f's"))
assert rows[-1][3] < rows[-1][2]

# %% [markdown]
# ## Memory
#
# The reverse sweep needs values from the way down, so all that a rule reads must be kept until then:
# memory grows with the length of the program. Forward mode could throw each row away.

# %%
length, width = (64, 5_000) if fast() else (200, 20_000)
start, evaluated = rng.normal(size=width), 0


def layer(x):
    """Five operations on a vector."""
    global evaluated
    evaluated += 1
    return np.tanh(1.01 * x + 0.1 * np.sin(x))


def network(x):
    """Layers one after the other, and a sum."""
    for _ in range(length):
        x = layer(x)
    return np.sum(x)


segment = int(np.sqrt(length))


def run_segment(x):
    """About sqrt(length) layers."""
    for _ in range(segment):
        x = layer(x)
    return x


def checkpointed(x):
    """The same network, which keeps only what stands between segments."""
    for _ in range(length // segment):
        x = dk.checkpoint(run_segment)(x)
    for _ in range(length % segment):
        x = layer(x)
    return np.sum(x)


def peak(run) -> int:
    """The most bytes that a run held at once."""
    tracemalloc.start()
    run()
    bytes_held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return bytes_held


g1, once = dk.grad(network)(start), evaluated
g2, again = dk.grad(checkpointed)(start), evaluated - once
assert np.array_equal(g1, g2)
assert once == length
assert again <= 2 * length
plain, saved = peak(lambda: dk.grad(network)(start)), peak(lambda: dk.grad(checkpointed)(start))
slower = seconds(lambda: dk.grad(checkpointed)(start), 3) / seconds(lambda: dk.grad(network)(start), 3)
predict(f"{length} layers in segments of {segment}. How many times less memory?", round(plain / saved))
print(
    f"peak memory {plain / 2**20:.0f} MiB; checkpoints: {saved / 2**20:.0f}, in {slower:.2f} times the time"
)
assert saved < plain / 2

# %% [markdown]
# **Subtlety.** Checkpointing computes each segment twice, so it costs up to one more evaluation of f.
# With segments within segments, memory and time both grow with the logarithm of the length (Griewank,
# 1992).

# %% [markdown]
# ## Exercises
#
# Copy `exercises/09_forward_or_reverse_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/09_forward_or_reverse.py YOUR_FILE`:
#
# 1. `curve`: one input, many outputs, in the mode that suits it.
# 2. `energy`: many inputs, one output.
# 3. `layers`: forward and backward, with every third value kept.
