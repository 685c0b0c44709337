"""Formulas in NumPy's operators: shared parts once, sums by broadcasting, systems solved and not inverted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import sympy
from sympy import MatrixBase, MatrixSymbol, S
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import InputError, NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.own_rules import OWN
from diffkit.symbolic.matrices.reading import short
from diffkit.symbolic.matrices.scalar_text import (
    ATOM,
    PRODUCT,
    SUM,
    binding,
    identifier,
    in_scalar,
    only_in_calls,
    printed,
)
from diffkit.symbolic.matrices.vectorised import is_commutation, is_vec

_DEEPEST = 40  # nodes in one line
_ELEMENTWISE = (ElementwiseApplyFunction, sympy.HadamardPower)


class Writer:
    """The lines of a program for formulas, and the pieces of source that they are made of.

    Args:
        roots: the formulas, as they were read.
        args: the symbols that are parameters.
        functions: the names of the undefined functions that are given.
    """

    def __init__(self, roots: Sequence[Any], args: Sequence[Any], functions: Collection[str] = ()) -> None:
        self.roots, self.functions = roots, functions
        self.names = {a: identifier(str(a)) for a in args}
        self.lines: list[str] = []
        self._made: dict[Any, tuple[str, int]] = {}
        self.own: dict[str, Any] = {}  # a user's own functions, by their names in the program
        self._taken = set(self.names.values()) | {"np"}
        self._sizes: dict[Any, str] = {}
        self._where = {
            size: f"{self.names[a]}.shape[{axis}]"
            for a in reversed(args)
            if isinstance(a, MatrixSymbol)
            for axis, size in enumerate(a.shape)
            if isinstance(size, sympy.Symbol)
        }
        self._elementwise: dict[Any, list[tuple[Any, Any]]] = {}  # by argument: bodies and nodes
        for e in self._counted():
            if isinstance(e, _ELEMENTWISE):
                body, x = algebra.body_and_argument(e)
                self._elementwise.setdefault(x, []).append((body, e))
        self._uses = self._counted()
        self._write_shared()

    def _write_shared(self) -> None:
        """Writes what gets a line, operands first; so does what is deep, so that nothing recurses far."""
        depth: dict[Any, int] = {}
        stack = list(self.roots)
        while stack:
            e = stack[-1]
            missing = [a for a in self._operands(e) if a not in depth]
            if missing or e in depth:
                stack.extend(missing) if missing else stack.pop()
                continue
            depth[e] = 1 + max((depth[a] for a in self._operands(e)), default=-1)
            if depth[e] > _DEEPEST:
                self._uses[e] += 1
            if self._has_line(e):
                self.text(e)
                depth[e] = 0

    def _has_line(self, e: Any) -> bool:
        return self._uses.get(e, 0) > 1 and not isinstance(e, sympy.Transpose) and bool(self._operands(e))

    def _counted(self) -> dict[Any, int]:
        """How often each node is used, so that what is shared gets a name."""
        uses: dict[Any, int] = {}
        stack = list(self.roots)
        while stack:
            e = stack.pop()
            uses[e] = uses.get(e, 0) + 1
            if uses[e] == 1:
                stack.extend(self._operands(e))
        return uses

    def _operands(self, e: Any) -> list[Any]:
        """The matrices and the scalars with matrices in them that a node is made of."""
        if isinstance(e, MatrixSymbol | sympy.Symbol):
            return []
        if isinstance(e, sympy.FunctionMatrix):
            return [e.lamda.expr.parent] if is_vec(e) else []
        if is_scalar(e) and not isinstance(e, algebra.ATOMS):
            return algebra.atoms_in(e)
        if isinstance(e, _ELEMENTWISE):
            body, x = algebra.body_and_argument(e)
            numbers = algebra.atoms_in(body)
            plain = body.xreplace(dict.fromkeys(numbers, sympy.S.One))
            inside = self._within(plain, x)
            rest = plain.xreplace(dict.fromkeys(inside, sympy.S.One))
            return [*inside.values(), *([x] if rest.has(algebra.U) else []), *numbers]
        parts = (a for a in e.args if isinstance(a, sympy.Expr))
        return [a for a in parts if not is_scalar(a) or a.args]

    def _within(self, body: Any, x: Any) -> dict[Any, Any]:
        """What of an elementwise function is a node of its own: tanh(x) in 1 - tanh(x)**2."""
        known = [(b, e) for b, e in self._elementwise.get(x, ()) if b != body and body.has(b)]
        return {b: e for b, e in known if not any(b is not c and c.has(b) for c, _ in known)}

    # -- names --

    def sizes(self) -> list[str]:
        return [f"{name} = {self._where[size]}" for size, name in self._sizes.items()]

    def _size(self, size: Any) -> str:
        """A size of a matrix, from the shape of an argument that has it."""
        for s in sorted(sympy.sympify(size).free_symbols, key=str):
            self._scalar_symbol(s)
        return self._printed(size, {s: self._scalar_symbol(s) for s in sympy.sympify(size).free_symbols})

    def _scalar_symbol(self, s: Any) -> str:
        if s in self.names:
            return self.names[s]
        if s not in self._where:
            raise InputError(
                f"{s} occurs in the formula and is no argument; the arguments are {list(self.names)}"
            )
        if s not in self._sizes:
            self._sizes[s] = self._free(identifier(str(s)))
        return self._sizes[s]

    def _printed(self, e: Any, names: dict[Any, str]) -> str:
        return printed(e, names, self.functions)

    def _line(self, text: str) -> str:
        """Computes it in a line of its own; returns the line's name."""
        name = self._free(f"v{len(self.lines) + 1}")
        self.lines.append(f"{name} = {text}")
        return name

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
            return self.names[e], ATOM
        if e in self._made:
            return self._made[e]
        piece = self._write(e)
        if self._has_line(e):
            piece = (self._line(piece[0]), ATOM)
        self._made[e] = piece
        return piece

    def _write(self, e: Any) -> tuple[str, int]:
        if type(e) in OWN:
            return self._own(e)
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

    def _own(self, e: Any) -> tuple[str, int]:
        function, name = OWN[type(e)].numpy, type(e).__name__
        if function is None:
            raise NoRuleError(
                f"nothing computes {name}, in {short(e)}; say what with "
                f"diffkit.symbolic.defmatrixrule({name}, ..., numpy=...)"
            )
        known = next((n for n, f in self.own.items() if f is function), None)
        self.own[known := known or self._free(identifier(name))] = function
        return f"{known}({', '.join(self.text(a) for a in e.args)})", ATOM

    def _scalar(self, e: Any) -> tuple[str, int]:
        if isinstance(e, sympy.Trace):
            return self._trace(e.arg), ATOM
        if isinstance(e, sympy.Determinant):
            return f"np.linalg.det({self.text(e.arg)})", ATOM
        if (
            isinstance(e, sympy.log)
            and isinstance(e.args[0], sympy.Abs)
            and isinstance(e.args[0].args[0], sympy.Determinant)
        ):
            return f"np.linalg.slogdet({self.text(e.args[0].args[0].arg)})[1]", ATOM
        if isinstance(e, MatrixElement):
            return f"{self.text(e.parent, ATOM)}[{self._size(e.i)}, {self._size(e.j)}]", ATOM
        names = {a: self.text(a, ATOM) for a in self._operands(e)}
        names |= {
            s: self._scalar_symbol(s)
            for s in e.free_symbols
            if not isinstance(s, MatrixSymbol) and s not in names and in_scalar(e, s)
        }
        return self._printed(e, names), binding(e)

    def _trace(self, inner: Any) -> str:
        _, factors = algebra.coefficient_and_factors(inner)
        if algebra.shape(factors[0])[0] == 1:
            if len(factors) == 2 and isinstance(factors[0], sympy.OneMatrix):
                return f"{self.text(factors[1], ATOM)}.sum()"
            if len(factors) == 3 and all(isinstance(f, sympy.OneMatrix) for f in (factors[0], factors[2])):
                return f"{self.text(factors[1], ATOM)}.sum()"
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
            inner = self.text(algebra.product(S.NegativeOne, shown) if negative else shown, PRODUCT)
            parts.append(("-" if negative else "+", inner))
        parts.sort(key=lambda part: part[0] == "-")
        text = " ".join(f"{sign} {inner}" for sign, inner in parts)
        return (text[2:] if text.startswith("+ ") else "-" + text[2:]), SUM

    def _product(self, e: Any) -> tuple[str, int]:
        coefficient, factors = algebra.coefficient_and_factors(e)
        chain = self._chain(factors)
        if coefficient is S.One:
            return chain
        if coefficient is S.NegativeOne:
            return (
                f"-{chain[0] if chain[1] >= PRODUCT and ' @ ' not in chain[0] else '(' + chain[0] + ')'}",
                SUM,
            )
        inner = chain[0] if chain[1] == ATOM else f"({chain[0]})"
        return f"{self.text(coefficient, PRODUCT)} * {inner}", PRODUCT

    def _chain(self, factors: list[Any]) -> tuple[str, int]:
        """A product of matrices, in an order that keeps what is in between small."""
        if len(factors) == 1:
            return self._piece(factors[0])
        inner = next((k for k in range(1, len(factors)) if factors[k].shape[0] == 1), None)
        if inner is not None:  # a column times a row
            left, right = self._chain(factors[:inner]), self._chain(factors[inner:])
            pair = [t if binds == ATOM else f"({t})" for t, binds in (left, right)]
            return f"{pair[0]} * {pair[1]}", PRODUCT
        first, last = factors[0], factors[-1]
        for axis, end, others in ((0, first, factors[1:]), (1, last, factors[:-1])):
            if isinstance(end, sympy.OneMatrix) and 1 in end.shape:  # the sums of columns or rows
                summed, binds = self._chain(others)
                summed = summed if binds == ATOM else f"({summed})"
                return f"{summed}.sum(axis={axis}, keepdims=True)", ATOM
        if last.shape[1] == 1 or isinstance(first, sympy.Inverse | sympy.DiagMatrix):
            rest, binds = self._chain(factors[1:])
            if isinstance(first, sympy.Inverse) and not self._has_line(first):
                return f"np.linalg.solve({self.text(first.arg)}, {rest})", ATOM
            rest = rest if binds == ATOM else f"({rest})"
            if isinstance(first, sympy.DiagMatrix):
                return f"{self.text(first.args[0], ATOM)} * {rest}", PRODUCT
            return f"{self.text(first, ATOM)} @ {rest}", PRODUCT
        rest, binds = self._chain(factors[:-1])
        rest = rest if binds >= PRODUCT and " * " not in rest else f"({rest})"
        if isinstance(last, sympy.DiagMatrix):
            return f"({rest}) * {self.text(last.args[0], ATOM)}.T", PRODUCT
        return f"{rest} @ {self.text(last, ATOM)}", PRODUCT

    def _hadamard(self, e: Any) -> tuple[str, int]:
        full = [a for a in e.args if _broadcast(a) is None]
        shown = [a if not full or _broadcast(a) is None else _broadcast(a) for a in e.args]
        return " * ".join(self.text(a, ATOM) for a in shown), PRODUCT

    def _function_of_elements(self, e: Any) -> tuple[str, int]:
        body, x = algebra.body_and_argument(e)
        numbers = {a: sympy.Dummy() for a in algebra.atoms_in(body)}
        plain = body.xreplace(numbers)
        within = {b: (sympy.Dummy(), node) for b, node in self._within(plain, x).items()}
        names = {d: self.text(a, ATOM) for a, d in numbers.items()}
        names |= {d: self.text(node, ATOM) for d, node in within.values()}
        rest = plain.xreplace({b: d for b, (d, _) in within.items()})
        parts = [p for p in sympy.preorder_traversal(rest) if p == algebra.U or isinstance(p, sympy.Function)]
        if algebra.U in parts:
            inner = self.text(x, SUM if only_in_calls(algebra.U, rest) else ATOM)
            shared = parts.count(algebra.U) > 1 and not inner.isidentifier()
            names[algebra.U] = self._line(inner) if shared else inner
        symbols = (s for s in plain.free_symbols - {algebra.U} if s not in names)
        names |= {s: self._scalar_symbol(s) for s in symbols}
        for p in dict.fromkeys(p for p in parts if p != algebra.U and parts.count(p) > 1):
            again = sympy.Dummy()
            names[again] = self._line(self._printed(p, names))
            rest = rest.xreplace({p: again})
        return self._printed(rest, names), binding(rest)

    def _transpose(self, e: Any) -> tuple[str, int]:
        return f"{self.text(e.arg, ATOM)}.T", ATOM

    def _ones(self, e: Any) -> tuple[str, int]:
        return f"np.ones(({self._size(e.shape[0])}, {self._size(e.shape[1])}))", ATOM

    def _zeros(self, e: Any) -> tuple[str, int]:
        return f"np.zeros(({self._size(e.shape[0])}, {self._size(e.shape[1])}))", ATOM

    def _identity(self, e: Any) -> tuple[str, int]:
        return f"np.eye({self._size(e.shape[0])})", ATOM

    def _power(self, e: Any) -> tuple[str, int]:
        return f"np.linalg.matrix_power({self.text(e.base)}, {self._size(e.exp)})", ATOM

    def _explicit(self, e: Any) -> tuple[str, int]:
        rows = ", ".join(f"[{', '.join(self.text(v) for v in row)}]" for row in e.tolist())
        return f"np.array([{rows}])", ATOM

    def _unit(self, e: Any) -> tuple[str, int]:
        """vec(C), the commutation matrix, and the matrix with one element 1, the derivative by an element."""
        if is_vec(e):
            return f'{self.text(e.lamda.expr.parent, ATOM)}.reshape((-1, 1), order="F")', ATOM
        if is_commutation(e):
            first = next(iter(e.lamda.expr.atoms(sympy.Mod))).args[1]
            shape = f"({self._size(e.shape[0] / first)}, {self._size(first)})"
            size = self._size(e.shape[0])
            return f'np.eye({size})[np.arange({size}).reshape({shape}, order="F").ravel()]', ATOM
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
        return f"({columns[0]} * {columns[1]}.T)", ATOM


