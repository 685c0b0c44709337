"""Wrong submissions in all eight styles, written before their author had read the diagnosis.

``UNSEEN`` is a list of (exercise, style, what is wrong, text, names): the mistakes are those of students, the
exercises those that the other collections use least. ``names`` are what a good tutor could call the mistake.
Measured before anything was changed for it, all 83 failed; 61 were named rightly (2 of 10 engines), 19 not at
all, and 3 misleadingly. ``FALSE_ALARMS_TRIED`` are right ones that look odd.
"""

# ruff: noqa: E501
from __future__ import annotations

from .styled import SWEEP, SWEPT, TWICE, VALUE, VJP
from .submissions import Submissions
from .wrong import (
    ANS,
    AVERAGED,
    AXIS,
    AXIS_SUM,
    BACKWARDS,
    BY_ZERO,
    CONST,
    COUNT,
    DROPPED,
    DTYPE,
    ELEMENTWISE,
    FACTOR,
    IN_PLACE,
    KEY,
    LOCAL,
    MASK,
    NO_G,
    NO_LOCAL,
    NONLINEAR,
    NOTHING,
    OPERANDS,
    ORDER,
    OVER,
    OVERFLOW,
    PATH,
    RAISES,
    SHAPE,
    SIGN,
    SIZE,
    SWAP,
    TIES,
    TRANSPOSE,
    TRUNC,
    UNSUMMED,
    ZERO,
)

BRANCH = "wrong branch"

_written = Submissions()
UNSEEN = _written.all
wrong, vjp, partials, context = _written.add, _written.vjp, _written.partials, _written.context
registered, jvp, backward_pass = _written.registered, _written.jvp, _written.backward_pass


# -- rules ------------------------------------------------------------------------------------------------

vjp("stack", "taken apart along the first axis, whatever the axis", "x, y, axis=0", "g[0], g[1]",
    AXIS, KEY, SHAPE, RAISES)  # fmt: skip
vjp("stack", "the one axis too many is left", "x, y, axis=0", "tuple(np.split(g, 2, axis=axis))",
    SHAPE, AXIS)  # fmt: skip
vjp("stack", "the two exchanged", "x, y, axis=0", "np.take(g, 1, axis=axis), np.take(g, 0, axis=axis)", SWAP)
vjp("absolute_error", "the sign of the prediction, not of the difference", "prediction, target",
    "g * np.sign(prediction) / prediction.size", OPERANDS, LOCAL, DROPPED)  # fmt: skip
vjp("absolute_error", "nan where prediction and target agree", "prediction, target",
    "d = prediction - target\ng * d / np.abs(d) / prediction.size", BY_ZERO)  # fmt: skip
vjp("absolute_error", "divided by the rows only", "prediction, target",
    "g * np.sign(prediction - target) / len(prediction)", SIZE)  # fmt: skip
vjp("binary_cross_entropy", "the logit itself for its sigmoid", "logit, target",
    "g * (logit - target) / logit.size", FACTOR, LOCAL, NO_LOCAL, ANS)  # fmt: skip
vjp("binary_cross_entropy", "the sigmoid's derivative once too often", "logit, target",
    "s = 0.5 * (1 + np.tanh(logit / 2))\ng * (s - target) * s * (1 - s) / logit.size", FACTOR, LOCAL)  # fmt: skip
vjp("binary_cross_entropy", "target and sigmoid exchanged", "logit, target",
    "g * (target - 0.5 * (1 + np.tanh(logit / 2))) / logit.size", SIGN)  # fmt: skip
vjp("batched_matmul", ".T reverses the stack as well", "x, y", "g @ y.T, x.T @ g",
    TRANSPOSE, RAISES, ORDER)  # fmt: skip
vjp("batched_matmul", "the sum over a stack that was repeated is forgotten", "x, y",
    "g @ np.swapaxes(y, -1, -2), np.swapaxes(x, -1, -2) @ g", UNSUMMED)  # fmt: skip
vjp("batched_matmul", "averaged over the stack", "x, y",
    """
dx, dy = g @ np.swapaxes(y, -1, -2), np.swapaxes(x, -1, -2) @ g
if dx.ndim > x.ndim: dx = dx.mean(axis=0)
if dy.ndim > y.ndim: dy = dy.mean(axis=0)
if dx.shape != x.shape: dx = dx.mean(axis=0, keepdims=True)
dx, dy
""", AVERAGED)  # fmt: skip
vjp("multigammaln", "the range starts at 1", "a, d=2",
    "from scipy.special import digamma\ng * sum(digamma(a - j / 2) for j in range(1, d + 1))", LOCAL, FACTOR, KEY)  # fmt: skip
