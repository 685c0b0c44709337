"""Right rules, written by hand and in more than one way: none of them may ever fail.

``RIGHT`` is a list of (exercise, what is particular about it, rule).
"""

# ruff: noqa: E501
from __future__ import annotations

import numpy as np
from scipy import special

RIGHT: list[tuple[str, str, object]] = []


def right(exercise, note="", into=RIGHT):
    """Enters a rule in a collection."""

    def register(rule):
        into.append((exercise, note, rule))
        return rule

    return register


def unbroadcast(c, x):
    """The cotangent of an argument that was broadcast."""
    c, shape = np.asarray(c), np.shape(x)
    while c.ndim > len(shape):
        c = c.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1 and c.shape[axis] != 1:
            c = c.sum(axis=axis, keepdims=True)
    return c


def put_back(g, x, axis, keepdims=False):
    """A reduced cotangent, with the reduced axes put back."""
    if axis is None:
        return np.reshape(g, (1,) * np.ndim(x))
    return g if keepdims else np.expand_dims(g, axis)


for name, rule in {
    "add": lambda g, ans, x, y: (unbroadcast(g, x), unbroadcast(g, y)),
    "subtract": lambda g, ans, x, y: (unbroadcast(g, x), unbroadcast(-g, y)),
    "multiply": lambda g, ans, x, y: (unbroadcast(g * y, x), unbroadcast(x * g, y)),
    "divide": lambda g, ans, x, y: (unbroadcast(g / y, x), unbroadcast(-g * x / y**2, y)),
    "power": lambda g, ans, x, y: (
        unbroadcast(g * y * x ** (y - 1), x),
        unbroadcast(g * ans * np.log(x), y),
    ),
    "int_power": lambda g, ans, x, n=3: g * n * x ** (n - 1) if n else 0.0 * x,
    "negative": lambda g, ans, x: -g,
    "exp": lambda g, ans, x: g * ans,
    "log": lambda g, ans, x: g / x,
    "sqrt": lambda g, ans, x: g / (2 * ans),
    "sin": lambda g, ans, x: g * np.cos(x),
    "cos": lambda g, ans, x: -g * np.sin(x),
    "tanh": lambda g, ans, x: g * (1 - ans**2),
    "square": lambda g, ans, x: 2 * g * x,
    "reciprocal": lambda g, ans, x: -g / x**2,
    "rad2deg": lambda g, ans, x: g * 180 / np.pi,
    "sigmoid": lambda g, ans, x: g * ans * (1 - ans),
    "relu": lambda g, ans, x: g * (x > 0),
    "leaky_relu": lambda g, ans, x, slope=0.1: g * np.where(x > 0, 1.0, slope),
    "softplus": lambda g, ans, x: g * special.expit(x),
    "gelu": lambda g, ans, x: (
        g * (0.5 * (1 + special.erf(x / np.sqrt(2))) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
    ),
    "abs": lambda g, ans, x: g * np.sign(x),
    "maximum": lambda g, ans, x, y: (unbroadcast(g * (x >= y), x), unbroadcast(g * (x < y), y)),
    "clip": lambda g, ans, x, low=-1.0, high=1.0: g * ((x >= low) & (x <= high)),
    "matmul": lambda g, ans, x, y: (g @ y.T, x.T @ g),
    "batched_matmul": lambda g, ans, x, y: (
        unbroadcast(g @ np.swapaxes(y, -1, -2), x),
        unbroadcast(np.swapaxes(x, -1, -2) @ g, y),
    ),
    "matvec": lambda g, ans, a, x: (np.outer(g, x), a.T @ g),
    "dot": lambda g, ans, x, y: (g * y, g * x),
    "affine": lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g.sum(axis=0)),
    "outer": lambda g, ans, x, y: (g @ y, x @ g),
    "inverse": lambda g, ans, a: -ans.T @ g @ ans.T,
    "determinant": lambda g, ans, a: g * ans * np.linalg.inv(a).T,
    "multigammaln": lambda g, ans, a, d=2: g * sum(special.digamma(a - j / 2) for j in range(d)),
    "sum": lambda g, ans, x, axis=None, keepdims=False: np.broadcast_to(
        put_back(g, x, axis, keepdims), x.shape
    ).copy(),
    "mean": lambda g, ans, x, axis=None, keepdims=False: np.broadcast_to(
        put_back(g, x, axis, keepdims) * ans.size / x.size, x.shape
    ),
    "var": lambda g, ans, x, axis=None, ddof=0: (
        put_back(g, x, axis) * 2 * (x - np.mean(x, axis=axis, keepdims=True)) / (x.size / ans.size - ddof)
    ),
    "norm": lambda g, ans, x: g * x / ans,
    "nansum": lambda g, ans, x, axis=None: np.where(np.isnan(x), 0.0, put_back(g, x, axis)),
    "cumsum": lambda g, ans, x, axis=0: np.flip(np.cumsum(np.flip(g, axis), axis), axis),
    "logsumexp": lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * np.exp(x - np.expand_dims(ans, axis)),
    "logcumsumexp": lambda g, ans, x: (
        (np.exp(np.tril(x[None, :] - ans[:, None])) * np.tril(np.ones((len(x),) * 2))).T @ g
    ),
    "softmax": lambda g, ans, x, axis=-1: ans * (g - np.sum(g * ans, axis=axis, keepdims=True)),
    "log_softmax": lambda g, ans, x, axis=-1: g - np.exp(ans) * np.sum(g, axis=axis, keepdims=True),
    "squared_error": lambda g, ans, p, t: g * 2 * (p - t) / p.size,
    "absolute_error": lambda g, ans, p, t: g * np.sign(p - t) / p.size,
    "huber": lambda g, ans, p, t, delta=1.0: g * np.clip(p - t, -delta, delta) / p.size,
    "hinge": lambda g, ans, s, t: np.where(t * s < 1, -t, 0.0) * g / s.size,
    "binary_cross_entropy": lambda g, ans, z, t: g * (special.expit(z) - t) / z.size,
    "dropout": lambda g, ans, x, kept, keep=0.8: g * kept / keep,
    "concatenate": lambda g, ans, x, y, axis=0: np.split(g, [x.shape[axis]], axis=axis),
    "stack": lambda g, ans, x, y, axis=0: tuple(np.take(g, k, axis=axis) for k in range(2)),
    "reshape": lambda g, ans, x, shape=(-1,): g.reshape(x.shape),
    "transpose": lambda g, ans, x: g.T,
    "permute": lambda g, ans, x, axes=(1, 2, 0): g.transpose(np.argsort(axes)),
    "broadcast": lambda g, ans, x, shape=(4, 3): unbroadcast(g, x),
    "flip": lambda g, ans, x, axis=0: np.flip(g, axis),
}.items():
    right(name)(rule)

