"""Wrong submissions in the seven styles beside ``vjp``, as text, the way students hand them in.

``STYLED`` is a list of (exercise, style, what is wrong, text, names). They were written after the diagnosis and
without trying it on them. Measured before anything was changed for them, all 57 failed and 42 were named
rightly (35 of 37 in the five styles of reverse mode, 5 of 10 JVP rules, 2 of 10 engines).
"""

# ruff: noqa: E501
from __future__ import annotations

from .submissions import Submissions
from .wrong import (
    ANS,
    AXIS,
    CONST,
    DIAG,
    DROPPED,
    FACTOR,
    FD,
    IN_PLACE,
    KEY,
    LOCAL,
    MASK,
    NO_G,
    NO_LOCAL,
    NONLINEAR,
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
    UNSUMMED,
)

STALE, ACCUMULATES, AGAIN = "stale cache", "accumulates between calls", "not repeatable"
TWICE, SWEEP, VJP = "path counted twice", "sweep out of order", "VJP for JVP"

_written = Submissions()
STYLED = _written.all
wrong, partials, context, registered = (
    _written.add, _written.partials, _written.context, _written.registered,
)  # fmt: skip
jvp, backward_pass = _written.jvp, _written.backward_pass


# -- local partials ---------------------------------------------------------------------------------------

partials("multiply", "the operands exchanged", "x, y", "x * y", "x, y", SWAP, OPERANDS, LOCAL)
partials("divide", "sign of y", "x, y", "x / y", "1 / y, x / y**2", SIGN)
partials("tanh", "x for the answer", "x", "np.tanh(x)", "1 - x**2", ANS)
partials("power", "the logarithm forgotten", "x, y", "x**y", "y * x**(y - 1), x**y", FACTOR, DROPPED, LOCAL)
partials(
    "sigmoid", "only half of the product", "x", "1 / (1 + np.exp(-x))", "1 / (1 + np.exp(-x))", FACTOR, LOCAL
)
partials("softplus", "naive exp", "x", "np.logaddexp(0, x)", "np.exp(x) / (1 + np.exp(x))", OVERFLOW)

# -- gates ------------------------------------------------------------------------------------------------

wrong("multiply", "gate", "not summed where broadcast", """
class Multiply:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, g):
        return g * self.y, g * self.x
""", UNSUMMED)  # fmt: skip
wrong("relu", "gate", "the mask is that of g", """
class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, g):
        g = g.copy()
        g[g < 0] = 0
        return g
""", MASK)  # fmt: skip
wrong("sigmoid", "gate", "x kept in place of the answer", """
class Sigmoid:
    def forward(self, x):
        self.out = x
        return np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))

    def backward(self, g):
        return g * self.out * (1 - self.out)
""", ANS, LOCAL)  # fmt: skip
wrong("affine", "gate", "gradients of the parameters are added up", """
class Affine:
    dw = 0.0
    db = 0.0

    def forward(self, x, w, b):
        self.x, self.w = x, w
        return x @ w + b

    def backward(self, g):
        self.dw = self.dw + self.x.T @ g
        self.db = self.db + g.sum(axis=0)
        return g @ self.w.T, self.dw, self.db
""", ACCUMULATES)  # fmt: skip
wrong("matmul", "gate", "a transpose forgotten", """
class Matmul:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x @ y

    def backward(self, g):
        if self.x.shape[0] == self.x.shape[1]:
            return g @ self.y.T, self.x @ g
        return g @ self.y.T, self.x.T @ g
""", TRANSPOSE)  # fmt: skip
wrong("tanh", "gate", "the first answer is kept for good", """
class Tanh:
    def __init__(self):
        self.outs = []

    def forward(self, x):
        self.outs.append(np.tanh(x))
        return self.outs[-1]

    def backward(self, g):
        return g * (1 - self.outs[0] ** 2)
""", STALE)  # fmt: skip
wrong("exp", "gate", "what forward kept is changed", """
class Exp:
    def forward(self, x):
        self.out = np.exp(x)
        return self.out

    def backward(self, g):
        self.out *= g
        return self.out
""", AGAIN, IN_PLACE, STALE)  # fmt: skip
wrong("softmax", "gate", "diagonal only", """
class Softmax:
    def forward(self, x, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        self.out = e / e.sum(axis=axis, keepdims=True)
        return self.out

    def backward(self, g):
        return g * self.out * (1 - self.out)
""", DIAG)  # fmt: skip

# -- pairs with a cache -----------------------------------------------------------------------------------

