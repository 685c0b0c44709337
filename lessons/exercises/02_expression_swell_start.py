import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


class Logistic:
    """The logistic map's iterate number `length`, by a loop that makes both, and no formula."""

    def func(self, x, length=4):
        """The value."""
        raise NotImplementedError("Logistic.func")

    def grads(self, x, length=4):
        """The partial derivatives by x, in this order."""
        raise NotImplementedError("Logistic.grads")


def soft_relu_vjp(g, ans, w, x, depth=1):
    """log(1 + exp(w x)) nested `depth` times, w and x numbers: w is used in every layer.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, soft_relu(w, x).
    Returns the cotangents of w and x as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("soft_relu_vjp")
