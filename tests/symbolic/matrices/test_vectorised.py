"""Jacobians of vec by vec: against those that tracing gives, their axes in the columns' order."""

import numpy as np
import pytest
from by_numpy import Program
from formulas_of_matrices import A, B, C, X, Y, a, b, m, n, t, x
from sympy import DiagMatrix, HadamardProduct, KroneckerProduct, Trace, exp, tanh

import diffkit as dk
from diffkit.symbolic.matrices import notation

SIZES = {n: 4, m: 3}
MATRICES = [
    (A * X, X),
    (A * X * X.T, X),
    (X.T, X),
    (X.T * A * X, X),
    (A * x, A),
    (a * b.T, b),
    (A.I, A),
    (A * B * C, B),
    (A**3, A),
    (Trace(X.T * X) * Y, X),
    (Trace(A) * A, A),
    (HadamardProduct(X, Y), X),
    ((A * X).applyfunc(tanh), X),
    ((A * X).applyfunc(tanh), A),
    ((X.T * A).applyfunc(exp) * Y, X),
    (t * A * X, t),
    (X * X.T * x, X),
    (A, X),
    (Trace(A * X * Y.T), X),
]


def by_columns(jacobian, of, by):
    """A traced Jacobian, of shape (*of, *by), as that of vec by vec."""
    j = np.reshape(jacobian, (*of, *by))
    axes = [*reversed(range(len(of))), *(len(of) + k for k in reversed(range(len(by))))]
    return j.transpose(axes).reshape(int(np.prod(of)), int(np.prod(by)))


@pytest.mark.parametrize(("e", "by"), MATRICES, ids=[f"{e} by {by}"[:50] for e, by in MATRICES])
def test_is_the_traced_jacobian(e, by):
    rng = np.random.default_rng(5)
    symbols = sorted({s for s in {*e.free_symbols, by} if s not in SIZES}, key=str)
    shapes = [[SIZES.get(size, size) for size in s.shape] if hasattr(s, "shape") else [] for s in symbols]
    values = [
        rng.normal(size=[int(k) for k in s]) / 2 + (2 * np.eye(4) if s == [4, 4] else 0) for s in shapes
    ]
    values = [v if np.ndim(v) else float(v) for v in values]
    program, place = Program(e, symbols, SIZES), symbols.index(by)
    answer = dk.symbolic.jacobian(e, by, vec=True)
    of, to = np.shape(program(*values)), np.shape(values[place])
    truth = (
        by_columns(dk.jacobian(lambda *v: program(*v) + 0.0, place)(*values), of, to)
        if by in e.free_symbols
        else 0
    )
    mine = dk.symbolic.lambdify(symbols, answer)(*values)
    assert np.allclose(mine, truth, rtol=1e-10)
    assert np.shape(mine) == (int(np.prod(of)), int(np.prod(to)))


def test_reads_as_in_the_books():
    assert dk.symbolic.jacobian(A * X * X.T, A, vec=True) == KroneckerProduct(
        X * X.T, dk.symbolic.jacobian(x, x)
    )
    assert notation.text(dk.symbolic.jacobian(X.T, X, vec=True)) == "K"
    assert notation.text(dk.symbolic.jacobian(HadamardProduct(X, Y), X, vec=True)) == "diag(vec(Y))"
    assert notation.text(dk.symbolic.hessian(Trace(X.T * A * X), X, vec=True)) == "I ⊗ (A + Aᵀ)"


def test_the_error_that_offers_it():
    with pytest.raises(dk.InputError, match=r"3 axes.*jacobian\(F, A, vec=True\)"):
        dk.symbolic.diff(A * x, A)
    with pytest.raises(dk.InputError, match=r"four axes.*hessian\(e, X, vec=True\)"):
        dk.symbolic.hessian(Trace(X.T * X), X)
    with pytest.raises(dk.NoRuleError, match="is no formula in the matrices"):
        dk.symbolic.jacobian(DiagMatrix(A * x) * B, x, vec=True)