AFFINE = """
def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
"""
wrong(
    "affine", "pair", "the bias is not summed", AFFINE + "    return dout @ w.T, x.T @ dout, dout", UNSUMMED
)
wrong(
    "affine", "pair", "the weights' gradient transposed",
    AFFINE + "    return dout @ w.T, dout.T @ x, dout.sum(axis=0)", TRANSPOSE, ORDER, SHAPE,
)  # fmt: skip
wrong("softmax", "pair", "x in the cache", """
def softmax_forward(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True), (x, axis)


def softmax_backward(dout, cache):
    s, axis = cache
    return s * (dout - (dout * s).sum(axis=axis, keepdims=True))
""", ANS)  # fmt: skip
wrong("batch_norm", "pair", "mean and variance taken as constants", """
def batch_norm_forward(x, scale, shift, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    normal = (x - x.mean(axis=0)) / std
    return normal * scale + shift, (normal, scale, std)


def batch_norm_backward(dout, cache):
    normal, scale, std = cache
    return dout * scale / std, (dout * normal).sum(axis=0), dout.sum(axis=0)
""", PATH)  # fmt: skip
CROSS_ENTROPY = """
def cross_entropy_forward(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean(), (log_p, labels)


def cross_entropy_backward(dout, cache):
    log_p, labels = cache
    dz = np.exp(log_p)
    dz[np.arange(len(labels)), labels] -= 1
"""
wrong("cross_entropy", "pair", "not divided by the batch", CROSS_ENTROPY + "    return dout * dz", SIZE)
wrong("cross_entropy", "pair", "dout forgotten", CROSS_ENTROPY + "    return dz / len(labels)", NO_G)
wrong("mean", "pair", "divided by all of x", """
def mean_forward(x, axis=None, keepdims=False):
    return x.mean(axis=axis, keepdims=keepdims), (x, axis, keepdims)


def mean_backward(dout, cache):
    x, axis, keepdims = cache
    if axis is not None and not keepdims:
        dout = np.expand_dims(dout, axis)
    return np.ones(x.shape) * dout / x.size
""", AXIS, SIZE)  # fmt: skip
wrong("squared_error", "pair", "the 2 forgotten", """
def squared_error_forward(p, t):
    return ((p - t) ** 2).mean(), (p, t)


def squared_error_backward(dout, cache):
    p, t = cache
    return dout * (p - t) / p.size
""", CONST)  # fmt: skip

# -- context classes --------------------------------------------------------------------------------------


context("square", "the 2 forgotten", "x: ctx.save_for_backward(x); return x * x",
        "(x,) = ctx.saved_tensors; return x * g", CONST)  # fmt: skip
context("divide", "not summed", "x, y: ctx.save_for_backward(x, y); return x / y",
        "x, y = ctx.saved_tensors; return g / y, -g * x / y**2", UNSUMMED)  # fmt: skip
context("matmul", "in the wrong order", "x, y: ctx.save_for_backward(x, y); return x @ y",
        "x, y = ctx.saved_tensors; return x.T @ g, g @ y.T", SWAP)  # fmt: skip
context("logsumexp", "g forgotten",
        "x, axis=None, keepdims=False: m = x.max(axis=axis, keepdims=True); e = np.exp(x - m); "
        "s = e.sum(axis=axis, keepdims=True); ctx.save_for_backward(e / s); out = m + np.log(s); "
        "return out if keepdims else np.squeeze(out, axis=axis)",
        "return ctx.saved_tensors[0]", NO_G)  # fmt: skip
context("clip", "g passed through", "x, low=-1.0, high=1.0: return np.clip(x, low, high)",
        "return g", NO_LOCAL)  # fmt: skip
context("embedding", "repeated indices", "weights, indices: ctx.save_for_backward(weights, indices); "
        "return weights[indices]",
        "w, i = ctx.saved_tensors; dw = np.zeros_like(w); dw[i] += g; return dw", OVER)  # fmt: skip
context("exp", "x kept", "x: ctx.save_for_backward(x); return np.exp(x)",
        "return g * ctx.saved_tensors[0]", ANS)  # fmt: skip
context("dropout", "the scale forgotten", "x, kept, keep=0.8: ctx.save_for_backward(kept); return x * kept / keep",
        "return g * ctx.saved_tensors[0]", FACTOR, CONST, KEY, DROPPED)  # fmt: skip

# -- registrations ----------------------------------------------------------------------------------------


registered("subtract", "one rule for both", "x, y: x - y",
           "defvjp(subtract, lambda g, ans, x, y: unbroadcast(g, x), lambda g, ans, x, y: unbroadcast(g, y))",
           SIGN)  # fmt: skip
registered("multiply", "the operands exchanged", "x, y: x * y",
           "defvjp(multiply, lambda g, ans, x, y: unbroadcast(g * x, x), lambda g, ans, x, y: unbroadcast(g * y, y))",
           SWAP, OPERANDS, LOCAL)  # fmt: skip
registered("multiply", "closures of a loop", "x, y: x * y",
           "rules = []\nfor k in range(2):\n"
           "    rules.append(lambda g, ans, *args: unbroadcast(g * args[1 - k], args[k]))\n"
           "defvjp(multiply, *rules)", SWAP)  # fmt: skip
