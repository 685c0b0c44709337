"""A matrix formula from text, in NumPy's operators, with the shapes worked out.

``@`` is the matrix product, ``*`` that of elements or by a number, ``.T`` the transpose. A name in capitals
is a matrix, another one a column, and numbers are named as such; sizes that nothing says are letters of their
own.

>>> expr, symbols = parse("v.T @ (W @ y + b)")
>>> expr, symbols["W"].shape == (symbols["v"].shape[0], symbols["y"].shape[0])
(Trace(v.T*(W*y + b)), True)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import MatrixSymbol, S

from diffkit.calculus import ALIASES, ELEMENTARY
from diffkit.errors import InputError
from diffkit.expressions import NAMES
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import U, is_scalar

_LETTERS = [sympy.Symbol(letter, integer=True, positive=True) for letter in "nmkpqrstuvw"]


def parse(text: str, scalars: Sequence[str] = ()) -> tuple[Any, dict[str, Any]]:
    """The expression and its symbols by name.

    Args:
        text: as ``"norm(y - X @ w)**2 / 2"``.
        scalars: the names that are numbers.

    Raises:
        InputError: for text that is no formula, with the place, and shapes that don't fit, with the part.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise InputError(f"{text!r} is no formula: {error.msg} at character {error.offset}") from None
    shapes = _Shapes(scalars)
    shapes.of(tree)
    symbols = shapes.symbols()
    built = _build(tree, symbols)
    return built, symbols


class _Size:
    """A size that is not known yet, or the same as another."""

    def __init__(self, value: int | None = None) -> None:
        self.value, self.same = value, None

    same: _Size | None

    def root(self) -> _Size:
        return self if self.same is None else self.same.root()


_Shape = tuple[_Size, _Size]


class _Shapes:
    """The shapes of the names, from how they stand together."""

    def __init__(self, scalars: Sequence[str]) -> None:
        self.scalars = set(scalars)
        self.names: dict[str, _Shape] = {}

    def symbols(self) -> dict[str, Any]:
        letters = iter(s for s in _LETTERS if s.name not in self.names)
        known: dict[_Size, Any] = {}

        def size(s: _Size) -> Any:
            root = s.root()
            if root.value is not None:
                return root.value
            if root not in known:
                known[root] = next(letters)
            return known[root]

        for name, shape in self.names.items():
            if name not in self.scalars and all(self._is_one(s) for s in shape):
                raise InputError(
                    f"the shapes fit only if {name} is 1 × 1; if it is a number, say so: --scalar {name}"
                )
        return {
            name: sympy.Symbol(name, real=True)
            if name in self.scalars
            else MatrixSymbol(name, *map(size, shape))
            for name, shape in self.names.items()
        }

    def of(self, tree: ast.expr) -> _Shape:
        match tree:
            case ast.Constant(value=int() | float()):
                return _Size(1), _Size(1)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
                return self.of(inner)
            case ast.Attribute(value=inner, attr="T" | "I" as attr):
                rows, columns = self.of(inner)
                if attr == "I":
                    self._alike(rows, columns, inner, "a square matrix is needed, as")
                return columns, rows
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                a, b = self.of(left), self.of(right)
                self._alike(a[1], b[0], tree, "the shapes don't fit in")
                return a[0], b[1]
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.expr()):
                return self.of(left)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
                return self._elementwise(tree, self.of(left), self.of(right))
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]):
                return self._call(name, self.of(inner), inner)
        raise InputError(f"{ast.unparse(tree)} is no part of a matrix formula")

    def _name(self, name: str) -> _Shape:
        if name in ("pi", "e") and name not in self.scalars:
            return _Size(1), _Size(1)
        if name not in self.names:
            one = _Size(1)
            if name in self.scalars:
                self.names[name] = (one, one)
            else:
                self.names[name] = (_Size(), _Size() if name[0].isupper() else one)
        return self.names[name]

    def _call(self, name: str, shape: _Shape, inner: ast.expr) -> _Shape:
        if name in ("det", "trace", "tr", "logdet", "inv"):
            self._alike(*shape, inner, f"{name} needs a square matrix, as")
        if name in ("det", "trace", "tr", "logdet", "sum", "norm", "mean"):
            return _Size(1), _Size(1)
        if name == "diag":
            return (shape[0], shape[0]) if self._is_one(shape[1]) else (shape[0], _Size(1))
        if name != "inv" and ALIASES.get(name, name) not in ELEMENTARY:
            raise InputError(
                f"{name} is no function here; there are det, logdet, trace, inv, sum, mean, norm, diag and "
                "elementwise ones such as exp, log, tanh, expit"
            )
        return shape

    def _elementwise(self, tree: ast.BinOp, a: _Shape, b: _Shape) -> _Shape:
        for one, other in ((a, b), (b, a)):
            if self._is_one(one[0]) and self._is_one(one[1]):
                return other
        if isinstance(tree.op, ast.Div):
            self._alike(b[0], _Size(1), tree, "only by numbers is divided, but in")
            return a
        for p, q in zip(a, b, strict=True):
            self._alike(p, q, tree, "the shapes differ in")
        return a

    @staticmethod
    def _is_one(size: _Size) -> bool:
        return size.root().value == 1

    def _alike(self, a: _Size, b: _Size, tree: ast.expr, what: str) -> None:
        p, q = a.root(), b.root()
        if p is q:
            return
        if p.value is not None and q.value is not None:
            if p.value != q.value:
                raise InputError(
                    f"{what} {ast.unparse(tree)}: sizes {p.value} and {q.value} meet; capitals are matrices, "
                    "other names columns, and numbers are given by --scalar NAME"
                )
            return
        if p.value is None:
            p.same = q
        else:
            q.same = p


