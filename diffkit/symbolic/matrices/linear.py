"""Reading the matrix off a linear map: J of the column J dx, however it is written."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import HadamardProduct, MatAdd, MatMul, S, Transpose

from diffkit.errors import NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.reading import short
from diffkit.symbolic.matrices.sweeps import reverse_sweep


def matrix_of(e: Any, dx: Any) -> Any:
    """The matrix J with ``e == J*dx``, of an expression that is linear in the column ``dx``.

    Raises:
        NoRuleError: where J is no formula in the matrices.

    >>> from sympy import MatrixSymbol
    >>> A, v, dx = MatrixSymbol("A", 3, 3), MatrixSymbol("v", 3, 1), MatrixSymbol("dx", 3, 1)
    >>> matrix_of(HadamardProduct(v, A * dx), dx)
    DiagMatrix(v)*A
    """
    if e == dx:
        return algebra.identity(dx.shape[0])
    if not e.has(dx):
        return algebra.zeros(algebra.shape(e)[0], dx.shape[0])
    if algebra.is_scalar(e):
        (row,) = reverse_sweep(e, [dx], S.One)
        return algebra.transpose(row)
    if isinstance(e, MatAdd):
        return algebra.add(*[matrix_of(a, dx) for a in e.args if a.has(dx)])
    if isinstance(e, HadamardProduct):
        return _of_elementwise(e, dx)
    if isinstance(e, MatMul):
        return _of_product(e, dx)
    raise NoRuleError(f"the Jacobian of {short(e)} by {dx} is no formula in the matrices")


def _of_product(e: Any, dx: Any) -> Any:
    coefficient, factors = algebra.coefficient_and_factors(e)
    if coefficient.has(dx):
        return algebra.product(*factors, matrix_of(coefficient, dx))
    k = next(k for k, f in enumerate(factors) if f.has(dx))
    left, middle, right = factors[:k], factors[k], factors[k + 1 :]
    if not right:
        return algebra.product(coefficient, *left, matrix_of(middle, dx))
    if isinstance(middle, Transpose):
        middle = _opened(middle)
    if isinstance(middle, MatAdd):
        terms = [algebra.product(a, *right) for a in middle.args if a.has(dx)]
        return algebra.product(coefficient, *left, algebra.add(*[matrix_of(t, dx) for t in terms]))
    if isinstance(middle, sympy.DiagMatrix):
        scaled = algebra.diagonal_matrix(algebra.product(*right))
        return algebra.product(coefficient, *left, scaled, matrix_of(middle.args[0], dx))
    if isinstance(middle, HadamardProduct):
        outer = [_rank_one(a) for a in middle.args if a.has(dx)]
        others = [a for a in middle.args if not a.has(dx)]
        if len(outer) == 1 and outer[0] is not None and others:
            column, row = outer[0]
            term = algebra.product(
                algebra.diagonal_matrix(column),
                algebra.hadamard(*others),
                algebra.diagonal_matrix(algebra.transpose(row)),
                *right,
            )
            return algebra.product(coefficient, *left, matrix_of(term, dx))
    raise NoRuleError(f"the Jacobian of {short(e)} by {dx} is no formula in the matrices")


def _opened(e: Any) -> Any:
    """The transpose of a sum or product, pushed in whatever it costs."""
    inner = e.arg
    if isinstance(inner, MatAdd):
        return algebra.node(MatAdd, *[algebra.transpose(a) for a in inner.args])
    if isinstance(inner, HadamardProduct):
        return algebra.node(HadamardProduct, *[algebra.transpose(a) for a in inner.args])
    return e


def _rank_one(e: Any) -> tuple[Any, Any] | None:
    """a and b^T of the product a b^T."""
    coefficient, factors = algebra.coefficient_and_factors(e)
    for k in range(1, len(factors)):
        if factors[k].shape[0] == 1:
            return algebra.product(coefficient, *factors[:k]), algebra.product(*factors[k:])
    return None


def _of_elementwise(e: Any, dx: Any) -> Any:
    live = [a for a in e.args if a.has(dx)]
    others = [a for a in e.args if not a.has(dx)]
    if len(live) != 1:
        raise NoRuleError(f"the Jacobian of {short(e)} by {dx} is no formula in the matrices")
    return algebra.product(algebra.diagonal_matrix(algebra.hadamard(*others)), matrix_of(live[0], dx))