vjp("multigammaln", "whole halves", "a, d=2",
    "from scipy.special import digamma\ng * sum(digamma(a - j // 2) for j in range(d))", TRUNC, LOCAL, FACTOR, KEY)  # fmt: skip
vjp("multigammaln", "multiplied by d", "a, d=2",
    "from scipy.special import digamma\nd * g * sum(digamma(a - j / 2) for j in range(d))", CONST, KEY, FACTOR)  # fmt: skip
vjp("nansum", "g also where x is nan", "x, axis=None",
    "np.ones_like(x) * (g if axis is None else np.expand_dims(g, axis))", MASK, NO_LOCAL, LOCAL, BRANCH)  # fmt: skip
vjp("nansum", "nan where x is nan", "x, axis=None",
    "x / x * (g if axis is None else np.expand_dims(g, axis))", BY_ZERO, LOCAL, "not finite")  # fmt: skip
vjp("logcumsumexp", "the softmax of all, times g", "x",
    "e = np.exp(x - x.max())\ng * e / e.sum()", DROPPED, PATH, LOCAL, DIAG := "diagonal only")  # fmt: skip
vjp("logcumsumexp", "summed from the left", "x",
    "p = np.tril(np.exp(x[None, :] - ans[:, None]))\np @ g", TRANSPOSE, JVP := "JVP for VJP")  # fmt: skip
vjp("logcumsumexp", "off by one: strictly after", "x",
    "p = np.tril(np.exp(np.minimum(x[None, :] - ans[:, None], 0)), -1)\np.T @ g", PATH, DROPPED, LOCAL, OFF := "shifted by one")  # fmt: skip
vjp("max_pool", "the block's first row only is looked at", "x, size=2",
    """
dx = np.zeros_like(x)
for at in np.ndindex(ans.shape):
    *rest, i, j = at
    row = x[(*rest, i * size)][j * size : (j + 1) * size]
    dx[(*rest, i * size, j * size + int(row.argmax()))] = g[at]
dx
""", LOCAL, BRANCH, PATH, "wrong place")  # fmt: skip
vjp("max_pool", "blocks of 2, whatever the size", "x, size=2",
    """
big = np.repeat(np.repeat(ans, 2, axis=-2), 2, axis=-1)
np.repeat(np.repeat(g, 2, axis=-2), 2, axis=-1) * (x == big)
""", KEY, RAISES, SHAPE, TIES)  # fmt: skip
vjp("conv2d", "stride forgotten going back", "x, w, stride=1",
    """
dx, dw = np.zeros_like(x), np.zeros_like(w)
for i in range(g.shape[2]):
    for j in range(g.shape[3]):
        window = np.s_[:, :, i : i + w.shape[2], j : j + w.shape[3]]
        dw += np.einsum("bo,bcij->ocij", g[:, :, i, j], x[window])
        dx[window] += np.einsum("bo,ocij->bcij", g[:, :, i, j], w)
dx, dw
""", KEY)  # fmt: skip
vjp("conv2d", "the windows overwrite each other", "x, w, stride=1",
    """
dx, dw = np.zeros_like(x), np.zeros_like(w)
for i in range(g.shape[2]):
    for j in range(g.shape[3]):
        a, b = i * stride, j * stride
        window = np.s_[:, :, a : a + w.shape[2], b : b + w.shape[3]]
        dw += np.einsum("bo,bcij->ocij", g[:, :, i, j], x[window])
        dx[window] = np.einsum("bo,ocij->bcij", g[:, :, i, j], w)
dx, dw
""", OVER)  # fmt: skip
vjp("conv2d", "w's gradient divided by the batch", "x, w, stride=1",
    """
dx, dw = np.zeros_like(x), np.zeros_like(w)
for i in range(g.shape[2]):
    for j in range(g.shape[3]):
        a, b = i * stride, j * stride
        window = np.s_[:, :, a : a + w.shape[2], b : b + w.shape[3]]
        dw += np.einsum("bo,bcij->ocij", g[:, :, i, j], x[window])
        dx[window] += np.einsum("bo,ocij->bcij", g[:, :, i, j], w)
dx, dw / len(x)
""", SIZE)  # fmt: skip

# -- local partials ---------------------------------------------------------------------------------------


partials("hinge", "the bend at 0, not at the margin", "score, target",
         "np.mean(np.maximum(1 - target * score, 0))",
         "np.where(score * target < 0, -target, 0) / score.size", BRANCH)  # fmt: skip
