"""Products, powers, inverses, transposes, traces and determinants, as a textbook writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy
from sympy import Identity, Inverse, MatAdd, MatMul, MatPow, OneMatrix, S, Trace, Transpose, ZeroMatrix

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
from diffkit.symbolic.matrices.facts import age, is_orthogonal, is_symmetric, transposes


def product(*operands: Any) -> Any:
    """The product of matrices and scalars, in this order."""
    coefficient: Any = S.One
    factors: list[Any] = []
    for operand in operands:
        c, more = coefficient_and_factors(operand)
        if c is not S.One:
            coefficient = coefficient * c
        factors += more
    if not factors:
        return coefficient
    rows, columns = shape(factors[0])[0], shape(factors[-1])[1]
    if coefficient == 0 or any(isinstance(f, ZeroMatrix) for f in factors):
        return zeros(rows, columns)
    chain: list[Any] = []
    for factor in factors:
        c = _append(chain, factor)
        if c is not S.One:
            coefficient = coefficient * c
    if not chain:
        return coefficient if rows == 1 else scaled(coefficient, [identity(rows)])
    scalar, chain = _without_inner_scalars(chain)
    if scalar is not S.One:
        coefficient = coefficient * scalar
    if any(a.is_Pow and not a.exp.is_number for a in coefficient.args):
        coefficient = sympy.powsimp(coefficient, combine="exp")
    for rewrite in CHAINS:
        chain = rewrite(chain)
    return scaled(coefficient, chain)


def _append(chain: list[Any], factor: Any) -> Any:
    """Puts a factor at the end of a chain, cancelling; returns the scalar that this gives."""
    if isinstance(factor, Identity):
        return S.One
    if isinstance(factor, Inverse) and isinstance(factor.arg, MatMul):  # (A B)^-1 after A B
        inner = list(factor.arg.args)
        if chain[-len(inner) :] == inner:
            del chain[-len(inner) :]
            return S.One
    chain.append(factor)
    scalar: Any = S.One
    for k in range(len(chain) - 1):
        opener = chain[k]
        if isinstance(opener, Inverse) and isinstance(opener.arg, MatMul):
            inner = list(opener.arg.args)
            if chain[k + 1 :] == inner:
                del chain[k:]
                return scalar
    while len(chain) > 1:
        merged = _merged(chain[-2], chain[-1])
        if merged is None:
            break
        c, factors = coefficient_and_factors(merged)
        scalar = scalar * c
        chain[-2:] = [f for f in factors if not isinstance(f, Identity)]
    return scalar


def _base_and_exponent(e: Any) -> tuple[Any, Any]:
    if isinstance(e, MatPow) and not isinstance(e, Inverse):
        return e.base, e.exp
    if isinstance(e, Inverse):
        return e.arg, S.NegativeOne
    if isinstance(e, Transpose) and is_orthogonal(e.arg):
        return e.arg, S.NegativeOne
    return e, S.One


def _merged(a: Any, b: Any) -> Any:
    """The product of two neighbours as one, or None."""
    merge = MERGED.get(type(a)) if type(a) is type(b) else None
    whole = merge(a, b) if merge else None
    if whole is not None or not square(a):
        return whole
    (base, m), (other, n) = _base_and_exponent(a), _base_and_exponent(b)
    if base == other and square(base):
        return power(base, m + n)
    if isinstance(b, Inverse) and isinstance(b.arg, MatMul) and b.arg.args[-1] == a:  # B (A B)^-1
        return inverse(product(*b.arg.args[:-1]))
    if (
        isinstance(a, Inverse) and isinstance(a.arg, MatMul) and a.arg.args[0] == b and square(b)
    ):  # (A B)^-1 A
        return inverse(product(*a.arg.args[1:]))
    return None


def _without_inner_scalars(chain: list[Any]) -> tuple[Any, list[Any]]:
    """x (y^T z) w^T as the scalar y^T z and [x, w^T]."""
    sizes = [shape(chain[0])[0], *(shape(f)[1] for f in chain)]
    ones_at = [k for k, size in enumerate(sizes) if size == 1]
    scalar: Any = S.One
    for start, stop in pairwise(ones_at):
        scalar = scalar * trace_of_chain(chain[start:stop])
    if len(ones_at) > 1:
        chain = chain[: ones_at[0]] + chain[ones_at[-1] :]
    return scalar, chain


def power(base: Any, exponent: Any) -> Any:
    """A square matrix, or a scalar, to a power."""
    if is_scalar(base):
        return base**exponent
    if exponent == 0:
        return identity(shape(base)[0])
    if exponent == 1:
        return base
    if exponent == -1:
        return inverse(base)
    if isinstance(base, Identity):
        return base
    if isinstance(base, MatPow) and not isinstance(base, Inverse):
        return power(base.base, base.exp * exponent)
    coefficient, factors = coefficient_and_factors(base)
    if coefficient is not S.One and exponent.is_Integer:
        return product(coefficient**exponent, power(scaled(S.One, factors), exponent))
    if exponent.is_Integer and exponent < 0 and not isinstance(base, Inverse):
        return node(MatPow, base, exponent)
    if isinstance(base, Inverse):
        return power(base.arg, -exponent)
    return node(MatPow, base, exponent)


def inverse(e: Any) -> Any:
    if is_scalar(e):
        return 1 / e
    if isinstance(e, Identity | Inverse):
        return e if isinstance(e, Identity) else e.arg
    if is_orthogonal(e):
        return transpose(e)
    if isinstance(e, Transpose) and is_orthogonal(e.arg):
        return e.arg
    if isinstance(e, MatPow):
        return power(e.base, -e.exp)
    found = INVERTED[type(e)](e) if type(e) in INVERTED else None
    if found is not None:
        return found
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(1 / coefficient, inverse(scaled(S.One, factors)))
    return node(Inverse, e)


def transpose(e: Any) -> Any:
    """The transpose, with the transposes inside or outside, whichever are fewer."""
    if is_scalar(e) or is_symmetric(e):
        return e
    if isinstance(e, Transpose):
        return e.arg
    known = transposes()
    if e not in known:
        known[e] = TRANSPOSED[type(e)](e) if type(e) in TRANSPOSED else node(Transpose, e)
    return known[e]


def _transposed_product(e: Any) -> Any:
    coefficient, factors = coefficient_and_factors(e)
    return product(coefficient, *[transpose(f) for f in reversed(factors)])


def _transposed_power(e: Any) -> Any:
    inside = transpose(e.base)
    if isinstance(inside, Transpose) and not isinstance(e.base, sympy.MatrixSymbol):
        return node(Transpose, e)
    return power(inside, e.exp)


@lru_cache(maxsize=100_000)
def count_transposes(e: Any) -> int:
    """Those that are seen from above: in sums and products, not within functions."""
    if isinstance(e, Transpose):
        return 1
    if isinstance(e, MatMul | MatAdd | Inverse | MatPow):
        return sum(count_transposes(a) for a in e.args if not is_scalar(a))
    return 0


def count_in(operands: Sequence[Any]) -> int:
    return sum(map(count_transposes, operands))


def turned(build: Callable[..., Any], *operands: Any) -> Any:
    """An elementwise function of matrices as the transpose of that of their transposes, or None.

    It is so where there are fewer transposes then, so that a network and its transpose are one network.
    """
    turned = [transpose(a) for a in operands]
    return transpose(build(*turned)) if count_in(turned) < count_in(operands) else None


def trace(e: Any) -> Any:
    """The trace, with the factors in the cyclic order, or the transposed one, that has fewest transposes."""
    if is_scalar(e):
        return e
    coefficient, factors = coefficient_and_factors(e)
    if isinstance(e, ZeroMatrix):
        return S.Zero
    return coefficient * trace_of_chain(factors)


def trace_of_chain(factors: list[Any]) -> Any:
    if len(factors) == 1:
        (e,) = factors
        if isinstance(e, Transpose):
            return trace(e.arg)
        found = TRACED[type(e)](e) if type(e) in TRACED else None
        if found is not None:
            return found
        return node(Trace, e)
    merged = _merged(factors[-1], factors[0])
    if merged is not None and len(factors) > 2 and shape(factors[0])[0] != 1:
        return trace(product(merged, *factors[1:-1]))
    starts = [k for k, f in enumerate(factors) if shape(f)[0] == 1] or list(range(len(factors)))
    if len(starts) == len(factors) and len(factors) == 2 and _merged(factors[1], factors[0]) is not None:
        return trace(_merged(factors[1], factors[0]))
    turned = [transpose(f) for f in reversed(factors)]
    back = [k for k, f in enumerate(turned) if shape(f)[0] == 1] or list(range(len(factors)))
    both = [factors[k:] + factors[:k] for k in starts] + [turned[k:] + turned[:k] for k in back]
    chain = min(both, key=lambda c: (sum(map(count_transposes, c)), [first_met(f) for f in c]))
    return node(Trace, node(MatMul, *chain))


def first_met(e: Any) -> int:
    return age(e.arg if isinstance(e, Transpose) else e)


def determinant(e: Any) -> Any:
    if is_scalar(e):
        return e
    if isinstance(e, Identity):
        return S.One
    if isinstance(e, Transpose):
        return determinant(e.arg)
    if isinstance(e, MatPow):
        return determinant(e.base) ** e.exp
    if isinstance(e, sympy.KroneckerProduct) and all(map(square, e.args)):
        return sympy.Mul(*[determinant(a) ** (shape(e)[0] / shape(a)[0]) for a in e.args])
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return coefficient ** shape(e)[0] * determinant(scaled(S.One, factors))
    return node(sympy.Determinant, e)


def _explicit(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda e: sympy.ImmutableDenseMatrix(build(e))


EXPLICIT = (sympy.ImmutableDenseMatrix, sympy.ImmutableSparseMatrix)
for head in EXPLICIT:
    TRANSPOSED[head] = _explicit(lambda e: e.T)
    INVERTED[head] = _explicit(lambda e: e.inv())
    MERGED[head] = lambda a, b: sympy.ImmutableDenseMatrix(a * b)
TRANSPOSED |= {
    MatMul: _transposed_product,
    MatPow: _transposed_power,
    Inverse: _transposed_power,
    Identity: lambda e: e,
    ZeroMatrix: lambda e: zeros(*reversed(shape(e))),
    OneMatrix: lambda e: ones(*reversed(shape(e))),
}
TRACED |= {Identity: lambda e: shape(e)[0], OneMatrix: lambda e: shape(e)[0]}
MERGED[OneMatrix] = lambda a, b: scaled(shape(a)[1], [ones(shape(a)[0], shape(b)[1])])