for name, note, rule in [
    ("divide", "by the answer", lambda g, ans, x, y: (unbroadcast(g / y, x), unbroadcast(-g * ans / y, y))),
    ("power", "by the answer", lambda g, ans, x, y: (
        unbroadcast(g * y * ans / x, x), unbroadcast(np.log(x) * ans * g, y))),
    ("exp", "computed again", lambda g, ans, x: np.exp(x) * g),
    ("sqrt", "by a power", lambda g, ans, x: 0.5 * g * x**-0.5),
    ("tanh", "by cosh", lambda g, ans, x: g / np.cosh(x) ** 2),
    ("tanh", "factored", lambda g, ans, x: g * (1 - ans) * (1 + ans)),
    ("sigmoid", "by exp", lambda g, ans, x: g * np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2),
    ("sigmoid", "less its square", lambda g, ans, x: g * (ans - ans * ans)),
    ("softplus", "naive but right", lambda g, ans, x: g / (1 + np.exp(-x))),
    ("softplus", "by the answer", lambda g, ans, x: g * (1 - np.exp(-ans))),
    ("relu", "1 at the kink", lambda g, ans, x: np.where(x >= 0, g, 0.0)),
    ("relu", "a half at the kink", lambda g, ans, x: g * np.heaviside(x, 0.5)),
    ("relu", "by the answer", lambda g, ans, x: g * (ans > 0)),
    ("leaky_relu", "1 at the kink", lambda g, ans, x, slope=0.1: np.where(x >= 0, g, slope * g)),
    ("abs", "1 at the kink", lambda g, ans, x: np.where(x >= 0, g, -g)),
    ("abs", "-0.3 at the kink", lambda g, ans, x: np.where(x > 0, g, np.where(x < 0, -g, -0.3 * g))),
    ("maximum", "ties to y", lambda g, ans, x, y: (unbroadcast(g * (x > y), x), unbroadcast(g * (x <= y), y))),
    ("maximum", "ties halved", lambda g, ans, x, y: (
        unbroadcast(g * ((x > y) + 0.5 * (x == y)), x), unbroadcast(g * ((x < y) + 0.5 * (x == y)), y))),
    ("clip", "strict", lambda g, ans, x, low=-1.0, high=1.0: np.where((x > low) & (x < high), g, 0.0)),
    ("hinge", "at the kink too", lambda g, ans, s, t: np.where(t * s <= 1, -t, 0.0) * (g / s.size)),
    ("huber", "by cases", lambda g, ans, p, t, delta=1.0: g / p.size
        * np.where(np.abs(p - t) < delta, p - t, delta * np.sign(p - t))),
    ("squared_error", "mean last", lambda g, ans, p, t: 2 * (g / p.size) * (p - t)),
    ("matmul", "by einsum", lambda g, ans, x, y: (np.einsum("ik,jk->ij", g, y), np.einsum("ij,ik->jk", x, g))),
    ("inverse", "by solving", lambda g, ans, a: -np.linalg.solve(a.T, np.linalg.solve(a, g.T).T)),
    ("determinant", "by solving", lambda g, ans, a: g * ans * np.linalg.solve(a.T, np.eye(len(a)))),
    ("logsumexp", "by softmax", lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * special.softmax(x, axis=axis)),
    ("log_softmax", "by softmax", lambda g, ans, x, axis=-1: g - special.softmax(x, axis=axis)
        * g.sum(axis=axis, keepdims=True)),
    ("norm", "by its square", lambda g, ans, x: x * (g / np.sqrt((x**2).sum()))),
    ("cumsum", "total less the running sum", lambda g, ans, x, axis=0: g.sum(axis=axis, keepdims=True)
        - np.cumsum(g, axis=axis) + g),
    ("sum", "times ones", lambda g, ans, x, axis=None, keepdims=False: put_back(g, x, axis, keepdims)
        * np.ones_like(x)),
    ("transpose", "by swapping", lambda g, ans, x: np.swapaxes(g, 0, 1)),
    ("add", "a list", lambda g, ans, x, y: [unbroadcast(g, x), unbroadcast(g, y)]),
    ("dropout", "None for the mask", lambda g, ans, x, kept, keep=0.8: (g * kept / keep, None)),
]:  # fmt: skip
    right(name, note)(rule)


