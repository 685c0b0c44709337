"""Wrong rules that the diagnosis was not made with: written after it, from how students go wrong.

``HELD_OUT`` is a list like ``WRONG``. Measured before anything was changed for it, all of its 113 rules failed
and 91 were named rightly; two raised then, being written for other shapes, and were rewritten.
"""

# ruff: noqa: E501
from __future__ import annotations

import numpy as np
from scipy import special

from .right import put_back, unbroadcast
from .wrong import (
    ANS,
    AVERAGED,
    AXIS,
    CONST,
    COUNT,
    DIAG,
    DROPPED,
    ELEMENTWISE,
    EPS,
    FACTOR,
    FD,
    G2,
    IN_PLACE,
    JAC,
    JVP,
    KEY,
    LOCAL,
    MASK,
    NO_G,
    NO_LOCAL,
    NOTHING,
    ORDER,
    OVER,
    OVERFLOW,
    PATH,
    RAISES,
    SHAPE,
    SIGN,
    SINGLE,
    SIZE,
    SWAP,
    TIES,
    TRANSPOSE,
    TRUNC,
    UNSUMMED,
    ZERO,
)

u = unbroadcast


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _numerical(f, h=1e-6):
    def rule(g, ans, x, **kwargs):
        found = np.zeros_like(x)
        flat, out = x.ravel(), found.ravel()
        for k in range(x.size):
            moved = flat.copy()
            moved[k] += h
            out[k] = np.sum(g * (f(moved.reshape(x.shape), **kwargs) - f(x, **kwargs))) / h
        return found

    return rule


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _no_negative_axis(g, ans, x, axis=None, keepdims=False):
    if axis is None:
        return np.broadcast_to(g, x.shape).copy()
    g = g if keepdims else np.expand_dims(g, 0)
    return np.broadcast_to(g, x.shape).copy()


def _append_to_g(g, ans, x):
    g *= np.cos(x)
    return g


def _loop_last(g, ans, weights, indices):
    d = np.zeros_like(weights)
    for k, i in enumerate(np.ravel(indices)):
        d[i] = g.reshape(-1, weights.shape[1])[k]
    return d


def _conv1d(how):
    def rule(g, ans, x, w):
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        width = w.shape[2]
        kernel = w[:, :, ::-1] if how == "flipped" else w
        for k in range(g.shape[2]):
            part = np.einsum("bo,ocw->bcw", g[:, :, k], kernel)
            if how == "overwritten":
                dx[:, :, k : k + width] = part
            else:
                dx[:, :, k : k + width] += part
            dw += np.einsum("bo,bcw->ocw", g[:, :, k], x[:, :, k : k + width])
        return dx, dw

    return rule


def _mean_forgot_axis(g, ans, x, axis=None, keepdims=False):
    return np.ones_like(x) * put_back(g, x, axis, keepdims) / x.size


def _var_through_mean_only(g, ans, x, axis=None, ddof=0):
    n = x.size if axis is None else np.prod([x.shape[a] for a in np.atleast_1d(axis)])
    return put_back(g, x, axis) * 2 * x / (n - ddof)


