"""Derivations by differentials: every step holds at random matrices, and a wrong one is found."""

from dataclasses import replace
from itertools import count

import pytest
import sympy
from formulas_of_matrices import FORMULAS, A, X, b, n, w, x, y

import diffkit as dk
from diffkit.symbolic.matrices.steps import MatrixDerivation

PLAIN = [f for f in FORMULAS if f.kind != "hessian" and f.assumptions is True]


@pytest.mark.parametrize("formula", PLAIN, ids=[f"{i}: {f.expr}"[:60] for i, f in zip(count(), PLAIN)])
def test_every_step_holds(formula):
    derivation = dk.symbolic.steps(formula.expr, formula.by)
    assert derivation.result == dk.symbolic.diff(formula.expr, formula.by)
    assert max(derivation.errors()) < 1e-6
    for shown in (derivation.text(), derivation.latex(), derivation.html()):
        assert "δ" not in shown  # every stand-in has its name


def test_a_wrong_step_is_found():
    right = dk.symbolic.steps((y - X * w).T * (y - X * w) / n, w)
    for k, step in enumerate(right):
        steps = list(right)
        steps[k] = replace(step, after=2 * step.after)
        wrong = MatrixDerivation(
            right.expr, w, steps, right.differential, right.change, right.result, right.layout
        )
        assert not wrong.check()
        assert [error > 1e-5 for error in wrong.errors()].index(True) == k
    steps = list(right)
    wrong = MatrixDerivation(
        right.expr, w, steps, right.differential, right.change, -right.result, "gradient"
    )
    assert not wrong.check()


def test_the_layout_is_stated():
    expr = b.T * X * w
    assert "the gradient has the variable's shape" in dk.symbolic.steps(expr, X).text()
    turned = dk.symbolic.steps(expr, X, layout="numerator")
    assert turned.result == w * b.T
    assert turned.check()
    assert "shape of the variable's transpose" in turned.text()
    assert "a row per element of the value" in dk.symbolic.steps(X * w, w).text()


def test_the_rules_are_those_of_the_books():
    text = dk.symbolic.steps(sympy.log(sympy.Determinant(A)), A).text()
    assert "d(log(det(x))) = trace(inv(x) @ dx)" in text
    assert "d(log(det(A))) = tr(A⁻¹ dA)" in text
    text = dk.symbolic.steps(x.T * A.I * b, A).text()
    assert "d(A⁻¹) = -A⁻¹ dA A⁻¹" in text
