"""Products of vectors and matrices, and linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import enter
from diffkit.grading.draws import Draw, between, invertible, normal, scaled
from diffkit.grading.exercises.exercise import Case, Misconception

Array = Any


def matmul(x: Array, y: Array) -> Array:
    """x @ y, of two matrices."""
    return x @ y


def batched_matmul(x: Array, y: Array) -> Array:
    """x @ y, of stacks of matrices, with broadcasting over the stack."""
    return x @ y


def matvec(a: Array, x: Array) -> Array:
    """a @ x, of a matrix and a vector."""
    return a @ x


def dot(x: Array, y: Array) -> Array:
    """The dot product of two vectors."""
    return np.dot(x, y)


def affine(x: Array, w: Array, b: Array) -> Array:
    """An affine layer: x @ w + b, for a batch of rows x."""
    return x @ w + b


def outer(x: Array, y: Array) -> Array:
    """The outer product of two vectors."""
    return np.outer(x, y)


def solve(a: Array, b: Array) -> Array:
    """The solution of a x = b, for a matrix or vector b."""
    return np.linalg.solve(a, b)


def inverse(a: Array) -> Array:
    """The inverse of a matrix."""
    return np.linalg.inv(a)


def determinant(a: Array) -> Array:
    """The determinant of a matrix."""
    return np.linalg.det(a)


def multigammaln(a: Array, d: int = 2) -> Array:
    """The logarithm of the multivariate gamma function of order d, elementwise."""
    from scipy.special import gammaln

    terms = sum(gammaln(a - j / 2) for j in range(d))
    return d * (d - 1) / 4 * np.log(np.pi) + terms


def _products(*shapes: tuple[str, str, str]) -> list[Case]:
    cases = [Case(name, normal(x), normal(y)) for name, x, y in shapes]
    _, x, y = shapes[0]
    return [
        *cases,
        Case("large", scaled(normal(x), 1e6), scaled(normal(y), 1e6)),
        Case("tiny", scaled(normal(x), 1e-6), scaled(normal(y), 1e-6)),
        Case("unlike sizes", scaled(normal(x), 1e6), scaled(normal(y), 1e-6)),
    ]


def _matrices(kind: Draw, *more: Case) -> list[Case]:
    return [
        Case("2 by 2", invertible("22")),
        Case("square", kind),
        Case("1 by 1", invertible("11")),
        Case("large", scaled(invertible("33"), 1e4)),
        Case("tiny", scaled(invertible("33"), 1e-4)),
        *more,
    ]


def _solve_mistake(g: Array, ans: Array, a: Array, b: Array) -> tuple[Array, Array]:
    db = np.linalg.solve(a.T, g)
    n = len(a)
    return -np.reshape(db, (n, -1)) @ np.reshape(b, (n, -1)).T, db


_SOLVE_MISTAKES = (Misconception("ans for x", _solve_mistake, "b where the solution belongs"),)

enter(
    matmul,
    _products(
        ("square", "nn", "nn"),
        ("rectangular", "nm", "mk"),
        ("row times matrix", "1m", "mk"),
        ("column times row", "n1", "1k"),
    ),
)
enter(
    batched_matmul,
    _products(
        ("square", "nn", "nn"),
        ("rectangular", "nm", "mk"),
        ("stacked", "bnm", "bmk"),
        ("stacked squares", "bnn", "bnn"),
        ("broadcast in y", "bnm", "mk"),
        ("broadcast in x", "nm", "bmk"),
        ("stack of one", "1nm", "bmk"),
    ),
)
enter(matvec, _products(("rectangular", "nm", "m"), ("square", "nn", "n"), ("one row", "1m", "m")))
enter(dot, _products(("ordinary", "n", "n"), ("one entry", "1", "1")))
enter(
    affine,
    [
        Case("rectangular", normal("nm"), normal("mk"), normal("k")),
        Case("square", normal("nn"), normal("nn"), normal("n")),
        Case("one row", normal("1m"), normal("mk"), normal("k")),
        Case("one feature", normal("n1"), normal("1k"), normal("k")),
        Case("large", scaled(normal("nm"), 1e6), normal("mk"), normal("k")),
        Case("tiny", scaled(normal("nm"), 1e-6), normal("mk"), normal("k")),
    ],
)
enter(outer, _products(("rectangular", "n", "m"), ("square", "n", "n"), ("one entry", "1", "m")))
enter(
    solve,
    [
        Case("a vector", invertible("nn"), normal("n")),
        Case("several columns", invertible("nn"), normal("nm")),
        Case("square", invertible("nn"), normal("nn")),
        Case("1 by 1", invertible("11"), normal("1")),
        Case("large", scaled(invertible("33"), 1e4), normal("3")),
        Case("tiny", scaled(invertible("33"), 1e-4), normal("3")),
    ],
    misconceptions=_SOLVE_MISTAKES,
)
enter(inverse, _matrices(invertible("nn")))
enter(determinant, _matrices(invertible("nn")))
enter(
    multigammaln,
    [
        Case("ordinary", between(1.0, 6.0, "n"), d=2),
        Case("order 3", between(1.5, 6.0, "n"), d=3),
        Case("order 1", between(0.5, 6.0, "n"), d=1),
        Case("rectangular", between(1.0, 6.0, "nm"), d=2),
        Case("0-d", between(1.0, 6.0, ""), d=2),
        Case("large", between(1e4, 1e6, "n"), d=2),
    ],
)
