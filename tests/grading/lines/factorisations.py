"""The same functions' backward passes as people publish them: closed forms, fused and staged, einsum, loops.

Each is right, and has faults of one line of the kinds that issue threads of public repositories report (a
gate's delta used for another gate's bias, a sigmoid without its derivative, tanh' at the wrong place, a sum
left out, a factor of a check exercise). They were written after the search for the wrong line, and not after
the changes that it tries.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffkit.grading import draws

from .passes import PASSES, Array, Pass, _case

normal = draws.normal
Faults = tuple[tuple[str, str], ...]


def _like(name: str, source: str, faults: Faults, style: str = "") -> Pass:
    """Another way to write a pass of :data:`~tests.grading.lines.passes.PASSES`."""
    base = PASSES[name]
    return replace(base, source=source, faults=faults, style=style or base.style)


FACTORISATIONS: dict[str, Pass] = {}

# Layer normalisation ----------------------------------------------------------------------------------------

FACTORISATIONS["layer_norm, sums of distances"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, keepdims=True) + eps
    dist = x - mu
    xhat = dist * var ** (-0.5)
    return xhat * gamma + beta, (dist, var, xhat, gamma)

def layer_norm_backward(dout, cache):
    dist, var, xhat, gamma = cache
    n = dist.shape[1]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dy = dout * gamma
    sum_dy = dy.sum(axis=1, keepdims=True)
    sum_dy_dist = (dy * dist).sum(axis=1, keepdims=True)
    dx = n * dy - sum_dy - dist / var * sum_dy_dist
    dx *= var ** (-1.0 / 2)
    dx /= n
    return dx, dgamma, dbeta
""",
    (
        ("sum_dy_dist = (dy * dist).sum", "sum_dy_dist = (dy * xhat).sum"),
        (
            "dx = n * dy - sum_dy - dist / var * sum_dy_dist",
            "dx = n * dout - sum_dy - dist / var * sum_dy_dist",
        ),
        ("dx *= var ** (-1.0 / 2)", "dx *= var ** (1.0 / 2)"),
    ),
)

FACTORISATIONS["layer_norm, a loop over rows"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    out = np.empty_like(x)
    means, rstds = [], []
    for i in range(len(x)):
        m = x[i].mean()
        v = ((x[i] - m) ** 2).mean()
        rstd = 1.0 / np.sqrt(v + eps)
        out[i] = (x[i] - m) * rstd * gamma + beta
        means.append(m)
        rstds.append(rstd)
    return out, (x, gamma, means, rstds)

def layer_norm_backward(dout, cache):
    x, gamma, means, rstds = cache
    dx = np.zeros_like(x)
    dgamma = np.zeros_like(gamma)
    dbeta = np.zeros_like(gamma)
    for i in range(len(x)):
        norm = (x[i] - means[i]) * rstds[i]
        dnorm = gamma * dout[i]
        dnorm_mean = dnorm.mean()
        dnorm_norm_mean = (dnorm * norm).mean()
        dbeta += dout[i]
        dgamma += norm * dout[i]
        dval = dnorm
        dval = dval - dnorm_mean
        dval = dval - norm * dnorm_norm_mean
        dx[i] += dval * rstds[i]
    return dx, dgamma, dbeta
""",
    (
        ("dnorm_norm_mean = (dnorm * norm).mean()", "dnorm_norm_mean = (dnorm * norm).sum()"),
        ("dgamma += norm * dout[i]", "dgamma += norm * dnorm"),
        ("dval = dval - norm * dnorm_norm_mean", "dval = dval - x[i] * dnorm_norm_mean"),
        ("dx[i] += dval * rstds[i]", "dx[i] += dval"),
    ),
)

FACTORISATIONS["layer_norm, one formula"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    std = np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
    x_norm = (x - mean) / std
    return gamma * x_norm + beta, (x_norm, std, gamma)

def layer_norm_backward(dout, cache):
    x_norm, std, gamma = cache
    D = x_norm.shape[-1]
    g = dout * gamma
    return (
        (1.0 / D) / std * (D * g - g.sum(-1, keepdims=True) - x_norm * (g * x_norm).sum(-1, keepdims=True)),
        np.einsum("nd,nd->d", dout, x_norm),
        np.einsum("nd->d", dout),
    )
""",
    (
        ("g = dout * gamma", "g = dout"),
        (
            "std = np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)",
            "std = np.var(x, axis=-1, keepdims=True) + eps",
        ),
    ),
)

FACTORISATIONS["layer_norm, linear in x"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(1, keepdims=True) + eps)
    return (x - mean) * rstd * gamma + beta, (x, mean, rstd, gamma)

def layer_norm_backward(dY, cache):
    x, mean, rstd, gamma = cache
    scale = 1.0 / x.shape[1]
    dg = dY * gamma
    ds = (dg * x).sum(axis=-1, keepdims=True)
    db = dg.sum(axis=-1, keepdims=True)
    tb = (db * mean - ds) * rstd ** 3 * scale
    tc = -tb * mean - db * rstd * scale
    dX = rstd * dg + tb * x + tc
    dW = (dY * (x - mean) * rstd).sum(0)
    return dX, dW, dY.sum(0)
""",
    (
        ("tb = (db * mean - ds) * rstd ** 3 * scale", "tb = (db * mean - ds) * rstd ** 2 * scale"),
        ("tc = -tb * mean - db * rstd * scale", "tc = tb * mean - db * rstd * scale"),
        ("dX = rstd * dg + tb * x + tc", "dX = rstd * dY + tb * x + tc"),
    ),
)

FACTORISATIONS["layer_norm, Jacobians of rows"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    c = x - x.mean(axis=1, keepdims=True)
    s = np.sqrt((c * c).mean(axis=1) + eps)
    xh = c / s[:, None]
    return xh * gamma + beta, (xh, s, gamma)

def layer_norm_backward(dout, cache):
    xh, s, gamma = cache
    n, d = xh.shape
    outer = np.einsum("ni,nj->nij", xh, xh)
    J = (np.eye(d)[None] - 1.0 / d - outer / d) / s[:, None, None]
    dxh = dout * gamma
    dx = np.einsum("nij,ni->nj", J, dxh)
    dgamma = np.einsum("nd,nd->d", dout, xh)
    dbeta = dout.sum(axis=0)
    return dx, dgamma, dbeta
""",
    (
        (
            "J = (np.eye(d)[None] - 1.0 / d - outer / d) / s[:, None, None]",
            "J = (np.eye(d)[None] - 1.0 / d - outer) / s[:, None, None]",
        ),
        ('dgamma = np.einsum("nd,nd->d", dout, xh)', 'dgamma = np.einsum("nd,nd->d", dxh, xh)'),
    ),
)

FACTORISATIONS["layer_norm, through the transpose"] = _like(
    "layer_norm",
    """import numpy as np

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    xt = x.T
    mu = xt.mean(axis=0)
    xmu = xt - mu
    sq = xmu ** 2
    var = sq.mean(axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    return gamma * xhat.T + beta, (xmu, sqrtvar, ivar, xhat, gamma)

def layer_norm_backward(dout, cache):
    xmu, sqrtvar, ivar, xhat, gamma = cache
    D = xmu.shape[0]
    dgamma = np.sum(dout * xhat.T, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = (dout * gamma).T
    dvar = -0.5 * np.sum(dxhat * xmu, axis=0) * ivar ** 3
    dmu = -np.sum(dxhat * ivar, axis=0)
    dxt = dxhat * ivar + 2.0 / D * xmu * dvar + dmu / D
    return dxt.T, dgamma, dbeta
""",
    (
        ("dxhat = (dout * gamma).T", "dxhat = dout.T"),
        ("dmu = -np.sum(dxhat * ivar, axis=0)", "dmu = -np.sum(dxhat, axis=0)"),
        (
            "dxt = dxhat * ivar + 2.0 / D * xmu * dvar + dmu / D",
            "dxt = dxhat * ivar + 2.0 / D * xmu * dvar + dmu",
        ),
    ),
)

# Batch normalisation ----------------------------------------------------------------------------------------

