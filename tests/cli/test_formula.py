"""`diffkit formula`: typed expressions and programs in files."""

import pytest
from click.testing import CliRunner

from diffkit.cli import cli


def run(*args):
    result = CliRunner().invoke(cli, ["formula", *args], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def test_the_affine_layer():
    shown = run("v.T @ (W @ y + b)", "--by", "W")
    assert "df/dW = v yᵀ\n(gradient layout" in shown
    assert "d(W y) = dW y" in shown
    assert "df/dW = y vᵀ\n(numerator layout" in run("v.T @ (W @ y + b)", "--by", "W", "--layout", "numerator")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["norm(y - X @ w)**2 / 2", "--by", "w"], "df/dw = -Xᵀ (y - X w)"),
        (["logdet(A)"], "df/dA = A⁻ᵀ"),
        (["x.T @ S @ x", "--by", "x", "--assume", "symmetric S"], "df/dx = 2 S x"),
        (["x.T @ S @ x", "--by", "x"], "df/dx = (S + Sᵀ) x"),
        (["t * x.T @ x", "--by", "t", "--scalar", "t"], "df/dt = xᵀ x"),
        (["tanh(W @ x)", "--by", "x"], "df/dx = diag(1 - tanh(W x)**2) W"),
        (["sum(exp(x))"], "df/dx = exp(x)"),
        (["trace(X @ Y.T)", "--by", "X", "--latex"], r"\frac{\partial f}{\partial X} &= Y"),
        (["norm(y - X @ w)**2", "--by", "w", "--source"], "return -2 * (X.T @ (y - X @ w))"),
    ],
)
def test_a_typed_expression(args, line):
    assert line in run(*args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["v.T @ (W @ y"], "is no formula"),
        (["W @ x + x.T"], "only if|sizes"),
        (["foo(x)"], "foo is no function here"),
        (["x.T @ y", "--by", "z"], "z does not occur"),
        (["W @ x", "--by", "W"], "3 axes"),
        (["x if x else y"], "no part of a matrix formula"),
    ],
)
def test_bad_input_is_answered_clearly(args, message):
    with pytest.raises(Exception, match=message) as caught:
        run(*args)
    assert type(caught.value).__module__ == "diffkit.errors"


def test_a_program_in_a_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import numpy as np\n"
        "def loss(X, w, y):\n"
        "    r = y - X @ w\n"
        "    return r @ r / 2\n"
        "def none(x):\n"
        "    return np.sum(np.sort(x))\n"
    )
    shown = run(f"{file}:loss", "[[1,2],[3,4],[5,7]]", "[1,1]", "[0,1,1]")
    assert "r = y - X w\n" in shown
    assert "dloss/dw = -Xᵀ r" in shown
    with pytest.raises(Exception, match=r"none is no matrix formula: in the row .* = sort"):
        run(f"{file}:none", "[3,1,2]")
