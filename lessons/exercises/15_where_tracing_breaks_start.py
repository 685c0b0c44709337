import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def soft_plus_vjp(g, ans, z):
    """log(1 + exp z), elementwise, for z of any size: exp(800) is inf.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, soft_plus(z).
    Returns the cotangent of z, of its shape.
    """
    raise NotImplementedError("soft_plus_vjp")


def root_vjp(g, ans, a):
    """The root of a, elementwise; y² = a tells its derivative, whatever loop has found it.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, root(a).
    Returns the cotangent of a, of its shape.
    """
    raise NotImplementedError("root_vjp")
