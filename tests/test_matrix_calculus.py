"""The table of matrix derivatives: pullbacks are adjoint to differentials, and traced rules do the same."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.grammar import compile_text
from diffkit.matrix_calculus import MATRIX

NAMES = {
    "T": np.transpose,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "log": np.log,
    "trace": np.trace,
    "inner": lambda a, b: np.sum(a * b),
    "eye": lambda a: np.eye(len(a)),
    "diag": lambda a: np.diagflat(a),
    "diagonal": lambda a: np.diagonal(a).reshape(-1, 1),
}


@pytest.mark.parametrize("name", MATRIX)
def test_the_traced_gradient_is_the_tables(name):
    line, rng = MATRIX[name], np.random.default_rng(3)
    args = [rng.normal(size=(3, 3)) / 4 + 2 * np.eye(3) for _ in line.arguments]
    if name in ("diag", "outer"):
        args = [rng.normal(size=(3, 1)) for _ in line.arguments]
    if name == "scale":
        args[0] = 1.7
    form = compile_text(line.form, line.arguments, NAMES)
    ans = form(*args)
    g = rng.normal(size=np.shape(ans))
    for k, x in enumerate(line.arguments):
        pulled = compile_text(line.vjps[k], ("g", "ans", *line.arguments), NAMES)(g, ans, *args)
        traced = dk.grad(lambda *given: np.sum(g * form(*given)), k)(*args)
        assert np.allclose(pulled, traced, rtol=1e-12)
        dx = rng.normal(size=np.shape(args[k]))
        pushed = compile_text(line.differentials[k], (f"d{x}", "ans", *line.arguments), NAMES)(dx, ans, *args)
        assert np.isclose(np.sum(g * pushed), np.sum(pulled * dx), rtol=1e-12)
