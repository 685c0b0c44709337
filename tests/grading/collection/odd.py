"""Right rules as nobody would write them: other formulas, other subgradients, loops, lists, odd dtypes on the way.

``ODD`` is a list like ``RIGHT``. A grader that compares text, or that asks for one choice at a kink, fails them.
"""

# ruff: noqa: E501
from __future__ import annotations

import functools
import math

import numpy as np
from scipy import special

from .right import right

ODD: list[tuple[str, str, object]] = []


odd = functools.partial(right, into=ODD)


def to_shape_of(c, x):
    """Sums over broadcast axes, by one call of np.sum."""
    c, shape = np.asarray(c), np.shape(x)
    padded = (1,) * (c.ndim - len(shape)) + shape
    axes = tuple(k for k, (m, n) in enumerate(zip(padded, c.shape, strict=True)) if m == 1 and n != 1)
    return np.sum(c, axis=axes, keepdims=True).reshape(shape)


def along_rows(rule):
    """A rule for vectors, along any axis of an array."""

    def whole(g, ans, x, axis=-1):
        g, ans, x = (np.moveaxis(a, axis, -1) for a in (g, ans, x))
        out = np.empty(x.shape)
        for index in np.ndindex(x.shape[:-1]):
            out[index] = rule(g[index], ans[index], x[index])
        return np.moveaxis(out, -1, axis)

    return whole


for name, note, rule in [
    ("add", "one call of sum", lambda g, ans, x, y: [to_shape_of(g, x), to_shape_of(g, y)]),
    ("subtract", "times minus one", lambda g, ans, x, y: (to_shape_of(g, x), to_shape_of((-1) * g, y))),
    ("multiply", "a list", lambda g, ans, x, y: [to_shape_of(y * g, x), to_shape_of(g * x, y)]),
    ("divide", "by way of ans", lambda g, ans, x, y: (to_shape_of(g / y, x), -to_shape_of(g / y * ans, y))),
    ("divide", "a reciprocal first", lambda g, ans, x, y: (to_shape_of(g * (1 / y), x), to_shape_of(-(g * x) * (1 / y) * (1 / y), y))),
    ("power", "by way of ans", lambda g, ans, x, y: (to_shape_of(g * y * ans / x, x), to_shape_of(g * np.log(x) * ans, y))),
    ("power", "by exponentials", lambda g, ans, x, y: (to_shape_of(g * y * np.exp((y - 1) * np.log(x)), x), to_shape_of(g * np.exp(y * np.log(x)) * np.log(x), y))),
    ("negative", "subtracted from zero", lambda g, ans, x: 0.0 - g),
    ("exp", "computed again", lambda g, ans, x: np.exp(x) * g),
    ("log", "a power", lambda g, ans, x: g * x**-1.0),
    ("sqrt", "a power", lambda g, ans, x: 0.5 * g * x**-0.5),
    ("sin", "a shifted sine", lambda g, ans, x: g * np.sin(x + np.pi / 2)),
    ("cos", "a shifted cosine", lambda g, ans, x: g * np.cos(x + np.pi / 2)),
    ("tanh", "one over cosh squared", lambda g, ans, x: g / np.cosh(np.clip(x, -300, 300)) ** 2),
    ("tanh", "two factors", lambda g, ans, x: g * (1 - ans) * (1 + ans)),
    ("square", "a sum", lambda g, ans, x: g * x + x * g),
    ("reciprocal", "by way of ans", lambda g, ans, x: -g * ans * ans),
    ("rad2deg", "by NumPy", lambda g, ans, x: np.rad2deg(g)),
    ("sigmoid", "from x", lambda g, ans, x: g * special.expit(x) * special.expit(-x)),
    ("sigmoid", "by cosh", lambda g, ans, x: g / (2 * np.cosh(np.clip(x, -700, 700) / 2)) ** 2),
    ("relu", "the other side at 0", lambda g, ans, x: g * (x >= 0)),
    ("relu", "half at 0", lambda g, ans, x: g * np.heaviside(x, 0.5)),
    ("relu", "another choice at 0", lambda g, ans, x: g * np.heaviside(x, 0.3)),
    ("leaky_relu", "the other side at 0", lambda g, ans, x, slope=0.1: np.where(x < 0, slope, 1.0) * g),
    ("leaky_relu", "in the middle at 0", lambda g, ans, x, slope=0.1: g * (slope + (1 - slope) * np.heaviside(x, 0.5))),
    ("abs", "one at 0", lambda g, ans, x: np.where(x >= 0, g, -g)),
    ("abs", "a quarter at 0", lambda g, ans, x: g * np.where(x == 0, 0.25, np.sign(x))),
    ("maximum", "to y at ties", lambda g, ans, x, y: (to_shape_of(g * (x > y), x), to_shape_of(g * (x <= y), y))),
    ("maximum", "shared at ties", lambda g, ans, x, y: (to_shape_of(g * np.heaviside(x - y, 0.5), x), to_shape_of(g * np.heaviside(y - x, 0.5), y))),
    ("maximum", "unequally shared at ties", lambda g, ans, x, y: (to_shape_of(g * np.heaviside(x - y, 0.2), x), to_shape_of(g * np.heaviside(y - x, 0.8), y))),
    ("clip", "nothing at the bounds", lambda g, ans, x, low=-1.0, high=1.0: g * (low < x) * (x < high)),
    ("clip", "by way of ans", lambda g, ans, x, low=-1.0, high=1.0: np.where(ans == x, g, 0.0)),
    ("softplus", "by tanh", lambda g, ans, x: g * 0.5 * (1 + np.tanh(x / 2))),
    ("softplus", "by way of ans", lambda g, ans, x: -g * np.expm1(-ans)),
    ("gelu", "by the normal distribution", lambda g, ans, x: g * (special.ndtr(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))),
    ("matmul", "by einsum", lambda g, ans, x, y: (np.einsum("ik,jk->ij", g, y), np.einsum("ij,ik->jk", x, g))),
    ("matmul", "transposed twice", lambda g, ans, x, y: ((y @ g.T).T, (g.T @ x).T)),
    ("affine", "a row of ones for the bias", lambda g, ans, x, w, b: (np.dot(g, np.transpose(w)), np.tensordot(x, g, (0, 0)), np.ones(len(g)) @ g)),
    ("outer", "by einsum", lambda g, ans, x, y: (np.einsum("ij,j->i", g, y), (g * x[:, None]).sum(0))),
    ("inverse", "by solving", lambda g, ans, a: -np.linalg.solve(a.T, np.linalg.solve(a, g.T).T)),
    ("determinant", "the transposed inverse", lambda g, ans, a: np.multiply(g, ans * np.linalg.solve(a.T, np.eye(len(a))))),
    ("mean", "entry by entry", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x) * (g if keepdims or axis is None else np.expand_dims(g, axis)) / (x.size / np.size(ans))),
    ("softmax", "the whole Jacobian", along_rows(lambda g, s, x: (np.diag(s) - np.outer(s, s)) @ g)),
    ("softmax", "by a logarithm's", along_rows(lambda g, s, x: s * g - s * np.dot(s, g))),
    ("log_softmax", "the whole Jacobian", along_rows(lambda g, a, x: g @ (np.eye(len(a)) - np.exp(a)))),
    ("squared_error", "twice", lambda g, ans, p, t: (p - t) * (g + g) / p.size),
    ("huber", "by cases", lambda g, ans, p, t, delta=1.0: g / p.size * np.where(np.abs(p - t) < delta, p - t, delta * np.sign(p - t))),
    ("hinge", "the other side at the margin", lambda g, ans, s, t: g / s.size * -t * (t * s <= 1)),
    ("hinge", "half at the margin", lambda g, ans, s, t: -t * np.heaviside(1 - t * s, 0.5) * g / s.size),
    ("absolute_error", "one at 0", lambda g, ans, p, t: g * np.where(p >= t, 1.0, -1.0) / p.size),
    ("concatenate", "a list of views", lambda g, ans, x, y, axis=0: [np.take(g, range(x.shape[axis]), axis), np.take(g, range(x.shape[axis], g.shape[axis]), axis)]),
    ("cumsum", "the total less what came before", lambda g, ans, x, axis=0: g.sum(axis=axis, keepdims=True) - np.cumsum(g, axis=axis) + g),
]:  # fmt: skip
    odd(name, note)(rule)