partials("abs", "right for positive x only", "x", "np.abs(x)", "np.ones_like(x)", SIGN, NO_LOCAL, LOCAL)
partials("gelu", "the product rule's second term without x", "x",
         "x * (1 + __import__('scipy.special').special.erf(x / 2**0.5)) / 2",
         "(1 + __import__('scipy.special').special.erf(x / 2**0.5)) / 2 + np.exp(-x * x / 2) / np.sqrt(2 * np.pi)",
         FACTOR, DROPPED, LOCAL)  # fmt: skip
partials("maximum", "where x is larger, y's partial is 1", "x, y", "np.maximum(x, y)",
         "np.where(x > y, 0.0, 1.0), np.where(x > y, 1.0, 0.0)", SWAP, BRANCH, MASK)  # fmt: skip
partials("reciprocal", "of the answer: -1 / ans**2", "x", "1 / x", "-1 / (1 / x) ** 2", ANS)
partials("dot", "each its own factor", "x, y", "x @ y", "x, y", SWAP, OPERANDS)
partials("int_power", "the exponent not lowered", "x, n=3", "x**n", "n * x**n", FACTOR, LOCAL, DROPPED)

# -- gates ------------------------------------------------------------------------------------------------

wrong("flip", "gate", "always along the first axis", """
class Flip:
    def forward(self, x, axis=0):
        return np.flip(x, axis)

    def backward(self, g):
        return g[::-1]
""", AXIS, KEY)  # fmt: skip
wrong("outer", "gate", "the sums run over the other axis", """
class Outer:
    def forward(self, x, y):
        self.x, self.y = x, y
        return np.outer(x, y)

    def backward(self, g):
        return (g * self.y).sum(axis=0), (g * self.x[:, None]).sum(axis=1)
""", AXIS_SUM, AXIS, SHAPE, SWAP, TRANSPOSE)  # fmt: skip
wrong("max", "gate", "the mask is of the whole array's maximum", """
class Max:
    def forward(self, x, axis=None):
        self.x, self.axis = x, axis
        self.mask = x == x.max()
        return x.max(axis=axis)

    def backward(self, g):
        if self.axis is not None:
            g = np.expand_dims(g, self.axis)
        return self.mask * g / self.mask.sum()
""", AXIS, KEY, BRANCH)  # fmt: skip
wrong("dropout", "gate", "the cotangent is dropped in place", """
class Dropout:
    def forward(self, x, kept, keep=0.8):
        self.kept, self.keep = kept, keep
        return x * kept / keep

    def backward(self, g):
        g *= self.kept
        g /= self.keep
        return g
""", IN_PLACE)  # fmt: skip
wrong("leaky_relu", "gate", "the sign of the answer tells the side", """
class LeakyRelu:
    def forward(self, x, slope=0.1):
        self.out, self.slope = np.where(x > 0, x, slope * x), slope
        return self.out

    def backward(self, g):
        return g * np.where(self.out > 0, 1.0, self.slope)
""", ANS, BRANCH, LOCAL, KEY)  # fmt: skip
wrong("layer_norm", "gate", "the path through the variance is missing", """
class LayerNorm:
    def forward(self, x, scale, shift, eps=1e-5):
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
        self.normal = (x - x.mean(axis=-1, keepdims=True)) / self.std
        self.scale = scale
        return self.normal * scale + shift

    def backward(self, g):
        inner = g * self.scale
        dx = (inner - inner.mean(axis=-1, keepdims=True)) / self.std
        return dx, (g * self.normal).sum(axis=0), g.sum(axis=0)
""", PATH, DROPPED)  # fmt: skip
wrong("permute", "gate", "the axes one by one the wrong way: same order again", """
class Permute:
    def forward(self, x, axes=(1, 2, 0)):
        self.axes = axes
        return x.transpose(axes)

    def backward(self, g):
        return g.transpose(self.axes)
""", ORDER, TRANSPOSE, SHAPE)  # fmt: skip
wrong("gather", "gate", "a loop that ends one too early", """
class Gather:
    def forward(self, x, indices):
        self.n, self.indices = len(x), indices
        return x[indices]

    def backward(self, g):
        dx = np.zeros(self.n)
        flat, at = g.ravel(), self.indices.ravel()
        for k in range(len(at) - 1):
            dx[at[k]] += flat[k]
        return dx
""", PATH, "entries missing", OFF)  # fmt: skip

# -- pairs ------------------------------------------------------------------------------------------------

