"""Twelve backward passes of several statements as students write them, each with faults of one line.

Written before the search for the wrong line was tuned. A fault is (what stands in the right pass, what the
student wrote): the line is where the first stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.grading import Case, Exercise, draws

Array = Any
normal, labels = draws.normal, draws.labels


@dataclass(frozen=True)
class Pass:
    """A right pass and what can go wrong in it.

    Attributes:
        function: the forward function, the team's.
        cases: the ladder.
        style: the submission style.
        source: the right pass.
        faults: pairs of texts: what stands in it once, and what is there in its place.
    """

    function: Callable[..., Any]
    cases: tuple[Case, ...]
    style: str
    source: str
    faults: tuple[tuple[str, str], ...]

    @property
    def exercise(self) -> Exercise:
        return Exercise(self.function, list(self.cases), style=self.style, hint_level=3)

    def broken(self, k: int) -> tuple[str, int]:
        """The source with fault k, and the number of the wrong line."""
        old, new = self.faults[k]
        assert self.source.count(old) == 1, (self.function.__name__, old, self.source.count(old))
        before, _, after = self.source.partition(old)
        return before + new + after, before.count("\n") + 1


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Each row normalised."""
    mean = np.mean(x, axis=1, keepdims=True)
    centred = x - mean
    var = np.mean(centred**2, axis=1, keepdims=True)
    return gamma * centred / np.sqrt(var + eps) + beta


LAYER_NORM = """# Homework 3, problem 2
import numpy as np


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = x.sum(axis=1, keepdims=True) / D
    c = x - mu
    sq = c ** 2
    var = sq.sum(axis=1, keepdims=True) / D
    s = np.sqrt(var + eps)
    inv = 1.0 / s
    xhat = c * inv
    out = gamma * xhat + beta
    return out, (c, s, inv, xhat, gamma)


def layer_norm_backward(dout, cache):
    c, s, inv, xhat, gamma = cache
    N, D = dout.shape
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dinv = (dxhat * c).sum(axis=1, keepdims=True)
    dc = dxhat * inv
    ds = -dinv / s ** 2
    dvar = 0.5 * ds / s
    dsq = np.ones((N, D)) * dvar / D
    dc = dc + 2 * c * dsq
    dmu = -dc.sum(axis=1, keepdims=True)
    dx = dc + np.ones((N, D)) * dmu / D
    return dx, dgamma, dbeta
"""

LAYER_NORM_FAULTS = (
    ("dbeta = dout.sum(axis=0)", "dbeta = dout.mean(axis=0)"),
    ("dgamma = (dout * xhat).sum(axis=0)", "dgamma = (dout * c).sum(axis=0)"),
    ("dgamma = (dout * xhat).sum(axis=0)", "dgamma = (dout * xhat).sum(axis=1)"),
    ("dxhat = dout * gamma", "dxhat = dout"),
    ("dxhat = dout * gamma", "dxhat = dout / gamma"),
    ("dinv = (dxhat * c).sum(axis=1, keepdims=True)", "dinv = (dxhat * xhat).sum(axis=1, keepdims=True)"),
    ("dinv = (dxhat * c).sum(axis=1, keepdims=True)", "dinv = (dout * c).sum(axis=1, keepdims=True)"),
    ("dc = dxhat * inv", "dc = dxhat * s"),
    ("ds = -dinv / s ** 2", "ds = dinv / s ** 2"),
    ("ds = -dinv / s ** 2", "ds = -dinv / s"),
    ("dvar = 0.5 * ds / s", "dvar = ds / s"),
    ("dvar = 0.5 * ds / s", "dvar = 0.5 * ds * s"),
    ("dsq = np.ones((N, D)) * dvar / D", "dsq = np.ones((N, D)) * dvar / N"),
    ("dsq = np.ones((N, D)) * dvar / D", "dsq = np.ones((N, D)) * dvar"),
    ("dc = dc + 2 * c * dsq", "dc = dc + c * dsq"),
    ("dc = dc + 2 * c * dsq", "dc = 2 * c * dsq"),
    ("dmu = -dc.sum(axis=1, keepdims=True)", "dmu = dc.sum(axis=1, keepdims=True)"),
    ("dx = dc + np.ones((N, D)) * dmu / D", "dx = dc + np.ones((N, D)) * dmu"),
    ("dx = dc + np.ones((N, D)) * dmu / D", "dx = dc"),
)


