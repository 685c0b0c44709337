import numpy as np


class Logistic:
    def _both(self, x, length):
        value, slope = x, np.ones_like(x)
        for _ in range(length - 1):
            value, slope = 4 * value * (1 - value), 4 * (1 - 2 * value) * slope
        return value, slope

    def func(self, x, length=4):
        return self._both(x, length)[0]

    def grads(self, x, length=4):
        return self._both(x, length)[1]


def soft_relu_vjp(g, ans, w, x, depth=1):
    inputs = []
    for _ in range(depth):
        inputs.append(x)
        x = np.logaddexp(0.0, w * x)
    w_bar = 0.0
    for x in reversed(inputs):
        g = g / (1 + np.exp(-w * x))
        w_bar = w_bar + g * x
        g = g * w
    return w_bar, g
