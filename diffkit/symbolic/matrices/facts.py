"""What is known of a matrix symbol: symmetric, diagonal, orthogonal, positive definite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.assumptions.assume import AppliedPredicate, global_assumptions

from diffkit.errors import InputError

_IMPLIED = {
    "symmetric": ("symmetric",),
    "hermitian": ("symmetric",),  # everything here is real
    "positive_definite": ("symmetric", "positive definite"),
    "diagonal": ("diagonal", "symmetric"),
    "orthogonal": ("orthogonal",),
    "unitary": ("orthogonal",),
}
"""A positive definite matrix is a symmetric one, as in the books (Boyd and Vandenberghe, appendix A.5)."""


@dataclass
class _Session:
    """What holds, and what was met, while one question is answered."""

    facts: dict[Any, frozenset[str]] = field(default_factory=dict)
    ages: dict[Any, int] = field(default_factory=dict)
    transposes: dict[Any, Any] = field(default_factory=dict)


_session: ContextVar[_Session] = ContextVar("the question that is being answered")


@contextmanager
def session(assumptions: Any = True) -> Iterator[None]:
    """Within, the matrix symbols have the properties that ``assumptions`` and SymPy's ``assuming`` declare.

    What was met first comes first in a trace, whichever way that is turned, and each matrix is transposed
    once.

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
    token = _session.set(_Session(facts))
    try:
        yield
    finally:
        _session.reset(token)


def transposes() -> dict[Any, Any]:
    """What was transposed so far, by what it is the transpose of."""
    return (_session.get(None) or _Session()).transposes


def age(e: Any) -> int:
    """When it was first met."""
    ages = (_session.get(None) or _Session()).ages
    return ages.setdefault(e, len(ages))


def facts_of(matrix: Any) -> frozenset[str]:
    """Everything that is known of a symbol."""
    current = _session.get(None)
    return current.facts.get(matrix, frozenset()) if current and current.facts else frozenset()


def _has(matrix: Any, fact: str) -> bool:
    return fact in facts_of(matrix)


def is_symmetric(matrix: Any) -> bool:
    """Whether the symbol was declared symmetric, or what implies it."""
    return _has(matrix, "symmetric")


def is_diagonal(matrix: Any) -> bool:
    return _has(matrix, "diagonal")


def is_orthogonal(matrix: Any) -> bool:
    return _has(matrix, "orthogonal")
