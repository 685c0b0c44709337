"""Lesson 15, where tracing breaks: derivatives that keep their digits"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between, normal


def soft_plus(z):
    """log(1 + exp z), elementwise, without overflow."""
    return np.logaddexp(0.0, z)


def root(a):
    """The square root, elementwise."""
    return np.sqrt(a)


exercises = [
    Exercise(
        soft_plus,
        [Case("ordinary", normal("n")), Case("large", between(750.0, 900.0, "n"))],
        style="vjp",
        summary="log(1 + exp z), elementwise, for z of any size: exp(800) is inf.",
        hints=("Divide numerator and denominator by exp z.",),
    ),
    Exercise(
        root,
        [Case("ordinary", between(0.5, 4.0, "n"))],
        style="vjp",
        summary="The root of a, elementwise; y² = a tells its derivative, whatever loop has found it.",
    ),
]
