"""Programs as other people write them, their gradients by every tool that is installed: one table.

    OMP_NUM_THREADS=1 python tests/benchmarks/yardsticks.py [rounds] [name ...]

Written anew from public definitions: the objectives of ADBench (mixture, bundle adjustment, LSTM; Srajer,
Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools", 2018), evals of GradBench
(llsq, lse, det, kmeans, ode; its ``saddle`` and ``particle`` are in ``test_nested.py``), and shapes of
program that autograd's users write. One text runs under NumPy, autograd's NumPy, JAX's and PyTorch.

The tools take turns, one thread each, in double precision; every gradient is checked against autograd's. A
cell is how many times as fast as autograd a tool is: the median over the rounds of their times in one round.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

import diffkit as dk

RNG = np.random.default_rng(1)
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}
"""By name: the program, which is given a NumPy-like module first, and its arguments; the first is
differentiated by."""


def yardstick(*args: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a program with its arguments."""

    def register(f: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[f.__name__] = f, args
        return f

    return register


def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
    """Random numbers, the same in each run."""
    return scale * RNG.standard_normal(shape)


def logsumexp(xp: Any, x: Any, axis: int) -> Any:
    """The logarithm of a sum of exponentials along an axis."""
    top = xp.amax(x, axis=axis, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.amax(x, axis=axis)


# -- ADBench ----------------------------------------------------------------------------------------------


@yardstick(normal(10 + 10 * 4 + 10 * 4), normal(200, 4))
def gmm(xp, w, x):
    """The log-likelihood of a mixture of 10 normal distributions with variances of their own."""
    weights, means, scales = w[:10], w[10:50].reshape(10, 4), w[50:].reshape(10, 4)
    apart = (x[:, None, :] - means[None]) * xp.exp(scales)[None]
    inner = weights[None] + xp.sum(scales, axis=1)[None] - 0.5 * xp.sum(apart**2, axis=2)
    wishart = 0.5 * xp.sum(xp.exp(scales) ** 2) - xp.sum(scales)
    return xp.sum(logsumexp(xp, inner, 1)) - 200.0 * logsumexp(xp, weights, 0) + wishart


@yardstick(
    np.array([0.1, 0.2, -0.1, 0.3, -0.2, 4.0, 1.2, 0.1, -0.1, 0.01, 0.02]), normal(3, 50), normal(2, 50)
)
def ba(xp, camera, points, seen):
    """How far 50 points, projected by a camera with distortion, are from where they were seen."""
    turn, centre, focal, shift, k = camera[:3], camera[3:6], camera[6], camera[7:9], camera[9:]
    angle = xp.sqrt(xp.sum(turn**2))
    axis, moved = turn / angle, points - centre[:, None]
    cross = xp.stack(
        [
            axis[1] * moved[2] - axis[2] * moved[1],
            axis[2] * moved[0] - axis[0] * moved[2],
            axis[0] * moved[1] - axis[1] * moved[0],
        ]
    )
    along = (axis @ moved) * (1.0 - xp.cos(angle))
    p = moved * xp.cos(angle) + cross * xp.sin(angle) + axis[:, None] * along[None]
    flat = p[:2] / p[2]
    radius = xp.sum(flat**2, axis=0)
    error = focal * flat * (1.0 + k[0] * radius + k[1] * radius**2) + shift[:, None] - seen
    return 0.5 * xp.sum(error**2)


@yardstick(normal(4 * 8 * 17, scale=0.3), normal(20, 8))
def lstm(xp, w, text):
    """The loss of a cell of 8 with four gates over a text of 20, each of which predicts the next."""
    gates = w.reshape(32, 17)
    h, c, loss = text[0] * 0.0, text[0] * 0.0, 0.0
    for now, then in itertools.pairwise(text):
        z = gates[:, :8] @ now + gates[:, 8:16] @ h + gates[:, 16]
        forget, keep, out = (1.0 / (1.0 + xp.exp(-z[k : k + 8])) for k in (0, 8, 16))
        c = forget * c + keep * xp.tanh(z[24:])
        h = out * xp.tanh(c)
        loss = loss + logsumexp(xp, h, 0) - xp.sum(h * then)
    return loss


# -- GradBench --------------------------------------------------------------------------------------------


@yardstick(
    normal(32), np.linspace(-1.0, 1.0, 1024)[:, None] ** np.arange(32), np.sign(np.linspace(-1, 1, 1024))
)
def llsq(xp, w, powers, target):
    """Least squares: a polynomial through a step."""
    return 0.5 * xp.sum((target - powers @ w) ** 2)


@yardstick(normal(1000))
def lse(xp, x):
    """The logarithm of the sum of 1000 exponentials."""
    return logsumexp(xp, x, 0)


@yardstick(normal(20, 20) + 4.0 * np.eye(20))
def det(xp, a):
    """A determinant, by its logarithm."""
    return xp.linalg.slogdet(a)[1]


@yardstick(normal(10, 4), normal(500, 4))
def kmeans(xp, centres, points):
    """The sum of squared distances from the nearest of 10 centres."""
    return xp.sum(xp.amin(xp.sum((points[:, None] - centres[None]) ** 2, axis=2), axis=1))


@yardstick(np.array([[0.0, -0.4, 0.1], [0.3, 0.0, -0.2], [0.1, 0.1, -0.3]]), np.array([1.0, 0.5, 0.7]))
def ode(xp, coupling, start):
    """The end of 20 steps by Runge and Kutta's method, of three species that feed on one another."""

    def slope(y):
        return y * (coupling @ y + 0.1)

    y, step = start, 0.05
    for _ in range(20):
        a = slope(y)
        b = slope(y + 0.5 * step * a)
        c = slope(y + 0.5 * step * b)
        d = slope(y + step * c)
        y = y + step / 6.0 * (a + 2.0 * b + 2.0 * c + d)
    return xp.sum(y**2)


# -- as autograd's users write ----------------------------------------------------------------------------


@yardstick(normal(5 + 25 + 5), normal(40))
def hmm(xp, w, seen):
    """The likelihood of a hidden Markov chain of 5 states over 40 normal observations."""
    start, move, means = w[:5], w[5:30].reshape(5, 5), w[30:]
    move = move - logsumexp(xp, move, 1)[:, None]
    alpha = start - logsumexp(xp, start, 0) - 0.5 * (seen[0] - means) ** 2
    for y in seen[1:]:
        alpha = logsumexp(xp, alpha[:, None] + move, 0) - 0.5 * (y - means) ** 2
    return logsumexp(xp, alpha, 0)


@yardstick(np.array([0.1, -0.3, 0.2]), np.sort(RNG.uniform(0.0, 5.0, 40)), normal(40), np.eye(40))
def gaussian_process(xp, w, x, y, one):
    """The marginal likelihood of a Gaussian process, by Cholesky's factor."""
    apart = (x[:, None] - x[None]) ** 2
    k = xp.exp(w[0]) * xp.exp(-0.5 * xp.exp(w[1]) * apart) + (xp.exp(w[2]) + 1e-3) * one
    factor = xp.linalg.cholesky(k)
    alpha = xp.linalg.solve(factor, y[:, None])
    return 0.5 * xp.sum(alpha**2) + xp.sum(xp.log(xp.sum(factor * one, axis=1)))


@yardstick(normal(30, 2), normal(30, 5), np.eye(30))
def gplvm(xp, latent, y, one):
    """Latent variables of a Gaussian process: by all pairs of 30 points in the plane."""
    apart = xp.sum((latent[:, None] - latent[None]) ** 2, axis=2)
    factor = xp.linalg.cholesky(xp.exp(-0.5 * apart) + 0.1 * one)
    inner = xp.linalg.solve(factor, y)
    return (
        0.5 * xp.sum(inner**2) + 5.0 * xp.sum(xp.log(xp.sum(factor * one, axis=1))) + 0.5 * xp.sum(latent**2)
    )


@yardstick(normal(6, 3, 3, scale=0.3), normal(4, 14, 14), normal(6, scale=0.1))
def convolution(xp, kernels, images, bias):
    """Six 3 x 3 kernels over four images, as nine shifted products, a maximum and a sum of squares."""
    out = bias[None, :, None, None] + 0.0 * images[:, None, :12, :12]
    for i in range(3):
        for j in range(3):
            out = out + kernels[None, :, i, j, None, None] * images[:, None, i : i + 12, j : j + 12]
    return xp.sum(xp.where(out > 0.0, out, 0.0 * out) ** 2)


@yardstick(normal(10 * 10 + 10 * 4 + 10, scale=0.3), normal(25, 3, 4), normal(3, 10))
def rnn(xp, w, words, target):
    """A recurrent network of 10 over three sequences of 25."""
    again, read, bias = w[:100].reshape(10, 10), w[100:140].reshape(4, 10), w[140:]
    h = target * 0.0
    for word in words:
        h = xp.tanh(h @ again + word @ read + bias)
    return xp.sum((h - target) ** 2)


@yardstick(normal(20 * 12 + 12 * 4 + 2 * 12 + 12 * 20, scale=0.2), normal(16, 20), normal(16, 2))
def vae(xp, w, x, noise):
    """A variational autoencoder 20-12-2-12-20: its evidence bound on 16 pictures."""
    hidden = xp.tanh(x @ w[:240].reshape(20, 12))
    code = hidden @ w[240:288].reshape(12, 4)
    mean, log_scale = code[:, :2], code[:, 2:]
    z = mean + xp.exp(log_scale) * noise
    shown = xp.tanh(z @ w[288:312].reshape(2, 12)) @ w[312:].reshape(12, 20)
    apart = 0.5 * xp.sum((shown - x) ** 2)
    return apart + 0.5 * xp.sum(mean**2 + xp.exp(2.0 * log_scale) - 1.0 - 2.0 * log_scale)


@yardstick(normal(4, 4) + 2.0 * np.eye(4), normal(200, 4))
def ica(xp, unmix, x):
    """Independent components: the likelihood of unmixed signals with heavy tails."""
    s = x @ unmix
    return xp.sum(xp.log(xp.cosh(s))) - 200.0 * xp.linalg.slogdet(unmix)[1]


@yardstick(
    normal(2 * 51, scale=0.3), normal(10, 51), np.linspace(-2.0, 2.0, 20), np.sin(np.linspace(-2.0, 2.0, 20))
)
def bnn(xp, w, noise, x, y):
    """A Bayesian network 1-17-1: the evidence bound by ten draws of its weights."""
    mean, log_scale = w[:51], w[51:]
    loss = -xp.sum(log_scale)
    for draw in noise:
        v = mean + xp.exp(log_scale) * draw
        out = xp.tanh(x[:, None] * v[None, :17] + v[None, 17:34]) @ v[34:]
        loss = loss + 0.1 * (5.0 * xp.sum((out - y) ** 2) + 0.5 * xp.sum(v**2))
    return loss


# -- the tools --------------------------------------------------------------------------------------------


def contenders(f: Callable[..., Any], args: tuple[Any, ...]) -> dict[str, Callable[[], Any]]:
    """The gradient by each tool, as a function without arguments; autograd's first."""
    import autograd
    import autograd.numpy as anp

    def program(*given: Any) -> Any:
        return f(np, *given)

    found: dict[str, Callable[[], Any]] = {}
    by_autograd = autograd.grad(lambda *given: f(anp, *given))
    traced, compiled = dk.grad(program), dk.compile(dk.grad(program))
    found["autograd"] = lambda: by_autograd(*args)
    found["traced"] = lambda: traced(*args)
    found["compiled"] = lambda: compiled(*args)
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        tensors = [torch.tensor(a) for a in args]

        def by_torch() -> Any:
            w = tensors[0].clone().requires_grad_(True)
            f(torch, w, *tensors[1:]).backward()
            return w.grad.numpy()

        found["PyTorch"] = by_torch
    if importlib.util.find_spec("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        jitted = jax.jit(jax.grad(lambda *given: f(jax.numpy, *given)))
        found["JAX, jit"] = lambda: np.asarray(jitted(*args))
    return found


def seconds(run: Callable[[], Any], count: int) -> float:
    """The least processor time of a call, of a few: what else runs on the machine counts little."""
    best = float("inf")
    for _ in range(count):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def measured(name: str, rounds: int) -> dict[str, float]:
    """Each tool's speed beside autograd's, and autograd's time in microseconds."""
    tools = contenders(*PROGRAMS[name])
    expected = tools["autograd"]()
    for tool, run in list(tools.items()):
        try:
            np.testing.assert_allclose(run(), expected, rtol=1e-6, atol=1e-8)
        except AssertionError:
            raise AssertionError(f"{name} by {tool}") from None
        run()
    times: dict[str, list[float]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, run in tools.items():
            times[tool].append(seconds(run, 5))
    ratios = {
        tool: statistics.median(a / b for a, b in zip(times["autograd"], own, strict=True))
        for tool, own in times.items()
    }
    return {**ratios, "autograd": 1e6 * min(times["autograd"])}


def main(rounds: int, names: list[str]) -> None:
    """Prints the table, and what of it meets which goal."""
    rows = {name: measured(name, rounds) for name in names}
    tools = [tool for tool in next(iter(rows.values())) if tool != "autograd"]
    print(f"| program | autograd, µs | {' | '.join(tools)} |")
    print(f"| --- | --- |{' --- |' * len(tools)}")
    for name, row in rows.items():
        print(f"| {name} | {row['autograd']:.0f} | {' | '.join(f'{row[tool]:.2f}' for tool in tools)} |")
    medians = [statistics.median(row[tool] for row in rows.values()) for tool in tools]
    print(f"| median | | {' | '.join(f'{m:.2f}' for m in medians)} |")
    slow = [name for name, row in rows.items() if row["traced"] < 1.5]
    behind = [name for name, row in rows.items() if row["traced"] < row.get("PyTorch", 0.0)]
    print(f"\ntraced below 1.5 times autograd: {', '.join(slow) or 'none'}")
    print(f"traced behind PyTorch: {len(behind)} of {len(rows)}: {', '.join(behind) or 'none'}")


if __name__ == "__main__":
    given = sys.argv[1:]
    count = int(given.pop(0)) if given and given[0].isdigit() else 15
    main(count, given or list(PROGRAMS))