wrong("batch_norm", "pair", "scale forgotten on the way back", """
def batch_norm_forward(x, scale, shift, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    normal = (x - x.mean(axis=0)) / std
    return normal * scale + shift, (normal, scale, std)


def batch_norm_backward(dout, cache):
    normal, scale, std = cache
    dx = (dout - dout.mean(axis=0) - normal * (dout * normal).mean(axis=0)) / std
    return dx, (dout * normal).sum(axis=0), dout.sum(axis=0)
""", FACTOR, DROPPED)  # fmt: skip
wrong("batch_norm", "pair", "scale's gradient from x, not from the normalised x", """
def batch_norm_forward(x, scale, shift, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    normal = (x - x.mean(axis=0)) / std
    return normal * scale + shift, (x, normal, scale, std)


def batch_norm_backward(dout, cache):
    x, normal, scale, std = cache
    inner = dout * scale
    dx = (inner - inner.mean(axis=0) - normal * (inner * normal).mean(axis=0)) / std
    return dx, (dout * x).sum(axis=0), dout.sum(axis=0)
""", FACTOR, LOCAL, DROPPED, PATH)  # fmt: skip
wrong("huber", "pair", "the two pieces exchanged", """
def huber_forward(prediction, target, delta=1.0):
    r = prediction - target
    a = np.abs(r)
    return np.where(a <= delta, r * r / 2, delta * (a - delta / 2)).mean(), (r, delta)


def huber_backward(dout, cache):
    r, delta = cache
    return dout * np.where(np.abs(r) > delta, r, delta * np.sign(r)) / r.size
""", BRANCH, LOCAL)  # fmt: skip
wrong("inverse", "pair", "the elementwise reciprocal's rule", """
def inverse_forward(a):
    out = np.linalg.inv(a)
    return out, out


def inverse_backward(dout, out):
    return -dout * out**2
""", ELEMENTWISE, LOCAL)  # fmt: skip
wrong("norm", "pair", "a nested function that calls itself", """
def norm_forward(x):
    return np.sqrt((x * x).sum()), x


def norm_backward(dout, x):
    return dout * x / norm(x)


def norm(x):
    return norm(x)
""", RAISES)  # fmt: skip
wrong("var", "pair", "divided by n, whatever ddof", """
def var_forward(x, axis=None, ddof=0):
    return x.var(axis=axis, ddof=ddof), (x, axis)


def var_backward(dout, cache):
    x, axis = cache
    n = x.size if axis is None else np.prod([x.shape[a] for a in np.atleast_1d(axis)])
    if axis is not None:
        dout = np.expand_dims(dout, axis)
    return dout * 2 * (x - x.mean(axis=axis, keepdims=True)) / n
""", KEY, SIZE)  # fmt: skip
wrong("prod", "pair", "the product over x, nan at a zero", """
def prod_forward(x, axis=None):
    return x.prod(axis=axis), (x, x.prod(axis=axis, keepdims=True), axis)


def prod_backward(dout, cache):
    x, out, axis = cache
    return (dout if axis is None else np.expand_dims(dout, axis)) * out / x
""", BY_ZERO)  # fmt: skip
wrong("reshape", "pair", "a list is returned", """
def reshape_forward(x, shape=(-1,)):
    return x.reshape(shape), x.shape


def reshape_backward(dout, shape):
    return dout.ravel().tolist()
""", NOTHING, SHAPE, DTYPE)  # fmt: skip
wrong("embedding", "pair", "a gradient for the indices as well", """
def embedding_forward(weights, indices):
    return weights[indices], (weights, indices)


def embedding_backward(dout, cache):
    weights, indices = cache
    dw = np.zeros_like(weights)
    np.add.at(dw, indices, dout)
    return dw, np.zeros_like(indices), 0
""", COUNT)  # fmt: skip

# -- context classes --------------------------------------------------------------------------------------


context("cumsum", "the running sum once more", "x, axis=0: ctx.axis = axis; return np.cumsum(x, axis)",
        "return np.cumsum(g, ctx.axis)", TRANSPOSE, BACKWARDS, JVP)  # fmt: skip
context("determinant", "right for symmetric matrices only",
        "a: ctx.save_for_backward(a); return np.linalg.det(a)",
        "(a,) = ctx.saved_tensors; return g * np.linalg.det(a) * np.linalg.inv(a)", TRANSPOSE)  # fmt: skip
context("matvec", "g on the wrong side", "a, x: ctx.save_for_backward(a, x); return a @ x",
        "a, x = ctx.saved_tensors; return np.outer(x, g), a.T @ g", TRANSPOSE, ORDER, SWAP, SHAPE)  # fmt: skip
context("broadcast", "the sum forgotten", "x, shape=(4, 3): return np.broadcast_to(x, shape)",
        "return g", UNSUMMED)  # fmt: skip
