import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def backward_pass(g, end_node):
    """The adjoint of the start node, if g is that of end_node.

    A node has .value, .fun, .args, .parents (a tuple of nodes, repeats kept), and .vjps: for each
    parent the function that takes the node's adjoint to what it contributes to the parent's. The
    start node is the one without parents.
    """
    raise NotImplementedError("backward_pass")


class Value:
    """A number that remembers how it was computed.

    data: the number. grad: d(end) / d(self), after end.backward().
    """

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    # + - * / and unary minus, with constants on either side; ** with a constant exponent.

    def backward(self):
        """Sets grad of everything that self was computed from."""
        raise NotImplementedError("Value.backward")


class Affine:
    """x @ w + b, for a batch of rows."""

    def forward(self, x, w, b):
        """The value. Keep on self what backward needs."""
        raise NotImplementedError("Affine.forward")

    def backward(self, g):
        """The cotangents of x, w and b as a tuple, each of its argument's shape.

        g is the cotangent of what forward returned.
        """
        raise NotImplementedError("Affine.backward")