FACTORISATIONS["batch_norm, nine steps"] = _like(
    "batch_norm",
    """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu ** 2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)

def batch_norm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar ** 2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta
""",
    (
        ("divar = np.sum(dxhat * xmu, axis=0)", "divar = np.mean(dxhat * xmu, axis=0)"),
        ("dsqrtvar = -1.0 / (sqrtvar ** 2) * divar", "dsqrtvar = -1.0 / sqrtvar * divar"),
        ("dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar", "dvar = 0.5 * np.sqrt(var + eps) * dsqrtvar"),
        ("dxmu2 = 2 * xmu * dsq", "dxmu2 = 2 * xhat * dsq"),
        ("dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)", "dmu = np.sum(dxmu1 + dxmu2, axis=0)"),
        ("dx2 = 1.0 / N * np.ones((N, D)) * dmu", "dx2 = 1.0 / D * np.ones((N, D)) * dmu"),
    ),
)

FACTORISATIONS["batch_norm, one formula"] = _like(
    "batch_norm",
    """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    sample_mean = np.mean(x, axis=0)
    sample_var = np.var(x, axis=0)
    x_hat = (x - sample_mean) / np.sqrt(sample_var + eps)
    return gamma * x_hat + beta, (x, sample_mean, sample_var, gamma, eps)

def batch_norm_backward(dout, cache):
    x, mu, var, gamma, eps = cache
    N = dout.shape[0]
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum((x - mu) * (var + eps) ** (-1. / 2.) * dout, axis=0)
    dx = (1. / N) * gamma * (var + eps) ** (-1. / 2.) * (
        N * dout - np.sum(dout, axis=0)
        - (x - mu) * (var + eps) ** (-1.0) * np.sum(dout * (x - mu), axis=0))
    return dx, dgamma, dbeta
""",
    (
        (
            "dgamma = np.sum((x - mu) * (var + eps) ** (-1. / 2.) * dout, axis=0)",
            "dgamma = np.sum((x - mu) * (var + eps) ** (1. / 2.) * dout, axis=0)",
        ),
        (
            "x_hat = (x - sample_mean) / np.sqrt(sample_var + eps)",
            "x_hat = (x - sample_mean) / (np.sqrt(sample_var) + 10 * eps)",
        ),
    ),
)

FACTORISATIONS["batch_norm, by means"] = _like(
    "batch_norm",
    """import numpy as np

class BatchNorm:
    def forward(self, x, gamma, beta, eps=1e-5):
        self.gamma = gamma
        self.std = np.sqrt(x.var(axis=0) + eps)
        self.y = (x - x.mean(axis=0)) / self.std
        return gamma * self.y + beta

    def backward(self, g):
        dy = g * self.gamma
        mean_dy = dy.mean(axis=0)
        mean_dy_y = (dy * self.y).mean(axis=0)
        dx = dy - mean_dy
        dx -= mean_dy_y * self.y
        dx /= self.std
        return dx, (g * self.y).sum(axis=0), g.sum(axis=0)
""",
    (
        ("mean_dy_y = (dy * self.y).mean(axis=0)", "mean_dy_y = (dy + self.y).mean(axis=0)"),
        ("dx -= mean_dy_y * self.y", "dx += mean_dy_y * self.y"),
        ("dx /= self.std", "dx /= self.std ** 2"),
    ),
    "gate",
)

FACTORISATIONS["batch_norm, Jacobians of columns"] = _like(
    "batch_norm",
    """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    mu, var = x.mean(0), x.var(0)
    inv = 1 / np.sqrt(var + eps)
    return gamma * (x - mu) * inv + beta, ((x - mu) * inv, inv, gamma)

def batch_norm_backward(dout, cache):
    xn, inv, gamma = cache
    N, D = xn.shape
    dx = np.empty((N, D))
    dgamma, dbeta = np.empty(D), np.empty(D)
    for j in range(D):
        col = xn[:, j]
        jac = np.eye(N) - np.ones((N, N)) / N - np.outer(col, col) / N
        dx[:, j] = gamma[j] * inv[j] * jac.dot(dout[:, j])
        dgamma[j] = dout[:, j].dot(col)
        dbeta[j] = dout[:, j].sum()
    return dx, dgamma, dbeta
""",
    (
        (
            "jac = np.eye(N) - np.ones((N, N)) / N - np.outer(col, col) / N",
            "jac = np.eye(N) - np.ones((N, N)) / N",
        ),
        ("dx[:, j] = gamma[j] * inv[j] * jac.dot(dout[:, j])", "dx[:, j] = inv[j] * jac.dot(dout[:, j])"),
        ("dgamma[j] = dout[:, j].dot(col)", "dgamma[j] = dout[:, j].dot(col) / N"),
    ),
)

FACTORISATIONS["batch_norm, the paper's order"] = _like(
    "batch_norm",
    """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    x_hat = (x - mean) / np.sqrt(variance + eps)
    return gamma * x_hat + beta, (x, mean, variance + eps, x_hat, gamma)

def batch_norm_backward(delta, cache):
    x, mean, variance, x_hat, gamma = cache
    m = len(x)
    scale_updates = (delta * x_hat).sum(axis=0)
    bias_updates = delta.sum(axis=0)
    delta = delta * gamma
    variance_delta = (delta * (x - mean)).sum(axis=0) * -0.5 * variance ** -1.5
    mean_delta = delta.sum(axis=0) * -1.0 / np.sqrt(variance)
    mean_delta += variance_delta * (-2.0 * (x - mean)).sum(axis=0) / m
    delta = delta / np.sqrt(variance) + variance_delta * 2.0 * (x - mean) / m + mean_delta / m
    return delta, scale_updates, bias_updates
""",
    (
        (
            "variance_delta = (delta * (x - mean)).sum(axis=0) * -0.5 * variance ** -1.5",
            "variance_delta = (delta * (x - mean)).sum(axis=0) * -0.5 * variance ** -0.5",
        ),
        (
            "mean_delta = delta.sum(axis=0) * -1.0 / np.sqrt(variance)",
            "mean_delta = delta.sum(axis=0) * -1.0 / variance",
        ),
        ("    delta = delta * gamma\n", "    delta = delta / gamma\n"),
    ),
)

FACTORISATIONS["batch_norm, dsigma"] = _like(
    "batch_norm",
    """import numpy as np

def batch_norm_forward(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=0)
    sigma2 = np.var(x, axis=0)
    xhat = (x - mu) * np.power(sigma2 + eps, -0.5)
    return xhat * gamma + beta, (x, gamma, xhat, mu, sigma2, eps)

def batch_norm_backward(dout, cache):
    x, gamma, xhat, mu, sigma2, eps = cache
    N = x.shape[0]
    dgamma = np.einsum("ij,ij->j", dout, xhat)
    dbeta = dout.sum(0)
    dxhat = np.einsum("ij,j->ij", dout, gamma)
    dsigma2 = -0.5 * np.sum(dxhat * (x - mu), axis=0) * np.power(sigma2 + eps, -1.5)
    dmu = -np.sum(dxhat / np.sqrt(sigma2 + eps), axis=0) - 2 * dsigma2 * np.sum(x - mu, axis=0) / N
    dx = dxhat / np.sqrt(sigma2 + eps) + dsigma2 * 2.0 * (x - mu) / N + dmu / N
    return dx, dgamma, dbeta
""",
    (
        ("dsigma2 = -0.5 * np.sum", "dsigma2 = 0.5 * np.sum"),
        ('dxhat = np.einsum("ij,j->ij", dout, gamma)', 'dxhat = np.einsum("ij,ij->ij", dout, xhat)'),
        ("dsigma2 * 2.0 * (x - mu) / N + dmu / N", "dsigma2 * 2.0 * xhat / N + dmu / N"),
    ),
)

# Attention --------------------------------------------------------------------------------------------------

FACTORISATIONS["attention, einsum"] = _like(
    "attention",
    """import numpy as np

def attention_vjp(g, ans, q, k, v):
    s = np.einsum("qd,kd->qk", q, k) / np.sqrt(q.shape[-1])
    s = np.exp(s - s.max(-1, keepdims=True))
    a = s / s.sum(-1, keepdims=True)
    dv = np.einsum("qk,qe->ke", a, g)
    da = np.einsum("qe,ke->qk", g, v)
    ds = a * da - a * np.einsum("qk,qk->q", a, da)[:, None]
    ds = ds / np.sqrt(q.shape[-1])
    dq = np.einsum("qk,kd->qd", ds, k)
    dk = np.einsum("qk,qd->kd", ds, q)
    return dq, dk, dv
""",
    (
        ("ds = a * da - a * np.einsum", "ds = a * da - da * np.einsum"),
        ("ds = ds / np.sqrt(q.shape[-1])", "ds = ds / np.sqrt(len(q))"),
        ('dv = np.einsum("qk,qe->ke", a, g)', 'dv = np.einsum("qk,qe->ke", s, g)'),
    ),
)

