"""Lesson 04, finite differences: derivatives from values of f alone"""

import numpy as np

from diffkit.grading import Case, Exercise
from diffkit.grading.draws import between


def wave(x):
    """sin(x) exp(-x), elementwise."""
    return np.sin(x) * np.exp(-x)


# From 1.2 to 2 the derivative is nowhere near 0, so that it is h that decides the error of a difference:
# measured, all h from 1e-6 to 2e-5 pass, 1e-7 and 5e-5 never. No cos: the formula is not what is asked for.
# hint_level 0: what is wrong with a step is not what is wrong with a rule.
ladder = [Case("ordinary", between(1.2, 2.0, "n")), Case("one number", between(1.2, 2.0, ""))]

exercises = [
    Exercise(
        wave,
        ladder,
        name="central",
        style="partials",
        rtol=5e-11,
        forbidden=("cos",),
        hint_level=0,
        summary="sin(x) exp(-x), elementwise; its derivative to 9 digits by central differences, no cos.",
        hints=("h too large: the error grows like h^2. h too small: like 1e-16 / h. Print it for some h.",),
    ),
    Exercise(
        wave,
        ladder,
        name="complex_step",
        style="partials",
        forbidden=("cos",),
        hint_level=0,
        summary="sin(x) exp(-x), elementwise; its derivative to all digits by the complex step, no cos.",
        hints=(
            "f(x + ih) = f(x) + ih f'(x) - ...: the derivative is in the imaginary part, and nothing is "
            "subtracted.",
        ),
    ),
]
