"""Sparse Jacobians: the pattern from the trace is never too small, few sweeps tell all entries."""

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.autodiff.sparsity import colours, sparsity
from diffkit.containers import flatten

X = np.linspace(0.3, 1.7, 12)
GRID = X.reshape(3, 4)
BAND = np.diag(np.full(12, 2.0)) - np.eye(12, k=1) - np.eye(12, k=-1)


def broyden(x):  # Broyden's tridiagonal function: More, Garbow and Hillstrom (1981), number 30
    y = (3.0 - 2.0 * x) * x + 1.0
    return np.concatenate([y[:1] - 2.0 * x[1:2], y[1:-1] - x[:-2] - 2.0 * x[2:], y[-1:] - x[-2:-1]])


def in_place(x):
    y = np.zeros_like(x)
    y[1:-1] = x[2:] - 2.0 * x[1:-1] + x[:-2]
    y[0] += x[0] ** 2
    return y + np.exp(-x)


def five_points(u):
    padded = np.pad(u, 1)
    return padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4.0 * u**2


def by_element(x):
    return np.stack([x[k] * x[k + 1] for k in range(len(x) - 1)])


def two_outputs(x):
    return {"sum": np.cumsum(x[:3]), "rest": (x[0] * x[5], np.flip(x)[::3])}


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


FUNCTIONS = [
    (broyden, X, 3),
    (in_place, X, 3),
    (lambda x: np.roll(x, 1) * x, X, 2),
    (lambda x: BAND @ np.sin(x), X, 3),
    (lambda x: np.cos(x) @ BAND, X, 3),
    (lambda x: np.dot(BAND, x) - 2.0, X, 3),
    (five_points, GRID, 8),
    (lambda u: np.sum(u * u, axis=1), GRID, 4),
    (lambda u: np.mean(u, axis=0, keepdims=True) * u, GRID, 3),
    (lambda u: np.cumsum(u, axis=1).T, GRID, 4),
    (lambda u: np.diff(u, axis=0) ** 2, GRID, 2),
    (by_element, X, 2),
    (two_outputs, X, 3),
    (lambda x: np.where(x > 1.0, x, x**2), X, 1),
    (lambda x: np.sort(x)[::-1], X, 12),
    (lambda x: np.linalg.solve(BAND, x), X, 12),
    (lambda x: x[np.array([0, 0, 3])], X, 1),
    (lambda x: np.tile(x, 2) + np.repeat(x, 2), X, 3),
    (lambda x: np.pad(x, 2, constant_values=3.0)[1:] * 2.0, X, 1),
    (lambda x: np.pad(x, 2, mode="linear_ramp"), X, 12),
    (lambda x: np.pad(x, 2, mode="reflect", reflect_type="odd"), X, 12),
    (lambda x: np.diff(x, n=2), X, 3),
    (lambda x: np.maximum(x[::2], 1.0) * 3, X, 1),
    (lambda x: 2.0 * np.ones(3), X, 0),
    (lambda x: np.convolve(x, [1.0, -1.0], "valid"), X, 12),
    (lambda x: np.outer(x, x[:2]), X, 2 + 10),
]


@pytest.mark.parametrize(("f", "x", "most"), FUNCTIONS)
@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_it_is_the_dense_jacobian_bit_for_bit(f, x, most, mode):
    sparse, dense = (dk.jacobian(f, mode=mode, sparse=s)(x) for s in (True, False))
    for part, as_dense in zip(flatten(sparse)[0], flatten(dense)[0], strict=True):
        np.testing.assert_array_equal(part, as_dense)
        assert part.dtype == as_dense.dtype
    if mode == "forward":
        pattern = sparsity(f)(x)
        assert colours(pattern).max(initial=0) < max(most, 1)


@pytest.mark.parametrize("p", list(programs.all_programs()), ids=lambda p: p.name)
def test_over_the_programs(p):
    argnum = tuple(k for k, a in enumerate(p.args) if np.asarray(a).dtype.kind == "f")
    sparse, dense = (dk.jacobian(p, argnum, sparse=s)(*p.args) for s in (True, False))
    for part, as_dense in zip(flatten(sparse)[0], flatten(dense)[0], strict=True):
        np.testing.assert_allclose(part, as_dense, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("f", "x", "most"), FUNCTIONS)
def test_the_pattern_covers_the_jacobian_at_other_points_too(f, x, most):
    rng = np.random.default_rng(5)
    pattern = sparsity(f)(np.zeros_like(x) + 0.5 if f is not in_place else x)
    for _ in range(3):
        t = dk.trace(f)(x + 0.1 * rng.standard_normal(x.shape))
        rows = [np.ravel(np.concatenate([np.ravel(o) for o in _outputs(t, d)])) for d in np.eye(x.size)]
        assert not (np.stack(rows, axis=1) != 0)[~pattern].any()


def _outputs(t, direction):
    swept = t.tangents(direction.reshape(np.shape(t.inputs[0].value)))
    return [
        swept[o.index] if t.owns(o) and swept[o.index] is not None else np.zeros(np.shape(t.value_of(o)))
        for o in t.outputs
    ]


def test_hessians_and_derivatives_of_sparse_jacobians():
    dense = dk.hessian(rosenbrock)(X)
    np.testing.assert_allclose(dk.hessian(rosenbrock, sparse=True)(X), dense, rtol=1e-13)
    assert colours(sparsity(dk.grad(rosenbrock))(X)).max() == 2
    through = dk.grad(lambda x: np.sum(dk.jacobian(broyden, sparse=True)(x) ** 2))(X)
    np.testing.assert_allclose(
        through, dk.grad(lambda x: np.sum(dk.jacobian(broyden)(x) ** 2))(X), rtol=1e-13
    )


def test_colours_share_no_row():
    rng = np.random.default_rng(2)
    for density in (0.05, 0.2, 0.6):
        pattern = rng.random((40, 30)) < density
        given = colours(pattern)
        for colour in range(given.max() + 1):
            assert pattern[:, given == colour].sum(axis=1).max() <= 1
    assert colours(np.zeros((3, 0), bool)).shape == (0,)


def test_a_tridiagonal_jacobian_takes_three_sweeps(monkeypatch):
    from diffkit.autodiff.core.trace import WengertList

    swept = []
    sweep = WengertList.pushed_forward
    monkeypatch.setattr(WengertList, "pushed_forward", lambda t, seeds: swept.append(1) or sweep(t, seeds))
    dk.jacobian(broyden, sparse=True)(np.ones(400))
    assert len(swept) == 3
