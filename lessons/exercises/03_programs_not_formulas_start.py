import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def huber_vjp(g, ans, r):
    """r^2 / 2 where |r| <= 1, else |r| - 1/2, elementwise.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, huber(r).
    Returns the cotangent of r, of its shape.
    """
    raise NotImplementedError("huber_vjp")


class Root:
    """sqrt(a) by Newton's method, `while abs(y * y - a) > 1e-12 * a`, and dy/da by the same loop."""

    def func(self, a):
        """The value."""
        raise NotImplementedError("Root.func")

    def grads(self, a):
        """The partial derivatives by a, in this order."""
        raise NotImplementedError("Root.grads")
