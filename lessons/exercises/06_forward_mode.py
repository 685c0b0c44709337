"""Lesson 06, forward mode: tangents beside primals"""

import numpy as np

from diffkit import programs
from diffkit.grading import Case, Exercise
from diffkit.grading.draws import normal, positive


def two_outputs(x1, x2):
    """(sin(x1 x2), x1 x2 + log x2) as one array of two, of numbers."""
    return np.stack(programs.two_outputs(x1, x2))


def normal_log_density(x, m, s):
    """The negative log density of a normal, elementwise."""
    return programs.normal_log_density(x, m, s)


exercises = [
    Exercise(
        two_outputs,
        [Case("ordinary", normal(""), positive(""))],
        style="jvp",
        summary="np.stack((sin(x1 x2), x1 x2 + log x2)), of numbers.",
        hints=("Write a row for each row of the trace; t holds the tangents of x1 and x2.",),
    ),
    Exercise(
        normal_log_density,
        [Case("ordinary", normal("n"), normal("n"), positive("n"))],
        style="jvp",
        summary="log s + log(2 pi) / 2 + ((x - m) / s)^2 / 2, elementwise.",
    ),
]
