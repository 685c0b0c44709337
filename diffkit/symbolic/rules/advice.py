"""What to write instead of what has no rule."""

from __future__ import annotations

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.expressions import Expression


def no_rule(node: Expression) -> str:
    """Why a node can't be differentiated, and what to write instead."""
    name = type(node).__name__
    if type(node).__module__.startswith("sympy.vector."):  # which is seldom imported
        return f"{name} is a vector; differentiate its components, as in v.to_matrix(N)"
    for kinds, advice in _ADVICE:
        if isinstance(node, kinds):
            return f"{name} {advice}"
    return (
        f"there is no rule for the derivative of {name}; define one with "
        f"diffkit.symbolic.defrule({name}, partial, ...), one partial derivative per argument"
    )


_ADVICE: list[tuple[tuple[type, ...], str]] = [
    (
        (sympy.MatrixExpr, MatrixElement, sympy.Trace, sympy.Determinant, sympy.MatrixBase),
        "is a matrix expression, which has no rule; write the matrices out, as in "
        "expr.subs(A, A.as_explicit()).doit(), and it is differentiated element by element",
    ),
    (
        (sympy.KroneckerDelta, sympy.LeviCivita),
        "is a function of integers, so it has no derivative; give its indices their values first, with .subs",
    ),
    ((sympy.Lambda,), "is a function and no value; differentiate its value f(x)"),
    (
        (sympy.Limit,),
        "is unevaluated, and a limit may not be exchanged with a derivative; evaluate it first, with .doit()",
    ),
    (
        (sympy.Order,),
        "is the error term of a series, and the derivative of what is small need not be small; "
        "leave it out with .removeO()",
    ),
]
