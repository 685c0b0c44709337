import numpy as np


def bilinear_vjp(g, ans, v, W, y):
    return g * (W @ y), g * np.outer(v, y), g * (W.T @ v)


def quadratic_vjp(g, ans, x, A):
    return g * ((A + A.T) @ x), g * np.outer(x, x)


def log_determinant_vjp(g, ans, A):
    return g * np.linalg.inv(A).T


def projection_error_vjp(g, ans, X, W):
    R = X - W @ W.T @ X
    return 2 * g * (R - W @ (W.T @ R)), -2 * g * (R @ X.T + X @ R.T) @ W
