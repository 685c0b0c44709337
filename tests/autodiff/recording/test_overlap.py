"""What is written to an array and overlaps it: as NumPy has it, also where that reads what it has written."""

import numpy as np
import pytest

import diffkit as dk
import diffkit.numpy as dnp

X = np.array([[0.3, -1.2, 0.8], [1.7, -0.4, 0.6], [-0.9, 1.1, 0.2]])
W = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 0.7], [-2.0, 0.3, 1.5]])


def _views(a):
    flat = a.ravel()
    return [a, flat[::-1], a[::-1], a[:, ::-1], flat[1:], a[0], a[:, -1], a.T, flat[::2], np.diag(a)[::-1]]


def _flat(a, v):
    a.flat = v


def _part_of_flat(a, v):
    a.flat[1:] = v


def _places_of_flat(a, v):
    a.flat[[0, 2, 1]] = v


def _all(a, v):
    a[...] = v


def _added(a, v):
    a += v


WRITERS = {
    "flat": _flat,
    "part of flat": _part_of_flat,
    "places of flat": _places_of_flat,
    "all": _all,
    "added": _added,
    "place": lambda a, v: np.place(a, (np.arange(a.size) % 3 != 0).reshape(a.shape), v),
    "putmask": lambda a, v: np.putmask(a, (np.arange(a.size) % 3 != 0).reshape(a.shape), v),
    "put": lambda a, v: np.put(a, np.arange(a.size), v),
    "fill_diagonal": np.fill_diagonal,
    "copyto": np.copyto,
    "out": lambda a, v: np.multiply(a, v, out=a),
    "clip": lambda a, v: np.clip(v, -0.5, 0.5, out=a),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_an_array_written_to_itself(write):
    tried = 0
    for i in range(len(_views(X))):
        for j in range(len(_views(X))):

            def f(x, i=i, j=j):
                a = x * 1.0
                write(_views(a)[i], _views(a)[j])
                return np.sum(a * a * W)

            try:
                plain = f(X)
            except (ValueError, TypeError):  # shapes that don't fit, views that can't be written to
                continue
            tried += 1
            value, gradient = dk.value_and_grad(f)(X)
            slopes = [(f(X + 1e-6 * e) - f(X - 1e-6 * e)) / 2e-6 for e in np.eye(9).reshape(9, 3, 3)]
            assert value == plain, (i, j)
            np.testing.assert_allclose(gradient.ravel(), slopes, atol=1e-7, err_msg=f"{i}, {j}")
    assert tried > 20


@pytest.mark.parametrize("part", ["real", "imag"])
def test_a_part_of_complex_numbers_written_to_itself(part):
    def f(x):
        z = x * (1.0 + 2.0j) + 0.5j * x * x
        getattr(z, part).flat = getattr(z, part).ravel()[::-1]
        return np.sum(np.abs(z) ** 2 * W)

    value, gradient = dk.value_and_grad(f)(X)
    assert value == f(X)
    slopes = [(f(X + 1e-6 * e) - f(X - 1e-6 * e)) / 2e-6 for e in np.eye(9).reshape(9, 3, 3)]
    np.testing.assert_allclose(gradient.ravel(), slopes, rtol=1e-7, atol=1e-7)


def test_parts_of_a_complex_array_without_axes():
    def f(x):
        z = dnp.zeros((), complex)
        z.real = x
        z.imag = 2.0 * x * x
        return np.abs(z) ** 2

    assert dk.value_and_grad(f)(2.0) == pytest.approx((68.0, 132.0))
    assert dk.make_jvp(f)(2.0)(1.0) == pytest.approx((68.0, 132.0))
    assert dk.grad(dk.grad(f))(2.0) == pytest.approx(194.0)
    assert dk.compile(dk.grad(f))(2.0) == pytest.approx(132.0)
    adjoint = dk.trace(f)(2.0).adjoint()
    assert adjoint.value == pytest.approx(132.0)
    assert adjoint.source().function()(2.0)[1] == pytest.approx(132.0)
