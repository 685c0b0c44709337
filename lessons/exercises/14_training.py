"""Lesson 14, training: the layers of the digit classifier"""

import numpy as np

from diffkit.grading import Case, Exercise, catalogue
from diffkit.grading.draws import normal


def layer(X, W, b):
    """max(X W^T + b, 0), for a batch of rows."""
    return np.maximum(X @ np.transpose(W) + b, 0.0)


exercises = [
    Exercise(
        layer,
        [
            Case("a batch", normal("kn"), normal("mn"), normal("m")),
            Case("one row", normal("1n"), normal("mn"), normal("m")),
            Case("square", normal("nn"), normal("nn"), normal("n")),
        ],
        style="pair",
        points=2,
        summary="max(X W^T + b, 0), for a batch of rows.",
    ),
    catalogue.exercise("cross_entropy", points=2),
    catalogue.exercise("dropout"),
]