FACTORISATIONS["attention, a query at a time"] = _like(
    "attention",
    """import numpy as np

def attention_vjp(g, ans, q, k, v):
    d = q.shape[1]
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for i in range(len(q)):
        z = k @ q[i] / np.sqrt(d)
        e = np.exp(z - z.max())
        p = e / e.sum()
        jac = np.diag(p) - np.outer(p, p)
        dp = v @ g[i]
        dz = jac @ dp
        dv += np.outer(p, g[i])
        dk += np.outer(dz, q[i]) / np.sqrt(d)
        dq[i] = dz @ k / np.sqrt(d)
    return dq, dk, dv
""",
    (
        ("jac = np.diag(p) - np.outer(p, p)", "jac = np.diag(p * (1 - p))"),
        ("dp = v @ g[i]", "dp = v @ ans[i]"),
        ("dk += np.outer(dz, q[i]) / np.sqrt(d)", "dk += np.outer(dz, q[i])"),
        ("dv += np.outer(p, g[i])", "dv = np.outer(p, g[i])"),
    ),
)

FACTORISATIONS["attention, softmax in stages"] = _like(
    "attention",
    """import numpy as np

class Attention:
    def forward(self, q, k, v):
        self.q, self.k, self.v = q, k, v
        self.scores = q.dot(k.T) / q.shape[1] ** 0.5
        self.num = np.exp(self.scores)
        self.den = self.num.sum(axis=1, keepdims=True)
        self.att = self.num / self.den
        return self.att.dot(v)

    def backward(self, grad):
        datt = grad.dot(self.v.T)
        dv = self.att.T.dot(grad)
        dnum = datt / self.den
        dden = -(datt * self.num / self.den ** 2).sum(axis=1, keepdims=True)
        dnum = dnum + dden
        dscores = dnum * self.num
        dq = dscores.dot(self.k) / self.q.shape[1] ** 0.5
        dk = dscores.T.dot(self.q) / self.q.shape[1] ** 0.5
        return dq, dk, dv
""",
    (
        (
            "dden = -(datt * self.num / self.den ** 2).sum(axis=1, keepdims=True)",
            "dden = -(datt * self.num / self.den ** 2)",
        ),
        ("dnum = dnum + dden", "dnum = dnum - dden"),
        ("dscores = dnum * self.num", "dscores = dnum * self.scores"),
    ),
    "gate",
)

FACTORISATIONS["attention, scaled queries"] = _like(
    "attention",
    """import numpy as np

def row_softmax(s):
    t = np.exp(s - np.amax(s, axis=1)[:, None])
    return t / np.sum(t, axis=1)[:, None]

def softmax_grad(P, dP):
    PdP = P * dP
    return PdP - P * PdP.sum(axis=1, keepdims=True)

def attention_vjp(g, ans, q, k, v):
    qs = q / np.sqrt(q.shape[1])
    P = row_softmax(np.matmul(qs, k.T))
    dP = np.matmul(g, v.T)
    dS = softmax_grad(P, dP)
    dqs = np.matmul(dS, k)
    return dqs / np.sqrt(q.shape[1]), np.matmul(dS.T, qs), np.matmul(P.T, g)
""",
    (
        (
            "return PdP - P * PdP.sum(axis=1, keepdims=True)",
            "return PdP - P * PdP.sum(axis=0, keepdims=True)",
        ),
        ("dqs = np.matmul(dS, k)", "dqs = np.matmul(dP, k)"),
        ("qs = q / np.sqrt(q.shape[1])", "qs = q / q.shape[1]"),
    ),
)

FACTORISATIONS["attention, the output's inner product"] = _like(
    "attention",
    """import numpy as np

def attention_vjp(dO, O, Q, K, V):
    tau = Q.shape[1] ** -0.5
    S = tau * Q @ K.T
    m = S.max(axis=1, keepdims=True)
    l = np.exp(S - m).sum(axis=1, keepdims=True)
    L = m + np.log(l)
    P = np.exp(S - L)
    delta = (dO * O).sum(axis=1, keepdims=True)
    dV = P.T @ dO
    dP = dO @ V.T
    dS = P * (dP - delta)
    dQ = tau * dS @ K
    dK = tau * dS.T @ Q
    return dQ, dK, dV
""",
    (
        (
            "delta = (dO * O).sum(axis=1, keepdims=True)",
            "delta = dO.sum(axis=1, keepdims=True)",
        ),
        ("L = m + np.log(l)", "L = m - np.log(l)"),
        ("dK = tau * dS.T @ Q", "dK = dS.T @ Q"),
    ),
)

# LSTM -------------------------------------------------------------------------------------------------------

FACTORISATIONS["lstm_cell, gate by gate"] = _like(
    "lstm_cell",
    """import numpy as np

def sig(z):
    return 0.5 * (1 + np.tanh(0.5 * z))

def lstm_cell_forward(x, h, c, w, u, b):
    H = h.shape[1]
    Wi, Wf, Wo, Wg = np.split(w, 4, axis=1)
    Ui, Uf, Uo, Ug = np.split(u, 4, axis=1)
    bi, bf, bo, bg = np.split(b, 4)
    it = sig(x @ Wi + h @ Ui + bi)
    ft = sig(x @ Wf + h @ Uf + bf)
    ot = sig(x @ Wo + h @ Uo + bo)
    gt = np.tanh(x @ Wg + h @ Ug + bg)
    ct = ft * c + it * gt
    ht = ot * np.tanh(ct)
    cache = x, h, c, (Wi, Wf, Wo, Wg), (Ui, Uf, Uo, Ug), it, ft, ot, gt, ct
    return np.concatenate([ht, ct], axis=1), cache

def lstm_cell_backward(dout, cache):
    x, h, c, W, U, it, ft, ot, gt, ct = cache
    H = h.shape[1]
    dht, dct = dout[:, :H], dout[:, H:]
    dzo = dht * np.tanh(ct) * ot * (1 - ot)
    dct = dct + dht * ot * (1 - np.tanh(ct) ** 2)
    dzf = dct * c * ft * (1 - ft)
    dzi = dct * gt * it * (1 - it)
    dzg = dct * it * (1 - gt ** 2)
    dx = dzi @ W[0].T + dzf @ W[1].T + dzo @ W[2].T + dzg @ W[3].T
    dh = dzi @ U[0].T + dzf @ U[1].T + dzo @ U[2].T + dzg @ U[3].T
    dw = np.concatenate([x.T @ dzi, x.T @ dzf, x.T @ dzo, x.T @ dzg], axis=1)
    du = np.concatenate([h.T @ dzi, h.T @ dzf, h.T @ dzo, h.T @ dzg], axis=1)
    db = np.concatenate([dzi.sum(0), dzf.sum(0), dzo.sum(0), dzg.sum(0)])
    return dx, dh, dct * ft, dw, du, db
""",
    (
        ("ft = sig(x @ Wf + h @ Uf + bf)", "ft = sig(x @ Wf + h @ Uf + bo)"),
        ("dzf = dct * c * ft * (1 - ft)", "dzf = dct * c * ft"),
        ("dct = dct + dht * ot * (1 - np.tanh(ct) ** 2)", "dct = dct + dht * ot * (1 - ct ** 2)"),
        (
            "db = np.concatenate([dzi.sum(0), dzf.sum(0), dzo.sum(0), dzg.sum(0)])",
            "db = np.concatenate([dzf.sum(0), dzf.sum(0), dzo.sum(0), dzg.sum(0)])",
        ),
    ),
)

