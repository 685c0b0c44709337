"""Constructors of matrix expressions that write them as a textbook does.

The nodes are SymPy's own; scalars stand in front, identities and zeros are gone, transposes are pushed to
where there are fewest, a 1 x 1 product is the scalar ``Trace(...)`` of it, and nothing is multiplied out. The
same node is the same object, so that what is shared stays shared.

>>> from sympy import MatrixSymbol
>>> A, x = MatrixSymbol("A", 3, 3), MatrixSymbol("x", 3, 1)
>>> transpose(product(A, x)), product(x, transpose(x), x)
(x.T*A.T, Trace(x.T*x)*x)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy
from sympy import (
    DiagMatrix,
    HadamardPower,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
    MatPow,
    MatrixBase,
    MatrixExpr,
    OneMatrix,
    S,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.symbolic.matrices.facts import age, is_diagonal, is_orthogonal, is_symmetric, transposes

__all__ = [
    "ATOMS",
    "U",
    "add",
    "apply",
    "coefficient_and_factors",
    "determinant",
    "diagonal_matrix",
    "diagonal_of",
    "diagonal_part",
    "hadamard",
    "hadamard_power",
    "identity",
    "inverse",
    "is_scalar",
    "node",
    "ones",
    "power",
    "product",
    "shape",
    "square",
    "trace",
    "transpose",
    "zeros",
]


ATOMS = (Trace, sympy.Determinant, MatrixElement)
"""Numbers that a matrix is inside of."""


@lru_cache(maxsize=100_000)
def node(head: Any, *args: Any) -> Any:
    """``head(*args)``, the same object for the same arguments."""
    made: Any = sympy.Basic.__new__(head, *map(sympy.sympify, args)) if head in _CHECKED else head(*args)
    return made


_CHECKED = (MatMul, MatAdd, HadamardProduct, HadamardPower, ElementwiseApplyFunction, Transpose, Trace)
"""What needs none of its constructor's checks, which walk down to the symbols for every shape."""


def is_scalar(e: Any) -> bool:
    """Whether a number stands here, and no matrix; 1 x 1 matrices are read as numbers."""
    return not isinstance(e, MatrixExpr | MatrixBase)


def shape(e: Any) -> tuple[Any, Any]:
    """Rows and columns; (1, 1) of a scalar."""
    return (S.One, S.One) if is_scalar(e) else _shape(e)


@lru_cache(maxsize=100_000)
def _shape(e: Any) -> tuple[Any, Any]:
    """SymPy's own walks down to the symbols each time."""
    if isinstance(e, MatMul):
        matrices = [a for a in e.args if not is_scalar(a)]
        return _shape(matrices[0])[0], _shape(matrices[-1])[1]
    if isinstance(e, MatAdd | HadamardProduct):
        return _shape(e.args[0])
    if isinstance(e, HadamardPower | ElementwiseApplyFunction) and not is_scalar(_argument(e)):
        return _shape(_argument(e))
    if isinstance(e, Transpose):
        rows, columns = _shape(e.arg)
        return columns, rows
    rows, columns = e.shape
    return rows, columns


def square(e: Any) -> bool:
    return bool(shape(e)[0] == shape(e)[1])


def zeros(rows: Any, columns: Any) -> Any:
    return S.Zero if rows == columns == 1 else node(ZeroMatrix, rows, columns)


def ones(rows: Any, columns: Any) -> Any:
    return S.One if rows == columns == 1 else node(OneMatrix, rows, columns)


def identity(size: Any) -> Any:
    return S.One if size == 1 else node(Identity, size)


def _is_zero(e: Any) -> bool:
    return isinstance(e, ZeroMatrix) or e == 0


# -- products -----------------------------------------------------------------------------------------


def coefficient_and_factors(e: Any) -> tuple[Any, list[Any]]:
    """``2*t*A*B`` as ``2*t, [A, B]``; a scalar has no factors."""
    if is_scalar(e):
        return e, []
    if isinstance(e, MatMul):
        scalars = [a for a in e.args if is_scalar(a)]
        return sympy.Mul(*scalars), [a for a in e.args if not is_scalar(a)]
    return S.One, [e]


