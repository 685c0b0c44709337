"""What is known of a matrix symbol: symmetric, diagonal, orthogonal, positive definite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sympy
from sympy.assumptions.assume import AppliedPredicate, global_assumptions

from diffkit.errors import InputError

__all__ = ["facts_of", "is_diagonal", "is_orthogonal", "is_symmetric", "known"]

_IMPLIED = {
    "symmetric": ("symmetric",),
    "hermitian": ("symmetric",),  # everything here is real
    "positive_definite": ("symmetric", "positive definite"),
    "diagonal": ("diagonal", "symmetric"),
    "orthogonal": ("orthogonal",),
    "unitary": ("orthogonal",),
}
"""A positive definite matrix is a symmetric one, as in the books (Boyd and Vandenberghe, appendix A.5)."""

_facts: ContextVar[dict[Any, frozenset[str]]] = ContextVar("facts of matrix symbols")


@contextmanager
def known(assumptions: Any = True) -> Iterator[None]:
    """Within, the matrix symbols have the properties that ``assumptions`` and SymPy's ``assuming`` declare.

    Raises:
        InputError: if the assumptions are no conjunction of SymPy's predicates.
    """
    if isinstance(assumptions, list | tuple | set):
        assumptions = sympy.And(*assumptions)
    facts: dict[Any, frozenset[str]] = {}
    for fact in (*sympy.And.make_args(sympy.sympify(assumptions)), *global_assumptions):
        if fact is sympy.true:
            continue
        if not isinstance(fact, AppliedPredicate):
            raise InputError(f"expected assumptions such as Q.symmetric(A) & Q.diagonal(D), got {fact}")
        implied = _IMPLIED.get(str(fact.function.name))
        if implied and len(fact.arguments) == 1:
            (matrix,) = fact.arguments
            facts[matrix] = facts.get(matrix, frozenset()).union(implied)
    token = _facts.set(facts)
    try:
        yield
    finally:
        _facts.reset(token)


def facts_of(matrix: Any) -> frozenset[str]:
    """Everything that is known of a symbol."""
    return _facts.get({}).get(matrix, frozenset())


def _has(matrix: Any, fact: str) -> bool:
    return fact in facts_of(matrix)


def is_symmetric(matrix: Any) -> bool:
    """Whether the symbol was declared symmetric, or what implies it."""
    return _has(matrix, "symmetric")


def is_diagonal(matrix: Any) -> bool:
    return _has(matrix, "diagonal")


def is_orthogonal(matrix: Any) -> bool:
    return _has(matrix, "orthogonal")
