"""Random programs: forward mode, reverse mode, nested modes and differences must agree.

A program is a list of instructions on a pool of values, so it has fan-out, unused values, scalars and
vectors, broadcasting, indexing and branches. Its functions are smooth and their values stay bounded,
so that a difference of values is a good measure of its derivative.
"""

import importlib.util
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import diffkit as dk

N = 3
TWICE = np.array([0, 0, -1])
TRUE = np.array(True)


def a_ndim(a):
    """The number of axes, of a float as of every library's arrays."""
    return getattr(a, "ndim", 0)


UNARY = {
    "sin": lambda np, a: np.sin(a),
    "tanh": lambda np, a: np.tanh(a),
    "exp": lambda np, a: np.exp(np.tanh(a)),
    "log": lambda np, a: np.log(2.0 + np.sin(a)),
    "sqrt": lambda np, a: np.sqrt(1.0 + a * a),
    "square": lambda np, a: np.tanh(a) ** 2,
    "power": lambda np, a: (1.5 + np.sin(a)) ** 1.3,
    "negative": lambda np, a: -a,
    "sum": lambda np, a: np.sum(a) / N,
    "mean": lambda np, a: np.mean(a * a) / (1.0 + np.mean(a * a)),
    "reverse": lambda np, a: np.flipud(a) if a_ndim(a) else a,
    "first": lambda np, a: a[0] if a_ndim(a) else a,
    "repeated": lambda np, a: a[TWICE] if a_ndim(a) else a,
    "branch": lambda np, a: 2.0 * a if np.sum(a) > 0.1 else np.cos(a),
}
BINARY = {
    "add": lambda np, a, b: a + b,
    "subtract": lambda np, a, b: a - 0.5 * b,
    "multiply": lambda np, a, b: np.sin(a) * b,
    "divide": lambda np, a, b: a / (1.5 + np.tanh(b)),
    "arctan2": lambda np, a, b: np.arctan2(a, 2.0 + np.sin(b)),
    "dot": lambda np, a, b: np.sum(a * b) / (1.0 + np.sum(a * a)),
    "outer": lambda np, a, b: np.tanh(np.sum(np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1)), 0)[:1] + a),
    "where": lambda np, a, b: np.where(TRUE, a, b) * np.tanh(b),
}


def instruction():
    place = st.integers(0, 30)
    return st.tuples(st.sampled_from(sorted(UNARY)), place) | st.tuples(
        st.sampled_from(sorted(BINARY)), place, place
    )


programs = st.lists(instruction(), min_size=1, max_size=12)
points = st.lists(st.floats(-2, 2).map(lambda x: round(x, 2)), min_size=N + 1, max_size=N + 1)


