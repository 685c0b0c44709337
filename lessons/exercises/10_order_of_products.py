"""Lesson 10, the order of products: backward with vectors only"""

import numpy as np

from diffkit import programs
from diffkit.grading import Case, Exercise
from diffkit.grading.draws import normal


def two_layer_linear(W, x, v):
    """y = W x, z = v . y."""
    return programs.two_layer_linear(W, x, v)


def network(A, B, C, x):
    """C tanh(B tanh(A x))."""
    return C @ np.tanh(B @ np.tanh(A @ x))


exercises = [
    Exercise(
        two_layer_linear,
        [
            Case("ordinary", normal("mn"), normal("n"), normal("m")),
            Case("one by one", *map(normal, ("11", "1", "1"))),
        ],
        summary="v . (W x), of W, x and v: a number.",
    ),
    Exercise(
        network,
        [
            Case("ordinary", normal("kn"), normal("lk"), normal("ml"), normal("n")),
            Case("square", normal("nn"), normal("nn"), normal("nn"), normal("n")),
            Case("a bottleneck", normal("1n"), normal("l1"), normal("ml"), normal("n")),
        ],
        summary="C tanh(B tanh(A x)). On the way back no matrix is multiplied by a matrix.",
    ),
]
