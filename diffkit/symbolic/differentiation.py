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

from collections.abc import Callable, Container, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import sympy
from sympy import S
from sympy.logic.boolalg import Boolean

from diffkit.errors import InputError
from diffkit.expressions import NAMES, Expression, SymbolicNumber, intern, number
from diffkit.symbolic.budget import within
from diffkit.symbolic.rules import Context, Rule, read

__all__ = ["Mode", "diff", "gradient", "hessian", "jacobian", "jvp", "reverse_sweep", "vjp"]

Mode: TypeAlias = Literal["forward", "reverse"]

_ZERO, _ONE = intern(S.Zero), intern(S.One)
_total = NAMES["total"]

# -- the sweeps ---------------------------------------------------------------------------------------


def rules_in_order(roots: Sequence[Expression], context: Context, done: Container[int] = ()) -> list[Rule]:
    """The rule of every node that the roots depend on and that is not ``done``, operands first."""
    context.explore(*roots)
    active = context.active
    seen: set[int] = {id(v) for v in context.variables}
    order: list[Rule] = []
    stack: list[Any] = [r for r in reversed(roots) if id(r) in active]
    while stack:
        item = stack.pop()
        if isinstance(item, Rule):  # everything that it depends on is done
            order.append(item)
        elif id(item) not in seen and id(item) not in done:
            seen.add(id(item))
            rule = read(item, context)
            stack.append(rule)
            stack += rule.operands[::-1]
    return order


def forward_sweep(
    roots: Sequence[Expression],
    context: Context,
    tangents: Sequence[Expression],
    known: dict[int, Expression] | None = None,
) -> list[Expression]:
    """The roots' tangents from the variables' tangents; fills ``known`` in, and starts from it."""
    tangent = {} if known is None else known
    tangent |= {id(v): t for v, t in zip(context.variables, tangents, strict=True)}
    for rule in rules_in_order(roots, context, tangent):
        tangent[id(rule.node)] = rule.pushforward([tangent[id(a)] for a in rule.operands])
    return [tangent.get(id(r), _ZERO) for r in roots]


def reverse_sweep(
    roots: Sequence[Expression], context: Context, adjoints: Sequence[Expression]
) -> list[Expression]:
    """The variables' adjoints from the roots' adjoints."""
    received: dict[int, list[Expression]] = {}
    order = rules_in_order(roots, context)
    for root, adjoint in zip(roots, adjoints, strict=True):
        received.setdefault(id(root), []).append(adjoint)
    for rule in reversed(order):
        shares = received.pop(id(rule.node), ())
        adjoint = shares[0] if len(shares) == 1 else _total(shares)
        if adjoint is _ZERO:
            continue
        for operand, share in zip(rule.operands, rule.pullback(adjoint), strict=True):
            key = id(operand)
            if key in received:
                received[key].append(share)
            else:
                received[key] = [share]
    return [_total(received.get(id(v), ())) for v in context.variables]


# -- checking what is given ---------------------------------------------------------------------------


def _expression(expr: Any) -> Expression:
    if isinstance(expr, Boolean | bool) and not isinstance(expr, sympy.Symbol):
        sides = "; differentiate its sides, expr.lhs and expr.rhs" if hasattr(expr, "lhs") else ""
        raise InputError(f"expected an expression with a value, got the condition {expr}{sides}")
    if isinstance(expr, list | tuple | np.ndarray):
        raise InputError(f"expected one expression, got {len(expr)} of them; use jacobian(exprs, xs)")
    expr = intern(expr)
    if not isinstance(expr, sympy.Expr):
        raise InputError(f"expected an expression with a value, got {type(expr).__name__}")
    return expr


def variable(x: Any) -> Expression:
    """What can be differentiated by: a symbol, x[i], an element of a matrix, f(t), a Derivative.

    Raises:
        InputError: for anything else, with what to write instead.
    """
    if isinstance(x, SymbolicNumber):
        x = x.expr
    if isinstance(x, str):
        raise InputError(f"expected a symbol to differentiate by, got the text {x!r}; write Symbol({x!r})")
    if not isinstance(x, sympy.Expr) or not getattr(x, "_diff_wrt", False):
        raise InputError(
            f"expected a symbol to differentiate by, got {x}; put a symbol u in its place first, "
            "as in expr.subs(x**2, u), and differentiate by that"
        )
    if isinstance(x, sympy.MatrixExpr):
        raise InputError(f"expected a scalar to differentiate by, got the matrix {x}; use its elements")
    return intern(x)