_WRITINGS: dict[Any, Callable[[Writer, Any], tuple[str, int]]] = {
    sympy.MatAdd: Writer._sum,
    sympy.MatMul: Writer._product,
    sympy.HadamardProduct: Writer._hadamard,
    sympy.HadamardPower: Writer._function_of_elements,
    ElementwiseApplyFunction: Writer._function_of_elements,
    sympy.Transpose: Writer._transpose,
    sympy.Inverse: lambda w, e: (f"np.linalg.inv({w.text(e.arg)})", ATOM),
    sympy.MatPow: Writer._power,
    sympy.DiagMatrix: lambda w, e: (f"np.diagflat({w.text(e.args[0])})", ATOM),
    DiagonalOf: lambda w, e: (f"np.diagonal({w.text(e.arg)})[:, None]", ATOM),
    DiagonalMatrix: lambda w, e: (f"np.diagflat(np.diagonal({w.text(e.arg)}))", ATOM),
    sympy.KroneckerProduct: lambda w, e: (f"np.kron({', '.join(w.text(a) for a in e.args)})", ATOM),
    sympy.OneMatrix: Writer._ones,
    sympy.ZeroMatrix: Writer._zeros,
    sympy.Identity: Writer._identity,
    MatrixBase: Writer._explicit,
    sympy.FunctionMatrix: Writer._unit,
}


def _broadcast(e: Any) -> Any:
    """b of b 1^T or 1 b^T, which NumPy broadcasts; else None."""
    coefficient, factors = algebra.coefficient_and_factors(e)
    if len(factors) > 1 and isinstance(factors[-1], sympy.OneMatrix) and factors[-1].shape[0] == 1:
        return algebra.product(coefficient, *factors[:-1])
    if len(factors) > 1 and isinstance(factors[0], sympy.OneMatrix) and factors[0].shape[1] == 1:
        return algebra.product(coefficient, *factors[1:])
    return None
