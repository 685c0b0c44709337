import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def two_outputs_jvp(t, ans, x1, x2):
    """np.stack((sin(x1 x2), x1 x2 + log x2)), of numbers.

    t: the tangents (a tuple) of x1, x2.
    ans: the answer, two_outputs(x1, x2).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("two_outputs_jvp")


def normal_log_density_jvp(t, ans, x, m, s):
    """log s + log(2 pi) / 2 + ((x - m) / s)^2 / 2, elementwise.

    t: the tangents (a tuple) of x, m, s.
    ans: the answer, normal_log_density(x, m, s).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("normal_log_density_jvp")
