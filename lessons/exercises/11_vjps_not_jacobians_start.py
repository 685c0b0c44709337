import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def matmul_vjp(g, ans, x, y):
    """x @ y, of two matrices.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, matmul(x, y).
    Returns the cotangents of x and y as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("matmul_vjp")


def add_vjp(g, ans, x, y):
    """x + y, elementwise; either may be broadcast.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, add(x, y).
    Returns the cotangents of x and y as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("add_vjp")


def relu_vjp(g, ans, x):
    """max(x, 0), elementwise.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, relu(x).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("relu_vjp")


def mean_vjp(g, ans, x, axis=None, keepdims=False):
    """The mean, of all or along axes.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, mean(x).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("mean_vjp")


def softmax_vjp(g, ans, x, axis=-1):
    """exp(x) / sum(exp(x)) along an axis.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, softmax(x).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("softmax_vjp")


def mean_squared_error_vjp(g, ans, X, w, y):
    """a = X w, b = y - a, c = b^2, L = sum(c) / N.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, mean_squared_error(X, w, y).
    Returns the cotangents of X, w and y as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("mean_squared_error_vjp")
