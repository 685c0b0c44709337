"""The order of products: why reverse mode goes backward

Goals: count the multiplications of a chain of matrices in both orders; see that forward and reverse mode
are those two orders; know when each is the cheaper one.
Before: 06_forward_mode, 07_reverse_mode. 20 minutes.
"""

# %% [markdown]
# # The order of products
#
# **Problem.** A network is a composition f = f3 ∘ f2 ∘ f1, so its Jacobian is a product of matrices,
# J = J3 J2 J1. Matrix multiplication is associative: every order gives the same product. Does every
# order take the same work?

# %%
import itertools

import numpy as np

import diffkit as dk
from diffkit.lessons import fast, predict, save, seconds

rng = np.random.default_rng(10)

# %% [markdown]
# **Idea.** An (m, k) matrix times a (k, n) matrix takes m k n multiplications. Let us count a chain for a
# loss: the sizes go from n inputs through layers of the same size to one output.


# %%
def multiplications(sizes: list[int], order: str) -> int:
    """Scalar multiplications in J_k ... J_2 J_1, where J_i is (sizes[i], sizes[i - 1])."""
    if order == "forward":  # (J3 (J2 J1)): from the input on, so every product has n = sizes[0] columns
        return sum(m * k * sizes[0] for k, m in itertools.pairwise(sizes[1:]))
    # ((J3 J2) J1): from the output on, so every product has m = sizes[-1] rows
    return sum(sizes[-1] * m * k for k, m in itertools.pairwise(sizes[:-1]))


sizes = [1000, 1000, 1000, 1]
forward = multiplications(sizes, "forward")
reverse = multiplications(sizes, "reverse")
times = forward / reverse
predict("1000 inputs, two layers of 1000, one output: forward takes how many times the work?", times)
print(f"forward {forward:,}, reverse {reverse:,}: {times:.1f} times")
assert (forward, reverse) == (1_001_000_000, 2_000_000)

# %% [markdown]
# **Rule.** With one output, going backward keeps a row *vector*: each step is a vector times a matrix.
# Going forward multiplies whole matrices. With one input it is the other way round.

# %%
table = dk.Table(
    ["sizes, input first", "forward", "reverse", "cheaper"],
    [
        [" → ".join(map(str, s)), f := multiplications(s, "forward"), r := multiplications(s, "reverse"),
         "forward" if f < r else "reverse" if r < f else "either"]
        for s in ([1, 100, 100, 100], [100, 100, 100, 1], [100, 100, 100, 100], [784, 16, 16, 10])
    ],
    caption="Multiplications in a product of three Jacobians",
)  # fmt: skip
print(table)
assert table["cheaper"] == ["forward", "reverse", "either", "reverse"]

# %% [markdown]
# The smallest case, z = v . (W x): by x, reverse mode takes (v W), a vector times a matrix, and no matrix
# product at all.

# %%
linear = dk.programs.two_layer_linear
W, x, v = linear.args
assert np.array_equal(dk.grad(linear, 1)(W, x, v), v @ W)
adjoint = dk.trace(lambda x: linear(W, x, v))(x).adjoint()
predict("The adjoint program of v . (W x) by x: what are the dimensions of its largest result?", 1)
assert max(np.ndim(row.value) for row in adjoint.nodes) == 1

# %% [markdown]
# **Measured.** Counting is not timing: a large matrix product runs at a higher rate than a matrix times
# a vector, because it does more arithmetic per number fetched from memory. So the ratio of times is
# usually smaller than that of counts, but it is there.

# %%
n = 300 if fast() else 1000
J1, J2, J3 = rng.normal(size=(n, n)), rng.normal(size=(n, n)), rng.normal(size=(1, n))
assert np.allclose(J3 @ (J2 @ J1), (J3 @ J2) @ J1)
ratio = seconds(lambda: J3 @ (J2 @ J1)) / seconds(lambda: (J3 @ J2) @ J1)
print(f"n = {n}: forward takes {ratio:.0f} times as long as reverse")
assert ratio > 1

# %% [markdown]
# **Subtlety.** Neither extreme order need be the best: with a narrow layer in the middle, start there.
# To find the best order of a general *graph* is NP-complete (Naumann, 2008); for a chain, dynamic
# programming does it. Tools offer the two extremes, and mixtures by hand, such as forward over reverse
# for Hessians.


# %%
def best(sizes: list[int]) -> int:
    """The fewest multiplications over all orders, by dynamic programming over sub-chains."""
    count = len(sizes) - 1
    least = {(i, i): 0 for i in range(count)}
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            j = i + length - 1
            least[i, j] = min(
                least[i, k] + least[k + 1, j] + sizes[j + 1] * sizes[k + 1] * sizes[i] for k in range(i, j)
            )
    return least[0, count - 1]


chain = [200, 200, 1, 200, 200]
counts = {"forward": multiplications(chain, "forward"), "reverse": multiplications(chain, "reverse")}
predict(f"A bottleneck, {chain}: forward and reverse take {counts['forward']:,}. The best?", best(chain))
assert counts["forward"] == counts["reverse"] == 8_080_000
assert best(chain) == 120_000
assert min(counts.values()) > 60 * best(chain)
widths = [1, 2, 5, 10, 20, 50, 100, 200]
curves = {"forward": [], "reverse": [], "the best order": []}
for width in widths:
    sizes = [200, 200, width, 200, 200]
    curves["forward"].append(float(multiplications(sizes, "forward")))
    curves["reverse"].append(float(multiplications(sizes, "reverse")))
    curves["the best order"].append(float(best(sizes)))
save(
    dk.plots.cost_curve(
        widths,
        curves,
        title="A chain of Jacobians through a bottleneck",
        xlabel="width",
        ylabel="multiplications",
    ),
    "10_bottleneck.svg",
)

# %% [markdown]
# diffkit's `jacobian` makes the same choice from the shapes, and takes `mode=` to overrule it.

# %%
A = rng.normal(size=(3, 40))
for mode in ("forward", "reverse"):
    assert np.allclose(dk.jacobian(lambda x: np.tanh(A @ x), mode=mode)(np.zeros(40)), A)

# %% [markdown]
# ## Exercises
#
# Copy `exercises/10_order_of_products_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/10_order_of_products.py YOUR_FILE`:
#
# 1. `two_layer_linear`: v . (W x), by W, x and v.
# 2. `network`: C tanh(B tanh(A x)), without a product of two matrices.
