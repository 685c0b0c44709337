"""Lesson 09, forward or reverse: the cheaper mode for each, and a reverse sweep that remembers less"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between, normal


def curve(s, count=200):
    """sin(s), sin(2 s), ..., sin(count s): one input, many outputs."""
    return np.sin(s * np.arange(1.0, count + 1.0))


def energy(x):
    """The sum of x_i^2 x_{i+1}: many inputs, one output."""
    return np.sum(x[:-1] ** 2 * x[1:])


def layers(x, length=9):
    """x -> tanh(1.01 x + 0.1 sin x), ``length`` times."""
    for _ in range(length):
        x = np.tanh(1.01 * x + 0.1 * np.sin(x))
    return x


exercises = [
    Exercise(
        curve,
        [Case("ordinary", normal("")), Case("few", normal(""), count=3)],
        style="jvp",
        summary="np.sin(s * np.arange(1.0, count + 1.0)), s a number: one sweep for all outputs.",
    ),
    Exercise(
        energy,
        [Case("ordinary", normal("n")), Case("two", normal("2"))],
        summary="np.sum(x[:-1] ** 2 * x[1:]): one sweep for all inputs.",
        hints=("An inner entry is used twice: once squared, once not.",),
    ),
    Exercise(
        layers,
        [
            Case("nine", between(-1.0, 1.0, "n")),
            Case("ten", between(-1.0, 1.0, "n"), length=10),
            Case("one", between(-1.0, 1.0, "n"), length=1),
        ],
        style="pair",
        summary="x -> tanh(1.01 x + 0.1 sin x), `length` times. Keep every third x only.",
        hints=("On the way back, compute the two values after a kept one again, and go back through three.",),
    ),
]
