import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def bilinear_vjp(g, ans, v, W, y):
    """v @ W @ y: three gradients, each of its argument's shape.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, bilinear(v, W, y).
    Returns the cotangents of v, W and y as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("bilinear_vjp")


def quadratic_vjp(g, ans, x, A):
    """x @ A @ x: x stands in it twice, and A need not be symmetric.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, quadratic(x, A).
    Returns the cotangents of x and A as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("quadratic_vjp")


def log_determinant_vjp(g, ans, A):
    """np.linalg.slogdet(A)[1]: one inverse, one transpose.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, log_determinant(A).
    Returns the cotangent of A, of its shape.
    """
    raise NotImplementedError("log_determinant_vjp")


def projection_error_vjp(g, ans, X, W):
    """np.sum((X - W @ W.T @ X) ** 2): name the residual first.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, projection_error(X, W).
    Returns the cotangents of X and W as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("projection_error_vjp")