def _scaled(coefficient: Any, factors: Sequence[Any]) -> Any:
    """The plain node: nothing is looked at any more."""
    if not factors:
        return coefficient
    if coefficient is S.One:
        return factors[0] if len(factors) == 1 else node(MatMul, *factors)
    return node(MatMul, coefficient, *factors)


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
        return coefficient if rows == 1 else _scaled(coefficient, [identity(rows)])
    scalar, chain = _without_inner_scalars(chain)
    if scalar is not S.One:
        coefficient = coefficient * scalar
    return _scaled(coefficient, _diagonals_applied(chain))


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
    if isinstance(a, OneMatrix) and isinstance(b, OneMatrix):
        return _scaled(shape(a)[1], [ones(shape(a)[0], shape(b)[1])])
    if isinstance(a, DiagMatrix) and isinstance(b, DiagMatrix):
        return diagonal_matrix(hadamard(a.args[0], b.args[0]))
    if isinstance(a, MatrixBase) and isinstance(b, MatrixBase):
        return sympy.ImmutableDenseMatrix(a * b)
    if square(a):
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
        scalar = scalar * _trace_of_chain(chain[start:stop])
    if len(ones_at) > 1:
        chain = chain[: ones_at[0]] + chain[ones_at[-1] :]
    return scalar, chain


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
        return product(coefficient**exponent, power(_scaled(S.One, factors), exponent))
    if exponent.is_Integer and exponent < 0 and not isinstance(base, Inverse):
        return node(MatPow, base, exponent)
    if isinstance(base, Inverse):
        return power(base.arg, -exponent)
    return node(MatPow, base, exponent)


def inverse(e: Any) -> Any:
    if is_scalar(e):
        return 1 / e
    if isinstance(e, Identity):
        return e
    if isinstance(e, Inverse):
        return e.arg
    if is_orthogonal(e):
        return transpose(e)
    if isinstance(e, Transpose) and is_orthogonal(e.arg):
        return e.arg
    if isinstance(e, MatPow):
        return power(e.base, -e.exp)
    if isinstance(e, DiagMatrix):
        return diagonal_matrix(hadamard_power(e.args[0], S.NegativeOne))
    if isinstance(e, MatrixBase):
        return sympy.ImmutableDenseMatrix(e.inv())
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(1 / coefficient, inverse(_scaled(S.One, factors)))
    return node(Inverse, e)


# -- transposes ---------------------------------------------------------------------------------------


def transpose(e: Any) -> Any:
    """The transpose, with the transposes inside or outside, whichever are fewer."""
    if is_scalar(e) or isinstance(e, Identity | DiagMatrix | DiagonalMatrix) or is_symmetric(e):
        return e
    if isinstance(e, Transpose):
        return e.arg
    known = transposes()
    if e not in known:
        known[e] = _transposed(e)
    return known[e]


def _transposed(e: Any) -> Any:
    if isinstance(e, ZeroMatrix | OneMatrix):
        return zeros(*reversed(shape(e))) if isinstance(e, ZeroMatrix) else ones(*reversed(shape(e)))
    if isinstance(e, MatrixBase):
        return sympy.ImmutableDenseMatrix(e.T)
    if isinstance(e, MatMul):
        coefficient, factors = coefficient_and_factors(e)
        return product(coefficient, *[transpose(f) for f in reversed(factors)])
    if isinstance(e, MatAdd):
        inside = [transpose(a) for a in e.args]
        return add(*inside) if _transposes(inside) <= _transposes(e.args) else node(Transpose, e)
    if isinstance(e, HadamardProduct | HadamardPower | ElementwiseApplyFunction):
        return e if all(transpose(a) == a for a in _matrices_in(e)) else node(Transpose, e)
    if isinstance(e, Inverse | MatPow):
        inside = transpose(e.base)
        if isinstance(inside, Transpose) and not isinstance(e.base, sympy.MatrixSymbol):
            return node(Transpose, e)
        return power(inside, e.exp)
    return node(Transpose, e)