def _variables(xs: Any) -> list[Expression]:
    if isinstance(xs, sympy.MatrixBase):
        xs = list(xs)
    if isinstance(xs, sympy.Basic | SymbolicNumber | str):
        raise InputError(f"expected a list of symbols, got {xs!s}; write [{xs!s}]")
    variables = [variable(x) for x in xs]
    if len(set(variables)) < len(variables):
        raise InputError(f"expected different symbols, got {variables}")
    return variables


def _mode(mode: str) -> str:
    if mode not in ("forward", "reverse"):
        raise InputError(f"expected mode='forward' or mode='reverse', got {mode!r}")
    return mode


def _orders(variables: tuple[Any, ...]) -> list[Expression]:
    """The variables in turn: x, 3, y and (x, 3), y both mean x three times, then y."""
    if not variables:
        raise InputError("expected the symbol to differentiate by, as in diff(expr, x)")
    turns: list[Expression] = []
    for item in variables:
        pair = item if isinstance(item, tuple | sympy.Tuple) and len(item) == 2 else None
        if pair is not None:
            turns += [variable(pair[0])] * _count(pair[1])
        elif isinstance(item, int | sympy.Integer) and not isinstance(item, bool):
            if not turns:
                raise InputError(f"expected a symbol before the order {item}, as in diff(expr, x, {item})")
            turns += [turns.pop()] * _count(item)
        else:
            turns.append(variable(item))
    return turns


def _count(order: Any) -> int:
    if not isinstance(order, int | sympy.Integer) or isinstance(order, bool) or order < 0:
        raise InputError(f"expected the order of a derivative, an integer of at least 0, got {order}")
    return int(order)


def _seed(value: Any) -> Expression:
    return number(value) if not isinstance(value, SymbolicNumber) else value.expr


Simplify: TypeAlias = bool | Callable[[Any], Any]


def simplified(expr: Expression, simplify: Simplify, seconds: float) -> Expression:
    """The named, separate step after differentiating."""
    if simplify is False:
        return expr
    step = sympy.simplify if simplify is True else simplify
    return within(seconds, lambda: step(expr), f"simplifying the derivative by {_name(step)}")


def _name(function: Any) -> str:
    return getattr(function, "__name__", repr(function))


# -- the public functions -----------------------------------------------------------------------------


def diff(
    expr: Any,
    *variables: Any,
    mode: Mode = "forward",
    seed: Any = 1,
    simplify: Simplify = False,
    seconds: float = 30.0,
) -> Any:
    """The derivative of an expression, or of a matrix element by element.

    Args:
        expr: a SymPy expression or matrix, read as a function of real numbers.
        variables: the symbol to differentiate by. Several, or a symbol and an order, give higher
            and mixed derivatives: ``diff(expr, x, 2, y)`` is that of ``sympy.diff``.
        mode: ``"forward"`` (tangents, from the symbols up) or ``"reverse"`` (adjoints, from the root
            down); equal in value, different in form.
        seed: what the tangent of the symbol (or the adjoint of the root) starts from: 1, a number,
            or a symbol that then stands for it in the result.
        simplify: False leaves the result as the rules give it. True, or a function such as
            ``sympy.factor``, is applied to it as a separate step.
        seconds: the time that this step may take.

    Returns:
        A SymPy expression, in the shared form that :mod:`diffkit.expressions` describes. Where there
        is no derivative it takes the convention of the table: 0 for ``Abs`` at 0, one half each for
        ``Max`` and ``Min`` at a tie, 0 for ``sign``, ``floor`` and ``Heaviside`` at their jumps (so
        no Dirac delta), and for ``Piecewise`` the piece that holds.

    Raises:
        InputError: for text, conditions, and what can't be differentiated by.
        NoRuleError: for a head without a rule, by name.
        BudgetError: when the simplification runs out of time.

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
    """
    mode_ = _mode(mode)
    turns = _orders(variables)
    if isinstance(expr, sympy.MatrixBase):
        elements = [_repeated(_expression(e), turns, mode_, seed) for e in expr]
        elements = [simplified(e, simplify, seconds) for e in elements]
        return type(expr)(*expr.shape, elements)
    return simplified(_repeated(_expression(expr), turns, mode_, seed), simplify, seconds)


def _repeated(expr: Expression, turns: list[Expression], mode: str, seed: Any) -> Expression:
    start = _seed(seed)
    for x in turns:
        sweep = forward_sweep if mode == "forward" else reverse_sweep
        (expr,) = sweep([expr], Context([x]), [start])
    return expr


