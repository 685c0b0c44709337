"""A function whose gradient and Hessian are known, and a point and a matrix to use it with."""

import numpy as np

X = np.array([0.3, -1.2, 2.0])
A = np.array([[1.0, -0.5, 2.0], [0.3, 0.8, -1.0]])


def cubic(x):
    """sum x^3 + x0 x1 x2: gradient and Hessian in closed form below."""
    return np.sum(x**3) + x[0] * x[1] * x[2]


def cubic_gradient(x):
    return 3 * x**2 + np.array([x[1] * x[2], x[0] * x[2], x[0] * x[1]])


def cubic_hessian(x):
    off = np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])
    return np.diag(6 * x) + off
