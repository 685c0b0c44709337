import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


class Divide:
    """x / y, elementwise, as a row of the list."""

    def func(self, x, y):
        """The value."""
        raise NotImplementedError("Divide.func")

    def grads(self, x, y):
        """The partial derivatives by x, y, in this order."""
        raise NotImplementedError("Divide.grads")


class Maximum:
    """max(x, y), elementwise, as a row of the list."""

    def func(self, x, y):
        """The value."""
        raise NotImplementedError("Maximum.func")

    def grads(self, x, y):
        """The partial derivatives by x, y, in this order."""
        raise NotImplementedError("Maximum.grads")


def neuron_forward(w0, x0, w1, x1, w2):
    """The neuron, a row a line; keep in the cache what the way back reads. Returns (out, cache); cache holds whatever neuron_backward needs."""
    raise NotImplementedError("neuron_forward")


def neuron_backward(dout, cache):
    """The cotangents of w0, x0, w1, x1 and w2 as a tuple, each of its argument's shape.

    dout is the cotangent of out.
    """
    raise NotImplementedError("neuron_backward")
