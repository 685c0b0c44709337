# ruff: noqa: E501
"""The matrix formulas that every course's tables have, each with a NumPy program and the textbook's answer.

The truth is the gradient of the program, traced: it shares no line with the formulas but the names.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import (
    Determinant,
    DiagMatrix,
    HadamardPower,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Q,
    Trace,
    Transpose,
    exp,
    log,
    sqrt,
    tanh,
)
from sympy.matrices.expressions.diagonal import DiagonalOf

inv, det, slogdet, tr = np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.trace

n, m, k = sympy.symbols("n m k", integer=True, positive=True)
t, s = sympy.symbols("t s", positive=True)
SIZES = {n: 4, m: 3, k: 2}
A, B, C, S, D = (MatrixSymbol(name, n, n) for name in "ABCSD")
M, N = MatrixSymbol("M", n, n), MatrixSymbol("N", n, n)
X, Y = MatrixSymbol("X", n, m), MatrixSymbol("Y", n, m)
W, U = MatrixSymbol("W", n, k), MatrixSymbol("U", m, n)
V = MatrixSymbol("V", m, m)
x, y, a, b, c = (MatrixSymbol(name, n, 1) for name in "xyabc")
w, z, u = (MatrixSymbol(name, m, 1) for name in "wzu")
one, row = OneMatrix(n, 1), OneMatrix(1, n)


def Sum(e):
    """The sum of the elements of a column."""
    return OneMatrix(1, e.shape[0]) * e


def total(e):
    return OneMatrix(1, e.shape[0]) * e * OneMatrix(e.shape[1], 1)


def f(e, body):
    return e.applyfunc(body)


def sq(e):
    return Trace(e.T * e)


def sigmoid(v):
    return 1 / (1 + exp(-v))


def npsigmoid(v):
    return 1 / (1 + np.exp(-v))


@dataclass
class Formula:
    """One line of the tables.

    Attributes:
        expr: what is differentiated.
        by: the variable.
        program: the same in NumPy, by the symbols' names; columns are n x 1.
        textbook: the answer as the books write it; None where they have none.
        assumptions: what the table assumes of the matrices.
        kind: gradient, jacobian, hessian or by_scalar.
    """

    expr: Any
    by: Any
    program: Any
    textbook: Any
    assumptions: Any = True
    kind: str = "gradient"


T, I = Transpose, Inverse  # noqa: E741
sym = Q.symmetric

GRADIENTS = [
    # -- linear and bilinear forms
    Formula(a.T * x, x, lambda a, x: (a.T @ x)[0, 0], a),
    Formula(x.T * a, x, lambda a, x: (x.T @ a)[0, 0], a),
    Formula(a.T * X * z, X, lambda a, X, z: (a.T @ X @ z)[0, 0], MatMul(a, z.T)),
    Formula(z.T * X.T * b, X, lambda b, X, z: (z.T @ X.T @ b)[0, 0], MatMul(b, z.T)),
    Formula(a.T * A * a, A, lambda a, A: (a.T @ A @ a)[0, 0], MatMul(a, a.T)),
    Formula(a.T * A.T * a, A, lambda a, A: (a.T @ A.T @ a)[0, 0], MatMul(a, a.T)),
    Formula(y.T * (X * z + b), X, lambda y, X, z, b: (y.T @ (X @ z + b))[0, 0], MatMul(y, z.T)),
    Formula(y.T * (X * z + b), b, lambda y, X, z, b: (y.T @ (X @ z + b))[0, 0], y),
    Formula(y.T * (X * z + b), z, lambda y, X, z, b: (y.T @ (X @ z + b))[0, 0], MatMul(X.T, y)),
    # -- quadratic forms
    Formula(x.T * x, x, lambda x: (x.T @ x)[0, 0], MatMul(2, x)),
    Formula(x.T * A * x, x, lambda x, A: (x.T @ A @ x)[0, 0], MatMul(MatAdd(A, A.T), x)),
    Formula(x.T * S * x, x, lambda x, S: (x.T @ S @ x)[0, 0], MatMul(2, S, x), sym(S)),
    Formula(b.T * X * X.T * c, X, lambda b, X, c: (b.T @ X @ X.T @ c)[0, 0],
            MatMul(MatAdd(MatMul(b, c.T), MatMul(c, b.T)), X)),
    Formula(z.T * X.T * A * X * w, X, lambda z, X, A, w: (z.T @ X.T @ A @ X @ w)[0, 0],
            MatAdd(MatMul(A.T, X, z, w.T), MatMul(A, X, w, z.T))),
    Formula((X * z + c).T * A * (X * z + c), X, lambda X, z, c, A: ((X @ z + c).T @ A @ (X @ z + c))[0, 0],
            MatMul(MatAdd(A, A.T), MatAdd(MatMul(X, z), c), z.T)),
    Formula((x - a).T * S * (x - a), x, lambda x, a, S: ((x - a).T @ S @ (x - a))[0, 0],
            MatMul(2, S, MatAdd(x, MatMul(-1, a))), sym(S)),
    Formula((x - A * y).T * S * (x - A * y), y, lambda x, A, y, S: ((x - A @ y).T @ S @ (x - A @ y))[0, 0],
            MatMul(-2, A.T, S, MatAdd(x, MatMul(-1, A, y))), sym(S)),
    Formula((x - A * y).T * S * (x - A * y), x, lambda x, A, y, S: ((x - A @ y).T @ S @ (x - A @ y))[0, 0],
            MatMul(2, S, MatAdd(x, MatMul(-1, A, y))), sym(S)),
    Formula((x - A * y).T * S * (x - A * y), A, lambda x, A, y, S: ((x - A @ y).T @ S @ (x - A @ y))[0, 0],
            MatMul(-2, S, MatAdd(x, MatMul(-1, A, y)), y.T), sym(S)),
    Formula(x.T * A * x + b.T * x, x, lambda x, A, b: (x.T @ A @ x + b.T @ x)[0, 0],
            MatAdd(MatMul(MatAdd(A, A.T), x), b)),
    Formula(y.T * A * x, A, lambda y, A, x: (y.T @ A @ x)[0, 0], MatMul(y, x.T)),
    # -- traces, first order
    Formula(Trace(A), A, lambda A: tr(A), Identity(n)),
    Formula(Trace(U * X), X, lambda U, X: tr(U @ X), U.T),
    Formula(Trace(A * B), A, lambda A, B: tr(A @ B), B.T),
    Formula(Trace(A * X * U), X, lambda A, X, U: tr(A @ X @ U), MatMul(A.T, U.T)),
    Formula(Trace(A * B * C), B, lambda A, B, C: tr(A @ B @ C), MatMul(A.T, C.T)),
    Formula(Trace(A * B.T * C), B, lambda A, B, C: tr(A @ B.T @ C), MatMul(C, A)),
    Formula(Trace(X.T * Y), X, lambda X, Y: tr(X.T @ Y), Y),
    Formula(Trace(A * X.T.T * U), X, lambda A, X, U: tr(A @ X @ U), MatMul(A.T, U.T)),
    Formula(Trace(A * B.T), B, lambda A, B: tr(A @ B.T), A),
    # -- traces, second order
    Formula(Trace(A * A), A, lambda A: tr(A @ A), MatMul(2, A.T)),
    Formula(Trace(A * A * B), A, lambda A, B: tr(A @ A @ B), T(MatAdd(MatMul(A, B), MatMul(B, A)))),
    Formula(Trace(X.T * A * X), X, lambda X, A: tr(X.T @ A @ X), MatMul(MatAdd(A, A.T), X)),
    Formula(Trace(A * X * X.T), X, lambda X, A: tr(A @ X @ X.T), MatMul(MatAdd(A, A.T), X)),
    Formula(Trace(X * V * X.T), X, lambda X, V: tr(X @ V @ X.T), MatMul(X, MatAdd(V, V.T))),
    Formula(Trace(X.T * X), X, lambda X: tr(X.T @ X), MatMul(2, X)),
    Formula(Trace(X * X.T), X, lambda X: tr(X @ X.T), MatMul(2, X)),
    Formula(Trace(X.T * S * X), X, lambda X, S: tr(X.T @ S @ X), MatMul(2, S, X), sym(S)),
    Formula(Trace(A * B * C * B), B, lambda A, B, C: tr(A @ B @ C @ B),
            MatAdd(MatMul(A.T, B.T, C.T), MatMul(C.T, B.T, A.T))),
    Formula(Trace(A * X * V * X.T), X, lambda A, X, V: tr(A @ X @ V @ X.T),
            MatAdd(MatMul(A, X, V), MatMul(A.T, X, V.T))),
    Formula(Trace((A * X * V + Y) * (A * X * V + Y).T), X,
            lambda A, X, V, Y: tr((A @ X @ V + Y) @ (A @ X @ V + Y).T),
            MatMul(2, A.T, MatAdd(MatMul(A, X, V), Y), V.T)),
    Formula(Trace(X.T * X) * Trace(A), X, lambda X, A: tr(X.T @ X) * tr(A),
            MatMul(2 * Trace(A), X)),
    # -- traces, higher order
    Formula(Trace(A**3), A, lambda A: tr(A @ A @ A), MatMul(3, A.T**2)),
    Formula(Trace(A**4), A, lambda A: tr(A @ A @ A @ A),
            MatMul(4, A.T**3)),
    Formula(Trace(B * A**3), A, lambda A, B: tr(B @ A @ A @ A),
            T(MatAdd(MatMul(B, A**2), MatMul(A, B, A), MatMul(A**2, B)))),
    Formula(Trace(X.T * X * X.T * X), X, lambda X: tr(X.T @ X @ X.T @ X), MatMul(4, X, X.T, X)),
    Formula(Trace(V * X.T * A * X * X.T * A * X * V.T), X,
            lambda V, X, A: tr(V @ X.T @ A @ X @ X.T @ A @ X @ V.T), None),
    # -- inverses
    Formula(a.T * A.I * b, A, lambda a, A, b: (a.T @ inv(A) @ b)[0, 0],
            MatMul(-1, I(A.T), a, b.T, I(A.T))),
    Formula(Trace(A.I), A, lambda A: tr(inv(A)), MatMul(-1, I(A.T) ** 2)),
    Formula(Trace(B * A.I * C), A, lambda A, B, C: tr(B @ inv(A) @ C),
            MatMul(-1, T(MatMul(I(A), C, B, I(A))))),
    Formula(Trace(A.I * B), A, lambda A, B: tr(inv(A) @ B), MatMul(-1, I(A.T), B.T, I(A.T))),
    Formula(Trace((A + B).I), A, lambda A, B: tr(inv(A + B)), MatMul(-1, T(MatMul(I(A + B), I(A + B))))),
    Formula(Trace((X.T * C * X).I * V), X, lambda X, C, V: tr(inv(X.T @ C @ X) @ V), None),
    Formula(Trace((X.T * S * X).I * V), X, lambda X, S, V: tr(inv(X.T @ S @ X) @ V),
            MatMul(-1, S, X, I(X.T * S * X), MatAdd(V, V.T), I(X.T * S * X)), sym(S)),
    Formula(x.T * A.I * x, x, lambda x, A: (x.T @ inv(A) @ x)[0, 0], MatMul(MatAdd(I(A), I(A.T)), x)),
    Formula(x.T * S.I * x, S, lambda x, S: (x.T @ inv(S) @ x)[0, 0],
            MatMul(-1, I(S), x, x.T, I(S)), Q.positive_definite(S)),
    # -- determinants
    Formula(Determinant(A), A, lambda A: det(A), MatMul(Determinant(A), I(A.T))),
    Formula(log(Determinant(A)), A, lambda A: slogdet(A)[1], I(A.T)),
    Formula(log(sympy.Abs(Determinant(A))), A, lambda A: slogdet(A)[1], I(A.T)),
    Formula(log(Determinant(S)), S, lambda S: slogdet(S)[1], I(S), Q.positive_definite(S)),
    Formula(Determinant(A * B * C), B, lambda A, B, C: det(A @ B @ C),
            MatMul(Determinant(A * B * C), I(B.T))),
    Formula(Determinant(A**3), A, lambda A: det(A @ A @ A), MatMul(3 * Determinant(A**3), I(A.T))),
    Formula(Determinant(A.I), A, lambda A: det(inv(A)), MatMul(-1 / Determinant(A), I(A.T))),
    Formula(Determinant(X.T * X), X, lambda X: det(X.T @ X),
            MatMul(2 * Determinant(X.T * X), X, I(X.T * X))),
    Formula(log(Determinant(X.T * X)), X, lambda X: slogdet(X.T @ X)[1], MatMul(2, X, I(X.T * X))),
    Formula(Determinant(X.T * S * X), X, lambda X, S: det(X.T @ S @ X),
            MatMul(2 * Determinant(X.T * S * X), S, X, I(X.T * S * X)), sym(S)),
    Formula(Determinant(X.T * A * X), X, lambda X, A: det(X.T @ A @ X),
            MatMul(Determinant(X.T * A * X), MatAdd(MatMul(A, X, I(X.T * A * X)),
                                                    MatMul(A.T, X, I(X.T * A.T * X))))),
    Formula(log(Determinant(A + X * X.T)), X, lambda A, X: slogdet(A + X @ X.T)[1], None),
    Formula(sqrt(Determinant(A)), A, lambda A: np.sqrt(det(A)), MatMul(sqrt(Determinant(A)) / 2, I(A.T))),
    # -- norms
    Formula(sqrt(x.T * x), x, lambda x: np.sqrt(np.sum(x**2)), MatMul(1 / sqrt(Trace(x.T * x)), x)),
    Formula(sqrt((x - a).T * (x - a)), x, lambda x, a: np.sqrt(np.sum((x - a) ** 2)),
            MatMul(1 / sqrt(Trace((x - a).T * (x - a))), MatAdd(x, MatMul(-1, a)))),
    Formula(sqrt(sq(X)), X, lambda X: np.sqrt(np.sum(X**2)), MatMul(1 / sqrt(Trace(X.T * X)), X)),
    Formula(sq(X - Y) / 2 + sq(X) / 2, X, lambda X, Y: np.sum((X - Y) ** 2) / 2 + np.sum(X**2) / 2,
            MatAdd(MatMul(2, X), MatMul(-1, Y))),
    Formula(sq(X) + sq(Y), X, lambda X, Y: np.sum(X**2) + np.sum(Y**2), MatMul(2, X)),
    Formula(sq(X * V - Y), X, lambda X, V, Y: np.sum((X @ V - Y) ** 2),
            MatMul(2, MatAdd(MatMul(X, V), MatMul(-1, Y)), V.T)),
    Formula(sq(X * V - Y), V, lambda X, V, Y: np.sum((X @ V - Y) ** 2),
            MatMul(2, X.T, MatAdd(MatMul(X, V), MatMul(-1, Y)))),
    # -- least squares and friends
    Formula((y - X * w).T * (y - X * w) / n, w, lambda y, X, w: np.sum((y - X @ w) ** 2) / 4,
            MatMul(-2 / n, X.T, MatAdd(y, MatMul(-1, X, w)))),
    Formula((y - X * w).T * (y - X * w) / n, X, lambda y, X, w: np.sum((y - X @ w) ** 2) / 4,
            MatMul(-2 / n, MatAdd(y, MatMul(-1, X, w)), w.T)),
    Formula((X * w - y).T * (X * w - y) + t * w.T * w, w,
            lambda X, w, y, t: np.sum((X @ w - y) ** 2) + t * np.sum(w**2),
            MatAdd(MatMul(2, X.T, MatAdd(MatMul(X, w), MatMul(-1, y))), MatMul(2 * t, w))),
    Formula((X * w - y).T * S * (X * w - y), w, lambda X, w, y, S: ((X @ w - y).T @ S @ (X @ w - y))[0, 0],
            MatMul(2, X.T, S, MatAdd(MatMul(X, w), MatMul(-1, y))), sym(S)),
    Formula(sq(X - W * W.T * X), W, lambda X, W: np.sum((X - W @ W.T @ X) ** 2), None),
    Formula(sq(A - X * U), X, lambda A, X, U: np.sum((A - X @ U) ** 2),
            MatMul(-2, MatAdd(A, MatMul(-1, X, U)), U.T)),
    Formula(sq(A - X * U), U, lambda A, X, U: np.sum((A - X @ U) ** 2),
            MatMul(-2, X.T, MatAdd(A, MatMul(-1, X, U)))),
    Formula(Trace(x.T * A * x) / Trace(x.T * x), x,
            lambda x, A: (x.T @ A @ x)[0, 0] / np.sum(x**2), None),
    Formula(log(Determinant(S)) + Trace(S.I * B), S, lambda S, B: slogdet(S)[1] + tr(inv(S) @ B), None,
            Q.positive_definite(S)),
    # -- elementwise functions and layers
    Formula(Sum(f(x, exp)), x, lambda x: np.sum(np.exp(x)), f(x, exp)),
    Formula(Sum(f(x, sympy.sin)), x, lambda x: np.sum(np.sin(x)), f(x, sympy.cos)),
    Formula(total(f(X, tanh)), X, lambda X: np.sum(np.tanh(X)), f(X, lambda v: 1 - tanh(v) ** 2)),
    Formula(y.T * f(X * z + b, sympy.sin), X, lambda y, X, z, b: np.sum(y * np.sin(X @ z + b)),
            MatMul(HadamardProduct(y, f(X * z + b, sympy.cos)), z.T)),
    Formula(y.T * f(X * z + b, tanh), z, lambda y, X, z, b: np.sum(y * np.tanh(X @ z + b)),
            MatMul(X.T, HadamardProduct(y, f(X * z + b, lambda v: 1 - tanh(v) ** 2)))),
    Formula(Sum(f(X * w, sigmoid)), w, lambda X, w: np.sum(npsigmoid(X @ w)),
            MatMul(X.T, f(X * w, lambda v: exp(-v) / (1 + exp(-v)) ** 2))),
    Formula(Sum(f(HadamardProduct(y, X * w), lambda v: log(1 + exp(-v)))), w,
            lambda y, X, w: np.sum(np.log1p(np.exp(-y * (X @ w)))),
            MatMul(-1, X.T, HadamardProduct(y, f(HadamardProduct(y, X * w), lambda v: 1 / (1 + exp(v)))))),
    Formula(log(Sum(f(x, exp))), x, lambda x: np.log(np.sum(np.exp(x))),
            MatMul(1 / Trace(row * f(x, exp)), f(x, exp))),
    Formula(log(Trace(Sum(f(x, exp)))) - Trace(y.T * x), x, lambda x, y: np.log(np.sum(np.exp(x))) - np.sum(y * x),
            MatAdd(MatMul(1 / Trace(row * f(x, exp)), f(x, exp)), MatMul(-1, y))),
    Formula(Trace(HadamardProduct(X, Y).T * X), X, lambda X, Y: np.sum(X * Y * X),
            MatMul(2, HadamardProduct(X, Y))),
    Formula(total(HadamardPower(X, 3)), X, lambda X: np.sum(X**3), MatMul(3, HadamardPower(X, 2))),
    Formula(Sum(HadamardPower(A * x - b, 2)), x, lambda A, x, b: np.sum((A @ x - b) ** 2),
            MatMul(2, A.T, MatAdd(MatMul(A, x), MatMul(-1, b)))),
    Formula(a.T * f(X * f(V * z, tanh), tanh), V, lambda a, X, V, z: np.sum(a * np.tanh(X @ np.tanh(V @ z))), None),
    Formula(sq(X * w * OneMatrix(1, k) - W), W, lambda X, w, W: np.sum((X @ w - W) ** 2),
            MatMul(-2, MatAdd(MatMul(X, w, OneMatrix(1, k)), MatMul(-1, W)))),
    Formula(sq(X * V + one * z.T - Y), z, lambda X, V, z, Y: np.sum((X @ V + z.T - Y) ** 2),
            MatMul(2, T(MatAdd(MatMul(X, V), MatMul(one, z.T), MatMul(-1, Y))), one)),
    # -- diagonals
    Formula(Trace(A * DiagMatrix(x)), x, lambda A, x: np.sum(np.diagonal(A)[:, None] * x), DiagonalOf(A)),
    Formula(y.T * DiagMatrix(x) * a, x, lambda y, x, a: np.sum(y * x * a), HadamardProduct(y, a)),
    Formula(Trace(X.T * DiagMatrix(x) * X), x, lambda X, x: np.sum(X * x * X), DiagonalOf(X * X.T)),
    Formula(b.T * DiagonalOf(A), A, lambda b, A: np.sum(b[:, 0] * np.diagonal(A)), DiagMatrix(b)),
    Formula(Trace(D * A), D, lambda D, A: np.sum(np.diagonal(D) * np.diagonal(A)), None, Q.diagonal(D)),
    # -- scalars mixed in
    Formula(sympy.sin(x.T * y), x, lambda x, y: np.sin(np.sum(x * y)), MatMul(sympy.cos(Trace(x.T * y)), y)),
    Formula(exp(-(x - a).T * S * (x - a) / 2), x, lambda x, a, S: np.exp(-((x - a).T @ S @ (x - a))[0, 0] / 2),
            None, sym(S)),
    Formula(t * x.T * A * y, x, lambda t, x, A, y: t * (x.T @ A @ y)[0, 0], MatMul(t, A, y)),
    Formula(a.T * x * x.T * b, x, lambda a, x, b: np.sum(a * x) * np.sum(x * b),
            MatMul(MatAdd(MatMul(a, b.T), MatMul(b, a.T)), x)),
]  # fmt: skip

JACOBIANS = [
    Formula(A * x, x, lambda A, x: A @ x, A, kind="jacobian"),
    Formula(X * z + b, z, lambda X, z, b: X @ z + b, X, kind="jacobian"),
    Formula(x, x, lambda x: x * 1.0, Identity(n), kind="jacobian"),
    Formula(X.T * x, x, lambda X, x: X.T @ x, X.T, kind="jacobian"),
    Formula(x.T * X, x, lambda X, x: X.T @ x, X.T, kind="jacobian"),
    Formula(HadamardProduct(x, y), x, lambda x, y: x * y, DiagMatrix(y), kind="jacobian"),
    Formula(f(x, exp), x, lambda x: np.exp(x), DiagMatrix(f(x, exp)), kind="jacobian"),
    Formula(f(X * z, tanh), z, lambda X, z: np.tanh(X @ z),
            MatMul(DiagMatrix(f(X * z, lambda v: 1 - tanh(v) ** 2)), X), kind="jacobian"),
    Formula(x * (x.T * a), x, lambda x, a: x * np.sum(x * a), MatAdd(MatMul(Trace(x.T * a), Identity(n)),
                                                                     MatMul(x, a.T)), kind="jacobian"),
    Formula((x.T * A * x) * b, x, lambda x, A, b: (x.T @ A @ x)[0, 0] * b,
            MatMul(b, x.T, MatAdd(A, A.T)), kind="jacobian"),
    Formula(A * HadamardPower(x, 2), x, lambda A, x: A @ x**2, MatMul(2, A, DiagMatrix(x)), kind="jacobian"),
    Formula(A.I * x, x, lambda A, x: inv(A) @ x, I(A), kind="jacobian"),
    Formula(f(x, exp) / Trace(Sum(f(x, exp))), x, lambda x: np.exp(x) / np.sum(np.exp(x)), None, kind="jacobian"),
    Formula(x / sqrt(Trace(x.T * x)), x, lambda x: x / np.sqrt(np.sum(x**2)), None, kind="jacobian"),
    Formula(DiagMatrix(x) * A * x, x, lambda x, A: x * (A @ x), None, kind="jacobian"),
]  # fmt: skip

HESSIANS = [
    Formula(x.T * A * x, x, lambda x, A: (x.T @ A @ x)[0, 0], MatAdd(A, A.T), kind="hessian"),
    Formula(x.T * S * x, x, lambda x, S: (x.T @ S @ x)[0, 0], MatMul(2, S), sym(S), kind="hessian"),
    Formula((X * w - y).T * (X * w - y), w, lambda X, w, y: np.sum((X @ w - y) ** 2), MatMul(2, X.T, X),
            kind="hessian"),
    Formula(Sum(f(x, exp)), x, lambda x: np.sum(np.exp(x)), DiagMatrix(f(x, exp)), kind="hessian"),
    Formula(Sum(f(X * w, lambda v: log(1 + exp(v)))), w, lambda X, w: np.sum(np.log1p(np.exp(X @ w))),
            MatMul(X.T, DiagMatrix(f(X * w, lambda v: exp(v) / (1 + exp(v)) ** 2)), X), kind="hessian"),
    Formula((x.T * x) ** 2, x, lambda x: np.sum(x**2) ** 2,
            MatAdd(MatMul(4 * Trace(x.T * x), Identity(n)), MatMul(8, x, x.T)), kind="hessian"),
    Formula(log(Sum(f(x, exp))), x, lambda x: np.log(np.sum(np.exp(x))), None, kind="hessian"),
    Formula(a.T * x, x, lambda a, x: np.sum(a * x), sympy.ZeroMatrix(n, n), kind="hessian"),
    Formula(sqrt(x.T * x), x, lambda x: np.sqrt(np.sum(x**2)), None, kind="hessian"),
]  # fmt: skip

BY_SCALARS = [
    Formula((A + t * B).I, t, lambda A, t, B: inv(A + t * B),
            MatMul(-1, I(A + t * B), B, I(A + t * B)), kind="by_scalar"),
    Formula(log(Determinant(A + t * B)), t, lambda A, t, B: slogdet(A + t * B)[1],
            Trace(I(A + t * B) * B), kind="by_scalar"),
    Formula(Determinant(A + t * B), t, lambda A, t, B: det(A + t * B),
            Determinant(A + t * B) * Trace(I(A + t * B) * B), kind="by_scalar"),
    Formula(t**2 * A, t, lambda t, A: t**2 * A, MatMul(2 * t, A), kind="by_scalar"),
    Formula(Trace((A + t * B) ** 2), t, lambda A, t, B: tr((A + t * B) @ (A + t * B)), None, kind="by_scalar"),
    Formula(f(t * X, exp), t, lambda t, X: np.exp(t * X), HadamardProduct(X, f(t * X, exp)), kind="by_scalar"),
    Formula((a + t * b).T * A * (a + t * b), t, lambda a, t, b, A: ((a + t * b).T @ A @ (a + t * b))[0, 0],
            None, kind="by_scalar"),
]  # fmt: skip

FORMULAS = [*GRADIENTS, *JACOBIANS, *HESSIANS, *BY_SCALARS]


def operations(e: Any) -> int:
    """How many operations a formula is written with: products, sums, transposes, inverses, functions."""
    if isinstance(e, sympy.Lambda):
        return max(int(e.expr.count_ops()), 1) - 1
    if isinstance(e, MatrixSymbol) or not e.args:
        return 0
    if isinstance(e, sympy.OneMatrix | sympy.ZeroMatrix | Identity):
        return 0
    inner = sum(operations(arg) for arg in e.args if not (isinstance(e, Inverse) and arg is e.args[1]))
    wide = isinstance(e, MatMul | MatAdd | HadamardProduct | sympy.Mul | sympy.Add)
    return inner + (len(e.args) - 1 if wide else 1)