context("rad2deg", "whole numbers", "x: return np.rad2deg(x)",
        "return (g * 180) // np.pi", TRUNC)  # fmt: skip
context("concatenate", "cut in the middle",
        "x, y, axis=0: ctx.axis = axis; return np.concatenate([x, y], axis)",
        "n = g.shape[ctx.axis] // 2; return tuple(np.split(g, [n], axis=ctx.axis))", SHAPE, "wrong shape")  # fmt: skip
context("softplus", "the naive exp", "x: ctx.save_for_backward(x); return np.logaddexp(x, 0)",
        "(x,) = ctx.saved_tensors; e = np.exp(x); return g * e / (1 + e)", OVERFLOW)  # fmt: skip

# -- registrations ----------------------------------------------------------------------------------------


registered("add", "one broadcast side only", "x, y: x + y",
           "defvjp(add, lambda g, ans, x, y: g, lambda g, ans, x, y: unbroadcast(g, y))", UNSUMMED)  # fmt: skip
registered("transpose", "a whole g, untouched", "x: x.T", "defvjp(transpose, lambda g, ans, x: g)",
           TRANSPOSE, SHAPE)  # fmt: skip
registered("cos", "the minus forgotten", "x: np.cos(x)", "defvjp(cos, lambda g, ans, x: g * np.sin(x))", SIGN)
registered("clip", "1 everywhere inside, g forgotten", "x, low=-1.0, high=1.0: np.clip(x, low, high)",
           "defvjp(clip, lambda g, ans, x, low=-1.0, high=1.0: 1.0 * ((x > low) & (x < high)))", NO_G)  # fmt: skip
registered("solve", "the right-hand side where the solution belongs", "a, b: np.linalg.solve(a, b)",
           "defvjp(solve, lambda g, ans, a, b: -np.linalg.solve(a.T, g).reshape(len(a), -1) @ b.reshape(len(a), -1).T, "
           "lambda g, ans, a, b: np.linalg.solve(a.T, g))", ANS)  # fmt: skip
registered("negative", "one rule too many", "x: -x",
           "defvjp(negative, lambda g, ans, x: -g, lambda g, ans, x: -g)", COUNT, RAISES)  # fmt: skip

# -- JVP rules --------------------------------------------------------------------------------------------


jvp("solve", "a's tangent forgotten", "a, b", "np.linalg.solve(a, t[1])", PATH, DROPPED)
jvp("solve", "a plus for the minus", "a, b", "np.linalg.solve(a, t[1] + t[0] @ ans)", SIGN)
jvp("inverse", "as if for numbers: -t / a^2", "a", "-t @ ans @ ans", ORDER, OPERANDS, LOCAL)
jvp("cumsum", "the reverse rule handed in", "x, axis=0", "np.flip(np.cumsum(np.flip(t, axis), axis), axis)",
    BACKWARDS, VJP)  # fmt: skip
jvp("logsumexp", "the tangents are not summed", "x, axis=-1", "t * np.exp(x - np.expand_dims(ans, axis))",
    SHAPE, UNSUMMED)  # fmt: skip
jvp("norm", "not divided by the length", "x", "np.sum(x * t)", FACTOR, DROPPED)
jvp("huber", "delta forgotten where it is linear", "prediction, target, delta=1.0",
    "np.mean(np.where(np.abs(prediction - target) <= delta, prediction - target, np.sign(prediction - target)) * t)",
    KEY)  # fmt: skip
jvp(
    "outer",
    "the same tangent on both sides",
    "x, y",
    "np.outer(t[0], y) + np.outer(x, y)",
    NO_G,
    NONLINEAR,
    FACTOR,
)
jvp("concatenate", "the two the wrong way round", "x, y, axis=0", "np.concatenate([t[1], t[0]], axis=axis)",
    SWAP, OPERANDS, ORDER)  # fmt: skip
jvp("maximum", "the larger of the tangents", "x, y", "np.maximum(t[0], t[1])", NONLINEAR)
jvp("var", "the mean's tangent is not taken off", "x, axis=None, ddof=0",
    "2 * np.sum(x * t, axis=axis) / (x.size / np.size(ans) - ddof)", PATH)  # fmt: skip

# -- engines ----------------------------------------------------------------------------------------------


def value_class(what: str, right: str, wrong_text: str, *names: str) -> None:
    """The classroom's class with one place changed."""
    _written.changed("Value", what, VALUE, right, wrong_text, *names)


