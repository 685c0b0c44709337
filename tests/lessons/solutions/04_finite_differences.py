import numpy as np


class Central:
    def func(self, x):
        return np.sin(x) * np.exp(-x)

    def grads(self, x):
        h = 1e-5
        return (self.func(x + h) - self.func(x - h)) / (2 * h)


class ComplexStep:
    def func(self, x):
        return np.sin(x) * np.exp(-x)

    def grads(self, x):
        h = 1e-100
        return self.func(x + 1j * h).imag / h
