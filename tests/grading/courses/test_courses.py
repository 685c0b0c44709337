"""Assignments of at most thirty lines in the interfaces of six courses, with submissions written for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diffkit.grading import load_assignment, read_submission
from diffkit.grading.classes.grader import Grader
from diffkit.grading.self_test.self_test import self_test

HERE = Path(__file__).parent

CS231N = """
import numpy as np

def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)

def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db

def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    mu, var = x.mean(axis=0), x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, gamma, np.sqrt(var + eps))

def batchnorm_backward(dout, cache):
    xhat, gamma, std = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dx = gamma / std / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta

def softmax_loss(x, y):
    probs = np.exp(x - x.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    N = len(y)
    loss = -np.log(probs[np.arange(N), y]).mean()
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
"""

MINITORCH = """
from minitorch.autodiff import Context
from . import operators
import math

class ScalarFunction:
    pass

class Mul(ScalarFunction):
    @staticmethod
    def forward(ctx: Context, a: float, b: float) -> float:
        ctx.save_for_backward(a, b)
        return operators.mul(a, b)

    @staticmethod
    def backward(ctx, d_output):
        a, b = ctx.saved_values
        return b * d_output, a * d_output

class Sigmoid(ScalarFunction):
    @staticmethod
    def forward(ctx, a):
        s = 1.0 / (1.0 + math.exp(-a))
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx, d_output):
        (s,) = ctx.saved_values
        return d_output * s * (1 - s)

class ReLU(ScalarFunction):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return max(a, 0.0)

    @staticmethod
    def backward(ctx, d_output):
        (a,) = ctx.saved_values
        return d_output if a > 0 else 0
"""

NEEDLE = """
from typing import Optional
from ..autograd import TensorOp, Tensor
import numpy as array_api

class PowerScalar(TensorOp):
    def __init__(self, scalar: int):
        self.scalar = scalar

    def compute(self, a):
        return array_api.power(a, self.scalar)

    def gradient(self, out_grad, node):
        (a,) = node.inputs
        return out_grad * self.scalar * a ** (self.scalar - 1)

class MatMul(TensorOp):
    def compute(self, a, b):
        return a @ b

    def gradient(self, out_grad, node):
        lhs, rhs = node.inputs
        return out_grad @ rhs.T, lhs.T @ out_grad

class Summation(TensorOp):
    def __init__(self, axes: Optional[tuple] = None):
        self.axes = axes

    def compute(self, a):
        return array_api.sum(a, axis=self.axes)

    def gradient(self, out_grad, node):
        shape = list(node.inputs[0].shape)
        for axis in range(len(shape)) if self.axes is None else self.axes:
            shape[axis] = 1
        return array_api.broadcast_to(out_grad.reshape(shape), node.inputs[0].shape).copy()
"""

MICROGRAD = """
import math

