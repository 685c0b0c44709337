"""Derivatives by matrices, vectors and scalars of expressions in matrices.

Vectors are n x 1, a 1 x 1 expression is a number. A gradient has the variable's shape, unless numerator
layout is asked for; Jacobians are in numerator layout, (m, n). The elements of a matrix are independent. By a
symbol that is declared symmetric, positive definite or diagonal, the gradient is the one within that space:
the unconstrained one's symmetric (diagonal) part, the G with df = tr(G^T dX) for every dX of the space
(Srinivasan and Panda, *What is the gradient of a scalar function of a symmetric matrix?*, 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import sympy
from sympy import MatrixBase, MatrixExpr, MatrixSymbol, Rational, S, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError
from diffkit.expressions import SymbolicNumber
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.facts import is_diagonal, is_orthogonal, is_symmetric, session
from diffkit.symbolic.matrices.linear import matrix_of
from diffkit.symbolic.matrices.reading import read, shape_text, short
from diffkit.symbolic.matrices.sweeps import forward_sweep, reverse_sweep
from diffkit.symbolic.matrices.vectorised import vec, vec_jacobian_of

Layout: TypeAlias = Literal["gradient", "numerator"]

LAYOUTS: dict[str, str] = {
    "gradient": "gradient layout: the gradient has the variable's shape",
    "numerator": "numerator layout: the derivative of a scalar has the shape of the variable's transpose",
}
"""The layouts of a scalar's derivative, and what each says."""


def checked_layout(layout: str) -> str:
    if layout not in LAYOUTS:
        raise InputError(f"expected layout='gradient' or layout='numerator', got {layout!r}")
    return layout


def _one_of(xs: Any) -> Any:
    """The one variable, also in a list."""
    if isinstance(xs, list | tuple):
        if len(xs) != 1:
            raise InputError(
                f"expected one variable among matrices, got {list(xs)}; take one after the other"
            )
        return xs[0]
    return xs


def variable(x: Any) -> Any:
    """What can be differentiated by among matrices: a scalar symbol or a MatrixSymbol.

    Raises:
        InputError: for anything else, with what to write instead.
    """
    if isinstance(x, SymbolicNumber):
        x = x.expr
    if isinstance(x, str):
        raise InputError(f"expected a symbol to differentiate by, got the text {x!r}")
    if isinstance(x, MatrixElement):
        raise InputError(
            f"expected a whole matrix to differentiate by, got the element {x}; differentiate by {x.parent}, "
            "whose derivative has this one among its elements"
        )
    if isinstance(x, MatrixSymbol):
        if is_orthogonal(x):
            raise InputError(
                f"the elements of {x}, which is declared orthogonal, can't change by themselves; leave the "
                "assumption out to differentiate by it, and project the answer"
            )
        return x
    if isinstance(x, sympy.Symbol):
        return x
    kind = "matrix expression" if isinstance(x, MatrixExpr | MatrixBase) else "expression"
    raise InputError(
        f"expected a symbol to differentiate by, got the {kind} {short(x)}; put a symbol in its place first"
    )


def diff(expr: Any, variables: Sequence[Any], layout: str, assumptions: Any) -> Any:
    """The derivative by one variable after the other; see :func:`diffkit.symbolic.diff`."""
    checked_layout(layout)
    with session(assumptions):
        e = read(expr)
        turns = [variable(x) for x in variables]
        for count, x in enumerate(turns):
            last = count == len(turns) - 1
            e = derivative_of(e, x, layout if last else "gradient")
    return e


def derivative_of(e: Any, x: Any, layout: str) -> Any:
    """The derivative of an expression that was read, by one variable."""
    if not isinstance(x, MatrixSymbol):
        return forward_sweep(e, {x: S.One})
    if is_scalar(e):
        return _gradients(e, [x], layout)[0]
    return _jacobian(e, x)


def _gradients(e: Any, xs: Sequence[Any], layout: str) -> list[Any]:
    return [_laid_out(_projected(g, x), layout) for x, g in zip(xs, reverse_sweep(e, xs, S.One), strict=True)]


