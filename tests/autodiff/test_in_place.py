"""Programs that change arrays in place: values, gradients, second derivatives, compiled and as source."""

import numpy as np
import pytest
from in_place_programs import BY_TORCH, PROGRAMS, X

import diffkit as dk
from diffkit.errors import TraceError


@pytest.fixture(params=PROGRAMS, ids=[f.__name__ for f in PROGRAMS])
def f(request):
    return request.param


def differences(f, x, h=1e-5):
    """Central differences; f works on copies."""
    return np.array([(f(x + d) - f(x - d)) / (2 * h) for d in h * np.eye(len(x))])


def test_the_value_is_that_of_the_plain_program(f):
    given = X.copy()
    value = dk.trace(f)(given).value
    np.testing.assert_array_equal(given, X)  # the caller's own is left alone
    np.testing.assert_allclose(value, f(X.copy()), rtol=1e-15)


def test_both_modes_against_differences(f):
    expected = differences(f, X)
    np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(dk.jacobian(f, mode="forward")(X), expected, rtol=1e-7, atol=1e-8)


def test_second_derivatives(f):
    expected = differences(dk.grad(f), X)
    np.testing.assert_allclose(dk.hessian(f)(X), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(dk.jacobian(dk.grad(f), mode="reverse")(X), expected, rtol=1e-6, atol=1e-7)


def test_compiled_and_as_source(f):
    c = dk.compile(dk.value_and_grad(f))
    for x in (X, X, X * (1.0 + 1e-6)):
        for found, expected in zip(c(x), dk.value_and_grad(f)(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
    t = dk.trace(f)(X)
    np.testing.assert_allclose(t.replay(X), t.value, rtol=1e-15)
    np.testing.assert_allclose(t.source().function()(X), t.value, rtol=1e-15)
    value, gradient = t.adjoint().source().function()(X)
    np.testing.assert_allclose(value, t.value, rtol=1e-15)
    np.testing.assert_allclose(gradient, dk.grad(f)(X), rtol=1e-12, atol=1e-14)


def _writes(a, b):
    a[0] = 2.0 * b[1]
    return np.sum(a * b)


@pytest.mark.parametrize(
    "share",
    [lambda a: (a, a), lambda a: (a, a[::-1]), lambda a: (a[:4], a[2:])],
    ids=["same", "view", "parts"],
)
def test_what_is_given_twice_is_not_written_to(share):
    """As two arguments it would be two arrays: the value would be another than that of a plain run."""
    for derivative in (dk.trace(_writes), dk.grad(_writes), dk.grad(_writes, (0, 1))):
        with pytest.raises(TraceError, match=r"_writes changes .* as a and as b"):
            derivative(*share(X.copy()))
    with pytest.raises(TraceError, match=r"as p\['u'\] and as p\['v'\]"):
        dk.grad(lambda p: _writes(p["u"], p["v"]))(dict(zip("uv", share(X.copy()), strict=True)))


def test_parts_of_one_array_may_be_written_to():
    """Parameters kept in one vector; and an array given twice may be read."""
    flat = np.arange(6.0)
    assert dk.trace(_writes)(flat[:3], flat[3:]).value == _writes(flat[:3].copy(), flat[3:])
    assert dk.trace(_writes)(flat[::2], flat[1::2]).value == _writes(flat[::2].copy(), flat[1::2])
    np.testing.assert_array_equal(dk.grad(lambda a, b: np.sum(a * b))(X, X), X)


@pytest.mark.parametrize("name", BY_TORCH)
def test_against_torch(name):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X, requires_grad=True)
    value = BY_TORCH[name](x)
    value.backward()
    f = next(f for f in PROGRAMS if f.__name__ == name)
    np.testing.assert_allclose(dk.trace(f)(X).value, value.item(), rtol=1e-14)
    np.testing.assert_allclose(dk.grad(f)(X), x.grad.numpy(), rtol=1e-12)
