"""Taking in a user's matrix expression: shapes checked, every head known, all written as a textbook does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy import MatrixBase, MatrixExpr, MatrixSymbol
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.blockmatrix import BlockDiagMatrix
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.slice import MatrixSlice

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import post_order
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.own_rules import OWN

MATRIX_HEADS = (MatrixExpr, sympy.Trace, sympy.Determinant, sympy.Permanent, DotProduct)


def is_matrix_expression(e: Any) -> bool:
    """Whether it is a matrix of symbols, not one that is written out."""
    return isinstance(e, MatrixExpr) and not isinstance(e, MatrixBase)


def is_about_matrices(expr: Any) -> bool:
    """Whether matrices stand in the expression as symbols, other than by their elements."""
    if not isinstance(expr, sympy.Basic):
        return False
    stack, seen = [expr], set()
    while stack:
        e = stack.pop()
        if isinstance(e, MATRIX_HEADS) and not isinstance(e, MatrixBase):
            return True
        if id(e) not in seen and not isinstance(e, MatrixElement):
            seen.add(id(e))
            stack.extend(e.args)
    return False


def shape_text(e: Any) -> str:
    """``W (m × n)``, for messages."""
    rows, columns = algebra.shape(e)
    return f"{short(e)} ({rows} × {columns})"


def short(e: Any) -> str:
    text = " ".join(str(e).split())
    return text if len(text) <= 60 else text[:57] + "..."


def read(expr: Any) -> Any:
    """The expression as the constructors of ``algebra.py`` write it.

    Raises:
        InputError: where shapes don't fit, with the part of the expression, or where a number is expected and
            a matrix is given.
        NoRuleError: for a head that is not known here, by name.
    """
    return read_all([expr])[0]


def read_all(exprs: Sequence[Any]) -> list[Any]:
    """Several expressions, read as one; what they share is read once."""
    memo: dict[int, Any] = {}
    for e in post_order(*exprs):
        if isinstance(e, MatrixBase):
            memo[id(e)] = e[0, 0] if e.shape == (1, 1) else sympy.ImmutableDenseMatrix(e)
        elif not e.args or isinstance(e, MatrixSymbol | sympy.Lambda) or type(e) is sympy.Tuple:
            memo[id(e)] = e
        else:
            args = [memo[id(a)] for a in e.args]
            memo[id(e)] = _read(e, args)
    return [memo[id(e)] for e in exprs]


def _read(e: Any, args: list[Any]) -> Any:
    head = type(e)
    if head in OWN:
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
    for kind, reading in _READINGS.items():
        if head is kind:
            return reading(e, *args)
    if isinstance(e, MatrixExpr | sympy.Permanent | _UNEVALUATED) and e.has(MatrixExpr):
        for kinds, advice in _ADVICE.items():
            if isinstance(e, kinds):
                raise NoRuleError(f"{head.__name__} has no rule among matrices: {advice}, in {short(e)}")
        raise NoRuleError(
            f"{head.__name__} has no rule among matrices, in {short(e)}; {_how_to_give_one(head)}, or put a "
            "MatrixSymbol in its place, differentiate by that, and chain the two by hand"
        )
    matrix = next((a for a in args if isinstance(a, MatrixExpr | MatrixBase)), None)
    if matrix is not None and isinstance(e, AppliedUndef):
        raise NoRuleError(
            f"{head.__name__} is a function of the matrix {shape_text(matrix)} without a rule; "
            f"{_how_to_give_one(head)}"
        )
    if matrix is not None and isinstance(e, sympy.Expr):
        name = head.__name__
        raise InputError(
            f"{name} takes a number, got the matrix {shape_text(matrix)}; of each element it is "
            f"{short(matrix)}.applyfunc({name})"
            if isinstance(e, sympy.Function)
            else f"numbers and matrices are mixed in {short(e)}: {shape_text(matrix)} is no number; "
            "Trace(...) makes one of a 1 × 1 matrix, and s*OneMatrix(m, n) a matrix of the number s"
        )
    if all(a is b for a, b in zip(args, e.args, strict=True)):
        return e
    return e.func(*args)


def _how_to_give_one(head: type) -> str:
    name = head.__name__
    return f"give it one with diffkit.symbolic.defmatrixrule({name}, vjps=[...], jvps=[...])"


# -- one reading per head -----------------------------------------------------------------------------


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or sympy.expand(a - b) == 0


def _sum(e: Any, *args: Any) -> Any:
    for a in args[1:]:
        if not all(map(_same, algebra.shape(a), algebra.shape(args[0]))):
            raise InputError(
                f"the terms of {short(e)} have different shapes: {shape_text(args[0])} and {shape_text(a)}"
            )
    return algebra.add(*args, collect=False)


def _product(e: Any, *args: Any) -> Any:
    """A chain in which shapes fit, but for 1 x 1 stretches, which are numbers: (x^T y) A."""
    scalars = [a for a in args if is_scalar(a)]
    stretches: list[list[Any]] = []
    for a in args:
        if not is_scalar(a):
            if stretches and _same(stretches[-1][-1].shape[1], a.shape[0]):
                stretches[-1].append(a)
            else:
                stretches.append([a])
    parts = [algebra.product(*s) for s in stretches]
    matrices = [p for p in parts if not is_scalar(p)]
    for left, right in pairwise(matrices):
        if not _same(left.shape[1], right.shape[0]):
            raise InputError(
                f"shapes don't fit in {short(e)}: {shape_text(left)} has {left.shape[1]} columns, "
                f"{shape_text(right)} has {right.shape[0]} rows{_wrong_way_round(left, right)}"
            )
    return algebra.product(*scalars, *[p for p in parts if is_scalar(p)], *matrices)


def _wrong_way_round(left: Any, right: Any) -> str:
    if _same(right.shape[1], left.shape[0]):
        return f"; {short(right)}*{short(left)} would fit"
    if _same(left.shape[1], right.shape[1]):
        return f"; {short(left)}*({short(right)}).T would fit"
    if _same(left.shape[0], right.shape[0]):
        return f"; ({short(left)}).T*{short(right)} would fit"
    return ""


def _elementwise_product(e: Any, *args: Any) -> Any:
    for a in args[1:]:
        if not all(map(_same, algebra.shape(a), algebra.shape(args[0]))):
            raise InputError(
                f"the factors of {short(e)} have different shapes: {shape_text(args[0])} and {shape_text(a)}"
            )
    return algebra.hadamard(*args)


def _elementwise_power(e: Any, base: Any, exponent: Any) -> Any:
    if is_scalar(exponent):
        return algebra.hadamard_power(base, exponent)
    if is_scalar(base):
        return algebra.apply(base**algebra.U, exponent)
    raise NoRuleError(
        f"HadamardPower has a rule for one matrix and one number, not for both as in {short(e)}"
    )


def _applied(e: Any, function: Any, x: Any) -> Any:
    body = function.expr.xreplace({function.variables[0]: algebra.U})
    return algebra.apply(read(body), x)


def _square(what: str, build: Callable[[Any], Any]) -> Callable[..., Any]:
    def reading(e: Any, x: Any, *rest: Any) -> Any:
        rows, columns = algebra.shape(x)
        if not _same(rows, columns):
            raise InputError(f"{what} needs a square matrix, got {shape_text(x)}")
        return build(x)

    return reading


def _power(e: Any, base: Any, exponent: Any) -> Any:
    rows, columns = algebra.shape(base)
    if not _same(rows, columns):
        raise InputError(f"a power needs a square matrix, got {shape_text(base)}")
    return algebra.power(base, exponent)


def _column(build: Callable[[Any], Any]) -> Callable[..., Any]:
    def reading(e: Any, x: Any) -> Any:
        rows, columns = algebra.shape(x)
        if columns == 1:
            return build(x)
        if rows == 1:
            return build(algebra.transpose(x))
        raise InputError(f"DiagMatrix makes a matrix of a column, got {shape_text(x)}; use DiagonalMatrix")

    return reading


def _inner(e: Any, a: Any, b: Any) -> Any:
    columns = [algebra.transpose(v) if algebra.shape(v)[1] != 1 else v for v in (a, b)]
    return algebra.product(algebra.transpose(columns[0]), columns[1])


def _element(e: Any, base: Any, i: Any, j: Any) -> Any:
    if is_scalar(base):
        return base
    if isinstance(base, MatrixBase):
        return base[i, j]
    return algebra.node(MatrixElement, base, i, j)


def _unit(e: Any, size: Any) -> Any:
    return algebra.identity(size)


_READINGS: dict[Any, Callable[..., Any]] = {
    sympy.MatAdd: _sum,
    sympy.MatMul: _product,
    sympy.HadamardProduct: _elementwise_product,
    sympy.HadamardPower: _elementwise_power,
    ElementwiseApplyFunction: _applied,
    sympy.Transpose: lambda e, x: algebra.transpose(x),
    sympy.Adjoint: lambda e, x: algebra.transpose(x),
    sympy.Inverse: _square("an inverse", algebra.inverse),
    sympy.MatPow: _power,
    sympy.Trace: _square("a trace", algebra.trace),
    sympy.Determinant: _square("a determinant", algebra.determinant),
    sympy.DiagMatrix: _column(algebra.diagonal_matrix),
    DiagonalOf: _square("DiagonalOf", algebra.diagonal_of),
    DiagonalMatrix: _square("DiagonalMatrix", algebra.diagonal_part),
    DotProduct: _inner,
    MatrixElement: _element,
    sympy.KroneckerProduct: lambda e, *args: algebra.kronecker(*args),
    sympy.FunctionMatrix: lambda e, *args: e,
    sympy.Identity: _unit,
    sympy.ZeroMatrix: lambda e, m, n: algebra.zeros(m, n),
    sympy.OneMatrix: lambda e, m, n: algebra.ones(m, n),
}

_UNEVALUATED = sympy.Sum | sympy.Product | sympy.Integral | sympy.Derivative
_ADVICE: dict[Any, str] = {
    sympy.BlockMatrix | BlockDiagMatrix: "differentiate by its blocks one by one, in an expression of the "
    "blocks, such as block_collapse makes",
    sympy.Permanent: "its derivative by an element is the permanent without that row and column",
    MatrixSlice: "put a MatrixSymbol in the part's place, or E.T*A*F with matrices of zeros and ones",
    sympy.Sum: "of the element of a product, leave the index out, as a 1 × 1 matrix is a number here; a sum "
    "over all elements is OneMatrix(1, m)*X*OneMatrix(n, 1), one of squares Trace(X.T*X)",
    sympy.Product | sympy.Integral | sympy.Derivative: "evaluate it first, with .doit()",
}