# -- building -----------------------------------------------------------------------------------------


def _build(tree: ast.expr, symbols: dict[str, Any]) -> Any:
    match tree:
        case ast.Constant(value=value):
            return sympy.nsimplify(value) if isinstance(value, float) else S(value)
        case ast.Name(id=name):
            return symbols[name] if name in symbols else {"pi": sympy.pi, "e": sympy.E}[name]
        case ast.UnaryOp(op=op, operand=inner):
            return algebra.product(
                S.NegativeOne if isinstance(op, ast.USub) else S.One, _build(inner, symbols)
            )
        case ast.Attribute(value=inner, attr=attr):
            return (algebra.transpose if attr == "T" else algebra.inverse)(_build(inner, symbols))
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return _called(name, _build(inner, symbols))
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, _build(left, symbols), _build(right, symbols))
    raise AssertionError(ast.unparse(tree))


def _operation(op: ast.operator, a: Any, b: Any) -> Any:
    if isinstance(op, ast.MatMult):
        return algebra.product(a, b)
    if isinstance(op, ast.Pow):
        return a**b if is_scalar(a) else algebra.hadamard_power(a, b)
    if isinstance(op, ast.Mult | ast.Div):
        if isinstance(op, ast.Div):
            b = 1 / b if is_scalar(b) else algebra.hadamard_power(b, S.NegativeOne)
        return algebra.product(a, b) if is_scalar(a) or is_scalar(b) else algebra.hadamard(a, b)
    if isinstance(op, ast.Sub):
        b = algebra.product(S.NegativeOne, b)
    if is_scalar(a) != is_scalar(b):
        shape = (b if is_scalar(a) else a).shape
        a, b = (algebra.product(e, algebra.ones(*shape)) if is_scalar(e) else e for e in (a, b))
    return algebra.add(a, b, collect=False)


def _total(e: Any) -> Any:
    return e if is_scalar(e) else algebra.product(algebra.ones(1, e.shape[0]), e, algebra.ones(e.shape[1], 1))


def _squares(e: Any) -> Any:
    return e**2 if is_scalar(e) else algebra.trace(algebra.product(algebra.transpose(e), e))


_CALLS: dict[str, Callable[[Any], Any]] = {
    "det": algebra.determinant,
    "logdet": lambda e: sympy.log(algebra.determinant(e)),
    "trace": algebra.trace,
    "tr": algebra.trace,
    "inv": algebra.inverse,
    "sum": _total,
    "mean": lambda e: _total(e) / sympy.Mul(*algebra.shape(e)),
    "norm": lambda e: sympy.sqrt(_squares(e)),
    "diag": lambda e: algebra.diagonal_matrix(e) if e.shape[1] == 1 else algebra.diagonal_of(e),
}


def _called(name: str, e: Any) -> Any:
    if name in _CALLS:
        return _CALLS[name](e)
    line = ELEMENTARY[ALIASES.get(name, name)]
    body = sympy.sympify(line.form, locals={**_PLAIN, line.arguments[0]: U})
    return algebra.apply(body, e)


_PLAIN = {name: getattr(sympy, name) for name in NAMES if hasattr(sympy, name)}