class Scalar:
    def __init__(self, data, _children=()):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(_children)

    def __add__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Scalar(self.data ** n, (self,))
        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Scalar(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out

    def exp(self):
        out = Scalar(math.exp(self.data), (self,))
        def _backward():
            self.grad += out.data * out.grad
        out._backward = _backward
        return out

    def log(self):
        out = Scalar(math.log(self.data), (self,))
        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out

    def relu(self):
        out = Scalar(max(0.0, self.data), (self,))
        def _backward():
            self.grad += (out.data > 0) * out.grad
        out._backward = _backward
        return out

    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return (-self) + other
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((p, False) for p in node._prev)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
"""

MYTORCH = """
import numpy as np

class Linear:
    def __init__(self, W=None, b=None):
        self.W, self.b = W, b

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b.T

    def backward(self, dLdZ):
        dLdA = dLdZ @ self.W
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.sum(axis=0, keepdims=True).T
        return dLdA

class Tanh:
    def forward(self, Z):
        self.A = np.tanh(Z)
        return self.A

    def backward(self, dLdA):
        return dLdA * (1 - self.A ** 2)

def mse_loss(A, Y):
    E = A - Y
    loss = (E * E).sum() / E.size
    dLdA = 2 * E / E.size
    return loss, dLdA
"""

MAKEMORE = """
import numpy as np

def backprop(emb, W1, bngain, bnbias, W2, Yb):
    n = emb.shape[0]
    h = emb @ W1
    bnmean = h.mean(0, keepdims=True)
    bndiff = h - bnmean
    bnvar = (bndiff ** 2).sum(0, keepdims=True) / (n - 1)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    act = np.tanh(bngain * bnraw + bnbias)
    logits = act @ W2
    counts = np.exp(logits - logits.max(1, keepdims=True))
    probs = counts / counts.sum(1, keepdims=True)
    loss = -np.log(probs[np.arange(n), Yb]).mean()
    dlogits = probs.copy()
    dlogits[np.arange(n), Yb] -= 1
    dlogits /= n
    dact = dlogits @ W2.T
    dW2 = act.T @ dlogits
    dhpreact = (1.0 - act ** 2) * dact
    dbngain = (bnraw * dhpreact).sum(0)
    dbnbias = dhpreact.sum(0)
    dbnraw = bngain * dhpreact
    dbndiff = bnvar_inv * dbnraw
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdims=True)
    dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv
    dbndiff = dbndiff + 2 * bndiff / (n - 1) * dbnvar
    dh = dbndiff - dbndiff.sum(0) / n
    demb = dh @ W1.T
    dW1 = emb.T @ dh
    return loss, {"emb": demb, "W1": dW1, "bngain": dbngain, "bnbias": dbnbias, "W2": dW2}
"""

COURSES = {
    "cs231n": (CS231N, "dx /= N\n", "dx *= N\n", "softmax_loss"),
    "minitorch": (MINITORCH, "d_output * s * (1 - s)", "d_output * (1 - s)", "sigmoid"),
    "needle": (NEEDLE, "return out_grad @ rhs.T,", "return out_grad @ rhs.T * 2,", "mat_mul"),
    "micrograd": (MICROGRAD, "(1 - t ** 2) * out.grad", "(1 - t) * out.grad", "Scalar"),
    "mytorch": (
        MYTORCH,
        "self.dLdW = dLdZ.T @ self.A",
        "self.dLdW = dLdZ.T @ self.A / len(self.A)",
        "linear",
    ),
    "makemore": (MAKEMORE, "2 * bndiff / (n - 1) * dbnvar", "bndiff / (n - 1) * dbnvar", "backprop"),
}


def _graded(course, text, folder):
    assignment = load_assignment(HERE / f"{course}.py")
    (folder / "ann.py").write_text(text)
    grader = Grader(assignment, seed=1)
    try:
        return grader.grade(read_submission(folder / "ann.py"))
    finally:
        grader.close()


@pytest.mark.parametrize("course", COURSES)
def test_an_assignment_is_short_and_a_right_submission_passes(course, tmp_path):
    assert len((HERE / f"{course}.py").read_text().splitlines()) <= 30
    record = _graded(course, COURSES[course][0], tmp_path)
    assert record.score == record.points, "\n".join(e.text() for e in record.exercises)


@pytest.mark.parametrize(
    "course", [pytest.param(c, marks=pytest.mark.slow) if c == "micrograd" else c for c in COURSES]
)
def test_a_wrong_line_costs_its_exercise_and_is_told(course, tmp_path):
    text, old, new, name = COURSES[course]
    assert text.count(old) == 1
    line = text.partition(old)[0].count("\n") + 1
    record = _graded(course, text.replace(old, new), tmp_path)
    assert [e.name for e in record.exercises if not e.passed] == [name], json.dumps(record.plain())[:2000]
    (failed,) = [e for e in record.exercises if not e.passed]
    assert failed.line == line, failed.text()


@pytest.mark.slow
@pytest.mark.parametrize("course", COURSES)
def test_the_references_pass_as_submissions(course):
    table, passed = self_test(load_assignment(HERE / f"{course}.py"), seed=1)
    assert passed, str(table)
