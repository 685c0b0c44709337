"""Lesson 13, higher order: the Hessian of log-sum-exp and of a valley, times a vector"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import normal, scaled


def softmax(x):
    """The gradient of log sum exp, of a vector."""
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def valley(x):
    """The gradient of Rosenbrock's sum of 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2."""
    below = x[1:] - x[:-1] ** 2
    by_first = -400.0 * x[:-1] * below - 2.0 * (1.0 - x[:-1])
    return np.concatenate([by_first, [0.0]]) + np.concatenate([[0.0], 200.0 * below])


exercises = [
    Exercise(
        softmax,
        [
            Case("ordinary", normal("n")),
            Case("one entry", normal("1")),
            Case("saturated", scaled(normal("n"), 20.0)),
        ],
        style="jvp",
        summary="The gradient of log(sum(exp(x))): its JVP is that function's Hessian times t. No matrix.",
    ),
    Exercise(
        valley,
        [Case("ordinary", normal("n")), Case("two", normal("2"))],
        style="jvp",
        summary="The gradient of the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2: its Hessian times t.",
        hints=("Each term of the sum has two variables: it gives a 2 x 2 block of the Hessian.",),
    ),
]