@right("solve")
def solve(g, ans, a, b):
    db = np.linalg.solve(a.T, g)
    return -(np.outer(db, ans) if ans.ndim == 1 else db @ ans.T), db


@right("solve", "by the inverse")
def solve_by_inverse(g, ans, a, b):
    db = np.linalg.inv(a).T @ g
    return -np.reshape(db, (len(a), -1)) @ np.reshape(ans, (len(a), -1)).T, db


@right("prod")
def prod(g, ans, x, axis=None):
    given = np.empty(x.shape)
    flat = x if axis is not None else x.reshape(-1)
    along = axis or 0
    out = np.empty(flat.shape)
    for k in range(flat.shape[along]):
        index = [slice(None)] * flat.ndim
        index[along] = k
        out[tuple(index)] = g * np.prod(np.delete(flat, k, axis=along), axis=along)
    given[...] = out.reshape(x.shape)
    return given


@right("max")
def max_first(g, ans, x, axis=None):
    out = np.zeros_like(x)
    if axis is None:
        out.flat[np.argmax(x)] = g
    else:
        np.put_along_axis(out, np.expand_dims(np.argmax(x, axis), axis), np.expand_dims(g, axis), axis)
    return out


@right("max", "ties shared")
def max_shared(g, ans, x, axis=None):
    largest = x == put_back(ans, x, axis)
    return put_back(g, x, axis) * largest / largest.sum(axis=axis, keepdims=True)


