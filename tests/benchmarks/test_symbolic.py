"""Symbolic differentiation beside SymPy, symengine and CasADi, in one run.

    pytest tests/benchmarks/test_symbolic.py --benchmark-only

Each group is one task; the ratios within a group are what is worth reading. The slow ones, SymPy's
own among them, run once.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import sympy

from diffkit import symbolic
from diffkit.symbolic.swell.growth import evaluated

N = 50
HELMHOLTZ = symbolic.FAMILIES["Helmholtz energy"]
LOGISTIC = symbolic.FAMILIES["logistic map"]
CONSTANTS = [sympy.Symbol("R"), sympy.Symbol("T")]


@functools.cache
def helmholtz():
    return HELMHOLTZ.expression(N), HELMHOLTZ.variables(N)


def once(benchmark, function, rounds=1):
    return benchmark.pedantic(function, rounds=rounds, iterations=1)


def in_symengine(expr, variables):
    engine = pytest.importorskip("symengine")
    return engine.sympify(evaluated(expr)), [engine.Symbol(str(v)) for v in variables]


def in_casadi(expr, variables):
    """The expression as a CasADi graph: its own operators run the straight-line program."""
    casadi = pytest.importorskip("casadi")
    names = {"sqrt": casadi.sqrt, "log": casadi.log, "exp": casadi.exp, "sin": casadi.sin}
    symbols = casadi.SX.sym("x", len(variables))
    *lines, last = symbolic.straight_line(expr).splitlines()
    scope = {str(v): symbols[k] for k, v in enumerate(variables)}
    exec("\n".join([*lines, last.replace("return ", "result = ")]), {**names}, scope)
    return scope["result"], symbols


# -- the gradient of the Helmholtz energy -------------------------------------------------------------


@pytest.mark.benchmark(group=f"Helmholtz gradient, n = {N}: the expression")
def test_helmholtz_gradient_by_diffkit(benchmark):
    expr, xs = helmholtz()
    assert len(once(benchmark, lambda: symbolic.gradient(expr, xs), rounds=5)) == N


@pytest.mark.benchmark(group=f"Helmholtz gradient, n = {N}: the expression")
def test_helmholtz_gradient_by_symengine(benchmark):
    expr, xs = helmholtz()
    f, symbols = in_symengine(expr, xs)
    assert len(once(benchmark, lambda: [f.diff(v) for v in symbols], rounds=5)) == N


@pytest.mark.benchmark(group=f"Helmholtz gradient, n = {N}: the expression")
def test_helmholtz_gradient_by_casadi(benchmark):
    casadi = pytest.importorskip("casadi")
    expr, xs = helmholtz()
    f, symbols = in_casadi(expr, [*xs, *CONSTANTS])
    assert once(benchmark, lambda: casadi.gradient(f, symbols), rounds=5).shape == (N + 2, 1)


@pytest.mark.slow
@pytest.mark.benchmark(group=f"Helmholtz gradient, n = {N}: the expression")
def test_helmholtz_gradient_by_sympy(benchmark):
    expr, xs = helmholtz()
    plain = evaluated(expr)
    assert len(once(benchmark, lambda: [sympy.diff(plain, v) for v in xs])) == N


# -- its evaluation -----------------------------------------------------------------------------------


def given(n):
    """The function, its symbols, and a point: all mole fractions small, R and T one."""
    point = np.array([0.5 / n + 1e-4 * k / n for k in range(n)] + [1.0, 1.0])
    return HELMHOLTZ.expression(n), [*HELMHOLTZ.variables(n), *CONSTANTS], point


sizes = pytest.mark.parametrize("n", [20, 50, 100])


@sizes
def test_helmholtz_value_by_diffkit(benchmark, n):
    """A vector in and a vector out, as for the others."""
    benchmark.group = f"Helmholtz gradient, n = {n}: its value"
    expr, symbols, point = given(n)
    f = symbolic.lambdify([symbols], sympy.Array(symbolic.gradient(expr, symbols[:n])))
    assert len(benchmark(f, point)) == n


@sizes
def test_helmholtz_value_by_diffkit_of_floats(benchmark, n):
    """Each of the n + 2 floats an argument of its own, and a list of n floats as the result."""
    benchmark.group = f"Helmholtz gradient, n = {n}: its value"
    expr, symbols, point = given(n)
    f = symbolic.lambdify(symbols, symbolic.gradient(expr, symbols[:n]))
    assert len(benchmark(f, *point.tolist())) == n


@sizes
def test_helmholtz_value_by_symengine(benchmark, n):
    engine = pytest.importorskip("symengine")
    benchmark.group = f"Helmholtz gradient, n = {n}: its value"
    expr, xs, point = given(n)
    f, symbols = in_symengine(expr, xs)
    compiled = engine.Lambdify(symbols, [f.diff(v) for v in symbols[:n]], cse=True)
    got = benchmark(compiled, point)
    ours = symbolic.lambdify([xs], sympy.Array(symbolic.gradient(expr, xs[:n])))
    assert got == pytest.approx(ours(point), rel=1e-9)


@sizes
def test_helmholtz_value_by_casadi(benchmark, n):
    casadi = pytest.importorskip("casadi")
    benchmark.group = f"Helmholtz gradient, n = {n}: its value"
    expr, xs, point = given(n)
    f, symbols = in_casadi(expr, xs)
    compiled = casadi.Function("gradient", [symbols], [casadi.gradient(f, symbols)])
    benchmark(compiled, point)


# -- the logistic map ---------------------------------------------------------------------------------


@pytest.mark.benchmark(group="logistic map, n = 16: the derivative")
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_logistic_derivative_by_diffkit(benchmark, mode):
    expr, (x,) = LOGISTIC.expression(16), LOGISTIC.variables(16)
    once(benchmark, lambda: symbolic.diff(expr, x, mode=mode), rounds=20)


@pytest.mark.benchmark(group="logistic map, n = 16: the derivative")
def test_logistic_derivative_by_symengine(benchmark):
    f, (x,) = in_symengine(LOGISTIC.expression(16), LOGISTIC.variables(16))
    once(benchmark, lambda: f.diff(x), rounds=5)


@pytest.mark.slow
@pytest.mark.benchmark(group="logistic map, n = 16: the derivative")
def test_logistic_derivative_by_sympy(benchmark):
    plain = evaluated(LOGISTIC.expression(16))
    once(benchmark, lambda: sympy.diff(plain, "x"))


@pytest.mark.benchmark(group="logistic map, n = 16: the derivative's value")
def test_logistic_value_by_diffkit(benchmark):
    expr, (x,) = LOGISTIC.expression(16), LOGISTIC.variables(16)
    benchmark(symbolic.lambdify([x], symbolic.diff(expr, x)), 0.3)


@pytest.mark.benchmark(group="logistic map, n = 16: the derivative's value")
def test_logistic_value_by_symengine(benchmark):
    engine = pytest.importorskip("symengine")
    f, (x,) = in_symengine(LOGISTIC.expression(16), LOGISTIC.variables(16))
    compiled = engine.Lambdify([x], [f.diff(x)], cse=True)
    benchmark(compiled, np.array([0.3]))


# -- depth --------------------------------------------------------------------------------------------


@pytest.mark.benchmark(group="10,000 levels")
@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", ["logistic map", "soft ReLU"])
def test_ten_thousand_levels(benchmark, name, mode):
    family = symbolic.FAMILIES[name]
    expr, (x,) = family.expression(10_000), family.variables(10_000)
    once(benchmark, lambda: symbolic.diff(expr, x, mode=mode), rounds=2)


@pytest.mark.benchmark(group="10,000 levels")
def test_size_of_ten_thousand_levels(benchmark):
    expr, (x,) = LOGISTIC.expression(10_000), LOGISTIC.variables(10_000)
    derivative = symbolic.diff(expr, x)
    assert once(benchmark, lambda: symbolic.size(derivative)).dag == 89_992
