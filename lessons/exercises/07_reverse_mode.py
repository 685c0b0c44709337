"""Lesson 07, reverse mode: the same programs, read upward"""

import numpy as np

from diffkit import programs
from diffkit.grading import Case, Exercise
from diffkit.grading.draws import normal, positive


def two_outputs(x1, x2):
    """(sin(x1 x2), x1 x2 + log x2) as one array of two, of numbers."""
    return np.stack(programs.two_outputs(x1, x2))


def log_sin_max(x1, x2, x3):
    """2 log(x1 + sin x1) max(x2, x3), on numbers."""
    return programs.log_sin_max(x1, x2, x3)


exercises = [
    Exercise(
        two_outputs,
        [Case("ordinary", normal(""), positive(""))],
        summary="np.stack((sin(x1 x2), x1 x2 + log x2)), of numbers; g has an entry for each output.",
        hints=("The product a = x1 x2 is used by both outputs: its adjoint has two parts.",),
    ),
    Exercise(
        log_sin_max,
        [Case("ordinary", positive(""), normal(""), normal(""))],
        summary="2 log(x1 + sin x1) max(x2, x3), of numbers.",
        hints=("x1 is used twice; max hands its adjoint to the larger one.",),
    ),
]
