import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


class Central:
    """sin(x) exp(-x), elementwise; its derivative to 9 digits by central differences, no cos."""

    def func(self, x):
        """The value."""
        raise NotImplementedError("Central.func")

    def grads(self, x):
        """The partial derivatives by x, in this order."""
        raise NotImplementedError("Central.grads")


class ComplexStep:
    """sin(x) exp(-x), elementwise; its derivative to all digits by the complex step, no cos."""

    def func(self, x):
        """The value."""
        raise NotImplementedError("ComplexStep.func")

    def grads(self, x):
        """The partial derivatives by x, in this order."""
        raise NotImplementedError("ComplexStep.grads")
