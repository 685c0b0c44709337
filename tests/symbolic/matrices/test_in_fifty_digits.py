"""Every formula of the tables, and what others have written down, at random shapes in fifty digits.

The truth is the traced gradient: the expression as a NumPy program (`by_numpy.py`), traced, its reverse sweep
replayed on numbers of fifty digits. SymPy's own tests of matrix derivatives are read from where it is
installed.
"""

import ast
import inspect
from itertools import count

import by_numpy
import formulas_of_others as others
import numpy as np
import pytest
import sympy
from by_numpy import Program, in_fifty_digits, is_matrix, one_number
from formulas_of_matrices import FORMULAS, operations
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.tests import test_derivatives as of_sympy

import diffkit as dk

KINDS = {"gradient": "g", "jacobian": "j", "hessian": "h", "by_scalar": "s"}
CASES = [("tables", KINDS[f.kind], f.by, sympy.sympify(f.expr), f.textbook, f.assumptions) for f in FORMULAS]
CASES += others.lines()


def of_sympys_tests():
    """The expressions that SymPy's tests differentiate, each with what by."""
    tests = ast.parse(inspect.getsource(of_sympy)).body
    for test in (t for t in tests if isinstance(t, ast.FunctionDef) and t.name.startswith("test_")):
        names = dict(vars(of_sympy))
        for statement in test.body:
            if isinstance(statement, ast.Assign):
                exec(compile(ast.Module([statement], []), "SymPy's tests", "exec"), names)
            for call in ast.walk(statement):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".diff") and call.args:
                    try:
                        e, by = (eval(ast.unparse(part), names) for part in (call.func.value, call.args[0]))
                    except NameError:
                        continue
                    whole = not isinstance(by, MatrixElement) and isinstance(e, sympy.Basic)
                    if whole and not e.has(sympy.Sum, MatrixElement):
                        numeric = is_matrix(e) and e.shape != (1, 1)
                        yield (
                            "SymPy",
                            "j" if numeric and is_matrix(by) else "g" if is_matrix(by) else "s",
                            by,
                            e,
                        )


def drawn(symbol, sizes, rng, given):
    if not is_matrix(symbol):
        return float(rng.uniform(0.3, 0.9))
    rows, columns = (int(sympy.sympify(size).xreplace(sizes)) for size in symbol.shape)
    value = rng.uniform(0.25, 1.25, size=(rows, columns))
    if rows == columns > 1:
        value = rng.normal(size=(rows, columns)) / 4 + 2 * np.eye(rows)
    if f"symmetric({symbol})" in str(given) or f"positive_definite({symbol})" in str(given):
        value = value @ value.T
    return np.diag(np.diag(value)) if f"diagonal({symbol})" in str(given) else value


def sizes_of(e, by, rng):
    """Random sizes; what is called m or k is less than n, so that tall matrices are tall."""
    free = {s for x in {*e.free_symbols, by} if is_matrix(x) for size in x.shape for s in size.free_symbols}
    first = int(rng.integers(3, 6))
    return {s: first if s.name == "n" else int(rng.integers(2, first)) for s in sorted(free, key=str)}


def error(kind, by, e, given, seed):
    """The largest relative difference of the formula's numbers from the traced ones, and the formula."""
    rng = np.random.default_rng(seed)
    sizes = {others.k: 3, **sizes_of(e, by, rng)}
    symbols = sorted({s for s in {*e.free_symbols, by} if s not in sizes}, key=str)
    values, place = [drawn(s, sizes, rng, given) for s in symbols], symbols.index(by)
    operator = {"h": dk.symbolic.hessian, "j": dk.symbolic.jacobian}.get(kind, dk.symbolic.diff)
    answer = operator(e, by, assumptions=given)
    program = Program(e, symbols, sizes)
    mine = np.asarray(in_fifty_digits(Program(answer, symbols, sizes), values))
    powers = [others.k] if others.k in answer.free_symbols and others.k not in symbols else []
    by_source = dk.symbolic.lambdify([*symbols, *powers], answer)(*values, *[sizes[k] for k in powers])
    assert np.allclose(by_source, np.asarray(mine, float), rtol=1e-8)
    if kind == "g":
        truth = np.asarray(by_numpy.gradient(lambda *v: one_number(program(*v)), values, place))
        truth = (
            (truth + truth.T) / 2 if f"({by})" in str(given) and truth.shape[0] == truth.shape[1] else truth
        )
        truth = truth * np.eye(len(truth)) if f"diagonal({by})" in str(given) else truth
    elif kind == "h":
        c = rng.normal(size=np.shape(values[place]))
        slope = dk.grad(lambda *v: one_number(program(*v)), place)
        truth, mine = by_numpy.gradient(lambda *v: np.sum(c * slope(*v)), values, place), mine @ c
    else:
        c = rng.normal(size=np.shape(program(*values)))
        truth = by_numpy.gradient(lambda *v: np.sum(c * program(*v)), values, place)
        mine = np.sum(c * mine) if kind == "s" else (c.reshape(1, -1) @ mine).reshape(np.shape(truth))
    truth = np.asarray(truth)
    assert mine.shape == truth.shape
    return max(
        abs(float(a - b)) / max(abs(float(b)), 1e-3) for a, b in zip(mine.flat, truth.flat, strict=True)
    ), answer


def every_third(cases):
    """All of them, two thirds only when slow tests are asked for."""
    ids = [f"{i}: {c[1]} {c[2]} {c[3]}"[:70] for i, c in zip(count(), cases)]
    slow = [[pytest.mark.slow] if i % 3 else [] for i in range(len(cases))]
    return [pytest.param(c, id=i, marks=m) for c, i, m in zip(cases, ids, slow, strict=True)]


@pytest.mark.parametrize("case", every_third(CASES))
def test_is_the_traced_derivative(case):
    _, kind, by, e, _, given = case
    wrong, answer = error(kind, by, e, given, CASES.index(case))
    assert wrong < 1e-40, answer


@pytest.mark.slow
def test_what_sympy_tests():
    """A hundred expressions of another suite: right, or refused by name."""
    right, refused = 0, []
    cases = list(dict.fromkeys(case[1:] for case in of_sympys_tests()))
    for seed, (kind, by, e) in enumerate(cases):
        try:
            wrong, answer = error(kind, by, e, True, seed)
        except (dk.InputError, dk.NoRuleError) as reason:
            refused.append((e, by, str(reason)))
            continue
        assert wrong < 1e-40, (e, by, answer)
        right += 1
    assert right >= 88, refused
    for _, _, reason in refused:
        assert "axes" in reason or "under a trace" in reason, reason


def test_answers_are_as_short_as_the_published_ones():
    ratios = []
    for _, kind, by, e, published, given in others.lines():
        if published is not None and operations(published):
            operator = {"h": dk.symbolic.hessian, "j": dk.symbolic.jacobian}.get(kind, dk.symbolic.diff)
            answer = operator(e, by, assumptions=given)
            ratios.append((operations(answer) / operations(published), str(e), str(answer)))
    assert np.median([r for r, _, _ in ratios]) <= 1.0
    assert sum(r > 1.3 for r, _, _ in ratios) <= 2, sorted(ratios)[-4:]