FACTORISATIONS["lstm_cell, into one array"] = _like(
    "lstm_cell",
    """import numpy as np

def lstm_cell_forward(x, h, c, w, u, b):
    H = h.shape[1]
    A = x.dot(w) + h.dot(u) + b
    gates = np.empty_like(A)
    gates[:, :3*H] = 1.0 / (1.0 + np.exp(-A[:, :3*H]))
    gates[:, 3*H:] = np.tanh(A[:, 3*H:])
    i, f, o, g = gates[:, :H], gates[:, H:2*H], gates[:, 2*H:3*H], gates[:, 3*H:]
    next_c = f * c + i * g
    next_h = o * np.tanh(next_c)
    return np.hstack((next_h, next_c)), (x, h, c, w, u, gates, next_c)

def lstm_cell_backward(dout, cache):
    x, prev_h, prev_c, Wx, Wh, gates, next_c = cache
    H = prev_h.shape[1]
    dnext_h, dnext_c = dout[:, :H], dout[:, H:].copy()
    i, f, o, g = np.split(gates, 4, axis=1)
    dnext_c += dnext_h * o * (1 - np.tanh(next_c) ** 2)
    dA = np.zeros((len(x), 4 * H))
    dA[:, 0:H] = dnext_c * g * i * (1 - i)
    dA[:, H:2*H] = dnext_c * prev_c * f * (1 - f)
    dA[:, 2*H:3*H] = dnext_h * np.tanh(next_c) * o * (1 - o)
    dA[:, 3*H:4*H] = dnext_c * i * (1 - g * g)
    dprev_c = f * dnext_c
    dx = dA.dot(Wx.T)
    dprev_h = dA.dot(Wh.T)
    dWx = x.T.dot(dA)
    dWh = prev_h.T.dot(dA)
    db = dA.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db
""",
    (
        ("dA[:, H:2*H] = dnext_c * prev_c * f * (1 - f)", "dA[:, H:2*H] = dnext_c * next_c * f * (1 - f)"),
        (
            "dA[:, 2*H:3*H] = dnext_h * np.tanh(next_c) * o * (1 - o)",
            "dA[:, 2*H:3*H] = dnext_h * next_c * o * (1 - o)",
        ),
        ("dA[:, 3*H:4*H] = dnext_c * i * (1 - g * g)", "dA[:, 3*H:4*H] = dnext_c * i * (1 - g) * g"),
        ("dprev_c = f * dnext_c", "dprev_c = dnext_c"),
        ("dWh = prev_h.T.dot(dA)", "dWh = dnext_h.T.dot(dA)"),
    ),
)

FACTORISATIONS["lstm_cell, a row at a time"] = _like(
    "lstm_cell",
    """import numpy as np

sigmoid = lambda a: 1.0 / (1.0 + np.exp(-a))

def lstm_cell_forward(x, h, c, w, u, b):
    H = h.shape[1]
    rows, saved = [], []
    for t in range(len(x)):
        a = w.T @ x[t] + u.T @ h[t] + b
        i, f, o = sigmoid(a[:H]), sigmoid(a[H:2*H]), sigmoid(a[2*H:3*H])
        n = np.tanh(a[3*H:])
        cc = f * c[t] + i * n
        rows.append(np.append(o * np.tanh(cc), cc))
        saved.append((i, f, o, n, np.tanh(cc)))
    return np.array(rows), (x, h, c, w, u, saved)

def lstm_cell_backward(dout, cache):
    x, h, c, w, u, saved = cache
    H = h.shape[1]
    dx, dh, dc = np.zeros_like(x), np.zeros_like(h), np.zeros_like(c)
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros(4 * H)
    for t, (i, f, o, n, tc) in enumerate(saved):
        dht = dout[t, :H]
        dcc = dout[t, H:] + dht * o * (1 - tc * tc)
        dai, daf = dcc * n * i * (1 - i), dcc * c[t] * f * (1 - f)
        da = np.concatenate([dai, daf, dht * tc * o * (1 - o), dcc * i * (1 - n * n)])
        dw += np.outer(x[t], da)
        du += np.outer(h[t], da)
        db += da
        dx[t] = w @ da
        dh[t] = u @ da
        dc[t] = dcc * f
    return dx, dh, dc, dw, du, db
""",
    (
        ("dcc = dout[t, H:] + dht * o * (1 - tc * tc)", "dcc = dout[t, H:] + dht * o * (1 - c[t] * c[t])"),
        ("du += np.outer(h[t], da)", "du += np.outer(x[t][:H], da)"),
        ("dc[t] = dcc * f", "dc[t] = dcc * i"),
    ),
)

FACTORISATIONS["lstm_cell, one stacked matrix"] = _like(
    "lstm_cell",
    """import numpy as np

class LstmCell:
    def forward(self, x, h, c, w, u, b):
        self.d = h.shape[1]
        self.z = np.concatenate((h, x), axis=1)
        self.W = np.concatenate((u, w), axis=0)
        self.c_prev = c
        y = self.z @ self.W + b
        s = 1 / (1 + np.exp(-y))
        d = self.d
        self.i, self.f, self.o = s[:, :d], s[:, d:2 * d], s[:, 2 * d:3 * d]
        self.n = np.tanh(y[:, 3 * d:])
        c_new = self.f * c + self.i * self.n
        self.tc = np.tanh(c_new)
        return np.concatenate((self.o * self.tc, c_new), axis=1)

    def backward(self, dout):
        d = self.d
        dh, dc = dout[:, :d], dout[:, d:]
        dc = dc + dh * self.o * (1 - self.tc ** 2)
        dy = np.concatenate((dc * self.n, dc * self.c_prev, dh * self.tc, dc * self.i), axis=1)
        gates = np.concatenate((self.i, self.f, self.o), axis=1)
        slopes = np.concatenate((gates * (1 - gates), 1 - self.n ** 2), axis=1)
        dy = dy * slopes
        dW = self.z.T @ dy
        dz = dy @ self.W.T
        return dz[:, d:], dz[:, :d], dc * self.f, dW[d:], dW[:d], dy.sum(axis=0)
""",
    (
        ("dc = dc + dh * self.o * (1 - self.tc ** 2)", "dc = dc + dh * (1 - self.tc ** 2)"),
        ("dy = dy * slopes", "dy = dy + slopes"),
        ("dz = dy @ self.W.T", "dz = dy @ self.W.T / d"),
        ("self.z = np.concatenate((h, x), axis=1)", "self.z = np.concatenate((h, x * 2), axis=1)"),
    ),
    "gate",
)


def lstm_layer(
    x: Array,
    h: Array,
    c: Array,
    wf: Array,
    wi: Array,
    wo: Array,
    wc: Array,
    bf: Array,
    bi: Array,
    bo: Array,
    bc: Array,
) -> Array:
    """One step on columns: each gate has a matrix for [h; x] and a bias; the new h and c below each other."""
    z = np.concatenate([h, x], axis=0)
    f, i, o = (1 / (1 + np.exp(-(w @ z + b))) for w, b in ((wf, bf), (wi, bi), (wo, bo)))
    new = f * c + i * np.tanh(wc @ z + bc)
    return np.concatenate([o * np.tanh(new), new], axis=0)


LSTM_LAYER = """import numpy as np


class Sigmoid:
    def forward(self, z):
        return 1.0 / (1.0 + np.exp(-z))

    def backward(self, output):
        return output * (1 - output)


class Tanh:
    def forward(self, z):
        return 2.0 / (1.0 + np.exp(-2 * z)) - 1.0

    def backward(self, output):
        return 1 - output * output


class LstmLayer:
    def forward(self, x, h, c, wf, wi, wo, wc, bf, bi, bo, bc):
        self.gate, self.out = Sigmoid(), Tanh()
        self.width = len(h)
        self.x, self.c_prev = np.concatenate([h, x]), c
        self.wf, self.wi, self.wo, self.wc = wf, wi, wo, wc
        self.f = self.gate.forward(np.dot(wf, self.x) + bf)
        self.i = self.gate.forward(np.dot(wi, self.x) + bi)
        self.o = self.gate.forward(np.dot(wo, self.x) + bo)
        self.ct = self.out.forward(np.dot(wc, self.x) + bc)
        self.c = self.f * c + self.i * self.ct
        self.h = self.o * self.out.forward(self.c)
        return np.concatenate([self.h, self.c])

    def backward(self, delta):
        delta_h, delta_c = delta[:self.width], delta[self.width:]
        self.calc_delta(delta_h, delta_c)
        self.calc_gradient()
        dz = self.wf.T.dot(self.delta_f) + self.wi.T.dot(self.delta_i)
        dz = dz + self.wo.T.dot(self.delta_o) + self.wc.T.dot(self.delta_ct)
        return (dz[self.width:], dz[:self.width], self.delta_c * self.f,
                self.wf_grad, self.wi_grad, self.wo_grad, self.wc_grad,
                self.bf_grad, self.bi_grad, self.bo_grad, self.bc_grad)

    def calc_delta(self, delta_h, delta_c):
        tanh_c = self.out.forward(self.c)
        self.delta_c = delta_c + delta_h * self.o * self.out.backward(tanh_c)
        self.delta_o = delta_h * tanh_c * self.gate.backward(self.o)
        self.delta_f = self.delta_c * self.c_prev * self.gate.backward(self.f)
        self.delta_i = self.delta_c * self.ct * self.gate.backward(self.i)
        self.delta_ct = self.delta_c * self.i * self.out.backward(self.ct)

    def calc_gradient(self):
        self.wf_grad = np.dot(self.delta_f, self.x.T)
        self.bf_grad = self.delta_f
        self.wi_grad = np.dot(self.delta_i, self.x.T)
        self.bi_grad = self.delta_i
        self.wo_grad = np.dot(self.delta_o, self.x.T)
        self.bo_grad = self.delta_o
        self.wc_grad = np.dot(self.delta_ct, self.x.T)
        self.bc_grad = self.delta_ct
"""

