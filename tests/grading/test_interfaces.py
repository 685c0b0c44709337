"""Submissions in the interfaces of other courses grade as they stand: dicts, scalars, constructors."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.exercises.starter import scaffold
from diffkit.grading.self_test.self_test import self_test

ASSIGNMENT = '''"""Three courses"""
import numpy as np
from diffkit.grading import Case, Exercise, draws
from diffkit.grading.draws import constant, normal, positive


def batchnorm(x, gamma, beta, bn_param):
    mean = x.mean(axis=0)
    var = ((x - mean) ** 2).mean(axis=0)
    bn_param["running_mean"] = mean  # as the course's own does; nobody else sees it
    return gamma * (x - mean) / np.sqrt(var + bn_param.get("eps", 1e-5)) + beta


def conv(x, w, b, conv_param):
    pad, stride = conv_param["pad"], conv_param["stride"]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    rows = range(0, x.shape[2] - w.shape[2] + 1, stride)
    columns = range(0, x.shape[3] - w.shape[3] + 1, stride)
    parts = [
        np.tensordot(x[:, :, i : i + w.shape[2], j : j + w.shape[3]], w, axes=((1, 2, 3), (1, 2, 3)))
        for i in rows
        for j in columns
    ]
    return np.stack(parts, axis=-1).reshape(len(x), len(w), len(rows), len(columns)) + b[:, None, None]


def relu(x):
    return np.maximum(x, 0.0)


def inv(x):
    return 1.0 / x


def power_scalar(a, scalar):
    return a**scalar


def summation(a, axes=None):
    return np.sum(a, axis=axes)


def broadcast_to(a, shape):
    return np.broadcast_to(a, shape) * 1.0


train = {"mode": "train", "eps": 1e-5, "momentum": 0.9}
exercises = [
    Exercise(batchnorm, [Case("train", normal("5m"), normal("m"), normal("m"), bn_param=train)], style="pair"),
    Exercise(
        conv,
        [
            Case("pad 1", normal("2345"), normal("2333"), normal("2"), constant({"pad": 1, "stride": 1})),
            Case("stride 2", normal("1245"), normal("3222"), normal("3"), constant({"pad": 1, "stride": 2})),
        ],
        style="pair",
    ),
    Exercise(relu, [Case("scalar", draws.away_from_zero(""))], "ReLU", style="context", defines=("ReLU",)),
    Exercise(inv, [Case("scalar", draws.away_from_zero(""))], style="context"),
    Exercise(
        power_scalar,
        [Case("square", positive("n"), scalar=2), Case("cube", positive("nm"), scalar=3)],
        style="op",
        constructor=("scalar",),
    ),
    Exercise(
        summation,
        [Case("all", normal("nm")), Case("rows", normal("nm"), axes=0), Case("two", normal("nmk"), axes=(0, 2))],
        style="op",
        constructor=("axes",),
    ),
    Exercise(broadcast_to, [Case("column", normal("31"), shape=(3, 4))], style="gate", constructor=("shape",)),
]
'''

RIGHT = '''
import numpy as np
import numpy as array_api


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    if mode == "train":
        mu = x.mean(axis=0)
        xhat = (x - mu) / np.sqrt(x.var(axis=0) + eps)
        running_mean = momentum * running_mean + (1 - momentum) * mu
        cache = (xhat, gamma, x.var(axis=0), eps)
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)
    bn_param["running_mean"] = running_mean
    return gamma * xhat + beta, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, var, eps = cache
    d = dout * gamma
    dx = (d - d.mean(axis=0) - xhat * (d * xhat).mean(axis=0)) / np.sqrt(var + eps)
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def conv_forward(x, w, b, conv_param):
    p, s = conv_param["pad"], conv_param["stride"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), "constant")
    Ho, Wo = 1 + (H + 2 * p - HH) // s, 1 + (W + 2 * p - WW) // s
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    out[n, f, i, j] = (xp[n, :, i * s : i * s + HH, j * s : j * s + WW] * w[f]).sum() + b[f]
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    p, s = conv_param["pad"], conv_param["stride"]
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), "constant")
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for n, f, i, j in np.ndindex(*dout.shape):
        window = np.s_[n, :, i * s : i * s + HH, j * s : j * s + WW]
        dxp[window] += w[f] * dout[n, f, i, j]
        dw[f] += xp[window] * dout[n, f, i, j]
    return dxp[:, :, p : dxp.shape[2] - p, p : dxp.shape[3] - p], dw, dout.sum(axis=(0, 2, 3))


class ScalarFunction:
    @classmethod
    def _forward(cls, ctx, *inps):
        return cls.forward(ctx, *inps)


class ReLU(ScalarFunction):
    @staticmethod
    def forward(ctx, a: float) -> float:
        ctx.save_for_backward(a)
        return a if a > 0 else 0

    @staticmethod
    def backward(ctx, d_output: float) -> float:
        (a,) = ctx.saved_values
        return d_output if a > 0 else 0


class Inv(ScalarFunction):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return 1 / a

    @staticmethod
    def backward(ctx, d_output):
        (a,) = ctx.saved_values
        return -d_output / a**2


class TensorOp:
    def __call__(self, *args):
        return self.compute(*args)


class PowerScalar(TensorOp):
    """Op raise a tensor to an (integer) power."""

    def __init__(self, scalar: int):
        self.scalar = scalar

    def compute(self, a):
        return array_api.power(a, self.scalar)

    def gradient(self, out_grad, node):
        a = node.inputs[0]
        return out_grad * self.scalar * power_scalar(a, self.scalar - 1)


def power_scalar(a, scalar):
    return PowerScalar(scalar)(a)


class Summation(TensorOp):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        return array_api.sum(a, axis=self.axes)

    def gradient(self, out_grad, node):
        shape = list(node.inputs[0].shape)
        axes = range(len(shape)) if self.axes is None else [self.axes] if isinstance(self.axes, int) else self.axes
        for axis in axes:
            shape[axis] = 1
        return (array_api.broadcast_to(out_grad.reshape(shape), node.inputs[0].shape),)


class BroadcastTo:
    def __init__(self, shape):
        self.shape = shape

    def forward(self, a):
        return np.broadcast_to(a, self.shape)

    def backward(self, g):
        return g.sum(axis=1, keepdims=True)
'''

WRONG = {
    "batchnorm": ("- xhat * (d * xhat).mean(axis=0)", ""),
    "conv": ("dxp[window] += w", "dxp[window] = w"),
    "ReLU": ("return d_output if a > 0 else 0", "return 1 if a > 0 else 0"),
    "inv": ("return -d_output / a**2", "return d_output / a**2"),
    "power_scalar": ("self.scalar - 1)", "self.scalar)"),
    "summation": ("shape[axis] = 1", "shape[axis] = 1; out_grad = out_grad * 2"),
    "broadcast_to": ("g.sum(axis=1, keepdims=True)", "g[:, :1]"),
}


@pytest.fixture
def assignment(tmp_path):
    path = tmp_path / "courses.py"
    path.write_text(ASSIGNMENT)
    return load_assignment(path)


def _passed(assignment, tmp_path, text):
    grader = Grader(assignment, 5, sandbox="off")
    try:
        record = grader.grade(Submission("ann", tmp_path / "ann.py", text))
    finally:
        grader.close()
    return {e.name: e.passed for e in record.exercises}, record


def test_they_pass_where_they_are_right_and_fail_where_they_are_wrong(assignment, tmp_path):
    passed, record = _passed(assignment, tmp_path, RIGHT)
    assert all(passed.values()), "\n".join(e.text() for e in record.exercises if not e.passed)
    text = RIGHT
    for right, wrong in WRONG.values():
        assert right in text
        text = text.replace(right, wrong)
    passed, _ = _passed(assignment, tmp_path, text)
    assert passed == dict.fromkeys(WRONG, False)


def test_their_assignment_tests_itself_the_way_it_grades(assignment):
    table, proven = self_test(assignment, 3, "off")
    assert proven, table.text()
    assert list(table["outcome"]).count("passes") == 7


def test_what_a_class_is_made_of_stands_in_the_starter_file(assignment):
    text = scaffold(list(assignment.exercises[4:]))
    assert "    def __init__(self, scalar):\n        self.scalar = scalar\n" in text
    assert "    def compute(self, a):\n" in text
    compile(text, "starter.py", "exec")