def build(instructions, xp=np):
    """The program as a function of a vector and a number to a number, in the NumPy-like module xp."""

    def program(v, s):
        pool = [v, s]
        for name, *places in instructions:
            chosen = [pool[p % len(pool)] for p in places]
            pool.append((UNARY | BINARY)[name](xp, *chosen))
        return xp.sum(pool[-1] * (1.0 + pool[len(pool) // 2])) + 0.0 * (s + xp.sum(v))

    return program


def branch_margin(instructions, v, s):
    """How far the program's branches are from going the other way."""
    pool, margin = [v, s], math.inf
    for name, *places in instructions:
        chosen = [pool[p % len(pool)] for p in places]
        if name == "branch":
            margin = min(margin, abs(float(np.sum(chosen[0])) - 0.1))
        pool.append((UNARY | BINARY)[name](np, *chosen))
    return margin


def central(f, x, h=1e-4):
    """The derivative of f by a number, by a difference of sixth order (Fornberg, 1988, table 1)."""
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    return sum(w * (f(x + k * h) - f(x - k * h)) for k, w in weights.items()) / h


@settings(max_examples=150, deadline=None)
@given(programs, points, points)
def test_all_ways_agree(instructions, point, direction):
    f = build(instructions)
    v, s = np.array(point[:N]), point[N]
    dv, ds = np.array(direction[:N]), direction[N]
    assume(branch_margin(instructions, v, s) > 0.05)

    gv, gs = dk.grad(f, (0, 1))(v, s)
    slope = float(np.dot(gv, dv) + gs * ds)
    _, pushed = dk.make_jvp(f, (0, 1))(v, s)((dv, ds))
    size = 1.0 + float(np.abs(gv) @ np.abs(dv)) + abs(gs * ds)
    assert float(pushed) == pytest.approx(slope, abs=1e-12 * size)

    # Along the line, by differences of values, and by differences of slopes for the second derivative.
    def along(t):
        return f(v + t * dv, s + t * ds)

    assert central(lambda t: float(along(t)), 0.0) == pytest.approx(slope, abs=1e-7 * size)
    second = [outer(inner(along))(0.0) for outer in (dk.grad, dk.deriv) for inner in (dk.grad, dk.deriv)]
    bend = 1.0 + abs(second[0])
    for other in second[1:]:
        assert float(other) == pytest.approx(float(second[0]), abs=1e-11 * bend)
    assert central(lambda t: float(dk.grad(along)(t)), 0.0) == pytest.approx(
        float(second[0]), abs=1e-6 * bend
    )


@settings(max_examples=50, deadline=None)
@given(programs, points)
def test_a_hessian_is_symmetric_and_a_replay_is_the_program(instructions, point):
    f = build(instructions)
    v, s = np.array(point[:N]), point[N]
    H = dk.hessian(f)(v, s)
    np.testing.assert_allclose(H, H.T, atol=1e-11 * (1 + np.abs(H).max()))
    t = dk.trace(f)(v, s)
    if not t.decisions:
        assert t.replay(v + 0.5, s) == pytest.approx(f(v + 0.5, s), rel=1e-14)
    adjoint = t.adjoint()
    for got, expected in zip(adjoint.value, dk.grad(f, (0, 1))(v, s), strict=True):
        np.testing.assert_array_equal(got, expected)


@settings(max_examples=50, deadline=None)
@given(programs, points)
def test_single_precision_follows_double(instructions, point):
    f = build(instructions)
    v, s = np.array(point[:N]), point[N]
    assume(branch_margin(instructions, v, s) > 0.05)
    expected = dk.grad(f)(v, s)
    got = dk.grad(f)(v.astype(np.float32), s)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-3 * (1 + np.abs(expected).max()))


@pytest.mark.skipif(not importlib.util.find_spec("autograd"), reason="autograd is not installed")
@settings(max_examples=60, deadline=None)
@given(programs, points)
def test_agrees_with_autograd(instructions, point):
    import autograd
    import autograd.numpy as anp

    # autograd 1.9.1 does not sum over the axes along which np.where broadcast.
    assume(not any(name == "where" for name, *_ in instructions))
    v, s = np.array(point[:N]), point[N]
    expected = autograd.grad(build(instructions, anp))(v, s)
    np.testing.assert_allclose(dk.grad(build(instructions))(v, s), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed")
@settings(max_examples=30, deadline=None)
@given(programs, points)
def test_agrees_with_jax(instructions, point):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    v, s = np.array(point[:N]), point[N]
    expected = jax.grad(build(instructions, jnp))(v, s)
    np.testing.assert_allclose(dk.grad(build(instructions))(v, s), expected, rtol=1e-10, atol=1e-12)
    H = jax.hessian(build(instructions, jnp))(v, s)
    np.testing.assert_allclose(
        dk.hessian(build(instructions))(v, s), H, rtol=1e-8, atol=1e-9 * (1 + np.abs(H).max())
    )


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
@settings(max_examples=60, deadline=None)
@given(programs, points)
def test_agrees_with_pytorch(instructions, point):
    import torch

    class Functions:
        sin, cos, tanh, exp, log, sqrt = torch.sin, torch.cos, torch.tanh, torch.exp, torch.log, torch.sqrt
        sum, mean, reshape, arctan2, flipud = (
            torch.sum,
            torch.mean,
            torch.reshape,
            torch.arctan2,
            torch.flipud,
        )
        where = staticmethod(lambda c, a, b: torch.where(torch.as_tensor(c), a, b))

    v = torch.tensor(point[:N], dtype=torch.float64, requires_grad=True)
    s = torch.tensor(point[N], dtype=torch.float64, requires_grad=True)
    build(instructions, Functions)(v, s).backward()
    gv, gs = dk.grad(build(instructions), (0, 1))(np.array(point[:N]), point[N])
    np.testing.assert_allclose(gv, v.grad.numpy(), rtol=1e-10, atol=1e-12)
    assert gs == pytest.approx(float(s.grad), rel=1e-10, abs=1e-12)