value_class(
    "each node stands in the order twice",
    "order.append(v)",
    "order.append(v)\n                order.append(v)",
    TWICE,
)
value_class("grad of the end is left at 0", "self.grad = 1.0\n", "pass\n", ZERO)
value_class(
    "the quotient's exponent is wrong",
    "self * other ** -1.0",
    "self * other ** -2.0",
    "wrong value",
    FACTOR,
    LOCAL,
    "forward",
)
value_class(
    "n forgotten in the power",
    "n * self.data ** (n - 1) * out",
    "self.data ** (n - 1) * out",
    FACTOR,
    CONST,
    LOCAL,
    DROPPED,
)
value_class("the product's factors exchanged", "self.grad += other.data * out.grad\n            other.grad += self.data",
            "self.grad += self.data * out.grad\n            other.grad += other.data", SWAP, OPERANDS)  # fmt: skip
value_class(
    "reversed operands of the difference",
    "return Value(other) - self",
    "return self - other",
    "wrong value",
    SIGN,
    SWAP,
    "forward",
)
wrong("grad", "engine", "dual numbers without the product's second term", """
class Dual:
    def __init__(self, v, d=0.0):
        self.v, self.d = v, d

    def __add__(self, o):
        o = lift(o)
        return Dual(self.v + o.v, self.d + o.d)

    def __mul__(self, o):
        o = lift(o)
        return Dual(self.v * o.v, self.d * o.v)

    def __neg__(self):
        return Dual(-self.v, -self.d)

    def __sub__(self, o):
        return self + -lift(o)

    def __rsub__(self, o):
        return lift(o) - self

    def __pow__(self, n):
        return Dual(self.v**n, n * self.v ** (n - 1) * self.d)

    def __truediv__(self, o):
        o = lift(o)
        return Dual(self.v / o.v, (self.d * o.v - self.v * o.d) / o.v**2)

    def __rtruediv__(self, o):
        return lift(o) / self

    __radd__, __rmul__ = __add__, __mul__


def lift(o):
    return o if isinstance(o, Dual) else Dual(o)


def grad(f):
    return lambda x: lift(f(Dual(x, 1.0))).d
""", PATH, DROPPED)  # fmt: skip


backward_pass("an adjoint starts at g, not at 0", SWEPT.replace("START", "g").replace("get(id(p), 0.0)", "get(id(p), g)"),
              PATH, TWICE, "start value", NONLINEAR)  # fmt: skip
wrong("backward_pass", "engine", "only the first parent is followed", """
def backward_pass(g, end_node):
    node = end_node
    while node.parents:
        g = node.vjps[0](g)
        node = node.parents[0]
    return g
""", PATH, DROPPED)  # fmt: skip
wrong("backward_pass", "engine", "the last in line is handled first", """
def backward_pass(g, end_node):
    grads, queue = {end_node: g}, [end_node]
    while queue:
        node = queue.pop(0)
        a = grads.pop(node)
        for p, vjp in zip(node.parents, node.vjps):
            grads[p] = grads.get(p, 0.0) + vjp(a)
            if p not in queue:
                queue.append(p)
    return a
""", SWEEP, PATH, TWICE)  # fmt: skip

# -- right ones that look odd -----------------------------------------------------------------------------

_odd = Submissions()
FALSE_ALARMS_TRIED = _odd.all
"""Like ``UNSEEN``, but all of them are right: nothing names a mistake."""
right, right_vjp, right_jvp = _odd.add, _odd.vjp, _odd.jvp
right_class, right_partials = _odd.gate, _odd.partials

right_vjp("stack", "a list, by iteration", "x, y, axis=0", "list(np.moveaxis(g, axis, 0))")
right_vjp("absolute_error", "two comparisons", "prediction, target",
          "d = prediction - target\n(1.0 * (d > 0) - (d < 0)) * g / d.size")  # fmt: skip
right_vjp("binary_cross_entropy", "by tanh", "logit, target",
          "g * (0.5 + 0.5 * np.tanh(logit / 2) - target) / np.size(logit)")  # fmt: skip
right_vjp("nansum", "a product with a mask", "x, axis=None",
          "(x == x) * (g if axis is None else np.expand_dims(g, axis))")  # fmt: skip
right_vjp("logcumsumexp", "a loop from the right", "x",
          "dx = np.zeros_like(x)\nfor k in range(len(x)):\n    dx[: k + 1] += g[k] * np.exp(x[: k + 1] - ans[k])\ndx")  # fmt: skip
right_vjp("multigammaln", "a loop that adds in place", "a, d=2",
          "from scipy.special import psi\nout = np.zeros(np.shape(a))\nfor j in range(d):\n    out = out + psi(a - 0.5 * j)\ng * out")  # fmt: skip
