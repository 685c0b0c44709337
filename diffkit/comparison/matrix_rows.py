"""The rows of a trace as matrix formulas: what each function of arrays is, in matrices.

An array of one axis is a column, and so is what NumPy makes of it; of broadcasting, b stands as b 1ᵀ or 1 bᵀ.
A chain of elementwise functions stays one function of its base, so that a sigmoid is a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.expressions import derivative, intern, post_order
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import U, is_scalar

_WHOLE = (sympy.MatrixExpr, *algebra.ATOMS)  # left as they are within a number


class NotAMatrixFormula(Exception):
    """A row that matrices have no formula for, with the reason."""


@dataclass(frozen=True)
class Value:
    """A value of a program as a formula: ``body``, a function of U, of each element of ``base``.

    Attributes:
        base: a matrix expression (columns are n x 1) or a scalar.
        axes: how many axes NumPy's array has.
        body: a scalar expression of U; U itself if the value is the base.
    """

    base: Any
    axes: int
    body: Any = U

    @property
    def expr(self) -> Any:
        return self.base if self.body == U else algebra.apply(self.body, self.base)


def perform(
    name: str, line: Any, args: list[Any], kwargs: Mapping[str, Any], shape: tuple[int, ...]
) -> Value:
    """What a row computes of its arguments' formulas.

    Args:
        name: the function's name.
        line: its line in the table of elementary functions, if it is one.
        args: formulas, or what was no traced value and is no number (axes, indices).
        kwargs: the keyword arguments.
        shape: that of the answer.

    Raises:
        NotAMatrixFormula: if there is none.
    """
    if line is not None:
        return _elementwise(name, line, args, shape)
    if name not in _ROWS:
        raise NotAMatrixFormula("there is no matrix formula for this function")
    return Value(_ROWS[name](args, kwargs, shape), len(shape))


# -- elementwise --------------------------------------------------------------------------------------


def _elementwise(name: str, line: Any, args: list[Value], shape: tuple[int, ...]) -> Value:
    bases = list(dict.fromkeys(a.base for a in args if not is_scalar(a.base)))
    fused = len(bases) == 1 and all(is_scalar(a.base) or _fits(a, shape) for a in args)
    linear = name in ("add", "subtract", "multiply", "divide", "negative", "positive")
    if not bases:
        return Value(_applied(line, [a.expr for a in args]), 0)
    plain = linear and all(a.body == U or is_scalar(a.base) for a in args)
    if fused and not (plain and name in ("add", "subtract")):
        body = _applied(line, [a.base if is_scalar(a.base) else a.body for a in args])
        return Value(bases[0], len(shape), body)
    parts = [_stretched(a, shape) for a in args]
    return Value(_combined(name, parts), len(shape))


def _fits(a: Value, shape: tuple[int, ...]) -> bool:
    return tuple(map(int, a.base.shape)) == _matrix_shape(shape)


def _matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    return (shape[0], 1) if len(shape) == 1 else (shape[0], shape[1])


def _combined(name: str, parts: list[Any]) -> Any:
    if name == "add":
        return algebra.add(*parts, collect=False)
    if name == "subtract":
        return algebra.add(parts[0], algebra.product(S.NegativeOne, parts[1]), collect=False)
    if name == "multiply":
        return algebra.hadamard(*parts)
    if name == "divide":
        return algebra.hadamard(parts[0], algebra.hadamard_power(parts[1], S.NegativeOne))
    raise NotAMatrixFormula("it is an elementwise function of two different matrices")


def _stretched(a: Value, shape: tuple[int, ...]) -> Any:
    """The formula at the answer's shape: b of one axis, under a matrix, is 1 bᵀ."""
    e, (rows, columns) = a.expr, _matrix_shape(shape)
    if is_scalar(e):
        return algebra.product(e, algebra.ones(rows, columns))
    if a.axes == 1 and len(shape) == 2:
        e = algebra.transpose(e)
    if e.shape[0] == 1 and rows != 1:
        e = algebra.product(algebra.ones(rows, 1), e)
    if e.shape[1] == 1 and columns != 1:
        e = algebra.product(e, algebra.ones(1, columns))
    return e


@cache
def _form(form: str, arguments: tuple[str, ...]) -> Callable[..., Any]:
    return derivative(form, arguments)


def _applied(line: Any, args: list[Any]) -> Any:
    """The table's line on scalars, evaluated by SymPy."""
    built = _form(line.form, line.arguments)(*map(intern, args))
    memo: dict[int, Any] = {}
    for part in post_order(built):
        whole = not part.args or isinstance(part, _WHOLE)
        memo[id(part)] = part if whole else part.func(*[memo[id(a)] for a in part.args])
    return memo[id(built)]


# -- functions of arrays ------------------------------------------------------------------------------


