import numpy as np


def reuse_forward(x):
    a = x**2
    b = 5 * a
    c = np.log(a)
    g = b * c
    return -g, (x, a, b, c)


def reuse_backward(dout, cache):
    x, a, b, c = cache
    g_bar = -dout
    b_bar = g_bar * c
    c_bar = g_bar * b
    a_bar = c_bar / a
    a_bar = a_bar + 5 * b_bar
    return a_bar * 2 * x


def total_derivative_vjp(g, ans, x):
    y, z = 2 * x, np.exp(x)
    return g * (2 * z**2 + 2 * y * z * np.exp(x))


def gram_vjp(g, ans, X):
    return X @ g.T + X @ g


def gather_vjp(g, ans, x, indices):
    x_bar = np.zeros_like(x)
    np.add.at(x_bar, indices, g)
    return x_bar