right_vjp("flip", "twice", "x, axis=0", "np.flip(np.flip(np.flip(g, axis), axis), axis)")
right_vjp("broadcast", "a view of a copy", "x, shape=(4, 3)", "np.array(unbroadcast(g, x))[...]")
right_vjp("permute", "moved one by one", "x, axes=(1, 2, 0)",
          "out = np.empty(x.shape)\nout.transpose(axes)[...] = g\nout")  # fmt: skip
right_vjp("reshape", "in Fortran's order of memory", "x, shape=(-1,)", "g.reshape(x.shape).copy(order='F')")
right_vjp("batched_matmul", "by einsum", "x, y",
          "unbroadcast(np.einsum('...ik,...jk->...ij', g, y), x), unbroadcast(np.einsum('...ij,...ik->...jk', x, g), y)")  # fmt: skip
right_vjp("hinge", "by the sign of the loss", "score, target",
          "-g * target * np.sign(np.maximum(0, 1 - score * target)) / score.size")  # fmt: skip
right_vjp("embedding", "one-hot rows", "weights, indices",
          "np.eye(len(weights))[indices.ravel()].T @ g.reshape(-1, weights.shape[1])")  # fmt: skip
right_vjp("dropout", "where it was kept", "x, kept, keep=0.8", "np.where(kept, g / keep, 0.0), None")
right_vjp("determinant", "by cofactors' formula", "a", "(np.linalg.inv(a) * ans * g).transpose()")
right_vjp("max_pool", "ties shared among the block", "x, size=2",
          """
up = lambda a: np.repeat(np.repeat(a, size, axis=-2), size, axis=-1)
hit = 1.0 * (x == up(ans))
n = hit.reshape(*x.shape[:-2], x.shape[-2] // size, size, x.shape[-1] // size, size).sum((-3, -1))
hit * up(g / n)
""")  # fmt: skip

right_partials("abs", "x over its size, 1 at 0", "x", "np.sqrt(x * x)", "np.where(x < 0, -1.0, 1.0)")
right_partials("dot", "a list", "x, y", "np.sum(x * y)", "[1.0 * y, 1.0 * x]")
right_partials("reciprocal", "a power", "x", "x ** -1.0", "-(x ** -2.0)")
right_partials("int_power", "no power 0 of 0", "x, n=3", "x ** n", "n * x ** (n - 1) if n else x * 0.0")
right_partials("maximum", "half at ties", "x, y", "np.where(x > y, x, y)",
               "np.heaviside(x - y, 0.5), np.heaviside(y - x, 0.5)")  # fmt: skip

right_class("flip", "slices", """
    def forward(self, x, axis=0):
        self.cut = (slice(None),) * axis + (slice(None, None, -1),)
        return x[self.cut]

    def backward(self, g):
        return g[self.cut]
""")  # fmt: skip
right_class("outer", "products with vectors", """
    def forward(self, x, y):
        self.saved = dict(x=x, y=y)
        return x.reshape(-1, 1) * y

    def backward(self, g):
        return [g.dot(self.saved["y"]), g.T.dot(self.saved["x"])]
""")  # fmt: skip
right_class("leaky_relu", "its slope kept for each entry", """
    def forward(self, x, slope=0.1):
        self.slopes = np.ones_like(x)
        self.slopes[x < 0] = slope
        return x * self.slopes

    def backward(self, g):
        return self.slopes * g
""")  # fmt: skip
right_class("sqrt", "all kept in a stack that is emptied", """
    kept = []

    def forward(self, x):
        self.kept = [np.sqrt(x)]
        return self.kept[0]

    def backward(self, g):
        return g * 0.5 / self.kept[-1]
""")  # fmt: skip
right_class("transpose", "as a view", """
    def forward(self, x):
        return x.T

    def backward(self, g):
        return g.swapaxes(0, 1)
""")  # fmt: skip

