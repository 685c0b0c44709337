import numpy as np


def huber_vjp(g, ans, r):
    return g * np.where(np.abs(r) <= 1.0, r, np.sign(r))


class Root:
    def _both(self, a):
        y, slope = a, 1.0
        while abs(y * y - a) > 1e-12 * a:
            y, slope = (y + a / y) / 2, (slope + 1 / y - a / y**2 * slope) / 2
        return y, slope

    def func(self, a):
        return self._both(a)[0]

    def grads(self, a):
        return self._both(a)[1]
