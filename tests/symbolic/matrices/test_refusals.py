"""What has no derivative as a formula is refused by name, never answered by a zero."""

import pytest
import sympy
from formulas_of_matrices import A, B, X, a, n, t, w, x
from sympy import (
    BlockDiagMatrix,
    BlockMatrix,
    Determinant,
    Function,
    Identity,
    KroneckerProduct,
    MatrixSymbol,
    OneMatrix,
    Trace,
    ZeroMatrix,
)

import diffkit as dk

i = sympy.Symbol("i", integer=True)
v = MatrixSymbol("v", n * n, 1)
small = MatrixSymbol("small", 3, 3)


@pytest.mark.parametrize(
    ("e", "by", "message"),
    [
        (A**t, t, r"A\*\*t has no rule for the derivative by t"),
        (Trace(A**t), t, r"A\*\*t has no rule for the derivative by t"),
        (Trace(B * A**t), A, "only under a trace"),
        (A * OneMatrix(n, 1), n, "depends on n"),
        (
            (x.T * A * x)[0, 0],
            x,
            "Sum has no rule among matrices: of the element of a product, leave the index",
        ),
        (sympy.Sum(x[i, 0] ** 2, (i, 0, n - 1)), x, "Trace"),
        (sympy.Integral(Trace(t * A), (t, 0, 1)), A, "evaluate it first"),
        (sympy.Derivative(Trace(t * A), t), A, "evaluate it first"),
        (Trace(BlockMatrix([[A, B], [B, A]])), A, "by its blocks one by one"),
        (Determinant(BlockDiagMatrix(A, B)), A, "by its blocks one by one"),
        (sympy.Permanent(A), A, "permanent without that row"),
        (Trace(small[:2, :2]), small, "MatrixSlice"),
        (v.T * KroneckerProduct(A, B) * v, A, "KroneckerProduct"),
        (sympy.HadamardPower(A, B), A, "one matrix and one number"),
        (A * x, A, "3 axes"),
        (A * B, A, "4 axes"),
        (A * X, X, "4 axes"),
        (sympy.exp(A), A, r"A\.applyfunc\(exp\)"),
        (Trace(A * B), A[0, 0], "expected a whole matrix"),
        (Trace(A * B), A * B, "expected a symbol"),
        (
            sympy.Basic.__new__(sympy.MatMul, A, X.T),
            A,
            r"shapes don't fit in A\*X.T: A .n × n. has n columns",
        ),
        (Trace(X), X, "square"),
        (x + a + OneMatrix(3, 1), x, "different shapes"),
    ],
    ids=str,
)
def test_is_refused_by_name(e, by, message):
    with pytest.raises((dk.InputError, dk.NoRuleError), match=message):
        dk.symbolic.diff(e, by)


def test_pieces_of_traces_are_no_zeros():
    """SymPy's own answers are 0 for most of these."""
    choice = sympy.Piecewise((Trace(A * A), Trace(A) > 1), (Trace(A), True))
    found = dk.symbolic.diff(choice, A)
    for inside, slope in ((3 * Identity(2), 6 * sympy.eye(2)), (Identity(2) / 3, sympy.eye(2))):
        given = found.xreplace({n: sympy.Integer(2)}).xreplace({MatrixSymbol("A", 2, 2): inside}).doit()
        assert given.as_explicit().doit() == slope
    assert dk.symbolic.diff(Determinant(A**t), t) == sympy.log(Determinant(A)) * Determinant(A) ** t
    assert dk.symbolic.diff(sympy.Max(Trace(A), Trace(B)), A).has(sympy.Heaviside)


def test_undefined_functions_of_numbers_stay_formal():
    g = Function("g")
    hessian = dk.symbolic.hessian(g(Trace(a.T * x)), x)
    assert hessian.replace(g, sympy.sin).doit() == -sympy.sin(Trace(a.T * x)) * a * a.T


def test_matrices_that_are_written_out():
    z = MatrixSymbol("z", 2, 1)
    explicit = sympy.Matrix([[t, 2 * t], [t**2, 3]])
    slope = sympy.ImmutableMatrix([[1, 2], [2 * t, 0]])
    assert dk.symbolic.diff(explicit * z, t) == slope * z
    assert dk.symbolic.jacobian(explicit * z, z) == sympy.ImmutableMatrix(explicit)
    by_trace = dk.symbolic.diff(z.T * sympy.Matrix([[Trace(A), 0], [0, 1]]) * z, A)
    assert by_trace.has(Identity)


@pytest.mark.parametrize(
    ("e", "by", "shape"),
    [(Trace(B), X, X.shape), (a.T * x, w, w.shape), (A * x, w, (n, w.shape[0])), (A * B, t, (n, n))],
)
def test_what_does_not_occur_has_a_zero_of_the_right_shape(e, by, shape):
    assert dk.symbolic.diff(e, by) == ZeroMatrix(*shape)


def test_kronecker_products_by_numbers():
    assert dk.symbolic.diff(KroneckerProduct(t * A, B), t) == KroneckerProduct(A, B)
    found = dk.symbolic.diff(KroneckerProduct(A + t * B, A), t)
    assert found == KroneckerProduct(B, A)
