"""Derivatives inside loops inside derivatives: thousands of traces of a small function.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/test_nested.py --benchmark-only --benchmark-columns=min \\
        --benchmark-timer=time.process_time

It takes minutes: ``particle`` alone asks for 59,302 inner gradients, of 73 rows each with those of the outer
trace. Both are of Siskind and Pearlmutter ("Using polyvariant union-free flow analysis to compile a
higher-order functional-programming language with a first-class derivative operator to efficient Fortran-like
code", 2008), and GradBench has them too: ``saddle`` is a minimum of a maximum; in ``particle`` one of two
charges is moved so that a particle that falls through their field lands at 0. They take their gradients from
an inner and an outer operator, each forward (F) or reverse (R); autograd does reverse over reverse.
"""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk

STEP = 1e-5
"""The first step of a descent, and what a step and a gradient must not fall below."""


def norm(v):
    return sum([a * a for a in v]) ** 0.5


def argmin(f, x, grad):
    """Gradient descent: the step doubles after ten successes and halves after a failure."""
    gradient = grad(f)
    fx, slope, successes, step = f(x), gradient(x), 0, STEP
    while norm(slope) > STEP:
        if successes == 10:
            step, successes = 2 * step, 0
            continue
        new = [a - step * b for a, b in zip(x, slope, strict=True)]
        if norm([a - b for a, b in zip(x, new, strict=True)]) <= STEP:
            break
        value = f(new)
        if value < fx:
            x, fx, slope, successes = new, value, gradient(new), successes + 1
        else:
            step, successes = step / 2, 0
    return x


def argmax(f, x, grad):
    return argmin(lambda x: -f(x), x, grad)


def saddle(inner, outer):
    """min over a of max over b of |a|^2 - |b|^2, from (1, 1) each."""

    def f(a, b):
        return (a[0] ** 2 + a[1] ** 2) - (b[0] ** 2 + b[1] ** 2)

    def worst(a):
        return f(a, argmax(lambda b: f(a, b), [1.0, 1.0], inner))

    a = argmin(worst, [1.0, 1.0], outer)
    return [*a, *argmax(lambda b: f(a, b), [1.0, 1.0], inner)]


def particle(inner, outer):
    """The control of one charge by which a particle falls on 0: Euler's method, a descent around it."""

    def landing(w):
        charges = [[10.0, 10.0 - w[0]], [10.0, 0.0]]

        def potential(x):
            return sum([1.0 / norm([a - b for a, b in zip(x, c, strict=True)]) for c in charges])

        field = inner(potential)
        x, v, step = [0.0, 8.0], [0.75, 0.0], 0.1
        while True:
            pull = field(x)
            new = [a + step * b for a, b in zip(x, v, strict=True)]
            if new[1] <= 0.0:
                return (x[0] - x[1] / v[1] * v[0]) ** 2
            x, v = new, [a - step * b for a, b in zip(v, pull, strict=True)]

    return argmin(landing, [0.0], outer)


def forward(f):
    """A gradient by one forward sweep for each number."""
    return lambda x: [dk.deriv(lambda v, k=k: f([*x[:k], v, *x[k + 1 :]]))(x[k]) for k in range(len(x))]


OPERATORS = {"F": forward, "R": dk.grad}
EXPECTED = {saddle: [8.246324826140356e-06] * 4, particle: [0.2071918746486117]}


def tasks():
    """(program, contender, inner operator, outer operator)."""
    for program in EXPECTED:
        for outer in OPERATORS:
            for inner in OPERATORS:
                yield program, f"{outer} of {inner}", OPERATORS[inner], OPERATORS[outer]
        autograd = pytest.importorskip("autograd")
        yield program, "autograd, R of R", autograd.grad, autograd.grad


TASKS = list(tasks())


@pytest.mark.parametrize(
    ("program", "contender", "inner", "outer"), TASKS, ids=[f"{p.__name__}-{c}" for p, c, _, _ in TASKS]
)
def test_time(benchmark, program, contender, inner, outer):
    benchmark.group = program.__name__
    answer = benchmark.pedantic(program, (inner, outer), rounds=1, iterations=1)
    np.testing.assert_allclose(answer, EXPECTED[program], rtol=1e-9)