def _matmul(args: list[Value], kwargs: Any, shape: tuple[int, ...]) -> Any:
    a, b = args
    if a.axes == 0 or b.axes == 0:
        return algebra.product(a.expr, b.expr)
    left = algebra.transpose(a.expr) if a.axes == 1 else a.expr
    whole = algebra.product(left, b.expr)
    return algebra.transpose(whole) if a.axes == 1 and b.axes == 2 else whole


def _inner(args: list[Value], kwargs: Any, shape: tuple[int, ...]) -> Any:
    a, b = args
    if a.axes != 1 or b.axes != 1:
        raise NotAMatrixFormula("inner of more than two vectors; write it with @")
    return algebra.product(algebra.transpose(a.expr), b.expr)


def _outer(args: list[Value], kwargs: Any, shape: tuple[int, ...]) -> Any:
    if args[0].axes != 1 or args[1].axes != 1:
        raise NotAMatrixFormula("outer of more than two vectors; ravel them first")
    return algebra.product(args[0].expr, algebra.transpose(args[1].expr))


def _transpose(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    return args[0].expr if args[0].axes < 2 else algebra.transpose(args[0].expr)


def _reshape(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    """Only between a vector, a column and a row."""
    e = args[0].expr
    if is_scalar(e) and np.prod(shape, dtype=int) == 1:
        return e
    if is_scalar(e) or len(shape) > 2 or 1 not in e.shape or 1 not in _matrix_shape(shape):
        raise NotAMatrixFormula("it puts the elements into another shape than a column or a row")
    return e if (e.shape[1] == 1) == (_matrix_shape(shape)[1] == 1) else algebra.transpose(e)


def _sum(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    x, axis = args[0], kwargs.get("axis", args[1] if len(args) > 1 else None)
    e = x.expr
    if kwargs.get("where", True) is not True or kwargs.get("initial") not in (None, 0):
        raise NotAMatrixFormula("it sums some of the elements only")
    if is_scalar(e):
        return e
    rows, columns = e.shape
    if x.axes == 1 or axis is None or (isinstance(axis, tuple) and len(axis) == 2):
        return _total(e)
    (axis,) = axis if isinstance(axis, tuple) else (axis,)
    if axis % 2 == 1:  # the rows' sums, a column
        summed = algebra.product(e, algebra.ones(columns, 1))
    else:
        summed = algebra.product(algebra.ones(1, rows), e)
    return (
        algebra.transpose(summed) if len(shape) == 1 and not is_scalar(summed) and axis % 2 == 0 else summed
    )


def _total(e: Any) -> Any:
    """The sum of all elements; of products of two matrices, the inner product."""
    coefficient, factors = algebra.coefficient_and_factors(e)
    if len(factors) == 1:
        (core,) = factors
        if isinstance(core, sympy.HadamardPower) and core.args[1] == 2:
            return algebra.product(coefficient, _dot(core.args[0], core.args[0]))
        if isinstance(core, sympy.HadamardProduct):
            return algebra.product(coefficient, _dot(core.args[0], algebra.hadamard(*core.args[1:])))
    return algebra.product(algebra.ones(1, e.shape[0]), e, algebra.ones(e.shape[1], 1))


def _dot(a: Any, b: Any) -> Any:
    return algebra.trace(algebra.product(algebra.transpose(a), b))


def _mean(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    count = np.prod(_size(args[0]), dtype=int) // max(int(np.prod(shape, dtype=int)), 1)
    return algebra.product(sympy.Rational(1, int(count)), _sum(args, kwargs, shape))


def _size(x: Value) -> tuple[int, ...]:
    return (1,) if is_scalar(x.base) else tuple(map(int, x.base.shape))


def _norm(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    x, order, axis, *_ = [*args, None, None]
    if axis is not None or order not in (None, 2, "fro") or (order == 2 and x.axes == 2):
        raise NotAMatrixFormula("of the norms, the square root of the sum of squares has a matrix formula")
    return sympy.sqrt(_dot(x.expr, x.expr))


def _einsum(args: list[Value], kwargs: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
    """Where it is a product: each index in the order in which it is summed."""
    inputs, arrow, output = kwargs["subscripts"].replace(" ", "").partition("->")
    if not arrow:
        output = "".join(sorted(i for i in set(inputs) if inputs.count(i) == 1 and i != ","))
    names = inputs.split(",")
    if "." in inputs or any(len(set(n)) < len(n) or len(n) > 2 for n in names):
        return _einsum_trace(names, args, output)
    counts = {i: inputs.replace(",", "").count(i) + output.count(i) for i in inputs if i != ","}
    if any(count > 2 for count in counts.values()):
        raise NotAMatrixFormula("an index of this einsum stands more than twice, which is no matrix product")
    left = [(n if len(n) == 2 else n + "1" if n else "11", a.expr) for n, a in zip(names, args, strict=True)]
    while len(left) > 1:  # take the first pair that shares an index, and multiply
        for p, q in combinations(range(len(left)), 2):
            (m, a), (n, b) = left[p], left[q]
            shared = [i for i in m if i in n and i != "1" and i not in output]
            if len(shared) == 1:
                i = shared[0]
                a, m = (a, m) if m[1] == i else (algebra.transpose(a), m[::-1])
                b, n = (b, n) if n[0] == i else (algebra.transpose(b), n[::-1])
                new = (m[0] + n[1], algebra.product(a, b))
            elif len(shared) == 2:
                new = ("11", _dot(a, b if m == n else algebra.transpose(b)))
            elif len(left) == 2 and "1" in m and "1" in n:
                a, m = (a, m) if m[1] == "1" else (algebra.transpose(a), m[::-1])
                b, n = (b, n) if n[0] == "1" else (algebra.transpose(b), n[::-1])
                new = (m[0] + n[1], algebra.product(a, b))
            else:
                continue
            left = [new, *(pair for k, pair in enumerate(left) if k not in (p, q))]
            break
        else:
            raise NotAMatrixFormula("this einsum is no chain of matrix products")
    (found, e), wanted = left[0], output if len(output) == 2 else output + "1" * (2 - len(output))
    for k, i in enumerate(found):  # what is summed without a partner
        if i != "1" and i not in output and not is_scalar(e):
            one = algebra.ones(1, e.shape[0]) if k == 0 else algebra.ones(e.shape[1], 1)
            e = algebra.product(one, e) if k == 0 else algebra.product(e, one)
            found = found.replace(i, "1")
    if sorted(found) != sorted(wanted):
        raise NotAMatrixFormula("this einsum is no chain of matrix products")
    return e if found == wanted else algebra.transpose(e)


def _einsum_trace(names: list[str], args: list[Value], output: str) -> Any:
    if len(names) == 1 and len(names[0]) == 2 and len(set(names[0])) == 1:
        return algebra.trace(args[0].expr) if output == "" else algebra.diagonal_of(args[0].expr)
    raise NotAMatrixFormula("this einsum is no chain of matrix products")


def _getitem(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    x, index = args
    index = index if isinstance(index, tuple) else (index,)
    if all(i is None or (isinstance(i, slice) and i == slice(None)) or i is Ellipsis for i in index):
        return _reshape([x], {}, shape)
    e = x.expr
    if len(index) == x.axes and all(isinstance(i, int | np.integer) for i in index) and not is_scalar(e):
        i, j = (int(k) % int(size) for k, size in zip((*index, 0), e.shape, strict=False))
        return algebra.node(MatrixElement, e, S(i), S(j))
    raise NotAMatrixFormula("it takes a part of an array")


def _slogdet(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    inner = algebra.determinant(args[0].expr)
    return sympy.Tuple(sympy.sign(inner), sympy.log(sympy.Abs(inner)))


def _diag(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    x = args[0]
    if any(k not in (0, None) for k in (*(a for a in args[1:]), *kwargs.values())):
        raise NotAMatrixFormula("it takes another diagonal than the main one")
    return algebra.diagonal_matrix(x.expr) if len(shape) == 2 else algebra.diagonal_of(x.expr)


def _solve(args: list[Any], kwargs: Any, shape: tuple[int, ...]) -> Any:
    return algebra.product(algebra.inverse(args[0].expr), args[1].expr)


_ROWS: dict[str, Callable[[list[Any], Any, tuple[int, ...]], Any]] = {
    "matmul": _matmul,
    "dot": _matmul,
    "vdot": lambda args, kwargs, shape: _dot(args[0].expr, args[1].expr),
    "inner": _inner,
    "outer": _outer,
    "einsum": _einsum,
    "transpose": _transpose,
    "reshape": _reshape,
    "ravel": _reshape,
    "expand_dims": _reshape,
    "squeeze": _reshape,
    "broadcast_to": lambda args, kwargs, shape: _stretched(args[0], shape),
    "sum": _sum,
    "mean": _mean,
    "norm": _norm,
    "trace": lambda args, kwargs, shape: algebra.trace(args[0].expr),
    "det": lambda args, kwargs, shape: algebra.determinant(args[0].expr),
    "slogdet": _slogdet,
    "part": lambda args, kwargs, shape: args[0].base[int(args[1])],
    "inv": lambda args, kwargs, shape: algebra.inverse(args[0].expr),
    "solve": _solve,
    "matrix_power": lambda args, kwargs, shape: algebra.power(args[0].expr, S(int(args[1]))),
    "diag": _diag,
    "diagonal": _diag,
    "getitem": _getitem,
    "astype": lambda args, kwargs, shape: args[0].expr,
}
"""By the functions' names in a trace."""
