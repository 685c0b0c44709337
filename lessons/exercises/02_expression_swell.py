"""Lesson 02, expression swell: derivatives that share instead of writing out"""

import numpy as np

from diffkit import programs
from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between, normal


def logistic(x, length=4):
    """The logistic map's iterate number ``length``, elementwise."""
    return programs.logistic_map(x, length=length)


def soft_relu(w, x, depth=1):
    """log(1 + exp(w x)), nested ``depth`` times; w is one number."""
    for _ in range(depth):
        x = np.logaddexp(0.0, w * x)
    return x


exercises = [
    Exercise(
        logistic,
        [
            Case("four", between(0.05, 0.95, "n")),
            Case("two", between(0.05, 0.95, "n"), length=2),
            Case("the first is x itself", between(0.05, 0.95, "n"), length=1),
            Case("twelve", between(0.05, 0.95, "n"), length=12),
        ],
        style="partials",
        summary="The logistic map's iterate number `length`, by a loop that makes both, and no formula.",
        hints=("Keep l and dl/dx side by side; each turn of the loop makes both of the next iterate.",),
    ),
    Exercise(
        soft_relu,
        [
            Case("once", normal(""), normal("")),
            Case("five times", between(0.5, 1.5, ""), normal(""), depth=5),
            Case("negative w", between(-1.5, -0.5, ""), normal(""), depth=3),
        ],
        style="vjp",
        summary="log(1 + exp(w x)) nested `depth` times, w and x numbers: w is used in every layer.",
        hints=("Run forward once more and keep every layer's input; then go backward through the layers.",),
    ),
]
