"""Lesson 05, the Wengert list: what a row must know, and a program as rows"""

import numpy as np

from diffkit.grading import Case, Exercise, catalogue
from diffkit.grading.draws import normal


def neuron(w0, x0, w1, x1, w2):
    """1 / (1 + exp(-(w0 x0 + w1 x1 + w2))), on numbers."""
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


exercises = [
    catalogue.exercise("divide", style="partials", summary="x / y, elementwise, as a row of the list."),
    catalogue.exercise("maximum", style="partials", summary="max(x, y), elementwise, as a row of the list."),
    Exercise(
        neuron,
        [Case("ordinary", *(normal("") for _ in range(5)))],
        style="pair",
        summary="The neuron, a row a line; keep in the cache what the way back reads.",
    ),
]
