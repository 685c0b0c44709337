"""Lesson 01, by hand: an affine layer and the recogniser's last steps"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between, fixed, normal, positive


def affine(W, y, b):
    """z = W y + b, for a vector y."""
    return W @ y + b


def divergence(p, t):
    """KL(t || p) for two outcomes: t log(t / p) + (1 - t) log((1 - t) / (1 - p)), elementwise."""
    return t * np.log(t / p) + (1 - t) * np.log((1 - t) / (1 - p))


def sigmoid_divergence(z, t):
    """The same divergence of p = sigmoid(z)."""
    return t * np.log(t) + (1 - t) * np.log(1 - t) + np.logaddexp(0.0, z) - t * z


probability = fixed(between(0.05, 0.95, "n"))

exercises = [
    Exercise(
        affine,
        [
            Case("ordinary", normal("mn"), normal("n"), normal("m")),
            Case("one output", normal("1n"), normal("n"), normal("1")),
        ],
        summary="z = W y + b, for a vector y.",
        hints=("The dimensions leave no other choice: the cotangent of W is (m, n), g is (m,), y is (n,).",),
    ),
    Exercise(
        divergence,
        [Case("ordinary", between(0.05, 0.95, "n"), probability)],
        summary="KL(t || p), by p; t stays.",
    ),
    Exercise(
        sigmoid_divergence,
        [
            Case("ordinary", normal("n"), probability),
            Case("saturated", positive("n"), fixed(between(0.001, 0.01, "n"))),
        ],
        summary="KL(t || sigmoid(z)), by z; two factors cancel.",
    ),
]
