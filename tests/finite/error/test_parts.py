"""Real and imaginary parts of precise complex numbers, and where a plain array would lose them."""

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.precise import evaluate

Z = np.array([1.0 + 2.0j, 2.0])


@pytest.mark.parametrize("f", [lambda z: np.asarray(z).real * 2, lambda z: np.imag(np.asarray(z))])
def test_parts_of_a_plain_array_are_refused(f):
    with pytest.raises(InputError, match=r"np\.asarray and \.(real|imag) .* Write np\.asanyarray\(x\)"):
        evaluate(f, Z)


def test_parts_are_right_otherwise():
    assert evaluate(lambda z: np.asanyarray(z).real * 2, Z).astype(float).tolist() == [2.0, 4.0]
    assert evaluate(lambda z: np.imag(np.stack([z[1], z[0]])), Z).astype(float).tolist() == [0.0, 2.0]
    # without complex numbers there is nothing to lose
    assert evaluate(lambda x: np.asarray(x).real * 2, np.array([1.0])).astype(float).tolist() == [2.0]


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.linalg.norm(np.asarray(z)),
        lambda z: np.linalg.norm(np.array([z[0], z[1]])),
        lambda z: np.linalg.norm([z[0], z[1]]),
        lambda z: np.linalg.norm(z.tolist()),
        lambda z: np.angle(np.asarray(z)),
    ],
)
def test_norms_of_plain_arrays_of_complex_numbers_are_refused(f):
    with pytest.raises(InputError, match=r"on complex numbers: .*its own real part. Write np\."):
        evaluate(f, np.array([1 + 2j, 3 - 1j]))
    if "angle" in f.__code__.co_names:
        return
    x = np.array([1.0, -2.0])  # real numbers are their own real part
    np.testing.assert_allclose(np.asarray(evaluate(f, x), dtype=object).astype(float), f(x), rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.norm,
        lambda z: np.linalg.norm(np.stack([z[0], z[1]])),
        lambda z: np.linalg.norm(z, 1),
        lambda z: np.linalg.norm(z[None], axis=1)[0],
        lambda z: np.sum(np.abs(np.asarray(z))),
    ],
)
def test_norms_are_real(f):
    z = np.array([1 + 2j, 3 - 1j])
    assert float(evaluate(f, z)) == pytest.approx(f(z), rel=1e-15)
