"""A user's own functions of matrices, with a rule and without."""

import numpy as np
import pytest
import sympy
from formulas_of_matrices import A, B, X, Y, a, n, x
from sympy import MatrixExpr, Trace

import diffkit as dk

RNG = np.random.default_rng(3)
spread = sympy.Function("spread", commutative=True)


class Sandwich(MatrixExpr):
    """X A Xᵀ."""

    @property
    def shape(self):
        return self.args[0].shape[0], self.args[0].shape[0]


@pytest.fixture
def rules():
    dk.symbolic.defmatrixrule(
        spread,
        vjps=[lambda g, ans, M: 2 * g * M],
        jvps=[lambda d, ans, M: 2 * Trace(M.T * d)],
        numpy=lambda M: np.sum(M**2),
    )
    dk.symbolic.defmatrixrule(
        Sandwich,
        vjps=[lambda g, ans, M, S: g * M * S.T + g.T * M * S, lambda g, ans, M, S: M.T * g * M],
        jvps=[lambda d, ans, M, S: d * S * M.T + M * S * d.T, lambda d, ans, M, S: M * d * M.T],
        numpy=lambda M, S: M @ S @ M.T,
    )


def test_a_number_of_a_matrix(rules):
    e = sympy.log(spread(X - Y)) * Trace(X.T * X)
    values = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    mine = dk.symbolic.lambdify([X, Y], dk.symbolic.diff(e, X))(*values)
    truth = dk.grad(lambda u, v: np.log(np.sum((u - v) ** 2)) * np.sum(u**2))(*values)
    assert np.allclose(mine, truth, rtol=1e-12)


@pytest.mark.parametrize("k", [0, 1])
def test_a_matrix_of_two(rules, k):
    e = Trace(B * Sandwich(A, A * B)) + Trace(a.T * Sandwich(A, B) * a)
    values = [RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 1))]
    mine = dk.symbolic.lambdify([A, B, a], dk.symbolic.diff(e, (A, B)[k]))(*values)

    def program(p, q, v):
        return np.trace(q @ (p @ (p @ q) @ p.T)) + np.sum(v.T @ (p @ q @ p.T) @ v)

    assert np.allclose(mine, dk.grad(program, k)(*values), rtol=1e-12)


def test_jacobians_and_steps(rules):
    t = sympy.Symbol("t", positive=True)
    assert dk.symbolic.diff(Sandwich(A, t * B), t) == A * B * A.T
    derivation = dk.symbolic.steps(spread(A - B), A)
    assert max(derivation.errors()) < 1e-6
    assert "the rule that was given for spread" in derivation.text()
    assert dk.symbolic.jacobian(Sandwich(A, B) * x, x) == Sandwich(A, B)


def test_a_rule_of_another_shape_is_named(rules):
    dk.symbolic.defmatrixrule(spread, [lambda g, ans, M: g], [lambda d, ans, M: d])
    with pytest.raises(dk.InputError, match=r"the vjp of spread by its argument number 1 gave 1 .1 × 1."):
        dk.symbolic.diff(spread(X), X)
    with pytest.raises(dk.NoRuleError, match="rule for 1 argument, but is used with 2"):
        dk.symbolic.diff(spread(X, Y), X)


def test_without_a_rule_it_says_how_to_give_one():
    class Own(MatrixExpr):
        shape = (n, n)

    with pytest.raises(dk.NoRuleError, match=r"Own has no rule .*defmatrixrule\(Own, vjps="):
        dk.symbolic.diff(Trace(Own(A)), A)
    with pytest.raises(
        dk.NoRuleError, match=r"unknown is a function of the matrix A .*defmatrixrule\(unknown"
    ):
        dk.symbolic.diff(sympy.Function("unknown")(A), A)
    dk.symbolic.defmatrixrule(Own, [lambda g, ans, M: g], [lambda d, ans, M: d])
    with pytest.raises(dk.NoRuleError, match=r"nothing computes Own.*numpy="):
        dk.symbolic.lambdify([A], Own(A))
    with pytest.raises(dk.InputError, match="a vjp and a jvp for each argument"):
        dk.symbolic.defmatrixrule(Own, [], [])
    with pytest.raises(dk.InputError, match=r"Function\('h', commutative=True\)"):
        dk.symbolic.defmatrixrule(sympy.Function("h"), [None], [None])
    with pytest.raises(dk.InputError, match="a SymPy class"):
        dk.symbolic.defmatrixrule("Own", [None], [None])
