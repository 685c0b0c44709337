"""Wrong rules, as students write them, with the names that a diagnosis may give to the mistake.

``WRONG`` is a list of (exercise, what is wrong, rule, names). Each was written from the mistake, not
from the experiment that is to recognise it.
"""

# ruff: noqa: E501
from __future__ import annotations

import numpy as np
from scipy import special

from .right import put_back, unbroadcast

WRONG: list[tuple[str, str, object, set[str]]] = []


def wrong(exercise, what, *names):
    def register(rule):
        WRONG.append((exercise, what, rule, set(names)))
        return rule

    return register


u = unbroadcast
SIGN, SWAP, OPERANDS = "sign", "outputs swapped", "operands swapped"
UNSUMMED, AVERAGED, AXIS_SUM = "broadcast not summed", "broadcast averaged", "summed over the wrong axis"
NO_G, G2, MASK = "upstream forgotten", "upstream squared", "upstream masked"
NO_LOCAL, LOCAL, FACTOR = "local derivative forgotten", "wrong local derivative", "missing factor"
CONST, SIZE, TRANSPOSE, ELEMENTWISE = (
    "constant factor",
    "size factor",
    "missing transpose",
    "elementwise product",
)
JAC, JVP, DIAG, ANS = "Jacobian returned", "JVP for VJP", "diagonal only", "ans for x"
AXIS, KEY, OVER, PATH = "wrong axis or keepdims", "keyword ignored", "overwritten", "path dropped"
IN_PLACE, TRUNC, SINGLE, OVERFLOW = "changed in place", "integer truncation", "float32", "overflow"
EPS, FD, TIES, SHAPE = "epsilon misplaced", "finite differences", "ties", "shape"
DROPPED, NONLINEAR, BACKWARDS, MEANS = (
    "factor dropped",
    "not linear",
    "entries in reverse order",
    "contributions averaged",
)
ZERO, ORDER, BY_ZERO, COUNT = "zero returned", "axes in another order", "division by zero", "wrong count"
RAISES, DTYPE, NOTHING = "raises", "dtype", "not an array"


def difference(f, h, form="central"):
    """A rule that differentiates numerically inside."""

    def rule(g, ans, x, **kwargs):
        dx = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[index] += h
            if form == "central":
                down[index] -= h
            rise = (f(up, **kwargs) - f(down, **kwargs)) / (2 * h if form == "central" else h)
            dx[index] = np.sum(g * rise)
        return dx

    return rule


def single(rule):
    """A rule that computes in float32 and says nothing of it."""

    def narrowed(g, ans, *args, **kwargs):
        f = np.float32
        given = rule(f(g), f(ans), *[f(a) if np.asarray(a).dtype.kind == "f" else a for a in args], **kwargs)
        if isinstance(given, tuple):
            return tuple(np.asarray(c, dtype=float) for c in given)
        return np.asarray(given, dtype=float)

    return narrowed


