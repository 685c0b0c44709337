"""Trace-based differentiation beside autograd, PyTorch, micrograd and the gradient written by hand.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/test_autodiff.py --benchmark-only

Each group is one task, done by all who can and are installed; each contender's answer is checked
against diffkit's. The table at the end has the ratios: how many times as long as diffkit each takes,
by the shortest of its rounds, which other work on the machine disturbs least.
"""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

import diffkit as dk

X0 = 0.3
ROUNDS = 30


# -- the tasks, in whatever namespace of functions -------------------------------------------------------


def chain(xp):
    """999 scalar operations."""

    def program(x):
        for _ in range(333):
            x = xp.sin(x) * 1.01 + 0.1
        return x

    return program


def broyden(xp):
    """Broyden's tridiagonal function: More, Garbow and Hillstrom (1981), number 30."""

    def program(x):
        y = (3.0 - 2.0 * x) * x + 1.0
        return xp.concatenate([y[:1] - 2.0 * x[1:2], y[1:-1] - x[:-2] - 2.0 * x[2:], y[-1:] - x[-2:-1]])

    return program


def chain_by_hand(x):
    slope = 1.0
    for _ in range(333):
        slope *= math.cos(x) * 1.01
        x = math.sin(x) * 1.01 + 0.1
    return slope


def logistic(xp=None):
    """The logistic map, 1,000 steps of three operations."""

    def program(x):
        for _ in range(1000):
            x = 4.0 * x * (1.0 - x)
        return x

    return program


def logistic_by_hand(x):
    slope = 1.0
    for _ in range(1000):
        slope *= 4.0 - 8.0 * x
        x = 4.0 * x * (1.0 - x)
    return slope


def network(xp):
    """784-16-16-10, ReLU, softmax and cross entropy; samples are columns."""

    def loss(W1, W2, W3, x, y):
        h = xp.maximum(W1 @ x, 0.0)
        h = xp.maximum(W2 @ h, 0.0)
        z = W3 @ h
        m = xp.max(z, axis=0, keepdims=True)
        log_sum = xp.log(xp.sum(xp.exp(z - m), axis=0, keepdims=True)) + m
        return -xp.sum(y * (z - log_sum)) / x.shape[1]

    return loss


def network_by_hand(W1, W2, W3, x, y):
    a1 = W1 @ x
    a2 = W2 @ np.maximum(a1, 0.0)
    z = W3 @ np.maximum(a2, 0.0)
    m = np.max(z, axis=0, keepdims=True)
    e = np.exp(z - m)
    s = np.sum(e, axis=0, keepdims=True)
    loss = -np.sum(y * (z - np.log(s) - m)) / x.shape[1]
    dz = (e / s - y) / x.shape[1]
    d2 = (W3.T @ dz) * (a2 > 0)
    d1 = (W2.T @ d2) * (a1 > 0)
    return loss, d1 @ x.T


def network_inputs(batch):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(s) * 0.1 for s in ((16, 784), (16, 16), (10, 16))]
    labels = np.eye(10)[:, rng.integers(0, 10, batch)]
    return [*weights, rng.standard_normal((784, batch)), labels]


def layers(xp):
    """A map of 40 variables to 40."""
    M = np.random.default_rng(1).standard_normal((40, 40)) / 6

    def program(x):
        for _ in range(5):
            x = xp.tanh(xp.dot(M, x))
        return x

    return program


# -- the contenders --------------------------------------------------------------------------------------


def by_diffkit(operator, program, *args, **options):
    derivative = getattr(dk, operator)(program(np), **options)
    return lambda: derivative(*args)


def by_autograd(operator, program, *args):
    autograd = pytest.importorskip("autograd")
    derivative = getattr(autograd, operator)(program(importlib.import_module("autograd.numpy")))
    return lambda: derivative(*args)


def torch_functions():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)

    class Functions:
        sin, exp, log = torch.sin, torch.exp, torch.log
        maximum = staticmethod(lambda a, b: torch.clamp(a, min=b))
        max = staticmethod(lambda a, axis, keepdims: torch.amax(a, axis, keepdims))
        sum = staticmethod(lambda a, axis=None, keepdims=False: torch.sum(a, axis, keepdims))

    return torch, Functions


def by_torch(program, *args):
    torch, functions = torch_functions()
    f = program(functions)
    rest = [torch.as_tensor(a) for a in args[1:]]

    def gradient():
        x = torch.tensor(args[0], requires_grad=True)
        f(x, *rest).backward()
        return x.grad.numpy()

    return gradient