FACTORISATIONS["lstm_layer, deltas of gates"] = Pass(
    lstm_layer,
    _case(normal("21"), normal("31"), normal("31"), *[normal("35")] * 4, *[normal("31")] * 4),
    "gate",
    LSTM_LAYER,
    (
        ("self.bi_grad = self.delta_i\n", "self.bi_grad = self.delta_f\n"),
        ("self.bo_grad = self.delta_o\n", "self.bo_grad = self.delta_f\n"),
        (
            "self.delta_o = delta_h * tanh_c * self.gate.backward(self.o)",
            "self.delta_o = delta_h * tanh_c * self.gate.forward(self.o)",
        ),
        (
            "self.delta_ct = self.delta_c * self.i * self.out.backward(self.ct)",
            "self.delta_ct = self.delta_c * self.i * self.gate.backward(self.ct)",
        ),
        ("return 1 - output * output", "return 1 - output"),
        ("self.delta_f = self.delta_c * self.c_prev", "self.delta_f = self.delta_c * self.c"),
    ),
)

BOTH_BIASES = LSTM_LAYER.replace("self.bi_grad = self.delta_i\n", "self.bi_grad = self.delta_f\n").replace(
    "self.bo_grad = self.delta_o\n", "self.bo_grad = self.delta_f\n"
)
"""Two copies of a line of which one word was never changed: as it stood for years in a tutorial's code."""

# Softmax and cross entropy ----------------------------------------------------------------------------------

FACTORISATIONS["softmax_loss, one-hot"] = _like(
    "softmax_loss",
    """import numpy as np

def softmax_loss_vjp(g, ans, x, w, y, reg=0.1):
    N, C = len(x), w.shape[1]
    Y = np.eye(C)[y]
    Z = np.dot(x, w)
    P = np.exp(Z) / np.exp(Z).sum(axis=1)[:, None]
    dZ = (P - Y) / N
    dW = np.dot(x.T, dZ) + 2 * reg * w
    dX = np.dot(dZ, w.T)
    return g * dX, g * dW
""",
    (
        ("dZ = (P - Y) / N", "dZ = (Y - P) / N"),
        ("dZ = (P - Y) / N", "dZ = (P - Y) / Y.size"),
        ("dW = np.dot(x.T, dZ) + 2 * reg * w", "dW = np.dot(x.T, dZ) + 2 * w"),
        ("return g * dX, g * dW", "return g * dX, dW"),
    ),
)

FACTORISATIONS["softmax_loss, in stages"] = _like(
    "softmax_loss",
    """import numpy as np

def softmax_loss_forward(X, W, y, reg=0.1):
    N = X.shape[0]
    prod = X.dot(W)
    E = np.exp(prod)
    denom = np.sum(E, axis=1).reshape((N, 1))
    P = E / denom
    neglog = -np.log(P)
    Y = np.zeros_like(prod)
    Y[range(N), y] = 1
    P_target = neglog * Y
    loss = np.sum(P_target) / N + reg * np.sum(W ** 2)
    return loss, (X, W, E, denom, P, Y, N, reg)

def softmax_loss_backward(dout, cache):
    X, W, E, denom, P, Y, N, reg = cache
    dP_target = dout / N
    dneglog = Y * dP_target
    dP = (-1 / P) * dneglog
    dE = (1 / denom) * dP
    ddenom = np.sum((-E / (denom ** 2)) * dP, axis=1, keepdims=True)
    dE = dE + 1 * ddenom
    dprod = E * dE
    dW = X.T.dot(dprod)
    dW += 2 * W * reg * dout
    dX = dprod.dot(W.T)
    return dX, dW
""",
    (
        (
            "ddenom = np.sum((-E / (denom ** 2)) * dP, axis=1, keepdims=True)",
            "ddenom = (-E / (denom ** 2)) * dP",
        ),
        ("dP = (-1 / P) * dneglog", "dP = (1 / P) * dneglog"),
        ("dprod = E * dE", "dprod = P * dE"),
        ("dE = dE + 1 * ddenom", "dE = dE * ddenom"),
        ("dneglog = Y * dP_target", "dneglog = dP_target * np.ones_like(Y)"),
    ),
    "pair",
)

FACTORISATIONS["softmax_loss, loops"] = _like(
    "softmax_loss",
    """import numpy as np

def softmax_loss_vjp(g, ans, X, W, y, reg=0.1):
    dW = np.zeros(W.shape)
    dX = np.zeros(X.shape)
    num_train = X.shape[0]
    num_classes = W.shape[1]
    for i in range(num_train):
        scores = X[i].dot(W)
        scores -= np.max(scores)
        p = np.exp(scores) / np.sum(np.exp(scores))
        for j in range(num_classes):
            dscore = p[j]
            if j == y[i]:
                dscore -= 1
            dW[:, j] += dscore * X[i]
            dX[i] += dscore * W[:, j]
    dW /= num_train
    dX /= num_train
    dW += 2 * reg * W
    return g * dX, g * dW
""",
    (
        ("dscore -= 1", "dscore = -1"),
        ("dW[:, j] += dscore * X[i]", "dW[:, j] += p[j] * X[i]"),
        ("dW /= num_train", "dW /= num_classes"),
        ("dX[i] += dscore * W[:, j]", "dX[i] = dscore * W[:, j]"),
        ("if j == y[i]:", "if j != y[i]:"),
    ),
)

FACTORISATIONS["softmax_loss, log-sum-exp"] = _like(
    "softmax_loss",
    """import numpy as np
from scipy.special import logsumexp

def softmax_loss_vjp(g, ans, x, w, y, reg=0.1):
    n = np.size(y)
    a = x @ w
    logp = a - logsumexp(a, axis=1, keepdims=True)
    dlogp = np.zeros(a.shape)
    dlogp[np.arange(n), y] = -1.0 / n
    da = dlogp - np.exp(logp) * dlogp.sum(axis=1, keepdims=True)
    da = da * g
    return da @ w.T, x.T @ da + g * reg * (w + w)
""",
    (
        ("dlogp[np.arange(n), y] = -1.0 / n", "dlogp[np.arange(n), y] = 1.0 / n"),
        (
            "da = dlogp - np.exp(logp) * dlogp.sum(axis=1, keepdims=True)",
            "da = dlogp - logp * dlogp.sum(axis=1, keepdims=True)",
        ),
        ("da = da * g\n", "da = da * g ** 2\n"),
    ),
)

