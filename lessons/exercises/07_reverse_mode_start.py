import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def two_outputs_vjp(g, ans, x1, x2):
    """np.stack((sin(x1 x2), x1 x2 + log x2)), of numbers; g has an entry for each output.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, two_outputs(x1, x2).
    Returns the cotangents of x1 and x2 as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("two_outputs_vjp")


def log_sin_max_vjp(g, ans, x1, x2, x3):
    """2 log(x1 + sin x1) max(x2, x3), of numbers.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, log_sin_max(x1, x2, x3).
    Returns the cotangents of x1, x2 and x3 as a tuple, each of its argument's shape.
    """
    raise NotImplementedError("log_sin_max_vjp")
