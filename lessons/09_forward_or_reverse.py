"""Forward or reverse: what a derivative costs, in operations, time and memory

Goals: count the operations of both sweeps; see cost grow with inputs in one mode and with outputs in the
other; see what the reverse sweep keeps, and trade it for time.
Before: 06_forward_mode, 07_reverse_mode. 25 minutes.
"""

# %% [markdown]
# # Forward or reverse
#
# **Problem.** Both modes are exact. Which should we take?

# %%
import time
import tracemalloc

import numpy as np

import diffkit as dk
from diffkit.lessons import fast, predict, save

rng = np.random.default_rng(9)

# %% [markdown]
# **Idea.** One forward sweep gives a *column* of the Jacobian, one reverse sweep a *row*. For f: R^n ->
# R^m that is n sweeps against m. A sweep does a small multiple of the operations of f, whatever n and m
# are.

# %%
for name in ("log_sigmoid_sum", "normal_log_density", "two_layer_linear"):
    program = dk.programs.get(name)
    t = dk.trace(program)(*program.args)
    operations = len(t) - len(t.inputs)
    adjoint = t.adjoint()
    extra = len(adjoint) - len(t) - 1  # the seed is an input
    print(f"{name}: {operations} operations, {extra} more for all {len(t.inputs)} derivatives in reverse")
    assert extra <= 4 * operations

# %% [markdown]
# **Rule** (the cheap gradient principle, Baur and Strassen 1983). A gradient costs at most a constant
# times the function: at most 4 times its additions and multiplications. Measure it for the Helmholtz
# energy:


# %%
def seconds(run, repeats: int = 3 if fast() else 9) -> float:
    """The least time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


sizes = [1, 4, 16, 64] if fast() else [1, 4, 16, 64, 256]
f = dk.programs.helmholtz
curves = {"forward mode": [], "reverse mode": [], "central differences": []}
for n in sizes:
    x = np.full(n, 0.5 / n)
    one = seconds(lambda x=x: f(x))
    curves["forward mode"].append(seconds(lambda x=x: dk.jacobian(f, mode="forward")(x)) / one)
    curves["reverse mode"].append(seconds(lambda x=x: dk.grad(f)(x)) / one)
    curves["central differences"].append(seconds(lambda x=x: dk.finite.gradient(f, x, h=1e-6)) / one)
rows = [[n, *(round(curve[k], 1) for curve in curves.values())] for k, n in enumerate(sizes)]
print(dk.Table(["n", *curves], rows, caption="Time of the Helmholtz gradient, as a multiple of f"))
save(dk.plots.cost_curve(sizes, curves, title="The Helmholtz gradient in n variables"), "09_cost.svg")
assert curves["reverse mode"][-1] < curves["forward mode"][-1]
assert curves["reverse mode"][-1] < curves["central differences"][-1]

# %% [markdown]
# **Many outputs** turn the tables: a curve in the plane through m points has one input.

# %%
m = 200
curve = lambda s: np.sin(s * np.arange(1.0, m + 1))  # noqa: E731
ratio = seconds(lambda: dk.jacobian(curve, mode="reverse")(0.3)) / seconds(
    lambda: dk.jacobian(curve, mode="forward")(0.3)
)
predict("One input, 200 outputs: which mode is the cheaper one?", "forward")
print(f"reverse takes {ratio:.0f} times as long as forward")
assert ratio > 1

# %% [markdown]
# ## Memory
#
# The reverse sweep needs values from the way down, so all that a rule reads must be kept until then:
# memory grows with the length of the program. Forward mode could throw each row away.

# %%
length, width = (40, 10_000) if fast() else (200, 20_000)
start = rng.normal(size=width)


def layer(x):
    """Five operations on a vector."""
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


g1, g2 = dk.grad(network)(start), dk.grad(checkpointed)(start)
assert np.array_equal(g1, g2)
plain, saved = peak(lambda: dk.grad(network)(start)), peak(lambda: dk.grad(checkpointed)(start))
slower = seconds(lambda: dk.grad(checkpointed)(start)) / seconds(lambda: dk.grad(network)(start))
print(f"peak memory {plain / 2**20:.0f} MiB, with checkpoints {saved / 2**20:.0f} MiB")
print(f"with checkpoints it takes {slower:.2f} times as long")
assert saved < plain / 2

# %% [markdown]
# **Subtlety.** Checkpointing computes each segment twice, so it costs about one more evaluation of f.
# With segments within segments, memory and time both grow with the logarithm of the length (Griewank,
# 1992).