FACTORISATIONS["softmax_loss, gradients by name"] = _like(
    "softmax_loss",
    """import numpy as np

class SoftmaxLoss:
    def forward(self, x, w, y, reg=0.1):
        self.x, self.w, self.reg = x, w, reg
        logits = x @ w
        exp_logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probs = exp_logits / exp_logits.sum(axis=1, keepdims=True)
        self.targets = np.zeros_like(self.probs)
        self.targets[np.arange(len(y)), y] = 1
        data = -np.sum(self.targets * np.log(self.probs)) / len(y)
        return data + reg * np.sum(w * w)

    def backward(self, grad_out):
        grad_logits = self.probs - self.targets
        grad_logits = grad_out * grad_logits / grad_logits.shape[0]
        grad_w = self.x.T @ grad_logits
        grad_w = grad_w + 2 * self.reg * self.w * grad_out
        grad_x = grad_logits @ self.w.T
        return grad_x, grad_w
""",
    (
        (
            "grad_logits = grad_out * grad_logits / grad_logits.shape[0]",
            "grad_logits = grad_out * grad_logits / grad_logits.shape[1]",
        ),
        (
            "grad_logits = self.probs - self.targets",
            "grad_logits = self.probs * (1 - self.probs) * (self.probs - self.targets)",
        ),
        (
            "grad_w = grad_w + 2 * self.reg * self.w * grad_out",
            "grad_w = grad_w + self.reg * self.w ** 2 * grad_out",
        ),
        ("grad_x = grad_logits @ self.w.T", "grad_x = self.probs @ self.w.T"),
    ),
    "gate",
)

# Convolution ------------------------------------------------------------------------------------------------

FACTORISATIONS["conv, offsets of the kernel"] = _like(
    "conv",
    """import numpy as np

def conv_forward(x, w, b):
    N, C, H, W = x.shape
    F, _, kh, kw = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    oh, ow = H + 3 - kh, W + 3 - kw
    out = np.zeros((N, F, oh, ow)) + b[None, :, None, None]
    for i in range(kh):
        for j in range(kw):
            out += np.einsum("nchw,fc->nfhw", xp[:, :, i:i+oh, j:j+ow], w[:, :, i, j])
    return out, (xp, w)

def conv_backward(dout, cache):
    xp, w = cache
    kh, kw = w.shape[2:]
    oh, ow = dout.shape[2:]
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    for i in range(kh):
        for j in range(kw):
            dw[:, :, i, j] = np.einsum("nfhw,nchw->fc", dout, xp[:, :, i:i+oh, j:j+ow])
            dxp[:, :, i:i+oh, j:j+ow] += np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])
    db = np.sum(dout, axis=(0, 2, 3))
    dx = dxp[:, :, 1:-1, 1:-1]
    return dx, dw, db
""",
    (
        ("dw[:, :, i, j] = np.einsum", "dw[:, :, j, i] = np.einsum"),
        (
            'dxp[:, :, i:i+oh, j:j+ow] += np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])',
            'dxp[:, :, i:i+oh, j:j+ow] = np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])',
        ),
        ("db = np.sum(dout, axis=(0, 2, 3))", "db = np.mean(dout, axis=(0, 2, 3))"),
    ),
)

FACTORISATIONS["conv, columns"] = _like(
    "conv",
    """import numpy as np

def im2col(xp, kh, kw):
    n, c, hh, ww = xp.shape
    oh, ow = hh - kh + 1, ww - kw + 1
    cols = np.empty((n, c, kh, kw, oh, ow))
    for a in range(kh):
        for e in range(kw):
            cols[:, :, a, e] = xp[:, :, a:a+oh, e:e+ow]
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(n * oh * ow, -1)

def col2im(cols, shape, kh, kw):
    n, c, hh, ww = shape
    oh, ow = hh - kh + 1, ww - kw + 1
    cols = cols.reshape(n, oh, ow, c, kh, kw).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros(shape)
    for a in range(kh):
        for e in range(kw):
            img[:, :, a:a+oh, e:e+ow] += cols[:, :, a, e]
    return img

def conv_forward(x, w, b):
    f, c, kh, kw = w.shape
    n, _, h, wid = x.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    col = im2col(xp, kh, kw)
    col_w = w.reshape(f, -1).T
    out = np.dot(col, col_w) + b
    out = out.reshape(n, xp.shape[2] - kh + 1, -1, f).transpose(0, 3, 1, 2)
    return out, (w, col, col_w, xp.shape)

def conv_backward(dout, cache):
    w, col, col_w, shape = cache
    f, c, kh, kw = w.shape
    dout = dout.transpose(0, 2, 3, 1).reshape(-1, f)
    db = np.sum(dout, axis=0)
    dw = np.dot(col.T, dout)
    dw = dw.transpose(1, 0).reshape(f, c, kh, kw)
    dcol = np.dot(dout, col_w.T)
    dx = col2im(dcol, shape, kh, kw)
    return dx[:, :, 1:-1, 1:-1], dw, db
""",
    (
        ("dout = dout.transpose(0, 2, 3, 1).reshape(-1, f)", "dout = dout.reshape(-1, f)"),
        ("dw = dw.transpose(1, 0).reshape(f, c, kh, kw)", "dw = dw.reshape(f, c, kh, kw)"),
        ("img[:, :, a:a+oh, e:e+ow] += cols[:, :, a, e]", "img[:, :, a:a+oh, e:e+ow] = cols[:, :, a, e]"),
    ),
)

FACTORISATIONS["conv, the flipped kernel"] = _like(
    "conv",
    """import numpy as np

def correlate(x, w):
    kh, kw = w.shape[2:]
    win = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    return np.einsum("nchwij,fcij->nfhw", win, w)

def conv_forward(x, w, b):
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return correlate(xp, w) + b.reshape(1, -1, 1, 1), (xp, w)

def conv_backward(dout, cache):
    xp, w = cache
    a, e = w.shape[2] - 1, w.shape[3] - 1
    dw = correlate(xp.transpose(1, 0, 2, 3), dout.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)
    padded = np.pad(dout, ((0, 0), (0, 0), (a, a), (e, e)))
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dxp = correlate(padded, flipped)
    return dxp[:, :, 1:-1, 1:-1], dw, dout.sum((0, 2, 3))
""",
    (
        ("flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)", "flipped = w.transpose(1, 0, 2, 3)"),
        (
            "dout.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)",
            "dout.transpose(1, 0, 2, 3)).transpose(1, 0, 3, 2)",
        ),
    ),
)

FACTORISATIONS["conv, windows"] = _like(
    "conv",
    """import numpy as np

def conv_forward(x, w, b):
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    win = np.lib.stride_tricks.sliding_window_view(xp, w.shape[2:], axis=(2, 3))
    out = np.tensordot(win, w, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return out + b[:, None, None], (win, w, xp.shape)

def conv_backward(dout, cache):
    win, w, shape = cache
    dw = np.tensordot(dout, win, axes=((0, 2, 3), (0, 2, 3)))
    db = dout.sum(axis=3).sum(axis=2).sum(axis=0)
    dwin = np.tensordot(dout, w, axes=((1,), (0,)))
    dxp = np.zeros(shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dxp[:, :, i:i + w.shape[2], j:j + w.shape[3]] += dwin[:, i, j]
    return dxp[:, :, 1:-1, 1:-1], dw, db
""",
    (
        ("+= dwin[:, i, j]", "+= dwin[:, j, i]"),
        ("db = dout.sum(axis=3).sum(axis=2).sum(axis=0)", "db = dout.sum(axis=3).sum(axis=2).mean(axis=0)"),
    ),
)

# Networks ---------------------------------------------------------------------------------------------------

FACTORISATIONS["two_layers, examples in columns"] = _like(
    "two_layers",
    """import numpy as np

class TwoLayers:
    def forward(self, x, w1, b1, w2, b2, y):
        self.A0, self.W1, self.W2, self.Y = x.T, w1.T, w2.T, y.T
        self.m = x.shape[0]
        self.Z1 = np.dot(self.W1, self.A0) + b1.reshape(-1, 1)
        self.A1 = np.tanh(self.Z1)
        self.Z2 = np.dot(self.W2, self.A1) + b2.reshape(-1, 1)
        return np.sum((self.Z2 - self.Y) ** 2) / (2 * self.m)

    def backward(self, dL):
        m = self.m
        dZ2 = dL * (self.Z2 - self.Y)
        dW2 = 1. / m * np.dot(dZ2, self.A1.T)
        db2 = 1. / m * np.sum(dZ2, axis=1)
        dA1 = np.dot(self.W2.T, dZ2)
        dZ1 = np.multiply(dA1, 1 - np.power(self.A1, 2))
        dW1 = 1. / m * np.dot(dZ1, self.A0.T)
        db1 = 1. / m * np.sum(dZ1, axis=1)
        dA0 = 1. / m * np.dot(self.W1.T, dZ1)
        return dA0.T, dW1.T, db1, dW2.T, db2
""",
    (
        ("dW2 = 1. / m * np.dot(dZ2, self.A1.T)", "dW2 = 1. / m * np.dot(dZ2, self.A1.T) * 2"),
        ("db1 = 1. / m * np.sum(dZ1, axis=1)", "db1 = 4. / m * np.sum(dZ1, axis=1)"),
        ("dZ1 = np.multiply(dA1, 1 - np.power(self.A1, 2))", "dZ1 = np.multiply(dA1, np.int64(self.A1 > 0))"),
        ("dW1 = 1. / m * np.dot(dZ1, self.A0.T)", "dW1 = np.dot(dZ1, self.A0.T)"),
        ("db1 = 1. / m * np.sum(dZ1, axis=1)", "db1 = 1. / m * np.sum(dA1, axis=1)"),
    ),
)

