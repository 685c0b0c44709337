import numpy as np


def soft_plus_vjp(g, ans, z):
    return g / (1 + np.exp(-z))


def root_vjp(g, ans, a):
    return g / (2 * ans)
