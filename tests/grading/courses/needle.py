"""needle (dlsys): operations with constructors, compute and gradient, which import their base class."""

import numpy as np

from diffkit.grading import Case, Exercise, draws

adapter = "needle_adapter.py"


def power_scalar(a, scalar):
    return a**scalar


def matmul(a, b):
    return a @ b


def summation(a, axes=None):
    return np.sum(a, axis=axes)


n = draws.normal
powers = [Case("squares", n("nm"), scalar=2), Case("cubes", n("n"), scalar=3)]
sums = [Case("rows", n("nm"), axes=(1,)), Case("all", n("nm"), axes=None)]
exercises = [
    Exercise(power_scalar, powers, style="op", constructor=("scalar",)),
    Exercise(matmul, [Case("matrices", n("nm"), n("mk"))], "mat_mul", style="op"),
    Exercise(summation, sums, style="op", constructor=("axes",)),
]