@lru_cache(maxsize=100_000)
def _count_transposes(e: Any) -> int:
    """Those that are seen from above: in sums and products, not within functions."""
    if isinstance(e, Transpose):
        return 1
    if isinstance(e, MatMul | MatAdd | Inverse | MatPow):
        return sum(_count_transposes(a) for a in e.args if not is_scalar(a))
    return 0


def _transposes(operands: Sequence[Any]) -> int:
    return sum(map(_count_transposes, operands))


def _turned(build: Callable[..., Any], *operands: Any) -> Any:
    """An elementwise function of matrices as the transpose of that of their transposes, or None.

    It is so where there are fewer transposes then, so that a network and its transpose are one network.
    """
    turned = [transpose(a) for a in operands]
    return transpose(build(*turned)) if _transposes(turned) < _transposes(operands) else None


def _matrices_in(e: Any) -> Sequence[Any]:
    """What an elementwise function is of."""
    return e.args if isinstance(e, HadamardProduct) else (_argument(e),)


# -- sums ---------------------------------------------------------------------------------------------


def add(*terms: Any, collect: bool = True) -> Any:
    """The sum, like terms together; with common factors taken out if ``collect``.

    >>> from sympy import MatrixSymbol
    >>> A, x = MatrixSymbol("A", 3, 3), MatrixSymbol("x", 3, 1)
    >>> add(product(A, x), product(transpose(A), x))
    (A + A.T)*x
    """
    if len(terms) == 1:
        return terms[0]
    if all(map(is_scalar, terms)):
        return sympy.Add(*terms)
    rows, columns = next(shape(t) for t in terms if not is_scalar(t))
    found: dict[tuple[Any, ...], Any] = {}
    for term in _opened(terms, collect):
        coefficient, factors = coefficient_and_factors(term)
        if _is_zero(term):
            continue
        key = tuple(factors)
        found[key] = found[key] + coefficient if key in found else coefficient
    rest = [(c, key) for key, c in found.items() if c != 0]
    if not rest:
        return zeros(rows, columns)
    if collect:
        rest = _common_factors_out(rest)
    if len(rest) == 1:
        return product(rest[0][0], *rest[0][1])
    if collect:
        first = rest[0][0]
        if first is not S.One and all(c in (first, -first) for c, _ in rest):
            outer = first if all(c == first for c, _ in rest) else _positive(first)
            inside = sorted(((c / outer, f) for c, f in rest), key=lambda term: term[0] == S.NegativeOne)
            return _scaled(outer, [node(MatAdd, *[_scaled(c, f) for c, f in inside])])
    if collect:  # B - A, not -A + B; A + A^T, not A^T + A
        rest.sort(key=lambda term: (_is_negative(term[0]), sum(map(_count_transposes, term[1]))))
    else:
        rest.sort(key=lambda term: _is_negative(term[0]))
    return node(MatAdd, *[_scaled(c, f) for c, f in rest])


def _is_negative(coefficient: Any) -> bool:
    return bool(coefficient.could_extract_minus_sign())


def _positive(coefficient: Any) -> Any:
    return -coefficient if _is_negative(coefficient) else coefficient


def _opened(terms: Sequence[Any], collect: bool) -> list[Any]:
    """The terms, with sums among them opened.

    If ``collect``, a multiple of a sum stays one term, unless one of its terms is also another's: 2 (A - B)
    stays, A + (A - B) does not. So does a sum that is a factor of another term: R - A R.
    """
    split = [coefficient_and_factors(t) for t in terms]
    cores = [tuple(factors) for _, factors in split]
    found: list[Any] = []
    for k, (coefficient, factors) in enumerate(split):
        if len(factors) != 1 or not isinstance(factors[0], MatAdd):
            found.append(terms[k])
            continue
        inside = [_scaled(*_times(coefficient, a)) for a in factors[0].args]
        others = [core for j, core in enumerate(cores) if j != k]
        alike = any(tuple(coefficient_and_factors(a)[1]) in others for a in inside)
        kept = collect and not alike and (coefficient is not S.One or any(factors[0] in o for o in others))
        found += [terms[k]] if kept else inside
    return found


