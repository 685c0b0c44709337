import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def reuse_forward(x):
    """a = x^2, b = 5a, c = log a, g = b c, L = -g, elementwise. Returns (out, cache); cache holds whatever reuse_backward needs."""
    raise NotImplementedError("reuse_forward")


def reuse_backward(dout, cache):
    """The cotangent of x, of its shape.

    dout is the cotangent of out.
    """
    raise NotImplementedError("reuse_backward")


def total_derivative_vjp(g, ans, x):
    """f(y, z) = y z^2 with y = 2x and z = exp x, elementwise: the total derivative by x.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, total_derivative(x).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("total_derivative_vjp")


def gram_vjp(g, ans, X):
    """X^T X: the same matrix as both operands.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, gram(X).
    Returns the cotangent of X, of its shape.
    """
    raise NotImplementedError("gram_vjp")


def gather_vjp(g, ans, x, indices):
    """x[indices]; indices may repeat.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, gather(x, indices).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("gather_vjp")