FACTORISATIONS["two_layers, an example at a time"] = _like(
    "two_layers",
    """import numpy as np

class TwoLayers:
    def forward(self, x, w1, b1, w2, b2, y):
        self.args = x, w1, b1, w2, b2, y
        self.hidden = np.array([np.tanh(r @ w1 + b1) for r in x])
        self.output = np.array([h @ w2 + b2 for h in self.hidden])
        return 0.5 * np.mean(np.sum((self.output - y) ** 2, axis=1))

    def backward(self, g):
        x, w1, b1, w2, b2, y = self.args
        nabla_w1, nabla_b1 = np.zeros(w1.shape), np.zeros(b1.shape)
        nabla_w2, nabla_b2 = np.zeros(w2.shape), np.zeros(b2.shape)
        dx = np.zeros(x.shape)
        for n in range(len(x)):
            delta2 = (self.output[n] - y[n]) * g / len(x)
            delta1 = np.dot(w2, delta2) * (1 - self.hidden[n] ** 2)
            nabla_b2 += delta2
            nabla_w2 += np.outer(self.hidden[n], delta2)
            nabla_b1 += delta1
            nabla_w1 += np.outer(x[n], delta1)
            dx[n] = w1 @ delta1
        return dx, nabla_w1, nabla_b1, nabla_w2, nabla_b2
""",
    (
        (
            "delta1 = np.dot(w2, delta2) * (1 - self.hidden[n] ** 2)",
            "delta1 = np.dot(w2, delta2) / (1 - self.hidden[n] ** 2)",
        ),
        ("nabla_w2 += np.outer(self.hidden[n], delta2)", "nabla_w2 = np.outer(self.hidden[n], delta2)"),
        ("nabla_b1 += delta1", "nabla_b1 += delta1 * b1"),
        ("delta2 = (self.output[n] - y[n]) * g / len(x)", "delta2 = (y[n] - self.output[n]) * g / len(x)"),
    ),
)

FACTORISATIONS["rnn, dhnext"] = _like(
    "rnn",
    """import numpy as np

def rnn_forward(inputs, Wxh, Whh, bh):
    hs = {-1: np.zeros((inputs.shape[1], Whh.shape[0]))}
    for t in range(len(inputs)):
        hs[t] = np.tanh(np.dot(inputs[t], Wxh) + np.dot(hs[t-1], Whh) + bh)
    return hs[len(inputs) - 1], (inputs, Wxh, Whh, bh, hs)

def rnn_backward(dout, cache):
    inputs, Wxh, Whh, bh, hs = cache
    dxs = np.zeros_like(inputs)
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dh = dhnext + (dout if t == len(inputs) - 1 else 0)
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += np.sum(dhraw, axis=0)
        dWxh += np.dot(inputs[t].T, dhraw)
        dWhh += np.dot(hs[t-1].T, dhraw)
        dxs[t] = np.dot(dhraw, Wxh.T)
        dhnext = np.dot(dhraw, Whh.T)
    return dxs, dWxh, dWhh, dbh
""",
    (
        ("dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = dh / (1 - hs[t] * hs[t])"),
        ("dhnext = np.dot(dhraw, Whh.T)", "dhnext = np.dot(dh, Whh.T)"),
        ("dWhh += np.dot(hs[t-1].T, dhraw)", "dWhh += np.dot(hs[t].T, dhraw)"),
        ("dh = dhnext + (dout if t == len(inputs) - 1 else 0)", "dh = dhnext + dout"),
        ("dbh += np.sum(dhraw, axis=0)", "dbh += np.sum(dh, axis=0)"),
    ),
)

FACTORISATIONS["rnn, sums at the end"] = _like(
    "rnn",
    """import numpy as np

def rnn_forward(x, w, u, b):
    T, N = x.shape[:2]
    h = np.zeros((T + 1, N, len(u)))
    for t in range(T):
        h[t + 1] = np.tanh(np.einsum("nd,dh->nh", x[t], w) + np.einsum("ng,gh->nh", h[t], u) + b)
    return h[T], (x, w, u, h)

def rnn_backward(dout, cache):
    x, w, u, h = cache
    T = len(x)
    slope = 1 - h[1:] ** 2
    dz = np.zeros(h[1:].shape)
    dh = dout
    for t in range(T - 1, -1, -1):
        dz[t] = dh * slope[t]
        dh = dz[t] @ u.T
    dx = np.einsum("tnh,dh->tnd", dz, w)
    dw = np.einsum("tnd,tnh->dh", x, dz)
    du = np.einsum("tng,tnh->gh", h[:-1], dz)
    db = np.einsum("tnh->h", dz)
    return dx, dw, du, db
""",
    (
        ("slope = 1 - h[1:] ** 2", "slope = 1 - h[:-1] ** 2"),
        ('du = np.einsum("tng,tnh->gh", h[:-1], dz)', 'du = np.einsum("tng,tnh->gh", h[1:], dz)'),
        ("dh = dz[t] @ u.T", "dh = dz[t] @ u"),
        ("dz[t] = dh * slope[t]", "dz[t] = dout * slope[t]"),
    ),
)

FACTORISATIONS["vae_loss, by the standard deviation"] = _like(
    "vae_loss",
    """import numpy as np

def vae_loss_forward(mu, logvar, noise, target):
    std = np.exp(logvar / 2)
    z = mu + noise * std
    err = z - target
    kl = 0.5 * (std ** 2 + mu ** 2 - 1 - logvar)
    return (err ** 2).sum() + kl.sum(), (mu, noise, std, err)

def vae_loss_backward(dout, cache):
    mu, noise, std, err = cache
    dz = 2 * err
    dmu = dz + mu
    dstd = dz * noise + std
    dlogvar = dstd * std / 2 - 0.5
    return dmu * dout, dlogvar * dout
""",
    (
        ("dstd = dz * noise + std", "dstd = dz * noise - std"),
        ("dlogvar = dstd * std / 2 - 0.5", "dlogvar = dstd * std / 2 + 0.5"),
        ("dmu = dz + mu", "dmu = dz + mu ** 2"),
        ("kl = 0.5 * (std ** 2 + mu ** 2 - 1 - logvar)", "kl = 0.5 * (std + mu ** 2 - 1 - logvar)"),
    ),
)

FACTORISATIONS["cosine, unit vectors"] = _like(
    "cosine",
    """import numpy as np

def cosine_vjp(g, ans, a, b):
    la = np.linalg.norm(a, axis=1, keepdims=True)
    lb = np.linalg.norm(b, axis=1, keepdims=True)
    ua, ub = a / la, b / lb
    cos = ans[:, np.newaxis]
    up = g.reshape(-1, 1)
    da = up * (ub - cos * ua) / la
    db = up * (ua - cos * ub) / lb
    return da, db
""",
    (
        ("da = up * (ub - cos * ua) / la", "da = up * (ub - ua) / la"),
        ("db = up * (ua - cos * ub) / lb", "db = up * (ua - cos * ub) / la"),
        (
            "lb = np.linalg.norm(b, axis=1, keepdims=True)",
            "lb = np.linalg.norm(b, axis=1, keepdims=True) ** 2",
        ),
        ("da = up * (ub - cos * ua) / la", "da = up * (ub - cos * ub) / la"),
    ),
)

