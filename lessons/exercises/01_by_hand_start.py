import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def affine_vjp(g, ans, W, y, b):
    """z = W y + b, for a vector y.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, affine(W, y, b).
    Returns the cotangents of W, y and b as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("affine_vjp")


def divergence_vjp(g, ans, p, t):
    """KL(t || p), by p; t stays.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, divergence(p, t).
    Returns the cotangent of p, of its shape.
    """
    raise NotImplementedError("divergence_vjp")


def sigmoid_divergence_vjp(g, ans, z, t):
    """KL(t || sigmoid(z)), by z; two factors cancel.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, sigmoid_divergence(z, t).
    Returns the cotangent of z, of its shape.
    """
    raise NotImplementedError("sigmoid_divergence_vjp")