@right("cross_entropy")
def cross_entropy(g, ans, logits, label):
    p = special.softmax(logits, axis=1)
    p[np.arange(len(label)), label] -= 1
    return g * p / len(label)


@right("cross_entropy", "one-hot")
def cross_entropy_one_hot(g, ans, logits, label):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[label]) * (g / len(logits))


def _normalization(axis):
    def rule(g, ans, x, scale, shift, eps=1e-5):
        others = 1 - axis
        centred = x - x.mean(axis=axis, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=axis, keepdims=True) + eps)
        normal = centred / spread
        inner = g * scale
        dx = (
            inner
            - inner.mean(axis=axis, keepdims=True)
            - normal * (inner * normal).mean(axis=axis, keepdims=True)
        ) / spread
        assert others in (0, 1)
        return dx, (g * normal).sum(axis=0), g.sum(axis=0)

    return rule


right("layer_norm")(_normalization(1))
right("batch_norm")(_normalization(0))


@right("batch_norm", "staged")
def batch_norm_staged(g, ans, x, scale, shift, eps=1e-5):
    n = len(x)
    centred = x - x.mean(axis=0)
    inverse = 1 / np.sqrt((centred**2).mean(axis=0) + eps)
    dnormal = g * scale
    dvar = (dnormal * centred).sum(axis=0) * -0.5 * inverse**3
    dmean = -(dnormal * inverse).sum(axis=0) - 2 * dvar * centred.mean(axis=0)
    dx = dnormal * inverse + dvar * 2 * centred / n + dmean / n
    return dx, (g * centred * inverse).sum(axis=0), g.sum(axis=0)


@right("conv1d")
def conv1d(g, ans, x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(g.shape[2]):
        dw += np.einsum("bo,bck->ock", g[:, :, i], x[:, :, i : i + w.shape[2]])
        dx[:, :, i : i + w.shape[2]] += np.einsum("bo,ock->bck", g[:, :, i], w)
    return dx, dw


@right("conv2d")
def conv2d(g, ans, x, w, stride=1):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(g.shape[2]):
        for j in range(g.shape[3]):
            down, across = i * stride, j * stride
            window = np.s_[:, :, down : down + w.shape[2], across : across + w.shape[3]]
            dw += np.einsum("bo,bcij->ocij", g[:, :, i, j], x[window])
            dx[window] += np.einsum("bo,ocij->bcij", g[:, :, i, j], w)
    return dx, dw


def _pool(share):
    def rule(g, ans, x, size=2):
        *rest, height, width = x.shape
        blocks = x.reshape(*rest, height // size, size, width // size, size)
        largest = blocks == np.expand_dims(ans, (-3, -1))
        return (share(largest) * np.expand_dims(g, (-3, -1))).reshape(x.shape)

    return rule


right("max_pool", "ties shared")(_pool(lambda m: m / m.sum(axis=(-3, -1), keepdims=True)))


@right("max_pool")
def max_pool(g, ans, x, size=2):
    dx = np.zeros_like(x)
    for index in np.ndindex(ans.shape):
        *rest, i, j = index
        block = (*rest, slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size))
        k = np.unravel_index(np.argmax(x[block]), (size, size))
        dx[(*rest, i * size + k[0], j * size + k[1])] += g[index]
    return dx


@right("embedding")
@right("gather")
def scatter(g, ans, x, indices):
    dx = np.zeros_like(x)
    np.add.at(dx, indices, g)
    return dx


@right("gather", "by one-hot rows")
def gather_one_hot(g, ans, x, indices):
    return np.eye(len(x))[indices].reshape(-1, len(x)).T @ g.ravel()
