import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


class Central:
    """sin(x) exp(-x), elementwise; its derivative by central differences, to 8 digits."""

    def func(self, x):
        """The value."""
        raise NotImplementedError("Central.func")

    def grads(self, x):
        """The partial derivatives by x, in this order."""
        raise NotImplementedError("Central.grads")


class ComplexStep:
    """sin(x) exp(-x), elementwise; its derivative by the complex step, to all digits."""

    def func(self, x):
        """The value."""
        raise NotImplementedError("ComplexStep.func")

    def grads(self, x):
        """The partial derivatives by x, in this order."""
        raise NotImplementedError("ComplexStep.grads")
