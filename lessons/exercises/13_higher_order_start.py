import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def softmax_jvp(t, ans, x):
    """The gradient of log(sum(exp(x))): its JVP is that function's Hessian times t. No matrix.

    t: the tangent of x.
    ans: the answer, softmax(x).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("softmax_jvp")


def valley_jvp(t, ans, x):
    """The gradient of the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2: its Hessian times t.

    t: the tangent of x.
    ans: the answer, valley(x).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("valley_jvp")
