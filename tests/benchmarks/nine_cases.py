"""Nine gradients, Jacobians and Hessians, built and evaluated by diffkit and by symengine, in one run.

    OMP_NUM_THREADS=1 python tests/benchmarks/nine_cases.py

Building is differentiation and ``lambdify`` (symengine: ``diff`` and ``Lambdify(cse=True)``), from an
expression that is there. Evaluation is one call with a NumPy vector, that returns an array. Both are medians
of rounds in turn; what counts is the ratios. symengine evaluates by its own interpreter ("lambda"), and with
that the building is compared, or by machine code from LLVM where it was built with it. All values agree to
1e-9, or the run stops.
"""

from __future__ import annotations

import functools
import statistics
import time

import numpy as np
import sympy

from diffkit import symbolic
from diffkit.expressions import intern

ROUNDS, BUILDS = 15, 3


def rosenbrock(m, x):
    return [sum(100 * (x[k + 1] - x[k] ** 2) ** 2 + (1 - x[k]) ** 2 for k in range(len(x) - 1))]


def helmholtz(m, x):
    """Baydin et al., section 5: R T = 1, b and A of small integers."""
    n = len(x)
    bx = sum((1 + m.Integer(k) / n) * x[k] / 10 for k in range(n))
    xax = sum(m.Integer(1 + (j * k) % 5) / 10 * x[j] * x[k] for j in range(n) for k in range(n))
    root = m.sqrt(2)
    logs = sum(v * m.log(v / (1 - bx)) for v in x)
    return [logs - xax / (2 * root * bx) * m.log((1 + (1 + root) * bx) / (1 + (1 - root) * bx))]


def arm(m, q):
    """Where a hand at the end of six links is, each turned about another axis."""
    x, y, z = 1, 0, 0
    for k, a in enumerate(reversed(q)):
        c, s = m.cos(a), m.sin(a)
        x, y, z = (c * x - s * y, s * x + c * y, z) if k % 2 else (c * x + s * z, y, -s * x + c * z)
        x = x + 1
    return [x, y, z]


def mixture(m, x):
    """The log likelihood of 30 points under two normal distributions: weight, means, log deviations."""
    points = [m.Integer((7 * k) % 31 - 15) / 5 for k in range(30)]
    w, a, b, s, t = x
    return [
        sum(
            m.log(
                w * m.exp(-((p - a) ** 2) / (2 * m.exp(2 * s)) - s)
                + (1 - w) * m.exp(-((p - b) ** 2) / (2 * m.exp(2 * t)) - t)
            )
            for p in points
        )
    ]


def black_scholes(m, x):
    s, k, t, r, v = x
    d = (m.log(s / k) + (r + v**2 / 2) * t) / (v * m.sqrt(t))

    def normal(u):
        return (1 + m.erf(u / m.sqrt(2))) / 2

    return [s * normal(d) - k * m.exp(-r * t) * normal(d - v * m.sqrt(t))]


def determinant(m, x):
    """Of a 6 by 6 matrix, by minors, each of which is used again."""

    @functools.cache
    def minor(row, columns):
        if not columns:
            return m.Integer(1)
        return sum(
            (-1) ** k * x[6 * row + c] * minor(row + 1, columns[:k] + columns[k + 1 :])
            for k, c in enumerate(columns)
        )

    return [minor(0, tuple(range(6)))]


def soft_relu(m, x):
    a, b, u = x
    for _ in range(20):
        u = m.log(1 + m.exp(a * u + b))
    return [u]


def residual(m, p):
    """u_t - u_xx of a network of 12 hyperbolic tangents, at one point, by its 48 weights."""
    total = 0
    for k in range(12):
        a, b, c, w = p[4 * k : 4 * k + 4]
        y = m.tanh(a / 3 + b / 7 + c)
        total += w * (1 - y**2) * (b + 2 * y * a**2)
    return [total**2]


def spread(low, high, n):
    return np.linspace(low, high, n) + 0.01 * np.sin(np.arange(n))


