"""Lesson 04, finite differences: derivatives from values of f alone"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between


def wave(x):
    """sin(x) exp(-x), elementwise."""
    return np.sin(x) * np.exp(-x)


ladder = [Case("ordinary", between(0.2, 2.0, "n")), Case("one number", between(0.2, 2.0, ""))]

exercises = [
    Exercise(
        wave,
        ladder,
        name="central",
        style="partials",
        rtol=1e-8,
        summary="sin(x) exp(-x), elementwise; its derivative by central differences, to 8 digits.",
        hints=("The best h is near the third root of 3 times 1e-16, not near 1e-16.",),
    ),
    Exercise(
        wave,
        ladder,
        name="complex_step",
        style="partials",
        summary="sin(x) exp(-x), elementwise; its derivative by the complex step, to all digits.",
        hints=("NumPy's sin and exp take complex numbers. Nothing is subtracted, so h = 1e-100 will do.",),
    ),
]