def batch_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Each column normalised."""
    centred = x - np.mean(x, axis=0)
    var = np.mean(centred**2, axis=0)
    return gamma * (centred / np.sqrt(var + eps)) + beta


BATCH_NORM = """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    std = np.sqrt(var + eps)
    xn = (x - mu) / std
    return gamma * xn + beta, (x, mu, std, xn, gamma)

def batch_norm_backward(dout, cache):
    x, mu, std, xn, gamma = cache
    N = x.shape[0]
    dgamma = np.sum(dout * xn, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxn = dout * gamma
    dvar = np.sum(dxn * (x - mu) * -0.5 * std ** -3, axis=0)
    dmu = np.sum(-dxn / std, axis=0)
    dmu += dvar * np.mean(-2 * (x - mu), axis=0)
    dx = dxn / std
    dx += dvar * 2 * (x - mu) / N
    dx += dmu / N
    return dx, dgamma, dbeta
"""

BATCH_NORM_FAULTS = (
    ("dgamma = np.sum(dout * xn, axis=0)", "dgamma = np.sum(dout * x, axis=0)"),
    ("dgamma = np.sum(dout * xn, axis=0)", "dgamma = np.mean(dout * xn, axis=0)"),
    ("dbeta = np.sum(dout, axis=0)", "dbeta = np.sum(dout * gamma, axis=0)"),
    ("dxn = dout * gamma", "dxn = dout"),
    ("dxn = dout * gamma", "dxn = dgamma * gamma"),
    (" * -0.5 * std ** -3, axis=0)", " * 0.5 * std ** -3, axis=0)"),
    (" * -0.5 * std ** -3, axis=0)", " * -0.5 * std ** -1.5, axis=0)"),
    ("dvar = np.sum(dxn * (x - mu)", "dvar = np.sum(dxn * xn"),
    ("dmu = np.sum(-dxn / std, axis=0)", "dmu = np.sum(dxn / std, axis=0)"),
    ("dmu = np.sum(-dxn / std, axis=0)", "dmu = np.sum(-dxn / std ** 2, axis=0)"),
    ("dx = dxn / std\n", "dx = dxn * std\n"),
    ("dx = dxn / std\n", "dx = dout / std\n"),
    ("dx += dvar * 2 * (x - mu) / N", "dx += dvar * (x - mu) / N"),
    ("dx += dvar * 2 * (x - mu) / N", "dx += dvar * 2 * (x - mu)"),
    ("dx += dvar * 2 * (x - mu) / N", "dx = dvar * 2 * (x - mu) / N"),
    ("dx += dmu / N", "dx += dmu"),
    ("dx += dmu / N", "dx -= dmu / N"),
)


def attention(q: Array, k: Array, v: Array) -> Array:
    """softmax(q k' / sqrt(d)) v."""
    scores = q @ np.transpose(k) / np.sqrt(q.shape[1])
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return (e / np.sum(e, axis=1, keepdims=True)) @ v


ATTENTION = '''import numpy as np


def softmax(z):
    """Softmax of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def attention_vjp(g, ans, q, k, v):
    d = q.shape[1]
    scale = 1 / np.sqrt(d)
    scores = q @ k.T * scale
    probs = softmax(scores)
    dv = probs.T @ g
    dprobs = g @ v.T
    inner = (dprobs * probs).sum(axis=1, keepdims=True)
    dscores = probs * (dprobs - inner)
    draw = dscores * scale
    dq = draw @ k
    dk = draw.T @ q
    return dq, dk, dv
'''

ATTENTION_FAULTS = (
    ("scale = 1 / np.sqrt(d)", "scale = 1 / d"),
    ("scores = q @ k.T * scale", "scores = q @ k.T"),
    ("e = np.exp(z - z.max(axis=1, keepdims=True))", "e = np.exp(z - z.max(axis=1, keepdims=True)) * 2 ** z"),
    ("return e / e.sum(axis=1, keepdims=True)", "return e / e.sum(axis=0, keepdims=True)"),
    ("return e / e.sum(axis=1, keepdims=True)", "return e / e.sum()"),
    ("dv = probs.T @ g", "dv = scores.T @ g"),
    ("dprobs = g @ v.T", "dprobs = ans @ v.T"),
    ("inner = (dprobs * probs).sum(axis=1, keepdims=True)", "inner = dprobs.sum(axis=1, keepdims=True)"),
    (
        "inner = (dprobs * probs).sum(axis=1, keepdims=True)",
        "inner = (dprobs * probs).sum(axis=0, keepdims=True)",
    ),
    ("dscores = probs * (dprobs - inner)", "dscores = probs * (dprobs + inner)"),
    ("dscores = probs * (dprobs - inner)", "dscores = dprobs - inner"),
    ("dscores = probs * (dprobs - inner)", "dscores = probs * dprobs"),
    ("dscores = probs * (dprobs - inner)", "dscores = probs * (1 - probs) * dprobs"),
    ("draw = dscores * scale", "draw = dscores"),
    ("draw = dscores * scale", "draw = dscores / scale"),
    ("dq = draw @ k", "dq = dscores @ k"),
    ("dk = draw.T @ q", "dk = draw.T @ k"),
)


def lstm_cell(x: Array, h: Array, c: Array, w: Array, u: Array, b: Array) -> Array:
    """One step; the new h and c beside each other."""
    d = h.shape[1]
    a = x @ w + h @ u + b
    i, f, o = (1 / (1 + np.exp(-a[:, k * d : (k + 1) * d])) for k in range(3))
    new = f * c + i * np.tanh(a[:, 3 * d :])
    return np.concatenate([o * np.tanh(new), new], axis=1)


LSTM = """import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def lstm_cell_forward(x, h, c, w, u, b):
    d = h.shape[1]
    a = x.dot(w) + h.dot(u) + b
    i = sigmoid(a[:, :d])
    f = sigmoid(a[:, d:2*d])
    o = sigmoid(a[:, 2*d:3*d])
    n = np.tanh(a[:, 3*d:])
    c1 = f * c + i * n
    t = np.tanh(c1)
    h1 = o * t
    return np.hstack([h1, c1]), (x, h, c, w, u, i, f, o, n, t)

def lstm_cell_backward(dout, cache):
    x, h, c, w, u, i, f, o, n, t = cache
    d = h.shape[1]
    dh1 = dout[:, :d]
    dc1 = dout[:, d:]
    do = dh1 * t
    dt = dh1 * o
    dc1 = dc1 + dt * (1 - t ** 2)
    df = dc1 * c
    dc = dc1 * f
    di = dc1 * n
    dn = dc1 * i
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dan = dn * (1 - n ** 2)
    da = np.hstack([dai, daf, dao, dan])
    dx = da.dot(w.T)
    dw = x.T.dot(da)
    dh = da.dot(u.T)
    du = h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dh, dc, dw, du, db
"""

LSTM_FAULTS = (
    ("dh1 = dout[:, :d]", "dh1 = dout[:, d:]"),
    ("do = dh1 * t", "do = dh1 * np.tanh(t)"),
    ("dt = dh1 * o", "dt = dh1"),
    ("dc1 = dc1 + dt * (1 - t ** 2)", "dc1 = dc1 + dt * (1 - t) ** 2"),
    ("dc1 = dc1 + dt * (1 - t ** 2)", "dc1 = dt * (1 - t ** 2)"),
    ("dc1 = dc1 + dt * (1 - t ** 2)", "dc1 = dc1 + dt * t"),
    ("df = dc1 * c\n", "df = dc1 * i\n"),
    ("dc = dc1 * f\n", "dc = dc1 * c\n"),
    ("di = dc1 * n", "di = dc1 * i"),
    ("dn = dc1 * i", "dn = dc1 * n"),
    ("dai = di * i * (1 - i)", "dai = di * (1 - i)"),
    ("daf = df * f * (1 - f)", "daf = df * f"),
    ("dao = do * o * (1 - o)", "dao = do * (1 - o ** 2)"),
    ("dan = dn * (1 - n ** 2)", "dan = dn * n * (1 - n)"),
    ("da = np.hstack([dai, daf, dao, dan])", "da = np.hstack([dai, dao, daf, dan])"),
    ("dx = da.dot(w.T)", "dx = da.dot(w.T) / len(x)"),
    ("dw = x.T.dot(da)", "dw = x.T.dot(da) / len(x)"),
    ("db = da.sum(axis=0)", "db = da.sum(axis=1)"),
)


def softmax_loss(x: Array, w: Array, y: Array, reg: float = 0.1) -> Array:
    """Mean cross entropy of a linear classifier, plus reg times the sum of squares of w."""
    scores = x @ w
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    log_total = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_total - shifted[np.arange(len(y)), y]) + reg * np.sum(w * w)


SOFTMAX_LOSS = """import numpy as np

def softmax_loss_vjp(g, ans, x, w, y, reg=0.1):
    N = x.shape[0]
    scores = x @ w
    scores -= np.max(scores, axis=1, keepdims=True)
    e = np.exp(scores)
    probs = e / np.sum(e, axis=1, keepdims=True)
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores *= g / N
    dw = x.T @ dscores
    dw += 2 * reg * w * g
    dx = dscores @ w.T
    return dx, dw
"""

SOFTMAX_LOSS_FAULTS = (
    ("N = x.shape[0]", "N = x.shape[1]"),
    ("scores = x @ w", "scores = x @ w / N"),
    ("probs = e / np.sum(e, axis=1, keepdims=True)", "probs = e / np.sum(e, axis=0, keepdims=True)"),
    (
        "probs = e / np.sum(e, axis=1, keepdims=True)",
        "probs = scores / np.sum(scores, axis=1, keepdims=True)",
    ),
    ("e = np.exp(scores)", "e = np.exp(-scores)"),
    ("dscores[np.arange(N), y] -= 1", "dscores[:, y] -= 1"),
    ("dscores[np.arange(N), y] -= 1", "dscores[np.arange(N), y] += 1"),
    ("dscores[np.arange(N), y] -= 1", "pass"),
    ("dscores *= g / N", "dscores *= g"),
    ("dscores *= g / N", "dscores /= N"),
    ("dw = x.T @ dscores", "dw = x.T @ probs"),
    ("dw = x.T @ dscores", "dw = x.T @ dscores / N"),
    ("dw += 2 * reg * w * g", "dw += reg * w * g"),
    ("dw += 2 * reg * w * g", "dw += 2 * reg * w"),
    ("dw += 2 * reg * w * g", "dw += 2 * reg * w * g / N"),
    ("dw += 2 * reg * w * g", "dw = 2 * reg * w * g"),
    ("dx = dscores @ w.T", "dx = dscores @ w.T + 2 * reg * x"),
)


def conv(x: Array, w: Array, b: Array) -> Array:
    """x (N, C, H, W), w (F, C, 2, 2), padded by one, b (F,)."""
    _, _, height, width = x.shape
    f, _, a, e = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    down, across = (
        np.arange(height + 3 - a)[:, None] + np.arange(a),
        np.arange(width + 3 - e)[:, None] + np.arange(e),
    )
    windows = padded[:, :, down[:, None, :, None], across[None, :, None, :]]
    return np.einsum("ncijae,fcae->nfij", windows, w) + np.reshape(b, (f, 1, 1))


CONV = """import numpy as np

def conv_forward(x, w, b):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    Ho = H + 2 - HH + 1
    Wo = W + 2 - WW + 1
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    out[n, f, i, j] = np.sum(xp[n, :, i:i+HH, j:j+WW] * w[f]) + b[f]
    return out, (x, w, b)

def conv_backward(dout, cache):
    x, w, b = cache
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    _, _, Ho, Wo = dout.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += np.sum(dout[n, f])
            for i in range(Ho):
                for j in range(Wo):
                    patch = xp[n, :, i:i+HH, j:j+WW]
                    dw[f] += patch * dout[n, f, i, j]
                    dxp[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, i, j]
    dx = dxp[:, :, 1:-1, 1:-1]
    return dx, dw, db
"""

CONV_FAULTS = (
    ("db[f] += np.sum(dout[n, f])", "db[f] = np.sum(dout[n, f])"),
    ("db[f] += np.sum(dout[n, f])", "db[f] += np.mean(dout[n, f])"),
    ("patch = xp[n, :, i:i+HH, j:j+WW]", "patch = xp[n, :, j:j+HH, i:i+WW]"),
    ("dw[f] += patch * dout[n, f, i, j]", "dw[f] = patch * dout[n, f, i, j]"),
    ("dw[f] += patch * dout[n, f, i, j]", "dw[f] += patch"),
    ("dw[f] += patch * dout[n, f, i, j]", "dw[f] += patch * dout[n, f, j, i]"),
    ("dxp[n, :, i:i+HH, j:j+WW] += w[f]", "dxp[n, :, i:i+HH, j:j+WW] = w[f]"),
    ("dxp[n, :, i:i+HH, j:j+WW] += w[f]", "dxp[n, :, i:i+HH, j:j+WW] += patch"),
    ("dxp[n, :, i:i+HH, j:j+WW] += w[f]", "dxp[n, :, i:i+HH, j:j+WW] += w[f, :, ::-1, ::-1]"),
    ("dx = dxp[:, :, 1:-1, 1:-1]", "dx = dxp[:, :, :-2, :-2]"),
    ("dx = dxp[:, :, 1:-1, 1:-1]", "dx = dxp"),
)


def two_layers(x: Array, w1: Array, b1: Array, w2: Array, b2: Array, y: Array) -> Array:
    """Half of the mean squared error of a net with one layer of tanh."""
    h = np.tanh(x @ w1 + b1)
    return np.sum((h @ w2 + b2 - y) ** 2) / (2 * len(x))


TWO_LAYERS = '''import numpy as np


class TwoLayers:
    """Half the mean squared error."""

    def forward(self, x, w1, b1, w2, b2, y):
        self.x, self.w1, self.w2 = x, w1, w2
        z1 = x @ w1 + b1
        self.h = np.tanh(z1)
        z2 = self.h @ w2 + b2
        self.r = z2 - y
        return 0.5 * np.sum(self.r ** 2) / len(x)

    def backward(self, g):
        n = len(self.x)
        dr = g * self.r / n
        dz2 = dr
        dw2 = self.h.T @ dz2
        db2 = np.sum(dz2, axis=0)
        dh = dz2 @ self.w2.T
        dz1 = dh * (1 - self.h ** 2)
        dw1 = self.x.T @ dz1
        db1 = np.sum(dz1, axis=0)
        dx = dz1 @ self.w1.T
        return dx, dw1, db1, dw2, db2
'''

TWO_LAYERS_FAULTS = (
    ("n = len(self.x)", "n = self.x.size"),
    ("dr = g * self.r / n", "dr = g * self.r"),
    ("dr = g * self.r / n", "dr = 2 * g * self.r / n"),
    ("dr = g * self.r / n", "dr = self.r / n"),
    ("dr = g * self.r / n", "dr = -g * self.r / n"),
    ("dw2 = self.h.T @ dz2", "dw2 = self.h.T @ dz2 / n"),
    ("db2 = np.sum(dz2, axis=0)", "db2 = np.mean(dz2, axis=0)"),
    ("dh = dz2 @ self.w2.T", "dh = self.r @ self.w2.T"),
    ("dz1 = dh * (1 - self.h ** 2)", "dz1 = dh * (1 - self.h)"),
    ("dz1 = dh * (1 - self.h ** 2)", "dz1 = dh"),
    ("dz1 = dh * (1 - self.h ** 2)", "dz1 = dh * self.h * (1 - self.h)"),
    ("dz1 = dh * (1 - self.h ** 2)", "dz1 = dh * (1 - np.tanh(self.h) ** 2)"),
    ("dw1 = self.x.T @ dz1", "dw1 = self.x.T @ dh"),
    ("db1 = np.sum(dz1, axis=0)", "db1 = np.sum(dh, axis=0)"),
    ("db1 = np.sum(dz1, axis=0)", "db1 = np.sum(dz1, axis=0, keepdims=True)"),
    ("dx = dz1 @ self.w1.T", "dx = dh @ self.w1.T"),
)


def rnn(x: Array, w: Array, u: Array, b: Array) -> Array:
    """The last state of a recurrence over the first axis of x (T, N, D), begun at zero."""
    h = np.zeros((x.shape[1], u.shape[0]))
    for t in range(x.shape[0]):
        h = np.tanh(x[t] @ w + h @ u + b)
    return h


RNN = """import numpy as np

def rnn_forward(x, w, u, b):
    T, N, D = x.shape
    hs = [np.zeros((N, u.shape[0]))]
    for t in range(T):
        hs.append(np.tanh(x[t] @ w + hs[-1] @ u + b))
    return hs[-1], (x, w, u, hs)

def rnn_backward(dout, cache):
    x, w, u, hs = cache
    T = x.shape[0]
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    du = np.zeros_like(u)
    db = np.zeros(u.shape[0])
    dh = dout
    for t in reversed(range(T)):
        dz = dh * (1 - hs[t + 1] ** 2)
        dx[t] = dz @ w.T
        dw += x[t].T @ dz
        du += hs[t].T @ dz
        db += dz.sum(axis=0)
        dh = dz @ u.T
    return dx, dw, du, db
"""

RNN_FAULTS = (
    ("dh = dout\n", "dh = dout / T\n"),
    ("for t in reversed(range(T)):", "for t in range(T):"),
    ("for t in reversed(range(T)):", "for t in reversed(range(1, T)):"),
    ("dz = dh * (1 - hs[t + 1] ** 2)", "dz = dh * (1 - hs[t] ** 2)"),
    ("dz = dh * (1 - hs[t + 1] ** 2)", "dz = dh * (1 + hs[t + 1] ** 2)"),
    ("dz = dh * (1 - hs[t + 1] ** 2)", "dz = dout * (1 - hs[t + 1] ** 2)"),
    ("dx[t] = dz @ w.T", "dx[t] = dh @ w.T"),
    ("dw += x[t].T @ dz", "dw = x[t].T @ dz"),
    ("dw += x[t].T @ dz", "dw += x[t - 1].T @ dz"),
    ("du += hs[t].T @ dz", "du += hs[t + 1].T @ dz"),
    ("du += hs[t].T @ dz", "du = hs[t].T @ dz"),
    ("db += dz.sum(axis=0)", "db += dz.mean(axis=0)"),
    ("dh = dz @ u.T", "dh = dz @ u"),
    ("dh = dz @ u.T", "dh = dh @ u.T"),
    ("dh = dz @ u.T", "dh += dz @ u.T"),
)


def vae_loss(mu: Array, logvar: Array, noise: Array, target: Array) -> Array:
    """Squared distance of a sample to the target, plus the divergence from the standard normal law."""
    sample = mu + np.exp(0.5 * logvar) * noise
    divergence = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return np.sum((sample - target) ** 2) + divergence


VAE = """import numpy as np

def vae_loss_forward(mu, logvar, noise, target):
    sigma = np.exp(0.5 * logvar)
    z = mu + sigma * noise
    diff = z - target
    rec = np.sum(diff ** 2)
    kl = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar))
    return rec + kl, (mu, logvar, noise, sigma, diff)

def vae_loss_backward(dout, cache):
    mu, logvar, noise, sigma, diff = cache
    ddiff = 2 * diff * dout
    dz = ddiff
    dmu = dz.copy()
    dsigma = dz * noise
    dlogvar = dsigma * 0.5 * sigma
    dmu += mu * dout
    dlogvar += -0.5 * (1 - np.exp(logvar)) * dout
    return dmu, dlogvar
"""

VAE_FAULTS = (
    ("ddiff = 2 * diff * dout", "ddiff = diff * dout"),
    ("ddiff = 2 * diff * dout", "ddiff = 2 * diff"),
    ("dmu = dz.copy()", "dmu = dz * noise"),
    ("dsigma = dz * noise", "dsigma = dz"),
    ("dsigma = dz * noise", "dsigma = dz * sigma"),
    ("dlogvar = dsigma * 0.5 * sigma", "dlogvar = dsigma * sigma"),
    ("dlogvar = dsigma * 0.5 * sigma", "dlogvar = dsigma * 0.5"),
    ("dlogvar = dsigma * 0.5 * sigma", "dlogvar = dsigma * 0.5 / sigma"),
    ("dmu += mu * dout", "dmu += 2 * mu * dout"),
    ("dmu += mu * dout", "dmu -= mu * dout"),
    ("dmu += mu * dout", "dmu = mu * dout"),
    ("dlogvar += -0.5 * (1 - np.exp(logvar)) * dout", "dlogvar += -0.5 * (1 + np.exp(logvar)) * dout"),
    ("dlogvar += -0.5 * (1 - np.exp(logvar)) * dout", "dlogvar += 0.5 * (1 - np.exp(logvar)) * dout"),
    ("dlogvar += -0.5 * (1 - np.exp(logvar)) * dout", "dlogvar += -0.5 * (1 - logvar) * dout"),
)


def cosine(a: Array, b: Array) -> Array:
    """The cosines of the angles between the rows of a and those of b."""
    na, nb = np.sqrt(np.sum(a * a, axis=1)), np.sqrt(np.sum(b * b, axis=1))
    return np.sum(a * b, axis=1) / (na * nb)


COSINE = """import numpy as np

def cosine_vjp(g, ans, a, b):
    na = np.sqrt((a ** 2).sum(axis=1))
    nb = np.sqrt((b ** 2).sum(axis=1))
    p = (a * b).sum(axis=1)
    m = na * nb
    dp = g / m
    dm = -g * p / m ** 2
    dna = dm * nb
    dnb = dm * na
    da = dp[:, None] * b
    db = dp[:, None] * a
    da = da + (dna / na)[:, None] * a
    db = db + (dnb / nb)[:, None] * b
    return da, db
"""

COSINE_FAULTS = (
    ("na = np.sqrt((a ** 2).sum(axis=1))", "na = (a ** 2).sum(axis=1)"),
    ("nb = np.sqrt((b ** 2).sum(axis=1))", "nb = np.sqrt((a ** 2).sum(axis=1))"),
    ("p = (a * b).sum(axis=1)", "p = (a + b).sum(axis=1)"),
    ("m = na * nb", "m = na + nb"),
    ("dp = g / m", "dp = g"),
    ("dp = g / m", "dp = g * m"),
    ("dm = -g * p / m ** 2", "dm = g * p / m ** 2"),
    ("dm = -g * p / m ** 2", "dm = -g * p / m"),
    ("dm = -g * p / m ** 2", "dm = -g / m ** 2"),
    ("dna = dm * nb", "dna = dm * na"),
    ("dnb = dm * na", "dnb = dm / na"),
    ("da = dp[:, None] * b", "da = dp[:, None] * a"),
    ("db = dp[:, None] * a", "db = dm[:, None] * a"),
    ("da = da + (dna / na)[:, None] * a", "da = da + 0.5 * (dna / na)[:, None] * a"),
    ("da = da + (dna / na)[:, None] * a", "da = da + dna[:, None] * a"),
    ("db = db + (dnb / nb)[:, None] * b", "db = db - (dnb / nb)[:, None] * b"),
)


def svm_loss(x: Array, w: Array, y: Array, reg: float = 0.05) -> Array:
    """Mean multiclass hinge loss with margin 1, plus reg times the sum of squares of w."""
    scores = x @ w
    n = len(y)
    margins = np.maximum(0, scores - scores[np.arange(n), y][:, None] + 1)
    return (np.sum(margins) - n) / n + reg * np.sum(w**2)


SVM = """import numpy as np

def svm_loss_vjp(g, ans, x, w, y, reg=0.05):
    num = x.shape[0]
    scores = x.dot(w)
    correct = scores[np.arange(num), y]
    margins = np.maximum(0, scores - correct[:, np.newaxis] + 1.0)
    margins[np.arange(num), y] = 0
    mask = (margins > 0).astype(float)
    count = mask.sum(axis=1)
    mask[np.arange(num), y] = -count
    dscores = g * mask / num
    dw = x.T.dot(dscores) + 2 * reg * w * g
    dx = dscores.dot(w.T)
    return dx, dw
"""

SVM_FAULTS = (
    (
        "margins = np.maximum(0, scores - correct[:, np.newaxis] + 1.0)",
        "margins = scores - correct[:, np.newaxis]",
    ),
    (
        "margins = np.maximum(0, scores - correct[:, np.newaxis] + 1.0)",
        "margins = np.maximum(0, scores + correct[:, np.newaxis] + 1.0)",
    ),
    ("margins[np.arange(num), y] = 0", "margins[np.arange(num), y] = 1"),
    ("mask = (margins > 0).astype(float)", "mask = (scores > 0).astype(float)"),
    ("mask = (margins > 0).astype(float)", "mask = margins"),
    ("count = mask.sum(axis=1)", "count = mask.mean(axis=1)"),
    ("mask[np.arange(num), y] = -count", "mask[np.arange(num), y] = count"),
    ("mask[np.arange(num), y] = -count", "mask[np.arange(num), y] = -1"),
    ("mask[np.arange(num), y] = -count", "mask[np.arange(num), y] -= 1"),
    ("dscores = g * mask / num", "dscores = g * mask"),
    ("dscores = g * mask / num", "dscores = mask / num"),
    ("dw = x.T.dot(dscores) + 2 * reg * w * g", "dw = x.T.dot(dscores) + reg * w * g"),
    ("dw = x.T.dot(dscores) + 2 * reg * w * g", "dw = x.T.dot(mask) + 2 * reg * w * g"),
    ("dw = x.T.dot(dscores) + 2 * reg * w * g", "dw = x.T.dot(dscores) - 2 * reg * w * g"),
    ("dx = dscores.dot(w.T)", "dx = dscores.dot(w.T) * num"),
)


def swiglu(x: Array, wg: Array, wu: Array, wd: Array) -> Array:
    """A gated unit: (silu(x wg) * (x wu)) wd, on rows scaled by the root of their mean square."""
    y = x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + 1e-6)
    a = y @ wg
    return (a / (1 + np.exp(-a)) * (y @ wu)) @ wd


