"""Jacobians and Hessians, and products with them, by closed forms."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from tests.autodiff.closed_forms import A, X, cubic, cubic_gradient, cubic_hessian


def test_jacobians_are_in_numerator_layout():
    for mode in (None, "forward", "reverse"):
        np.testing.assert_allclose(dk.jacobian(lambda x: A @ x, mode=mode)(X), A, rtol=1e-14)
        by_matrix = dk.jacobian(lambda a: a @ X, mode=mode)(A)
        assert by_matrix.shape == (2, 2, 3)
        np.testing.assert_allclose(by_matrix, np.einsum("ij,k->ijk", np.eye(2), X), rtol=1e-14)
        assert dk.jacobian(lambda x: x**2, mode=mode)(3.0) == 6.0
        assert dk.jacobian(lambda x: np.zeros((0,)) * x[0], mode=mode)(X).shape == (0, 3)
    with pytest.raises(InputError, match='mode is "forward"'):
        dk.jacobian(np.sin, mode="backward")


@pytest.mark.parametrize(
    ("inputs", "outputs", "cheaper"), [(2, 50, "forward"), (50, 2, "reverse"), (9, 9, "forward")]
)
def test_the_jacobian_takes_the_cheaper_mode(monkeypatch, inputs, outputs, cheaper):
    from diffkit.autodiff import jacobians

    taken = []
    for name in ("forward", "reverse"):
        blocks = getattr(jacobians, f"_blocks_{name}")
        monkeypatch.setattr(jacobians, f"_blocks_{name}", lambda t, n=name, b=blocks: taken.append(n) or b(t))
    matrix = np.ones((outputs, inputs))
    np.testing.assert_array_equal(dk.jacobian(lambda x: matrix @ x)(np.ones(inputs)), matrix)
    assert taken == [cheaper]


def test_hessians_and_their_products():
    np.testing.assert_allclose(dk.hessian(cubic)(X), cubic_hessian(X), rtol=1e-13)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(dk.hessian_vector_product(cubic)(X, v), cubic_hessian(X) @ v, rtol=1e-13)
    np.testing.assert_allclose(dk.hessian_tensor_product(cubic)(X, v), cubic_hessian(X) @ v, rtol=1e-13)
    hvp, gradient = dk.make_hvp(cubic)(X)
    np.testing.assert_allclose(hvp(v), cubic_hessian(X) @ v, rtol=1e-13)
    np.testing.assert_allclose(gradient, cubic_gradient(X), rtol=1e-14)
    by_matrix = dk.hessian(lambda a: np.sum(a**2) / 2)(A)
    np.testing.assert_array_equal(by_matrix.reshape(6, 6), np.eye(6))
    second = dk.hessian_vector_product(lambda n, x: x**n, argnum=1)(3, 2.0, 1.0)
    assert second == 12.0


def test_hessian_vector_products_are_forward_over_reverse(monkeypatch):
    """The cost of one is a small multiple of f's, whatever the number of variables: two sweeps in all."""
    from diffkit.autodiff.core import quick

    sweeps = []
    for name in ("forward_sweep", "reverse_sweep"):
        sweep = getattr(quick, name)
        monkeypatch.setattr(quick, name, lambda *a, n=name, s=sweep: sweeps.append(n) or s(*a))
    dk.hessian_vector_product(lambda x: np.sum(x**3))(np.ones(100), np.ones(100))
    assert sweeps == ["reverse_sweep", "forward_sweep"]


def test_products_with_jacobians():
    g = np.array([2.0, -1.0])
    np.testing.assert_allclose(dk.vector_jacobian_product(lambda x: A @ x)(X, g), g @ A, rtol=1e-14)
    T = np.arange(8.0).reshape(2, 2, 2)
    got = dk.tensor_jacobian_product(lambda x: A @ x)(X, T)
    np.testing.assert_allclose(got, T @ A, rtol=1e-14)
    vjp, value = dk.make_vjp(lambda x: A @ x)(X)
    np.testing.assert_array_equal(value, A @ X)
    for _ in range(2):  # it can be called again
        np.testing.assert_allclose(vjp(g), g @ A, rtol=1e-14)
    value, tangent = dk.make_jvp(lambda x: A @ x)(X)(np.ones(3))
    np.testing.assert_allclose(tangent, A.sum(1), rtol=1e-14)
    assert dk.make_jvp(lambda x, y: x * y, (0, 1))(2.0, 3.0)((1.0, 10.0)) == (6.0, 23.0)


def test_gauss_newton():
    v = np.array([1.0, -2.0, 0.5])
    J = dk.jacobian(lambda x: np.tanh(A @ x))(X)
    np.testing.assert_allclose(dk.make_ggnvp(lambda x: np.tanh(A @ x))(X)(v), J.T @ (J @ v), rtol=1e-13)

    def g(y):
        return np.sum(np.exp(y))

    H = np.diag(np.exp(np.tanh(A @ X)))
    got = dk.make_ggnvp(lambda x: np.tanh(A @ x), g)(X)(v)
    np.testing.assert_allclose(got, J.T @ H @ (J @ v), rtol=1e-13)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(
    ("inputs", "weights"),
    [("f4", "f4"), ("f8", "f8"), ("f4", "f8"), ("f8", "f4"), ("c8", "c8"), ("c16", "c16")],
)
def test_an_empty_jacobian_has_the_dtype_of_any_other(mode, inputs, weights):
    kinds = []
    for size in (0, 2):
        to, of = np.ones((size, 3), weights), np.ones((3, size), weights)
        blocks = [
            dk.jacobian(lambda x, w=to: w @ x, mode=mode)(np.ones(3, inputs)),
            dk.jacobian(lambda x, w=of: w @ x, mode=mode)(np.ones(size, inputs)),
        ]
        assert [b.shape for b in blocks] == [(size, 3), (3, size)]
        kinds.append([b.dtype for b in blocks])
    assert kinds[0] == kinds[1]
    assert kinds[1][0] == (weights if mode == "forward" and weights > inputs else inputs)