def _times(coefficient: Any, e: Any) -> tuple[Any, list[Any]]:
    c, factors = coefficient_and_factors(e)
    return coefficient * c, factors


def _common_factors_out(terms: list[tuple[Any, tuple[Any, ...]]]) -> list[tuple[Any, tuple[Any, ...]]]:
    """A X + B X as (A + B) X, for the factor, last or first, that most terms share."""
    while True:
        groups: dict[tuple[Any, bool], list[int]] = {}
        for k, (_, factors) in enumerate(terms):
            if len(factors) > 1:
                groups.setdefault((factors[-1], True), []).append(k)
                groups.setdefault((factors[0], False), []).append(k)
        best = max(groups.items(), key=lambda item: len(item[1]), default=None)
        if best is None or len(best[1]) < 2:
            return terms
        (factor, last), places = best
        inner = add(*[_scaled(terms[k][0], terms[k][1][:-1] if last else terms[k][1][1:]) for k in places])
        whole = product(inner, factor) if last else product(factor, inner)
        coefficient, chain = coefficient_and_factors(whole)
        new = [] if isinstance(whole, ZeroMatrix) else [(coefficient, tuple(chain))]
        first = places[0]
        before = [t for k, t in enumerate(terms) if k < first]
        terms = before + new + [t for k, t in enumerate(terms) if k > first and k not in places]


# -- elementwise --------------------------------------------------------------------------------------

U = sympy.Dummy("u")
"""The variable of every elementwise function here, so that equal functions are equal."""


def apply(body: Any, e: Any) -> Any:
    """The function whose value at ``U`` is ``body``, of each element."""
    if is_scalar(e):
        return body.xreplace({U: e})
    if not body.has(U):
        return product(body, ones(*shape(e)))
    if isinstance(e, ZeroMatrix | OneMatrix):
        value = body.xreplace({U: S(int(isinstance(e, OneMatrix)))})
        if value.is_finite is not False:
            return product(value, ones(*shape(e)))
    coefficient, rest = body.as_independent(U, as_Add=False)
    if rest == U:
        return product(coefficient, e)
    turned = _turned(lambda x: apply(body, x), e)
    if turned is not None:
        return turned
    base, exponent = rest.as_base_exp()
    if base == U and not exponent.has(U):
        return product(coefficient, hadamard_power(e, exponent))
    if isinstance(e, HadamardPower) and not is_scalar(e.args[0]):
        return apply(body.xreplace({U: U ** e.args[1]}), e.args[0])
    if coefficient is not S.One and coefficient.is_number:
        return product(coefficient, _applied(rest, e))
    return _applied(body, e)


def _applied(body: Any, e: Any) -> Any:
    return node(ElementwiseApplyFunction, sympy.Lambda(U, body), e)


def _argument(e: Any) -> Any:
    return e.args[0] if isinstance(e, HadamardPower) else e.args[1]


def _body(e: Any) -> Any:
    if isinstance(e, HadamardPower):
        return U ** e.args[1]
    return e.args[0].expr.xreplace({e.args[0].variables[0]: U})


def hadamard_power(e: Any, exponent: Any) -> Any:
    """Each element to a power."""
    if is_scalar(e):
        return e**exponent
    if exponent == 0:
        return ones(*shape(e))
    if exponent == 1 or isinstance(e, OneMatrix):
        return e
    turned = _turned(lambda x: hadamard_power(x, exponent), e)
    if turned is not None:
        return turned
    if isinstance(e, HadamardPower) and not is_scalar(e.args[0]) and exponent.is_Integer:
        return hadamard_power(e.args[0], e.args[1] * exponent)
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One and exponent.is_Integer:
        return product(coefficient**exponent, hadamard_power(_scaled(S.One, factors), exponent))
    return node(HadamardPower, e, exponent)


