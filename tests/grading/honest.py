"""A class's homework of ten exercises, and a submission that gets all of it right."""

from __future__ import annotations

from pathlib import Path

TEN = "multiply divide power tanh softmax affine layer_norm max_pool cross_entropy solve".split()

ASSIGNMENT = '''"""Homework 3: derivative rules"""
from diffkit.grading import catalogue

exercises = [catalogue.exercise(name, points=2) for name in {names!r}]
'''

RULES = {
    "multiply": "return fit(g * y, x), fit(g * x, y)",
    "divide": "return fit(g / y, x), fit(-g * x / y**2, y)",
    "power": "return fit(g * y * x ** (y - 1), x), fit(g * ans * np.log(x), y)",
    "tanh": "return g * (1 - ans**2)",
    "softmax": "return ans * (g - np.sum(g * ans, axis=axis, keepdims=True))",
    "affine": "return g @ w.T, x.T @ g, g.sum(axis=0)",
    "layer_norm": """
    centred = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    normal, inner = centred / spread, g * scale
    dx = inner - inner.mean(axis=1, keepdims=True) - normal * (inner * normal).mean(axis=1, keepdims=True)
    return dx / spread, fit(g * normal, scale), fit(g, shift)""",
    "max_pool": """
    dx = np.zeros_like(x)
    for index in np.ndindex(ans.shape):
        *rest, i, j = index
        block = (*rest, slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size))
        k = np.unravel_index(np.argmax(x[block]), (size, size))
        dx[(*rest, i * size + k[0], j * size + k[1])] += g[index]
    return dx""",
    "cross_entropy": """
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[label]) * (g / len(logits))""",
    "solve": """
    db = np.linalg.solve(a.T, g)
    return -(np.outer(db, ans) if ans.ndim == 1 else db @ ans.T), db""",
}

PARAMETERS = {
    **dict.fromkeys(("multiply", "divide", "power"), "x, y"),
    "tanh": "x",
    "softmax": "x, axis=-1",
    "affine": "x, w, b",
    "layer_norm": "x, scale, shift, eps=1e-5",
    "max_pool": "x, size=2",
    "cross_entropy": "logits, label",
    "solve": "a, b",
}

HEAD = '''import numpy as np


def fit(c, x):
    """The cotangent of an argument that was broadcast."""
    c = np.asarray(c)
    while c.ndim > np.ndim(x):
        c = c.sum(axis=0)
    for axis, n in enumerate(np.shape(x)):
        if n == 1 and c.shape[axis] != 1:
            c = c.sum(axis=axis, keepdims=True)
    return c
'''


def submission(*names: str, **other_rules: str) -> str:
    """The code of a submission with right rules for these exercises, or others in their place."""
    rules = {name: RULES[name] for name in names or TEN} | other_rules
    return HEAD + "".join(
        f"\n\ndef {name}_vjp(g, ans, {PARAMETERS[name]}):\n    {body.strip()}\n"
        for name, body in rules.items()
    )


def write_assignment(folder: Path, *names: str) -> Path:
    """An assignment's file with these exercises of the catalogue, all ten by default."""
    path = folder / "homework.py"
    path.write_text(ASSIGNMENT.format(names=list(names or TEN)))
    return path
