"""Lesson 12, inside autograd: engines and a gate"""

from diffkit.grading import catalogue

exercises = [
    catalogue.exercise("backward_pass", points=2),
    catalogue.exercise("Value", points=3),
    catalogue.exercise("affine", style="gate", summary="x @ w + b, for a batch of rows."),
]
