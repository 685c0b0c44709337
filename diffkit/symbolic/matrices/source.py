"""NumPy source of matrix formulas: shared parts once, sums by broadcasting, systems solved and not inverted.

>>> from sympy import MatrixSymbol
>>> W, y, b = MatrixSymbol("W", 3, 2), MatrixSymbol("y", 2, 1), MatrixSymbol("b", 3, 1)
>>> print(source([W * y + b], [W, y, b]), end="")
def formula(W, y, b):
    return W @ y + b
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import MatrixBase, MatrixExpr, MatrixSymbol, S
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.numpy import NumPyPrinter

from diffkit.errors import InputError, NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.facts import session
from diffkit.symbolic.matrices.reading import read_all, shape_text, short

_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how strongly a piece of source binds


def inputs_of(expr: Any) -> list[Any]:
    """The symbols of a formula that are no sizes of its matrices: matrices first, by name."""
    free = expr.free_symbols
    sizes = {s for m in free if isinstance(m, MatrixSymbol) for n in m.shape for s in n.free_symbols}
    return sorted(
        (s for s in free if s not in sizes), key=lambda s: (not isinstance(s, MatrixSymbol), s.name)
    )


def source(exprs: Sequence[Any], args: Sequence[Any], name: str = "formula") -> str:
    """A Python function of the arguments; of several formulas it returns a tuple.

    Args:
        exprs: formulas in the matrices.
        args: MatrixSymbols (arrays of two axes, columns are n x 1) and scalar symbols, in order.
        name: the function's.

    Raises:
        InputError: if a symbol of the formulas is no argument, and no size of one.
    """
    with session():
        writer = _Writer(read_all(exprs), args)
        answers = [writer.text(e) for e in writer.roots]
    lines = [f"def {name}({', '.join(writer.names[a] for a in args)}):"]
    lines += [f"    {line}" for line in (*writer.sizes(), *writer.lines)]
    lines.append(f"    return {', '.join(answers)}")
    return "\n".join(lines) + "\n"


def function(exprs: Sequence[Any], args: Sequence[Any]) -> Callable[..., Any]:
    """That source, run: a function of arrays and numbers, with its text as ``.source``."""
    text = source(exprs, args)
    names: dict[str, Any] = {"np": np}
    exec(compile(text, "<matrix formula>", "exec"), names)
    made = names["formula"]
    made.source = text
    return made  # type: ignore[no-any-return]


class _Writer:
    def __init__(self, roots: Sequence[Any], args: Sequence[Any]) -> None:
        self.roots = roots
        self.names = {a: _identifier(str(a)) for a in args}
        self.lines: list[str] = []
        self._made: dict[Any, tuple[str, int]] = {}
        self._taken = set(self.names.values()) | {"np"}
        self._sizes: dict[Any, str] = {}
        self._where = {
            size: f"{self.names[a]}.shape[{axis}]"
            for a in reversed(args)
            if isinstance(a, MatrixSymbol)
            for axis, size in enumerate(a.shape)
            if isinstance(size, sympy.Symbol)
        }
        self._uses: dict[Any, int] = {}
        self._count()

    def _count(self) -> None:
        """How often each node is used, so that what is shared gets a name."""
        stack, seen = list(self.roots), set()
        while stack:
            e = stack.pop()
            self._uses[e] = self._uses.get(e, 0) + 1
            if e not in seen:
                seen.add(e)
                stack.extend(_operands(e))

    # -- names --

    def sizes(self) -> list[str]:
        return [f"{name} = {self._where[size]}" for size, name in self._sizes.items()]

    def _size(self, size: Any) -> str:
        """A size of a matrix, from the shape of an argument that has it."""
        for s in sorted(sympy.sympify(size).free_symbols, key=str):
            self._scalar_symbol(s)
        return _printed(size, {s: self._scalar_symbol(s) for s in sympy.sympify(size).free_symbols})

    def _scalar_symbol(self, s: Any) -> str:
        if s in self.names:
            return self.names[s]
        if s not in self._where:
            raise InputError(
                f"{s} occurs in the formula and is no argument; the arguments are {list(self.names)}"
            )
        if s not in self._sizes:
            self._sizes[s] = self._free(_identifier(str(s)))
        return self._sizes[s]

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    # -- expressions --

    def text(self, e: Any, least: int = 0) -> str:
        text, binds = self._piece(e)
        return f"({text})" if binds < least else text

    def _piece(self, e: Any) -> tuple[str, int]:
        if e in self.names:
            return self.names[e], _ATOM
        if e in self._made:
            return self._made[e]
        piece = self._write(e)
        if self._uses.get(e, 0) > 1 and _operands(e) and not isinstance(e, sympy.Transpose):
            name = self._free(f"v{len(self.lines) + 1}")
            self.lines.append(f"{name} = {piece[0]}")
            piece = (name, _ATOM)
        self._made[e] = piece
        return piece

    def _write(self, e: Any) -> tuple[str, int]:
        if is_scalar(e):
            return self._scalar(e)
        for head, writing in _WRITINGS.items():
            if isinstance(e, head):
                return writing(self, e)
        if isinstance(e, MatrixSymbol):
            raise InputError(
                f"{e} occurs in the formula and is no argument; the arguments are {list(self.names)}"
            )
        raise NoRuleError(f"{type(e).__name__} has no NumPy source here, in {short(e)}")

    def _scalar(self, e: Any) -> tuple[str, int]:
        if isinstance(e, sympy.Trace):
            return self._trace(e.arg), _ATOM
        if isinstance(e, sympy.Determinant):
            return f"np.linalg.det({self.text(e.arg)})", _ATOM
        if (
            isinstance(e, sympy.log)
            and isinstance(e.args[0], sympy.Abs)
            and isinstance(e.args[0].args[0], sympy.Determinant)
        ):
            return f"np.linalg.slogdet({self.text(e.args[0].args[0].arg)})[1]", _ATOM
        if isinstance(e, MatrixElement):
            return f"{self.text(e.parent, _ATOM)}[{self._size(e.i)}, {self._size(e.j)}]", _ATOM
        names = {a: self.text(a, _ATOM) for a in _operands(e)}
        names |= {
            s: self._scalar_symbol(s)
            for s in e.free_symbols
            if not isinstance(s, MatrixSymbol) and s not in names and _in_scalar(e, s)
        }
        return _printed(e, names), _ATOM if not e.args else _SUM

    def _trace(self, inner: Any) -> str:
        _, factors = algebra.coefficient_and_factors(inner)
        if algebra.shape(factors[0])[0] == 1:
            if len(factors) == 2 and isinstance(factors[0], sympy.OneMatrix):
                return f"{self.text(factors[1], _ATOM)}.sum()"
            if len(factors) == 3 and all(isinstance(f, sympy.OneMatrix) for f in (factors[0], factors[2])):
                return f"{self.text(factors[1], _ATOM)}.sum()"
            if len(factors) == 2 and isinstance(factors[0], sympy.Transpose):
                return f"np.vdot({self.text(factors[0].arg)}, {self.text(factors[1])})"
            return f"({self.text(inner)})[0, 0]"
        if len(factors) > 1:
            left, right = algebra.transpose(factors[0]), algebra.product(*factors[1:])
            return f"np.vdot({self.text(left)}, {self.text(right)})"
        return f"np.trace({self.text(inner)})"

    def _sum(self, e: Any) -> tuple[str, int]:
        full = [a for a in e.args if _broadcast(a) is None]
        parts = []
        for a in e.args:
            shown = a if not full or _broadcast(a) is None else _broadcast(a)
            coefficient, _ = algebra.coefficient_and_factors(shown)
            negative = coefficient.could_extract_minus_sign()
            inner = self.text(algebra.product(S.NegativeOne, shown) if negative else shown, _PRODUCT)
            parts.append(("-" if negative else "+", inner))
        parts.sort(key=lambda part: part[0] == "-")
        text = " ".join(f"{sign} {inner}" for sign, inner in parts)
        return (text[2:] if text.startswith("+ ") else "-" + text[2:]), _SUM

    def _product(self, e: Any) -> tuple[str, int]:
        coefficient, factors = algebra.coefficient_and_factors(e)
        chain = self._chain(factors)
        if coefficient is S.One:
            return chain
        if coefficient is S.NegativeOne:
            return (
                f"-{chain[0] if chain[1] >= _PRODUCT and ' @ ' not in chain[0] else '(' + chain[0] + ')'}",
                _SUM,
            )
        inner = chain[0] if chain[1] == _ATOM else f"({chain[0]})"
        return f"{self.text(coefficient, _ATOM)} * {inner}", _PRODUCT

    def _chain(self, factors: list[Any]) -> tuple[str, int]:
        """A product of matrices, in an order that keeps what is in between small."""
        if len(factors) == 1:
            return self._piece(factors[0])
        inner = next((k for k in range(1, len(factors)) if factors[k].shape[0] == 1), None)
        if inner is not None:  # a column times a row
            left, right = self._chain(factors[:inner]), self._chain(factors[inner:])
            pair = [t if binds == _ATOM else f"({t})" for t, binds in (left, right)]
            return f"{pair[0]} * {pair[1]}", _PRODUCT
        first, last = factors[0], factors[-1]
        if last.shape[1] == 1 or isinstance(first, sympy.Inverse | sympy.DiagMatrix):
            rest, binds = self._chain(factors[1:])
            if isinstance(first, sympy.Inverse):
                return f"np.linalg.solve({self.text(first.arg)}, {rest})", _ATOM
            rest = rest if binds == _ATOM else f"({rest})"
            if isinstance(first, sympy.DiagMatrix):
                return f"{self.text(first.args[0], _ATOM)} * {rest}", _PRODUCT
            return f"{self.text(first, _ATOM)} @ {rest}", _PRODUCT
        rest, binds = self._chain(factors[:-1])
        rest = rest if binds >= _PRODUCT and " * " not in rest else f"({rest})"
        if isinstance(last, sympy.DiagMatrix):
            return f"({rest}) * {self.text(last.args[0], _ATOM)}.T", _PRODUCT
        return f"{rest} @ {self.text(last, _ATOM)}", _PRODUCT

    def _hadamard(self, e: Any) -> tuple[str, int]:
        full = [a for a in e.args if _broadcast(a) is None]
        shown = [a if not full or _broadcast(a) is None else _broadcast(a) for a in e.args]
        return " * ".join(self.text(a, _ATOM) for a in shown), _PRODUCT

    def _elementwise(self, e: Any) -> tuple[str, int]:
        body, x = _body_of(e)
        uses = sum(part == algebra.U for part in sympy.preorder_traversal(body))
        inner = self.text(x, _ATOM)
        if uses > 1 and not inner.isidentifier():
            name = self._free(f"v{len(self.lines) + 1}")
            self.lines.append(f"{name} = {inner}")
            inner = name
        names = {algebra.U: inner}
        names |= {
            a: self.text(a, _ATOM) for a in _operands(e) if is_scalar(a) and not isinstance(a, sympy.Symbol)
        }
        names |= {
            s: self._scalar_symbol(s)
            for s in body.free_symbols
            if not isinstance(s, MatrixSymbol) and s != algebra.U
        }
        return _printed(body, names), _SUM

    def _transpose(self, e: Any) -> tuple[str, int]:
        return f"{self.text(e.arg, _ATOM)}.T", _ATOM

    def _ones(self, e: Any) -> tuple[str, int]:
        return f"np.ones(({self._size(e.shape[0])}, {self._size(e.shape[1])}))", _ATOM

    def _zeros(self, e: Any) -> tuple[str, int]:
        return f"np.zeros(({self._size(e.shape[0])}, {self._size(e.shape[1])}))", _ATOM

    def _identity(self, e: Any) -> tuple[str, int]:
        return f"np.eye({self._size(e.shape[0])})", _ATOM

    def _power(self, e: Any) -> tuple[str, int]:
        return f"np.linalg.matrix_power({self.text(e.base)}, {self._size(e.exp)})", _ATOM

    def _explicit(self, e: Any) -> tuple[str, int]:
        rows = ", ".join(f"[{', '.join(self.text(v) for v in row)}]" for row in e.tolist())
        return f"np.array([{rows}])", _ATOM

    def _unit(self, e: Any) -> tuple[str, int]:
        """The matrix with one element 1, as the derivative by an element has it."""
        deltas = e.lamda.expr.atoms(sympy.KroneckerDelta)
        places = [
            next((d.args[1 - d.args.index(v)] for d in deltas if v in d.args), None)
            for v in e.lamda.variables
        ]
        if len(deltas) != 2 or sympy.Mul(*deltas) != e.lamda.expr or None in places:
            raise NoRuleError(f"FunctionMatrix has no NumPy source here, in {short(e)}")
        columns = [
            f"np.eye({self._size(n)})[:, [{self._size(i)}]]" for n, i in zip(e.shape, places, strict=True)
        ]
        return f"({columns[0]} * {columns[1]}.T)", _ATOM


_WRITINGS: dict[Any, Callable[[_Writer, Any], tuple[str, int]]] = {
    sympy.MatAdd: _Writer._sum,
    sympy.MatMul: _Writer._product,
    sympy.HadamardProduct: _Writer._hadamard,
    sympy.HadamardPower: _Writer._elementwise,
    ElementwiseApplyFunction: _Writer._elementwise,
    sympy.Transpose: _Writer._transpose,
    sympy.Inverse: lambda w, e: (f"np.linalg.inv({w.text(e.arg)})", _ATOM),
    sympy.MatPow: _Writer._power,
    sympy.DiagMatrix: lambda w, e: (f"np.diagflat({w.text(e.args[0])})", _ATOM),
    DiagonalOf: lambda w, e: (f"np.diagonal({w.text(e.arg)})[:, None]", _ATOM),
    DiagonalMatrix: lambda w, e: (f"np.diagflat(np.diagonal({w.text(e.arg)}))", _ATOM),
    sympy.KroneckerProduct: lambda w, e: (f"np.kron({', '.join(w.text(a) for a in e.args)})", _ATOM),
    sympy.OneMatrix: _Writer._ones,
    sympy.ZeroMatrix: _Writer._zeros,
    sympy.Identity: _Writer._identity,
    MatrixBase: _Writer._explicit,
    sympy.FunctionMatrix: _Writer._unit,
}


def _body_of(e: Any) -> tuple[Any, Any]:
    if isinstance(e, sympy.HadamardPower):
        return algebra.U ** e.args[1], e.args[0]
    return e.args[0].expr.xreplace({e.args[0].variables[0]: algebra.U}), e.args[1]


def _broadcast(e: Any) -> Any:
    """b of b 1^T or 1 b^T, which NumPy broadcasts; else None."""
    coefficient, factors = algebra.coefficient_and_factors(e)
    if len(factors) > 1 and isinstance(factors[-1], sympy.OneMatrix) and factors[-1].shape[0] == 1:
        return algebra.product(coefficient, *factors[:-1])
    if len(factors) > 1 and isinstance(factors[0], sympy.OneMatrix) and factors[0].shape[1] == 1:
        return algebra.product(coefficient, *factors[1:])
    return None


def _operands(e: Any) -> list[Any]:
    """The matrices and the scalars with matrices in them that a node is made of."""
    if isinstance(e, MatrixSymbol | sympy.Symbol | sympy.FunctionMatrix):
        return []
    if is_scalar(e) and not isinstance(e, algebra.ATOMS):
        return _scalar_parts(e)
    if isinstance(e, ElementwiseApplyFunction | sympy.HadamardPower):
        body, x = _body_of(e)
        return [x, *_scalar_parts(body)]
    return [
        a
        for a in e.args
        if isinstance(a, MatrixExpr) or (is_scalar(a) and isinstance(a, sympy.Expr) and a.args)
    ]


def _scalar_parts(e: Any) -> list[Any]:
    found: dict[Any, None] = {}
    stack = [e]
    while stack:
        part = stack.pop()
        if isinstance(part, algebra.ATOMS):
            found[part] = None
        else:
            stack.extend(reversed(part.args))
    return list(found)


def _in_scalar(e: Any, s: Any) -> bool:
    stack = [e]
    while stack:
        part = stack.pop()
        if part == s:
            return True
        if not isinstance(part, algebra.ATOMS):
            stack.extend(part.args)
    return False


def _identifier(name: str) -> str:
    made = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    return made if made.isidentifier() and not keyword.iskeyword(made) and made != "np" else f"_{made}"


class _Printer(NumPyPrinter):  # type: ignore[misc]
    """SymPy's, with names put in for what is computed elsewhere."""

    def __init__(self, names: dict[Any, str]) -> None:
        super().__init__({"fully_qualified_modules": True, "allow_unknown_functions": False})
        self._names = names

    def _print_Max(self, expr: Any) -> str:
        return self._nested("np.maximum", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return self._nested("np.minimum", expr.args)

    def _nested(self, name: str, args: Any) -> str:
        first, *rest = args
        return f"{name}({self._print(first)}, {self._nested(name, rest)})" if rest else self._print(first)

    def _print_Heaviside(self, expr: Any) -> str:
        return f"np.heaviside({self._print(expr.args[0])}, {self._print(sympy.Rational(1, 2))})"

    def _print(self, expr: Any, **kwargs: Any) -> Any:
        if isinstance(expr, sympy.Basic) and expr in self._names:
            return self._names[expr]
        return super()._print(expr, **kwargs)


def _printed(e: Any, names: dict[Any, str]) -> str:
    try:
        return str(_Printer(names).doprint(sympy.sympify(e))).replace("numpy.", "np.")
    except sympy.printing.codeprinter.PrintMethodNotImplementedError as error:
        raise NoRuleError(f"NumPy has no function for a part of {short(e)}: {error}") from error


def checked_column(value: Any, symbol: Any) -> Any:
    """An array of two axes for a matrix symbol; one of one axis is a column."""
    array = np.asarray(value)
    if array.ndim == 1 and symbol.shape[1] == 1:
        return array[:, None]
    if array.ndim != 2:
        raise InputError(
            f"expected an array of two axes for {shape_text(symbol)}, got one of shape {array.shape}"
        )
    return array