def gradient(
    expr: Any, xs: Sequence[Any], *, mode: Mode = "reverse", simplify: Simplify = False, seconds: float = 30.0
) -> list[Any]:
    """The derivatives of one expression by each of several symbols.

    Reverse mode takes one sweep for all of them, forward mode one each.

    Raises:
        InputError, NoRuleError: as :func:`diff`; also if ``xs`` is not a list of different symbols.

    >>> import sympy
    >>> a, b, c = sympy.symbols("a b c")
    >>> gradient(a * b * c, [a, b, c])
    [b*c, a*c, a*b]
    """
    (row,) = _jacobian([_expression(expr)], _variables(xs), _mode(mode))
    return [simplified(e, simplify, seconds) for e in row]


def jacobian(
    exprs: Any,
    xs: Sequence[Any],
    *,
    mode: Mode | None = None,
    simplify: Simplify = False,
    seconds: float = 30.0,
) -> Any:
    """The Jacobian matrix in numerator layout: a row per expression, a column per symbol.

    Args:
        exprs: m expressions, as a list or a matrix of one column or row.
        xs: n symbols.
        mode: by default that of the fewer sweeps: forward for n <= m, else reverse.
        simplify: as for :func:`diff`, for each element.
        seconds: as for :func:`diff`.

    Returns:
        An immutable SymPy matrix of shape (m, n).

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> jacobian([x * y, sympy.sin(x)], [x, y])
    Matrix([
    [     y, x],
    [cos(x), 0]])
    """
    if isinstance(exprs, sympy.Expr | SymbolicNumber):
        raise InputError(f"expected a list of expressions, got one; write [{exprs!s}], or use gradient")
    rows, columns = [_expression(e) for e in exprs], _variables(xs)
    if mode is None:
        mode = "forward" if len(columns) <= len(rows) else "reverse"
    entries = [e for row in _jacobian(rows, columns, _mode(mode)) for e in row]
    entries = [simplified(e, simplify, seconds) for e in entries]
    return sympy.ImmutableDenseMatrix(len(rows), len(columns), entries)


def _jacobian(roots: list[Expression], xs: list[Expression], mode: str) -> list[list[Expression]]:
    if mode == "reverse":
        return [reverse_sweep([root], Context(xs), [_ONE]) for root in roots]
    columns = [forward_sweep(roots, Context([x]), [_ONE]) for x in xs]
    return [[column[k] for column in columns] for k in range(len(roots))]


def hessian(
    expr: Any, xs: Sequence[Any], *, mode: Mode = "forward", simplify: Simplify = False, seconds: float = 30.0
) -> Any:
    """The matrix of second derivatives: a reverse sweep for the gradient, then ``mode`` over that.

    Returns:
        An immutable SymPy matrix of shape (n, n).

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> hessian(x**2 * y, [x, y])
    Matrix([
    [2*y, 2*x],
    [2*x,   0]])
    """
    symbols = _variables(xs)
    (first,) = _jacobian([_expression(expr)], symbols, "reverse")
    entries = [
        simplified(e, simplify, seconds) for row in _jacobian(first, symbols, _mode(mode)) for e in row
    ]
    return sympy.ImmutableDenseMatrix(len(symbols), len(symbols), entries)


def jvp(exprs: Sequence[Any], xs: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """The Jacobian times a vector, in one forward sweep: the outputs' tangents.

    Raises:
        InputError: if there is not one tangent per symbol.

    >>> import sympy
    >>> x, y, u, v = sympy.symbols("x y u v")
    >>> jvp([x * y], [x, y], [u, v])
    [u*y + v*x]
    """
    symbols = _variables(xs)
    seeds = [_seed(t) for t in tangents]
    if len(seeds) != len(symbols):
        raise InputError(f"expected one tangent for each of {symbols}, got {len(seeds)}")
    return forward_sweep([_expression(e) for e in exprs], Context(symbols), seeds)


def vjp(exprs: Sequence[Any], xs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """A vector times the Jacobian, in one reverse sweep: the symbols' adjoints.

    Raises:
        InputError: if there is not one cotangent per expression.

    >>> import sympy
    >>> x, y, g, h = sympy.symbols("x y g h")
    >>> vjp([x * y, sympy.log(y)], [x, y], [g, h])
    [g*y, g*x + h/y]
    """
    roots = [_expression(e) for e in exprs]
    seeds = [_seed(g) for g in cotangents]
    if len(seeds) != len(roots):
        raise InputError(f"expected one cotangent for each of {len(roots)} expressions, got {len(seeds)}")
    return reverse_sweep(roots, Context(_variables(xs)), seeds)
