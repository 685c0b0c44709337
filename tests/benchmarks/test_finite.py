"""The gradient of the Helmholtz energy in n variables, beside other tools.

Run with ``pytest tests/benchmarks/test_finite.py --benchmark-only``. All of one n are timed in one
run; compare within it only. Each benchmark's ``extra_info`` holds its evaluations of f and the
largest relative error against the complex step.
"""

import time

import numpy as np
import pytest

from diffkit.finite import derivative, error_sweep, gradient, jacobian
from diffkit.programs import helmholtz, logistic_map

SIZES = [1, 10, 100, 1000]


class Problem:
    """The energy in n variables, with its matrix made once, and its evaluations counted."""

    def __init__(self, n):
        i = np.arange(n)
        self.A, self.b = 1.0 / (i[:, None] + i + 1), np.full(n, 1.0 / n)
        self.x = np.linspace(0.05, 0.95, n) / n
        self.evaluations = 0
        self.truth = gradient(self.plain, self.x, "complex")

    def plain(self, x):
        return helmholtz(x, A=self.A, b=self.b)

    def counted(self, x):
        self.evaluations += 1
        return self.plain(x)

    def batch(self, X):
        """The same for points stacked on a first axis, written without a loop."""
        bx = X @ self.b
        ideal = np.sum(X * np.log(X / (1 - bx)[:, None]), axis=1)
        quadratic = np.sum((X @ self.A) * X, axis=1)
        r = np.sqrt(2.0)
        return ideal - quadratic / (np.sqrt(8.0) * bx) * np.log((1 + (1 + r) * bx) / (1 + (1 - r) * bx))

    def measure(self, benchmark, method):
        got = benchmark(method, self.plain)
        method(self.counted)
        benchmark.extra_info["evaluations"] = self.evaluations
        worst = np.max(np.abs(got - self.truth)) / np.max(np.abs(self.truth))
        benchmark.extra_info["error"] = f"{worst:.1e}"


def scipy_gradient(f, x, method):
    from scipy.optimize._numdiff import approx_derivative

    return approx_derivative(f, x, method=method)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.benchmark(group="helmholtz")
class TestHelmholtz:
    def test_f_itself(self, benchmark, n):
        problem = Problem(n)
        benchmark(problem.plain, problem.x)

    @pytest.mark.parametrize("form", ["forward", "central"])
    def test_diffkit(self, benchmark, n, form):
        problem = Problem(n)
        problem.measure(benchmark, lambda f: gradient(f, problem.x, form))

    @pytest.mark.parametrize("form", ["forward", "central"])
    def test_diffkit_with_given_steps(self, benchmark, n, form):
        problem = Problem(n)
        h = 2.0**-26 if form == "forward" else 2.0**-17
        h = h / n  # the variables are as small as 1 / n
        problem.measure(benchmark, lambda f: gradient(f, problem.x, form, h))

    def test_diffkit_in_one_call(self, benchmark, n):
        problem = Problem(n)
        got = benchmark(gradient, problem.batch, problem.x, "central", 2.0**-17 / n, vectorized=True)
        np.testing.assert_allclose(got, problem.truth, rtol=1e-4)

    @pytest.mark.parametrize("method", ["2-point", "3-point"])
    def test_scipy(self, benchmark, n, method):
        pytest.importorskip("scipy")
        problem = Problem(n)
        problem.measure(benchmark, lambda f: scipy_gradient(f, problem.x, method))

    def test_numdifftools(self, benchmark, n):
        numdifftools = pytest.importorskip("numdifftools")
        if n > 10:
            pytest.skip("its widest steps leave the domain, where the energy is nan")
        problem = Problem(n)
        problem.measure(benchmark, lambda f: np.atleast_1d(numdifftools.Gradient(f)(problem.x)))

    def test_reverse_mode(self, benchmark, n):
        dk = pytest.importorskip("diffkit")
        if not hasattr(dk, "grad"):
            pytest.skip("no reverse mode here")
        problem = Problem(n)
        problem.measure(benchmark, lambda f: dk.grad(f)(problem.x))


def _nothing(v):
    return 1.0


def _overhead(benchmark, method, x):
    """The time of a gradient of a function that does nothing, by evaluation."""
    calls = 0

    def counted(v):
        nonlocal calls
        calls += 1
        return 1.0

    method(counted, x)
    benchmark(method, _nothing, x)
    if benchmark.stats:  # not so with --benchmark-skip and the like
        each = benchmark.stats.stats.min / calls
        benchmark.extra_info["evaluations"] = calls
        benchmark.extra_info["microseconds per evaluation"] = round(each * 1e6, 2)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.benchmark(group="overhead outside f")
class TestOverhead:
    """What stands between the evaluations of f: under 5 microseconds each."""

    @pytest.mark.parametrize("form", ["forward", "central"])
    def test_diffkit_with_given_steps(self, benchmark, n, form):
        _overhead(benchmark, lambda f, x: gradient(f, x, form, 2.0**-20), np.linspace(1, 2, n))

    @pytest.mark.parametrize("form", ["forward", "central"])
    def test_diffkit_that_measures_f_first(self, benchmark, n, form):
        _overhead(benchmark, lambda f, x: gradient(lambda v: f(v) + v[0], x, form), np.linspace(1, 2, n))

    @pytest.mark.parametrize("form", ["forward", "central"])
    def test_jacobian_with_given_steps(self, benchmark, n, form):
        if n > 100:
            pytest.skip("the matrix alone takes longer")
        one = np.ones(3)
        method = lambda f, x: jacobian(lambda v: (f(v), one)[1], x, form, 2.0**-20)  # noqa: E731
        _overhead(benchmark, method, np.linspace(1, 2, n))

    @pytest.mark.parametrize("method", ["2-point", "3-point"])
    def test_scipy_with_given_steps(self, benchmark, n, method):
        numdiff = pytest.importorskip("scipy.optimize._numdiff")
        run = lambda f, x: numdiff.approx_derivative(f, x, method=method, abs_step=2.0**-20)  # noqa: E731
        _overhead(benchmark, run, np.linspace(1, 2, n))

    def test_numdifftools(self, benchmark, n):
        numdifftools = pytest.importorskip("numdifftools")
        if n > 100:
            pytest.skip("it takes seconds")
        _overhead(benchmark, lambda f, x: numdifftools.Gradient(f)(x), np.linspace(1, 2, n))


@pytest.mark.benchmark(group="overhead outside f")
def test_overhead_of_one_derivative(benchmark):
    benchmark(derivative, lambda x: 1.0, 1.0, "central", 2.0**-20)


@pytest.mark.benchmark(group="sweep")
@pytest.mark.parametrize("form", ["forward", "central", "complex"])
def test_error_sweep(benchmark, form):
    sweep = benchmark(error_sweep, lambda x: logistic_map(x, form="closed"), 0.2, form)
    assert len(sweep.h) == 321


@pytest.mark.benchmark(group="sweep")
def test_floats_of_the_same_sweep(benchmark):
    """What the sweep costs without the exact side."""

    def plain():
        started = time.perf_counter()
        for h in np.logspace(-17, -1, 321).tolist():
            (logistic_map(0.2 + h, form="closed") - logistic_map(0.2 - h, form="closed")) / (2 * h)
        return time.perf_counter() - started

    benchmark(plain)
