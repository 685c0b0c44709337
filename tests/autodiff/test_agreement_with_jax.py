"""Random programs of array functions: Jacobians of both modes and Hessian-vector products, beside JAX's.

The programs of ``test_random_programs.py`` are smooth, and of functions that every library has. These are
not all smooth, and call what NumPy and JAX have alike: sorting, indexing, linear algebra, Fourier transforms.
"""

import numpy as np
import pytest

import diffkit as dk

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
pytestmark = pytest.mark.slow  # JAX compiles each program for about a second


def near_identity(xp, a, b):
    """A matrix that is far from singular, whatever a and b are."""
    n = a.shape[0]
    return 3 * xp.eye(n) + xp.outer(xp.tanh(a), xp.tanh(b)) / n


def first(n, *places):
    """An index array of n places, the last one repeated."""
    return np.array([*places, *[places[-1]] * n][:n])


STEPS = {
    "sin": lambda xp, a, b: xp.sin(a) * b,
    "exp": lambda xp, a, b: xp.exp(xp.tanh(a)),
    "sqrt": lambda xp, a, b: xp.sqrt(1 + a * a),
    "power": lambda xp, a, b: (1.5 + xp.tanh(a)) ** (1 + 0.1 * b * b),
    "arctan2": lambda xp, a, b: xp.arctan2(a, 2 + xp.tanh(b)),
    "logaddexp": lambda xp, a, b: xp.logaddexp(a, b),
    "maximum": lambda xp, a, b: xp.maximum(a, 0.123),
    "clip": lambda xp, a, b: xp.clip(a, -0.9, 0.9),
    "where": lambda xp, a, b: xp.where(b > 0.1, a, xp.sin(b)),
    "abs": lambda xp, a, b: xp.abs(a - 0.01),
    "cumsum": lambda xp, a, b: xp.cumsum(a) / a.shape[0],
    "cumprod": lambda xp, a, b: xp.cumprod(xp.tanh(a) + 1.1) / 2 ** a.shape[0],
    "sort": lambda xp, a, b: xp.sort(a),
    "flip": lambda xp, a, b: xp.flip(a) - xp.roll(b, 1),
    "max": lambda xp, a, b: a * xp.max(b) - xp.min(a),
    "prod": lambda xp, a, b: a * xp.prod(xp.tanh(b) + 1.2),
    "var": lambda xp, a, b: (a - xp.mean(b)) * xp.var(b),
    "norm": lambda xp, a, b: a / (0.1 + xp.linalg.norm(b)),
    "fancy": lambda xp, a, b: a[first(a.shape[0], 0, 0, 2, 1)] + xp.take(b, first(a.shape[0], 1, 0, 2)),
    "slice": lambda xp, a, b: a[::-1] * b[0],
    "reshape": lambda xp, a, b: xp.reshape(xp.reshape(a, (1, -1)) * b, (-1,)),
    "join": lambda xp, a, b: xp.concatenate([a[:2], b[2:]]) + xp.sum(xp.stack([a, b * a]), axis=0),
    "repeat": lambda xp, a, b: xp.repeat(a[:1], a.shape[0]) * b + xp.tile(b[:1], a.shape[0]),
    "pad": lambda xp, a, b: xp.pad(a[1:], (0, 1)),
    "outer": lambda xp, a, b: xp.sum(xp.tanh(xp.outer(a, b)), axis=0),
    "einsum": lambda xp, a, b: xp.einsum("i,ij,k->j", a, near_identity(xp, a, b), xp.tanh(b)) / a.shape[0],
    "fft": lambda xp, a, b: xp.real(xp.fft.fft(a)) / a.shape[0],
    "triu": lambda xp, a, b: xp.triu(near_identity(xp, a, b)) @ a,
    "det": lambda xp, a, b: a * xp.linalg.det(near_identity(xp, a, b)) / 3 ** a.shape[0],
    "solve": lambda xp, a, b: xp.linalg.solve(near_identity(xp, a, b), b),
    "inv": lambda xp, a, b: xp.linalg.inv(near_identity(xp, a, b)).T @ a,
}


def random_program(rng):
    """The names of a few steps, and which of the values so far each takes."""
    names = sorted(STEPS)
    return [(names[rng.integers(len(names))], *rng.integers(0, 9, 2)) for _ in range(rng.integers(3, 9))]


def build(steps, xp):
    def program(x):
        pool = [x, xp.sin(x) + 0.3]
        for name, i, j in steps:
            pool.append(STEPS[name](xp, pool[-1 - i % len(pool)], pool[j % len(pool)]))
        return pool[-1] + 0.1 * pool[-2]

    return program


def assert_close(found, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()))


def assert_agreement(steps, x, direction):
    f, g = build(steps, np), build(steps, jnp)
    expected = jax.jit(jax.jacrev(g))(x)
    assert_close(dk.jacobian(f, mode="reverse")(x), expected)
    assert_close(dk.jacobian(f, mode="forward")(x), expected)
    weights = np.arange(1.0, len(x) + 1)
    product = dk.hessian_vector_product(lambda x: np.sum(f(x) * weights))(x, direction)
    slope = jax.grad(lambda x: jnp.sum(g(x) * weights))
    assert_close(product, jax.jit(lambda x: jax.jvp(slope, (x,), (direction,))[1])(x))


@pytest.fixture(autouse=True)
def _double_precision():
    jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_each_step(name):
    assert_agreement([(name, 0, 0)], np.array([0.41, -1.27, 0.83, 1.62]), np.array([0.3, -0.7, 1.1, 0.2]))


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(4, 6)
    assert_agreement(random_program(rng), np.round(rng.normal(size=n), 2), rng.normal(size=n))