SWIGLU = """import numpy as np

class Swiglu:
    @staticmethod
    def forward(ctx, x, wg, wu, wd):
        ms = np.mean(x ** 2, axis=1, keepdims=True)
        r = np.sqrt(ms + 1e-6)
        y = x / r
        a = y @ wg
        s = 1 / (1 + np.exp(-a))
        act = a * s
        up = y @ wu
        h = act * up
        ctx.save_for_backward(x, wg, wu, wd, r, y, a, s, act, up, h)
        return h @ wd

    @staticmethod
    def backward(ctx, g):
        x, wg, wu, wd, r, y, a, s, act, up, h = ctx.saved_tensors
        D = x.shape[1]
        dwd = h.T @ g
        dh = g @ wd.T
        dact = dh * up
        dup = dh * act
        da = dact * (s + a * s * (1 - s))
        dwg = y.T @ da
        dwu = y.T @ dup
        dy = da @ wg.T + dup @ wu.T
        dr = np.sum(-dy * x / r ** 2, axis=1, keepdims=True)
        dms = dr / (2 * r)
        dx = dy / r + dms * 2 * x / D
        return dx, dwg, dwu, dwd
"""

SWIGLU_FAULTS = (
    ("dwd = h.T @ g", "dwd = act.T @ g"),
    ("dh = g @ wd.T", "dh = h * (g @ wd.T)"),
    ("dact = dh * up", "dact = dh * act"),
    ("dup = dh * act", "dup = dh * a"),
    ("da = dact * (s + a * s * (1 - s))", "da = dact * s * (1 - s)"),
    ("da = dact * (s + a * s * (1 - s))", "da = dact * s"),
    ("da = dact * (s + a * s * (1 - s))", "da = dact * (s + s * (1 - s))"),
    ("dwg = y.T @ da", "dwg = x.T @ da"),
    ("dwu = y.T @ dup", "dwu = y.T @ dact"),
    ("dy = da @ wg.T + dup @ wu.T", "dy = da @ wg.T"),
    ("dy = da @ wg.T + dup @ wu.T", "dy = da @ wg.T - dup @ wu.T"),
    (
        "dr = np.sum(-dy * x / r ** 2, axis=1, keepdims=True)",
        "dr = np.sum(-dy * x / r, axis=1, keepdims=True)",
    ),
    (
        "dr = np.sum(-dy * x / r ** 2, axis=1, keepdims=True)",
        "dr = np.sum(-dy * y / r ** 2, axis=1, keepdims=True)",
    ),
    ("dms = dr / (2 * r)", "dms = dr / 2"),
    ("dms = dr / (2 * r)", "dms = dr * r / 2"),
    ("dx = dy / r + dms * 2 * x / D", "dx = dy / r + dms * 2 * x"),
    ("dx = dy / r + dms * 2 * x / D", "dx = dy / r"),
    ("dx = dy / r + dms * 2 * x / D", "dx = dy * r + dms * 2 * x / D"),
)


