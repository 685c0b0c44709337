"""A user's own functions of matrices: their pullbacks, their differentials, and what computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import MatrixExpr
from sympy.core.function import AppliedUndef

from diffkit.errors import InputError
from diffkit.symbolic.matrices.algebra.nodes import Atom


@dataclass(frozen=True, slots=True)
class OwnRule:
    """What was said of a head, per argument; None where it is never differentiated by that."""

    vjps: tuple[Callable[..., Any] | None, ...]
    jvps: tuple[Callable[..., Any] | None, ...]
    numpy: Callable[..., Any] | None


_ANY = sympy.MatrixSymbol("A", 2, 2)

OWN: dict[type, OwnRule] = {}
"""By head."""


def defmatrixrule(
    head: Any,
    vjps: Sequence[Callable[..., Any] | None],
    jvps: Sequence[Callable[..., Any] | None],
    *,
    numpy: Callable[..., Any] | None = None,
) -> None:
    """Says how a function of matrices is differentiated.

    Args:
        head: its class: an undefined ``Function("f", commutative=True)`` whose values are numbers, or a
            class of one's own, derived from ``sympy.MatrixExpr`` (with a ``shape``) if they are matrices.
        vjps: per argument, the pullback ``vjp(g, ans, *args)`` as a SymPy expression of the argument's shape:
            ``g`` is the answer's adjoint, ``ans`` the answer. None by an argument that is never varied.
        jvps: per argument, its term of the differential, ``jvp(d, ans, *args)``, linear in ``d``, the
            argument's differential, of the answer's shape.
        numpy: computes it of arrays of two axes and numbers, for ``lambdify`` and for the check of steps.

    Raises:
        InputError: for a head that is no SymPy class, or where there is not one of each per argument.

    >>> import numpy as np
    >>> from diffkit.symbolic import diff
    >>> A, B = sympy.MatrixSymbol("A", 3, 2), sympy.MatrixSymbol("B", 3, 2)
    >>> norm = sympy.Function("norm", commutative=True)
    >>> defmatrixrule(
    ...     norm,
    ...     vjps=[lambda g, ans, X: g / ans * X],
    ...     jvps=[lambda d, ans, X: sympy.Trace(X.T * d) / ans],
    ...     numpy=np.linalg.norm,
    ... )
    >>> diff(norm(A - B), A)
    1/norm(A - B)*(A - B)
    """
    if not isinstance(head, type) or not issubclass(head, sympy.Basic):
        raise InputError(f"expected a SymPy class to define a rule for, such as Function('f'), got {head!r}")
    if len(vjps) != len(jvps) or not vjps:
        raise InputError(
            f"expected a vjp and a jvp for each argument of {head.__name__}, got {len(vjps)} and {len(jvps)}"
        )
    if issubclass(head, AppliedUndef) and not head(*[_ANY] * len(vjps)).is_commutative:
        name = head.__name__
        raise InputError(
            f"to SymPy, {name} of a matrix is no number; declare it as Function({name!r}, commutative=True)"
        )
    if not issubclass(head, MatrixExpr):
        Atom.register(head)
    OWN[head] = OwnRule(tuple(vjps), tuple(jvps), numpy)
