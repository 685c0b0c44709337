"""Random programs: forward mode, reverse mode, nested modes and differences must agree.

A program is a list of instructions on a pool of values, so it has fan-out, unused values, scalars and
vectors, broadcasting, indexing and branches. Its functions are smooth and their values stay bounded,
so that a difference of values is a good measure of its derivative.
"""

import importlib.util
import math
import os

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


# -- programs that change arrays in place -------------------------------------------------------------------

SHAPE = (2, 3)


def _windows(a, k):
    """A view of an array, one of several."""
    if a.ndim == 2:
        return [
            a[k % len(a)],
            a.T,
            a[:, ::-1],
            a.reshape(-1),
            a[:, 1:],
            a.T[k % a.shape[1]],
            a[...],
            a.swapaxes(0, 1)[1:],
        ][k % 8]
    return [a[1:], a[::-1], a[...], a[None, :], a.reshape(-1, 1), a[:1]][k % 6]


def _fitted(value, like):
    """The value in a shape that can be written to an array of ``like``'s."""
    return value if np.ndim(value) == 0 or np.shape(value) == np.shape(like) else np.mean(value)


WRITES = {
    "assign": lambda np, a, b, k: a.__setitem__(..., _fitted(b, a) * 0.7),
    "element": lambda np, a, b, k: a.__setitem__((k % len(a),), _fitted(b, a[k % len(a)])),
    "slice": lambda np, a, b, k: a.__setitem__(slice(k % 2, None, 1 + k % 2), np.mean(b) * 0.5),
    "mask": lambda np, a, b, k: a.__setitem__(a > 0.3, 0.2 * np.mean(b)),
    "places": lambda np, a, b, k: a.__setitem__([0, len(a) - 1, 0], np.mean(b)),
    "add": lambda np, a, b, k: a.__iadd__(_fitted(np.sin(b), a)),
    "multiply": lambda np, a, b, k: a.__imul__(_fitted(np.cos(b), a)),
    "subtract": lambda np, a, b, k: a.__isub__(0.5 * _fitted(b, a)),
    "out": lambda np, a, b, k: np.sin(a, out=a),
    "out_of_two": lambda np, a, b, k: np.multiply(a, 0.5 + np.mean(b), out=a),
    "sort": lambda np, a, b, k: a.sort(),
    "fill": lambda np, a, b, k: a[:1].fill(np.mean(b)),
    "copyto": lambda np, a, b, k: np.copyto(a, _fitted(b, a), where=a < 0.1),
    "put": lambda np, a, b, k: np.put(a, [k % a.size, -1], [np.mean(b), 0.3 * np.mean(b * b)]),
    "add_at": lambda np, a, b, k: np.add.at(a, [0, 0, len(a) - 1], 0.1 * np.mean(b)),
    "clip": lambda np, a, b, k: np.clip(a, -0.8, 0.9, a),
    "swap": lambda np, a, b, k: a.__setitem__([0, -1], a[[-1, 0]]),
    "list": lambda np, a, b, k: a.__setitem__(..., a * np.array([0.5 + k % 3] * np.shape(a)[-1])),
}


def writing_instruction():
    place = st.integers(0, 30)
    return st.tuples(st.sampled_from(sorted(WRITES)), place, place, place) | st.tuples(
        st.sampled_from(["view", "copy", "value", "fresh"]), place, place, place
    )


def build_in_place(instructions):
    """A program on a pool of arrays that share memory as NumPy has it: views, copies, new values."""
    import diffkit.numpy as xp

    def program(x):
        pool = [x.reshape(SHAPE).copy()]
        total = 0.0
        for name, i, j, k in instructions:
            a, b = pool[i % len(pool)], pool[j % len(pool)]
            if name == "view":
                pool.append(_windows(a, k))
            elif name == "copy":
                pool.append(a.copy())
            elif name == "value":
                pool.append(xp.tanh(a) + 0.1 * xp.mean(b))
            elif name == "fresh":
                pool.append(xp.zeros(SHAPE) + 0.05 * k)
            elif np.shape(a) and a.flags.writeable if hasattr(a, "flags") else np.ndim(a):
                WRITES[name](xp, a, b, k)
            total = total + xp.sum(xp.sin(pool[-1]) * (1.0 + i))
        return total + sum(xp.sum(a * a) * (1.0 + n) for n, a in enumerate(pool))

    return program


IN_PLACE_PROGRAMS = int(os.environ.get("DIFFKIT_PROGRAMS", "60"))
"""How many are tried: by hand, 2000 take some six minutes on a machine of one's own."""


@settings(max_examples=IN_PLACE_PROGRAMS, deadline=None)
@given(
    st.lists(writing_instruction(), min_size=2, max_size=14),
    st.permutations([-1.31, -0.62, 0.14, 0.47, 0.83, 1.29]),
    st.lists(st.floats(-1, 1).map(lambda x: round(x, 2)), min_size=6, max_size=6),
)
def test_programs_that_change_arrays_in_place(instructions, point, direction):
    """Value, both modes, differences, second order two ways, compiled code and source: all the same."""
    f = build_in_place(instructions)
    x, d = np.array(point), np.array(direction)
    t = dk.trace(f)(x)
    np.testing.assert_array_equal(x, point)
    value = f(x)
    assert float(t.value) == pytest.approx(float(value), rel=1e-14, abs=1e-14)
    gradient = dk.grad(f)(x)
    pushed = dk.make_jvp(f)(x)(d)[1]
    size = 1.0 + float(np.abs(gradient) @ np.abs(d))
    assert float(pushed) == pytest.approx(float(gradient @ d), abs=1e-12 * size)
    # Sorting, masks and clipping have kinks: where three differences agree there is none nearby.
    slopes = [central(lambda s: float(f(x + s * d)), 0.0, h) for h in (1e-4, 2e-4, 5e-5)]
    smooth = max(slopes) - min(slopes) < 1e-6 * size
    if smooth:
        assert slopes[0] == pytest.approx(float(pushed), abs=1e-6 * size)
    second = [make(f)(x) @ d for make in (dk.hessian, lambda f: dk.jacobian(dk.grad(f), mode="reverse"))]
    np.testing.assert_allclose(second[0], second[1], atol=1e-10 * (1.0 + np.abs(second[0]).max()))
    if smooth:
        bend = [(dk.grad(f)(x + h * d) - dk.grad(f)(x - h * d)) / (2 * h) for h in (1e-5, 2e-5)]
        if np.abs(bend[0] - bend[1]).max() < 1e-5 * (1.0 + np.abs(bend[0]).max()):
            np.testing.assert_allclose(bend[0], second[0], atol=1e-4 * (1.0 + np.abs(bend[0]).max()))
    c = dk.compile(dk.grad(f))
    for at in (x, x, x + 1e-9 * d):
        np.testing.assert_allclose(c(at), dk.grad(f)(at), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(t.source().function()(x), t.value, rtol=1e-14)
    np.testing.assert_allclose(t.adjoint().source().function()(x)[1], gradient, rtol=1e-11, atol=1e-12)