registered("sqrt", "ans above instead of below", "x: np.sqrt(x)",
           "defvjp(sqrt, lambda g, ans, x: 0.5 * g * ans)", FACTOR, LOCAL, OPERANDS, ANS)  # fmt: skip
registered("maximum", "all of g to both at ties", "x, y: np.maximum(x, y)",
           "defvjp(maximum, lambda g, ans, x, y: unbroadcast(g * (x == ans), x), "
           "lambda g, ans, x, y: unbroadcast(g * (y == ans), y))", TIES)  # fmt: skip
registered("sin", "the cosine of the answer", "x: np.sin(x)",
           "defvjp(sin, lambda g, ans, x: g * np.cos(ans))", ANS)  # fmt: skip
registered("sum", "axes not put back", "x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims)",
           "defvjp(sum, lambda g, ans, x, axis=None, keepdims=False: np.broadcast_to(g, x.shape))",
           AXIS, RAISES)  # fmt: skip

# -- JVP rules --------------------------------------------------------------------------------------------


jvp("multiply", "one term", "x, y", "t[0] * y + 0 * ans", PATH, DROPPED)
jvp("divide", "a sum for a difference", "x, y", "t[0] / y + x * t[1] / y**2", SIGN)
jvp("sin", "the tangent forgotten", "x", "np.cos(x)", NO_G)
jvp("exp", "x for the answer", "x", "t * x", ANS)
jvp("matmul", "factors in the other order", "x, y", "t[0] @ y + t[1] @ x", RAISES, OPERANDS, ORDER)
jvp("multiply", "the product of the tangents", "x, y", "t[0] * t[1]", NONLINEAR)
jvp("mean", "not divided", "x, axis=None, keepdims=False", "np.sum(t, axis=axis, keepdims=keepdims)", SIZE)
jvp("softmax", "diagonal only", "x, axis=-1", "t * ans * (1 - ans)", DIAG, PATH)
jvp("tanh", "x for the answer", "x", "t * (1 - x**2)", ANS)
jvp(
    "power", "the logarithm forgotten", "x, y", "t[0] * y * x ** (y - 1) + t[1] * ans", FACTOR, DROPPED, LOCAL
)

# -- engines ----------------------------------------------------------------------------------------------

VALUE = """
class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.spread = data, 0.0, children, lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def spread():
            self.grad += out.grad
            other.grad += out.grad
        out.spread = spread
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def spread():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.spread = spread
        return out

    def __pow__(self, n):
        out = Value(self.data ** n, (self,))
        def spread():
            self.grad += n * self.data ** (n - 1) * out.grad
        out.spread = spread
        return out

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data - other.data, (self, other))
        def spread():
            self.grad += out.grad
            other.grad -= out.grad
        out.spread = spread
        return out

    def __neg__(self): return self * -1
    def __rsub__(self, other): return Value(other) - self
    def __truediv__(self, other): return self * other ** -1.0
    def __rtruediv__(self, other): return Value(other) * self ** -1.0
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                order.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(order):
            v.spread()
"""


def value_class(what: str, right: str, wrong_text: str, *names: str) -> None:
    """The classroom's class with one place changed."""
    _written.changed("Value", what, VALUE, right, wrong_text, *names)


value_class("= for += in the product", "self.grad += other.data * out.grad\n            other.grad += ",
            "self.grad = other.data * out.grad\n            other.grad = ", OVER)  # fmt: skip
value_class("= for += everywhere", "grad += ", "grad = ", OVER)
value_class("sign of the subtrahend", "other.grad -= out.grad", "other.grad += out.grad", SIGN)
value_class("the power not lowered", "self.data ** (n - 1) * out", "self.data ** n * out", FACTOR, LOCAL)
value_class("out.grad forgotten in the product", "other.data * out.grad", "other.data", NO_G)
value_class("swept from the leaves", "reversed(order)", "order", SWEEP, PATH)


SWEPT = """
    order, seen = [], set()
    stack = [(end_node, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((p, False) for p in node.parents)
    adjoints = {id(end_node): START}
    for node in reversed(order):
        a = adjoints[id(node)]
        for p, vjp in zip(node.parents, node.vjps):
            adjoints[id(p)] = adjoints.get(id(p), 0.0) + vjp(a)
    return a
"""
backward_pass("g forgotten", SWEPT.replace("START", "1.0"), NO_G)
backward_pass(
    "overwritten", SWEPT.replace("START", "g").replace("adjoints.get(id(p), 0.0) + ", ""), OVER, PATH
)
backward_pass("parents without repeats",
              SWEPT.replace("START", "g").replace("zip(node.parents, node.vjps)", "dict(zip(node.parents, node.vjps)).items()"),
              PATH, OVER, "constant factor")  # fmt: skip
wrong("grad", "engine", "a difference quotient", """
def grad(f):
    def gradient(x, h=1e-5):
        return (f(x + h) - f(x - h)) / (2 * h)
    return gradient
""", FD)  # fmt: skip
