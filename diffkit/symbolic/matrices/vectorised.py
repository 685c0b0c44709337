"""The Jacobian of vec(F) by vec(X), columns stacked: Kronecker products, vec, and the commutation matrix.

vec(A X B) = (Bᵀ ⊗ A) vec(X) and vec(Xᵀ) = K vec(X): Magnus and Neudecker, *Matrix Differential Calculus*, 2nd
ed., chapters 2 and 3. What SymPy has no class for, vec(C) and K, is a ``FunctionMatrix`` of it.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import (
    FunctionMatrix,
    HadamardProduct,
    KroneckerDelta,
    MatAdd,
    MatMul,
    MatrixExpr,
    Mod,
    S,
    Transpose,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.reading import short
from diffkit.symbolic.matrices.sweeps import reverse_sweep

_I, _J = sympy.symbols("i j", integer=True, nonnegative=True, cls=sympy.Dummy)


def vec(e: Any) -> Any:
    """The columns of a matrix, one below the other.

    >>> from sympy import MatrixSymbol
    >>> a, b, C = MatrixSymbol("a", 2, 1), MatrixSymbol("b", 3, 1), MatrixSymbol("C", 2, 3)
    >>> vec(a * b.T)
    KroneckerProduct(b, a)
    >>> vec(C).subs(C, sympy.Matrix([[1, 2, 3], [4, 5, 6]])).as_explicit().T
    Matrix([[1, 4, 2, 5, 3, 6]])
    """
    rows, columns = algebra.shape(e)
    if columns == 1 or rows == 1:
        return e if columns == 1 else algebra.transpose(e)
    coefficient, factors = algebra.coefficient_and_factors(e)
    for k in range(1, len(factors)):
        if algebra.shape(factors[k])[0] == 1:
            left, right = algebra.product(*factors[:k]), algebra.product(*factors[k:])
            return algebra.product(coefficient, algebra.kronecker(algebra.transpose(right), left))
    core = algebra.product(*factors)
    element = MatrixElement(core, Mod(_I, rows), sympy.floor(_I / rows))
    stacked = algebra.node(FunctionMatrix, rows * columns, S.One, sympy.Lambda((_I, _J), element))
    return algebra.product(coefficient, stacked)


def commutation(rows: Any, columns: Any) -> Any:
    """K with vec(Xᵀ) = K vec(X), of X with so many rows and columns.

    >>> commutation(2, 2).as_explicit()
    Matrix([
    [1, 0, 0, 0],
    [0, 0, 1, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 1]])
    """
    if rows == 1 or columns == 1:
        return algebra.identity(rows * columns)
    place = sympy.floor(_I / columns) + rows * Mod(_I, columns)
    size = rows * columns
    return algebra.node(FunctionMatrix, size, size, sympy.Lambda((_I, _J), KroneckerDelta(_J, place)))


def is_vec(e: FunctionMatrix) -> bool:
    return isinstance(e.lamda.expr, MatrixElement)


def is_commutation(e: FunctionMatrix) -> bool:
    return bool(e.shape[0] == e.shape[1] and e.lamda.expr.has(Mod))


def vec_jacobian_of(e: Any, dx: Any) -> Any:
    """J with vec(e) = J vec(dx), of an expression that is linear in ``dx``.

    Raises:
        NoRuleError: where J is no formula in the matrices.
    """
    rows, columns = algebra.shape(e)
    if not e.has(dx):
        return algebra.zeros(rows * columns, dx.shape[0] * dx.shape[1])
    if e == dx:
        return algebra.identity(rows * columns)
    if algebra.is_scalar(e):
        (g,) = reverse_sweep(e, [dx], S.One)
        return algebra.transpose(vec(g))
    if isinstance(e, MatAdd):
        return algebra.add(*[vec_jacobian_of(a, dx) for a in e.args if a.has(dx)])
    if isinstance(e, Transpose):
        return algebra.product(commutation(*e.arg.shape), vec_jacobian_of(e.arg, dx))
    if isinstance(e, MatMul):
        coefficient, factors = algebra.coefficient_and_factors(e)
        if coefficient.has(dx):
            return algebra.product(vec(algebra.product(*factors)), vec_jacobian_of(coefficient, dx))
        k = next(k for k, f in enumerate(factors) if f.has(dx))
        left, right = _or_identity(factors[:k], rows), _or_identity(factors[k + 1 :], columns)
        outer = algebra.kronecker(algebra.transpose(right), left)
        return algebra.product(coefficient, outer, vec_jacobian_of(factors[k], dx))
    if isinstance(e, HadamardProduct):
        live = [a for a in e.args if a.has(dx)]
        if len(live) == 1:
            others = algebra.hadamard(*[a for a in e.args if not a.has(dx)])
            return algebra.product(algebra.diagonal_matrix(vec(others)), vec_jacobian_of(live[0], dx))
    raise NoRuleError(f"the Jacobian of vec({short(e)}) by vec({dx}) is no formula in the matrices")


def _or_identity(factors: list[Any], size: Any) -> Any:
    whole = algebra.product(*factors)
    return whole if isinstance(whole, MatrixExpr) else algebra.product(whole, sympy.Identity(size))