def hadamard(*operands: Any) -> Any:
    """The elementwise product of matrices of the same shape; scalars multiply."""
    turned = _turned(hadamard, *operands)
    if turned is not None:
        return turned
    coefficient: Any = S.One
    powers: dict[Any, Any] = {}
    bodies: dict[Any, Any] = {}
    size = next((shape(o) for o in operands if not is_scalar(o)), None)
    stack = list(reversed(operands))
    while stack:
        c, factors = coefficient_and_factors(stack.pop())
        coefficient = coefficient * c
        if len(factors) > 1:
            e = _scaled(S.One, factors)
        elif factors:
            e = factors[0]
        else:
            continue
        if isinstance(e, HadamardProduct):
            stack.extend(reversed(e.args))
        elif isinstance(e, ZeroMatrix):
            return e
        elif isinstance(e, HadamardPower) and not is_scalar(e.args[0]):
            powers[e.args[0]] = powers.get(e.args[0], 0) + e.args[1]
        elif isinstance(e, ElementwiseApplyFunction):
            powers.setdefault(("of", e.args[1]), 1)
            bodies[e.args[1]] = bodies.get(e.args[1], S.One) * _body(e)
        elif not isinstance(e, OneMatrix):
            powers[e] = powers.get(e, 0) + 1
    if size is None or coefficient == 0:
        return coefficient if size is None else zeros(*size)
    made = []
    for key, exponent in powers.items():
        part = apply(bodies[key[1]], key[1]) if isinstance(key, tuple) else hadamard_power(key, exponent)
        c, factors = coefficient_and_factors(part)
        coefficient = coefficient * c
        if not (len(factors) == 1 and isinstance(factors[0], OneMatrix)):
            made.append(_scaled(S.One, factors))
    if not made:
        return product(coefficient, ones(*size))
    whole = made[0] if len(made) == 1 else node(HadamardProduct, *made)
    return product(coefficient, whole)


# -- diagonals, traces, determinants ------------------------------------------------------------------


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
        return product(coefficient, diagonal_matrix(_scaled(S.One, factors)))
    return node(DiagMatrix, e)


def diagonal_of(e: Any) -> Any:
    """The diagonal of a square matrix, as a column."""
    if is_scalar(e):
        return e
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return product(coefficient, diagonal_of(_scaled(S.One, factors)))
    if isinstance(e, Identity | OneMatrix):
        return ones(shape(e)[0], 1)
    if isinstance(e, ZeroMatrix):
        return zeros(shape(e)[0], 1)
    if isinstance(e, DiagMatrix):
        return e.args[0]
    if isinstance(e, Transpose | DiagonalMatrix):
        return diagonal_of(e.arg)
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
        return product(coefficient, diagonal_part(_scaled(S.One, factors)))
    if isinstance(e, Transpose):
        return diagonal_part(e.arg)
    return node(DiagonalMatrix, e)


def trace(e: Any) -> Any:
    """The trace, with the factors in the cyclic order, or the transposed one, that has fewest transposes."""
    if is_scalar(e):
        return e
    coefficient, factors = coefficient_and_factors(e)
    if isinstance(e, ZeroMatrix):
        return S.Zero
    return coefficient * _trace_of_chain(factors)


def _trace_of_chain(factors: list[Any]) -> Any:
    if len(factors) == 1:
        (e,) = factors
        if isinstance(e, Identity | OneMatrix):
            return shape(e)[0]
        if isinstance(e, Transpose | DiagonalMatrix):
            return trace(e.arg)
        if isinstance(e, DiagMatrix):
            return product(ones(1, shape(e.args[0])[0]), e.args[0])
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
    chain = min(both, key=lambda c: (sum(map(_count_transposes, c)), [_age(f) for f in c]))
    return node(Trace, node(MatMul, *chain))


def _age(e: Any) -> int:
    return age(e.arg if isinstance(e, Transpose) else e)


def determinant(e: Any) -> Any:
    if is_scalar(e):
        return e
    if isinstance(e, Identity):
        return S.One
    if isinstance(e, Transpose):
        return determinant(e.arg)
    if isinstance(e, Inverse):
        return 1 / determinant(e.arg)
    coefficient, factors = coefficient_and_factors(e)
    if coefficient is not S.One:
        return coefficient ** shape(e)[0] * determinant(_scaled(S.One, factors))
    return node(sympy.Determinant, e)
