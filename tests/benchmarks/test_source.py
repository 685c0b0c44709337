"""Value and gradient: compiled by diffkit, and by hand, autograd, PyTorch and JAX, in one run.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/test_source.py --benchmark-only --benchmark-columns=min,median

Each group is one program at one size; the ratios to ``by_hand`` within a group are what is worth reading.
By hand means: the forward pass and the backward pass as one would write them with NumPy, or with ``math``
for the scalar programs. All contenders are asserted to agree before they are timed. The first calls
(tracing, emission, compilation) are timed in groups of their own.
"""

from __future__ import annotations

import functools
import math
import time

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.code.passes import apply_passes
from diffkit.autodiff.code.program import program_of
from diffkit.autodiff.code.source import trace_source
from diffkit.autodiff.compiled.compile import COMPILED, Compiled
from diffkit.containers import flatten

# -- the programs, in any library's functions -------------------------------------------------------------


def network(np, parameters, X, Y):
    """784-16-16-10, rectified, softmax and cross entropy: the loss."""
    (W1, b1), (W2, b2), (W3, b3) = parameters
    h1 = np.maximum(X @ W1 + b1, 0.0)
    h2 = np.maximum(h1 @ W2 + b2, 0.0)
    z = h2 @ W3 + b3
    shifted = z - np.max(z, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(Y * log_p) / X.shape[0]


def network_by_hand(parameters, X, Y):
    (W1, b1), (W2, b2), (W3, b3) = parameters
    a1 = X @ W1
    a1 += b1
    h1 = np.maximum(a1, 0.0)
    a2 = h1 @ W2
    a2 += b2
    h2 = np.maximum(a2, 0.0)
    z = h2 @ W3
    z += b3
    z -= z.max(axis=1, keepdims=True)
    dz = np.exp(z)
    total = dz.sum(axis=1, keepdims=True)
    n = len(X)
    loss = -(Y * (z - np.log(total))).sum() / n
    dz /= total
    dz -= Y
    dz /= n
    da2 = dz @ W3.T
    da2 *= a2 > 0
    da1 = da2 @ W2.T
    da1 *= a1 > 0
    return loss, [(X.T @ da1, da1.sum(axis=0)), (h1.T @ da2, da2.sum(axis=0)), (h2.T @ dz, dz.sum(axis=0))]


def chain(np, x):
    """999 operations."""
    for _ in range(333):
        x = np.sin(x) * 1.01 + 0.1
    return x


def chain_by_hand(x):
    sin, cos = math.sin, math.cos
    points = []
    for _ in range(333):
        points.append(x)
        x = sin(x) * 1.01 + 0.1
    g = 1.0
    for p in reversed(points):
        g *= 1.01 * cos(p)
    return x, g


def logistic(np, x):
    """1,000 steps of the logistic map."""
    for _ in range(1000):
        x = 4.0 * x * (1.0 - x)
    return x


def logistic_by_hand(x):
    points = []
    for _ in range(1000):
        points.append(x)
        x = 4.0 * x * (1.0 - x)
    g = 1.0
    for p in reversed(points):
        g *= 4.0 - 8.0 * p
    return x, g


ROOT2, ROOT8 = math.sqrt(2.0), math.sqrt(8.0)


def helmholtz(np, x, A, b):
    """The Helmholtz energy of a mixture (Baydin et al. 2018, section 5), RT = 1."""
    bx = b @ x
    ideal = np.sum(x * np.log(x / (1.0 - bx)))
    return ideal - x @ A @ x / (ROOT8 * bx) * np.log((1.0 + (1.0 + ROOT2) * bx) / (1.0 + (1.0 - ROOT2) * bx))


def helmholtz_by_hand(x, A, b):
    bx = b @ x
    free = 1.0 - bx
    logs = np.log(x / free)
    Ax = A @ x
    up, down = 1.0 + (1.0 + ROOT2) * bx, 1.0 + (1.0 - ROOT2) * bx
    log_ratio = math.log(up / down)
    k = x @ Ax / (ROOT8 * bx)
    by_bx = x.sum() / free + k / bx * log_ratio - k * ((1.0 + ROOT2) / up - (1.0 - ROOT2) / down)
    return x @ logs - k * log_ratio, logs + 1.0 + b * by_bx - (Ax + x @ A) * (log_ratio / (ROOT8 * bx))


def _network_arguments(batch):
    rng = np.random.default_rng(0)
    sizes = ((784, 16), (16, 16), (16, 10))
    parameters = [(rng.normal(size=s) * math.sqrt(2.0 / s[0]), np.zeros(s[1])) for s in sizes]
    return parameters, rng.uniform(size=(batch, 784)), np.eye(10)[rng.integers(10, size=batch)]


def _helmholtz_arguments(n):
    i = np.arange(n)
    return np.full(n, 0.5 / n), 1.0 / (i[:, None] + i + 1.0), np.full(n, 1.0 / n)


TASKS = {
    "network 784-16-16-10, batch 1": (network, network_by_hand, functools.partial(_network_arguments, 1)),
    "network 784-16-16-10, batch 128": (network, network_by_hand, functools.partial(_network_arguments, 128)),
    "chain of 999 operations": (chain, chain_by_hand, lambda: (0.2,)),
    "logistic map, 1,000 steps": (logistic, logistic_by_hand, lambda: (0.2,)),
    **{
        f"Helmholtz gradient, n = {n}": (
            helmholtz,
            helmholtz_by_hand,
            functools.partial(_helmholtz_arguments, n),
        )
        for n in (1, 10, 100, 1000)
    },
}


# -- the contenders: each makes a function without arguments, and what reads its gradient ----------------


def by_hand(f, hand, args):
    return lambda: hand(*args)


def by_diffkit_compiled(f, hand, args):
    compiled = dk.compile(dk.value_and_grad(functools.partial(f, np)))
    compiled(*args)
    return lambda: compiled(*args)


def by_diffkit(f, hand, args):
    both = dk.value_and_grad(functools.partial(f, np))
    return lambda: both(*args)


def by_autograd(f, hand, args):
    autograd = pytest.importorskip("autograd")
    anp = pytest.importorskip("autograd.numpy")
    both = autograd.value_and_grad(functools.partial(f, anp))
    return lambda: both(*args)


class _TorchNames:
    """PyTorch under NumPy's names, as far as the programs need them."""

    def __init__(self, torch):
        self.sin, self.exp, self.log = torch.sin, torch.exp, torch.log
        self.sum = lambda x, axis=None, keepdims=False: (
            x.sum() if axis is None else x.sum(axis, keepdim=keepdims)
        )
        self.max = lambda x, axis, keepdims: x.amax(axis, keepdim=keepdims)
        self.maximum = lambda x, y: torch.clamp(x, min=y)


def by_torch(f, hand, args):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    leaves, structure = flatten(args)
    tensors = [torch.tensor(leaf, dtype=torch.float64) for leaf in leaves]
    count = len(flatten(args[0])[0])
    inputs = [t.requires_grad_() for t in tensors[:count]]
    nested = structure.unflatten(tensors)
    names = _TorchNames(torch)

    def both():
        value = f(names, *nested)
        return value.detach(), torch.autograd.grad(value, inputs)

    return both


def by_jax_jit(f, hand, args):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    if f is logistic:  # as its users write it: unrolled, a thousand steps take half a minute to compile

        def f(_, x):
            return jax.lax.scan(lambda x, _: (4.0 * x * (1.0 - x), None), x, length=1000)[0]

    both = jax.jit(jax.value_and_grad(functools.partial(f, jax.numpy)))
    moved = jax.tree_util.tree_map(jax.numpy.asarray, args)
    return lambda: jax.block_until_ready(both(*moved))


CONTENDERS = (by_hand, by_diffkit_compiled, by_diffkit, by_autograd, by_torch, by_jax_jit)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("task", TASKS)
def test_value_and_gradient(benchmark, task, contender):
    f, hand, arguments = TASKS[task]
    args = arguments()
    run = contender(f, hand, args)
    tolerance = 1e-6 if f is logistic else 1e-8
    value, gradient = run()
    expected_value, expected_gradient = hand(*args)
    np.testing.assert_allclose(np.asarray(value), expected_value, rtol=tolerance)
    for got, expected in zip(flatten(gradient)[0], flatten(expected_gradient)[0], strict=True):
        np.testing.assert_allclose(np.asarray(got), expected, rtol=tolerance, atol=1e-12)
    benchmark.group = task
    benchmark(run)


# -- the first call, and the least that a later one takes ------------------------------------------------


def _long_chain(x, steps):
    for _ in range(steps):
        x = np.sin(x) * 1.01 + 0.1
    return x


@pytest.mark.benchmark(group="emission: microseconds a row are in extra_info")
@pytest.mark.parametrize("rows", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("what", ["source", "compiled", "compiled without CPython's compiler"])
def test_emission(benchmark, rows, what, monkeypatch):
    steps = rows // 3
    t = dk.trace(_long_chain)(0.2, steps)
    compiled = Compiled(_long_chain, 8, 10**7)
    if "without" in what:
        emission = "diffkit.autodiff.compiled.emission"
        monkeypatch.setattr(f"{emission}.compile", lambda *_: "run = None", raising=False)

    def emit():
        if what == "source":
            return trace_source(t)
        return compiled._emitted(t, 0.5)

    benchmark.pedantic(emit, rounds=3 if rows < 100_000 else 1)
    benchmark.extra_info["us_per_row"] = benchmark.stats.stats.min / len(t) * 1e6


@pytest.mark.benchmark(group="passes on 10,000 rows")
@pytest.mark.parametrize("name", COMPILED)
def test_passes(benchmark, name):
    program = program_of(dk.trace(_long_chain)(0.2, 3_333))
    benchmark.pedantic(lambda: apply_passes(program, [name]), rounds=5)


@pytest.mark.benchmark(group="overhead of a call")
@pytest.mark.parametrize("how", ["the function itself", "compiled"])
def test_overhead_of_a_call(benchmark, how):
    def f(x):
        return x + 1.0

    g = dk.compile(f) if how == "compiled" else f
    g(1.0)
    benchmark(g, 1.0)


def main() -> None:
    """The table of ratios to what is written by hand, from the fastest of interleaved rounds."""
    import warnings

    warnings.simplefilter("ignore")
    print(f"{'':34}{'by hand':>18}" + "".join(f"{c.__name__[3:]:>18}" for c in CONTENDERS[1:]))
    for task, (f, hand, arguments) in TASKS.items():
        args = arguments()
        runs = {}
        for contender in CONTENDERS:
            try:
                runs[contender] = contender(f, hand, args)
                runs[contender]()
            except (pytest.skip.Exception, ImportError):
                runs.pop(contender, None)
        best = dict.fromkeys(runs, math.inf)
        for _ in range(40):
            for contender, run in runs.items():
                count = 1 + int(0.01 / min(best[contender], 0.01))
                started = time.perf_counter()
                for _ in range(count):
                    run()
                best[contender] = min(best[contender], (time.perf_counter() - started) / count)
        ratios = [best[c] / best[by_hand] if c in best else math.nan for c in CONTENDERS]
        print(
            f"{task:34}{best[by_hand] * 1e6:15.1f} us" + "".join(f"{r:18.2f}" for r in ratios[1:]), flush=True
        )
        if by_autograd in best:
            times = best[by_autograd] / best[by_diffkit_compiled]
            print(f"{'':34}compiled is {times:.0f} times as fast as autograd")
    rows = 100_000
    for f, name in ((_long_chain, "chain"), (dk.value_and_grad(_long_chain), "chain with its gradient")):
        for steps in (rows // 30, rows // 3):
            t = dk.trace(f)(0.2, steps)
            started = time.perf_counter()
            Compiled(f, 8, 10**7)._emitted(t, t.value)
            spent = time.perf_counter() - started
            each = spent / len(t) * 1e6
            print(f"{name}, {len(t):,} rows: emitted and compiled in {spent:.2f} s, {each:.1f} us a row")


if __name__ == "__main__":
    main()
