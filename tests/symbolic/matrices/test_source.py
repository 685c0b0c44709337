"""NumPy programs of matrix formulas: what they compute, what they share, what they refuse."""

import numpy as np
import pytest
import sympy
from formulas_of_matrices import A, X, b, n, sigmoid, t, w, x, y
from sympy import MatrixSymbol, OneMatrix, tanh

import diffkit as dk
from diffkit.symbolic.matrices import notation
from diffkit.symbolic.matrices.source import source

RNG = np.random.default_rng(2)


def network(depth):
    """The loss of so many layers on rows, as users write it, and its weights and biases."""
    rows, width = sympy.symbols("N n", integer=True, positive=True)
    h, target = MatrixSymbol("X", rows, width), MatrixSymbol("t", rows, width)
    weights = []
    for k in range(depth):
        W, bias = MatrixSymbol(f"W{k}", width, width), MatrixSymbol(f"b{k}", width, 1)
        weights += [W, bias]
        h = (h * W + OneMatrix(rows, 1) * bias.T).applyfunc(tanh)
    return sympy.Trace((h - target).T * (h - target)) / 2, weights


def test_columns_may_have_one_axis():
    f = dk.symbolic.lambdify([A, x, t], t * A * x)
    a, v = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    assert np.array_equal(f(a, v, 2.0), 2.0 * (a @ v[:, None]))
    assert np.array_equal(f(a.tolist(), v[:, None], 2.0), f(a, v, 2.0))
    one, several = dk.symbolic.lambdify([x], [x.T * x]), dk.symbolic.lambdify(x, [x.T * x, x])
    assert one(v) == [np.vdot(v, v)]
    assert np.array_equal(several(v)[1], v[:, None])
    with pytest.raises(dk.InputError, match="two axes for A"):
        f(v, v, 2.0)


def test_what_is_no_argument_is_named():
    with pytest.raises(dk.InputError, match="A occurs in the formula and is no argument"):
        dk.symbolic.lambdify([x], A * x)


def test_undefined_functions_are_given():
    g = sympy.Function("g")
    f = dk.symbolic.lambdify([x, y], g(sympy.Trace(x.T * y)) * x, functions={"g": np.cbrt})
    assert np.allclose(f(np.full(2, 2.0), np.full(2, 2.0)), 4.0)


def test_a_network_is_computed_once():
    """Twenty layers: a line for each layer's value and adjoint, each function called once."""
    loss, weights = network(20)
    gradients = dk.symbolic.gradient(loss, weights)
    text = source(gradients, [*weights, *(s for s in loss.free_symbols if s.name in ("X", "t"))])
    assert text.count("np.tanh(") == 20
    assert text.count("\n") == 42  # def, a line each for twenty layers and twenty adjoints, return
    assert text.count(" @ ") == 20 + 19 + 20


def test_a_network_and_its_transpose_are_one():
    """SymPy pushes the transpose of a layer through all layers below."""
    loss, weights = network(3)
    nodes = set(sympy.preorder_traversal(dk.symbolic.gradient(loss, weights[0])))
    layers = [
        e for e in nodes if isinstance(e, sympy.matrices.expressions.applyfunc.ElementwiseApplyFunction)
    ]
    assert len(layers) == 6  # tanh and 1 - tanh**2 of each


def test_functions_of_one_matrix_are_computed_once():
    s = x.applyfunc(sigmoid)
    slope = dk.symbolic.diff(OneMatrix(1, n) * s, x)
    f = dk.symbolic.lambdify(x, slope)
    v = np.array([0.5, -2.0, 40.0, -40.0])
    assert np.allclose(f(v)[:, 0], 1 / (2 + np.exp(v) + np.exp(-v)), rtol=1e-12)  # nor does it overflow
    both = dk.symbolic.lambdify(x, [s, x.applyfunc(lambda u: sigmoid(u) * (1 - sigmoid(u)))])
    assert both.source.count("np.exp") == 1


def test_logistic_regression_is_what_the_books_have():
    """Of -yᵀ log σ - (1 - y)ᵀ log(1 - σ), and nothing in it overflows."""
    p, one = (X * w).applyfunc(sigmoid), OneMatrix(n, 1)
    loss = -sympy.Trace(b.T * p.applyfunc(sympy.log)) - sympy.Trace(
        (one - b).T * (one - p).applyfunc(sympy.log)
    )
    slope = dk.symbolic.diff(loss, w)
    assert notation.text(slope) == "Xᵀ (1/(1 + exp(-X w)) - b)"
    f = dk.symbolic.lambdify([X, w, b], slope)
    assert np.isfinite(f(np.full((4, 3), 100.0), np.ones(3), np.ones(4))).all()


def test_sums_are_sums():
    f = dk.symbolic.lambdify([X, w, b], dk.symbolic.gradient(sympy.Trace((X * w - b).T * (X * w - b)), b))
    assert "np.ones" not in dk.symbolic.lambdify([X], OneMatrix(1, X.shape[0]) * X).source
    assert "@" in f.source