def _projected(g: Any, x: Any) -> Any:
    if is_diagonal(x):
        return algebra.diagonal_part(g)
    if is_symmetric(x) and algebra.transpose(g) != g:
        return algebra.product(Rational(1, 2), algebra.add(g, algebra.transpose(g)))
    return g


def _laid_out(g: Any, layout: str) -> Any:
    return algebra.transpose(g) if layout == "numerator" else g


def _jacobian(e: Any, x: Any) -> Any:
    """Of a column, or a row, by one: (m, n)."""
    if 1 not in x.shape or 1 not in algebra.shape(e):
        axes = sum(size != 1 for size in (*algebra.shape(e), *x.shape))
        raise InputError(
            f"the derivative of {shape_text(e)} by {shape_text(x)} has {axes} axes, and a matrix has two; "
            f"jacobian(F, {x}, vec=True) is that of vec(F) by vec({x}), columns stacked; or differentiate a "
            "scalar of it, such as Trace(G.T*F) with a matrix G for the adjoint"
        )
    column = e if algebra.shape(e)[1] == 1 else algebra.transpose(e)
    dx = _change(column, x)
    change = forward_sweep(column, {x: dx})
    if x.shape[1] != 1:  # by a row: in terms of the column that it is the transpose of
        turned = MatrixSymbol(dx.name, x.shape[1], 1)
        change, dx = read(change.xreplace({dx: Transpose(turned)})), turned
    return matrix_of(change, dx)


def _change(e: Any, x: Any) -> Any:
    """A symbol for the variable's differential that is not in the expression."""
    dx = MatrixSymbol(f"d{x.name}", *x.shape)
    while e.has(dx):
        dx = MatrixSymbol(f"d{dx.name}", *x.shape)
    return dx


def _vec_jacobian(e: Any, x: Any) -> Any:
    """Of vec(e) by vec(x): (mn, pq)."""
    if not isinstance(x, MatrixSymbol):
        return vec(forward_sweep(e, {x: S.One}))
    dx = _change(e, x)
    return vec_jacobian_of(forward_sweep(e, {x: dx}), dx)


def gradient(expr: Any, xs: Any, layout: str, assumptions: Any) -> Any:
    """Of a scalar: one gradient for one variable, a list for a list; one sweep for all of them."""
    checked_layout(layout)
    single = isinstance(xs, sympy.Basic)
    with session(assumptions):
        e = read(expr)
        if not is_scalar(e):
            raise InputError(f"the gradient is that of a scalar, got {shape_text(e)}; use jacobian")
        turns = [variable(x) for x in ([xs] if single else xs)]
        if len(set(turns)) < len(turns):
            raise InputError(f"expected different symbols, got {turns}")
        found = _gradients(e, turns, layout)
    return found[0] if single else found


def jacobian(expr: Any, x: Any, assumptions: Any, vectorised: bool = False) -> Any:
    """Of a column by a column: (m, n); or of vec by vec."""
    with session(assumptions):
        e, by = read(expr), variable(_one_of(x))
        if vectorised:
            return _vec_jacobian(e, by)
        if is_scalar(e) and isinstance(by, MatrixSymbol):
            if 1 not in by.shape:
                raise InputError(f"the Jacobian is by a column, got {shape_text(by)}; use gradient")
            (g,) = _gradients(e, [by], "gradient")
            return algebra.transpose(g) if by.shape[1] == 1 else g
        return derivative_of(e, by, "gradient")


def hessian(expr: Any, x: Any, assumptions: Any, vectorised: bool = False) -> Any:
    """Of a scalar by a column twice: (n, n); or by vec twice."""
    with session(assumptions):
        e, by = read(expr), variable(_one_of(x))
        if not is_scalar(e):
            raise InputError(f"the Hessian is that of a scalar, got {shape_text(e)}")
        first = derivative_of(e, by, "gradient")
        if vectorised:
            return _vec_jacobian(first, by)
        if isinstance(by, MatrixSymbol) and 1 not in by.shape:
            raise InputError(
                f"the Hessian of a scalar by {shape_text(by)} has four axes, and a matrix has two; "
                f"hessian(e, {by}, vec=True) is that by vec({by}), columns stacked; its product with a "
                f"matrix V is diff(Trace(V.T*G), {by}), where G = diff(e, {by})"
            )
        return derivative_of(first, by, "gradient")
