"""Sums: like terms together, common factors taken out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import HadamardProduct, MatAdd, OneMatrix, S, Transpose, ZeroMatrix
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from diffkit.symbolic.matrices.algebra.elementwise import U, apply, body_and_argument, hadamard, shortest
from diffkit.symbolic.matrices.algebra.nodes import (
    TRANSPOSED,
    coefficient_and_factors,
    is_scalar,
    is_zero,
    node,
    scaled,
    shape,
    zeros,
)
from diffkit.symbolic.matrices.algebra.products import count_in, count_transposes, product, transpose


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
    for term in _opened(_of_one_sign(terms), collect):
        coefficient, factors = coefficient_and_factors(term)
        if is_zero(term):
            continue
        key = tuple(factors)
        found[key] = found[key] + coefficient if key in found else coefficient
    rest = [(c, key) for key, c in found.items() if c != 0]
    if not rest:
        return zeros(rows, columns)
    if collect:
        rest = _common_factors_out(_functions_together(rest))
    if len(rest) == 1:
        return product(rest[0][0], *rest[0][1])
    if collect:
        first = rest[0][0]
        if first is not S.One and all(c in (first, -first) for c, _ in rest):
            outer = first if all(c == first for c, _ in rest) else _positive(first)
            inside = sorted(((c / outer, f) for c, f in rest), key=lambda term: term[0] == S.NegativeOne)
            return scaled(outer, [node(MatAdd, *[scaled(c, f) for c, f in inside])])
    if collect:  # B - A, not -A + B; A + A^T, not A^T + A
        rest.sort(key=lambda term: (_is_negative(term[0]), sum(map(count_transposes, term[1]))))
    else:
        rest.sort(key=lambda term: _is_negative(term[0]))
    return node(MatAdd, *[scaled(c, f) for c, f in rest])


def _of_one_sign(terms: Sequence[Any]) -> list[Any]:
    """The terms, with -(A - B) for a factor B - A where A - B is one of another term."""
    met: dict[frozenset[Any], Any] = {}
    found = []
    for term in terms:
        coefficient, factors = coefficient_and_factors(term)
        for k, factor in enumerate(factors):
            if isinstance(factor, MatAdd):
                same, negated = _both_signs(factor)
                if negated in met and same not in met:
                    coefficient = -coefficient
                factors[k] = met.get(same) or met.get(negated) or met.setdefault(same, factor)
        found.append(scaled(coefficient, factors))
    return found


@lru_cache(maxsize=10_000)
def _both_signs(e: Any) -> tuple[frozenset[Any], frozenset[Any]]:
    """A sum's terms, and those of minus the sum."""
    return frozenset(e.args), frozenset(scaled(*_times(S.NegativeOne, a)) for a in e.args)


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
        inside = [scaled(*_times(coefficient, a)) for a in factors[0].args]
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
        inner = add(*[scaled(terms[k][0], terms[k][1][:-1] if last else terms[k][1][1:]) for k in places])
        whole = product(inner, factor) if last else product(factor, inner)
        coefficient, chain = coefficient_and_factors(whole)
        new = [] if isinstance(whole, ZeroMatrix) else [(coefficient, tuple(chain))]
        first = places[0]
        before = [t for k, t in enumerate(terms) if k < first]
        terms = before + new + [t for k, t in enumerate(terms) if k > first and k not in places]


def _functions_together(terms: list[tuple[Any, tuple[Any, ...]]]) -> list[tuple[Any, tuple[Any, ...]]]:
    """y f(x) + (1 - y) g(x), elementwise, as g(x) + y (f - g)(x), where that is shorter."""
    groups: dict[Any, list[tuple[int, Any, Any]]] = {}
    for k, (coefficient, factors) in enumerate(terms):
        parts = factors[0].args if len(factors) == 1 and isinstance(factors[0], HadamardProduct) else factors
        applied = [a for a in parts if isinstance(a, ElementwiseApplyFunction)] if len(factors) == 1 else []
        if len(applied) == 1 and coefficient.is_number:
            body, x = body_and_argument(applied[0])
            if body.free_symbols != {U}:
                continue
            others = [a for a in parts if a is not applied[0]]
            groups.setdefault(x, []).append((k, coefficient * body, others))
    together = list(terms)
    for x, members in groups.items():
        bodies: dict[Any, Any] = {}
        for _, body, others in members if len(members) > 1 else ():
            for part in _terms(hadamard(*others) if others else S.One):
                c, core = coefficient_and_factors(part)
                key = None if all(isinstance(f, OneMatrix) for f in core) else scaled(S.One, core)
                bodies[key] = bodies.get(key, S.Zero) + c * body
        bodies = {key: shortest(body) for key, body in bodies.items()}
        before = sum(_operations(body, [t for o in others for t in _terms(o)]) for _, body, others in members)
        after = sum(_operations(body, [] if key is None else _factors(key)) for key, body in bodies.items())
        if bodies and after < before:
            taken = [terms[k] for k, _, _ in members]
            made = [apply(b, x) if key is None else hadamard(key, apply(b, x)) for key, b in bodies.items()]
            split = [coefficient_and_factors(e) for e in made if not is_zero(e)]
            together = [t for t in together if t not in taken] + [(c, tuple(factors)) for c, factors in split]
    return together


def _factors(e: Any) -> Sequence[Any]:
    return e.args if isinstance(e, HadamardProduct) else (e,)


def _terms(e: Any) -> Sequence[Any]:
    return e.args if isinstance(e, MatAdd) else (e,)


def _operations(body: Any, others: Sequence[Any]) -> int:
    return int(body.count_ops()) + 2 * len(others)


def _transposed(e: Any) -> Any:
    inside = [transpose(a) for a in e.args]
    return add(*inside) if count_in(inside) <= count_in(e.args) else node(Transpose, e)


TRANSPOSED[MatAdd] = _transposed
