"""Lesson 11, VJPs, not Jacobians: rules for layers"""

from diffkit import programs
from diffkit.grading import Case, Exercise, catalogue
from diffkit.grading.draws import normal


def mean_squared_error(X, w, y):
    """a = X w, b = y - a, c = b^2, L = sum(c) / N."""
    return programs.mean_squared_error(X, w, y)


exercises = [
    catalogue.exercise("matmul", points=2),
    catalogue.exercise("add", summary="x + y, elementwise; either may be broadcast."),
    catalogue.exercise("relu"),
    catalogue.exercise("mean"),
    catalogue.exercise("softmax", points=2),
    Exercise(
        mean_squared_error,
        [
            Case("ordinary", normal("nm"), normal("m"), normal("n")),
            Case("one row", *map(normal, ("1m", "m", "1"))),
        ],
        summary="a = X w, b = y - a, c = b^2, L = sum(c) / N.",
    ),
]
