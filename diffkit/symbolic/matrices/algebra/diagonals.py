"""Diagonal matrices, diagonals, and Kronecker products."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import DiagMatrix, Identity, KroneckerProduct, OneMatrix, S, Transpose, ZeroMatrix
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf

from diffkit.symbolic.matrices.algebra.elementwise import hadamard, hadamard_power
from diffkit.symbolic.matrices.algebra.nodes import (
    CHAINS,
    INVERTED,
    MERGED,
    TRACED,
    TRANSPOSED,
    coefficient_and_factors,
    identity,
    is_scalar,
    node,
    ones,
    scaled,
    shape,
    square,
    zeros,
)
from diffkit.symbolic.matrices.algebra.products import inverse, product, trace, transpose
from diffkit.symbolic.matrices.facts import is_diagonal


def diagonal_matrix(e: Any) -> Any:
    """The diagonal matrix of a column."""
    if is_scalar(e):
        return e
    if isinstance(e, OneMatrix):
        return identity(shape(e)[0])
    if isinstance(e, ZeroMatrix):
        return zeros(shape(e)[0], shape(e)[0])
    if isinstance(e, DiagonalOf) and is_diagonal(e.arg):
        return e.arg
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(coefficient, diagonal_matrix(scaled(S.One, factors)))
    return node(DiagMatrix, e)


def _diagonals_applied(chain: list[Any]) -> list[Any]:
    """diag(a) x as the elementwise product of a and x."""
    for k, factor in enumerate(chain):
        if isinstance(factor, DiagMatrix):
            end = next((j for j in range(k + 1, len(chain)) if shape(chain[j])[1] == 1), None)
            if end is not None:
                inner = hadamard(factor.args[0], product(*chain[k + 1 : end + 1]))
                return _diagonals_applied([*chain[:k], inner, *chain[end + 1 :]])
            start = next((j for j in range(k) if shape(chain[j])[0] == 1), None)
            if start is not None:
                inner = hadamard(factor.args[0], transpose(product(*chain[start:k])))
                return _diagonals_applied([*chain[:start], transpose(inner), *chain[k + 1 :]])
    return chain


def diagonal_of(e: Any) -> Any:
    """The diagonal of a square matrix, as a column."""
    if is_scalar(e):
        return e
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(coefficient, diagonal_of(scaled(S.One, factors)))
    if isinstance(e, Identity | OneMatrix):
        return ones(shape(e)[0], 1)
    if isinstance(e, ZeroMatrix):
        return zeros(shape(e)[0], 1)
    if isinstance(e, DiagMatrix):
        return e.args[0]
    if isinstance(e, Transpose | DiagonalMatrix):
        return diagonal_of(e.arg)
    for k, factor in enumerate(factors):
        if isinstance(factor, DiagMatrix):  # of A diag(u) B
            left, right = product(*factors[:k]), product(*factors[k + 1 :])
            if is_scalar(left) or is_scalar(right):
                return hadamard(factor.args[0], diagonal_of(product(left, right)))
            return product(hadamard(left, transpose(right)), factor.args[0])
    for k in range(1, len(factors)):
        if shape(factors[k])[0] == 1:  # of a b^T
            return hadamard(product(*factors[:k]), transpose(product(*factors[k:])))
    return node(DiagonalOf, e)


def diagonal_part(e: Any) -> Any:
    """The matrix with what is off the diagonal made zero."""
    if is_scalar(e) or isinstance(e, Identity | ZeroMatrix | DiagMatrix | DiagonalMatrix) or is_diagonal(e):
        return e
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(coefficient, diagonal_part(scaled(S.One, factors)))
    if isinstance(e, Transpose):
        return diagonal_part(e.arg)
    return node(DiagonalMatrix, e)


def kronecker(*operands: Any) -> Any:
    """The Kronecker product, scalars in front."""
    split = [coefficient_and_factors(o) for o in operands]
    coefficient = sympy.Mul(*[c for c, _ in split])
    matrices = [scaled(S.One, factors) for _, factors in split if factors]
    if len(matrices) < 2:
        return product(coefficient, *matrices)
    whole = node(KroneckerProduct, *matrices)
    if coefficient == 0 or any(isinstance(a, ZeroMatrix) for a in matrices):
        return zeros(*shape(whole))
    return product(coefficient, whole)


def _merged(a: Any, b: Any) -> Any:
    pairs = list(zip(a.args, b.args, strict=False))
    if len(a.args) == len(b.args) and all(shape(x)[1] == shape(y)[0] for x, y in pairs):
        return kronecker(*[product(x, y) for x, y in pairs])
    return None


def _of_square(build: Any, function: Any) -> Any:
    """Of a Kronecker product of square matrices: that of what the function makes of each."""
    return lambda e: build(*map(function, e.args)) if all(map(square, e.args)) else None


CHAINS.append(_diagonals_applied)
TRANSPOSED |= {
    DiagMatrix: lambda e: e,
    DiagonalMatrix: lambda e: e,
    KroneckerProduct: lambda e: kronecker(*map(transpose, e.args)),
}
INVERTED |= {
    DiagMatrix: lambda e: diagonal_matrix(hadamard_power(e.args[0], S.NegativeOne)),
    KroneckerProduct: _of_square(kronecker, inverse),
}
TRACED |= {
    DiagMatrix: lambda e: product(ones(1, shape(e.args[0])[0]), e.args[0]),
    DiagonalMatrix: lambda e: trace(e.arg),
    KroneckerProduct: _of_square(sympy.Mul, trace),
}
MERGED |= {
    DiagMatrix: lambda a, b: diagonal_matrix(hadamard(a.args[0], b.args[0])),
    KroneckerProduct: _merged,
}
