import numpy as np

# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.


def layer_forward(X, W, b):
    """max(X W^T + b, 0), for a batch of rows. Returns (out, cache); cache holds whatever layer_backward needs."""
    raise NotImplementedError("layer_forward")


def layer_backward(dout, cache):
    """The cotangents of X, W and b as a tuple, each of its argument's shape.

    dout is the cotangent of out.
    """
    raise NotImplementedError("layer_backward")


def cross_entropy_vjp(g, ans, logits, label):
    """The mean of -log softmax(logits)[label], for a batch of rows.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, cross_entropy(logits, label).
    Returns the cotangent of logits, of its shape.
    """
    raise NotImplementedError("cross_entropy_vjp")


def dropout_vjp(g, ans, x, kept, keep=0.8):
    """x * kept / keep: inverted dropout, with its mask given.

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, dropout(x, kept).
    Returns the cotangent of x, of its shape.
    """
    raise NotImplementedError("dropout_vjp")
