"""The table of matrix derivatives: pullbacks are adjoint to differentials, and traced rules do the same."""

from collections import Counter

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Trace

import diffkit as dk
from diffkit.autodiff.notation.array_texts import array_text
from diffkit.autodiff.notation.row_texts import Notation
from diffkit.grammar import compile_text
from diffkit.matrix_calculus import MATRIX

NAMES = {
    "T": np.transpose,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "log": np.log,
    "trace": np.trace,
    "inner": lambda a, b: np.sum(a * b),
    "eye": lambda a: np.eye(len(a)),
    "diag": lambda a: np.diagflat(a),
    "diagonal": lambda a: np.diagonal(a).reshape(-1, 1),
}


@pytest.mark.parametrize("name", MATRIX)
def test_the_traced_gradient_is_the_tables(name):
    line, rng = MATRIX[name], np.random.default_rng(3)
    args = [rng.normal(size=(3, 3)) / 4 + 2 * np.eye(3) for _ in line.arguments]
    if name in ("diag", "outer"):
        args = [rng.normal(size=(3, 1)) for _ in line.arguments]
    if name == "scale":
        args[0] = 1.7
    form = compile_text(line.form, line.arguments, NAMES)
    ans = form(*args)
    g = rng.normal(size=np.shape(ans))
    for k, x in enumerate(line.arguments):
        pulled = compile_text(line.vjps[k], ("g", "ans", *line.arguments), NAMES)(g, ans, *args)
        traced = dk.grad(lambda *given: np.sum(g * form(*given)), k)(*args)
        assert np.allclose(pulled, traced, rtol=1e-12)
        dx = rng.normal(size=np.shape(args[k]))
        pushed = compile_text(line.differentials[k], (f"d{x}", "ans", *line.arguments), NAMES)(dx, ans, *args)
        assert np.isclose(np.sum(g * pushed), np.sum(pulled * dx), rtol=1e-12)


FUNCTIONS = {
    "matmul": np.matmul,
    "hadamard": np.multiply,
    "outer": np.outer,
    "transpose": np.transpose,
    "trace": np.trace,
    "diag": np.diag,
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "det": np.linalg.det,
}
X, Y = MatrixSymbol("x", 3, 3), MatrixSymbol("y", 3, 3)
u, v, G, c = MatrixSymbol("x", 3, 1), MatrixSymbol("y", 3, 1), MatrixSymbol("g", 3, 3), sympy.Symbol("g")
EXPRESSIONS = {
    "matmul": X * Y,
    "hadamard": sympy.HadamardProduct(X, Y),
    "outer": u * v.T,
    "transpose": X.T,
    "trace": Trace(X),
    "diag": sympy.DiagMatrix(u),
    "inv": X.I,
    "solve": X.I * Y,
    "det": sympy.Determinant(X),
}


def arithmetic(rows):
    """The operations of the rows that compute something; a system solved is an inverse and a product."""
    counts = Counter(row.fun.name for row in rows)
    counts += Counter({"inv": counts["solve"], "matmul": counts["solve"]})
    return {name: counts[name] for name in ("matmul", "multiply", "negative", "inv") if counts[name]}


def by_one(f, args, k):
    """The function of its k-th argument alone."""
    return lambda z: f(*args[:k], z, *args[k + 1 :])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_three_readers_do_the_same_operations(name):
    """The text itself, the traced rule, and the formula that symbolic differentiation makes of it."""
    line, rng, f = MATRIX[name], np.random.default_rng(1), FUNCTIONS[name]
    vectors, number = name in ("diag", "outer"), name in ("trace", "det")
    args = [
        rng.normal(size=3) if vectors else rng.normal(size=(3, 3)) + 3 * np.eye(3) for _ in line.arguments
    ]
    columns = [a[:, None] for a in args] if vectors else args
    ans = f(*args)
    g = 1.3 if number else rng.normal(size=ans.shape)
    symbols = [c if number else G, *((u, v) if vectors else (X, Y))[: len(args)]]
    seeded = c * EXPRESSIONS[name] if number else Trace(G.T * EXPRESSIONS[name])
    for k, text in enumerate(line.vjps):
        read = compile_text(text, ("g", "ans", *line.arguments), NAMES)
        by_text = arithmetic(dk.trace(read)(g, ans, *columns).nodes)
        t = dk.trace(by_one(f, args, k))(args[k])
        by_trace = Counter(arithmetic(t.adjoint(g).nodes)) - Counter(arithmetic(t.nodes))
        program = dk.symbolic.lambdify(symbols, dk.symbolic.diff(seeded, symbols[k + 1]))
        by_formula = arithmetic(dk.trace(program)(g, *columns).nodes)
        assert by_trace == by_text
        value = arithmetic(t.nodes) if "ans" in text and name != "det" else {}
        whole = Counter(by_text) + Counter(value)
        inverses = by_formula.pop("inv", 0), whole.pop("inv", 0)
        assert by_formula == whole, program.source
        assert inverses[0] == inverses[1] - (name == "solve" and k == 0)  # inv(x) stands there twice: once


@pytest.mark.parametrize(
    ("f", "args", "forms"),
    [
        (lambda A: np.linalg.inv(A), (np.eye(2),), ["−v₁ᵀ v̄₁ v₁ᵀ"]),
        (lambda A, b: np.linalg.solve(A, b), (np.eye(2), np.ones(2)), ["−A⁻ᵀ v̄₁ v₁ᵀ", "A⁻ᵀ v̄₁"]),
        (lambda A: np.linalg.det(A), (np.eye(2),), ["v̄₁·v₁·A⁻ᵀ"]),
        (lambda A: np.trace(A), (np.eye(2),), ["v̄₁·I"]),
        (lambda a, b: np.outer(a, b), (np.ones(2), np.ones(2)), ["v̄₁ b", "v̄₁ᵀ a"]),
        (lambda A, B: A @ B, (np.eye(2), np.eye(2)), ["v̄₁ Bᵀ", "Aᵀ v̄₁"]),
    ],
)
def test_labels_are_the_tables(f, args, forms):
    t = dk.trace(f)(*args)
    row, shown = t.nodes[-1], Notation(t)
    line = MATRIX[row.fun.name]
    assert array_text(row) == (line.form, line.vjps)
    assert [shown.contribution(row, k).text for k in range(len(args))] == forms


def test_of_stacks_the_name_is_written():
    t = dk.trace(lambda A: np.linalg.inv(A))(np.stack([np.eye(2)] * 3))
    assert array_text(t.nodes[-1]) is None