def _case(*inputs: Any) -> tuple[Case, ...]:
    return (Case("ordinary", *inputs),)


PASSES: dict[str, Pass] = {
    "layer_norm": Pass(
        layer_norm, _case(normal("34"), normal("4"), normal("4")), "pair", LAYER_NORM, LAYER_NORM_FAULTS
    ),
    "batch_norm": Pass(
        batch_norm, _case(normal("43"), normal("3"), normal("3")), "pair", BATCH_NORM, BATCH_NORM_FAULTS
    ),
    "attention": Pass(
        attention, _case(normal("32"), normal("42"), normal("43")), "vjp", ATTENTION, ATTENTION_FAULTS
    ),
    "lstm_cell": Pass(
        lstm_cell,
        _case(normal("32"), normal("32"), normal("32"), normal("28"), normal("28"), normal("8")),
        "pair",
        LSTM,
        LSTM_FAULTS,
    ),
    "softmax_loss": Pass(
        softmax_loss,
        _case(normal("42"), normal("23"), draws.fixed(labels("4", "3"))),
        "vjp",
        SOFTMAX_LOSS,
        SOFTMAX_LOSS_FAULTS,
    ),
    "conv": Pass(conv, _case(normal("2233"), normal("3222"), normal("3")), "pair", CONV, CONV_FAULTS),
    "two_layers": Pass(
        two_layers,
        _case(normal("32"), normal("24"), normal("4"), normal("42"), normal("2"), draws.fixed(normal("32"))),
        "gate",
        TWO_LAYERS,
        TWO_LAYERS_FAULTS,
    ),
    "rnn": Pass(rnn, _case(normal("423"), normal("32"), normal("22"), normal("2")), "pair", RNN, RNN_FAULTS),
    "vae_loss": Pass(
        vae_loss,
        _case(normal("32"), normal("32"), draws.fixed(normal("32")), draws.fixed(normal("32"))),
        "pair",
        VAE,
        VAE_FAULTS,
    ),
    "cosine": Pass(cosine, _case(normal("43"), normal("43")), "vjp", COSINE, COSINE_FAULTS),
    "svm_loss": Pass(
        svm_loss, _case(normal("42"), normal("23"), draws.fixed(labels("4", "3"))), "vjp", SVM, SVM_FAULTS
    ),
    "swiglu": Pass(
        swiglu,
        _case(normal("34"), normal("42"), normal("42"), normal("23")),
        "context",
        SWIGLU,
        SWIGLU_FAULTS,
    ),
}
