"""MiniTorch: functions of scalars with static methods, a context with saved_values, and modules to import."""

import numpy as np

from diffkit.grading import Case, Exercise, draws

adapter = "minitorch_adapter.py"


def mul(a, b):
    return a * b


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0.0)


scalar = draws.normal("")
exercises = [
    Exercise(mul, [Case("scalars", scalar, scalar)], style="context"),
    Exercise(sigmoid, [Case("a scalar", scalar)], style="context"),
    Exercise(relu, [Case("above", draws.positive("")), Case("a scalar", scalar)], "ReLU", style="context"),
]
