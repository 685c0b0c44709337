"""Derivatives of SymPy expressions, by the chain rule over the shared graph.

Forward mode carries a tangent up from the variables to the root, reverse mode an adjoint down from
the root to the variables. Both visit every distinct subexpression once, so both take time linear in
the graph (Griewank and Walther, *Evaluating Derivatives*, 2nd ed., sections 3.1 and 3.2), whatever
the size of the tree that would be printed. Nothing is simplified unless asked for.

>>> import sympy
>>> x, y = sympy.symbols("x y")
>>> diff(x * sympy.sin(x), x)
x*cos(x) + sin(x)
>>> gradient(x**2 * y, [x, y])
[(2*x)*y, x**2]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import Expression, post_order
from diffkit.expressions.operations import ONE, ZERO
from diffkit.symbolic import arguments
from diffkit.symbolic.budget import BudgetError, within
from diffkit.symbolic.matrices import derivatives as of_matrices
from diffkit.symbolic.matrices.derivatives import Layout
from diffkit.symbolic.matrices.reading import is_about_matrices, is_matrix_expression
from diffkit.symbolic.sweeps import forward_sweep, reverse_sweep

Mode: TypeAlias = Literal["forward", "reverse"]
Simplify: TypeAlias = bool | Callable[[Any], Any]


def diff(
    expr: Any,
    *variables: Any,
    mode: Mode = "forward",
    seed: Any = 1,
    simplify: Simplify = False,
    seconds: float = 30.0,
    layout: Layout = "gradient",
    assumptions: Any = True,
) -> Any:
    """The derivative of an expression, or of a matrix or array element by element.

    In matrices that are symbols (``MatrixSymbol``), it is one formula in them: of a scalar by a matrix or a
    vector the gradient, of a column by a column the Jacobian, of a matrix by a scalar the matrix of the
    derivatives. Vectors are n x 1, and a 1 x 1 expression is a scalar. By a symbol that is declared symmetric
    or diagonal, a gradient is the one within the space of such matrices: the symmetric (diagonal) part.

    Args:
        expr: a SymPy expression, matrix or array, read as a function of real numbers.
        variables: the symbol to differentiate by. Several, or a symbol and an order, give higher
            and mixed derivatives: ``diff(expr, x, 2, y)`` is that of ``sympy.diff``.
        mode: ``"forward"`` (tangents, from the symbols up) or ``"reverse"`` (adjoints, from the root
            down); equal in value, different in form.
        seed: what the tangent of the symbol (or the adjoint of the root) starts from: 1, a number,
            or a symbol that then stands for it in the result.
        simplify: False leaves the result as the rules give it. True, or a function such as
            ``sympy.factor``, is applied to it as a separate step.
        seconds: the time that this step may take, for all elements together.
        layout: of a scalar's derivative by a matrix: ``"gradient"``, with the shape of the variable, or
            ``"numerator"``, with that of its transpose. Jacobians are in numerator layout, (m, n), always.
        assumptions: what is known of the matrices beside SymPy's ``assuming``: ``Q.symmetric(A)``, diagonal,
            orthogonal, positive_definite (which are symmetric), joined by ``&``.

    Returns:
        A SymPy expression, in the shared form that :mod:`diffkit.expressions` describes. Where there
        is no derivative it takes the convention of the table: 0 for ``Abs`` at 0, one half each for
        ``Max`` and ``Min`` at a tie, 0 for ``sign``, ``floor`` and ``Heaviside`` at their jumps (so
        no Dirac delta), and for ``Piecewise`` the piece that holds.

    Raises:
        InputError: for text, conditions, and what can't be differentiated by.
        NoRuleError: for a head without a rule, by name.
        BudgetError: when the simplification runs out of time; or the derivatives of higher order that are
            asked for hold more than 500,000 operands, and a hundred times as many as the first.

    >>> import sympy
    >>> x, y, t = sympy.symbols("x y t")
    >>> diff(sympy.exp(2 * x) / y, x)
    (2*exp(2*x))/y
    >>> diff(x**3, x, 2)
    3*(2*x)
    >>> diff(sympy.sin(x * y), x, mode="reverse", seed=t)
    y*(t*cos(x*y))
    >>> diff(y, x)
    0
    >>> W, b, z, v = (
    ...     sympy.MatrixSymbol(*given) for given in (("W", 3, 2), ("b", 3, 1), ("z", 2, 1), ("v", 3, 1))
    ... )
    >>> diff(v.T * (W * z + b), W), diff(W * z + b, z), diff(sympy.log(sympy.Determinant(W * W.T)), W)
    (v*z.T, W, 2*(W*W.T)**(-1)*W)
    """
    if is_matrix_expression(expr) or any(map(is_matrix_expression, variables)):
        return _in_matrices(expr, variables, seed, layout, assumptions)
    try:
        return _diff(expr, variables, mode, seed, simplify, seconds)
    except (InputError, NoRuleError):
        if not is_about_matrices(expr) or _can_be_written_out(variables):
            raise
        return _in_matrices(expr, variables, seed, layout, assumptions)


def _can_be_written_out(variables: tuple[Any, ...]) -> bool:
    """Whether by elements of matrices of known sizes: then matrices written out are differentiated."""
    elements = [x for x in variables if isinstance(x, MatrixElement)]
    return any(all(size.is_Integer for size in x.parent.shape) for x in elements)


def _in_matrices(expr: Any, variables: tuple[Any, ...], seed: Any, layout: str, assumptions: Any) -> Any:
    if seed != 1:
        raise InputError(f"expected no seed among matrices, got {seed}; multiply the expression by it")
    turns = arguments.orders(variables, of_matrices.variable)
    return of_matrices.diff(expr, list(turns), layout, assumptions)


def _diff(
    expr: Any, variables: tuple[Any, ...], mode: Mode, seed: Any, simplify: Simplify, seconds: float
) -> Any:
    mode_ = arguments.checked_mode(mode)
    turns = arguments.orders(variables)
    if isinstance(expr, sympy.MatrixBase | sympy.NDimArray):
        elements = _repeated([arguments.expression(e) for e in sympy.flatten(expr)], turns, mode_, seed)
        elements = _simplified(elements, simplify, seconds)
        if isinstance(expr, sympy.NDimArray):
            return type(expr)(elements, expr.shape)
        return type(expr)(*expr.shape, elements)
    derivatives = _repeated([arguments.expression(expr)], turns, mode_, seed)
    return _simplified(derivatives, simplify, seconds)[0]


def _repeated(exprs: list[Expression], turns: Iterator[Expression], mode: str, seed: Any) -> list[Expression]:
    """The expressions differentiated by one variable after the other."""
    start = arguments.seed(seed)
    operands = most = 0
    for order, x in enumerate(turns):
        if order:
            operands += sum(len(node._args) for node in post_order(*exprs))
            most = most or _GROWTH * operands + _MOST_OPERANDS
        if operands > most:
            raise BudgetError(
                f"the derivatives up to order {order} hold {operands:,} operands in all, and the next ones "
                "would hold more; simplify on the way, as in diff(diff(expr, x, 10, simplify=True), x, 10)"
            )
        if mode == "forward":  # what the expressions share is done once
            exprs = forward_sweep(exprs, [x], [start])
        else:
            exprs = [reverse_sweep([expr], [x], [start])[0] for expr in exprs]
        if all(expr is ZERO for expr in exprs):
            break
    return exprs


_GROWTH, _MOST_OPERANDS = 100, 500_000  # of higher derivatives, beside the first: what takes some seconds


def gradient(
    expr: Any,
    xs: Any,
    *,
    mode: Mode = "reverse",
    simplify: Simplify = False,
    seconds: float = 30.0,
    layout: Layout = "gradient",
    assumptions: Any = True,
) -> Any:
    """The derivatives of one expression by each of several symbols.

    Args:
        expr: a SymPy expression, or a scalar expression of matrices.
        xs: a list of n different symbols; or a MatrixSymbol, or a list of them.
        mode: reverse mode takes one sweep for all symbols, forward mode one each.
        simplify: as for :func:`diff`, for each element.
        seconds: as for :func:`diff`.
        layout: as for :func:`diff`: the shape of a gradient by a matrix.
        assumptions: as for :func:`diff`.

    Returns:
        A list of n SymPy expressions. By a MatrixSymbol one matrix expression of its shape, by a list of
        them a list, as formulas in the matrices.

    Raises:
        InputError, NoRuleError: as :func:`diff`; also if ``xs`` is not a list of different symbols.
        BudgetError: when the simplification runs out of time.

    >>> import sympy
    >>> a, b, c = sympy.symbols("a b c")
    >>> gradient(a * b * c, [a, b, c])
    [b*c, a*c, a*b]
    >>> X, w, y = (sympy.MatrixSymbol(*given) for given in (("X", 9, 2), ("w", 2, 1), ("y", 9, 1)))
    >>> gradient((y - X * w).T * (y - X * w), w)
    -2*X.T*(-X*w + y)
    """
    if _any_matrix(expr, xs):
        return of_matrices.gradient(expr, xs, layout, assumptions)
    try:
        (row,) = _jacobian(
            [arguments.expression(expr)], arguments.variables(xs), arguments.checked_mode(mode)
        )
    except (InputError, NoRuleError):
        if not is_about_matrices(expr):
            raise
        return of_matrices.gradient(expr, xs, layout, assumptions)
    return _simplified(row, simplify, seconds)


def jacobian(
    exprs: Any,
    xs: Any,
    *,
    mode: Mode | None = None,
    simplify: Simplify = False,
    seconds: float = 30.0,
    assumptions: Any = True,
    vec: bool = False,
) -> Any:
    """The Jacobian matrix in numerator layout: a row per expression, a column per symbol.

    Args:
        exprs: m expressions, as a list or a matrix; or a matrix expression of one column.
        xs: n different symbols; or a MatrixSymbol of one column.
        mode: by default that of the fewer sweeps: forward for n <= m, else reverse.
        simplify: as for :func:`diff`, for each element.
        seconds: as for :func:`diff`.
        assumptions: as for :func:`diff`.
        vec: among matrices: of vec(F) by vec(X), the columns stacked, (mn, pq) of m x n by p x q.

    Returns:
        An immutable SymPy matrix of shape (m, n); of a matrix expression, one formula in the matrices.

    Raises:
        InputError, NoRuleError: as :func:`diff`; also if ``exprs`` is one expression, ``xs`` is not a list
            of different symbols, or the derivative by a matrix has more than two axes.
        BudgetError: when the simplification runs out of time.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> jacobian([x * y, sympy.sin(x)], [x, y])
    Matrix([
    [     y, x],
    [cos(x), 0]])
    >>> A, X, B = (sympy.MatrixSymbol(*given) for given in (("A", 4, 2), ("X", 2, 3), ("B", 3, 5)))
    >>> jacobian(A * X * B, X, vec=True)
    KroneckerProduct(B.T, A)
    """
    if _any_matrix(exprs, xs) or vec:
        return of_matrices.jacobian(exprs, xs, assumptions, vec)
    rows, columns = arguments.expressions(exprs), arguments.variables(xs)
    if mode is None:
        mode = "forward" if len(columns) <= len(rows) else "reverse"
    entries = [e for row in _jacobian(rows, columns, arguments.checked_mode(mode)) for e in row]
    entries = _simplified(entries, simplify, seconds)
    return sympy.ImmutableDenseMatrix(len(rows), len(columns), entries)


def _jacobian(roots: list[Expression], xs: list[Expression], mode: str) -> list[list[Expression]]:
    if mode == "reverse":
        return [reverse_sweep([root], xs, [ONE]) for root in roots]
    columns = [forward_sweep(roots, [x], [ONE]) for x in xs]
    return [[column[k] for column in columns] for k in range(len(roots))]


def _any_matrix(expr: Any, xs: Any) -> bool:
    """Whether matrices stand as symbols in what is differentiated, or in what by."""
    by = xs if isinstance(xs, list | tuple) else [xs]
    return is_matrix_expression(expr) or any(map(is_matrix_expression, by))


def hessian(
    expr: Any,
    xs: Any,
    *,
    mode: Mode = "forward",
    simplify: Simplify = False,
    seconds: float = 30.0,
    assumptions: Any = True,
    vec: bool = False,
) -> Any:
    """The matrix of second derivatives: a reverse sweep for the gradient, then ``mode`` over that.

    Args:
        expr: a SymPy expression, or a scalar expression of matrices.
        xs: a list of n different symbols, or a MatrixSymbol of one column.
        mode: that of the sweeps over the gradient, which is by reverse mode.
        simplify: as for :func:`diff`, for each element.
        seconds: as for :func:`diff`.
        assumptions: as for :func:`diff`.
        vec: by a matrix: that by vec(X), the columns stacked, (mn, mn) of m x n.

    Returns:
        An immutable SymPy matrix of shape (n, n); by a MatrixSymbol, one formula in the matrices.

    Raises:
        InputError, NoRuleError: as :func:`diff`; also if ``xs`` is not a list of different symbols, or is
            a matrix of several columns.
        BudgetError: when the simplification runs out of time.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> hessian(x**2 * y, [x, y])
    Matrix([
    [2*y, 2*x],
    [2*x,   0]])
    """
    if _any_matrix(expr, xs):
        return of_matrices.hessian(expr, xs, assumptions, vec)
    symbols = arguments.variables(xs)
    (first,) = _jacobian([arguments.expression(expr)], symbols, "reverse")
    entries = [e for row in _jacobian(first, symbols, arguments.checked_mode(mode)) for e in row]
    entries = _simplified(entries, simplify, seconds)
    return sympy.ImmutableDenseMatrix(len(symbols), len(symbols), entries)


def jvp(exprs: Sequence[Any], xs: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """The Jacobian times a vector, in one forward sweep: the outputs' tangents.

    Args:
        exprs: m SymPy expressions, as a list or a matrix.
        xs: n different symbols.
        tangents: n numbers or expressions, one per symbol.

    Returns:
        A list of m SymPy expressions.

    Raises:
        InputError: if there is not one tangent per symbol, for one expression that is in no list, and as
            :func:`diff`.
        NoRuleError: as :func:`diff`.

    >>> import sympy
    >>> x, y, u, v = sympy.symbols("x y u v")
    >>> jvp([x * y], [x, y], [u, v])
    [u*y + v*x]
    """
    symbols = arguments.variables(xs)
    seeds = arguments.seeds(tangents)
    if len(seeds) != len(symbols):
        raise InputError(f"expected one tangent for each of {symbols}, got {len(seeds)}")
    return forward_sweep(arguments.expressions(exprs), symbols, seeds)


def vjp(exprs: Sequence[Any], xs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """A vector times the Jacobian, in one reverse sweep: the symbols' adjoints.

    Args:
        exprs: m SymPy expressions, as a list or a matrix.
        xs: n different symbols.
        cotangents: m numbers or expressions, one per expression.

    Returns:
        A list of n SymPy expressions.

    Raises:
        InputError: if there is not one cotangent per expression, for one expression that is in no list,
            and as :func:`diff`.
        NoRuleError: as :func:`diff`.

    >>> import sympy
    >>> x, y, g, h = sympy.symbols("x y g h")
    >>> vjp([x * y, sympy.log(y)], [x, y], [g, h])
    [g*y, g*x + h/y]
    """
    roots = arguments.expressions(exprs)
    seeds = arguments.seeds(cotangents)
    if len(seeds) != len(roots):
        raise InputError(f"expected one cotangent for each of {len(roots)} expressions, got {len(seeds)}")
    return reverse_sweep(roots, arguments.variables(xs), seeds)


# -- simplification, the separate step --------------------------------------------------------------------


def _simplified(exprs: list[Expression], simplify: Simplify, seconds: float) -> list[Expression]:
    """The named, separate step after differentiating."""
    if simplify is False:
        return exprs
    step = sympy.simplify if simplify is True else simplify
    what = "the derivative" if len(exprs) == 1 else f"the {len(exprs)} derivatives"
    return within(seconds, lambda: [step(e) for e in exprs], f"simplifying {what} by {_name(step)}")


def _name(function: Any) -> str:
    return getattr(function, "__name__", repr(function))
