"""Every formula of the tables, at random shapes, against the traced gradient of a NumPy program."""

import inspect
import statistics
from itertools import count

import numpy as np
import pytest
import sympy
from formulas_of_matrices import FORMULAS, SIZES, operations

import diffkit as dk
from diffkit.symbolic.matrices import source


def draw(symbol, formula, rng):
    if not isinstance(symbol, sympy.MatrixSymbol):
        return float(rng.uniform(0.3, 0.9))
    rows, columns = (SIZES.get(size, size) for size in symbol.shape)
    value = rng.normal(size=(int(rows), int(columns)))
    if rows == columns:
        value = value / 3 + 2 * np.eye(int(rows))
    assumptions = str(formula.assumptions)
    if f"({symbol.name})" in assumptions:
        value = np.diag(np.diag(value)) if "diagonal" in assumptions else value @ value.T
    return value


def answer_of(formula):
    given = {"assumptions": formula.assumptions}
    if formula.kind == "hessian":
        return dk.symbolic.hessian(formula.expr, formula.by, **given)
    if formula.kind == "jacobian":
        return dk.symbolic.jacobian(formula.expr, formula.by, **given)
    return dk.symbolic.diff(formula.expr, formula.by, **given)


def truth_of(formula, values):
    names = list(inspect.signature(formula.program).parameters)
    k = names.index(str(formula.by))
    args = [values[name] for name in names]
    if formula.kind == "gradient":
        g = dk.grad(formula.program, k)(*args)
        if "positive_definite" in str(formula.assumptions):
            g = (g + g.T) / 2
        return np.diag(np.diag(g)) if "diagonal" in str(formula.assumptions) else g
    size = np.size(values[str(formula.by)])
    if formula.kind == "hessian":
        return dk.hessian(formula.program, k)(*args).reshape(size, size)
    j = dk.jacobian(formula.program, k)(*args)
    if formula.kind == "jacobian":
        return np.reshape(j, (-1, size))
    return j


def close(mine, truth):
    return np.shape(mine) == np.shape(truth) and np.allclose(
        np.asarray(mine, float), truth, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize(
    "formula", FORMULAS, ids=[f"{i}: d({f.expr})/d{f.by}"[:70] for i, f in zip(count(), FORMULAS)]
)
def test_is_the_traced_derivative(formula):
    rng = np.random.default_rng(7)
    names = list(inspect.signature(formula.program).parameters)
    symbols = {s.name: s for s in formula.expr.free_symbols}
    values = {name: draw(symbols[name], formula, rng) for name in names}
    answer = answer_of(formula)
    if formula.kind == "gradient":
        assert answer.shape == formula.by.shape
    args = [symbols[name] for name in names]
    mine = source.function([answer], args)(*[values[name] for name in names])
    assert close(mine, truth_of(formula, values)), f"{answer}\n{mine}\n{truth_of(formula, values)}"


def test_are_as_short_as_the_books():
    ratios = []
    for formula in FORMULAS:
        if formula.textbook is not None and operations(formula.textbook):
            ratios.append((operations(answer_of(formula)) / operations(formula.textbook), formula))
    worst = [
        (round(r, 2), f.expr, answer_of(f), f.textbook) for r, f in sorted(ratios, key=lambda p: -p[0])[:12]
    ]
    assert statistics.median(r for r, _ in ratios) <= 1.0, worst
    assert sum(r > 1.3 for r, _ in ratios) <= 4, "\n".join(map(str, worst))