# fmt: off
ELEMENTWISE_RULES = [
    # add, subtract
    ("add", "not summed where broadcast", lambda g, ans, x, y: (g, g), UNSUMMED),
    ("add", "averaged where broadcast", lambda g, ans, x, y: (
        u(g, x) * np.size(x) / max(1, g.size), u(g, y) * np.size(y) / max(1, g.size)), AVERAGED),
    ("add", "only the first axis summed", lambda g, ans, x, y: (
        g if g.shape == x.shape else g.sum(0), g if g.shape == y.shape else g.sum(0)), AXIS_SUM, UNSUMMED),
    ("add", "multiplied by the operands", lambda g, ans, x, y: (u(g * x, x), u(g * y, y)), FACTOR, LOCAL),
    ("add", "ones without g", lambda g, ans, x, y: (u(np.ones_like(g), x), u(np.ones_like(g), y)), NO_G),
    ("subtract", "sign of y", lambda g, ans, x, y: (u(g, x), u(g, y)), SIGN),
    ("subtract", "both signs", lambda g, ans, x, y: (u(-g, x), u(g, y)), SIGN, SWAP),
    ("subtract", "not summed in y", lambda g, ans, x, y: (u(g, x), -g), UNSUMMED),
    ("subtract", "keepdims lost", lambda g, ans, x, y: (
        u(g, x), np.reshape(-u(g, y), -1) if y.ndim else -u(g, y)), SHAPE),
    # multiply, divide, power
    ("multiply", "operands swapped", lambda g, ans, x, y: (u(g * x, x), u(g * y, y)), SWAP, OPERANDS, LOCAL),
    ("multiply", "not summed", lambda g, ans, x, y: (g * y, g * x), UNSUMMED),
    ("multiply", "not summed in y only", lambda g, ans, x, y: (u(g * y, x), g * x), UNSUMMED),
    ("multiply", "g forgotten", lambda g, ans, x, y: (u(y * np.ones_like(g), x), u(x * np.ones_like(g), y)), NO_G),
    ("multiply", "g squared", lambda g, ans, x, y: (u(g * g * y, x), u(g * g * x, y)), G2),
    ("multiply", "factor of the other forgotten", lambda g, ans, x, y: (u(g, x), u(g, y)), NO_LOCAL),
    ("multiply", "ans for the operand", lambda g, ans, x, y: (u(g * ans, x), u(g * ans, y)), ANS, FACTOR, LOCAL),
    ("multiply", "1.001 times", lambda g, ans, x, y: (u(1.001 * g * y, x), u(g * x, y)), CONST),
    ("multiply", "g changed in place", lambda g, ans, x, y: (u(np.multiply(g, y), x), u(g.__imul__(x), y))
        if g.shape == x.shape else (u(g * y, x), u(g * x, y)), IN_PLACE),
    ("multiply", "only one returned", lambda g, ans, x, y: u(g * y, x), COUNT),
    ("divide", "sign of y", lambda g, ans, x, y: (u(g / y, x), u(g * x / y**2, y)), SIGN),
    ("divide", "square of y forgotten", lambda g, ans, x, y: (u(g / y, x), u(-g * x / y, y)), FACTOR),
    ("divide", "x forgotten in y", lambda g, ans, x, y: (u(g / y, x), u(-g / y**2, y)), FACTOR, LOCAL, DROPPED),
    ("divide", "x multiplied", lambda g, ans, x, y: (u(g * y, x), u(-g * x / y**2, y)), FACTOR, LOCAL),
    ("divide", "ans not divided", lambda g, ans, x, y: (u(g / y, x), u(-g * ans, y)), FACTOR, LOCAL),
    ("divide", "epsilon in the denominator", lambda g, ans, x, y: (
        u(g / (y + 1e-8), x), u(-g * x / y**2, y)), EPS),
    ("divide", "whole numbers", lambda g, ans, x, y: (u(g // y, x), u(-g * x // y**2, y)), TRUNC),
    ("power", "exponent not lowered", lambda g, ans, x, y: (u(g * y * x**y, x), u(g * ans * np.log(x), y)), FACTOR),
    ("power", "factor y forgotten", lambda g, ans, x, y: (u(g * x**(y - 1), x), u(g * ans * np.log(x), y)), FACTOR),
    ("power", "ln forgotten", lambda g, ans, x, y: (u(g * y * x**(y - 1), x), u(g * ans, y)), FACTOR),
    ("power", "log10 for ln", lambda g, ans, x, y: (
        u(g * y * x**(y - 1), x), u(g * ans * np.log10(x), y)), CONST, FACTOR),
    ("power", "ln of the exponent", lambda g, ans, x, y: (
        u(g * y * x**(y - 1), x), u(g * ans * np.log(np.abs(y) + 1e-300), y)), FACTOR, LOCAL),
    ("power", "y treated as constant", lambda g, ans, x, y: (u(g * y * x**(y - 1), x), np.zeros_like(y)), ZERO),
    ("int_power", "n ignored", lambda g, ans, x, n=3: 3 * g * x**2, KEY),
    ("int_power", "exponent not lowered", lambda g, ans, x, n=3: g * n * ans, FACTOR),
    ("int_power", "factor n forgotten", lambda g, ans, x, n=3: g * x ** (n - 1.0), FACTOR),
    ("int_power", "sign lost in a root", lambda g, ans, x, n=3: g * n * np.abs(x) ** (n - 1.0), SIGN, FACTOR),
    ("negative", "sign forgotten", lambda g, ans, x: g, SIGN, NO_LOCAL),
    ("negative", "g forgotten", lambda g, ans, x: -np.ones_like(x), NO_G),
    ("negative", "times x", lambda g, ans, x: -g * x, FACTOR, LOCAL, ANS),
    # elementary functions
    ("exp", "x for ans", lambda g, ans, x: g * x, LOCAL, ANS),
    ("exp", "power rule", lambda g, ans, x: g * x * np.exp(x - 1), FACTOR, LOCAL),
    ("exp", "exp of ans", lambda g, ans, x: g * np.exp(ans), ANS),
    ("exp", "g forgotten", lambda g, ans, x: ans.copy(), NO_G),
    ("exp", "float32", single(lambda g, ans, x: g * ans), SINGLE, OVERFLOW),
    ("log", "ans for x", lambda g, ans, x: g / ans, ANS, LOCAL, FACTOR),
    ("log", "log10", lambda g, ans, x: g / (x * np.log(10)), CONST),
    ("log", "multiplied", lambda g, ans, x: g * x, FACTOR, LOCAL),
    ("log", "epsilon added", lambda g, ans, x: g / (x + 1e-7), EPS),
    ("log", "forward difference", difference(np.log, 1e-7, "forward"), FD),
    ("sqrt", "half forgotten", lambda g, ans, x: g / ans, CONST),
    ("sqrt", "x for ans", lambda g, ans, x: g / (2 * x), ANS, FACTOR, LOCAL),
    ("sqrt", "multiplied", lambda g, ans, x: g * 2 * ans, LOCAL, FACTOR),
    ("sqrt", "half of ans", lambda g, ans, x: 0.5 * g * ans, FACTOR, LOCAL),
    ("sqrt", "epsilon added", lambda g, ans, x: g / (2 * ans + 1e-6), EPS),
    ("sin", "sine kept", lambda g, ans, x: g * ans, LOCAL, FACTOR),
    ("sin", "sign", lambda g, ans, x: -g * np.cos(x), SIGN),
    ("sin", "ans for x", lambda g, ans, x: g * np.cos(ans), ANS),
    ("sin", "central difference", difference(np.sin, 1e-5), FD),
    ("sin", "g forgotten", lambda g, ans, x: np.cos(x), NO_G),
    ("sin", "degrees", lambda g, ans, x: g * np.cos(np.deg2rad(x)), LOCAL, FACTOR, "unnamed"),
    ("cos", "sign forgotten", lambda g, ans, x: g * np.sin(x), SIGN),
    ("cos", "cosine kept", lambda g, ans, x: -g * ans, LOCAL, FACTOR),
    ("cos", "ans for x", lambda g, ans, x: -g * np.sin(ans), ANS),
    ("cos", "truncated", lambda g, ans, x: np.trunc(-g * np.sin(x)), TRUNC),
    ("tanh", "x for ans", lambda g, ans, x: g * (1 - x**2), ANS, LOCAL),
    ("tanh", "square forgotten", lambda g, ans, x: g * (1 - ans), LOCAL, FACTOR),
    ("tanh", "plus", lambda g, ans, x: g * (1 + ans**2), SIGN, LOCAL, FACTOR),
    ("tanh", "tanh of ans", lambda g, ans, x: g * (1 - np.tanh(ans) ** 2), ANS),
    ("tanh", "overflow", lambda g, ans, x: g * 4 / (np.exp(x) + np.exp(-x)) ** 2 * (np.exp(-x) / np.exp(-x)), OVERFLOW),
    ("square", "factor forgotten", lambda g, ans, x: g * x, CONST),
    ("square", "ans for x", lambda g, ans, x: 2 * g * ans, ANS, FACTOR, LOCAL),
    ("square", "squared again", lambda g, ans, x: g * ans, FACTOR, LOCAL, ANS),
    ("square", "g squared", lambda g, ans, x: 2 * g * g * x, G2),
    ("square", "mask of g", lambda g, ans, x: 2 * x * np.maximum(g, 0), MASK),
    ("reciprocal", "sign forgotten", lambda g, ans, x: g / x**2, SIGN),
    ("reciprocal", "square forgotten", lambda g, ans, x: -g / x, FACTOR, LOCAL),
    ("reciprocal", "logarithm", lambda g, ans, x: g * np.log(np.abs(x)), LOCAL, FACTOR),
    ("rad2deg", "the other way round", lambda g, ans, x: g * np.pi / 180, CONST),
    ("rad2deg", "forgotten", lambda g, ans, x: g.copy(), CONST, NO_LOCAL),
    ("rad2deg", "ans returned", lambda g, ans, x: g * ans, FACTOR, LOCAL),
    ("sigmoid", "x for ans", lambda g, ans, x: g * x * (1 - x), ANS, LOCAL),
    ("sigmoid", "1 - ans forgotten", lambda g, ans, x: g * ans, FACTOR, LOCAL),
    ("sigmoid", "1 + ans", lambda g, ans, x: g * ans * (1 + ans), SIGN, FACTOR, LOCAL),
    ("sigmoid", "sigmoid of ans", lambda g, ans, x: g * special.expit(ans) * (1 - special.expit(ans)), ANS),
    ("sigmoid", "naive exp", lambda g, ans, x: g * np.exp(-x) / (1 + np.exp(-x)) ** 2, OVERFLOW),
    ("sigmoid", "sign", lambda g, ans, x: -g * ans * (1 - ans), SIGN),
    ("relu", "mask of g", lambda g, ans, x: np.where(g > 0, g, 0.0), MASK, NO_LOCAL),
    ("relu", "g forgotten", lambda g, ans, x: (x > 0).astype(float), NO_G),
    ("relu", "boolean returned", lambda g, ans, x: x > 0, NO_G),
    ("relu", "x returned", lambda g, ans, x: np.maximum(x, 0) * 1.0, "unnamed", LOCAL, FACTOR, NO_G),
    ("relu", "times x", lambda g, ans, x: g * np.maximum(x, 0), FACTOR, LOCAL, ANS),
    ("relu", "g passed", lambda g, ans, x: g.copy(), NO_LOCAL),
    ("relu", "2 at the kink", lambda g, ans, x: g * ((x > 0) + 2.0 * (x == 0)), TIES),
    ("relu", "in place", lambda g, ans, x: np.multiply(g, x > 0, out=g), IN_PLACE),
    ("leaky_relu", "slope ignored", lambda g, ans, x, slope=0.1: g * np.where(x > 0, 1.0, 0.1), KEY),
    ("leaky_relu", "plain relu", lambda g, ans, x, slope=0.1: g * (x > 0), KEY, "unnamed", FACTOR, PATH),
    ("leaky_relu", "decided by g", lambda g, ans, x, slope=0.1: np.where(g > 0, g, slope * g), MASK, "unnamed", LOCAL, NONLINEAR),
    ("leaky_relu", "slope times x", lambda g, ans, x, slope=0.1: g * np.where(x > 0, 1.0, slope * x), LOCAL, FACTOR),
    ("softplus", "exp not divided", lambda g, ans, x: g * np.exp(x), FACTOR, LOCAL, OVERFLOW),
    ("softplus", "sigmoid of -x", lambda g, ans, x: g / (1 + np.exp(x)), SIGN, "unnamed", LOCAL),
    ("softplus", "naive", lambda g, ans, x: g * np.exp(x) / (1 + np.exp(x)), OVERFLOW),
    ("softplus", "sigmoid of ans", lambda g, ans, x: g * special.expit(ans), ANS),
    ("gelu", "second term forgotten", lambda g, ans, x: g * 0.5 * (1 + special.erf(x / np.sqrt(2))), PATH),
    ("gelu", "x forgotten in the second", lambda g, ans, x: g * (0.5 * (1 + special.erf(x / np.sqrt(2)))
        + np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)), LOCAL, FACTOR),
    ("gelu", "tanh form", lambda g, ans, x: g * (0.5 * (1 + np.tanh(0.79788456 * (x + 0.044715 * x**3)))
        + 0.5 * x / np.cosh(0.79788456 * (x + 0.044715 * x**3)) ** 2 * 0.79788456 * (1 + 0.134145 * x**2)),
        LOCAL, FD),
    ("abs", "g passed", lambda g, ans, x: g.copy(), NO_LOCAL, SIGN),
    ("abs", "sign of ans", lambda g, ans, x: g * np.sign(ans), SIGN, NO_LOCAL, ANS),
    ("abs", "|g|", lambda g, ans, x: np.abs(g) * np.sign(x), MASK),
    ("abs", "x / ans at zero", lambda g, ans, x: g * x / ans, BY_ZERO),
    ("abs", "2 at the kink", lambda g, ans, x: g * np.where(x == 0, 2.0, np.sign(x)), TIES),
    ("maximum", "both at ties", lambda g, ans, x, y: (u(g * (x >= y), x), u(g * (y >= x), y)), TIES),
    ("maximum", "none at ties", lambda g, ans, x, y: (u(g * (x > y), x), u(g * (y > x), y)), TIES),
    ("maximum", "swapped", lambda g, ans, x, y: (u(g * (x < y), x), u(g * (x >= y), y)), SWAP, OPERANDS, LOCAL),
    ("maximum", "g to both", lambda g, ans, x, y: (u(g, x), u(g, y)), NO_LOCAL, "unnamed"),
    ("maximum", "not summed", lambda g, ans, x, y: (g * (x >= y), g * (x < y)), UNSUMMED),
    ("clip", "bounds ignored", lambda g, ans, x, low=-1.0, high=1.0: g * (np.abs(x) <= 1), KEY),
    ("clip", "clips g", lambda g, ans, x, low=-1.0, high=1.0: np.clip(g, low, high), "unnamed", MASK, NONLINEAR),
    ("clip", "g passed", lambda g, ans, x, low=-1.0, high=1.0: g.copy(), NO_LOCAL),
    ("clip", "low ignored", lambda g, ans, x, low=-1.0, high=1.0: g * (x <= high), "unnamed", PATH, KEY),
]
PRODUCT_RULES = [
    ("matmul", "transpose of y missing", lambda g, ans, x, y: (g @ y, x.T @ g), TRANSPOSE),
    ("matmul", "transpose of x missing", lambda g, ans, x, y: (g @ y.T, x @ g), TRANSPOSE),
    ("matmul", "g transposed", lambda g, ans, x, y: (g.T @ y.T, x.T @ g.T), TRANSPOSE),
    ("matmul", "order", lambda g, ans, x, y: (y.T @ g, g @ x.T), OPERANDS),
    ("matmul", "elementwise", lambda g, ans, x, y: (g * y, g * x), ELEMENTWISE),
    ("matmul", "operands swapped", lambda g, ans, x, y: (g @ x.T, y.T @ g), OPERANDS),
    ("matmul", "outputs swapped", lambda g, ans, x, y: (x.T @ g, g @ y.T), SWAP, OPERANDS),
    ("matmul", "g forgotten", lambda g, ans, x, y: (np.ones_like(g) @ y.T, x.T @ np.ones_like(g)), NO_G),
    ("matmul", "result transposed", lambda g, ans, x, y: ((g @ y.T).T, x.T @ g), TRANSPOSE),
    ("matmul", "float32", single(lambda g, ans, x, y: (g @ y.T, x.T @ g)), SINGLE),
    ("matmul", "averaged over the rows", lambda g, ans, x, y: (g @ y.T, x.T @ g / len(x)), SIZE),
    ("batched_matmul", "all axes transposed", lambda g, ans, x, y: (u(g @ y.T, x), u(x.T @ g, y)),
        TRANSPOSE, RAISES),
    ("batched_matmul", "not summed", lambda g, ans, x, y: (
        g @ np.swapaxes(y, -1, -2), np.swapaxes(x, -1, -2) @ g), UNSUMMED, SHAPE, "unnamed"),
    ("batched_matmul", "averaged", lambda g, ans, x, y: (
        u(g @ np.swapaxes(y, -1, -2), x) * (x.shape[0] / len(g) if x.shape[:1] == (1,) else 1),
        u(np.swapaxes(x, -1, -2) @ g, y) / (len(g) if y.ndim < g.ndim else 1)), AVERAGED, SIZE),
    ("matvec", "transpose missing", lambda g, ans, a, x: (np.outer(g, x), a @ g), TRANSPOSE, RAISES, JVP),
    ("matvec", "outer turned", lambda g, ans, a, x: (np.outer(x, g), a.T @ g), TRANSPOSE, OPERANDS, ORDER),
    ("matvec", "elementwise", lambda g, ans, a, x: (g[:, None] * a, a.T @ g), LOCAL, "unnamed", FACTOR, OPERANDS),
    ("dot", "swapped", lambda g, ans, x, y: (g * x, g * y), SWAP, LOCAL, OPERANDS),
    ("dot", "g forgotten", lambda g, ans, x, y: (y.copy(), x.copy()), NO_G),
    ("dot", "ans for the operand", lambda g, ans, x, y: (g * ans * np.ones_like(x), g * ans * np.ones_like(y)),
        LOCAL, ANS, FACTOR),
    ("affine", "bias not summed", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g), UNSUMMED),
    ("affine", "bias averaged", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g.mean(axis=0)), AVERAGED),
    ("affine", "bias over the wrong axis", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g.sum(axis=1)), AXIS_SUM),
    ("affine", "bias keepdims", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, g.sum(axis=0, keepdims=True)), SHAPE),
    ("affine", "bias is one", lambda g, ans, x, w, b: (g @ w.T, x.T @ g, np.ones_like(b)), "unnamed", NO_G, LOCAL, SIZE, NONLINEAR),
    ("affine", "batch mean of w", lambda g, ans, x, w, b: (g @ w.T, x.T @ g / len(x), g.sum(axis=0)), SIZE),
    ("affine", "transpose of w missing", lambda g, ans, x, w, b: (g @ w, x.T @ g, g.sum(axis=0)), TRANSPOSE),
    ("affine", "transpose of x missing", lambda g, ans, x, w, b: (g @ w.T, x @ g, g.sum(axis=0)), TRANSPOSE),
    ("affine", "dx and dw swapped", lambda g, ans, x, w, b: (x.T @ g, g @ w.T, g.sum(axis=0)), SWAP),
    ("outer", "swapped", lambda g, ans, x, y: (g.T @ x, g @ y), SWAP, OPERANDS),
    ("outer", "not summed", lambda g, ans, x, y: (g * y, (g.T * x).T), UNSUMMED, SHAPE, JAC, "unnamed"),
    ("outer", "transpose missing", lambda g, ans, x, y: (g.T @ y, g @ x), TRANSPOSE, RAISES),
    ("outer", "sums g only", lambda g, ans, x, y: (g.sum(1), g.sum(0)), NO_LOCAL, "unnamed", LOCAL, DROPPED),
    ("solve", "transpose missing", lambda g, ans, a, b: (
        -np.outer(np.linalg.solve(a, g), ans) if g.ndim == 1 else -np.linalg.solve(a, g) @ ans.T,
        np.linalg.solve(a, g)), TRANSPOSE, JVP),
    ("solve", "sign", lambda g, ans, a, b: (
        np.outer(np.linalg.solve(a.T, g), ans) if g.ndim == 1 else np.linalg.solve(a.T, g) @ ans.T,
        np.linalg.solve(a.T, g)), SIGN),
    ("solve", "b for ans", lambda g, ans, a, b: (
        -np.outer(np.linalg.solve(a.T, g), b) if g.ndim == 1 else -np.linalg.solve(a.T, g) @ b.T,
        np.linalg.solve(a.T, g)), ANS, OPERANDS),
    ("solve", "multiplied", lambda g, ans, a, b: (
        -np.outer(a.T @ g, ans) if g.ndim == 1 else -(a.T @ g) @ ans.T, a.T @ g), "unnamed", OPERANDS, FACTOR),
    ("inverse", "sign", lambda g, ans, a: ans.T @ g @ ans.T, SIGN),
    ("inverse", "transposes missing", lambda g, ans, a: -ans @ g @ ans, TRANSPOSE),
    ("inverse", "one transpose missing", lambda g, ans, a: -ans.T @ g @ ans, TRANSPOSE),
    ("inverse", "a for ans", lambda g, ans, a: -a.T @ g @ a.T, ANS),
    ("inverse", "scalar rule", lambda g, ans, a: -g * ans**2, DIAG, ELEMENTWISE, LOCAL, FACTOR),
    ("inverse", "one factor only", lambda g, ans, a: -ans.T @ g, "factor dropped"),
    ("determinant", "transpose missing", lambda g, ans, a: g * ans * np.linalg.inv(a), TRANSPOSE, ORDER),
    ("determinant", "determinant forgotten", lambda g, ans, a: g * np.linalg.inv(a).T, FACTOR),
    ("determinant", "inverse forgotten", lambda g, ans, a: g * ans * a, FACTOR, LOCAL, "unnamed"),
    ("multigammaln", "one term", lambda g, ans, a, d=2: g * special.digamma(a), KEY, PATH, "unnamed"),
    ("multigammaln", "d ignored", lambda g, ans, a, d=2: g * (special.digamma(a) + special.digamma(a - 0.5)), KEY),
    ("multigammaln", "doubled", lambda g, ans, a, d=2: 2 * g * sum(special.digamma(a - j / 2) for j in range(d)), CONST),
]
REDUCTION_RULES = [
    ("sum", "not spread", lambda g, ans, x, axis=None, keepdims=False: g, SHAPE, AXIS, "unnamed", NO_LOCAL),
    ("sum", "axis not put back", lambda g, ans, x, axis=None, keepdims=False: np.broadcast_to(g, x.shape), AXIS, RAISES),
    ("sum", "g forgotten", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x), NO_G),
    ("sum", "times x", lambda g, ans, x, axis=None, keepdims=False: put_back(g, x, axis, keepdims) * x, FACTOR, LOCAL),
    ("sum", "a mean", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis, keepdims) / max(1, x.size / max(1, ans.size)), SIZE),
    ("sum", "g summed up", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x) * np.sum(g),
        "upstream summed or averaged", AXIS),
    ("mean", "n forgotten", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis, keepdims), SIZE, NO_LOCAL),
    ("mean", "n of all", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis, keepdims) / x.size, SIZE),
    ("mean", "n twice", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis, keepdims) * (ans.size / x.size) ** 2, SIZE),
    ("mean", "first axis always", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis, keepdims) / x.shape[0], SIZE),
    ("mean", "keepdims ignored", lambda g, ans, x, axis=None, keepdims=False: np.ones_like(x)
        * put_back(g, x, axis) * ans.size / x.size, AXIS, RAISES, SHAPE, "unnamed"),
    ("var", "factor 2 forgotten", lambda g, ans, x, axis=None, ddof=0: put_back(g, x, axis)
        * (x - x.mean(axis=axis, keepdims=True)) / (x.size / ans.size - ddof), CONST),
    ("var", "mean forgotten", lambda g, ans, x, axis=None, ddof=0: put_back(g, x, axis) * 2 * x
        / (x.size / ans.size - ddof), PATH, "unnamed"),
    ("var", "ddof ignored", lambda g, ans, x, axis=None, ddof=0: put_back(g, x, axis) * 2
        * (x - x.mean(axis=axis, keepdims=True)) / (x.size / ans.size), KEY, SIZE),
    ("var", "always n - 1", lambda g, ans, x, axis=None, ddof=0: put_back(g, x, axis) * 2
        * (x - x.mean(axis=axis, keepdims=True)) / (x.size / ans.size - 1), KEY, SIZE),
    ("var", "mean of all", lambda g, ans, x, axis=None, ddof=0: put_back(g, x, axis) * 2
        * (x - x.mean()) / (x.size / ans.size - ddof), AXIS, "unnamed"),
    ("norm", "not divided", lambda g, ans, x: g * x, FACTOR, LOCAL),
    ("norm", "factor 2", lambda g, ans, x: 2 * g * x / ans, CONST),
    ("norm", "divided by the square", lambda g, ans, x: g * x / ans**2, FACTOR),
    ("norm", "signs lost", lambda g, ans, x: g * np.abs(x) / ans, SIGN, FACTOR),
    ("norm", "epsilon added", lambda g, ans, x: g * x / (ans + 1e-6), EPS),
    ("norm", "x forgotten", lambda g, ans, x: g / ans * np.ones_like(x), LOCAL, FACTOR),
    ("prod", "by division", lambda g, ans, x, axis=None: put_back(g, x, axis) * put_back(ans, x, axis) / x, BY_ZERO),
    ("prod", "ans everywhere", lambda g, ans, x, axis=None: put_back(g * ans, x, axis) * np.ones_like(x), FACTOR, LOCAL),
    ("prod", "axis ignored", lambda g, ans, x, axis=None: np.sum(g) * np.prod(x) / np.where(x == 0, 1, x)
        * (np.all(x != 0) or 0.0) if np.all(x != 0) else prod_of_others(np.sum(g), x), AXIS, "unnamed"),
    ("nansum", "nan ignored", lambda g, ans, x, axis=None: put_back(g, x, axis) * np.ones_like(x), "unnamed", NO_LOCAL),
    ("nansum", "nan kept", lambda g, ans, x, axis=None: put_back(g, x, axis) * (x / x), "not finite", "unnamed"),
    ("cumsum", "not reversed", lambda g, ans, x, axis=0: np.cumsum(g, axis), "entries in reverse order", JVP),
    ("cumsum", "reversed twice", lambda g, ans, x, axis=0: np.cumsum(np.flip(g, axis), axis), "entries in reverse order"),
    ("cumsum", "axis ignored", lambda g, ans, x, axis=0: np.flip(np.cumsum(np.flip(g, 0), 0), 0), AXIS),
    ("cumsum", "plain sum", lambda g, ans, x, axis=0: np.ones_like(x) * g.sum(axis=axis, keepdims=True), "unnamed", LOCAL),
    ("cumsum", "g passed", lambda g, ans, x, axis=0: g.copy(), DIAG, NO_LOCAL),
    ("max", "to every entry", lambda g, ans, x, axis=None: put_back(g, x, axis) * np.ones_like(x), NO_LOCAL),
    ("max", "all at ties", lambda g, ans, x, axis=None: put_back(g, x, axis) * (x == put_back(ans, x, axis)), TIES),
    ("max", "axis ignored", lambda g, ans, x, axis=None: np.sum(g) * (x == x.max()) / (x == x.max()).sum(), AXIS,
        "unnamed"),
    ("max", "value returned", lambda g, ans, x, axis=None: put_back(g * ans, x, axis) * (x == put_back(ans, x, axis)),
        FACTOR),
    ("logsumexp", "not divided", lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * np.exp(x), FACTOR, OVERFLOW, LOCAL),
    ("logsumexp", "naive", lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * np.exp(x)
        / np.sum(np.exp(x), axis=axis, keepdims=True), OVERFLOW),
    ("logsumexp", "axis ignored", lambda g, ans, x, axis=-1: np.expand_dims(g, axis) * special.softmax(x, axis=-1),
        AXIS, "unnamed"),
    ("logsumexp", "axis not put back", lambda g, ans, x, axis=-1: g * np.exp(x - ans), AXIS, RAISES, "unnamed"),
    ("logcumsumexp", "not reversed", lambda g, ans, x: np.exp(x - ans) * np.cumsum(g), "unnamed", JVP),
    ("logcumsumexp", "diagonal", lambda g, ans, x: g * np.exp(x - ans), DIAG),
    ("logcumsumexp", "plain softmax", lambda g, ans, x: g.sum() * special.softmax(x), "unnamed", FACTOR,
        "upstream summed or averaged"),
    ("softmax", "diagonal", lambda g, ans, x, axis=-1: g * ans * (1 - ans), DIAG),
    ("softmax", "denominator forgotten", lambda g, ans, x, axis=-1: g * ans, PATH),
    ("softmax", "sum over everything", lambda g, ans, x, axis=-1: ans * (g - np.sum(g * ans)), AXIS, "unnamed"),
    ("softmax", "axis ignored", lambda g, ans, x, axis=-1: ans * (g - np.sum(g * ans, axis=-1, keepdims=True)), AXIS),
    ("softmax", "sign inside", lambda g, ans, x, axis=-1: ans * (g + np.sum(g * ans, axis=axis, keepdims=True)), SIGN),
    ("softmax", "x for ans", lambda g, ans, x, axis=-1: x * (g - np.sum(g * x, axis=axis, keepdims=True)), ANS),
    ("softmax", "ans in the sum forgotten", lambda g, ans, x, axis=-1: ans * (g - np.sum(g, axis=axis, keepdims=True)),
        PATH, "unnamed", FACTOR, DROPPED),
    ("softmax", "Jacobian", lambda g, ans, x, axis=-1: np.diag(ans.ravel()) - np.outer(ans, ans), JAC),
    ("softmax", "central difference", difference(lambda x, axis=-1: special.softmax(x, axis=axis), 1e-6), FD),
    ("log_softmax", "sum forgotten", lambda g, ans, x, axis=-1: g - np.exp(ans), "unnamed", NO_G, PATH),
    ("log_softmax", "sign", lambda g, ans, x, axis=-1: np.exp(ans) * g.sum(axis=axis, keepdims=True) - g, SIGN),
    ("log_softmax", "g passed", lambda g, ans, x, axis=-1: g.copy(), PATH, NO_LOCAL),
    ("log_softmax", "ans for exp", lambda g, ans, x, axis=-1: g - ans * g.sum(axis=axis, keepdims=True), "unnamed", ANS),
    ("log_softmax", "axis ignored", lambda g, ans, x, axis=-1: g - np.exp(ans) * g.sum(axis=-1, keepdims=True), AXIS),
    ("log_softmax", "diagonal", lambda g, ans, x, axis=-1: g * (1 - np.exp(ans)), DIAG),
]
LOSS_AND_LAYER_RULES = [
    ("squared_error", "factor 2 forgotten", lambda g, ans, p, t: g * (p - t) / p.size, CONST),
    ("squared_error", "n forgotten", lambda g, ans, p, t: 2 * g * (p - t), SIZE),
    ("squared_error", "sign", lambda g, ans, p, t: 2 * g * (t - p) / p.size, SIGN, OPERANDS),
    ("squared_error", "divided by the rows", lambda g, ans, p, t: 2 * g * (p - t) / len(p), SIZE),
    ("squared_error", "g forgotten", lambda g, ans, p, t: 2 * (p - t) / p.size, NO_G),
    ("squared_error", "ans", lambda g, ans, p, t: 2 * g * ans * np.ones_like(p) / p.size, "unnamed", FACTOR, LOCAL),
    ("absolute_error", "n forgotten", lambda g, ans, p, t: g * np.sign(p - t), SIZE),
    ("absolute_error", "squared error's", lambda g, ans, p, t: 2 * g * (p - t) / p.size, "unnamed", FACTOR),
    ("absolute_error", "sign", lambda g, ans, p, t: g * np.sign(t - p) / p.size, SIGN, OPERANDS),
    ("huber", "delta forgotten", lambda g, ans, p, t, delta=1.0: g / p.size
        * np.where(np.abs(p - t) <= delta, p - t, np.sign(p - t)), "unnamed", KEY),
    ("huber", "delta ignored", lambda g, ans, p, t, delta=1.0: g * np.clip(p - t, -1, 1) / p.size, KEY),
    ("huber", "n forgotten", lambda g, ans, p, t, delta=1.0: g * np.clip(p - t, -delta, delta), SIZE),
    ("huber", "never linear", lambda g, ans, p, t, delta=1.0: g * (p - t) / p.size, "unnamed", KEY, FACTOR),
    ("hinge", "sign", lambda g, ans, s, t: np.where(t * s < 1, t, 0.0) * g / s.size, SIGN),
    ("hinge", "n forgotten", lambda g, ans, s, t: np.where(t * s < 1, -t, 0.0) * g, SIZE),
    ("hinge", "margin forgotten", lambda g, ans, s, t: np.where(t * s < 0, -t, 0.0) * g / s.size, "unnamed", "wrong branch"),
    ("hinge", "target forgotten", lambda g, ans, s, t: np.where(t * s < 1, -1.0, 0.0) * g / s.size, FACTOR, "unnamed"),
    ("cross_entropy", "n forgotten", lambda g, ans, z, y: g * (special.softmax(z, axis=1)
        - np.eye(z.shape[1])[y]), SIZE),
    ("cross_entropy", "sign", lambda g, ans, z, y: g * (np.eye(z.shape[1])[y]
        - special.softmax(z, axis=1)) / len(z), SIGN),
    ("cross_entropy", "softmax alone", lambda g, ans, z, y: g * special.softmax(z, axis=1) / len(z), PATH, "unnamed"),
    ("cross_entropy", "label alone", lambda g, ans, z, y: -g * np.eye(z.shape[1])[y] / len(z), PATH),
    ("cross_entropy", "naive exp", lambda g, ans, z, y: g * (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        - np.eye(z.shape[1])[y]) / len(z), OVERFLOW),
    ("cross_entropy", "g forgotten", lambda g, ans, z, y: (special.softmax(z, axis=1)
        - np.eye(z.shape[1])[y]) / len(z), NO_G),
    ("cross_entropy", "divided by the classes", lambda g, ans, z, y: g * (special.softmax(z, axis=1)
        - np.eye(z.shape[1])[y]) / z.shape[1], SIZE),
    ("binary_cross_entropy", "sign", lambda g, ans, z, t: g * (t - special.expit(z)) / z.size, SIGN),
    ("binary_cross_entropy", "n forgotten", lambda g, ans, z, t: g * (special.expit(z) - t), SIZE),
    ("binary_cross_entropy", "sigmoid's derivative too", lambda g, ans, z, t: g * (special.expit(z) - t)
        * special.expit(z) * (1 - special.expit(z)) / z.size, "unnamed", FACTOR),
    ("dropout", "scale forgotten", lambda g, ans, x, kept, keep=0.8: g * kept, FACTOR, CONST, KEY),
    ("dropout", "mask forgotten", lambda g, ans, x, kept, keep=0.8: g / keep, NO_LOCAL, "unnamed", FACTOR, LOCAL, DROPPED),
    ("dropout", "times keep", lambda g, ans, x, kept, keep=0.8: g * kept * keep, FACTOR, CONST),
    ("dropout", "a new mask", lambda g, ans, x, kept, keep=0.8: g * (np.random.default_rng().random(x.shape) < keep) / keep,
        "not repeatable"),
    ("concatenate", "not cut", lambda g, ans, x, y, axis=0: (g, g), SHAPE, "unnamed", NO_LOCAL),
    ("concatenate", "cut from the wrong end", lambda g, ans, x, y, axis=0: tuple(
        np.split(g, [y.shape[axis]], axis=axis))[::-1], SWAP, SHAPE, "unnamed", "wrong shape"),
    ("concatenate", "axis ignored", lambda g, ans, x, y, axis=0: (g[: len(x)], g[len(g) - len(y):]), AXIS, SHAPE),
    ("concatenate", "halves", lambda g, ans, x, y, axis=0: tuple(np.array_split(g, 2, axis=axis)), SHAPE, "unnamed", "wrong shape"),
    ("stack", "swapped", lambda g, ans, x, y, axis=0: (np.take(g, 1, axis=axis), np.take(g, 0, axis=axis)), SWAP),
    ("reshape", "left as it is", lambda g, ans, x, shape=(-1,): g, SHAPE),
    ("reshape", "column by column", lambda g, ans, x, shape=(-1,): g.reshape(x.shape, order="F"), ORDER),
    ("reshape", "transposed", lambda g, ans, x, shape=(-1,): g.T.reshape(x.shape), ORDER, "unnamed", TRANSPOSE),
    ("transpose", "forgotten", lambda g, ans, x: g.copy(), TRANSPOSE, NO_LOCAL, SHAPE, ORDER),
    ("transpose", "x returned", lambda g, ans, x: x.copy(), "unnamed", NO_G),
    ("permute", "same permutation", lambda g, ans, x, axes=(1, 2, 0): g.transpose(axes), ORDER),
    ("permute", "reversed axes", lambda g, ans, x, axes=(1, 2, 0): g.transpose(), ORDER, "unnamed"),
    ("permute", "reshaped", lambda g, ans, x, axes=(1, 2, 0): g.reshape(x.shape), ORDER, "unnamed"),
    ("broadcast", "not summed", lambda g, ans, x, shape=(4, 3): g, UNSUMMED, SHAPE),
    ("broadcast", "averaged", lambda g, ans, x, shape=(4, 3): u(g, x) * x.size / g.size, AVERAGED, SIZE),
    ("broadcast", "the first taken", lambda g, ans, x, shape=(4, 3): g[tuple(
        [0] * (g.ndim - x.ndim) + [slice(0, 1) if n == 1 else slice(None) for n in x.shape])], UNSUMMED),
    ("flip", "forgotten", lambda g, ans, x, axis=0: g.copy(), "entries in reverse order", NO_LOCAL),
    ("flip", "every axis", lambda g, ans, x, axis=0: np.flip(g), "entries in reverse order", AXIS),
    ("conv1d", "kernel turned", lambda g, ans, x, w: conv_rule(g, x, w[:, :, ::-1])[:1]
        + conv_rule(g, x, w)[1:], "unnamed", OPERANDS, BACKWARDS),
    ("conv1d", "overwritten", lambda g, ans, x, w: conv_rule(g, x, w, add=False), OVER),
    ("conv1d", "batch mean", lambda g, ans, x, w: (conv_rule(g, x, w)[0], conv_rule(g, x, w)[1] / len(x)), SIZE),
    ("conv1d", "kernel of w flipped", lambda g, ans, x, w: (conv_rule(g, x, w)[0], conv_rule(g, x, w)[1][:, :, ::-1]),
        "entries in reverse order"),
    ("max_pool", "to the whole block", lambda g, ans, x, size=2: np.repeat(np.repeat(g, size, -2), size, -1), "unnamed",
        NO_LOCAL),
    ("max_pool", "an average", lambda g, ans, x, size=2: np.repeat(np.repeat(g, size, -2), size, -1) / size**2,
        "unnamed", LOCAL),
    ("max_pool", "all at ties", lambda g, ans, x, size=2: np.repeat(np.repeat(g, size, -2), size, -1)
        * (x == np.repeat(np.repeat(ans, size, -2), size, -1)), TIES),
    ("embedding", "assigned", lambda g, ans, w, i: scattered(g, w, i, "assign"), OVER),
    ("embedding", "fancy +=", lambda g, ans, w, i: scattered(g, w, i, "fancy"), OVER),
    ("embedding", "gathered from g", lambda g, ans, w, i: np.ones_like(w) * g.reshape(-1, w.shape[1]).sum(0), "unnamed"),
    ("gather", "assigned", lambda g, ans, w, i: scattered(g, w, i, "assign"), OVER),
    ("gather", "fancy +=", lambda g, ans, w, i: scattered(g, w, i, "fancy"), OVER),
    ("gather", "averaged", lambda g, ans, w, i: scattered(g, w, i, "mean"), "unnamed", SIZE, AVERAGED, MEANS),
    ("gather", "integers", lambda g, ans, w, i: scattered(g.astype(int), w, i, "add"), TRUNC),
    ("layer_norm", "mean's path dropped", lambda *a, **k: norm_rule(1, "mean", *a, **k), PATH),
    ("layer_norm", "variance's path dropped", lambda *a, **k: norm_rule(1, "variance", *a, **k), PATH),
    ("layer_norm", "both dropped", lambda *a, **k: norm_rule(1, "both", *a, **k), PATH, "unnamed"),
    ("layer_norm", "epsilon beside the root", lambda *a, **k: norm_rule(1, "eps", *a, **k), EPS, "unnamed", KEY),
    ("layer_norm", "eps ignored", lambda *a, **k: norm_rule(1, "", *a[:5], eps=1e-5), KEY),
    ("layer_norm", "columns for rows", lambda *a, **k: norm_rule(0, "", *a, **k), "unnamed", AXIS),
    ("layer_norm", "scale not summed", lambda *a, **k: norm_rule(1, "unsummed", *a, **k), UNSUMMED),
    ("layer_norm", "scale forgotten", lambda *a, **k: norm_rule(1, "scale", *a, **k), "unnamed", FACTOR, NO_LOCAL, DROPPED),
    ("batch_norm", "mean's path dropped", lambda *a, **k: norm_rule(0, "mean", *a, **k), PATH),
    ("batch_norm", "variance's path dropped", lambda *a, **k: norm_rule(0, "variance", *a, **k), PATH),
    ("batch_norm", "n - 1", lambda *a, **k: norm_rule(0, "unbiased", *a, **k), "unnamed", SIZE),
    ("batch_norm", "shift averaged", lambda *a, **k: norm_rule(0, "averaged", *a, **k), AVERAGED),
    ("batch_norm", "epsilon left out", lambda g, ans, x, s, b, eps=1e-5: norm_rule(0, "", g, ans, x, s, b, eps=0.0), EPS),
]
# fmt: on


