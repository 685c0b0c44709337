"""Lesson 08, reuse: every use sends a message back, and messages add up"""

import numpy as np

from diffkit import programs
from diffkit.grading import Case, Exercise, catalogue
from diffkit.grading.draws import normal, positive


def reuse(x):
    """a = x^2, b = 5a, c = log a, g = b c, L = -g, elementwise."""
    return programs.reuse(x)


def total_derivative(x):
    """f(y, z) = y z^2 with y = 2x and z = exp x, elementwise."""
    return programs.total_derivative(x)


def gram(X):
    """X^T X: the same matrix as both operands."""
    return np.transpose(X) @ X


exercises = [
    Exercise(
        reuse,
        [Case("ordinary", positive("n")), Case("one number", positive(""))],
        style="pair",
        summary="a = x^2, b = 5a, c = log a, g = b c, L = -g, elementwise.",
    ),
    Exercise(
        total_derivative,
        [Case("ordinary", normal("n"))],
        summary="f(y, z) = y z^2 with y = 2x and z = exp x, elementwise: the total derivative by x.",
    ),
    Exercise(
        gram,
        [Case("rectangular", normal("nm")), Case("square", normal("nn")), Case("one row", normal("1n"))],
        summary="X^T X: the same matrix as both operands.",
        hints=("Write the rule for A B with A = X^T and B = X, and bring both messages back to X.",),
    ),
    catalogue.exercise("gather", summary="x[indices]; indices may repeat."),
]
