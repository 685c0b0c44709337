import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def curve_jvp(t, ans, s, count=200):
    """np.sin(s * np.arange(1.0, count + 1.0)), s a number: one sweep for all outputs.

    t: the tangent of s.
    ans: the answer, curve(s).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("curve_jvp")


def energy_vjp(g, ans, x):
    """np.sum(x[:-1] ** 2 * x[1:]): one sweep for all inputs.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, energy(x).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("energy_vjp")


def layers_forward(x, length=9):
    """x -> tanh(1.01 x + 0.1 sin x), `length` times. Keep every third x only. Returns (out, cache); cache holds whatever layers_backward needs."""
    raise NotImplementedError("layers_forward")


def layers_backward(dout, cache):
    """The cotangent of x, of its shape.

    dout is the cotangent of out.
    """
    raise NotImplementedError("layers_backward")
