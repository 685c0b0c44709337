"""Training: from a density's graph to a classifier of digits

Goals: draw the graph of a loss; fit a logistic regression by its gradient; train a network of two ReLU layers
on pictures of digits to 94 % and more; check gradients before trusting them.
Before: 07_reverse_mode, 11_vjps_not_jacobians. 30 minutes, seconds to run.
"""

# %% [markdown]
# # Training
#
# **Problem.** Everything so far computed derivatives. What for?

# %%
import itertools

import numpy as np

import diffkit as dk
from diffkit.lessons import digits, predict, save

rng = np.random.default_rng(14)

# %% [markdown]
# ## A density
#
# The negative log density of a normal, a loss in its mean and scale: fitting it to data is the simplest
# training there is.

# %%
density = dk.programs.normal_log_density
save(dk.draw(density, *density.args, view="both"), "14_normal_log_density.svg")
data = rng.normal(3.0, 0.5, size=200)
loss = lambda p: np.mean(density(data, p["m"], p["s"]))  # noqa: E731
p = {"m": 0.0, "s": 2.0}
for _ in range(400):
    g = dk.grad(loss)(p)
    p = {name: p[name] - 0.05 * g[name] for name in p}
print(f"mean {p['m']:.4f} (data {data.mean():.4f}), scale {p['s']:.4f} (data {data.std():.4f})")
assert np.isclose(p["m"], data.mean(), atol=1e-3)
assert np.isclose(p["s"], data.std(), atol=1e-3)

# %% [markdown]
# ## Logistic regression
#
# **Idea.** Follow the negative gradient. Before that, check it.

# %%
w, X, y = dk.programs.logistic_regression.args
dk.check_grads(lambda w: dk.programs.logistic_regression(w, X, y))(w)
before = dk.programs.logistic_regression(w, X, y)
for _ in range(100):
    w = w - 0.1 * dk.grad(dk.programs.logistic_regression)(w, X, y)
after = dk.programs.logistic_regression(w, X, y)
predict(f"The negative log likelihood is {before:.2f}. After 100 steps, is it below a fifth of that?", "yes")
print(f"after 100 steps: {after:.2f}")
assert after < before / 5

# %% [markdown]
# ## Digits
#
# 1797 pictures of 8 by 8 pixels (of the UCI repository), two hidden ReLU layers of 16, softmax over ten
# digits, cross entropy. The program is `dk.programs.digit_classifier`; a fifth of the pictures is held
# out.

# %%
pictures, labels = digits()
assert pictures.shape == (1797, 8 * 8)
pictures = pictures / 16.0
order = rng.permutation(len(labels))
held_out, training = order[: len(order) // 5], order[len(order) // 5 :]
classifier = dk.programs.digit_classifier
sizes = [64, 16, 16, 10]
parameters = []
for n, m in itertools.pairwise(sizes):
    parameters += [rng.normal(0.0, np.sqrt(2.0 / n), (m, n)), np.zeros(m)]
by = tuple(range(6))

batch = training[:5]
dk.check_grads(lambda *p: classifier(*p, pictures[batch], labels[batch]), order=1)(*parameters)


def accuracy(parameters, which) -> float:
    """The share of pictures whose largest output is the right digit."""
    W1, b1, W2, b2, W3, b3 = parameters
    h = np.maximum(pictures[which] @ W1.T + b1, 0.0)
    h = np.maximum(h @ W2.T + b2, 0.0)
    return float(np.mean(np.argmax(h @ W3.T + b3, axis=1) == labels[which]))


# %% [markdown]
# **Rule.** Stochastic gradient descent with momentum: a step against the gradient of a few pictures,
# with a part of the last step added.

# %%
epochs, size, rate, momentum = 60, 32, 0.1, 0.9
velocity = [np.zeros_like(p) for p in parameters]
value_and_gradient = dk.value_and_grad(classifier, by)
curve = []
for _ in range(epochs):
    rng.shuffle(training)
    losses = []
    for k in range(0, len(training), size):
        batch = training[k : k + size]
        value, gradient = value_and_gradient(*parameters, pictures[batch], labels[batch])
        velocity = [momentum * v - rate * g for v, g in zip(velocity, gradient, strict=True)]
        parameters = [p + v for p, v in zip(parameters, velocity, strict=True)]
        losses.append(value)
    curve.append(float(np.mean(losses)))
    rate *= 0.96
score = accuracy(parameters, held_out)
predict("What percentage of the held-out pictures will it get right?", round(100 * score))
print(f"{epochs} epochs: loss {curve[-1]:.4f}, held out {100 * score:.1f} % right")

# %% [markdown]
# **Subtlety.** A wrong gradient often still trains, only worse. That is why it is checked against
# something that is not a gradient, and why the training curve is no test.

# %%
save(
    dk.plots.loss_curve(curve, title="Digits: the loss on the training pictures", ylabel="cross entropy"),
    "14_loss.svg",
)
save(
    dk.plots.image_grid(
        parameters[0].reshape(-1, 8, 8), title="What the first layer looks for", scale="weight"
    ),
    "14_weights.svg",
)
assert score >= 0.94
assert curve[-1] < curve[0] / 10

# %% [markdown]
# ## Exercises
#
# Copy `exercises/14_training_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/14_training.py YOUR_FILE`:
#
# 1. `layer`: max(X Wᵀ + b, 0), forward and backward.
# 2. `cross_entropy`: of logits, without overflow.
# 3. `dropout`: with its mask given.