@odd("multiply", "in place in arrays of its own")
def multiply_in_place(g, ans, x, y):
    dx, dy = g.copy(), np.array(g)
    dx *= y
    dy *= x
    return to_shape_of(dx, x), to_shape_of(dy, y)


@odd("relu", "a mask in place")
def relu_in_place(g, ans, x):
    out = g.copy()
    out[x <= 0] = 0
    return out


@odd("matmul", "three loops")
def matmul_by_loops(g, ans, x, y):
    dx, dy = np.zeros(x.shape), np.zeros(y.shape)
    for i in range(g.shape[0]):
        for k in range(g.shape[1]):
            for j in range(x.shape[1]):
                dx[i, j] += g[i, k] * y[j, k]
                dy[j, k] += g[i, k] * x[i, j]
    return dx, dy


@odd("sin", "Python's own numbers, one by one")
def sin_by_math(g, ans, x):
    return np.array([a * math.cos(b) for a, b in zip(g.flat, x.flat, strict=True)], dtype=float).reshape(
        x.shape
    )


@odd("gather", "a loop over the indices")
@odd("embedding", "a loop over the indices")
def scatter_by_loop(g, ans, x, indices):
    dx = np.zeros_like(x)
    for place, k in np.ndenumerate(indices):
        dx[k] += g[place]
    return dx


@odd("cross_entropy", "one-hot labels")
def cross_entropy_one_hot(g, ans, logits, label):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return g * (p - np.eye(logits.shape[1])[label]) / len(label)


@odd("max_pool", "the last of ties")
def max_pool_last(g, ans, x, size=2):
    dx = np.zeros_like(x)
    for index in np.ndindex(ans.shape):
        *rest, i, j = index
        for a in reversed(range(size)):
            for b in reversed(range(size)):
                at = (*rest, i * size + a, j * size + b)
                if x[at] == ans[index]:
                    dx[at] = g[index]
                    break
            else:
                continue
            break
    return dx
