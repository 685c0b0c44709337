import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def two_layer_linear_vjp(g, ans, W, x, v):
    """v . (W x), of W, x and v: a number.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, two_layer_linear(W, x, v).
    Returns the cotangents of W, x and v as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("two_layer_linear_vjp")


def network_vjp(g, ans, A, B, C, x):
    """C tanh(B tanh(A x)). On the way back no matrix is multiplied by a matrix.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, network(A, B, C, x).
    Returns the cotangents of A, B, C and x as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("network_vjp")