CASES = {
    "Rosenbrock 100": (rosenbrock, spread(0.5, 1.4, 100), 1),
    "Helmholtz 20": (helmholtz, spread(0.01, 0.04, 20) ** 1.0, 1),
    "Helmholtz 50": (helmholtz, spread(0.02, 0.03, 50) / 2, 1),
    "arm of 6 links": (arm, spread(0.1, 1.4, 6), 1),
    "mixture, 30 points": (mixture, np.array([0.3, -1.0, 1.2, 0.1, -0.2]), 1),
    "Black-Scholes, Hessian": (black_scholes, np.array([100.0, 95.0, 0.7, 0.03, 0.2]), 2),
    "determinant 6 x 6": (determinant, spread(-1.0, 1.0, 36), 1),
    "soft ReLU, depth 20": (soft_relu, np.array([0.4, -0.3, 0.7]), 1),
    "residual, 12 tanh": (residual, spread(-0.8, 0.9, 48), 1),
}


def by_diffkit(f, n, order):
    xs = [intern(sympy.Symbol(f"x{k}", real=True)) for k in range(n)]
    outputs = f(sympy, xs)

    def build():
        rows = [symbolic.gradient(e, xs) for e in outputs]
        entries = [d for row in rows for d in row]
        if order == 2:
            entries += [h for d in entries for h in symbolic.gradient(d, xs)]
        return symbolic.lambdify([xs], sympy.Array(entries))

    return build


def by_symengine(f, n, order, backend="lambda"):
    import symengine  # not an extra of ours; whoever runs this installs it

    xs = [symengine.Symbol(f"x{k}") for k in range(n)]
    outputs = f(symengine, xs)

    def build():
        entries = [e.diff(v) for e in outputs for v in xs]
        if order == 2:
            entries += [d.diff(v) for d in entries for v in xs]
        return symengine.Lambdify(xs, entries, cse=True, backend=backend)

    return build


def timed(call, times):
    start = time.process_time()
    for _ in range(times):
        result = call()
    return (time.process_time() - start) / times, result


def medians(calls, rounds, seconds):
    """The median time of each call, over rounds in which they take turns; and what each returned."""
    once, results = zip(*[timed(call, 1) for call in calls], strict=True)
    times = [max(1, int(seconds / max(t, 1e-6))) for t in once]
    samples = [[timed(c, k)[0] for c, k in zip(calls, times, strict=True)] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*samples, strict=True)], results


def main():
    print(f"{'':24}{'build, ms':>18}{'ratio':>7}{'evaluate, us':>27}{'ratio':>7}{'ratio':>7}")
    names = (
        f"{'diffkit':>9}{'symeng.':>9}{'':7}{'diffkit':>9}{'lambda':>9}{'LLVM':>9}{'lambda':>7}{'LLVM':>7}"
    )
    print(f"{'':24}{names}")
    ratios = []
    for name, (f, point, order) in CASES.items():
        n = len(point)
        builders = [by_diffkit(f, n, order), by_symengine(f, n, order)]
        build, functions = medians(builders, BUILDS, 0)
        compiled = by_symengine(f, n, order, "llvm")()
        run, results = medians([functools.partial(g, point) for g in (*functions, compiled)], ROUNDS, 0.01)
        for theirs in results[1:]:
            np.testing.assert_allclose(np.ravel(results[0]), np.ravel(theirs), rtol=1e-9, atol=1e-12)
        ratios.append((build[0] / build[1], run[0] / run[1], run[0] / run[2]))
        times = f"{run[0] * 1e6:9.1f}{run[1] * 1e6:9.1f}{run[2] * 1e6:9.1f}"
        print(
            f"{name:24}{build[0] * 1e3:9.1f}{build[1] * 1e3:9.1f}{ratios[-1][0]:7.2f}{times}"
            f"{ratios[-1][1]:7.2f}{ratios[-1][2]:7.2f}",
            flush=True,
        )
    middle = [statistics.median(column) for column in zip(*ratios, strict=True)]
    print(f"{'median of the ratios':24}{middle[0]:25.2f}{middle[1]:34.2f}{middle[2]:7.2f}")


if __name__ == "__main__":
    main()
