"""Lesson 03, programs, not formulas: a branch, and a loop that ends when a value says so"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import at, normal, positive, scaled


def huber(r):
    """r^2 / 2 where |r| <= 1, else |r| - 1/2, elementwise."""
    return np.where(np.abs(r) <= 1.0, r**2 / 2, np.abs(r) - 0.5)


def root(a):
    """The square root of one number by Newton's method."""
    y = a
    while abs(y * y - a) > 1e-12 * a:
        y = (y + a / y) / 2
    return y


def exact_root_vjp(g, ans, a):
    """What the loop converges to."""
    return g / (2 * np.sqrt(a))


exercises = [
    Exercise(
        huber,
        [
            Case("ordinary", normal("n")),
            Case("rectangular", normal("nm")),
            Case("where the pieces meet", at(-1.0, 0.5, 1.0, 3.0)),
            Case("large", scaled(normal("n"), 1e6)),
        ],
        summary="r^2 / 2 where |r| <= 1, else |r| - 1/2, elementwise.",
    ),
    Exercise(
        root,
        [Case("ordinary", positive("")), Case("large", scaled(positive(""), 1e6))],
        style="partials",
        reference=exact_root_vjp,
        rtol=1e-6,
        forbidden=("sqrt", "pow"),
        summary="sqrt(a) by Newton's method, `while abs(y * y - a) > 1e-12 * a`, and dy/da by the same loop.",
        hints=("y starts as a, so dy/da starts as 1. The loop decides by y alone.",),
    ),
]