right("norm", "pair", "a cache of one quotient", """
def norm_forward(x):
    out = np.linalg.norm(x.ravel())
    return out, x / out


def norm_backward(dout, unit):
    return dout * unit
""")  # fmt: skip
right("prod", "pair", "the product of all others, in a loop", """
def prod_forward(x, axis=None):
    return x.prod(axis=axis), (x, axis)


def prod_backward(dout, cache):
    x, axis = cache
    dx = np.ones_like(x)
    for k in np.ndindex(x.shape):
        rest = x.copy()
        rest[k] = 1.0
        others = rest.prod(axis=axis)
        if axis is None:
            dx[k] = dout * others
        else:
            at = k[:axis] + k[axis + 1 :]
            dx[k] = dout[at] * others[at]
    return dx
""")  # fmt: skip
right("inverse", "pair", "a closure in the cache", """
def inverse_forward(a):
    out = np.linalg.inv(a)
    return out, lambda g: -(out.T @ g @ out.T)


def inverse_backward(dout, cache):
    return cache(dout)
""")  # fmt: skip
right("huber", "pair", "a clipped residue", """
def huber_forward(prediction, target, delta=1.0):
    r = prediction - target
    c = np.clip(r, -delta, delta)
    return np.mean(c * (r - c / 2)), c


def huber_backward(dout, c):
    return dout * c / c.size
""")  # fmt: skip
right("var", "pair", "through the mean as well, though it adds nothing", """
def var_forward(x, axis=None, ddof=0):
    centred = x - x.mean(axis=axis, keepdims=True)
    out = (centred**2).sum(axis=axis) / (x.size // np.size(x.sum(axis=axis)) - ddof)
    return out, (centred, axis, x.size // np.size(out) - ddof)


def var_backward(dout, cache):
    centred, axis, n = cache
    g = dout if axis is None else np.expand_dims(dout, axis)
    d = 2 * g * centred / n
    return d - d.mean(axis=axis, keepdims=True)
""")  # fmt: skip

right("cumsum", "context", "a matrix of ones", """
class Cumsum:
    @staticmethod
    def forward(ctx, x, axis=0):
        ctx.axis = axis
        return x.cumsum(axis)

    @staticmethod
    def backward(ctx, g):
        n = g.shape[ctx.axis]
        return np.moveaxis(np.tensordot(np.triu(np.ones((n, n))), g, (1, ctx.axis)), 0, ctx.axis)
""")  # fmt: skip
right("embedding", "context", "None for the indices", """
class Embedding:
    @staticmethod
    def forward(ctx, weights, indices):
        ctx.save_for_backward(weights, indices)
        return weights[indices]

    @staticmethod
    def backward(ctx, g):
        weights, indices = ctx.saved_tensors
        out = weights * 0
        for k in range(len(weights)):
            out[k] = g[indices == k].sum(axis=0)
        return out, None
""")  # fmt: skip
right("softplus", "context", "the sigmoid by two branches", """
class Softplus:
    @staticmethod
    def forward(ctx, x):
        e = np.exp(-np.abs(x))
        ctx.save_for_backward(np.where(x > 0, 1, e) / (1 + e))
        return np.maximum(x, 0) + np.log1p(e)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]
""")  # fmt: skip

REGISTER = "VJPS = {}\n\n\ndef defvjp(function, *rules):\n    VJPS[function] = rules\n\n\n"
right("clip", "defvjp", "the answer tells", REGISTER + """
def clip(x, low=-1.0, high=1.0):
    return np.clip(x, low, high)


defvjp(clip, lambda g, ans, x, low=-1.0, high=1.0: np.where(ans == x, g, 0))
""")  # fmt: skip
right("add", "defvjp", "one function for both", REGISTER + """
def add(x, y):
    return y + x


defvjp(add, *[lambda g, ans, *args, k=k: unbroadcast(g, args[k]) for k in (0, 1)])
""")  # fmt: skip
right("cos", "defvjp", "a named function", REGISTER + """
def cos(x):
    return np.sin(x + np.pi / 2)


def rule(g, ans, x):
    return -g * np.sin(x)


defvjp(cos, rule)
""")  # fmt: skip

right_jvp("solve", "by the inverse", "a, b", "np.linalg.inv(a) @ (t[1] - t[0] @ ans)")
right_jvp("outer", "by columns", "x, y", "t[0][:, None] * y + x[:, None] * t[1]")
right_jvp("determinant", "by the trace", "a", "ans * np.trace(np.linalg.solve(a, t))")
right_jvp("logsumexp", "a mean with weights", "x, axis=-1",
          "np.sum(np.exp(x - np.expand_dims(ans, axis)) * t, axis=axis)")  # fmt: skip
right_jvp("concatenate", "a tuple goes through", "x, y, axis=0", "np.concatenate(t, axis)")
right_jvp(
    "maximum", "half at ties", "x, y", "np.heaviside(x - y, 0.5) * t[0] + np.heaviside(y - x, 0.5) * t[1]"
)

right(
    "backward_pass",
    "engine",
    "a heap of node numbers",
    f"def backward_pass(g, end_node):\n{SWEPT.replace('START', 'g * 1.0')}",
)
right(
    "Value",
    "engine",
    "out of place additions",
    VALUE.replace("self.grad += out.grad", "self.grad = self.grad + out.grad"),
)