def by_micrograd(program):
    engine = pytest.importorskip("micrograd.engine")

    class Value(engine.Value):
        """micrograd's, with the two things that it lacks: sin, and a sort that does not recurse."""

        __slots__ = ()
        __hash__ = object.__hash__

        def backward(self):
            order, seen, stack = [], set(), [(self, False)]
            while stack:
                node, done = stack.pop()
                if done:
                    order.append(node)
                elif node not in seen:
                    seen.add(node)
                    stack.append((node, True))
                    stack.extend((child, False) for child in node._prev)
            self.grad = 1
            for node in reversed(order):
                node._backward()

    class Functions:
        @staticmethod
        def sin(x):
            out = engine.Value(math.sin(x.data), (x,), "sin")

            def backward():
                x.grad += math.cos(x.data) * out.grad

            out._backward = backward
            return out

    f = program(Functions)

    def gradient():
        x = engine.Value(X0)
        Value.backward(f(x))
        return x.grad

    return gradient


def tasks():
    """(group, contender, what makes the function to time)."""
    for name, program, hand in (
        ("chain", chain, chain_by_hand),
        ("logistic map", logistic, logistic_by_hand),
    ):
        group = f"gradient of the {name}"
        yield group, "diffkit", lambda p=program: by_diffkit("grad", p, X0)
        yield group, "autograd", lambda p=program: by_autograd("grad", p, X0)
        yield group, "PyTorch", lambda p=program: by_torch(p, X0)
        yield group, "micrograd", lambda p=program: by_micrograd(p)
        yield group, "by hand", lambda h=hand: lambda: h(X0)
    for batch in (1, 128):
        group = f"network, batch {batch}"
        args = network_inputs(batch)
        yield group, "diffkit", lambda a=args: by_diffkit("value_and_grad", network, *a)
        yield group, "autograd", lambda a=args: by_autograd("value_and_grad", network, *a)
        yield group, "PyTorch", lambda a=args: by_torch(network, *a)
        yield group, "by hand", lambda a=args: lambda: network_by_hand(*a)
    group = "second derivative of the chain"
    yield group, "diffkit", lambda: by_diffkit("deriv", lambda xp: dk.grad(chain(xp)), X0)
    yield (
        group,
        "diffkit, reverse over reverse",
        lambda: by_diffkit("grad", lambda xp: dk.grad(chain(xp)), X0),
    )
    yield (
        group,
        "autograd",
        lambda: by_autograd("grad", lambda xp: importlib.import_module("autograd").grad(chain(xp)), X0),
    )
    group = "forward mode on the chain"
    yield group, "diffkit", lambda: by_diffkit("deriv", chain, X0)
    yield group, "autograd", lambda: by_autograd("deriv", chain, X0)
    point = np.linspace(-1, 1, 40)
    group = "Jacobian, 40 by 40"
    yield group, "diffkit", lambda: by_diffkit("jacobian", layers, point)
    yield group, "diffkit, forward", lambda: by_diffkit("jacobian", layers, point, mode="forward")
    yield group, "autograd", lambda: by_autograd("jacobian", layers, point)
    point = np.linspace(-1, 1, 400)
    group = "Jacobian, tridiagonal, 400 by 400"
    yield group, "diffkit", lambda: by_diffkit("jacobian", broyden, point, sparse=True)
    yield group, "diffkit, dense", lambda: by_diffkit("jacobian", broyden, point)


TASKS = list(tasks())


# -- the run ---------------------------------------------------------------------------------------------


def gradient_of(answer):
    """The derivative in an answer that may be (value, gradient)."""
    return np.asarray(answer[-1] if isinstance(answer, tuple) else answer, dtype=float)


@pytest.fixture(scope="module")
def shortest(request):
    """The shortest time by group and contender; printed as ratios when all have run."""
    times = {}
    yield times
    lines = ["", "times as long as diffkit (and microseconds)"]
    for group, found in times.items():
        lines.append(f"{group}:")
        own = found.get("diffkit")
        lines += [f"  {who:32s}{t / own:9.2f}  {1e6 * t:10.0f}" for who, t in found.items() if own]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n".join(lines))


@pytest.mark.parametrize(
    ("group", "contender", "make"), TASKS, ids=[f"{g}-{c}".replace(" ", "_") for g, c, _ in TASKS]
)
def test_time(benchmark, shortest, group, contender, make):
    benchmark.group = group
    run = make()
    expected = gradient_of(next(m for g, c, m in TASKS if (g, c) == (group, "diffkit"))()())
    np.testing.assert_allclose(gradient_of(run()), expected, rtol=1e-8, atol=1e-10)
    benchmark.pedantic(run, rounds=ROUNDS, iterations=1, warmup_rounds=2)
    shortest.setdefault(group, {})[contender] = benchmark.stats.stats.min
