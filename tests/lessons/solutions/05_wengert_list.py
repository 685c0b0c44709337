import numpy as np


class Divide:
    def func(self, x, y):
        return x / y

    def grads(self, x, y):
        return 1 / y, -x / y**2


class Maximum:
    def func(self, x, y):
        return np.maximum(x, y)

    def grads(self, x, y):
        by_x = np.where(x > y, 1.0, np.where(x == y, 0.5, 0.0))
        return by_x, 1 - by_x


def neuron_forward(w0, x0, w1, x1, w2):
    v1 = w0 * x0
    v2 = w1 * x1
    v3 = v1 + v2
    v4 = v3 + w2
    v5 = -v4
    v6 = np.exp(v5)
    v7 = 1 + v6
    v8 = 1 / v7
    return v8, (w0, x0, w1, x1, v6, v8)


def neuron_backward(dout, cache):
    w0, x0, w1, x1, v6, v8 = cache
    d7 = -dout * v8**2
    d5 = d7 * v6
    d4 = -d5
    return d4 * x0, d4 * w0, d4 * x1, d4 * w1, d4
