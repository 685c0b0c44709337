"""Lesson 10b, matrices: gradients in one line"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import invertible, normal


def bilinear(v, W, y):
    """v^T W y."""
    return v @ W @ y


def quadratic(x, A):
    """x^T A x; A need not be symmetric."""
    return x @ A @ x


def log_determinant(A):
    """log |det A|."""
    return np.linalg.slogdet(A)[1]


def projection_error(X, W):
    """The sum of the squares of X - W W^T X."""
    return np.sum((X - W @ W.T @ X) ** 2)


exercises = [
    Exercise(
        bilinear,
        [
            Case("ordinary", normal("m"), normal("mn"), normal("n")),
            Case("one row", *map(normal, ("1", "1n", "n"))),
        ],
        summary="v @ W @ y: three gradients, each of its argument's shape.",
    ),
    Exercise(
        quadratic,
        [Case("ordinary", normal("n"), normal("nn")), Case("one", *map(normal, ("1", "11")))],
        summary="x @ A @ x: x stands in it twice, and A need not be symmetric.",
        hints=("d(xᵀ A x) = dxᵀ A x + xᵀ dA x + xᵀ A dx, and a number is its own transpose.",),
    ),
    Exercise(
        log_determinant,
        [Case("ordinary", invertible("nn")), Case("one", invertible("11"))],
        summary="np.linalg.slogdet(A)[1]: one inverse, one transpose.",
    ),
    Exercise(
        projection_error,
        [Case("ordinary", normal("mn"), normal("mk")), Case("one column", *map(normal, ("mn", "m1")))],
        summary="np.sum((X - W @ W.T @ X) ** 2): name the residual first.",
        points=2,
    ),
]