def prod_of_others(g, x):
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x.copy()
        kept[index] = 1.0
        out[index] = g * kept.prod()
    return out


def conv_rule(g, x, w, add=True):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(g.shape[2]):
        window = slice(i, i + w.shape[2])
        of_w = np.einsum("bo,bck->ock", g[:, :, i], x[:, :, window])
        of_x = np.einsum("bo,ock->bck", g[:, :, i], w)
        dw += of_w
        dx[:, :, window] = dx[:, :, window] + of_x if add else of_x
    return dx, dw


def scattered(g, x, i, how):
    dx = np.zeros_like(x)
    if how == "assign":
        dx[i] = g
    elif how == "fancy":
        dx[i] += g
    else:
        np.add.at(dx, i, g)
        if how == "mean":
            counts = np.zeros(len(x))
            np.add.at(counts, i, 1)
            dx = dx / np.maximum(counts, 1)
    return dx


def norm_rule(axis, mistake, g, ans, x, scale, shift, eps=1e-5):
    mean = x.mean(axis=axis, keepdims=True)
    centred = x - mean
    n = x.shape[axis] - (mistake == "unbiased")
    variance = (centred**2).sum(axis=axis, keepdims=True) / n
    spread = np.sqrt(variance) + eps if mistake == "eps" else np.sqrt(variance + eps)
    normal = centred / spread
    inner = g if mistake == "scale" else g * scale
    m = inner.mean(axis=axis, keepdims=True) if mistake not in ("mean", "both") else 0.0
    v = (
        normal * (inner * normal).mean(axis=axis, keepdims=True)
        if mistake not in ("variance", "both")
        else 0.0
    )
    of_scale = g * normal if mistake == "unsummed" else (g * normal).sum(axis=0)
    of_shift = g if mistake == "unsummed" else g.mean(axis=0) if mistake == "averaged" else g.sum(axis=0)
    return (inner - m - v) / spread, of_scale, of_shift


for exercise, what, rule, *names in (
    ELEMENTWISE_RULES + PRODUCT_RULES + REDUCTION_RULES + LOSS_AND_LAYER_RULES
):
    wrong(exercise, what, *names)(rule)
