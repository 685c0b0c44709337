"""Checkpoints: the same derivatives, in both modes and nested, in the memory of one segment."""

import math
import tracemalloc

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TraceError


def segment(x, w):
    for _ in range(5):
        x = np.tanh(w * x) + 0.1
    return x


def chain(run, x, w):
    for _ in range(4):
        x = run(x, w)
    return np.sum(x)


X, W = np.array([0.3, -0.8, 1.2]), np.array([1.1, 0.7, -0.5])


@pytest.mark.parametrize("operator", [dk.grad, dk.jacobian, dk.hessian, dk.elementwise_grad])
@pytest.mark.parametrize("argnum", [0, 1])
def test_the_same_derivatives(operator, argnum):
    plain = operator(lambda x, w: chain(segment, x, w), argnum)(X, W)
    saved = operator(lambda x, w: chain(dk.checkpoint(segment), x, w), argnum)(X, W)
    np.testing.assert_allclose(saved, plain, rtol=1e-13)


def test_both_modes_to_third_order():
    dk.check_grads(lambda x, w: chain(dk.checkpoint(segment), x, w), order=2)(X, W)
    dk.check_grads(dk.checkpoint(lambda x: np.sin(x) * x), order=3)(0.7)


def test_checkpoints_in_checkpoints():
    inner = dk.checkpoint(segment)
    outer = dk.checkpoint(lambda x, w: inner(inner(x, w), w))
    plain = dk.hessian(lambda x: np.sum(segment(segment(x, W), W)))(X)
    np.testing.assert_allclose(dk.hessian(lambda x: np.sum(outer(x, W)))(X), plain, rtol=1e-14)


def test_containers_constants_and_keywords():
    def f(p, n, *, shift):
        return {"y": p["a"] ** n + shift, "z": [p["b"] * p["a"]]}

    saved = dk.checkpoint(f)
    assert saved({"a": 2.0, "b": 3.0}, 2, shift=1.0) == {"y": 5.0, "z": [6.0]}

    def loss(run):
        def program(p):
            answer = run(p, 2, shift=1.0)
            return answer["y"] * answer["z"][0]

        return program

    p = {"a": 2.0, "b": 3.0}
    assert dk.grad(loss(saved))(p) == dk.grad(loss(f))(p)
    assert dk.grad(lambda p: saved(p, 2, shift=1.0)["y"])(p) == {"a": 4.0, "b": 0.0}
    assert dk.make_jvp(loss(saved))(p)(p) == dk.make_jvp(loss(f))(p)(p)


def test_a_name_of_the_table_is_not_taken_for_its_function():
    @dk.checkpoint
    def sin(x):
        return x**3

    assert dk.grad(sin)(2.0) == 12.0


def test_a_traced_value_from_around_the_function_is_refused():
    def f(x):
        return dk.checkpoint(lambda y: y * x)(x)

    with pytest.raises(TraceError, match="not one of its arguments"):
        dk.grad(f)(2.0)


def peak(run):
    tracemalloc.start()
    run()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


def test_memory_is_that_of_one_segment():
    def steps(x, n):
        for _ in range(n):
            x = np.sin(x)
        return x

    x = np.ones(20_000)

    def whole(x):
        return np.sum(steps(x, 64))

    def saved(x):
        run = dk.checkpoint(lambda x: steps(x, 8))
        for _ in range(8):
            x = run(x)
        return np.sum(x)

    # 64 arrays against 8 at the checkpoints and 8 within a segment, and a few of the sweeps.
    assert peak(lambda: dk.grad(saved)(x)) < 0.4 * peak(lambda: dk.grad(whole)(x))


def test_a_segment_that_is_another_when_it_is_run_again():
    def a_loop(x):
        return sum(dk.checkpoint(lambda y: np.sum(y * y) * k)(x) for k in (1.0, 2.0))  # noqa: B023

    def an_update(x):
        scale, total = np.ones(2), 0.0
        for _ in range(2):
            total = total + dk.checkpoint(lambda y: np.sum(y * y * scale))(x)  # noqa: B023
            scale *= 2.0
        return total

    def a_draw(x):
        rng = np.random.default_rng(0)
        return dk.checkpoint(lambda y: np.sum(y * y * rng.normal(size=2)))(x)

    x = np.array([0.3, 2.0])
    for f in (a_loop, an_update, a_draw):
        for derivative in (dk.grad(f), lambda x, f=f: dk.make_jvp(f)(x)(x), dk.hessian(f)):
            with pytest.raises(TraceError, match=r"another answer when it was run again.*as an argument"):
                derivative(x)


def test_what_varies_is_an_argument():
    def f(x):
        scale, total = np.ones(2), 0.0
        segment = dk.checkpoint(lambda y, s, k: np.sum(np.sin(y) * s) ** k)
        for k in (1, 2, 3):
            total = total + segment(x, scale, k)
            scale *= 2.0
        return total

    dk.check_grads(f)(np.array([0.3, 2.0]))
    # math.exp and np.exp differ in the last bit here and there; a segment of floats is still the same.
    for point in np.linspace(0.1, 3.0, 200).tolist():
        g = dk.grad(dk.checkpoint(lambda x: np.exp(np.sin(np.exp(x)))))(point)
        assert g == pytest.approx(
            math.exp(math.sin(math.exp(point))) * math.cos(math.exp(point)) * math.exp(point)
        )