# fmt: off
HELD_OUT = [
    ("add", "y's gradient negated", lambda g, ans, x, y: (u(g, x), u(-g, y)), {SIGN}),
    ("add", "summed over everything", lambda g, ans, x, y: (u(g, x), np.full(y.shape, g.sum())), {UNSUMMED, AVERAGED, "summed over the wrong axis", LOCAL, FACTOR}),
    ("subtract", "the operands exchanged", lambda g, ans, x, y: (u(-g, x), u(g, y)), {SIGN, SWAP}),
    ("multiply", "the product itself times g", lambda g, ans, x, y: (u(g * x * y, x), u(g * x * y, y)), {ANS, FACTOR, LOCAL}),
    ("multiply", "a sum instead", lambda g, ans, x, y: (u(g * (x + y), x), u(g * (x + y), y)), {LOCAL, FACTOR}),
    ("multiply", "doubled when alike", lambda g, ans, x, y: (u(2 * g * y, x), u(2 * g * x, y)), {CONST}),
    ("divide", "numerator and denominator exchanged", lambda g, ans, x, y: (u(-g * x / y**2, x), u(g / y, y)), {SWAP}),
    ("divide", "minus sign forgotten, as -ans/y", lambda g, ans, x, y: (u(g / y, x), u(g * ans / y, y)), {SIGN}),
    ("divide", "1/y for both", lambda g, ans, x, y: (u(g / y, x), u(g / y, y)), {FACTOR, LOCAL, DROPPED}),
    ("power", "as if y were the base", lambda g, ans, x, y: (u(g * x * y ** (x - 1), x), u(g * ans * np.log(x), y)), {FACTOR, LOCAL, "operands swapped"}),
    ("power", "log of y", lambda g, ans, x, y: (u(g * y * x ** (y - 1), x), u(g * ans * np.log(np.abs(y) + 1e-300), y)), {FACTOR, LOCAL, "operands swapped"}),
    ("int_power", "exponent always squared rule", lambda g, ans, x, n=3: g * 2 * x, {KEY, LOCAL, FACTOR}),
    ("int_power", "lowered twice", lambda g, ans, x, n=3: g * n * (n - 1) * x ** max(n - 2, 0), {FACTOR, LOCAL, "second derivative"}),
    ("negative", "positive", lambda g, ans, x: g, {SIGN}),
    ("exp", "x exp(x - 1)", lambda g, ans, x: g * x * np.exp(x - 1), {FACTOR, LOCAL}),
    ("exp", "exp of the answer", lambda g, ans, x: g * np.exp(ans), {ANS, LOCAL, FACTOR}),
    ("exp", "Jacobian by np.diag", lambda g, ans, x: np.diag(np.ravel(ans)), {JAC, NO_G, SHAPE}),
    ("log", "log of x times g", lambda g, ans, x: g * np.log(x), {LOCAL, FACTOR, ANS}),
    ("log", "1/ans", lambda g, ans, x: g / ans, {ANS}),
    ("log", "guarded by clipping at 0.1", lambda g, ans, x: g / np.maximum(x, 0.1), {EPS, LOCAL, FACTOR, "unnamed"}),
    ("sqrt", "0.5 sqrt(x)", lambda g, ans, x: g * 0.5 * np.sqrt(x), {LOCAL, FACTOR, ANS}),
    ("sqrt", "2 forgotten", lambda g, ans, x: g / np.sqrt(x), {CONST}),
    ("sin", "minus cos", lambda g, ans, x: -g * np.cos(x), {SIGN}),
    ("sin", "sin kept", lambda g, ans, x: g * np.sin(x), {LOCAL, FACTOR, ANS}),
    ("sin", "g changed in place and returned", _append_to_g, {IN_PLACE}),
    ("sin", "degrees", lambda g, ans, x: g * np.cos(np.deg2rad(x)), {LOCAL, FACTOR, "degrees"}),
    ("cos", "cos of ans", lambda g, ans, x: -g * np.sin(ans), {ANS}),
    ("cos", "one-sided differences", _numerical(np.cos), {FD}),
    ("tanh", "1 - tanh", lambda g, ans, x: g * (1 - ans), {LOCAL, FACTOR}),
    ("tanh", "square of g", lambda g, ans, x: g * g * (1 - ans**2), {G2}),
    ("tanh", "sigmoid's", lambda g, ans, x: g * ans * (1 - ans), {LOCAL, FACTOR}),
    ("sigmoid", "s only", lambda g, ans, x: g * ans, {LOCAL, FACTOR, DROPPED}),
    ("sigmoid", "s'(s(x))", lambda g, ans, x: g * _sigmoid(ans) * (1 - _sigmoid(ans)), {ANS}),
    ("sigmoid", "1 + s", lambda g, ans, x: g * ans * (1 + ans), {SIGN, LOCAL, FACTOR}),
    ("square", "x squared again", lambda g, ans, x: g * x**2, {ANS, LOCAL, FACTOR}),
    ("square", "integers", lambda g, ans, x: (2 * x * g).astype(int).astype(float), {TRUNC}),
    ("reciprocal", "positive", lambda g, ans, x: g / x**2, {SIGN}),
    ("reciprocal", "minus one over x", lambda g, ans, x: -g / x, {FACTOR, LOCAL, DROPPED}),
    ("rad2deg", "the inverse factor", lambda g, ans, x: g * np.pi / 180, {CONST}),
    ("rad2deg", "whole degrees", lambda g, ans, x: g * 57.0, {CONST}),
    ("relu", "masked by g", lambda g, ans, x: g * (g > 0), {MASK, LOCAL}),
    ("relu", "ones", lambda g, ans, x: g, {NO_LOCAL, MASK, LOCAL}),
    ("relu", "value handed on", lambda g, ans, x: g * np.maximum(x, 0), {LOCAL, FACTOR, ANS}),
    ("leaky_relu", "slope fixed at 0.01", lambda g, ans, x, slope=0.1: g * np.where(x > 0, 1.0, 0.01), {KEY, CONST, LOCAL, FACTOR}),
    ("leaky_relu", "zero below", lambda g, ans, x, slope=0.1: g * (x > 0), {KEY, LOCAL, PATH, FACTOR, NO_LOCAL, MASK, DROPPED}),
    ("softplus", "naive, overflows", lambda g, ans, x: g * np.exp(x) / (1 + np.exp(x)), {OVERFLOW}),
    ("softplus", "relu's", lambda g, ans, x: g * (x > 0), {LOCAL, FACTOR, MASK}),
    ("gelu", "the cdf only", lambda g, ans, x: g * special.ndtr(x), {PATH, DROPPED, LOCAL, FACTOR}),
    ("gelu", "sigmoid approximation", lambda g, ans, x: g * (_sigmoid(1.702 * x) + 1.702 * x * _sigmoid(1.702 * x) * (1 - _sigmoid(1.702 * x))), {LOCAL, FACTOR, "approximation", "unnamed"}),
    ("abs", "always one", lambda g, ans, x: g, {SIGN, NO_LOCAL, LOCAL}),
    ("maximum", "both get g at ties", lambda g, ans, x, y: (u(g * (x >= y), x), u(g * (y >= x), y)), {TIES}),
    ("maximum", "masks exchanged", lambda g, ans, x, y: (u(g * (x < y), x), u(g * (y <= x), y)), {SWAP, "operands swapped", LOCAL, SIGN, MASK}),
    ("clip", "limits ignored", lambda g, ans, x, low=-1.0, high=1.0: g, {NO_LOCAL, KEY, LOCAL, MASK}),
    ("clip", "only the upper limit", lambda g, ans, x, low=-1.0, high=1.0: g * (x < high), {KEY, LOCAL, PATH, MASK, DROPPED}),
    ("matmul", "transposes forgotten on both", lambda g, ans, x, y: (g @ y, x @ g), {TRANSPOSE, RAISES}),
    ("matmul", "order exchanged", lambda g, ans, x, y: (y.T @ g if y.T.shape[1] == g.shape[0] else g @ y.T, x.T @ g), {TRANSPOSE, ORDER, LOCAL, RAISES, "operands swapped", "product in the wrong order"}),
    ("matmul", "batch averaged", lambda g, ans, x, y: (g @ y.T, x.T @ g / len(x)), {SIZE}),
    ("matvec", "outer product transposed", lambda g, ans, a, x: (np.outer(x, g), a.T @ g), {TRANSPOSE, SHAPE}),
    ("matvec", "a for a.T", lambda g, ans, a, x: (np.outer(g, x), a @ g if a.shape[0] == a.shape[1] else a.T @ g), {TRANSPOSE}),
    ("dot", "g forgotten", lambda g, ans, x, y: (y.copy(), x.copy()), {NO_G}),
    ("affine", "bias not summed", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g), {UNSUMMED}),
    ("affine", "bias averaged over the batch", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g.mean(axis=0)), {AVERAGED, SIZE}),
    ("affine", "w's gradient averaged", lambda g, ans, x, w, b: (g @ w.T, x.T @ g / len(x), g.sum(axis=0)), {SIZE}),
    ("affine", "elementwise for x", lambda g, ans, x, w, b: (np.resize(g.mean() * w.sum(1), x.shape), x.T @ g, g.sum(0)), {ELEMENTWISE, LOCAL, FACTOR, "unnamed"}),
    ("outer", "exchanged", lambda g, ans, x, y: (x @ g if len(x) == g.shape[0] and len(x) == len(y) else g @ y, g @ y if len(x) == len(y) else x @ g), {SWAP, TRANSPOSE, "operands swapped"}),
    ("solve", "a instead of a.T", lambda g, ans, a, b: ((lambda s: (-np.outer(s, ans) if b.ndim == 1 else -s @ ans.T, s))(np.linalg.solve(a, g))), {TRANSPOSE}),
    ("solve", "sign of a's", lambda g, ans, a, b: ((lambda s: (np.outer(s, ans) if b.ndim == 1 else s @ ans.T, s))(np.linalg.solve(a.T, g))), {SIGN}),
    ("inverse", "transposes forgotten", lambda g, ans, a: -ans @ g @ ans, {TRANSPOSE}),
    ("inverse", "sign", lambda g, ans, a: ans.T @ g @ ans.T, {SIGN}),
    ("determinant", "inverse not transposed", lambda g, ans, a: g * ans * np.linalg.inv(a), {TRANSPOSE}),
    ("determinant", "ans forgotten", lambda g, ans, a: g * np.linalg.inv(a).T, {FACTOR, DROPPED}),
    ("sum", "axis always the first", _no_negative_axis, {AXIS, RAISES, SHAPE}),
    ("sum", "divided by the size", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x) * put_back(g, x, axis, keepdims) / x.size, {SIZE}),
    ("mean", "divided by the whole size", _mean_forgot_axis, {SIZE, AXIS}),
    ("mean", "not divided", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x) * put_back(g, x, axis, keepdims), {SIZE, NO_LOCAL}),
    ("var", "mean not subtracted", _var_through_mean_only, {PATH, LOCAL, FACTOR, DROPPED}),
    ("norm", "x without dividing", lambda g, ans, x: g * x, {FACTOR, LOCAL, DROPPED}),
    ("norm", "squared norm's", lambda g, ans, x: 2 * g * x, {FACTOR, LOCAL, CONST}),
    ("prod", "ans over ans", lambda g, ans, x, axis=None: np.ones_like(x) * put_back(g, x, axis), {FACTOR, LOCAL, NO_LOCAL, DROPPED}),
    ("cumsum", "running sum forwards", lambda g, ans, x, axis=0: np.cumsum(g, axis=axis), {"entries in reverse order", JVP, TRANSPOSE, LOCAL}),
    ("cumsum", "g itself", lambda g, ans, x, axis=0: g.copy(), {PATH, LOCAL, NO_LOCAL, DIAG}),
    ("logsumexp", "softmax without g", lambda g, ans, x, axis=-1: _softmax(x, axis), {NO_G}),
    ("logsumexp", "exp(x) not divided", lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * np.exp(x), {FACTOR, DROPPED, LOCAL}),
    ("softmax", "only s(1 - s)", lambda g, ans, x, axis=-1: g * ans * (1 - ans), {DIAG}),
    ("softmax", "sum over the wrong axis", lambda g, ans, x, axis=-1: ans * (g - (g * ans).sum(axis=0, keepdims=True)) if x.ndim > 1 else ans * (g - (g * ans).sum()), {AXIS, "summed over the wrong axis", KEY}),
    ("softmax", "sum of g instead of g s", lambda g, ans, x, axis=-1: ans * (g - g.sum(axis=axis, keepdims=True)), {FACTOR, PATH, LOCAL, DROPPED}),
    ("log_softmax", "g minus softmax", lambda g, ans, x, axis=-1: g - np.exp(ans), {FACTOR, PATH, LOCAL, NO_G, "not linear", DROPPED}),
    ("log_softmax", "second term forgotten", lambda g, ans, x, axis=-1: g.copy(), {PATH, NO_LOCAL, LOCAL}),
    ("squared_error", "sign of the difference", lambda g, ans, prediction, target: 2 * g * (target - prediction) / prediction.size, {SIGN}),
    ("squared_error", "2 forgotten", lambda g, ans, prediction, target: g * (prediction - target) / prediction.size, {CONST}),
    ("cross_entropy", "one-hot forgotten", lambda g, ans, logits, label: np.expand_dims(g, -1) * _softmax(logits) if np.ndim(g) else g * _softmax(logits) / max(1, np.size(label)), {PATH, DROPPED, LOCAL}),
    ("huber", "quadratic everywhere", lambda g, ans, prediction, target, delta=1.0: g * (prediction - target) / prediction.size, {KEY, LOCAL, PATH, CONST, SIZE, DROPPED}),
    ("hinge", "sign of the target forgotten", lambda g, ans, score, target: g * -np.ones_like(score) * (target * score < 1) / score.size, {FACTOR, SIGN, LOCAL, DROPPED, SIZE}),
    ("dropout", "not rescaled", lambda g, ans, x, kept, keep=0.8: g * kept, {CONST, KEY, FACTOR}),
    ("dropout", "mask forgotten", lambda g, ans, x, kept, keep=0.8: g / keep, {MASK, NO_LOCAL, DROPPED, LOCAL}),
    ("embedding", "repeated rows overwritten", _loop_last, {OVER}),
    ("gather", "repeated entries overwritten", lambda g, ans, x, indices: (lambda d: (d.__setitem__(indices, g), d)[1])(np.zeros_like(x)), {OVER}),
    ("conv1d", "windows overwritten", _conv1d("overwritten"), {OVER}),
    ("conv1d", "kernel flipped", _conv1d("flipped"), {"entries in reverse order", TRANSPOSE, LOCAL}),
    ("concatenate", "halves exchanged", lambda g, ans, x, y, axis=0: tuple(np.split(g, [y.shape[axis]], axis=axis))[::-1], {SWAP, SHAPE}),
    ("transpose", "not transposed back", lambda g, ans, x: g.copy(), {TRANSPOSE, SHAPE}),
    ("permute", "the same permutation again", lambda g, ans, x, axes=(1, 2, 0): np.transpose(g, axes), {TRANSPOSE, SHAPE, ORDER}),
    ("broadcast", "summed over the wrong axis", lambda g, ans, x, shape=(4, 3): np.resize(g.sum(axis=-1), x.shape), {"summed over the wrong axis", AXIS, UNSUMMED, SHAPE, "unnamed"}),
    ("reshape", "flattened", lambda g, ans, x, shape=(-1,): g.ravel(), {SHAPE}),
    ("flip", "not flipped back", lambda g, ans, x, axis=0: g.copy(), {"entries in reverse order", NO_LOCAL}),
    ("max", "every entry", lambda g, ans, x, axis=None: np.ones_like(x) * put_back(g, x, axis), {MASK, NO_LOCAL, LOCAL}),
    ("layer_norm", "statistics taken as constants", lambda g, ans, x, scale, shift, eps=1e-5: (
        g * scale / np.sqrt(x.var(axis=-1, keepdims=True) + eps),
        u(g * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps), scale), u(g, shift)), {PATH, DROPPED}),
    ("exp", "in single precision", lambda g, ans, x: np.float32(g) * np.float32(ans), {SINGLE, "dtype"}),
    ("cos", "a list", lambda g, ans, x: (-g * np.sin(x)).tolist(), {NOTHING}),
    ("tanh", "nothing returned", lambda g, ans, x: None, {ZERO, COUNT, NOTHING, "nothing returned"}),
    ("sqrt", "an epsilon inside", lambda g, ans, x: g / (2 * np.sqrt(x + 1e-6)), {EPS}),
    ("log", "an epsilon in the denominator", lambda g, ans, x: g / (x + 1e-7), {EPS}),
    ("divide", "only for x", lambda g, ans, x, y: (u(g / y, x), np.zeros_like(y)), {ZERO, PATH, DROPPED}),
]
# fmt: on