FACTORISATIONS["svm_loss, loops"] = _like(
    "svm_loss",
    """import numpy as np

def svm_loss_vjp(g, ans, X, W, y, reg=0.05):
    dW = np.zeros(W.shape)
    dX = np.zeros(X.shape)
    num_train = X.shape[0]
    for i in range(num_train):
        scores = X[i].dot(W)
        correct_class_score = scores[y[i]]
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - correct_class_score + 1
            if margin > 0:
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
                dX[i] += W[:, j] - W[:, y[i]]
    dW /= num_train
    dX /= num_train
    dW += 2 * reg * W
    return dX * g, dW * g
""",
    (
        ("dW[:, y[i]] -= X[i]", "dW[:, y[i]] += X[i]"),
        ("dW += 2 * reg * W", "dW += reg * W"),
        ("margin = scores[j] - correct_class_score + 1", "margin = scores[j] - correct_class_score"),
        ("dX[i] += W[:, j] - W[:, y[i]]", "dX[i] += W[:, j] + W[:, y[i]]"),
    ),
)

FACTORISATIONS["svm_loss, coefficients"] = _like(
    "svm_loss",
    """import numpy as np

def svm_loss_vjp(g, ans, x, w, y, reg=0.05):
    n, rows = len(y), np.arange(len(y))
    s = x @ w
    coeff = np.where(s - s[rows, y].reshape(n, 1) + 1 > 0, 1.0, 0.0)
    coeff[rows, y] = 0
    coeff[rows, y] = -np.sum(coeff, axis=1)
    coeff = coeff / n
    return g * np.matmul(coeff, np.transpose(w)), g * (np.matmul(np.transpose(x), coeff) + reg * 2 * w)
""",
    (
        ("coeff[rows, y] = -np.sum(coeff, axis=1)", "coeff[rows, y] = -np.sum(coeff, axis=0)[y]"),
        ("coeff = coeff / n", "coeff = coeff / w.shape[1]"),
        ("coeff[rows, y] = 0\n", "coeff[rows, y] = 1\n"),
    ),
)

FACTORISATIONS["swiglu, fused"] = _like(
    "swiglu",
    """import numpy as np

class Swiglu:
    @staticmethod
    def forward(ctx, x, wg, wu, wd):
        inv = (np.mean(x * x, axis=1, keepdims=True) + 1e-6) ** -0.5
        y = x * inv
        gate, up = y @ wg, y @ wu
        sg = 1 / (1 + np.exp(-gate))
        ctx.save_for_backward(y, inv, gate, up, sg, wg, wu, wd)
        return (gate * sg * up) @ wd

    @staticmethod
    def backward(ctx, dout):
        y, inv, gate, up, sg, wg, wu, wd = ctx.saved_tensors
        silu = gate * sg
        dh = dout @ wd.T
        dwd = (silu * up).T @ dout
        dgate = dh * up * sg * (1 + gate * (1 - sg))
        dup = dh * silu
        dwg, dwu = y.T @ dgate, y.T @ dup
        dy = dgate @ wg.T + dup @ wu.T
        dx = inv * (dy - y * np.mean(dy * y, axis=1, keepdims=True))
        return dx, dwg, dwu, dwd
""",
    (
        ("dgate = dh * up * sg * (1 + gate * (1 - sg))", "dgate = dh * up * sg * (1 - sg)"),
        (
            "dx = inv * (dy - y * np.mean(dy * y, axis=1, keepdims=True))",
            "dx = inv * (dy - np.mean(dy * y, axis=1, keepdims=True))",
        ),
        ("dwg, dwu = y.T @ dgate, y.T @ dup", "dwg, dwu = y.T @ dup, y.T @ dgate"),
        ("dup = dh * silu", "dup = dh * sg"),
    ),
)


def gru_cell(x: Array, h: Array, w: Array, u: Array, b: Array) -> Array:
    """One step of a gated recurrent unit; the reset gate is applied to h before its product."""
    d = h.shape[1]
    a = x @ w + b
    z = 1 / (1 + np.exp(-(a[:, :d] + h @ u[:, :d])))
    r = 1 / (1 + np.exp(-(a[:, d : 2 * d] + h @ u[:, d : 2 * d])))
    n = np.tanh(a[:, 2 * d :] + (r * h) @ u[:, 2 * d :])
    return (1 - z) * n + z * h


FACTORISATIONS["gru_cell"] = Pass(
    gru_cell,
    _case(normal("32"), normal("32"), normal("26"), normal("26"), normal("6")),
    "pair",
    """import numpy as np

def sigmoid(v):
    return 1.0 / (1.0 + np.exp(-v))

def gru_cell_forward(x, h, w, u, b):
    H = h.shape[1]
    wz, wr, wn = w[:, :H], w[:, H:2*H], w[:, 2*H:]
    uz, ur, un = u[:, :H], u[:, H:2*H], u[:, 2*H:]
    z = sigmoid(x @ wz + h @ uz + b[:H])
    r = sigmoid(x @ wr + h @ ur + b[H:2*H])
    hr = h * r
    n = np.tanh(x @ wn + hr @ un + b[2*H:])
    return n + z * (h - n), (x, h, wz, wr, wn, uz, ur, un, z, r, hr, n)

def gru_cell_backward(dout, cache):
    x, h, wz, wr, wn, uz, ur, un, z, r, hr, n = cache
    dz = dout * (h - n)
    dn = dout * (1 - z)
    dh = dout * z
    dan = dn * (1 - n ** 2)
    dhr = dan @ un.T
    dh += dhr * r
    dr = dhr * h
    dar = dr * r * (1 - r)
    daz = dz * z * (1 - z)
    dh += dar @ ur.T
    dh += daz @ uz.T
    dx = daz @ wz.T + dar @ wr.T + dan @ wn.T
    dw = np.hstack([x.T @ daz, x.T @ dar, x.T @ dan])
    du = np.hstack([h.T @ daz, h.T @ dar, hr.T @ dan])
    db = np.hstack([daz.sum(0), dar.sum(0), dan.sum(0)])
    return dx, dh, dw, du, db
""",
    (
        ("dz = dout * (h - n)", "dz = dout * (n - h)"),
        ("dh += dhr * r\n", "dh += dhr\n"),
        ("dr = dhr * h\n", "dr = dan * h\n"),
        ("dh += dar @ ur.T", "dh = dar @ ur.T"),
        (
            "du = np.hstack([h.T @ daz, h.T @ dar, hr.T @ dan])",
            "du = np.hstack([h.T @ daz, h.T @ dar, h.T @ dan])",
        ),
        ("dan = dn * (1 - n ** 2)", "dan = dn * (1 - np.tanh(n) ** 2)"),
        ("dx = daz @ wz.T + dar @ wr.T + dan @ wn.T", "dx = daz @ wz.T + dar @ wr.T"),
    ),
)


def max_pool(x: Array) -> Array:
    """The largest of each two by two block of the last two axes."""
    n, c, h, w = x.shape
    return np.max(np.reshape(x, (n, c, h // 2, 2, w // 2, 2)), axis=(3, 5))


FACTORISATIONS["max_pool"] = Pass(
    max_pool,
    _case(normal("2244")),
    "pair",
    """import numpy as np

def max_pool_forward(x):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H // 2, W // 2))
    for i in range(H // 2):
        for j in range(W // 2):
            window = x[:, :, 2*i:2*i+2, 2*j:2*j+2]
            out[:, :, i, j] = np.max(window, axis=(2, 3))
    return out, x

def max_pool_backward(dout, cache):
    x = cache
    N, C, H, W = x.shape
    dx = np.zeros_like(x)
    for n in range(N):
        for c in range(C):
            for i in range(H // 2):
                for j in range(W // 2):
                    window = x[n, c, 2*i:2*i+2, 2*j:2*j+2]
                    a, e = np.unravel_index(np.argmax(window), window.shape)
                    dx[n, c, 2*i+a, 2*j+e] += dout[n, c, i, j]
    return dx
""",
    (
        (
            "a, e = np.unravel_index(np.argmax(window), window.shape)",
            "a, e = np.unravel_index(np.argmin(window), window.shape)",
        ),
        ("dx[n, c, 2*i+a, 2*j+e] += dout[n, c, i, j]", "dx[n, c, i+a, j+e] += dout[n, c, i, j]"),
        ("window = x[n, c, 2*i:2*i+2, 2*j:2*j+2]", "window = x[n, c, i:i+2, j:j+2]"),
        ("dx[n, c, 2*i+a, 2*j+e] += dout[n, c, i, j]", "dx[n, c, 2*i+a, 2*j+e] += 1"),
    ),
)
