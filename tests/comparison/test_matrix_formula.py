"""Programs as matrix formulas: what lectures write, each against its traced gradient, and what is none."""

import numpy as np
import pytest

import diffkit as dk

RNG = np.random.default_rng(4)
X, W, V = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
A = RNG.normal(size=(3, 3)) / 3 + 2 * np.eye(3)
w, b, c, y, t = (RNG.normal(size=n) for n in (3, 4, 2, 5, 5))
labels = np.eye(2)[[0, 1, 0, 1, 1]]


def mean_squared_error(X, w, y):
    return np.mean((y - X @ w) ** 2)


def network(X, W, b, V, c):
    h = np.tanh(X @ W + b)
    z = h @ V + c
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - np.sum(z * labels, axis=1))


PROGRAMS = [
    (mean_squared_error, (X, w, y)),
    (network, (X, W, b, V, c)),
    (lambda X, w, y: np.sum(np.log(1 + np.exp(-y * (X @ w)))), (X, w, y)),
    (lambda X, W: np.sum((X - X @ W @ W.T) ** 2), (X, W)),
    (lambda A: np.log(np.linalg.det(A)), (A,)),
    (lambda A: np.linalg.slogdet(A)[1], (A,)),
    (lambda A, x: x @ np.linalg.solve(A, x), (A, w)),
    (lambda A, x: x @ np.linalg.inv(A) @ x + np.trace(A), (A, w)),
    (lambda A: np.trace(np.linalg.matrix_power(A, 3)), (A,)),
    (lambda x, y: np.sum(np.outer(x, y) ** 2), (w, y)),
    (lambda X, W: np.einsum("ij,jk->", X, W), (X, W)),
    (lambda X, w: np.sum(np.einsum("ij,j->i", X, w) ** 3), (X, w)),
    (lambda X, W: np.sum(np.einsum("ij,jk->ki", X, W) ** 2), (X, W)),
    (lambda x, A: np.einsum("i,ij,j", x, A, x), (w, A)),
    (lambda X: np.linalg.norm(X), (X,)),
    (lambda X, w: np.sum(np.maximum(X @ w, 0.0)), (X, w)),
    (lambda X: np.sum(X.mean(axis=0) ** 2) + np.sum((X - X.mean(axis=0)) ** 2), (X,)),
    (lambda X: np.sum((X / X.sum(axis=1, keepdims=True)) ** 2), (X + 9.0,)),
    (lambda x: np.exp(x) / np.sum(np.exp(x)), (w,)),
    (lambda A, x: np.tanh(A @ x), (A, w)),
    (lambda A, x: A[0, 1] * (x @ x), (A, w)),
    (lambda A, x: np.sum(np.diag(x) @ A) + np.sum(np.diag(A) * x), (A, w)),
    (lambda s, x: s * np.dot(x, x) + s**2, (1.5, w)),
    (lambda x: np.sum(x[:, None] * x[None, :]), (w,)),
]


@pytest.mark.parametrize(("f", "args"), PROGRAMS)
def test_is_the_traced_gradient(f, args):
    found = dk.formula(f, *args)
    if np.ndim(f(*args)) == 0:
        assert set(found.derivatives) == set(found.symbols)
    assert found.error < 1e-9  # of the value and every derivative, against the traced ones
    namespace = {"np": np}
    exec(found.source(), namespace)
    given = [np.reshape(a, (-1, 1)) if np.ndim(a) == 1 else a for a in args]
    value, *slopes = namespace[found.name](*given, *found.constants.values())
    assert np.allclose(np.ravel(value), np.ravel(f(*args)))
    assert len(slopes) == len(found.derivatives) > 0
    assert "aligned" in found.latex()


def test_reads_as_the_lecture_writes():
    assert dk.formula(mean_squared_error, X, w, y).text().splitlines() == [
        "mean_squared_error = ((y - X w)ᵀ (y - X w))/5",
        "dmean_squared_error/dX = -2/5 (y - X w) wᵀ",
        "dmean_squared_error/dw = -2/5 Xᵀ (y - X w)",
        "dmean_squared_error/dy = 2/5 (y - X w)",
        "(gradient layout: the gradient has the variable's shape)",
    ]
    lines = dk.formula(network, X, W, b, V, c).text().splitlines()
    assert lines[:2] == ["h = tanh(X W + 𝟏 bᵀ)", "z = h V + 𝟏 cᵀ"]
    assert any(line.startswith("dnetwork/dV = 1/5 hᵀ ") for line in lines)


@pytest.mark.parametrize(
    ("f", "args", "message"),
    [
        (lambda x: np.sum(np.sort(x)), (w,), "in the row .* = sort"),
        (lambda x: x[1:] @ x[:-1], (w,), r"x\[1:\], it takes a part of an array"),
        (lambda x: np.sum(np.cumsum(x)), (w,), "cumsum"),
        (lambda X: np.sum(X.reshape(3, 5)), (X,), "another shape"),
        (lambda X: np.sum(np.einsum("ij,ij->ij", X, X)), (X,), "more than twice|no chain"),
        (lambda X, W: np.sum(np.arctan2(X, X @ W @ W.T)), (X, W), "two different matrices"),
    ],
)
def test_what_is_none_is_refused_by_its_row(f, args, message):
    with pytest.raises(dk.NoRuleError, match=message):
        dk.formula(f, *args)


def test_three_axes_are_refused():
    with pytest.raises(dk.InputError, match="3 axes"):
        dk.formula(lambda x: np.sum(x), np.ones((2, 2, 2)))
